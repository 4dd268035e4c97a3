//go:build integration

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
)

// A place is where the worker that make has built is run.
type place struct{ root, run, dir string }

func (p place) command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(p.root, ".build/bin/worker"), args...)
	cmd.Dir = p.dir
	cmd.Env = append([]string{
		"RUN_ID=" + p.run, "MODEL_LOCATION=" + filepath.Join(p.root, "models", p.run),
		"ONNXRUNTIME_LIB=" + filepath.Join(p.root, ".build/lib/libonnxruntime.so"),
	}, env...)
	return cmd
}

func newPlace(t *testing.T) (place, string) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	runs, err := taxi.ReadRuns(filepath.Join(root, "models/taxi/runs.json"))
	if err != nil {
		t.Fatal(err)
	}
	return place{root, runs["forest"], t.TempDir()}, filepath.Join(root, "models/taxi/rides.parquet")
}

// minutesOf reads predictions, of which each has its row's number.
func minutesOf(t *testing.T, text []byte) (minutes []float64) {
	t.Helper()
	for line := range bytes.Lines(text) {
		var p struct {
			Prediction struct {
				Minutes float64 `json:"ride_duration"`
				ID      int     `json:"ride_id"`
			}
		}
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		if minutes = append(minutes, p.Prediction.Minutes); p.Prediction.ID != len(minutes) {
			t.Fatalf("prediction %d has the id %d", len(minutes), p.Prediction.ID)
		}
	}
	return minutes
}

// The rides as the taxi commission has them, of which no column is named as the
// records' fields are: each is predicted as the original pipeline did, to the
// bit, also after the worker was stopped.
func TestParquet(t *testing.T) {
	p, rides := newPlace(t)
	out := filepath.Join(p.dir, "out.jsonl")
	cmd := p.command(t, nil, "-score", rides, "-to", out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Signal(syscall.SIGINT) // wherever it is; it may be done
	if err := cmd.Wait(); err != nil {
		if text, err := p.command(t, nil, "-score", rides, "-to", out).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got := minutesOf(t, text)
	want, err := taxi.ReadPredictions(filepath.Join(p.root, "models/taxi/predictions.parquet"), p.run, math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0 // the original's are for the first rides of 2019
	for line := range strings.Lines(rowsOf(t, rides, "-want", `[["pickup"], ["n"]]`, "-number", `["n"]`)) {
		var row struct {
			Pickup string
			N      int
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.Pickup < "2019" || compared == len(want) {
			continue
		}
		if math.Float64bits(got[row.N-1]) != math.Float64bits(want[compared]) {
			t.Fatalf("row %d: %v, and the original %v", row.N, got[row.N-1], want[compared])
		}
		compared++
	}
	if compared != len(want) || compared < 10_000 {
		t.Errorf("%d predictions are compared, of %d", compared, len(want))
	}
	letters, err := os.ReadFile(out + ".rejected")
	if err != nil || len(letters) > 0 {
		t.Errorf("rejected: %.300s, %v", letters, err)
	}
}

// The same in S3, whose columns are groups, and flat ones named with dots.
func TestParquetInS3(t *testing.T) {
	p, _ := newPlace(t)
	s3 := startMinistack(t, p)
	type fields struct {
		From  int32   `parquet:"PULocationID"`
		To    int32   `parquet:"DOLocationID"`
		Miles float64 `parquet:"trip_distance"`
	}
	type nested struct {
		Ride fields `parquet:"ride"`
		ID   int64  `parquet:"ride_id"`
	}
	type flat struct {
		From  int32   `parquet:"ride.PULocationID"`
		To    int32   `parquet:"ride.DOLocationID"`
		Miles float64 `parquet:"ride.trip_distance"`
		ID    int64   `parquet:"ride_id"`
	}
	var groups, dots bytes.Buffer
	var inGroups []nested
	var withDots []flat
	for i := range int64(1500) {
		f := fields{236, 162, float64(i) / 10}
		inGroups, withDots = append(inGroups, nested{f, i + 1}), append(withDots, flat{f.From, f.To, f.Miles, i + 1})
	}
	if err := parquet.Write(&groups, inGroups, parquet.MaxRowsPerRowGroup(400)); err != nil {
		t.Fatal(err)
	}
	if err := parquet.Write(&dots, withDots); err != nil {
		t.Fatal(err)
	}
	var all []string
	for name, data := range map[string][]byte{"groups": groups.Bytes(), "dots": dots.Bytes(), "bad": groups.Bytes()[:900]} {
		if err := s3.Write(t.Context(), "rides", name+".parquet", data); err != nil {
			t.Fatal(err)
		}
		env := []string{"AWS_REGION=" + ministack.Region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "S3_ENDPOINT_URL=" + s3.Endpoint}
		text, err := p.command(t, env, "-score", "s3://rides/"+name+".parquet").CombinedOutput()
		if name == "bad" {
			if err == nil || !strings.Contains(string(text), "it is no parquet file, or damaged") || !strings.Contains(string(text), "\nhint: a parquet file begins") {
				t.Errorf("%v: %s", err, text)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	err := s3.Objects(t.Context(), "rides", "", func(key string, data []byte) error {
		switch {
		case strings.HasSuffix(key, ".predictions.jsonl"):
			if got := minutesOf(t, data); len(got) != 1500 {
				return fmt.Errorf("%s has %d", key, len(got))
			}
			all = append(all, string(data))
		case strings.HasSuffix(key, ".rejected") && len(data) > 0:
			return fmt.Errorf("%s: %s", key, data)
		}
		return nil
	})
	if err != nil || len(all) != 2 || all[0] != all[1] {
		t.Errorf("%d files, %v", len(all), err)
	}
	if left, err := os.ReadDir(p.dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func startMinistack(t *testing.T, p place) *ministack.Server {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s3, err := ministack.Start(t.Context(), ministack.Config{Program: filepath.Join(p.root, ".build/venv/bin/ministack"), Address: address, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s3.Stop)
	if err := s3.CreateBucket(context.WithoutCancel(t.Context()), "rides"); err != nil {
		t.Fatal(err)
	}
	return s3
}
