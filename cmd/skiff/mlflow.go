package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/skiff-ml/skiff/inference/hint"
)

const (
	mlflowTime   = 30 * time.Second
	maxMLflow    = 1 << 20 // bytes of an answer
	trackingHint = "MLFLOW_TRACKING_URI is a server's, such as http://localhost:5000; otherwise name the run by its id"
)

// runOf returns the id of a run that is named by it, by runs:/ID, or by a
// registered model's version: models:/NAME@ALIAS or models:/NAME/VERSION.
func (s *settings) runOf(ctx context.Context, name string) (string, error) {
	if run, ok := strings.CutPrefix(name, "runs:/"); ok {
		run, _, _ = strings.Cut(strings.TrimPrefix(run, "/"), "/")
		return run, nil
	}
	model, ok := strings.CutPrefix(name, "models:/")
	if !ok {
		return name, nil
	}
	model = strings.TrimPrefix(model, "/")
	if at := strings.LastIndexByte(model, '@'); at > 0 {
		return s.ask(ctx, name, "registered-models/alias", url.Values{"name": {model[:at]}, "alias": {model[at+1:]}})
	}
	if at := strings.LastIndexByte(model, '/'); at > 0 {
		return s.ask(ctx, name, "model-versions/get", url.Values{"name": {model[:at]}, "version": {model[at+1:]}})
	}
	return "", hint.With(fmt.Errorf("%s names no version of a model", name), "models:/NAME@ALIAS or models:/NAME/VERSION does")
}

// ask asks MLflow's REST API for a model's version, and returns its run.
func (s *settings) ask(ctx context.Context, name, call string, query url.Values) (string, error) {
	server := s.getenv("MLFLOW_TRACKING_URI")
	if !strings.HasPrefix(server, "http://") && !strings.HasPrefix(server, "https://") {
		return "", hint.With(fmt.Errorf("finding %s: MLFLOW_TRACKING_URI is %q", name, server), trackingHint)
	}
	ctx, cancel := context.WithTimeout(ctx, mlflowTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(server, "/")+"/api/2.0/mlflow/"+call+"?"+query.Encode(), nil)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", name, err)
	}
	if token := s.getenv("MLFLOW_TRACKING_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	} else if user := s.getenv("MLFLOW_TRACKING_USERNAME"); user != "" {
		request.SetBasicAuth(user, s.getenv("MLFLOW_TRACKING_PASSWORD"))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the URL, which may have a password
		}
		return "", hint.With(fmt.Errorf("finding %s: asking MLflow: %w", name, err), trackingHint)
	}
	defer response.Body.Close()
	var answer struct {
		Version struct {
			RunID string `json:"run_id"`
		} `json:"model_version"`
		Code    string `json:"error_code"`
		Message string `json:"message"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxMLflow)).Decode(&answer); err != nil {
		return "", hint.With(fmt.Errorf("finding %s: MLflow answers %s, which is no JSON", name, response.Status), trackingHint)
	}
	if answer.Code != "" || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("finding %s: MLflow answers %s: %s", name, answer.Code, answer.Message)
	}
	if answer.Version.RunID == "" {
		return "", hint.With(fmt.Errorf("finding %s: that version was registered without a run", name), "name the run by its id")
	}
	return answer.Version.RunID, nil
}
