package feature

import (
	"fmt"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/jsonscan"
)

// describeRoot adds to a rejection of the whole document what it is instead of
// an object.
func describeRoot(r *inference.Rejection, doc []byte, root jsonscan.Value) *inference.Rejection {
	if r.Reason != inference.WrongType || r.Field != "" {
		return r
	}
	switch root.Kind {
	case jsonscan.List:
		r.Detail = fmt.Sprintf("it is a list of %d", jsonscan.Length(root.Raw(doc)))
	case jsonscan.Text:
		if inner := jsonscan.AppendText(nil, doc, root); jsonscan.Valid(inner) {
			r.Detail = "it is JSON in a string: the producer encodes it twice"
		}
	}
	return r
}
