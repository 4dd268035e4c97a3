package simulation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"github.com/skiff-ml/skiff/inference"
)

// mayRefuse is for an invocation that did not answer for all of its records: something has to be wrong.
func (s *simulation) mayRefuse(inv *invocation, why string) {
	if inv.faults > 0 {
		return
	}
	for _, id := range inv.ids {
		if s.kind(id) != 'g' && s.history.Letters == "none" {
			return
		}
	}
	s.violate("refused", "invocation %d of shard %d with records %v: %s", inv.number, inv.shard, inv.ids, why)
}

// judgeParents is for an invocation of a shard that others were made into: there is nothing left of those.
func (s *simulation) judgeParents() {
	for _, r := range s.history.Records {
		if s.history.shardOf(r.id) != s.history.Shards && !s.there(r.id) && !s.givenUp[r.id] {
			s.violate("order", "record %d of a parent is behind its child's", r.id)
		}
	}
}

// kind is a record's.
func (s *simulation) kind(id int) byte {
	for _, r := range s.history.Records {
		if r.id == id {
			return r.kind
		}
	}
	return 0
}

// judgeAnswer looks at an invocation's answer. What it does not report has to be dealt with; what it reports must not be, as far as it knows.
func (s *simulation) judgeAnswer(inv *invocation, response []byte) {
	var answer events.KinesisEventResponse
	if err := json.Unmarshal(response, &answer); err != nil {
		s.violate("answered", "it is no answer: %.100s", response)
		return
	}
	lowest := len(inv.ids)
	for _, f := range answer.BatchItemFailures {
		id, err := strconv.Atoi(f.ItemIdentifier)
		at := slices.Index(inv.ids, id)
		if err != nil || at < 0 {
			s.violate("checkpoint", "invocation %d of shard %d with records %v reports %q", inv.number, inv.shard, inv.ids, f.ItemIdentifier)
			return
		}
		lowest = min(lowest, at)
		if s.heard(inv, id) {
			s.violate("checkpoint", "invocation %d of shard %d reports record %d, which is dealt with", inv.number, inv.shard, id)
		}
	}
	if len(answer.BatchItemFailures) > 0 {
		s.mayRefuse(inv, "it reports "+fmt.Sprint(answer.BatchItemFailures))
	}
	if !s.history.Report { // nobody reads them
		lowest = len(inv.ids)
	}
	for _, id := range inv.ids[:lowest] {
		if !s.there(id) {
			s.violate("answered", "invocation %d of shard %d takes record %d for dealt with", inv.number, inv.shard, id)
		}
	}
}

// heard reports whether an invocation was told that a record's prediction, or dead letter, was taken.
func (s *simulation) heard(inv *invocation, id int) bool {
	s.services.mu.Lock()
	defer s.services.mu.Unlock()
	has := func(t taken) bool { return t.id == id && t.invocation == inv && !t.lost }
	return slices.ContainsFunc(s.services.predictions, has) || slices.ContainsFunc(s.services.letters, has)
}

// there reports whether a record has its prediction or its dead letter.
func (s *simulation) there(id int) bool {
	s.services.mu.Lock()
	defer s.services.mu.Unlock()
	has := func(t taken) bool { return t.id == id }
	return slices.ContainsFunc(s.services.predictions, has) || slices.ContainsFunc(s.services.letters, has)
}

// judge looks at each record when all is over.
func (s *simulation) judge() {
	for _, r := range s.history.Records {
		var predictions, letters []taken
		for _, t := range s.services.predictions {
			if t.id == r.id {
				predictions = append(predictions, t)
			}
		}
		for _, t := range s.services.letters {
			if t.id == r.id {
				letters = append(letters, t)
			}
		}
		if len(predictions)+len(letters) == 0 && !s.givenUp[r.id] {
			s.violate("lost", "record %d", r.id)
		}
		if r.kind == 'g' && len(letters) > 0 || r.kind != 'g' && len(predictions) > 0 {
			s.violate("wrong", "record %d%c has %d predictions and %d dead letters", r.id, r.kind, len(predictions), len(letters))
		}
		for _, p := range predictions {
			if want := prediction(r.id, r.kind, p.invocation.version); string(p.data) != want {
				s.violate("wrong", "record %d: %q, not %q", r.id, p.data, want)
			}
		}
		for _, l := range letters {
			var letter inference.DeadLetter
			err := json.Unmarshal(l.data, &letter)
			want := map[byte]inference.Reason{'b': inference.NotJSON, 'l': inference.TooLarge}[r.kind]
			if err != nil || letter.Reason != want || !bytes.Equal(letter.Data, []byte{r.kind}) || letter.SequenceNumber != strconv.Itoa(r.id) {
				s.violate("wrong", "record %d: dead letter %.200s, %v", r.id, l.data, err)
			}
		}
		s.judgeRepeats(r.id, predictions)
		s.judgeRepeats(r.id, letters)
	}
	if len(s.services.predictions)+len(s.services.letters) > 0 && slices.ContainsFunc(s.services.predictions, func(t taken) bool { return t.id < 0 }) {
		s.violate("wrong", "a prediction of no record")
	}
}

// judgeRepeats has every repeat explained: the answer to the one before was lost, or its invocation had a fault. An invocation that may fail
// for a bad record, without dead letters, is explanation enough.
func (s *simulation) judgeRepeats(id int, all []taken) {
	for i := range len(all) - 1 {
		first, again := all[i], all[i+1]
		if first.lost || first.invocation != again.invocation && (first.invocation.faults > 0 || s.history.Letters == "none") {
			continue
		}
		s.violate("repeated", "record %d, by invocation %d of shard %d and by invocation %d", id, first.invocation.number, first.invocation.shard, again.invocation.number)
	}
}
