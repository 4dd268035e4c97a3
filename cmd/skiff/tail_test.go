package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest"
	"github.com/skiff-ml/skiff/inference/kpl"
)

// aggregateOf is some records in one.
func aggregateOf(records ...string) []byte {
	var w kpl.Writer
	w.Reset("")
	for _, r := range records {
		w.Add("k", []byte(r))
	}
	return w.Append(nil)
}

// streamOf is a stream of one shard, with those records: it hands out one a call.
func streamOf(t *testing.T, records ...[]byte) *kinesis.Client {
	t.Helper()
	return lambdatest.StubKinesis(func(in any) (any, error) {
		switch in := in.(type) {
		case *kinesis.ListShardsInput:
			return &kinesis.ListShardsOutput{Shards: []types.Shard{{ShardId: aws.String("0")}}}, nil
		case *kinesis.GetShardIteratorInput:
			at := ""
			if in.ShardIteratorType == types.ShardIteratorTypeLatest {
				at = strings.Repeat("x", len(records))
			}
			return &kinesis.GetShardIteratorOutput{ShardIterator: &at}, nil
		case *kinesis.GetRecordsInput:
			at := len(*in.ShardIterator)
			out := &kinesis.GetRecordsOutput{NextShardIterator: in.ShardIterator}
			if at < len(records) {
				out.NextShardIterator = aws.String(*in.ShardIterator + "x")
				out.Records = []types.Record{{Data: records[at], SequenceNumber: out.NextShardIterator}}
			}
			return out, nil
		}
		return nil, errors.New("what is that")
	})
}

// What is in an aggregate is a line each, and a letter is one without its record's bytes.
func TestStreamTail(t *testing.T) {
	letter := `{"reason":"wrong_type","field":"ride","id":7,"partition_key":"k","sequence_number":"1","sub":2,"run_id":"r","bytes":3,"data":"YmFk"}` + "\n"
	for _, tt := range []struct {
		records [][]byte
		all     bool
		line    func([]byte) ([]byte, error)
		want    string
		wrong   string
	}{
		{[][]byte{[]byte(`{"a":1}`), aggregateOf(`{"b":2}`, "{\n}\n"), []byte("c")}, true, asItIs, "{\"a\":1}|{\"b\":2}|{ }|c", ""},
		{[][]byte{[]byte(`{"a":1}`)}, false, asItIs, "", ""},
		{[][]byte{[]byte(letter)}, true, rejection, `{"rejected":"wrong_type","field":"ride","id":7,"partition_key":"k","sequence_number":"1","sub":2,"run_id":"r"}`, ""},
		{[][]byte{[]byte("no letter")}, true, rejection, "", "reading record x: it is no dead letter: "},
		{[][]byte{append(aggregateOf("a"), 0)}, true, asItIs, "", "taking record x apart: "},
	} {
		p := newStreamTail(streamOf(t, tt.records...), "s", tt.all, tt.line)
		var got []string
		err := p.poll(t.Context(), func(line []byte) error { got = append(got, string(line)); return nil })
		if strings.Join(got, "|") != tt.want {
			t.Errorf("%q: got %q, want %q", tt.records, got, tt.want)
		}
		if (err == nil) != (tt.wrong == "") || err != nil && !strings.HasPrefix(err.Error(), tt.wrong) {
			t.Errorf("%q: error %v, want %q", tt.records, err, tt.wrong)
		}
	}
}

// So many lines are enough, in the middle of an aggregate as well.
func TestFollowEnds(t *testing.T) {
	var out, said bytes.Buffer
	s := &settings{stdout: &out, stderr: &said}
	client := streamOf(t, aggregateOf("a", "b", "c"))
	f := &flow{predictions: "p", letters: "sqs://letters", interval: localInterval, kinesis: func(string) *kinesis.Client { return client }}
	if err := s.follow(t.Context(), f, tailed{all: true, most: 2}); err != nil {
		t.Fatal(err)
	}
	if out.String() != "a\nb\n" || !strings.HasPrefix(said.String(), "sqs://letters: a queue is not followed") {
		t.Errorf("printed %q, said %q", out.String(), said.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.follow(ctx, f, tailed{all: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// Lines go as they are, as many at once as there are, each under its id.
func TestSend(t *testing.T) {
	var calls [][]string
	client := lambdatest.StubKinesis(func(in any) (any, error) {
		out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(0)}
		var call []string
		for _, e := range in.(*kinesis.PutRecordsInput).Records {
			key := *e.PartitionKey
			if len(key) == 26 {
				key = "random"
			}
			call = append(call, key+" "+string(e.Data))
			out.Records = append(out.Records, types.PutRecordsResultEntry{SequenceNumber: aws.String("1")})
		}
		calls = append(calls, call)
		return out, nil
	})
	lines := `{"ride": {"id": "seven"}}` + "\r\n\n  \n" + ` {"ride": {"id": 7.50}}` + "\n" + `{"ride": 7}` + "\n" + `{"ride": {"id": ""}}` + "\n" + `{"ride": {"id": null}}` + "\n" + "bad"
	to := &sender{client: client, stream: "s", id: []string{"ride", "id"}}
	if err := to.sendAll(t.Context(), strings.NewReader(lines)); err != nil {
		t.Fatal(err)
	}
	want := []string{`seven {"ride": {"id": "seven"}}`, `7.50  {"ride": {"id": 7.50}}`, `random {"ride": 7}`, `random {"ride": {"id": ""}}`, `random {"ride": {"id": null}}`, "random bad"}
	if len(calls) != 1 || strings.Join(calls[0], "\n") != strings.Join(want, "\n") || to.put != len(want) {
		t.Errorf("put %d: %q", to.put, calls)
	}

	calls = nil
	to = &sender{client: client, stream: "s"}
	if err := to.sendAll(t.Context(), strings.NewReader(strings.Repeat("a\n", 1001))); err != nil {
		t.Fatal(err)
	}
	if len(calls) != 3 || to.put != 1001 || len(calls[2]) != 1 {
		t.Errorf("%d calls put %d", len(calls), to.put)
	}

	calls = nil
	to = &sender{client: client, stream: "s"}
	err := to.sendAll(t.Context(), iotest.DataErrReader(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("a\nb\n")))))
	if !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("stdin breaks: %v", err)
	}
}

func TestConverterPackage(t *testing.T) {
	s := &settings{getenv: func(string) string { return "" }}
	t.Cleanup(func() { release = "" })
	for version, want := range map[string]string{"v1.2.3": "skiff-convert==1.2.3", "v1.2.3-4-gabcdef": "skiff-convert", "5eebcad": "skiff-convert"} {
		release = version
		if got := s.converterPackage(); got != want {
			t.Errorf("%s: got %s, want %s", version, got, want)
		}
	}
}

// Files that are there at first are skipped, and one that comes is read once.
func TestBucketTail(t *testing.T) {
	const letter = `{"reason":"not_json","partition_key":"k","run_id":"r","bytes":3,"data":"YmFk"}`
	files := map[string]string{"rides/2026/01/01/a.jsonl": letter + "\n"}
	after := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("list-type") == "" {
			fmt.Fprint(w, files[strings.TrimPrefix(r.URL.Path, "/letters/")])
			return
		}
		after = r.URL.Query().Get("start-after")
		fmt.Fprint(w, "<ListBucketResult>")
		for name := range files {
			if name > after && strings.HasPrefix(name, r.URL.Query().Get("prefix")) {
				fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", name)
			}
		}
		fmt.Fprint(w, "</ListBucketResult>")
	}))
	defer server.Close()
	f := &flow{letters: "s3://letters/rides", s3: s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, UsePathStyle: true, Credentials: aws.AnonymousCredentials{},
	})}
	p, err := lettersTail(f, false)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	poll := func() {
		t.Helper()
		if err := p.poll(t.Context(), func(line []byte) error { got = append(got, string(line)); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	poll()
	if len(got) != 0 || after != "" {
		t.Errorf("at first it prints %q, after %q", got, after)
	}
	today := time.Now().UTC().Format("2006/01/02")
	files["rides/"+today+"/b.jsonl"] = letter + "\n" + letter + "\n"
	files["others/"+today+"/c.jsonl"] = "rubbish"
	poll()
	poll()
	if want := `{"rejected":"not_json","partition_key":"k","run_id":"r"}`; len(got) != 2 || got[0] != want || after == "" {
		t.Errorf("it prints %q, after %q", got, after)
	}
}
