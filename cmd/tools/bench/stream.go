package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/skiff-ml/skiff/inference/kpl"
	"github.com/skiff-ml/skiff/inference/limits"
)

// A stream is a server that takes every PutRecords, and keeps nothing. Over TLS
// it speaks HTTP/2, as Kinesis does.
type stream struct {
	*httptest.Server
	dir         string // what is in files; "": nothing
	predictions atomic.Int64
}

// startStream starts one, which has a certificate of its own where it has TLS.
func startStream(tls bool) (*stream, error) {
	s := &stream{}
	s.Server = httptest.NewUnstartedServer(s)
	if !tls {
		s.Start()
		return s, nil
	}
	s.EnableHTTP2 = true
	s.StartTLS()
	var err error
	if s.dir, err = os.MkdirTemp("", "bench-"); err == nil {
		err = os.WriteFile(s.certificate(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing the certificate: %w", err), s.Close())
	}
	return s, nil
}

// certificate returns the file of the stream's certificate.
func (s *stream) certificate() string { return filepath.Join(s.dir, "certificate.pem") }

// environment is what a worker needs to find the stream.
func (s *stream) environment() []string {
	env := []string{"KINESIS_ENDPOINT_URL=" + s.URL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none"}
	if s.dir != "" {
		env = append(env, "AWS_CA_BUNDLE="+s.certificate())
	}
	return env
}

// Close ends it.
func (s *stream) Close() error {
	s.CloseClientConnections() // the workers', which are not waited for
	s.Server.Close()
	if s.dir == "" {
		return nil
	}
	return os.RemoveAll(s.dir)
}

// ServeHTTP answers a PutRecords request of AWS's JSON protocol.
func (s *stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutRecords") {
		http.Error(w, "only PutRecords", http.StatusBadRequest)
		return
	}
	records := bytes.Count(body, []byte(`"PartitionKey":`))
	predictions := records
	if bytes.Contains(body, []byte(`"ExplicitHashKey":`)) { // aggregates have one
		if predictions, err = unpacked(body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	s.predictions.Add(int64(predictions))
	const taken = `{"SequenceNumber":"49641801370286448471783931287578672283018518126072430594","ShardId":"shardId-000000000000"}`
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	fmt.Fprintf(w, `{"FailedRecordCount":0,"Records":[%s]}`, strings.Repeat(taken+",", records-1)+taken)
}

// unpacked counts the predictions in a request's records.
func unpacked(body []byte) (n int, err error) {
	var request struct{ Records []struct{ Data []byte } }
	if err := json.Unmarshal(body, &request); err != nil {
		return 0, err
	}
	for _, r := range request.Records {
		if !kpl.Is(r.Data) { // it was alone
			n++
			continue
		}
		a, err := kpl.Read(r.Data, limits.BatchRecords)
		if err != nil {
			return 0, err
		}
		n += a.Len()
	}
	return n, nil
}
