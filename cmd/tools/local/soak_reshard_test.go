package main

import (
	"strings"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
)

// A child comes behind the last of its parents' records; a parent of which there were none, or which is not known, is nothing to wait for.
func TestEarly(t *testing.T) {
	shards := []mapping.Shard{{ID: "0"}, {ID: "1"}, {ID: "2", Parents: []string{"0"}}, {ID: "3", Parents: []string{"0", "1"}}, {ID: "4", Parents: []string{"gone"}}}
	for order, want := range map[string]int{
		"0 1 0 2 1 3 3 4": 0, "2 3": 0, "0 2 0 1 3": 1, "0 1 3 2 1": 1, "0 1 2 3 0 1": 2, "": 0,
	} {
		if got := early(shards, strings.Fields(order)); got != want {
			t.Errorf("%s: %d are early, want %d", order, got, want)
		}
	}
}
