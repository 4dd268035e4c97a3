//go:build integration

package kinesalite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/kinesalite"
	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
)

const (
	stream  = "rides"
	keys    = 100
	records = 8000
	each    = 200 // records a call
)

type function func(ctx context.Context, event []byte) (mapping.Result, error)

func (f function) Invoke(ctx context.Context, event []byte) (mapping.Result, error) {
	return f(ctx, event)
}

type nowhere struct{}

func (nowhere) Discard(context.Context, mapping.Discarded) error {
	return errors.New("a record is given up")
}

// "Lambda processes the parent shards first, then the child shards": while shards are split and merged under way, each record comes once, and those
// of a key in the order in which they were put.
func TestReshardingKeepsTheOrderOfKeys(t *testing.T) {
	module, err := filepath.Abs("../../../../.build/node/node_modules/kinesalite")
	if err != nil {
		t.Fatal(err)
	}
	server, err := kinesalite.Start(t.Context(), kinesalite.Config{Module: module, Dir: t.TempDir(), Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	if err := server.CreateStream(t.Context(), stream, 2); err != nil {
		t.Fatal(err)
	}
	errAll := errors.New("all have come")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	timer := time.AfterFunc(time.Minute, func() { cancel(errors.New("not all have come")) })
	defer timer.Stop()

	var mu sync.Mutex
	next, shards := map[string]int{}, map[string]bool{}
	source := mapping.NewSource(server.Kinesis, stream)
	m, err := mapping.New(mapping.Config{BatchSize: 100, PollInterval: time.Millisecond, EventSourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/" + stream}, mapping.Parts{
		Shards: source, Records: source, OnFailure: nowhere{}, Log: slog.New(slog.DiscardHandler),
		Function: function(func(_ context.Context, event []byte) (mapping.Result, error) {
			var e events.KinesisEvent
			if err := json.Unmarshal(event, &e); err != nil {
				return mapping.Result{}, err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, r := range e.Records {
				if want := strconv.Itoa(next[r.Kinesis.PartitionKey]); string(r.Kinesis.Data) != want {
					return mapping.Result{}, fmt.Errorf("key %s: record %s comes where %s is next", r.Kinesis.PartitionKey, r.Kinesis.Data, want)
				}
				next[r.Kinesis.PartitionKey]++
				shards[r.EventID[:len("shardId-000000000000")]] = true
			}
			return mapping.Result{}, nil
		}),
		OnProgress: func(p mapping.Progress) {
			if p.Delivered == records {
				cancel(errAll)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := put(ctx, server, 0, records/2); err != nil { // so that parents and children are there from the beginning
		t.Fatal(err)
	}
	var putting sync.WaitGroup
	defer putting.Wait()
	putting.Go(func() {
		if err := put(ctx, server, records/2, records); err != nil && ctx.Err() == nil {
			cancel(err)
		}
	})
	if err := m.Run(ctx); !errors.Is(context.Cause(ctx), errAll) {
		t.Fatal(err, context.Cause(ctx))
	}
	if len(shards) < 6 {
		t.Errorf("records of %d shards came, of two and those made of them", len(shards))
	}
}

// put puts records of keys in turn, and has shards split or merged under way.
func put(ctx context.Context, server *kinesalite.Server, start, end int) error {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := start; i < end; i += each {
		in := &kinesis.PutRecordsInput{StreamName: aws.String(stream)}
		for j := i; j < i+each; j++ {
			in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: strconv.AppendInt(nil, int64(j/keys), 10), PartitionKey: aws.String(fmt.Sprint("key", j%keys))})
		}
		if out, err := server.Kinesis.PutRecords(ctx, in); err != nil || aws.ToInt32(out.FailedRecordCount) > 0 {
			return errors.Join(err, errors.New("not all are put"))
		}
		reshard := server.Split
		if i/each%8 == 7 {
			reshard = server.Merge
		} else if i/each%8 != 3 {
			continue
		}
		if err := reshard(ctx, stream, rng); err != nil {
			return err
		}
	}
	return nil
}
