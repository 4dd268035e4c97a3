package mapping

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/inference/limits"
)

// batch is a run of records of a shard on their way to the function, and what that has cost so far.
type batch struct {
	shard       string
	entries     []lambdatest.Entry
	retries     int // used up
	invocations int // with these records
	last        Result
	window      *window // it is in; nil without tumbling windows
}

// deliver invokes the function with b until its records are answered for or given up.
//
// A failure leaves the records from the checkpoint on. With bisecting they are split, which uses up no retry: at the checkpoint, or in two halves
// where that is the first record. What cannot be split further, and everything without bisecting, is retried as often as MaximumRetryAttempts
// says; progress does not start the count again. Splits only ever make a batch smaller, so they end.
func (m *Mapping) deliver(ctx context.Context, b batch) error {
	for len(b.entries) > 0 {
		if n := m.tooOld(b.entries); n > 0 {
			if err := m.discard(ctx, b.head(n), recordAgeExceeded); err != nil {
				return err
			}
			b.entries = b.entries[n:]
			continue
		}
		event := m.event(b)
		if len(event) > limits.Request { // a single record, too large for any invocation
			return m.discard(ctx, b, retryAttemptsExhausted)
		}
		result, err := m.function.Invoke(ctx, event)
		if err != nil {
			return fmt.Errorf("invoking the function with %d records of %s from %s on: %w", len(b.entries), b.shard, b.entries[0].SequenceNumber, err)
		}
		b.last = result
		b.invocations++
		done := m.checkpoint(result, b.entries)
		if b.window != nil && !b.window.keep(result) {
			done = 0
		}
		m.count(1, done, 0)
		b.entries = b.entries[done:]
		if len(b.entries) == 0 {
			return nil
		}
		m.log.Warn("records failed", "shard", b.shard, "sequence_number", b.entries[0].SequenceNumber, "records", len(b.entries),
			"retries", b.retries, "function_error", result.FunctionError, "error", result.message())

		if m.config.BisectBatchOnFunctionError && done > 0 {
			continue
		}
		if half := len(b.entries) / 2; m.config.BisectBatchOnFunctionError && half > 0 {
			if err := m.deliver(ctx, b.head(half)); err != nil {
				return err
			}
			b.entries = b.entries[half:]
			continue
		}
		if m.config.MaximumRetryAttempts != Endless && b.retries >= m.config.MaximumRetryAttempts {
			return m.discard(ctx, b, retryAttemptsExhausted)
		}
		if err := wait(ctx, m.config.pause(b.retries)); err != nil {
			return err
		}
		b.retries++
	}
	return nil
}

// head is b with its first n records only.
func (b batch) head(n int) batch {
	b.entries = b.entries[:n:n]
	return b
}

// tooOld is how many records from the first on have outlived MaximumRecordAge.
func (m *Mapping) tooOld(entries []lambdatest.Entry) int {
	if m.config.MaximumRecordAge == 0 {
		return 0
	}
	for i, e := range entries {
		if time.Since(e.Arrived) < m.config.MaximumRecordAge {
			return i
		}
	}
	return len(entries)
}

// checkpoint is how many records from the first on the function has answered for: all of them, none, or those before the lowest reported.
func (m *Mapping) checkpoint(result Result, entries []lambdatest.Entry) int {
	if result.FunctionError != "" {
		return 0
	}
	if !m.config.ReportBatchItemFailures {
		return len(entries)
	}
	failed, ok := itemFailures(result.Payload)
	if !ok {
		return 0
	}
	if len(failed) == 0 {
		return len(entries)
	}
	index := make(map[string]int, len(entries))
	for i, e := range entries {
		index[e.SequenceNumber] = i
	}
	lowest := len(entries)
	for _, id := range failed {
		i, known := index[id]
		if !known { // empty, null, or of no record of this batch: the whole batch has failed
			return 0
		}
		lowest = min(lowest, i)
	}
	return lowest
}

// itemFailures are the identifiers under batchItemFailures, "" for one that is null or missing. An empty or null response or list is none;
// anything that does not have the form is not ok. Keys count exactly as written, as on AWS.
func itemFailures(response []byte) (ids []string, ok bool) {
	if len(bytes.TrimSpace(response)) == 0 {
		return nil, true
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(response, &fields) != nil {
		return nil, false
	}
	list, found := fields["batchItemFailures"]
	if !found {
		return nil, true
	}
	var items []map[string]any
	if json.Unmarshal(list, &items) != nil {
		return nil, false
	}
	for _, item := range items {
		id, _ := item["itemIdentifier"].(string)
		ids = append(ids, id)
	}
	return ids, true
}
