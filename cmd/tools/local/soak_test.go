package main

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/inference"
)

// The seed says which calls fail and how, in whatever order they are asked for; and every kind comes.
func TestPlan(t *testing.T) {
	const calls, every = 300, 3
	for _, operation := range []string{putRecords, putObject, getObject} {
		forward, backward, other := newPlan(7, operation, every, time.Second), newPlan(7, operation, every, time.Second), newPlan(8, operation, every, time.Second)
		name := func(p *plan, n int) string {
			if k := p.of(n); k != nil {
				return k.name
			}
			return ""
		}
		names := make([]string, calls)
		for n := calls; n > 0; n-- {
			names[n-1] = name(backward, n)
		}
		counts, same := map[string]int{}, true
		for n := 1; n <= calls; n++ {
			got := name(forward, n)
			counts[got]++
			if got != names[n-1] {
				t.Errorf("%s call %d: %s and %s", operation, n, got, names[n-1])
			}
			same = same && got == name(other, n)
		}
		if len(counts) != len(forward.kinds)+1 || same {
			t.Errorf("%s: %v; another seed is the same: %v", operation, counts, same)
		}
	}
}

func TestSpoilBase64(t *testing.T) {
	event := `{"data":"` + base64.StdEncoding.EncodeToString([]byte(notBase64Record)) + `"},{"data":"YQ=="}`
	if got := string(spoilBase64([]byte(event))); got != `{"data":"`+notBase64Text+`"},{"data":"YQ=="}` {
		t.Error(got)
	}
}

// Whatever is not as it should be is counted, and told with what happened.
func TestAccount(t *testing.T) {
	const badID, run = 2, "run"
	bad := way{name: "null", reason: inference.WrongType}
	lostAnswer := &faultKind{name: "truncated", lost: true}
	throttled := &faultKind{name: "throttled"}
	prediction := func(id int, minutes string) mapping.Record {
		return mapping.Record{PartitionKey: fmt.Sprint(id), Data: fmt.Appendf(nil, `{"version":"run","prediction":{"ride_duration":%s,"ride_id":%d}}`, minutes, id)}
	}
	letter := func(id int, reason, data string) string {
		return fmt.Sprintf(`{"reason":"%s","partition_key":"%d","data":"%s"}`, reason, id, base64.StdEncoding.EncodeToString([]byte(data)))
	}
	first, second := &attempt{number: 1, ids: []int32{0, 1, 2}}, &attempt{number: 2, ids: []int32{0, 1, 2}}
	killed := &attempt{number: 1, ids: []int32{0, 1, 2}, killed: true}
	slow := &attempt{number: 1, ids: []int32{0, 1, 2}, outOfTime: true}
	for _, tt := range []struct {
		name        string
		predictions []mapping.Record
		letters     []string // an object each
		calls       []*call
		delivered   int
		want        account // only the counts
		tells       string
	}{
		{name: "all is well", want: account{Predicted: 2, DeadLettered: 1}},
		{
			name: "one is lost", predictions: []mapping.Record{prediction(0, "1.5")}, calls: []*call{{attempt: first, ids: []int32{0}}},
			want: account{Predicted: 1, DeadLettered: 1, Lost: 1}, tells: "record 1: it is lost\n  invocation 1",
		},
		{
			name: "one is stuck", predictions: []mapping.Record{prediction(0, "1.5")}, calls: []*call{{attempt: first, ids: []int32{0}}}, delivered: 2,
			want: account{Predicted: 1, DeadLettered: 1, Stuck: 1},
		},
		{
			name: "a bit is wrong", predictions: []mapping.Record{prediction(0, "1.5"), prediction(1, "2.5000000000000004")},
			want: account{Predicted: 1, DeadLettered: 1, Wrong: 1}, tells: "record 1: run run predicts 2.5000000000000004, and the original 2.5",
		},
		{
			name: "a bad one is predicted", predictions: []mapping.Record{prediction(0, "1.5"), prediction(1, "2.5"), prediction(2, "1.5")},
			calls: []*call{{attempt: first, ids: []int32{0, 1, 2}}},
			want:  account{Predicted: 2, Wrong: 1}, tells: "record 2: null has a prediction",
		},
		{
			name: "another reason", letters: []string{letter(badID, "not_json", "null")},
			want: account{Predicted: 2, Wrong: 1}, tells: "null is dead-lettered as not_json and not wrong_type",
		},
		{
			name: "other bytes", letters: []string{letter(badID, "wrong_type", "nil")},
			want: account{Predicted: 2, Wrong: 1}, tells: "other bytes",
		},
		{
			name: "a good one is dead-lettered", letters: []string{letter(badID, "wrong_type", "null"), letter(1, "not_json", "{}")},
			want: account{Predicted: 1, DeadLettered: 1, Wrong: 1}, tells: "it is good",
		},
		{
			name: "again for a lost answer", predictions: []mapping.Record{prediction(0, "1.5"), prediction(1, "2.5"), prediction(1, "2.5")},
			calls: []*call{{attempt: first, ids: []int32{0, 1}, kind: lostAnswer}, {attempt: first, ids: []int32{1}}},
			want:  account{Predicted: 2, DeadLettered: 1, Repeats: 1},
		},
		{
			name: "again for a kill", predictions: []mapping.Record{prediction(0, "1.5"), prediction(1, "2.5"), prediction(1, "2.5")},
			calls: []*call{{attempt: killed, ids: []int32{0, 1}}, {attempt: second, ids: []int32{1}}},
			want:  account{Predicted: 2, DeadLettered: 1, Repeats: 1},
		},
		{
			name: "again for a kill, whose request arrived last", predictions: []mapping.Record{prediction(0, "1.5"), prediction(1, "2.5"), prediction(1, "2.5")},
			calls: []*call{{attempt: second, ids: []int32{0, 1}}, {attempt: killed, ids: []int32{1}}},
			want:  account{Predicted: 2, DeadLettered: 1, Repeats: 1},
		},
		{
			name: "again since there was no time left", predictions: []mapping.Record{prediction(0, "1.5"), prediction(1, "2.5"), prediction(1, "2.5")},
			calls: []*call{{attempt: slow, ids: []int32{0, 1}}, {attempt: second, ids: []int32{1}}},
			want:  account{Predicted: 2, DeadLettered: 1, Repeats: 1},
		},
		{
			name: "again by another invocation, for nothing", predictions: []mapping.Record{prediction(0, "1.5"), prediction(1, "2.5"), prediction(1, "2.5")},
			calls: []*call{{attempt: first, ids: []int32{0, 1}}, {attempt: second, ids: []int32{1}}},
			want:  account{Predicted: 2, DeadLettered: 1, Repeats: 1, Unexplained: 1}, tells: "record 1: it is there again",
		},
		{
			name: "again for nothing", predictions: []mapping.Record{prediction(0, "1.5"), prediction(1, "2.5"), prediction(1, "2.5")},
			calls: []*call{{attempt: first, ids: []int32{0, 1}, kind: throttled}, {attempt: first, ids: []int32{1}}},
			want:  account{Predicted: 2, DeadLettered: 1, Repeats: 1, Unexplained: 1}, tells: "record 1: it is there again, with no fault before\n  invocation 1",
		},
		{
			name: "a letter again for nothing", letters: []string{letter(badID, "wrong_type", "null"), letter(badID, "wrong_type", "null")},
			want: account{Predicted: 2, DeadLettered: 1, Repeats: 1, Unexplained: 1}, tells: "record 2: it is there again",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.predictions == nil {
				tt.predictions = []mapping.Record{prediction(0, "1.5"), prediction(1, "2.5")}
			}
			if tt.calls == nil {
				tt.calls = []*call{{attempt: first, ids: []int32{0, 1}}}
			}
			if tt.letters == nil {
				tt.letters = []string{letter(badID, "wrong_type", "null")}
			}
			k := &soaked{
				references: map[string][]float64{run: {1.5, 2.5, 1.5}}, records: make([][]byte, 3),
				bad: map[int]badRide{badID: {bad, []byte("null")}}, fire: &fire{attempts: []*attempt{first}, calls: tt.calls},
			}
			if k.progress.Delivered = tt.delivered; tt.delivered == 0 {
				k.progress.Delivered = 3
			}
			a := &account{Runs: map[string]int{}, DeadLetters: map[inference.Reason]int{}}
			traces, objects := make([]trace, 3), map[string][]int32{}
			for i := range tt.predictions {
				k.readPrediction(&tt.predictions[i], a, traces)
			}
			for i, l := range tt.letters {
				name := fmt.Sprint("object ", i)
				objects[name] = append(objects[name], k.readLetter([]byte(l), a, traces))
				k.fire.calls = append(k.fire.calls, &call{attempt: first, object: name})
			}
			k.judge(a, traces)
			k.explain(a, traces, objects)
			got := account{
				Predicted: a.Predicted, DeadLettered: a.DeadLettered, Lost: a.Lost, Wrong: a.Wrong, Stuck: a.Stuck,
				Repeats: a.Repeats, Unexplained: a.Unexplained,
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("%+v\nwant %+v", got, tt.want)
			}
			if !strings.Contains(strings.Join(a.problems, "\n"), tt.tells) || tt.tells == "" && len(a.problems) > 0 {
				t.Errorf("problems %q", a.problems)
			}
		})
	}
}

// What nothing was put to proof by is no pass.
func TestAccountVerdict(t *testing.T) {
	good := func() *account {
		return &account{Faults: map[string]int{"throttled": 1}, Kills: 1, Swaps: 1, Splits: 1, Merges: 1, SlowDisks: 1}
	}
	if err := good().verdict(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(a *account){
		"lost": func(a *account) { a.Lost = 1 }, "wrong": func(a *account) { a.Wrong = 1 }, "stuck": func(a *account) { a.Stuck = 1 },
		"for no fault": func(a *account) { a.Unexplained = 1 }, "given up": func(a *account) { a.Discarded = 1 },
		"no call was throttled": func(a *account) { a.Faults["throttled"] = 0 }, "nothing was killed": func(a *account) { a.Kills = 0 },
		"swapped": func(a *account) { a.Swaps = 0 },
		"split":   func(a *account) { a.Splits = 0 }, "merged": func(a *account) { a.Merges = 0 }, "slow": func(a *account) { a.SlowDisks = 0 }, "before their parents": func(a *account) { a.Early = 1 }, errStuck.Error(): func(a *account) { a.stopped = errStuck },
		"a problem": func(a *account) { a.problems = []string{"a problem"} },
	} {
		a := good()
		spoil(a)
		if err := a.verdict(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if ids := recordIDs([]byte(`{"Records":[{"PartitionKey":"7"},{"PartitionKey":"x"}]}`)); !slices.Equal(ids, []int32{7, -1}) {
		t.Error(ids)
	}
}
