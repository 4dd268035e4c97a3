package observe

import (
	"strconv"
)

// A Shadow is how the predictions of another model differ from those that were
// published, over the numbers of all records that both have scored.
type Shadow struct {
	RunID         string
	Records       int
	Mean          float64 // of the differences, each without its sign
	P99           float64
	Largest       float64
	Beyond        int // numbers that differ by more than the threshold
	Numbers       int
	LabelsChanged int
	Skipped       int    // records that it did not score: it was too slow, or failed
	Error         string // why, of the first
}

func (s *Shadow) metrics() []metric {
	if s == nil {
		return nil
	}
	all := []metric{{"ShadowRecords", "Count", float64(s.Records)}, {"ShadowSkipped", "Count", float64(s.Skipped)}}
	if s.Records == 0 {
		return all
	}
	return append(all,
		metric{"ShadowDifferenceMean", "None", s.Mean},
		metric{"ShadowDifferenceP99", "None", s.P99},
		metric{"ShadowDifferenceLargest", "None", s.Largest},
		metric{"ShadowBeyondShare", "Percent", 100 * float64(s.Beyond) / float64(max(s.Numbers, 1))},
		metric{"ShadowLabelsChanged", "Count", float64(s.LabelsChanged)},
	)
}

func appendShadow(line []byte, s *Shadow) []byte {
	if s == nil {
		return line
	}
	line = appendQuoted(append(line, `,"shadow_run_id":`...), s.RunID)
	if s.Error != "" {
		line = appendQuoted(append(line, `,"shadow_error":`...), s.Error)
	}
	return strconv.AppendInt(append(line, `,"shadow_numbers":`...), int64(s.Numbers), 10)
}
