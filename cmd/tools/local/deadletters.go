package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/inference"
)

// deadLetters is what the worker's dead-letter target holds, by ride.
type deadLetters struct {
	of    map[int][]inference.DeadLetter
	wrong int   // letters of no ride
	why   error // the first of them
}

// readDeadLetters reads all that is in the target.
func readDeadLetters(ctx context.Context, server *ministack.Server, rides int) (*deadLetters, error) {
	l := &deadLetters{of: map[int][]inference.DeadLetter{}}
	err := server.Objects(ctx, localstate.DeadLetterBucket, localstate.DeadLetterPrefix, func(key string, data []byte) error {
		for line := range bytes.Lines(data) {
			if err := l.add(line, rides); err != nil {
				l.wrong++
				if l.why == nil {
					l.why = fmt.Errorf("s3://%s/%s: %w", localstate.DeadLetterBucket, key, err)
				}
			}
		}
		return nil
	})
	return l, err
}

// add takes one dead letter. A ride's id is its partition key: a bad record's own may be unreadable.
func (l *deadLetters) add(line []byte, rides int) error {
	var letter inference.DeadLetter
	if err := json.Unmarshal(line, &letter); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	id, err := strconv.Atoi(letter.PartitionKey)
	if err != nil || id < 0 || id >= rides {
		return errors.New("its partition_key is of no ride")
	}
	if letter.SequenceNumber == "" {
		return errors.New("it has no sequence_number")
	}
	l.of[id] = append(l.of[id], letter)
	return nil
}

// check returns an error for each kind of letters that should be other ones, given the rides that were made bad.
func (l *deadLetters) check(bad map[int]badRide) []error {
	var good, other, again, altered int
	var why error
	for id, letters := range l.of {
		ride, ok := bad[id]
		if !ok {
			good++
			continue
		}
		again += len(letters) - 1
		for _, letter := range letters {
			if letter.Reason != ride.way.reason {
				other++
				why = fmt.Errorf("ride %d, %s, is %s and not %s", id, ride.way.name, letter.Reason, ride.way.reason)
			}
			if !bytes.Equal(letter.Data, ride.record) {
				altered++
			}
		}
	}
	var errs []error
	if good > 0 {
		errs = append(errs, fmt.Errorf("%d good rides are among the dead letters", good))
	}
	if other > 0 {
		errs = append(errs, fmt.Errorf("%d dead letters have another reason than they should, one: %w", other, why))
	}
	if again > 0 {
		errs = append(errs, fmt.Errorf("%d dead letters are there more than once", again))
	}
	if altered > 0 {
		errs = append(errs, fmt.Errorf("%d dead letters have not their record's bytes", altered))
	}
	if l.wrong > 0 {
		errs = append(errs, fmt.Errorf("%d dead letters are of no ride, the first: %w", l.wrong, l.why))
	}
	return errs
}

// reasons counts the rides with dead letters by reason.
func (l *deadLetters) reasons() map[inference.Reason]int {
	counts := map[inference.Reason]int{}
	for _, letters := range l.of {
		counts[letters[0].Reason]++
	}
	return counts
}

// example is what the dead letter of the first ride with a reason says.
func (l *deadLetters) example(reason inference.Reason) string {
	first, says := -1, ""
	for id, letters := range l.of {
		if letters[0].Reason == reason && (first < 0 || id < first) {
			first, says = id, describe(&letters[0])
		}
	}
	return says
}

// describe is what a dead letter says behind its reason, in one line.
func describe(l *inference.DeadLetter) string {
	_, says, _ := strings.Cut(l.Why(), ": ")
	return says
}
