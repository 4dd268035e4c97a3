package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/inference/alias"
	"github.com/skiff-ml/skiff/inference/bundle"
)

// completeRun is what the shell offers where a RUN is to be named: the runs and
// aliases of a folder, and folders. A bucket is not asked while somebody types.
func (s *settings) completeRun(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	models := s.models
	if models == "" && s.getenv("MODEL_BUCKET") == "" {
		models = "models"
	}
	manifests, err := filepath.Glob(filepath.Join(models, "*", bundle.ManifestFile))
	if err != nil || models == "" {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	var offered []cobra.Completion
	for _, manifest := range manifests {
		offered = append(offered, filepath.Base(filepath.Dir(manifest)))
	}
	pointers, _ := os.ReadDir(filepath.Join(models, filepath.Dir(alias.File(""))))
	for _, pointer := range pointers {
		if name, ok := strings.CutSuffix(pointer.Name(), ".json"); ok {
			offered = append(offered, "@"+name)
		}
	}
	return offered, cobra.ShellCompDirectiveDefault
}

// modelFlag is that by which a command's model is named.
func (s *settings) modelFlag(cmd *cobra.Command) *string {
	model := cmd.Flags().String("model", "", "the RUN whose model predicts")
	if err := cmd.RegisterFlagCompletionFunc("model", func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return s.completeRun(cmd, nil, typed)
	}); err != nil {
		panic(err) // the flag is there
	}
	return model
}
