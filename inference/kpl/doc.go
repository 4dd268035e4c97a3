// Package kpl reads and writes aggregates: several records in one of a stream,
// in the format of the Kinesis Producer Library, as its aggregation-format.md
// has it. It is four bytes, a protocol buffer and that one's MD5; the buffer is
//
//	message AggregatedRecord {
//	  repeated string partition_key_table     = 1;
//	  repeated string explicit_hash_key_table = 2;
//	  repeated Record records                 = 3;
//	}
//	message Record {
//	  required uint64 partition_key_index     = 1;
//	  optional uint64 explicit_hash_key_index = 2;
//	  required bytes  data                    = 3;
//	  repeated Tag    tags                    = 4;
//	}
//
// AWS has a Go module that reads it, which needs AWS's SDK, of its first version
// or its second, and generated code; what it needs of protocol buffers is in one
// package of their runtime. The tests have aggregates that AWS's own library
// wrote, and others have that library read what is written here.
//
//  1. read.go: an aggregate's records
//  2. write.go: records become an aggregate
package kpl

const (
	magic  = "\xf3\x89\x9a\xc2"
	digest = 16 // bytes of an MD5

	// The numbers of the fields.
	keyTable  = 1
	hashTable = 2
	records   = 3

	keyIndex  = 1
	hashIndex = 2
	content   = 3
)
