package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// secret is in every value that a record and the environment have for
// themselves, whole or as base64: where it sings in a log, that has been told.
const secret = "CANARY4f1b"

// canaries are records of every kind, good ones and ones that are rejected for
// each reason, with a secret in each value, key and byte that is the sender's but
// the id, by which a log calls them.
func canaries() []string {
	ride := func(pickup, miles, id string) string {
		return fmt.Sprintf(`{"ride": {"PULocationID": %s, "DOLocationID": 205, "trip_distance": %s, %q: %q}, "ride_id": %s}`, pickup, miles, secret, secret, id)
	}
	const id, ride1 = `"` + secret + `"`, `"ride-1"`
	return []string{
		ride("130", "3.66", ride1), ride(id, "3.66", ride1), ride("130", id, `{"`+secret+`": 1}`), ride("130", id, "["+id+"]"), ride("130", id, ride1), ride("130", "null", ride1), ride("130", "1e999", ride1), ride("130", "1e39", ride1),
		ride("130", `{"`+secret+`": 1}`, ride1), ride("["+id+"]", "1", ride1), ride("130", secret, ride1), ride("130", "3.66", ride1) + secret,
		ride("130", "NaN", ride1), `{"ride": ` + id + `, "ride_id": 1}`, `{"` + secret + `": 1, "ride_id": 1}`,
		id, `[` + id + `]`, secret, secret + "\xff", "\"" + secret + "\xff\"", "{\"" + secret, `{"ride": {"PULocationID": "` + secret + `\ud800"}}`,
		strings.Repeat("[", 2000) + id, `{"` + secret + `": tru}`, `{"ride_id": 1` + secret + `}`, "", strings.Repeat(secret, 200_000),
	}
}

// sings reports where a log has a secret, as it is or in base64.
func sings(log string) bool {
	for _, text := range []string{secret, strings.ToLower(secret), base64.StdEncoding.EncodeToString([]byte("x" + secret))[2:10]} {
		if strings.Contains(log, text) {
			return true
		}
	}
	return false
}

// Nothing of a record and no credential is in what the worker logs, whatever
// becomes of it: published, rejected, refused by the stream, lost on the way.
func TestLogsHoldNoPayloadsAndNoCredentials(t *testing.T) {
	var event bytes.Buffer
	event.WriteString(`{"Records": [`)
	for i, record := range canaries() {
		if i > 0 {
			event.WriteByte(',')
		}
		fmt.Fprintf(&event, `{"eventID": "shardId-0:%d", "kinesis": {"sequenceNumber": "%d", "partitionKey": "ride-1", "data": %q}}`,
			i, i, base64.StdEncoding.EncodeToString([]byte(record)))
	}
	fmt.Fprintf(&event, `,{"eventID": "shardId-0:99", "kinesis": {"sequenceNumber": "99", "partitionKey": "k", "data": "%s!"}}]}`, secret)
	path := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(path, event.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"published": func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return // the worker was ended while it sent: there is nobody to answer
			}
			var put struct{ Records []any }
			if err := json.Unmarshal(body, &put); err != nil {
				t.Error(err)
			}
			taken := strings.Repeat(`,{"SequenceNumber":"1","ShardId":"shardId-000000000000"}`, len(put.Records))
			fmt.Fprintf(w, `{"FailedRecordCount":0,"Records":[%s]}`, taken[1:])
		},
		"refused": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"AccessDeniedException","message":"User: arn:aws:sts::1:assumed-role/r/f is not authorized"}`)
		},
		"broken": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"cut":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		for _, letters := range []string{"", "DEAD_LETTER=kinesis://letters"} {
			t.Run(name+letters, func(t *testing.T) {
				asked := make(chan struct{}, 1000)
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked <- struct{}{}
					w.Header().Set("Content-Type", "application/x-amz-json-1.1")
					answer(w, r)
				}))
				defer server.Close()
				cmd := workerCommand(t, "-event", path)
				cmd.Env = append(cmd.Env, "KINESIS_ENDPOINT_URL="+server.URL, "AWS_LAMBDA_LOG_LEVEL=TRACE", "DRIFT=on", letters,
					"AWS_ACCESS_KEY_ID="+secret, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_SESSION_TOKEN="+secret)
				w := startWorker(t, cmd)
				for range 2 { // the second is another record's, or the first's again
					select {
					case <-asked:
					case err := <-w.ended:
						w.ended <- err
					case <-time.After(patience):
						t.Fatal("it asks for nothing")
					}
				}
				w.terminate(t) // or it would try again for half a minute
				_ = receive(t, w.ended, "end")
				if got := w.stderr.String(); sings(got) || !strings.Contains(got, `"msg":"record rejected"`) {
					t.Errorf("it logs\n%.3000s", got)
				}
			})
		}
	}
}

// Where the secret is found is proved by what does log it.
func TestSings(t *testing.T) {
	for _, log := range []string{secret, base64.StdEncoding.EncodeToString([]byte("x" + secret + "y"))} {
		if !sings("log " + log) {
			t.Error(log)
		}
	}
}
