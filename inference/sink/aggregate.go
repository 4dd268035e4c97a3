package sink

import (
	"crypto/md5" //nolint:gosec // it is how Kinesis finds a key's shard
	"fmt"
	"math/big"
	"math/bits"
	"slices"
	"sync"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/kpl"
	"github.com/skiff-ml/skiff/inference/limits"
)

// The parts that the key space is cut into, unless others are asked for, and the
// most: a key's part is in the first byte of its hash.
const (
	DefaultParts = 8
	mostParts    = 256
)

// aggregateBytes is what an aggregate has at most, with its partition key: two
// PUT payload units, about what the Kinesis Producer Library makes at most.
const aggregateBytes = 2 * limits.PayloadUnit

// An Aggregator makes aggregates of messages.
//
// The key space is cut into parts of one size, and an aggregate has messages of
// one part: it goes to the shard that the part starts on, by an explicit hash
// key. So a key's messages are on one shard, as they are without aggregates, and
// where shards are as many as the parts, or half as many or a quarter, and of
// one size, on the very same. With fewer parts aggregates are larger; a shard
// that no part starts on gets none.
type Aggregator struct {
	shift    int
	hashKeys []string // of the parts

	mu   sync.Mutex
	free []aggregates
}

// NewAggregator returns an Aggregator for so many parts, a power of two up to
// 256.
func NewAggregator(parts int) (*Aggregator, error) {
	if parts < 1 || parts > mostParts || bits.OnesCount(uint(parts)) != 1 {
		return nil, hint.With(fmt.Errorf("aggregates are of 1, 2, 4 … %d parts of the key space, not of %d", mostParts, parts),
			"as many as the stream has shards, or the next power of two")
	}
	a := &Aggregator{shift: bits.LeadingZeros8(uint8(parts - 1))}
	width := new(big.Int).Lsh(big.NewInt(1), 128)
	width.Div(width, big.NewInt(int64(parts)))
	for i := range parts {
		a.hashKeys = append(a.hashKeys, new(big.Int).Mul(width, big.NewInt(int64(i))).String())
	}
	return a, nil
}

// Pack makes aggregates of messages, for [inference.Outgoing]. A message that is
// alone in its part stays as it is, but for where it goes.
func (a *Aggregator) Pack(messages []inference.Message) (packed []inference.Message, of []int) {
	parts := a.take()
	defer a.give(parts)
	of = make([]int, len(messages))
	for i := range messages {
		m := &messages[i]
		part := a.part(m.Key)
		p := &parts[part]
		if p.Len() > 0 && p.SizeWith(m.Key, m.Data)+len(packed[p.at].Key) > aggregateBytes {
			p.close(packed)
		}
		if p.Len() == 0 {
			p.Reset(a.hashKeys[part])
			p.at = len(packed)
			packed = append(packed, inference.Message{Key: m.Key, HashKey: a.hashKeys[part], Data: m.Data})
		}
		p.Add(m.Key, m.Data)
		of[i] = p.at
	}
	for i := range parts {
		parts[i].close(packed)
	}
	return packed, of
}

// part returns the part of a key.
func (a *Aggregator) part(key string) int {
	sum := md5.Sum([]byte(key)) //nolint:gosec // it is how Kinesis finds a key's shard
	return int(sum[0]) >> a.shift
}

// aggregates is the memory of one call, used again by later ones: an aggregate a
// part.
type aggregates []aggregate

// An aggregate is one that is being made.
type aggregate struct {
	kpl.Writer
	at int // its place among the packed
}

func (a *Aggregator) take() aggregates {
	a.mu.Lock()
	defer a.mu.Unlock()
	if last := len(a.free) - 1; last >= 0 {
		parts := a.free[last]
		a.free = a.free[:last]
		return parts
	}
	return make(aggregates, len(a.hashKeys))
}

func (a *Aggregator) give(parts aggregates) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free = append(a.free, parts)
}

// close makes the aggregate the data of its message, unless that is alone.
func (p *aggregate) close(packed []inference.Message) {
	if p.Len() > 1 {
		packed[p.at].Data = p.Append(slices.Grow([]byte(nil), p.Size()))
	}
	p.Reset("")
}
