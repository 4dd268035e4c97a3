package kpl

import (
	"crypto/md5" //nolint:gosec // the format has it, against accidents

	"google.golang.org/protobuf/encoding/protowire"
)

// A Writer makes an aggregate of records. It is used again, after
// [Writer.Reset].
//
// All of its records have one explicit hash key, that of the aggregate. The
// Kinesis Client Library looks at each record's hash key, which without one is
// that of its partition key: where that belongs to another shard than the one
// that the aggregate is on, it drops what it has read of the aggregate.
type Writer struct {
	hashKey string
	keys    []byte // the table of partition keys, as it will be
	records []byte // likewise
	lastKey string
	nKeys   int
	count   int
}

// Reset makes the writer one of an aggregate without records, with that explicit
// hash key: a decimal number below 2^128.
func (w *Writer) Reset(hashKey string) {
	*w = Writer{hashKey: hashKey, keys: w.keys[:0], records: w.records[:0]}
}

// Len returns how many records there are.
func (w *Writer) Len() int { return w.count }

// Add adds a record.
func (w *Writer) Add(key string, data []byte) {
	if w.count == 0 || key != w.lastKey {
		w.keys = protowire.AppendTag(w.keys, keyTable, protowire.BytesType)
		w.keys = protowire.AppendString(w.keys, key)
		w.lastKey = key
		w.nKeys++
	}
	at := uint64(w.nKeys - 1) //nolint:gosec // there is one at least
	r := protowire.AppendTag(w.records, records, protowire.BytesType)
	r = protowire.AppendVarint(r, uint64(recordSize(at, len(data)))) //nolint:gosec // a size
	r = protowire.AppendTag(r, keyIndex, protowire.VarintType)
	r = protowire.AppendVarint(r, at)
	r = protowire.AppendTag(r, hashIndex, protowire.VarintType)
	r = protowire.AppendVarint(r, 0)
	r = protowire.AppendTag(r, content, protowire.BytesType)
	w.records = protowire.AppendBytes(r, data)
	w.count++
}

// Size returns how many bytes the aggregate has.
func (w *Writer) Size() int {
	return len(magic) + len(w.keys) + tagged(len(w.hashKey)) + len(w.records) + digest
}

// SizeWith returns how many bytes the aggregate has at most with one record
// more.
func (w *Writer) SizeWith(key string, data []byte) int {
	return w.Size() + tagged(len(key)) + tagged(recordSize(uint64(w.nKeys), len(data))) //nolint:gosec // a count
}

// Append appends the aggregate.
func (w *Writer) Append(dst []byte) []byte {
	dst = append(dst, magic...)
	start := len(dst)
	dst = append(dst, w.keys...)
	dst = protowire.AppendTag(dst, hashTable, protowire.BytesType)
	dst = protowire.AppendString(dst, w.hashKey)
	dst = append(dst, w.records...)
	sum := md5.Sum(dst[start:]) //nolint:gosec // the format has it
	return append(dst, sum[:]...)
}

// recordSize returns how many bytes a record has whose key is at that place of
// the table.
func recordSize(key uint64, data int) int {
	const tag = 1 // a byte, of a field's number under 16
	return tag + protowire.SizeVarint(key) + tag + protowire.SizeVarint(0) + tagged(data)
}

// tagged returns how many bytes a field of that many bytes has.
func tagged(bytes int) int { return 1 + protowire.SizeBytes(bytes) }
