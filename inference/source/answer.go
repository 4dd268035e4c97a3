package source

import (
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/jsonscan"
	"github.com/skiff-ml/skiff/inference/limits"
)

const (
	responseHead = `{"predictions":[`
	failuresHead = `,"batchItemFailures":[`
	stateHead    = `,"state":`
)

// answer writes the response. A tumbling window's state goes back as it came:
// without it Lambda takes the invocation for failed.
func (i *invocation) answer(payload []byte, t *eventTree, undealt []int) []byte {
	b := &i.batch
	end := appendFailures(nil, b, undealt, t.layout.byEvent)
	if i.found[t.window].Kind != jsonscan.Absent {
		state := []byte("{}")
		if v := i.found[t.state]; v.Kind != jsonscan.Absent {
			state = v.Raw(payload)
		}
		end = append(append(end, stateHead...), state...)
	}
	end = append(end, '}')
	size := len(responseHead) + len("]") + len(end)
	for m := range b.Messages {
		size += len(b.Messages[m].Data) + 1
	}
	if size-1 > limits.Response {
		// whoever invokes reads only the failures and the state
		return append([]byte(responseHead+"]"), end...)
	}
	return append(appendPredictions(make([]byte, 0, size), b), end...)
}

// appendPredictions appends the response up to the end of its predictions.
func appendPredictions(dst []byte, b *inference.Batch) []byte {
	dst = append(dst, responseHead...)
	for m := range b.Messages {
		if m > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, b.Messages[m].Data...)
	}
	return append(dst, ']')
}

// appendFailures appends the sequence numbers of the items that are not dealt
// with, or their event ids, each once. An item without one is reported by an empty one, which Lambda
// takes as the failure of the whole batch: rather again than lost.
func appendFailures(dst []byte, b *inference.Batch, undealt []int, byEvent bool) []byte {
	if len(undealt) == 0 {
		return dst
	}
	dst = append(dst, failuresHead...)
	last := ""
	for n, at := range undealt {
		id := string(b.Items[at].Sequence)
		if byEvent {
			id = string(b.Items[at].EventID)
		}
		if n > 0 {
			if id == last {
				continue
			}
			dst = append(dst, ',')
		}
		last = id
		dst = append(dst, `{"itemIdentifier":`+jsonscan.Quote(id)+`}`...)
	}
	return append(dst, ']')
}
