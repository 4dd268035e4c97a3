package inference

import (
	"errors"
	"hash/fnv"
	"time"
)

// A Split has a share of the keys predicted by another model, the canary. Which
// keys is their hash's to say, and so a key's predictions are one model's,
// wherever and whenever they are made.
type Split struct {
	Main, Canary Model
	Percent      float64 // of the keys, 0 to 100, to two decimals
}

var _ Model = (*Split)(nil)

// shares is how finely keys are split.
const shares = 10_000

// Takes reports whether a key is the canary's: by FNV-1a, 64 bits, of its bytes.
// An item without a key is not.
func (s *Split) Takes(key []byte) bool {
	if len(key) == 0 {
		return false
	}
	h := fnv.New64a()
	_, _ = h.Write(key) // never fails
	sum := h.Sum64()
	sum ^= sum >> 32 // the low bits of short keys alone are not even
	return float64(sum%shares) < s.Percent*shares/100
}

// A part is the items of one model, in a batch of its own.
type part struct {
	batch Batch
	at    []int // of each item, where it is in the whole
}

// Predict implements [Model]. A canary that cannot run has its keys predicted by
// the main model.
func (s *Split) Predict(b *Batch) error {
	main, canary := b.part(0), b.part(1)
	for i := range b.Items {
		if b.Outcomes[i].Fate != Open {
			continue
		}
		if s.Takes(b.Items[i].Key) {
			canary.take(b, i)
		} else {
			main.take(b, i)
		}
	}
	var canaryErr error
	if len(canary.at) > 0 {
		if canaryErr = s.Canary.Predict(&canary.batch); canaryErr != nil {
			canary.again(b)
			canaryErr = s.Main.Predict(&canary.batch)
		}
	}
	if err := errors.Join(s.Main.Predict(&main.batch), canaryErr); err != nil {
		b.RunID = main.batch.RunID
		return err
	}
	b.join(main, canary)
	return nil
}

// part returns the memory of one of the batch's parts, with no items in it.
func (b *Batch) part(i int) *part {
	if b.parts[i] == nil {
		b.parts[i] = &part{}
	}
	p := b.parts[i]
	p.batch.Reset(0)
	p.at = p.at[:0]
	return p
}

func (p *part) take(b *Batch, item int) {
	p.batch.Items, p.batch.Outcomes = append(p.batch.Items, b.Items[item]), append(p.batch.Outcomes, Outcome{})
	p.at = append(p.at, item)
}

// again makes the part what it was before it was predicted.
func (p *part) again(b *Batch) {
	at := p.at
	p.batch.Reset(len(at))
	for i, item := range at {
		p.batch.Items[i] = b.Items[item]
	}
}

// join makes the whole of its parts: messages in the order of their items, counts
// and times as sums. What the main model predicted is kept for comparison, where
// it is kept.
func (b *Batch) join(main, canary *part) {
	b.RunID, b.Logged = main.batch.RunID, main.batch.Logged
	b.runs = resize(b.runs, len(b.Items))
	clear(b.runs)
	for _, p := range []*part{main, canary} {
		for i, item := range p.at {
			b.Items[item], b.Outcomes[item], b.runs[item] = p.batch.Items[i], p.batch.Outcomes[i], p.batch.RunID
		}
		b.Unknown += p.batch.Unknown
		for _, c := range p.batch.Columns {
			b.count(c)
		}
		b.Timing.add(p.batch.Timing)
	}
	if canary.batch.RunID != main.batch.RunID {
		b.Canary = len(canary.batch.Sent)
	}
	b.Predicted = main.batch.Predicted
	for i, item := range b.Predicted.Items { // its memory is the part's
		b.Predicted.Items[i] = main.at[item]
	}
	m, c := &main.batch, &canary.batch
	for i, j := 0, 0; i < len(m.Sent) || j < len(c.Sent); {
		if j == len(c.Sent) || i < len(m.Sent) && main.at[m.Sent[i]] < canary.at[c.Sent[j]] {
			b.Messages, b.Sent = append(b.Messages, m.Messages[i]), append(b.Sent, main.at[m.Sent[i]])
			i++
		} else {
			b.Messages, b.Sent = append(b.Messages, c.Messages[j]), append(b.Sent, canary.at[c.Sent[j]])
			j++
		}
	}
}

func (b *Batch) count(c Column) {
	for i := range b.Columns {
		if b.Columns[i].Name == c.Name {
			b.Columns[i].Unknown += c.Unknown
			b.Columns[i].Missing += c.Missing
			b.Columns[i].Null += c.Null
			return
		}
	}
	b.Columns = append(b.Columns, c)
}

func (t *Timing) add(other Timing) {
	for _, stage := range []struct{ to, of *time.Duration }{{&t.Encode, &other.Encode}, {&t.Score, &other.Score}, {&t.Respond, &other.Respond}} {
		*stage.to += *stage.of
	}
}

// Run returns the run of the model that an item was for.
func (b *Batch) Run(item int) string {
	if item < len(b.runs) && b.runs[item] != "" {
		return b.runs[item]
	}
	return b.RunID
}
