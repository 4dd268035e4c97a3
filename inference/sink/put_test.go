package sink

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/skiff-ml/skiff/inference"
)

// These tests have the SDK's own protocol do what a put does, and compare.

// protocols are the SDK's, and a put in front of it.
func protocols() (sdk smithyhttp.ClientProtocol, own *put) {
	options := kinesis.New(kinesis.Options{}).Options()
	own = &put{}
	sdk = options.Protocol
	own.use(&options)
	return sdk, own
}

// predictions are messages like those that leave.
func predictions(n int) []inference.Message {
	all := make([]inference.Message, n)
	for i := range all {
		id := fmt.Sprintf("2019-01-%05d", i)
		all[i] = inference.Message{Key: id, Data: fmt.Appendf(nil, `{"model":"taxi","version":"1","prediction":{"ride_duration":%v,"ride_id":%q}}`, float64(i)/7, id)}
	}
	return all
}

func putSchema() *smithy.OperationSchema {
	return smithy.NewOperationSchema(schemas.PutRecords, schemas.PutRecordsInput, schemas.PutRecordsOutput)
}

// serialized is what a protocol makes of a request.
func serialized(t *testing.T, p smithyhttp.ClientProtocol, in *kinesis.PutRecordsInput) (*smithyhttp.Request, []byte) {
	t.Helper()
	r := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	if err := p.SerializeRequest(t.Context(), putSchema(), in, r); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.GetStream())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.RewindStream(); err != nil {
		t.Fatal(err)
	}
	return r, body
}

// A request is the SDK's, byte for byte, whatever is in it.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n{\"a\":12}\n{\"a\":12,\"b\":3}\n{}"), "ride-1\nride-2", "12", false)
	f.Add([]byte("\n\nab\nabc\nabcd\nabcde\nabcdef\nabcdefg"), "a\"b\nc\\d\n\x01\n\x7f\n<&>\nsmall key\neight by\nZürich\n東京\n\u2028\n\u2029\n\xff\ud7ff", "", true)
	f.Add([]byte{0, 1, 2, 0xff, 0xfe, '\n', 0, 1, 2, 0xff, 0xfd}, "", "340282366920938463463374607431768211455", false)
	sdk, own := protocols()
	f.Fuzz(func(t *testing.T, data []byte, keys, hashKey string, arn bool) {
		all := strings.Split(keys, "\n")
		var messages []inference.Message
		for i, d := range bytes.Split(data, []byte("\n")) {
			m := inference.Message{Key: all[i%len(all)], Data: d}
			if i%2 == 0 {
				m.HashKey = hashKey
			}
			messages = append(messages, m)
		}
		stream := Stream{name: all[0]}
		if arn {
			stream.arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/" + all[0]
		}
		in := own.of(messages, &stream)
		want, wantBody := serialized(t, sdk, in)
		got, gotBody := serialized(t, own, in)
		if !bytes.Equal(gotBody, wantBody) {
			t.Errorf("the body is\n%s\nthe SDK's\n%s", gotBody, wantBody)
		}
		if got.Method != want.Method || *got.URL != *want.URL || got.ContentLength != want.ContentLength || !reflect.DeepEqual(got.Header, want.Header) {
			t.Errorf("got %s %s %d %v, want %s %s %d %v", got.Method, got.URL, got.ContentLength, got.Header, want.Method, want.URL, want.ContentLength, want.Header)
		}
		own.over()
	})
}

// Keys that are odd, short and long, alone in a request: those that the SDK
// escapes have it write the request.
func TestRequestOfOddKeys(t *testing.T) {
	sdk, own := protocols()
	for odd, escaped := range map[string]bool{
		"": false, " ~<&>'/": false, "Zürich": false, "東京": false, "\u2027\u202a\U0001f600": false,
		"\x00": true, "\n": true, "\x1f": true, `"`: true, `\`: true, "\x7f": true, "\u2028": true, "\u2029": true, "\xff": true, "\xed\xa0\x80": true,
	} {
		for _, key := range []string{odd, odd + "eight bytes behind", "more than eight bytes before" + odd, "seven b" + odd + "seven b"} {
			in := own.of([]inference.Message{{Key: key, Data: []byte("{}")}}, &Stream{name: "predictions"})
			_, want := serialized(t, sdk, in)
			if _, got := serialized(t, own, in); !bytes.Equal(got, want) {
				t.Errorf("the body is %s, the SDK's %s", got, want)
			}
			if _, ok := appendRequest(nil, in); ok == escaped {
				t.Errorf("%q: written here: %v", key, ok)
			}
		}
	}
}

// A request without what every one should have is the SDK's as well.
func TestRequestOfTheSDK(t *testing.T) {
	sdk, own := protocols()
	key := "k"
	for name, in := range map[string]*kinesis.PutRecordsInput{
		"no records": {StreamName: &key},
		"a dry run":  {Records: own.of(predictions(2), &Stream{name: key}).Records, DryRun: aws.Bool(true)},
		"an id":      {Records: own.of(predictions(2), &Stream{name: key}).Records, StreamId: &key},
		"no data":    {Records: own.of([]inference.Message{{Key: key}}, &Stream{name: key}).Records},
	} {
		if _, ok := appendRequest(nil, in); ok {
			t.Errorf("%s: it is written here", name)
		}
		_, want := serialized(t, sdk, in)
		if _, got := serialized(t, own, in); !bytes.Equal(got, want) {
			t.Errorf("%s: the body is %s, the SDK's %s", name, got, want)
		}
	}
}

const (
	awsAnswer   = `{"FailedRecordCount":0,"Records":[{"SequenceNumber":"49641801370286448471783931287578672283018518126072430594","ShardId":"shardId-000000000000"},{"SequenceNumber":"49641801370286448471783931287578672283018518126072430595","ShardId":"shardId-000000000001"}]}`
	keyAnswer   = `{"EncryptionType":"KMS","FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"shardId-000000000000"}]}`
	localAnswer = `{"FailedRecordCount": 0, "Records": [{"SequenceNumber": "1", "ShardId": "shardId-000000000000", "EncryptionType": "NONE"}], "EncryptionType": "NONE"}`
)

// What says that all was taken is read here, and nothing else.
func TestReadTaken(t *testing.T) {
	for answer, want := range map[string]int{
		awsAnswer: 2, keyAnswer: 1, localAnswer: 1, " {\n\t\"Records\" :[ { \"ShardId\":\"\" } ] , \"FailedRecordCount\" : 0 }\r\n": 1,

		"": -1, "null": -1, "{}": -1, awsAnswer[:len(awsAnswer)-1]: -1, awsAnswer + "}": -1, awsAnswer + awsAnswer: -1,
		strings.Replace(awsAnswer, ":0", ":1", 1): -1, strings.Replace(awsAnswer, ":0", ":00", 1): -1, strings.Replace(awsAnswer, ":0", ":0.5", 1): -1,
		strings.Replace(awsAnswer, "ShardId", "ErrorCode", 1): -1, strings.Replace(awsAnswer, "ShardId", "Shardid", 1): -1, strings.Replace(awsAnswer, `"shardId-000000000001"`, "null", 1): -1,
		strings.Replace(awsAnswer, "shardId-", `shardId\u002d`, 1): -1, strings.Replace(awsAnswer, "},{", "}{", 1): -1, strings.Replace(awsAnswer, "},{", "},,{", 1): -1,
		`{"FailedRecordCount":0,"Records":[]}`: -1, `{"FailedRecordCount":0,"Records":[{}]}`: -1, `{"Records":[{"ShardId":""}]}`: -1,
		`{"FailedRecordCount":0,"Records":[{"ShardId":""}],"Records":[{"ShardId":""},{"ShardId":""}]}`: -1, "{\"FailedRecordCount\":0,\"Records\":[{\"ShardId\":\"\n\"}]}": -1,
		strings.Replace(awsAnswer, "18126072", "18\n26072", 1): -1, strings.Replace(awsAnswer, "shardId-", "shardId\x1f", 1): -1,
		`{"FailedRecordCount":0,"Records":[{"ShardId":"a`: -1, `{"FailedRecordCount":0,"FailedRecordCount":0,"Records":[{"ShardId":""}]}`: -1,
	} {
		if got, ok := readTaken([]byte(answer)); ok != (want >= 0) || ok && got != want {
			t.Errorf("%s: got %d, %v", answer, got, ok)
		}
	}
}

// An answer comes to the same as where the SDK reads it.
func FuzzAnswer(f *testing.F) {
	for _, answer := range []string{
		awsAnswer, keyAnswer, localAnswer, "", "{}", "null", "[]", `{"FailedRecordCount":1,"Records":[{"ErrorCode":"InternalFailure","ErrorMessage":"no"},{"ShardId":"a"}]}`,
		`{"FailedRecordCount":0,"Records":[{"ErrorCode":null,"ShardId":"\u0041"},null,{}]}`, `{"__type":"ProvisionedThroughputExceededException","message":"slowly"}`, "<html>",
	} {
		for _, status := range []int{200, 299, 300, 400, 503} {
			f.Add([]byte(answer), status)
		}
	}
	sdk, own := protocols()
	f.Fuzz(func(t *testing.T, answer []byte, status int) {
		want, wantErr := deserialized(t.Context(), sdk, answer, status)
		got, gotErr := deserialized(t.Context(), own, answer, status)
		if fmt.Sprintf("%T %v", gotErr, gotErr) != fmt.Sprintf("%T %v", wantErr, wantErr) {
			t.Fatalf("got %v, the SDK %v", gotErr, wantErr)
		}
		if wantErr != nil {
			return
		}
		if aws.ToInt32(got.FailedRecordCount) != aws.ToInt32(want.FailedRecordCount) || len(got.Records) != len(want.Records) {
			t.Fatalf("got %d records and %d failed, the SDK %d and %d",
				len(got.Records), aws.ToInt32(got.FailedRecordCount), len(want.Records), aws.ToInt32(want.FailedRecordCount))
		}
		for i := range want.Records {
			got, want := &got.Records[i], &want.Records[i]
			if !reflect.DeepEqual(got.ErrorCode, want.ErrorCode) || !reflect.DeepEqual(got.ErrorMessage, want.ErrorMessage) {
				t.Errorf("record %d: got %v, the SDK %v", i, got, want)
			}
		}
	})
}

// deserialized is what a protocol makes of an answer.
func deserialized(ctx context.Context, p smithyhttp.ClientProtocol, answer []byte, status int) (*kinesis.PutRecordsOutput, error) {
	out := &kinesis.PutRecordsOutput{}
	r := &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(answer))}}
	return out, p.DeserializeResponse(ctx, putSchema(), kinesis.TypeRegistry, r, out)
}

// A whole request of the client is the one that it would be without a put, but
// for its time and its number.
func TestRequestOfTheClient(t *testing.T) {
	var requests []*http.Request
	var bodies []string
	cfg := sdk()
	cfg.HTTPClient = doFunc(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		requests, bodies = append(requests, r), append(bodies, string(body))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(taken(body)))}, err
	})
	s := NewKinesis(cfg, Stream{name: "predictions"}, "", "V")
	if failed, err := s.Put(t.Context(), predictions(500)); len(failed) > 0 || err != nil {
		t.Fatal(failed, err)
	}
	if _, err := s.kinesis.PutRecords(t.Context(), (&put{}).of(predictions(500), &s.stream)); err != nil {
		t.Fatal(err)
	}
	got, want := requests[0], requests[1]
	if bodies[0] != bodies[1] || len(bodies[0]) < 500*100 || got.Method != want.Method || got.URL.String() != want.URL.String() || got.ContentLength != want.ContentLength {
		t.Errorf("got %s %s of %d, want %s %s of %d", got.Method, got.URL, got.ContentLength, want.Method, want.URL, want.ContentLength)
	}
	for _, name := range slices.Sorted(maps.Keys(want.Header)) {
		got, want := got.Header[name], want.Header[name]
		switch name {
		case "X-Amz-Date", "Amz-Sdk-Invocation-Id":
		case "Authorization":
			if got, want := signedBy(got[0]), signedBy(want[0]); got != want {
				t.Errorf("signed %s, want %s", got, want)
			}
		default:
			if !slices.Equal(got, want) {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	}
	if len(got.Header) != len(want.Header) {
		t.Errorf("got %v, want %v", got.Header, want.Header)
	}
}

// signedBy is all that a signature is made with, where the time is the day's.
func signedBy(authorization string) string {
	before, _, _ := strings.Cut(authorization, "Signature=")
	return before
}

// A request arrives whole over each protocol, also one that has another's memory.
func TestAPutArrives(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			bodies := make(chan []byte, 1)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || r.Proto != protocol {
					t.Errorf("%s: %v", r.Proto, err)
				}
				bodies <- body
				_, _ = io.WriteString(w, taken(body))
			}))
			server.EnableHTTP2 = protocol == "HTTP/2.0"
			server.StartTLS()
			defer server.Close()
			cfg := sdk()
			cfg.HTTPClient = server.Client()
			s := NewKinesis(cfg, Stream{name: "predictions"}, server.URL, "V")
			for n := range 5 {
				messages := predictions(500 - 100*n)
				want, _ := appendRequest(nil, (&put{}).of(messages, &s.stream))
				if failed, err := s.Put(t.Context(), messages); len(failed) > 0 || err != nil {
					t.Fatal(failed, err)
				}
				if got := <-bodies; !bytes.Equal(got, want) {
					t.Errorf("%d bytes arrived of %d", len(got), len(want))
				}
			}
		})
	}
}

// A transport that still reads when its request is over, gets no more of it and
// nothing of the next one, which has its memory.
func TestAPutThatIsOverIsReadNoMore(t *testing.T) {
	var reading sync.WaitGroup
	var whole []byte // of the request
	cfg := sdk()
	cfg.HTTPClient = doFunc(func(r *http.Request) (*http.Response, error) {
		reading.Go(func() {
			if body, err := io.ReadAll(r.Body); err != nil || !bytes.HasPrefix(whole, body) {
				t.Errorf("read %.100s, %v", body, err)
			}
		})
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
	})
	s := NewKinesis(cfg, Stream{name: "predictions"}, "", "V")
	for i := range 100 {
		messages := []inference.Message{{Key: "key", Data: bytes.Repeat([]byte{'a' + byte(i%26)}, 1000*(1+i%3))}}
		reading.Wait()
		whole, _ = appendRequest(nil, (&put{}).of(messages, &s.stream))
		if _, err := s.Put(t.Context(), messages); err == nil {
			t.Error("an answer to nothing is one")
		}
		s.take().body[0] = 'x' // it is another's now
	}
	reading.Wait()
	p := s.take()
	_, _ = serialized(t, protocolOf(p), p.of(messages, &s.stream))
	sending := p.sending
	s.give(p)
	if again := s.take(); again != p {
		t.Error("the memory is not used again")
	}
	if rest, err := io.ReadAll(sending); len(rest) > 0 || err != nil {
		t.Errorf("there is %q of what is over, %v", rest, err)
	}
}

// protocolOf is a put with the SDK's protocol.
func protocolOf(p *put) *put {
	options := kinesis.New(kinesis.Options{}).Options()
	p.use(&options)
	return p
}

// Nothing is allocated for a record: what a request of 500 needs more than one of
// 1 is nothing.
func TestAPutAllocatesNothingForARecord(t *testing.T) {
	cfg := sdk()
	body := make([]byte, 0, 1<<20)
	cfg.HTTPClient = doFunc(func(r *http.Request) (*http.Response, error) {
		body = body[:r.ContentLength]
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(&repeated{records: bytes.Count(body, []byte(`"Data"`))})}, nil
	})
	s := NewKinesis(cfg, Stream{name: "predictions"}, "", "V")
	allocs := map[int]float64{}
	for _, n := range []int{500, 1} {
		messages := predictions(n)
		allocs[n] = testing.AllocsPerRun(50, func() {
			if failed, err := s.Put(t.Context(), messages); len(failed) > 0 || err != nil {
				t.Error(failed, err)
			}
		})
	}
	if more := allocs[500] - allocs[1]; more > 50 { // what the SDK allocates for a record is several
		t.Errorf("%v for 500 records, %v for one", allocs[500], allocs[1])
	}
}

// A repeated is an answer of so many records.
type repeated struct{ records, at int }

func (r *repeated) Read(p []byte) (int, error) {
	const head, record, end = `{"FailedRecordCount":0,"Records":[`, `{"SequenceNumber":"49641801370286448471783931287578672283018518126072430594","ShardId":"shardId-000000000000"}`, `]}`
	r.at++
	switch {
	case r.at == 1:
		return copy(p, head), nil
	case r.at == r.records+1:
		return copy(p, record), nil
	case r.at <= r.records:
		return copy(p, record+","), nil
	case r.at == r.records+2:
		return copy(p, end), nil
	}
	return 0, io.EOF
}
