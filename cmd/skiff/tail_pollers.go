package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/kpl"
	"github.com/skiff-ml/skiff/inference/limits"
)

// A streamTail follows a stream, all of its shards.
type streamTail struct {
	source *mapping.Source
	after  map[string]string // by shard, the sequence number that was read last
	ended  map[string]bool
	print  func([]byte) ([]byte, error)
}

var _ poller = (*streamTail)(nil)

// newStreamTail follows a stream from its beginning or from now on, and prints the
// records as they are given back.
func newStreamTail(client *kinesis.Client, stream string, all bool, line func([]byte) ([]byte, error)) *streamTail {
	start := mapping.Start{Position: types.ShardIteratorTypeLatest}
	if all {
		start.Position = types.ShardIteratorTypeTrimHorizon
	}
	return &streamTail{mapping.NewSourceFrom(client, stream, start), map[string]string{}, map[string]bool{}, line}
}

func (t *streamTail) poll(ctx context.Context, line func([]byte) error) error {
	shards, err := t.source.Shards(ctx)
	if err != nil {
		return err
	}
	for _, shard := range shards {
		for !t.ended[shard.ID] {
			records, ended, err := t.source.Read(ctx, shard.ID, t.after[shard.ID], limits.GetRecords)
			if err != nil {
				return err
			}
			t.ended[shard.ID] = ended
			for i := range records {
				t.after[shard.ID] = records[i].SequenceNumber
				if err := t.each(&records[i], line); err != nil {
					return err
				}
			}
			if len(records) == 0 {
				break
			}
		}
	}
	return nil
}

// each prints a record, or, of an aggregate, all that are in it.
func (t *streamTail) each(r *mapping.Record, line func([]byte) error) error {
	one := func(data []byte) error {
		text, err := t.print(data)
		if err != nil {
			return fmt.Errorf("reading record %s: %w", r.SequenceNumber, err)
		}
		return line(text)
	}
	if !kpl.Is(r.Data) {
		return one(r.Data)
	}
	aggregate, err := kpl.Read(r.Data, limits.RecordBytes)
	if err != nil {
		return fmt.Errorf("taking record %s apart: %w", r.SequenceNumber, err)
	}
	for _, data := range aggregate.All() {
		if err := one(data); err != nil {
			return err
		}
	}
	return nil
}

// A bucketTail follows the files of dead letters under a prefix of a bucket.
type bucketTail struct {
	client         *s3.Client
	bucket, prefix string
	skip           bool // what is there when it is asked first
	seen           map[string]bool
}

var _ poller = (*bucketTail)(nil)

func (t *bucketTail) poll(ctx context.Context, line func([]byte) error) error {
	skip := t.skip && t.seen == nil
	if t.seen == nil {
		t.seen = map[string]bool{}
	}
	in := &s3.ListObjectsV2Input{Bucket: &t.bucket, Prefix: &t.prefix}
	if len(t.seen) > 0 { // a file is called by its day: what is new is not of the days before yesterday
		in.StartAfter = aws.String(t.prefix + time.Now().UTC().AddDate(0, 0, -1).Format("2006/01/02"))
	}
	pages := s3.NewListObjectsV2Paginator(t.client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, object := range page.Contents {
			if t.seen[*object.Key] {
				continue
			}
			if !skip {
				if err := t.file(ctx, *object.Key, line); err != nil {
					return err
				}
			}
			t.seen[*object.Key] = true
		}
	}
	return nil
}

func (t *bucketTail) file(ctx context.Context, key string, line func([]byte) error) error {
	out, err := t.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &t.bucket, Key: &key})
	if err != nil {
		return err
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	if err != nil {
		return err
	}
	for letter := range bytes.Lines(data) {
		text, err := rejection(letter)
		if err != nil {
			return fmt.Errorf("reading %s: %w", key, err)
		}
		if err := line(text); err != nil {
			return err
		}
	}
	return nil
}

// asItIs returns a prediction, in one line.
func asItIs(data []byte) ([]byte, error) {
	return bytes.ReplaceAll(bytes.TrimRight(data, "\n"), []byte("\n"), []byte(" ")), nil
}

// rejection returns of a dead letter what a person wants to know, and nothing of
// the record but its id and key.
func rejection(letter []byte) ([]byte, error) {
	var l inference.DeadLetter
	if err := json.Unmarshal(letter, &l); err != nil {
		return nil, fmt.Errorf("it is no dead letter: %w", err)
	}
	return json.Marshal(struct {
		Rejected       inference.Reason `json:"rejected"`
		Field          string           `json:"field,omitempty"`
		Detail         string           `json:"detail,omitempty"`
		Expected       string           `json:"expected,omitempty"`
		Found          string           `json:"found,omitempty"`
		ID             json.RawMessage  `json:"id,omitempty"`
		PartitionKey   string           `json:"partition_key,omitempty"`
		SequenceNumber string           `json:"sequence_number,omitempty"`
		Sub            int              `json:"sub,omitempty"`
		RunID          string           `json:"run_id"`
	}{l.Reason, l.Field, l.Detail, l.Expected, l.Found, l.ID, l.PartitionKey, l.SequenceNumber, l.Sub, l.RunID})
}
