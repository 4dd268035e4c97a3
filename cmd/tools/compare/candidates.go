package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/hint"
)

// slowRecords is the most that one event has for a candidate that is slow:
// one record costs the reference the same in any batch.
const slowRecords = 100

// A candidate is one of those compared.
type candidate struct {
	who      string
	about    string
	command  []string
	env      []string
	exact    bool     // it promises the pipeline's predictions to the last bit
	slow     bool     // it is measured on fewer records
	packages string   // Python packages that it imports, with commas
	deployed []string // files and folders that it needs beside them
}

// The candidates that the others are compared with.
const (
	skiffTrees = "skiff_trees"
	skiffTable = "skiff_table"
)

// candidates returns them all, or an error when something of theirs is not
// there.
func candidates(s *settings, library string) ([]*candidate, error) {
	list := s.ofForest
	if s.model == boosted {
		list = s.ofBoosted
	}
	all, err := list(library)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		for _, path := range append([]string{c.command[0]}, c.deployed...) {
			if _, err := os.Stat(path); err != nil {
				return nil, hint.With(fmt.Errorf("%s is not whole: %w", c.who, err), "run it by `make compare`, which prepares what it needs")
			}
		}
	}
	return all, nil
}

// ofForest returns those of the forest: all that people make of it.
func (s *settings) ofForest(library string) ([]*candidate, error) {
	runID, err := runOf(s, "trees")
	if err != nil {
		return nil, err
	}
	other, err := runOf(s, "table")
	if err != nil {
		return nil, err
	}
	if other != runID {
		return nil, fmt.Errorf("the bundles in %s are of the runs %s and %s", s.inputs, runID, other)
	}
	dense := filepath.Join(s.inputs, "dense")
	return []*candidate{
		s.python("reference", "Python, scikit-learn, one predict and one put a record", "reference.py", runID, "scikit-learn").slowly(),
		s.python("sklearn_batched", "Python, scikit-learn, one predict a batch", "sklearn_batched.py", runID, "scikit-learn"),
		{
			who: "python_onnx", about: "Python, onnxruntime, sklearn-onnx's graph over dense float32 rows",
			command: []string{s.python3, s.script("python_onnx.py"), dense, runID}, env: onePython(),
			packages: "numpy,onnxruntime", deployed: []string{dense},
		},
		{
			who: "go_dense", about: "Go, encoding/json, onnxruntime, the same graph and rows",
			command: []string{s.program("compare-godense"), dense, runID}, env: oneGo(library),
			deployed: []string{s.program("compare-godense"), library, dense},
		},
		s.skiff(skiffTrees, "skiff, the forest as trees over codes", "trees", runID, library),
		s.skiff(skiffTable, "skiff, the forest as a table", "table", runID, library),
	}, nil
}

// ofBoosted returns those of the boosted trees behind a ColumnTransformer.
// sklearn-onnx's graph of them is none of these: over sparse columns XGBoost
// takes zero for missing, which the graph does not.
func (s *settings) ofBoosted(library string) ([]*candidate, error) {
	runID, err := runOf(s, "trees")
	if err != nil {
		return nil, err
	}
	const packages = "pandas,scikit-learn,xgboost-cpu"
	return []*candidate{
		s.python("reference", "Python, one frame, one predict and one put a record", "frame_reference.py", runID, packages).slowly(),
		s.python("frame_batched", "Python, one frame and one predict a batch", "frame_batched.py", runID, packages),
		s.skiff(skiffTrees, "skiff, the trees over codes", "trees", runID, library),
	}, nil
}

// python returns a candidate that has the original pipeline.
func (s *settings) python(who, about, script, runID, packages string) *candidate {
	model := filepath.Join(s.inputs, "model", "model.pkl")
	return &candidate{
		who: who, about: about, command: []string{s.python3, s.script(script), model, runID}, env: onePython(),
		exact: true, packages: packages, deployed: []string{model},
	}
}

// skiff returns one with a bundle.
func (s *settings) skiff(who, about, lowering, runID, library string) *candidate {
	bundle := filepath.Join(s.inputs, lowering, runID)
	worker := s.program("worker") // what is deployed; the candidate's own program is it without AWS's SDK
	return &candidate{
		who: who, about: about, command: []string{s.program("compare-skiff"), bundle}, env: oneGo(library),
		exact: true, deployed: []string{worker, library, bundle},
	}
}

// slowly has it measured on fewer records.
func (c *candidate) slowly() *candidate {
	c.slow = true
	return c
}

func (s *settings) script(name string) string {
	return filepath.Join("cmd", "tools", "compare", "python", name)
}
func (s *settings) program(name string) string { return filepath.Join(s.bin, name) }

func onePython() []string { return []string{"OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1"} }

func oneGo(library string) []string { return []string{"GOMAXPROCS=1", "ONNXRUNTIME_LIB=" + library} }

// runOf returns the run whose bundle of a lowering there is.
func runOf(s *settings, lowering string) (string, error) {
	const text = "run it by `make compare`, which converts the model"
	manifests, err := filepath.Glob(filepath.Join(s.inputs, lowering, "*", "manifest.json"))
	if err != nil {
		return "", fmt.Errorf("looking for bundles: %w", err)
	}
	if len(manifests) != 1 {
		return "", hint.With(fmt.Errorf("%s has %d bundles of the lowering %s, not 1", s.inputs, len(manifests), lowering), text)
	}
	raw, err := os.ReadFile(manifests[0])
	if err != nil {
		return "", fmt.Errorf("reading a bundle: %w", err)
	}
	var m bundle.Header
	if err := json.Unmarshal(raw, &m); err != nil {
		return "", fmt.Errorf("reading %s: %w", manifests[0], err)
	}
	if m.Lowering != lowering {
		return "", hint.With(fmt.Errorf("%s is lowered to %s", manifests[0], m.Lowering), text)
	}
	return m.RunID, nil
}

// sizeOf returns the bytes of files and folders.
func sizeOf(paths []string) (int64, error) {
	var total int64
	for _, path := range paths {
		err := filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := os.Stat(name)
			if err != nil {
				return err
			}
			total += info.Size()
			return nil
		})
		if err != nil {
			return 0, fmt.Errorf("measuring %s: %w", path, err)
		}
	}
	return total, nil
}
