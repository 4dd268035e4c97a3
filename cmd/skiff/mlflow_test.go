package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference/hint"
)

// A run may be named by a registered model's version, as MLflow's server knows it.
func TestRunOf(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch asked := user + ":" + password + " " + r.URL.String(); asked {
		case "me:secret /api/2.0/mlflow/registered-models/alias?alias=champion&name=ride+duration":
			_, _ = w.Write([]byte(`{"model_version": {"version": "3", "run_id": "a"}}`))
		case "me:secret /api/2.0/mlflow/model-versions/get?name=rides&version=2":
			_, _ = w.Write([]byte(`{"model_version": {"version": "2", "run_id": "b"}}`))
		case "me:secret /api/2.0/mlflow/model-versions/get?name=rides&version=1":
			_, _ = w.Write([]byte(`{"model_version": {"version": "1", "run_id": ""}}`))
		case "me:secret /api/2.0/mlflow/model-versions/get?name=rides&version=0":
			_, _ = w.Write([]byte(`<html>`))
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not found"}`))
		}
	}))
	defer server.Close()
	tracking := server.URL + "/"
	s := &settings{getenv: func(name string) string {
		return map[string]string{"MLFLOW_TRACKING_URI": tracking, "MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "secret"}[name]
	}}
	for name, want := range map[string]string{
		"0123": "0123", "runs:/0123/model": "0123", "runs:/0123": "0123",
		"models:/ride duration@champion": "a", "models:/rides/2": "b",
		"models:/rides/1":      "error: finding models:/rides/1: that version was registered without a run",
		"models:/rides/0":      "error: finding models:/rides/0: MLflow answers 200 OK, which is no JSON",
		"models:/rides@nobody": "error: finding models:/rides@nobody: MLflow answers RESOURCE_DOES_NOT_EXIST: not found",
		"models:/rides":        "error: models:/rides names no version of a model",
	} {
		run, err := s.runOf(t.Context(), name)
		if err != nil {
			run = "error: " + err.Error()
		}
		if run != want {
			t.Errorf("%s: got %s, want %s", name, run, want)
		}
	}
	for _, tracking = range []string{"", "sqlite:///mlflow.db", "http://user:secret@127.0.0.1:1"} {
		_, err := s.runOf(t.Context(), "models:/rides/2")
		if err == nil || hint.Of(err) != trackingHint || strings.Contains(err.Error(), "secret") && tracking != "" && strings.HasPrefix(tracking, "http") {
			t.Errorf("%s: %v, hint %q", tracking, err, hint.Of(err))
		}
	}
}
