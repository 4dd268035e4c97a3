package source

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/jsonscan"
	"github.com/skiff-ml/skiff/inference/limits"
)

// errLong is that an answer is over what Lambda takes.
var errLong = fmt.Errorf("the answer has over %d bytes: ask for fewer predictions at once", limits.Response)

// A rejected says of a document why there is no prediction of it.
type rejected struct {
	Index    int              `json:"index"` // in the list of documents, from 0 on
	Reason   inference.Reason `json:"reason"`
	Detail   string           `json:"detail,omitempty"`
	Field    string           `json:"field,omitempty"`
	Expected string           `json:"expected,omitempty"`
	Found    string           `json:"found,omitempty"`
}

// String returns it in a line.
func (r *rejected) String() string {
	words := slices.DeleteFunc([]string{string(r.Reason), r.Field, r.Detail}, func(s string) bool { return s == "" })
	return strings.Join(words, ": ")
}

// direct predicts for the documents that an event is, one or a list, and
// publishes nothing: whoever invokes gets the predictions.
func (k *Kinesis) direct(ctx context.Context, i *invocation, payload []byte) ([]byte, error) {
	response, none, err := k.predict(ctx, i, payload)
	switch {
	case err != nil:
		return nil, err
	case none != nil:
		return nil, k.fail(ctx, &i.batch, notKinesis(payload, none.String()))
	case len(i.batch.Items) == 0:
		return nil, k.fail(ctx, &i.batch, notKinesis(payload, ""))
	case len(response) > limits.Response:
		return nil, k.fail(ctx, &i.batch, errLong)
	}
	return response, nil
}

// predict answers with the predictions for documents, one or a list of them, and
// with why there is none of others. Where there is none of any, it returns why
// the first is rejected as well.
func (k *Kinesis) predict(ctx context.Context, i *invocation, documents []byte) (response []byte, none *rejected, err error) {
	b := &i.batch
	b.Reset(0)
	room := true
	isList := jsonscan.Elements(documents, func(document []byte, _ jsonscan.Kind) bool {
		if room = len(b.Items) < maxItems; room {
			b.Add().Data = document
		}
		return room
	})
	if !room {
		return nil, nil, k.fail(ctx, b, errLong)
	}
	if !isList {
		b.Reset(0)
		b.Add().Data = documents
	}
	b.Records = len(b.Items)
	for at := range b.Items {
		if isList {
			b.Items[at].Sub = at + 1
		}
	}
	if err := k.engine.Answer(ctx, b); err != nil {
		return nil, nil, err
	}
	var all []rejected
	for at := range b.Outcomes {
		if why := b.Outcomes[at].Rejection; why != nil {
			all = append(all, rejected{at, why.Reason, why.Detail, why.Field, why.Expected, why.Found})
		}
	}
	if len(all) > 0 && len(b.Messages) == 0 {
		none = &all[0]
	}
	response = appendPredictions(response, b)
	if len(all) > 0 {
		list, err := json.Marshal(all)
		if err != nil {
			panic(err) // no text fails
		}
		response = append(append(response, `,"rejected":`...), list...)
	}
	return append(response, '}'), none, nil
}
