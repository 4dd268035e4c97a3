package feature_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/feature"
)

// What is unknown and what is missing is counted by column, of the records that
// have a row: a feature of two columns is one, and an entry is never missing.
func TestCount(t *testing.T) {
	text := []string{"text"}
	plan := feature.Compile([]bundle.Column{
		{Name: "text", Kind: "category", Path: text, Missing: "none", Null: "none", Other: "unknown", Unknown: "accept", Vocabulary: []bundle.Scalar{bundle.Word("a")}},
		{Name: "both", Kind: "number", Path: []string{"both"}, Missing: "zero", Null: "nan", Text: "zero"},
		{Name: "both", Kind: "category", Path: []string{"both"}, Missing: "none", Null: "none", Other: "unknown", Unknown: "accept", Vocabulary: []bundle.Scalar{bundle.Word("b")}},
		{Name: "entry", Kind: "entry", Path: []string{"entry"}, Missing: "zero", Null: "nan"},
	}, nil)
	s, row := plan.NewScratch(), make([]float64, plan.Width())
	counts := plan.Columns(nil)
	for _, record := range []string{
		`{"text": "a", "both": 1, "entry": 1}`, `{"text": "z", "both": "b"}`, `{"text": null, "both": "z"}`, `{"both": null}`, `{}`,
	} {
		if _, r := plan.Encode([]byte(record), row, s); r != nil {
			t.Fatalf("%s: %+v", record, r)
		}
		plan.Count(s, counts)
	}
	want := []inference.Column{{Name: "text", Unknown: 1, Missing: 3, Null: 1}, {Name: "both", Unknown: 2, Missing: 2, Null: 1}, {Name: "entry"}}
	if !slices.Equal(counts, want) {
		t.Errorf("got %+v, want %+v", counts, want)
	}
	if again := plan.Columns(counts); again[0] != (inference.Column{Name: "text"}) {
		t.Errorf("got %+v", again)
	}
}

// A category that training did not have is told as the text that it is.
func TestEachUnknown(t *testing.T) {
	words := []bundle.Scalar{bundle.Word("a")}
	part := func(keys ...string) bundle.Part { return bundle.Part{Path: keys} }
	plan := feature.Compile([]bundle.Column{
		{Name: "pair", Kind: "category", Template: []bundle.Part{part("r", "a"), {Text: "_"}, part("r", "b")}, Missing: "default", Null: "none", Default: new(0.0), Unknown: "accept", Vocabulary: words},
		{Name: "text", Kind: "category", Path: []string{"text"}, Missing: "null", Null: "unknown", Other: "unknown", Unknown: "accept", Vocabulary: words},
	}, nil)
	s, row := plan.NewScratch(), make([]float64, plan.Width())
	for record, want := range map[string]string{
		`{"r": {"a": 1, "b": "\u00e9"}, "text": 1.50}`: "0:1_é 1:1.5 ",
		`{"r": {"a": null}, "text": "a"}`:              "",
		`{"r": {"a": 1}, "text": null}`:                "",
		`{"text": true}`:                               "1:True ",
	} {
		if _, r := plan.Encode([]byte(record), row, s); r != nil {
			t.Fatalf("%s: %+v", record, r)
		}
		got := ""
		plan.EachUnknown([]byte(record), s, func(column int, text []byte) { got += fmt.Sprintf("%d:%s ", column, text) })
		if got != want {
			t.Errorf("%s: got %q, want %q", record, got, want)
		}
	}
}
