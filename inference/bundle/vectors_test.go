package bundle

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// readVectors reads a file of the test vectors, which the converter's tests run
// as well. SPEC.md says what is in them.
func readVectors(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, v, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
}

func TestManifestVectors(t *testing.T) {
	var vectors []struct {
		Name, Error string
		OK          bool
		Manifest    jsontext.Value
	}
	readVectors(t, "manifests.json", &vectors)
	if len(vectors) < 100 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		if _, err := ParseManifest(v.Manifest); (err == nil) != v.OK {
			t.Errorf("%s: got %v, want %q", v.Name, err, v.Error)
		}
	}
}

func TestGoldenVectors(t *testing.T) {
	var vectors []struct {
		Name, Error, Line string
		Format            int
		OK                bool
		Outputs           []Output
	}
	readVectors(t, "goldens.json", &vectors)
	if len(vectors) < 50 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		g, err := parseGolden([]byte(v.Line), &Manifest{Header: Header{Format: v.Format}, Outputs: v.Outputs})
		if (err == nil) != v.OK {
			t.Errorf("%s: got %v, want %q", v.Name, err, v.Error)
		}
		for _, f := range g.Want {
			if math.IsNaN(f) || math.IsInf(f, 0) {
				t.Errorf("%s: wants %v", v.Name, f)
			}
		}
	}
}

// A bundle of an old format is served for ever.
func TestOpenOldFormats(t *testing.T) {
	const runID = "2d509b1feb1643cab3e531a19515ec7b"
	today, err := Open(context.Background(), Dir(filepath.Join("..", "..", "models", runID)), runID)
	if err != nil {
		t.Fatal(err)
	}
	if today.Manifest.Format != Format {
		t.Errorf("the shipped bundle has format %d", today.Manifest.Format)
	}
	for format := 1; format < Format; format++ {
		folder := filepath.Join("testdata", "format"+strconv.Itoa(format), runID)
		old, err := Open(context.Background(), Dir(folder), runID)
		if err != nil {
			t.Fatal(err)
		}
		if old.Manifest.Format != format {
			t.Errorf("%s has format %d", folder, old.Manifest.Format)
		}
		sameGoldens(t, old.Goldens, today.Goldens)
	}
}

func sameGoldens(t *testing.T, before, after []Golden) {
	t.Helper()
	if len(before) != len(after) {
		t.Fatalf("%d goldens and %d", len(before), len(after))
	}
	for i := range before {
		was, is := &before[i], &after[i]
		if was.Record != is.Record || len(was.Want) != len(is.Want) || was.Reject != is.Reject ||
			len(was.Want) > 0 && math.Float64bits(was.Want[0]) != math.Float64bits(is.Want[0]) {
			t.Errorf("golden %d: %+v and %+v", i+1, was, is)
		}
	}
}
