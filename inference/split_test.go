package inference

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A runModel predicts "run:data" for each item, and rejects those that say so.
type runModel struct {
	run string
	err error
}

func (m runModel) Predict(b *Batch) error {
	b.RunID = m.run
	if m.err != nil {
		return m.err
	}
	for i := range b.Items {
		if b.Outcomes[i].Fate != Open {
			continue
		}
		data := string(b.Items[i].Data)
		if strings.HasPrefix(data, "bad") {
			b.Reject(i, &Rejection{Reason: NotJSON})
			continue
		}
		b.Items[i].ID = b.Items[i].Data
		b.Messages = append(b.Messages, Message{Key: string(b.Items[i].Key), Data: []byte(m.run + ":" + data)})
		b.Sent = append(b.Sent, i)
		b.Predicted.Items = append(b.Predicted.Items, i)
		b.Unknown++
	}
	b.Columns = append(b.Columns, Column{Name: "c", Unknown: len(b.Sent)})
	b.Timing.Score = 1
	return nil
}

// splitBatch is a batch of n items with keys of their own, each fifth of them bad
// and the last not open.
func splitBatch(b *Batch, n int) {
	b.Reset(n)
	for i := range n {
		b.Items[i].Key = fmt.Append(nil, "key", i)
		if b.Items[i].Data = fmt.Append(nil, i); i%5 == 4 {
			b.Items[i].Data = fmt.Append(nil, "bad", i)
		}
	}
	b.Reject(n-1, &Rejection{Reason: NotBase64})
}

// Each key is one model's, and the batch comes out in the order of its items as
// if there were no other: messages, outcomes, ids, and whose they are.
func TestSplit(t *testing.T) {
	s := &Split{Main: runModel{run: "main"}, Canary: runModel{run: "canary"}, Percent: 30}
	var b Batch
	for _, n := range []int{1000, 3, 500} {
		splitBatch(&b, n)
		if err := s.Predict(&b); err != nil {
			t.Fatal(err)
		}
		good, canaries := 0, 0
		for i := range n - 1 {
			run := "main"
			if s.Takes(b.Items[i].Key) {
				run = "canary"
			}
			if b.Run(i) != run {
				t.Fatalf("item %d is of run %s, want %s", i, b.Run(i), run)
			}
			if i%5 == 4 {
				if b.Outcomes[i].Fate != Rejected || b.Outcomes[i].Rejection.Reason != NotJSON {
					t.Errorf("item %d: %+v", i, b.Outcomes[i])
				}
				continue
			}
			if want := fmt.Sprint(run, ":", i); b.Sent[good] != i || string(b.Messages[good].Data) != want || string(b.Items[i].ID) != fmt.Sprint(i) {
				t.Fatalf("message %d is %s of item %d, want %s", good, b.Messages[good].Data, b.Sent[good], want)
			}
			good++
			if run == "canary" {
				canaries++
			}
		}
		if len(b.Messages) != good || len(b.Sent) != good || b.Unknown != good || b.Canary != canaries || b.RunID != "main" || b.Timing.Score < 1 ||
			len(b.Columns) != 1 || b.Columns[0].Unknown != good || b.Outcomes[n-1].Rejection.Reason != NotBase64 {
			t.Errorf("%d items: %d messages, want %d; %+v", n, len(b.Messages), good, b.Timing)
		}
		for at, item := range b.Predicted.Items {
			if b.Run(item) != "main" || at > 0 && b.Predicted.Items[at-1] >= item {
				t.Errorf("item %d is kept for comparison", item)
			}
		}
	}
	if letters, _ := (&b).deadLetters(1<<20, ""); !strings.Contains(string(letters[0].Data), `"run_id":"`+b.Run(4)+`"`) {
		t.Errorf("a dead letter says %s", letters[0].Data)
	}
}

// The share is that of the keys; a key stays where it is while the share grows,
// and everywhere.
func TestSplitOfKeys(t *testing.T) {
	const keys = 100_000
	for _, form := range []string{"%d", "ride-%08d", "%x"} {
		taken := map[float64]int{}
		for i := range keys {
			key := fmt.Appendf(nil, form, i)
			before := false
			for _, percent := range []float64{0, 0.5, 5, 50, 100} {
				takes := (&Split{Percent: percent}).Takes(key)
				if takes {
					taken[percent]++
				} else if before {
					t.Fatalf("%s leaves the canary when its share grows", key)
				}
				before = takes
			}
		}
		for percent, n := range taken {
			if share := 100 * float64(n) / keys; share < percent*0.9-0.05 || share > percent*1.1+0.05 {
				t.Errorf("%g %% of the keys are asked for, and %g %% are taken", percent, share)
			}
		}
		if taken[0] != 0 || taken[100] != keys {
			t.Errorf("none and all are %d and %d", taken[0], taken[100])
		}
	}
	var which []string
	for _, key := range []string{"1", "2", "3", "156", "ride-1", "Zürich", ""} {
		which = append(which, fmt.Sprint((&Split{Percent: 50}).Takes([]byte(key))))
	}
	if got := strings.Join(which, " "); got != "false true true true true false false" { // as docs/operate.md has the hash
		t.Errorf("got %s", got)
	}
}

// A canary that cannot run leaves its keys to the main model.
func TestSplitWithoutItsCanary(t *testing.T) {
	s := &Split{Main: runModel{run: "main"}, Canary: runModel{run: "canary", err: errors.New("broken")}, Percent: 50}
	var b Batch
	splitBatch(&b, 20)
	if err := s.Predict(&b); err != nil || len(b.Messages) != 16 || b.Canary != 0 {
		t.Errorf("%d messages, %d the canary's, %v", len(b.Messages), b.Canary, err)
	}
	for i, m := range b.Messages {
		if string(m.Data) != fmt.Sprint("main:", b.Sent[i]) {
			t.Errorf("got %s of item %d", m.Data, b.Sent[i])
		}
	}
	s.Main = runModel{run: "main", err: errors.New("broken too")}
	splitBatch(&b, 20)
	if err := s.Predict(&b); err == nil || b.RunID != "main" {
		t.Errorf("error %v of run %s", err, b.RunID)
	}
}
