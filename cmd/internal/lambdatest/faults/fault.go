package faults

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"
)

// A Fault answers a call in place of the server, to which forward passes it on.
type Fault func(w http.ResponseWriter, r *http.Request, forward http.Handler)

// Refuse answers with an error of the service, in the form that the service has.
func Refuse(status int, code, message string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body) // an answer before that would be a broken connection
		if r.Header.Get("X-Amz-Target") == "" {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(status)
			_ = xml.NewEncoder(w).Encode(struct { // who asked may have gone
				XMLName xml.Name `xml:"Error"`
				Code    string
				Message string
			}{Code: code, Message: message})
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": message})
	}
}

// Throttle refuses a call because a shard's throughput is used up.
func Throttle() Fault {
	return Refuse(http.StatusBadRequest, throughputExceeded, "Rate exceeded for shard shardId-000000000000.")
}

// SlowDown refuses a call as S3 does when it gets too many.
func SlowDown() Fault {
	return Refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
}

// InternalError is the service's own failure.
func InternalError() Fault {
	return Refuse(http.StatusInternalServerError, "InternalFailure", "The request processing has failed because of an unknown error.")
}

// Expired refuses a call because its credentials have expired.
func Expired() Fault {
	return Refuse(http.StatusBadRequest, "ExpiredTokenException", "The security token included in the request is expired")
}

// Denied refuses a call that the role may not make.
func Denied() Fault {
	return Refuse(http.StatusBadRequest, "AccessDeniedException", "User is not authorized to perform this operation.")
}

// WrongClock refuses a call because it was signed at a time that is this far from AWS's, which the answer has as its Date. Kinesis says so in
// other words than S3.
func WrongClock(behind time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		now := time.Now().Add(behind).UTC()
		w.Header().Set("Date", now.Format(http.TimeFormat))
		refuse := Refuse(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
		if r.Header.Get("X-Amz-Target") != "" {
			const basic = "20060102T150405Z" // ISO 8601, as signatures have it
			refuse = Refuse(http.StatusBadRequest, "InvalidSignatureException", fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 5 min.)",
				r.Header.Get("X-Amz-Date"), now.Add(-5*time.Minute).Format(basic), now.Format(basic)))
		}
		refuse(w, r, forward)
	}
}

// Reset breaks the connection: before the server has got the call, or after it has done what it asks for.
func Reset(after bool) Fault {
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if after {
			forward.ServeHTTP(httptest.NewRecorder(), r)
		}
		reset(w)
	}
}

// ResetInBody breaks the connection when half of the call's body has come. The server gets nothing.
func ResetInBody() Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.CopyN(io.Discard, r.Body, max(r.ContentLength/2, 1)) // a body that is shorter ends by itself
		reset(w)
	}
}

// Truncate does what the call asks for, and breaks the connection when half of the answer's body has gone.
func Truncate() Fault {
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		answer := httptest.NewRecorder()
		forward.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		maps.Copy(w.Header(), answer.Header())
		w.Header().Set("Content-Length", strconv.Itoa(max(len(body), 1)))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body[:len(body)/2]) // who asked may have gone
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // closes the connection
	}
}

// reset breaks the connection of a call.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, which has no connection of its own
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, not an end
	}
	_ = connection.Close()
}

// Slow does what the call asks for, and answers after d, or never if who asked is gone by then.
func Slow(d time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		answer := httptest.NewRecorder()
		forward.ServeHTTP(answer, r)
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			replay(w, answer)
		case <-r.Context().Done():
		}
	}
}

const throughputExceeded = "ProvisionedThroughputExceededException"

// Partly has those records of a PutRecords call fail that fails says so of, by their place in it and their partition key; the others are put.
func Partly(fails func(i int, key string) bool) Fault {
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		var in map[string]json.RawMessage
		var records []json.RawMessage
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &in)
		}
		if err == nil {
			err = json.Unmarshal(in["Records"], &records)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var passed []json.RawMessage
		failed := make([]bool, len(records))
		for i, record := range records {
			var r struct{ PartitionKey string }
			_ = json.Unmarshal(record, &r) // what has no key has none
			if failed[i] = fails(i, r.PartitionKey); !failed[i] {
				passed = append(passed, record)
			}
		}
		answers := make([]json.RawMessage, 0, len(passed))
		if len(passed) > 0 {
			answer := forwardRecords(r, forward, in, passed)
			var out struct{ Records []json.RawMessage }
			if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &out) != nil || len(out.Records) != len(passed) {
				replay(w, answer)
				return
			}
			answers = out.Records
		}
		all := make([]any, len(records))
		for i := range records {
			if failed[i] {
				all[i] = map[string]string{"ErrorCode": throughputExceeded, "ErrorMessage": "Rate exceeded for shard shardId-000000000000."}
				continue
			}
			all[i], answers = answers[0], answers[1:]
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(map[string]any{"FailedRecordCount": len(records) - len(passed), "Records": all})
	}
}

// forwardRecords passes a PutRecords call on with these records only.
func forwardRecords(r *http.Request, forward http.Handler, in map[string]json.RawMessage, records []json.RawMessage) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	list, err := json.Marshal(records)
	if err == nil {
		in["Records"] = list
		list, err = json.Marshal(in)
	}
	if err != nil {
		http.Error(answer, err.Error(), http.StatusInternalServerError)
		return answer
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(list)), int64(len(list))
	r.Header.Set("Content-Length", strconv.Itoa(len(list)))
	forward.ServeHTTP(answer, r)
	return answer
}

// replay answers with what was recorded.
func replay(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // who asked may have gone
}
