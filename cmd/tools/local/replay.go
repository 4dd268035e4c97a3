package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/ministack"
	"github.com/skiff-ml/skiff/cmd/internal/localstate"
	"github.com/skiff-ml/skiff/cmd/internal/puts"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
)

// replay puts what is held back on the rides stream of the stack that is up: dead letters, and what the mapping gave up.
func replay(ctx context.Context, s settings, stdout io.Writer) error {
	st, err := localstate.Read(s.dir)
	if err != nil {
		return err
	}
	if st == nil || !ministack.Healthy(ctx, st.Endpoint) {
		return hint.With(errors.New("the local stack is not up"), "skiff up")
	}
	server := ministack.Connect(st.Endpoint)
	letters, kept, err := replayLetters(ctx, server)
	if err != nil {
		return err
	}
	givenUp, err := replayGivenUp(ctx, server, upLogs(s))
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d records are back on %s: %d of dead letters, %d that the mapping gave up.\n", letters+givenUp, localstate.RidesStream, letters, givenUp)
	if kept > 0 {
		fmt.Fprintf(stdout, "%d dead letters are without their records, and stay where they are.\n", kept)
	}
	return nil
}

// replayLetters puts the records of the dead letters that are there now back, and deletes those letters. It returns how many, and how many stay.
func replayLetters(ctx context.Context, server *ministack.Server) (back, kept int, err error) {
	type object struct {
		key     string
		entries []types.PutRecordsRequestEntry
		rest    []byte // letters without their records
	}
	var objects []object
	err = server.Objects(ctx, localstate.DeadLetterBucket, localstate.DeadLetterPrefix, func(key string, data []byte) error {
		o := object{key: key}
		var err error
		if o.entries, o.rest, err = lettersOf(data); err != nil {
			return fmt.Errorf("s3://%s/%s: %w", localstate.DeadLetterBucket, key, err)
		}
		objects = append(objects, o)
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	for _, o := range objects {
		kept += bytes.Count(o.rest, []byte("\n"))
		if len(o.entries) == 0 {
			continue
		}
		if err := putBack(ctx, server, o.entries); err != nil {
			return back, kept, err
		}
		back += len(o.entries)
		if len(o.rest) > 0 {
			err = server.Write(ctx, localstate.DeadLetterBucket, o.key, o.rest)
		} else {
			err = server.Delete(ctx, localstate.DeadLetterBucket, o.key)
		}
		if err != nil {
			return back, kept, err
		}
	}
	return back, kept, nil
}

// lettersOf are the records of a file of dead letters, and the lines that have none.
func lettersOf(data []byte) (entries []types.PutRecordsRequestEntry, rest []byte, err error) {
	for line := range bytes.Lines(data) {
		var l inference.DeadLetter
		if err := json.Unmarshal(line, &l); err != nil {
			return nil, nil, fmt.Errorf("decoding a dead letter: %w", err)
		}
		if l.Data == nil {
			rest = append(append(rest, bytes.TrimSuffix(line, []byte("\n"))...), '\n')
			continue
		}
		if l.PartitionKey == "" {
			l.PartitionKey = "none" // a stream takes no record without a key
		}
		entries = append(entries, types.PutRecordsRequestEntry{Data: l.Data, PartitionKey: &l.PartitionKey})
	}
	return entries, rest, nil
}

// replayGivenUp puts the records back of the documents that the on-failure destination has got since the last replay. The file is the mapping's,
// which goes on writing it: how far it has been replayed is in another one.
func replayGivenUp(ctx context.Context, server *ministack.Server, logs string) (int, error) {
	file, mark := filepath.Join(logs, onFailureFile), filepath.Join(logs, "on-failure.replayed")
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading what was given up: %w", err)
	}
	done := 0
	if text, err := os.ReadFile(mark); err == nil {
		done, _ = strconv.Atoi(strings.TrimSpace(string(text))) // or all again: rather twice than lost
	}
	if done > len(data) { // another file by now
		done = 0
	}
	data = data[done : done+bytes.LastIndexByte(data[done:], '\n')+1] // whole lines
	entries, err := givenUpOf(data)
	if err != nil {
		return 0, err
	}
	if err := putBack(ctx, server, entries); err != nil {
		return 0, err
	}
	if err := os.WriteFile(mark, []byte(strconv.Itoa(done+len(data))+"\n"), 0o600); err != nil {
		return 0, fmt.Errorf("marking what was put back: %w", err)
	}
	return len(entries), nil
}

// givenUpOf are the records of on-failure documents, which have the whole event, as S3 gets it.
func givenUpOf(data []byte) ([]types.PutRecordsRequestEntry, error) {
	var entries []types.PutRecordsRequestEntry
	for line := range bytes.Lines(data) {
		var document struct {
			Payload string `json:"payload"`
		}
		var event events.KinesisEvent
		err := json.Unmarshal(line, &document)
		if err == nil {
			err = json.Unmarshal([]byte(document.Payload), &event)
		}
		if err != nil {
			return nil, fmt.Errorf("decoding an on-failure document: %w", err)
		}
		for i := range event.Records {
			r := &event.Records[i].Kinesis
			entries = append(entries, types.PutRecordsRequestEntry{Data: r.Data, PartitionKey: &r.PartitionKey})
		}
	}
	return entries, nil
}

// putBack puts records into the rides stream, as they were.
func putBack(ctx context.Context, server *ministack.Server, entries []types.PutRecordsRequestEntry) error {
	records := make([][]byte, len(entries))
	for i := range entries {
		records[i] = entries[i].Data
	}
	for _, s := range puts.Calls(records) {
		if err := puts.Put(ctx, server.Kinesis, localstate.RidesStream, entries[s.Start:s.End]); err != nil {
			return fmt.Errorf("putting %d records back: %w", len(entries), err)
		}
	}
	return nil
}
