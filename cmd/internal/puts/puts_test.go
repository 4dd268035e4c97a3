package puts

import (
	"slices"
	"testing"
)

func TestCalls(t *testing.T) {
	for _, tt := range []struct {
		sizes []int
		want  []Span
	}{
		{nil, nil},
		{make([]int, 500), []Span{{0, 500}}},
		{make([]int, 1001), []Span{{0, 500}, {500, 1000}, {1000, 1001}}},
		{[]int{1, maxBytes - 1, 1}, []Span{{0, 2}, {2, 3}}},
		{[]int{1, maxBytes + 1, 1}, []Span{{0, 1}, {1, 2}, {2, 3}}},
	} {
		records := make([][]byte, len(tt.sizes))
		for i, size := range tt.sizes {
			records[i] = make([]byte, size)
		}
		if got := Calls(records); !slices.Equal(got, tt.want) {
			t.Errorf("%d records: %v, want %v", len(records), got, tt.want)
		}
	}
}

func TestName(t *testing.T) {
	const resource = "arn:aws:kinesis:eu-west-1:123456789012:stream/rides"
	if name, as := Name("rides"); *name != "rides" || as != nil {
		t.Error("a name is none")
	}
	if name, as := Name(resource); name != nil || *as != resource {
		t.Error("an ARN is none")
	}
}
