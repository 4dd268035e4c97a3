package observe

import (
	"context"
	"log/slog"
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

// log says so in one line.
func (s *Shadow) log(ctx context.Context, log *slog.Logger, runID string) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("run_id", runID), slog.String("shadow_run_id", s.RunID), slog.Int("records", s.Records), slog.Int("skipped", s.Skipped),
		slog.Float64("mean", s.Mean), slog.Float64("p99", s.P99), slog.Float64("largest", s.Largest),
		slog.Float64("beyond_share", s.beyondShare()), slog.Int("labels_changed", s.LabelsChanged),
	}
	if s.Error != "" {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("error", s.Error))
	}
	log.LogAttrs(ctx, level, "shadow", attrs...)
}

// beyondShare is the share of the numbers that differ by more than the threshold.
func (s *Shadow) beyondShare() float64 { return float64(s.Beyond) / float64(max(s.Numbers, 1)) }

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
		metric{"ShadowBeyondShare", "Percent", 100 * s.beyondShare()},
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
