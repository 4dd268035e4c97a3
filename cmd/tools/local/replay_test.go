package main

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
)

// text is entries as key:data.
func text(entries []types.PutRecordsRequestEntry) string {
	var b bytes.Buffer
	for _, e := range entries {
		fmt.Fprintf(&b, "%s:%s ", *e.PartitionKey, e.Data)
	}
	return b.String()
}

// Letters come back with their keys and bytes; those without bytes stay, and an empty record is none of them.
func TestLettersOf(t *testing.T) {
	entries, rest, err := lettersOf([]byte(`{"reason":"not_json","partition_key":"1","bytes":3,"data":"YmFk"}
{"reason":"too_large","partition_key":"2","bytes":9,"data":null}
{"reason":"not_json","partition_key":"3","bytes":0,"data":""}
{"reason":"not_json","bytes":1,"data":"eA=="}
{"reason":"too_large","partition_key":"5","bytes":9,"data":null}`))
	if err != nil || text(entries) != "1:bad 3: none:x " {
		t.Errorf("%s, %v", text(entries), err)
	}
	if want := `{"reason":"too_large","partition_key":"2","bytes":9,"data":null}
{"reason":"too_large","partition_key":"5","bytes":9,"data":null}
`; string(rest) != want {
		t.Errorf("left: %s", rest)
	}
	if _, _, err := lettersOf([]byte("{")); err == nil {
		t.Error("half a letter is taken")
	}
}

// What the destination writes, a replay reads.
func TestGivenUpOf(t *testing.T) {
	var file bytes.Buffer
	f := &onFailure{file: &file, keys: map[string]bool{}}
	d := mapping.Discarded{Payload: `{"Records":[{"kinesis":{"partitionKey":"7","data":"YmFk"}},{"kinesis":{"partitionKey":"8","data":""}}]}`}
	for range 2 {
		if err := f.Discard(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := givenUpOf(file.Bytes())
	if err != nil || text(entries) != "7:bad 8: 7:bad 8: " {
		t.Errorf("%s, %v", text(entries), err)
	}
	if _, err := givenUpOf([]byte("{}\n")); err == nil {
		t.Error("a document without an event is taken")
	}
}
