package model_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/model"
)

// late is a label with all it can have; its score is the column.
const late = `[{"name": "late", "kind": "label", "width": 1, "labels": ["no", "yes"], "link": "expit", "decide": "scores",
	"probabilities": "p", "margin": "m"}]`

// identity is a scorer of its rows.
type identity struct{}

func (identity) Score(x, y []float64) error {
	copy(y, x)
	return nil
}

// A golden's label is equal, whatever the bound on its numbers.
func TestProveLabels(t *testing.T) {
	const prediction = `{"late": "yes", "p": {"no": 0.5, "yes": 0.5}, "m": 0}`
	for name, test := range map[string]struct{ record, outputs, want string }{
		"equal":                  {"1e-300", strings.Replace(prediction, `"m": 0`, `"m": 1e-300`, 1), ""},
		"another label":          {"0", prediction, "golden 1: it predicts the label number 1, and the original pipeline number 2"},
		"another probability":    {"1", prediction, "golden 1: it predicts 0.2689414213699951, and the original pipeline 0.5"},
		"another margin's bits":  {"1e-300", prediction, "golden 1: it predicts 1e-300, and the original pipeline 0"},
		"within the bound, a no": {"-0.0001", prediction[:len(prediction)-1] + `}, "within": 0.0004`, "the label number 1"},
		"within the bound":       {"0.0001", prediction[:len(prediction)-1] + `}, "within": 0.0004`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			line := fmt.Sprintf("{\"record\": \"{\\\"n\\\": %s}\", \"outputs\": %s}\n", test.record, test.outputs)
			b, err := bundle.Open(context.Background(), files(json.RawMessage(late), line), "run1")
			if err != nil {
				t.Fatal(err)
			}
			_, err = model.New(b, identity{})
			if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, model.ErrNotProved) || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// What a batch needs does not grow with its records.
func TestPredictLabelsAllocatesNothingARecord(t *testing.T) {
	line := `{"record": "{\"n\": 0}", "outputs": {"late": "no", "p": {"no": 0.5, "yes": 0.5}, "m": 0}}` + "\n"
	b, err := bundle.Open(context.Background(), files(json.RawMessage(late), line), "run1")
	if err != nil {
		t.Fatal(err)
	}
	served, err := model.New(b, identity{})
	if err != nil {
		t.Fatal(err)
	}
	record := []byte(`{"n": 1.5}`)
	allocations := func(records int) float64 {
		var batch inference.Batch
		return testing.AllocsPerRun(10, func() {
			batch.Reset(records)
			for i := range batch.Items {
				batch.Items[i].Data, batch.Items[i].Key = record, record
			}
			if err := served.Predict(&batch); err != nil || len(batch.Messages) != records {
				t.Error(err)
			}
		})
	}
	if few, many := allocations(10), allocations(1000); many > few {
		t.Errorf("%v allocations for 10 records, %v for 1,000", few, many)
	}
}
