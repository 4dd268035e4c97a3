package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/limits"
)

// An account says what became of the records of a soak. It is the last line of stdout.
type account struct {
	Seed         uint64                   `json:"seed"`
	Records      int                      `json:"records"`
	Predicted    int                      `json:"predicted"`     // good ones, with the bits that the original pipeline has
	DeadLettered int                      `json:"dead_lettered"` // bad ones, with their reason and their bytes
	Lost         int                      `json:"lost"`          // answered for, and nowhere
	Wrong        int                      `json:"wrong"`         // otherwise than they should be
	Stuck        int                      `json:"stuck"`         // not answered for
	Repeats      int                      `json:"repeats"`       // predictions and dead letters that are there once more
	Unexplained  int                      `json:"unexplained"`   // repeats that no fault explains
	Kills        int                      `json:"kills"`
	Faults       map[string]int           `json:"faults"`      // calls with one, by kind
	Calls        map[string]int           `json:"fault_calls"` // the same, by operation
	Late         int                      `json:"late"`        // calls answered too late with no fault: the machine is busy
	FailedStarts int                      `json:"failed_starts"`
	Swaps        int                      `json:"swaps"`
	Splits       int                      `json:"splits"` // of the shards that the records come by
	Merges       int                      `json:"merges"`
	SlowDisks    int                      `json:"slow_disks"` // files of bundles that a worker waited for
	Early        int                      `json:"early"`      // shards of which a record came before all of their parents'
	Runs         map[string]int           `json:"runs"`       // predictions, by the run that made them
	DeadLetters  map[inference.Reason]int `json:"dead_letters"`
	Invocations  int                      `json:"invocations"`
	Discarded    int                      `json:"discarded"` // given up by the mapping
	Seconds      float64                  `json:"seconds"`
	PerSecond    float64                  `json:"records_per_s"`

	problems []string // one a line, some of those that there are
	stopped  error
}

// shownProblems is how many problems are told.
const shownProblems = 5

// A trace is what there is of a record.
type trace struct {
	copies  int // predictions
	letters int
	wrong   string // what is, if anything
}

// account reads all that came out, and compares it with what went in.
func (k *soaked) account(ctx context.Context, st *stack) (*account, error) {
	a := &account{
		Seed: k.settings.seed, Records: len(k.records), Kills: k.workers.kills, FailedStarts: k.workers.failedStarts, Swaps: k.workers.swaps,
		Faults: map[string]int{}, Calls: map[string]int{}, Runs: map[string]int{}, DeadLetters: map[inference.Reason]int{},
		Invocations: k.progress.Invocations, Discarded: k.progress.Discarded, stopped: k.stopped,
		PerSecond: round(float64(k.progress.Delivered)/k.elapsed.Seconds(), 0),
	}
	for _, at := range k.fire.attempts {
		switch {
		case at.killed:
		case at.late > 0:
			a.Late += at.late
		case at.outOfTime && len(at.faults) == 0:
			a.Late++
		}
	}
	for operation, kinds := range k.fire.faults {
		for name, n := range kinds {
			a.Faults[name] += n
			a.Calls[operation] += n
		}
	}
	shards, err := mapping.NewSource(st.rides, localstate.RidesStream).Shards(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the shards of %s: %w", localstate.RidesStream, err)
	}
	order := make([]string, len(k.fire.attempts))
	for i, at := range k.fire.attempts {
		order[i] = at.shard
	}
	a.Splits, a.Merges, a.Early = k.reshards.splits, k.reshards.merges, early(shards, order)
	a.SlowDisks = k.workers.disks.count()
	traces := make([]trace, len(k.records))
	if err := k.readPredictions(ctx, mapping.NewSource(st.ministack.Kinesis, localstate.PredictionsStream), a, traces); err != nil {
		return nil, err
	}
	objects := map[string][]int32{}
	err = st.ministack.Objects(ctx, localstate.DeadLetterBucket, localstate.DeadLetterPrefix, func(key string, data []byte) error {
		for line := range bytes.Lines(data) {
			if id := k.readLetter(line, a, traces); id >= 0 {
				objects[key] = append(objects[key], id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	k.judge(a, traces)
	k.explain(a, traces, objects)
	return a, nil
}

// readPredictions reads every shard of the predictions stream to its end.
func (k *soaked) readPredictions(ctx context.Context, source *mapping.Source, a *account, traces []trace) error {
	shards, err := source.Shards(ctx)
	if err != nil {
		return fmt.Errorf("listing the shards of %s: %w", localstate.PredictionsStream, err)
	}
	for _, shard := range shards {
		for after := ""; ; {
			records, ended, err := source.Read(ctx, shard.ID, after, limits.GetRecords)
			if err != nil {
				return fmt.Errorf("reading %s of %s: %w", shard.ID, localstate.PredictionsStream, err)
			}
			for i := range records {
				k.readPrediction(&records[i], a, traces)
				after = records[i].SequenceNumber
			}
			if ended || len(records) == 0 {
				break
			}
		}
	}
	return nil
}

// readPrediction takes a record of the predictions stream.
func (k *soaked) readPrediction(r *mapping.Record, a *account, traces []trace) {
	var out struct {
		Version    string `json:"version"`
		Prediction struct {
			Minutes json.Number `json:"ride_duration"`
			ID      int         `json:"ride_id"`
		} `json:"prediction"`
	}
	err := json.Unmarshal(r.Data, &out)
	reference := k.references[out.Version]
	if err != nil || out.Prediction.ID < 0 || out.Prediction.ID >= len(traces) || r.PartitionKey != strconv.Itoa(out.Prediction.ID) || reference == nil {
		a.problem(-1, "a prediction is of no record, or of no run: %.300s", r.Data)
		return
	}
	a.Runs[out.Version]++
	t := &traces[out.Prediction.ID]
	t.copies++
	minutes, err := out.Prediction.Minutes.Float64()
	if want := reference[out.Prediction.ID%len(reference)]; err != nil || math.Float64bits(minutes) != math.Float64bits(want) {
		t.wrong = fmt.Sprintf("run %s predicts %s, and the original %v", out.Version, out.Prediction.Minutes, want)
	}
}

// readLetter takes a dead letter, and returns whose it is, or -1.
func (k *soaked) readLetter(line []byte, a *account, traces []trace) int32 {
	var letter inference.DeadLetter
	err := json.Unmarshal(line, &letter)
	id := parseID(letter.PartitionKey)
	if err != nil || id < 0 || int(id) >= len(traces) {
		a.problem(-1, "a dead letter is of no record: %.300s", line)
		return -1
	}
	t := &traces[id]
	ride, ok := k.bad[int(id)]
	want := ride.record
	if ride.way.reason == inference.NotBase64 {
		want = []byte(notBase64Text)
	}
	switch {
	case !ok:
		t.wrong = "it is good, and dead-lettered as " + string(letter.Reason)
	case letter.Reason != ride.way.reason:
		t.wrong = fmt.Sprintf("%s is dead-lettered as %s and not %s", ride.way.name, letter.Reason, ride.way.reason)
	case !bytes.Equal(letter.Data, want):
		t.wrong = ride.way.name + " is dead-lettered with other bytes"
	}
	if t.letters++; t.letters == 1 {
		a.DeadLetters[letter.Reason]++
	}
	return id
}

// judge counts the records by what became of them.
func (k *soaked) judge(a *account, traces []trace) {
	a.Stuck = len(k.records) - k.progress.Delivered - k.progress.Discarded
	unanswered := 0
	for id := range traces {
		t := &traces[id]
		_, bad := k.bad[id]
		switch {
		case t.wrong != "":
		case bad && t.copies > 0:
			t.wrong = k.bad[id].way.name + " has a prediction"
		case t.copies == 0 && t.letters == 0 && unanswered < a.Stuck:
			unanswered++ // at most as many as are stuck: one more is lost
			continue
		case t.copies == 0 && t.letters == 0:
			a.Lost++
			a.problem(id, "it is lost")
			a.history(k, id)
			continue
		case bad:
			a.DeadLettered++
			continue
		default:
			a.Predicted++
			continue
		}
		a.Wrong++
		a.problem(id, "%s", t.wrong)
		a.history(k, id)
	}
}

// explain counts what is there more than once, and what of it no fault explains: a record that was taken may come again where the answer to that
// was lost, or where its invocation did not end well for a fault. objects are the records of the letters in each object.
func (k *soaked) explain(a *account, traces []trace, objects map[string][]int32) {
	before := make([]*call, len(traces)) // of predictions that were taken
	beforeLetters := map[int32]*call{}
	written := map[string]bool{}
	taken := make([]int, len(traces))
	for _, c := range k.fire.calls {
		for _, id := range c.ids {
			if id < 0 || int(id) >= len(traces) {
				continue
			}
			taken[id]++
			if last := before[id]; last != nil {
				a.repeat(k, int(id), last, c)
			}
			before[id] = c
		}
		if c.object == "" || written[c.object] {
			continue // an object again is the same
		}
		written[c.object] = true
		for _, id := range objects[c.object] {
			if last := beforeLetters[id]; last != nil {
				a.repeat(k, int(id), last, c)
			}
			beforeLetters[id] = c
		}
	}
	for id := range traces {
		if traces[id].copies != taken[id] {
			a.Unexplained++
			a.problem(id, "%d predictions of it are there, and %d were taken", traces[id].copies, taken[id])
		}
	}
}

// repeat counts what was taken by a call and once more by another one.
func (a *account) repeat(k *soaked, id int, first, again *call) {
	a.Repeats++
	if first.attempt != nil && again.attempt != nil && again.attempt.number < first.attempt.number {
		first, again = again, first // what a process had sent that is gone arrived after another's
	}
	lost := first.late || first.kind != nil && first.kind.lost
	faulted := first.attempt != nil && first.attempt != again.attempt &&
		(first.attempt.killed || first.attempt.outOfTime || first.attempt.late > 0 || len(first.attempt.faults) > 0)
	if lost || faulted {
		return
	}
	a.Unexplained++
	a.problem(id, "it is there again, with no fault before")
	a.history(k, id)
}

// problem keeps a problem to tell.
func (a *account) problem(id int, format string, args ...any) {
	if len(a.problems) >= shownProblems {
		return
	}
	text := fmt.Sprintf(format, args...)
	if id >= 0 {
		text = fmt.Sprintf("record %d: %s", id, text)
	} else {
		a.Wrong++
	}
	a.problems = append(a.problems, text)
}

// history adds to the last problem what happened to its record: no more than that.
func (a *account) history(k *soaked, id int) {
	if len(a.problems) > shownProblems || len(a.problems) == 0 {
		return
	}
	var lines strings.Builder
	for _, at := range k.fire.attempts {
		if !slices.Contains(at.ids, int32(id)) { //nolint:gosec // an index of records
			continue
		}
		fmt.Fprintf(&lines, "\n  invocation %d, run %s, %d records", at.number, at.run, len(at.ids))
		for _, fault := range at.faults {
			fmt.Fprintf(&lines, ", %s", fault)
		}
		if at.late > 0 {
			fmt.Fprintf(&lines, ", %d calls answered too late by themselves", at.late)
		}
		if at.outOfTime {
			lines.WriteString(", out of time")
		}
		if at.killed {
			lines.WriteString(", killed")
		}
		if at.outcome != "" {
			fmt.Fprintf(&lines, "; %.300s", at.outcome)
		}
		for _, c := range k.fire.calls {
			if c.attempt == at && slices.Contains(c.ids, int32(id)) { //nolint:gosec // an index of records
				lines.WriteString("; taken")
			}
		}
	}
	a.problems[len(a.problems)-1] += lines.String()
}

// verdict is the error of a soak in which anything went wrong.
func (a *account) verdict() error {
	var errs []error
	for _, c := range []struct {
		n    int
		what string
	}{
		{a.Lost, "lost"}, {a.Wrong, "wrong"}, {a.Stuck, "stuck"}, {a.Unexplained, "there again for no fault"}, {a.Discarded, "given up by the mapping"},
	} {
		if c.n > 0 {
			errs = append(errs, fmt.Errorf("%d of %d records are %s", c.n, a.Records, c.what))
		}
	}
	if a.stopped != nil {
		errs = append(errs, a.stopped)
	}
	for _, kind := range slices.Sorted(maps.Keys(a.Faults)) {
		if a.Faults[kind] == 0 {
			errs = append(errs, fmt.Errorf("no call was %s: more records have more", kind))
		}
	}
	if a.Kills == 0 || a.Swaps == 0 || a.Splits == 0 || a.Merges == 0 {
		errs = append(errs, errors.New("nothing was killed, swapped, split or merged: more records have more"))
	}
	if a.SlowDisks == 0 {
		errs = append(errs, errors.New("no disk was slow: it takes Linux, which has leases on files"))
	}
	if a.Early > 0 {
		errs = append(errs, fmt.Errorf("%d shards were read before their parents' end", a.Early))
	}
	for _, p := range a.problems {
		errs = append(errs, errors.New(p))
	}
	return errors.Join(errs...)
}

// print writes a summary and the account.
func (a *account) print(w io.Writer) error {
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(a.Faults)) {
		fmt.Fprintf(w, "%-20s %6d calls\n", kind, a.Faults[kind])
		total += a.Faults[kind]
	}
	fmt.Fprintf(w, "%-20s %6d\n%-20s %6d\n%-20s %6d\n", "kills", a.Kills, "splits and merges", a.Splits+a.Merges, "slow disks", a.SlowDisks)
	fmt.Fprintf(w, "%d records: %d predicted, %d dead-lettered, %d lost, %d wrong, %d stuck; %d repeats, %d of them for no fault; %d faults in %d invocations\n",
		a.Records, a.Predicted, a.DeadLettered, a.Lost, a.Wrong, a.Stuck, a.Repeats, a.Unexplained, total, a.Invocations)
	line, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", line)
	return err
}
