package observe

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/skiff-ml/skiff/inference"
)

// Parse reads what [EMF] has written: the numbers of an invocation, and when it
// was. It returns nil for any other line. What a line does not say is as it is
// where it is not known: Failed, and all of the shadow's.
func Parse(line []byte) (*Measurement, time.Time) {
	if !bytes.HasPrefix(line, []byte(`{"_aws":`)) {
		return nil, time.Time{}
	}
	var head struct {
		AWS struct{ Timestamp int64 } `json:"_aws"`
		Run string                    `json:"run_id"`
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(line, &head) != nil || json.Unmarshal(line, &all) != nil {
		return nil, time.Time{}
	}
	value := func(name string, missing float64) float64 {
		v := missing
		if json.Unmarshal(all[name], &v) != nil {
			return missing
		}
		return v
	}
	n := func(name string) int { return int(value(name, 0)) }
	micro := func(name string) time.Duration { return time.Duration(value(name, 0) * float64(time.Microsecond)) }
	_, alias := all["ModelBehind"]
	m := &Measurement{
		RunID: head.Run, Records: n("Records"), Predictions: n("Predictions"), Rejected: n("Rejected"), Canary: n("CanaryPredictions"),
		Unsent: n("Unsent"), Retries: n("Retries"), Alias: alias, Behind: n("ModelBehind") > 0,
		Timing: inference.Timing{
			Decode: micro("DecodeTime"), Encode: micro("EncodeTime"), Score: micro("ScoreTime"),
			Respond: micro("RespondTime"), Publish: micro("PublishTime"),
		},
		ModelAge:    time.Duration(value("ModelAge", -1) * float64(time.Second)),
		IteratorAge: time.Duration(value("IteratorAge", -1) * float64(time.Millisecond)),
	}
	for name := range all {
		kind, of, ok := strings.Cut(name, ".")
		if !ok {
			continue
		}
		switch kind {
		case "DeadLetters":
			m.DeadLetters = add(m.DeadLetters, of, n(name))
		case "UnknownCategories":
			m.Unknown = add(m.Unknown, of, n(name))
		case "MissingValues":
			m.Missing = add(m.Missing, of, n(name))
		}
	}
	for _, counts := range [][]Count{m.DeadLetters, m.Unknown, m.Missing} {
		slices.SortFunc(counts, func(a, b Count) int { return strings.Compare(a.Name, b.Name) })
	}
	return m, time.UnixMilli(head.AWS.Timestamp)
}
