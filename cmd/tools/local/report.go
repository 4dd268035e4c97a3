package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/skiff-ml/skiff/cmd/tools/internal/taxi"
	"github.com/skiff-ml/skiff/inference"
)

// shownRides is how many rides the table has, evenly spread.
const shownRides = 5

// outcome is what a run was given and what came of it.
type outcome struct {
	settings  settings
	manifest  manifest
	rides     []taxi.Ride
	records   [][]byte        // of the rides
	bad       map[int]badRide // those whose records were made bad
	reference []float64       // the pipeline's predictions, minutes; nil when it left none for this run

	published   *published
	letters     *deadLetters
	givenUp     map[string]bool // ride ids in the mapping's on-failure destination
	scored      int             // predictions in the worker's responses
	invocations int
	elapsed     time.Duration // from the mapping's start to its last answer
}

// result is the last line of stdout.
type result struct {
	RunID         string  `json:"run_id"`
	Produced      int     `json:"produced"`
	Scored        int     `json:"scored"`        // predictions in the worker's responses
	Published     int     `json:"published"`     // rides with a prediction in the stream
	DeadLettered  int     `json:"dead_lettered"` // rides in the dead-letter target, or in the mapping's on-failure destination
	Lost          int     `json:"lost"`          // rides in neither
	RecordsPerSec float64 `json:"records_per_s"`
	Compared      int     `json:"compared"` // rides with both predictions
	Equal         int     `json:"equal"`    // to the last bit
	Duplicates    int     `json:"duplicates"`
	Invocations   int     `json:"invocations"`
	Seconds       float64 `json:"seconds"`

	DeadLetters map[inference.Reason]int `json:"dead_letters,omitempty"` // rides in the dead-letter target, by reason
}

func (o *outcome) result() result {
	r := result{
		RunID: o.settings.runID, Produced: len(o.rides), Scored: o.scored, Invocations: o.invocations,
		Seconds: round(o.elapsed.Seconds(), 3), RecordsPerSec: round(float64(len(o.rides))/o.elapsed.Seconds(), 1),
	}
	r.Published, r.Duplicates = o.published.rides()
	r.DeadLetters = o.letters.reasons()
	for id := range o.rides {
		dead := len(o.letters.of[id]) > 0 || o.givenUp[strconv.Itoa(id)]
		if dead {
			r.DeadLettered++
		}
		if o.published.copies[id] == 0 {
			if !dead {
				r.Lost++
			}
			continue
		}
		if o.reference != nil {
			r.Compared++
			if o.published.equal(id, o.reference[id]) {
				r.Equal++
			}
		}
	}
	return r
}

// verdict is the error of a run that did not do what it has to.
func (o *outcome) verdict() error {
	r := o.result()
	var errs []error
	if r.Lost > 0 {
		errs = append(errs, fmt.Errorf("%d of %d rides are lost", r.Lost, r.Produced))
	}
	if r.Equal < r.Compared {
		errs = append(errs, fmt.Errorf("%d of %d predictions are not equal to the pipeline's", r.Compared-r.Equal, r.Compared))
	}
	if givenUp := len(o.givenUp); o.reference != nil && givenUp > 0 {
		errs = append(errs, fmt.Errorf("%d rides that the pipeline predicts were given up", givenUp))
	}
	if len(o.bad) > 0 {
		errs = append(errs, o.badVerdict(r)...)
	}
	if r.Published == 0 && len(o.bad) < len(o.rides) {
		errs = append(errs, errors.New("nothing was published"))
	}
	if o.published.wrong > 0 {
		errs = append(errs, fmt.Errorf("%d records are no predictions of this run, the first: %w", o.published.wrong, o.published.why))
	}
	return errors.Join(errs...)
}

// badVerdict is the errors of a run with bad rides, and without a fault anywhere else.
func (o *outcome) badVerdict(r result) []error {
	errs := o.letters.check(o.bad)
	published := 0
	for id := range o.bad {
		if o.published.copies[id] > 0 {
			published++
		}
	}
	if published > 0 {
		errs = append(errs, fmt.Errorf("%d bad rides were published", published))
	}
	if r.Duplicates > 0 {
		errs = append(errs, fmt.Errorf("%d predictions were published again", r.Duplicates))
	}
	return errs
}

// print writes some rides to look at, a summary, and the result.
func (o *outcome) print(w io.Writer) error {
	r := o.result()
	predicted := strings.TrimSpace("predicted " + o.manifest.unit)
	fmt.Fprintf(w, "%6s  %4s  %4s  %6s  %18s  %14s  %s\n", "ride", "from", "to", "miles", predicted, "actual minutes", "the pipeline's own")
	for i := range min(shownRides, len(o.rides)) {
		id := i * len(o.rides) / shownRides
		if len(o.rides) < shownRides {
			id = i
		}
		ride := o.rides[id]
		fmt.Fprintf(w, "%6d  %4d  %4d  %6.2f  %18s  %14.2f  %s\n", id, ride.From, ride.To, ride.Miles, o.predicted(id), ride.Minutes(), o.compared(id))
	}
	o.printReasons(w, r)
	if o.reference == nil {
		fmt.Fprintf(w, "%s has no predictions of run %s: nothing to compare with\n", shown(o.settings.predictions), r.RunID)
	} else {
		fmt.Fprintf(w, "%d of %d predictions equal to the pipeline's to the last bit\n", r.Equal, r.Compared)
	}
	fmt.Fprintf(w, "%d rides: %d published, %d duplicates, %d dead-lettered, %d lost; %.0f records/s in %d invocations of up to %d records\n",
		r.Produced, r.Published, r.Duplicates, r.DeadLettered, r.Lost, r.RecordsPerSec, r.Invocations, o.settings.mapping.BatchSize)
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", line)
	return err
}

// printReasons writes what became of the bad rides.
func (o *outcome) printReasons(w io.Writer, r result) {
	if len(o.bad) == 0 {
		return
	}
	fmt.Fprintln(w, "dead letters   rides  such as")
	for _, reason := range inference.Reasons() {
		if (reason == inference.UnknownCategory || reason == inference.Unreadable) && r.DeadLetters[reason] == 0 {
			continue // most models take any, and read nothing out of text
		}
		says := o.letters.example(reason)
		if reason == inference.NotBase64 {
			says = "(no record of a stream can be: Kinesis encodes them)"
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-13s  %5d  %s", reason, r.DeadLetters[reason], says), " "))
	}
}

// predicted is a ride's prediction in full.
func (o *outcome) predicted(id int) string {
	if o.published.copies[id] == 0 {
		return "-"
	}
	return strconv.FormatFloat(o.published.minutes[id], 'g', -1, 64)
}

// compared says how a ride's prediction stands to the pipeline's.
func (o *outcome) compared(id int) string {
	switch {
	case o.reference == nil:
		return "-"
	case o.published.equal(id, o.reference[id]):
		return "equal"
	default:
		return strconv.FormatFloat(o.reference[id], 'g', -1, 64)
	}
}

// round rounds to decimal places; what is no finite number becomes 0.
func round(x float64, places int) float64 {
	p := math.Pow10(places)
	if r := math.Round(x*p) / p; !math.IsInf(r, 0) && !math.IsNaN(r) {
		return r
	}
	return 0
}
