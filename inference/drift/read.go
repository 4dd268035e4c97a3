package drift

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skiff-ml/skiff/inference/bundle"
)

// Key is what counts are called in a line of the worker's log.
const Key = "drift"

// A Log is the sum of the counts in a log.
type Log struct {
	Counts *Counts   // nil: there are none
	Lines  int       // with counts of the sketch
	Others int       // with counts of other runs or other sketches
	Last   time.Time // the start of the last hour
	Hours  int

	seen map[time.Time]bool
}

// ErrLine is that a line of a log has counts that are not those of the sketch.
var ErrLine = errors.New("has counts in other bins")

// Read adds up what a log has of a sketch's counts, by its SHA-256. Lines are JSON
// objects, as the worker writes them, with whatever is before the first brace; all
// others are passed over.
func Read(r io.Reader, s *bundle.Sketch, sha256 string) (*Log, error) {
	out := &Log{seen: map[time.Time]bool{}}
	lines := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if c := countsOf(line); c != nil {
			switch {
			case c.Sketch != sha256 || c.Version != Version:
				out.Others++
			case !c.fits(s):
				return nil, fmt.Errorf("line %d %w", n, ErrLine)
			default:
				out.add(c)
			}
		}
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (l *Log) add(c *Counts) {
	l.Lines++
	l.seen[c.Hour] = true
	l.Hours = len(l.seen)
	if c.Hour.After(l.Last) {
		l.Last = c.Hour
	}
	if l.Counts == nil {
		l.Counts = c
		return
	}
	l.Counts.Add(c)
}

// countsOf returns the counts in a line; nil where there are none.
func countsOf(line []byte) *Counts {
	at := bytes.IndexByte(line, '{')
	if at < 0 || !bytes.Contains(line, []byte(`"`+Key+`"`)) {
		return nil
	}
	var v struct {
		Drift *Counts `json:"drift"`
	}
	if json.Unmarshal(line[at:], &v) != nil || v.Drift == nil || v.Drift.Version == 0 {
		return nil
	}
	return v.Drift
}

// IsLog reports whether the beginning of a file is a log's and not records:
// the first line has a time or a level, or counts.
func IsLog(line []byte) bool {
	if countsOf(line) != nil {
		return true
	}
	var v struct {
		Level   *string `json:"level"`
		Msg     *string `json:"msg"`
		Message *string `json:"message"`
	}
	at := bytes.IndexByte(line, '{')
	return at >= 0 && json.Unmarshal(line[at:], &v) == nil && v.Level != nil && (v.Msg != nil || v.Message != nil)
}
