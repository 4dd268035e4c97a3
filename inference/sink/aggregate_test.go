package sink

import (
	"context"
	"crypto/md5"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/kpl"
	"github.com/skiff-ml/skiff/inference/limits"
)

// rides are predictions of the taxi kind, as long as those are.
func rides(n int) []inference.Message {
	messages := make([]inference.Message, n)
	for i := range messages {
		messages[i] = inference.Message{Key: fmt.Sprint(i), Data: fmt.Appendf(nil,
			`{"model":"ride_duration_prediction_model","version":"3f8b6c3fdddb425fab0cf9b88cfa48de","prediction":{"ride_duration":15.386596482840584,"ride_id":%d}}`, i)}
	}
	return messages
}

// shardOf returns which of so many even shards has a hash key.
func shardOf(hash *big.Int, shards int) int {
	at := new(big.Int).Mul(hash, big.NewInt(int64(shards)))
	return int(at.Rsh(at, 128).Int64())
}

func hashOf(key string) *big.Int {
	sum := md5.Sum([]byte(key))
	return new(big.Int).SetBytes(sum[:])
}

func parsed(t *testing.T, hash string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(hash, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		t.Fatalf("%q is no hash key", hash)
	}
	return n
}

// Each message is in one aggregate, in order, of the shard that it would be on
// by itself, and no aggregate is larger than it may be.
func TestPack(t *testing.T) {
	for _, parts := range []int{1, 2, 8, 256} {
		a, err := NewAggregator(parts)
		if err != nil {
			t.Fatal(err)
		}
		messages := rides(3000)
		messages[7].Data = []byte(strings.Repeat("7", aggregateBytes+1))
		for round := range 2 { // memory is used again
			packed, of := a.Pack(messages)
			if len(of) != len(messages) || len(packed) > limits.PutRecords {
				t.Fatalf("%d aggregates of %d messages", len(packed), len(of))
			}
			next := make([]func() (string, []byte, bool), len(packed))
			for i, p := range packed {
				if size := len(p.Key) + len(p.Data); size > aggregateBytes && of[7] != i {
					t.Errorf("an aggregate of %d bytes", size)
				}
				next[i] = reader(t, p)
			}
			for i, m := range messages {
				p := packed[of[i]]
				key, data, ok := next[of[i]]()
				if !ok || key != m.Key || string(data) != string(m.Data) {
					t.Fatalf("%d parts, round %d: message %d is %.80q of key %s", parts, round, i, data, key)
				}
				for shards := 1; shards <= parts; shards *= 2 {
					if got, want := shardOf(parsed(t, p.HashKey), shards), shardOf(hashOf(m.Key), shards); got != want {
						t.Fatalf("%d parts: message %d is on shard %d of %d, not on %d", parts, i, got, shards, want)
					}
				}
			}
			for i := range next {
				if _, _, more := next[i](); more {
					t.Errorf("aggregate %d has more", i)
				}
			}
		}
	}
	for _, parts := range []int{-1, 0, 3, 6, 257, 512} {
		if _, err := NewAggregator(parts); err == nil || hint.Of(err) == "" {
			t.Errorf("%d parts: %v", parts, err)
		}
	}
}

// reader returns what has the messages of an aggregate, or of one that is alone,
// one by one.
func reader(t *testing.T, p inference.Message) func() (string, []byte, bool) {
	t.Helper()
	all := []inference.Message{p}
	if kpl.Is(p.Data) {
		a, err := kpl.Read(p.Data, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		all = nil
		for key, data := range a.All() {
			all = append(all, inference.Message{Key: string(key), Data: data})
		}
		if all[0].Key != p.Key {
			t.Errorf("the key is %s, and the first message's %s", p.Key, all[0].Key)
		}
	}
	return func() (string, []byte, bool) {
		if len(all) == 0 {
			return "", nil, false
		}
		m := all[0]
		all = all[1:]
		return m.Key, m.Data, true
	}
}

func TestPutSaysWhereTo(t *testing.T) {
	s := testStream(putterFunc(func(_ context.Context, in *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
		if in.Records[0].ExplicitHashKey != nil || aws.ToString(in.Records[1].ExplicitHashKey) != "7" {
			t.Errorf("put %v", in.Records)
		}
		return &kinesis.PutRecordsOutput{Records: make([]types.PutRecordsResultEntry, 2)}, nil
	}))
	if failed, err := s.Put(t.Context(), []inference.Message{{Key: "a", Data: []byte("1")}, {Key: "b", HashKey: "7", Data: []byte("2")}}); failed != nil || err != nil {
		t.Errorf("got %v, %v", failed, err)
	}
}

// What aggregates are for, in figures: docs/stream.md has these.
func TestWhatAggregatesSave(t *testing.T) {
	for _, test := range []struct {
		predictions, parts int
		perUnit, perShard  int // predictions, at least
	}{
		{1_000, 1, 140, 6200},
		{1_000, 8, 120, 6200},
		{10_000, 1, 140, 6200},
		{10_000, 8, 135, 6200},
	} {
		a, err := NewAggregator(test.parts)
		if err != nil {
			t.Fatal(err)
		}
		packed, _ := a.Pack(rides(test.predictions))
		units, size := 0, 0
		for _, p := range packed {
			units += (len(p.Data) + limits.PayloadUnit - 1) / limits.PayloadUnit
			size += len(p.Key) + len(p.Data)
		}
		perUnit := test.predictions / units
		perShard := min(limits.ShardBytes*test.predictions/size, limits.ShardRecords*test.predictions/len(packed))
		t.Logf("%d predictions, %d parts: %d aggregates, %d a payload unit, %d a second of a shard", test.predictions, test.parts, len(packed), perUnit, perShard)
		if perUnit < test.perUnit || perShard < test.perShard || len(packed) > limits.PutRecords {
			t.Errorf("%d predictions, %d parts: %d aggregates, %d a payload unit, %d a second of a shard", test.predictions, test.parts, len(packed), perUnit, perShard)
		}
	}
}

func BenchmarkPack(b *testing.B) {
	a, err := NewAggregator(DefaultParts)
	if err != nil {
		b.Fatal(err)
	}
	messages := rides(1000)
	b.ReportAllocs()
	for b.Loop() {
		a.Pack(messages)
	}
}
