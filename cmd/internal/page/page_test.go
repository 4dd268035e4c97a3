package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/observe"
)

func TestFields(t *testing.T) {
	for document, want := range map[string]string{
		`{"ride": {"PU": 236, "DO": "x", "miles": 2.280}, "ride_id": 9007199254740993}`: "[{PU 236} {DO x} {miles 2.280} {ride_id 9007199254740993}]",
		`{"a": [1, {"b": true}, "c"], "d": null}`:                                       "[{a 1} {b true} {b c} {d null}]",
		`{}`:                      "[]",
		`{"a": {"a": {}}, "b":1}`: "[{b 1}]",
		`[1]`:                     "[]",
		`1`:                       "[]",
		`{"a": 1`:                 "[]",
		`{"a": 1} 2`:              "[]",
		"\x1f\x8b":                "[]",
		"":                        "[]",
	} {
		if got := fmt.Sprint(Fields([]byte(document))); got != want {
			t.Errorf("%s: %s, want %s", document, got, want)
		}
	}
	long := Fields([]byte(`{"a": "` + strings.Repeat("x", 1000) + `"` + strings.Repeat(`, "b": 1`, 100) + `}`))
	if len(long) != maxFields || len(long[0].Text) > maxField+len("…") {
		t.Errorf("%d fields, the first %v", len(long), long[0])
	}
}

func FuzzFields(f *testing.F) {
	f.Add([]byte(`{"a": [1, {"b": [[]]}], "c": {"d": "e"}}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		if got := Fields(document); len(got) > maxFields {
			t.Errorf("%d fields", len(got))
		}
	})
}

// shown is what a page says.
func shown(t *testing.T, p *Page) live {
	t.Helper()
	document, err := p.document(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var l live
	if err := json.Unmarshal(document, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func measurement(took time.Duration) *observe.Measurement {
	return &observe.Measurement{
		Records: 10, Predictions: 8, Rejected: 2, DeadLetters: []observe.Count{{Name: "not_json", N: 2}}, Unknown: []observe.Count{{Name: "PU_DO", N: 3}},
		Missing: []observe.Count{{Name: "miles", N: 4}}, Timing: inference.Timing{Score: took / 4, Publish: took - took/4}, ModelAge: -1, IteratorAge: time.Second,
	}
}

func TestPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New("test", true)
		for i := range 100 {
			p.Record(measurement(time.Duration(i+1)*time.Millisecond), time.Now())
		}
		failed := measurement(time.Second)
		failed.Failed = true
		p.Record(failed, time.Now().Add(-time.Second))
		l := shown(t, p)
		if l.Minute.P50 != 51 || l.Minute.P99 != 100 || l.Minute.Sum.Records != 1010 || l.Minute.Sum.Failed != 1 ||
			l.Minute.Seconds[seconds-1].Predictions != 800 || l.Minute.Seconds[seconds-2].Predictions != 8 {
			t.Errorf("the minute is %+v", l.Minute)
		}
		if s := l.Minute.Stages; s[2].Name != "score" || s[4].Name != "publish" || s[4].MS < 2.9*s[2].MS {
			t.Errorf("the stages are %+v", s)
		}
		if fmt.Sprint(l.Unknown, l.Missing, l.Letters) != "[{PU_DO 303}] [{miles 404}] [{not_json 202}]" || l.ModelAge != nil || *l.Age != 1000 {
			t.Errorf("the counts are %v, %v, %v", l.Unknown, l.Missing, l.Letters)
		}
		if want := (totals{Invocations: 101, Failed: 1, Records: 1010, Predictions: 808, Rejected: 202, DeadLetters: 202}); l.Totals != want {
			t.Errorf("the totals are %+v", l.Totals)
		}
		time.Sleep(time.Minute) //nolint:forbidigo // of virtual time
		if l := shown(t, p); l.Minute.Sum.Records != 0 || l.Minute.P99 != 0 || l.Totals.Records != 1010 {
			t.Errorf("a minute later: %+v", l.Minute.Sum)
		}
	})
}

// A page keeps what is the same model one, and the last ones.
func TestModels(t *testing.T) {
	p := New("test", false)
	p.Serves(Model{RunID: "a", Since: time.Unix(1, 0)})
	p.Serves(Model{RunID: "a", Since: time.Unix(2, 0)})
	p.Serves(Model{RunID: "b", Since: time.Unix(3, 0)})
	if m := shown(t, p).Models; len(m) != 2 || m[0].RunID != "b" || m[1].Since.Unix() != 1 {
		t.Errorf("models %+v", m)
	}
}

// Whatever comes, a page stays small; one without payloads has none; none at all takes everything.
func TestBounded(t *testing.T) {
	p, counts := New("test", true), New("test", false)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for i := range 2000 {
				m := &observe.Measurement{Unknown: []observe.Count{{Name: fmt.Sprint("column", i), N: 1}}}
				for _, p := range []*Page{p, counts, nil} {
					p.Record(m, time.Now())
					p.Serves(Model{RunID: fmt.Sprint(i)})
					p.Predicts(Predicted{Prediction: []Field{{"a", "1"}}})
					p.Rejects(Rejected{Detail: strings.Repeat("x", 5000)})
					p.Fails(Failure{Text: strings.Repeat("x", 5000)}, true)
				}
			}
		})
	}
	workers.Wait()
	l := shown(t, p)
	if len(l.Models) != maxModels || len(l.Predicted) != MaxItems || len(l.Rejections) != MaxItems || len(l.Failures) != MaxItems || len(l.Unknown) != maxNames+1 {
		t.Errorf("%d, %d, %d, %d, %d", len(l.Models), len(l.Predicted), len(l.Rejections), len(l.Failures), len(l.Unknown))
	}
	if l.Unknown[0].Name != other || l.Totals.Failed != 8000 {
		t.Errorf("%v, %d failed", l.Unknown[0], l.Totals.Failed)
	}
	if document, err := p.document(time.Now()); err != nil || len(document) > 64<<10 {
		t.Errorf("%d bytes, %v", len(document), err)
	}
	if l := shown(t, counts); len(l.Predicted)+len(l.Rejections) > 0 || l.Payloads {
		t.Errorf("without payloads: %v, %v", l.Predicted, l.Rejections)
	}
}

func TestHandlers(t *testing.T) {
	mux := http.NewServeMux()
	for pattern, handler := range New("test", false).Handlers() {
		mux.HandleFunc(pattern, handler)
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	for path, want := range map[string]string{"/": "<!doctype html>", "/page.js": `fetch("live")`, "/page.css": "prefers-color-scheme", "/live": `"title":"test"`} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(body), want) || response.Header.Get("Content-Security-Policy") != policy {
			t.Errorf("%s: %v %s", path, response.Header, body)
		}
	}
}
