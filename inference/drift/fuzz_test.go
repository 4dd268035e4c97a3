package drift_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/skiff-ml/skiff/inference/bundle"
	"github.com/skiff-ml/skiff/inference/drift"
)

// A log is anybody's: whatever it has, what is taken is compared with the sketch,
// and can be told as JSON.
func FuzzRead(f *testing.F) {
	m, s := model()
	c := drift.NewCounter(m, s)
	c.Add(some(rand.New(rand.NewPCG(1, 1)), 10, true))
	hours, err := c.Take(true)
	if err != nil {
		f.Fatal(err)
	}
	line, err := json.Marshal(map[string]any{"msg": "drift", "drift": hours[0]})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(append(line, '\n'), line...))
	f.Add([]byte(`x {"drift":{"version":1,"sketch":"sha","columns":[{"counts":[-1,0,0,0]}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		drift.IsLog(text)
		log, err := drift.Read(bytes.NewReader(text), s, "sha")
		if err != nil || log.Counts == nil {
			return
		}
		if _, err := json.Marshal(drift.Compare(m, s, log.Counts)); err != nil {
			t.Error(err)
		}
	})
}

// A sketch is of a bundle that anybody may have written: one that is taken is
// counted by without a fault.
func FuzzSketch(f *testing.F) {
	m, _ := model()
	f.Add([]byte(`{"version":1,"records":3,"rejected":0,"columns":[{"column":0,"name":"zone","bins":[1,2,1],"counts":[0,1,2],"missing":0,"null":0,"unknown":0},` +
		`{"column":1,"name":"miles","edges":[1,2],"counts":[1,1,1,0],"missing":0,"null":0,"unknown":0}],"outputs":[{"name":"minutes","edges":[1],"counts":[1,2,0]},{"name":"late","counts":[1,2]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := bundle.ParseSketch(raw, m)
		if err != nil {
			return
		}
		c := drift.NewCounter(m, s)
		c.Add(some(rand.New(rand.NewPCG(1, 1)), 10, true))
		hours, err := c.Take(true)
		if err != nil {
			t.Fatal(err)
		}
		drift.Compare(m, s, hours[0])
	})
}
