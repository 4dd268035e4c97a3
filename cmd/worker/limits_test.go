//go:build linux && !race

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/skiff-ml/skiff/cmd/internal/shipped"
	"github.com/skiff-ml/skiff/inference/limits"
)

const (
	functionMemory = 128      // MB, the least that Lambda has
	growth         = 16 << 10 // KB of ten thousand invocations, the allocators' own included
)

// memory is a function's, in MB, for so many of the largest events at once.
func memory(atOnce int) int { return functionMemory + 64*(atOnce-1) }

// largestEvent is of as many records as a mapping sends, padded to as many bytes
// as Lambda takes.
func largestEvent() []byte {
	const padding = 285 // bytes of a record that the model doesn't read
	var event bytes.Buffer
	event.WriteString(`{"Records":[`)
	for i := range limits.BatchRecords {
		record := fmt.Sprintf(`{"ride":{"PULocationID":%d,"DOLocationID":205,"trip_distance":%d.5},"ride_id":%d,"pad":"%s"}`,
			1+i%263, i%30, i, strings.Repeat("p", padding))
		if i > 0 {
			event.WriteByte(',')
		}
		fmt.Fprintf(&event, `{"eventID":"shardId-000000000000:%d","kinesis":{"sequenceNumber":"%d","partitionKey":"%d","data":"%s"}}`,
			i, i, i, base64.StdEncoding.EncodeToString([]byte(record)))
	}
	event.WriteString(`]}`)
	return event.Bytes()
}

// taking is a stand-in for Kinesis that takes all records.
func taking(t *testing.T) (url string, taken *atomic.Int64) {
	t.Helper()
	taken = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		n := bytes.Count(body, []byte(`"PartitionKey"`))
		taken.Add(int64(n))
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		fmt.Fprintf(w, `{"FailedRecordCount":0,"Records":[%s]}`,
			strings.TrimSuffix(strings.Repeat(`{"SequenceNumber":"1","ShardId":"shardId-000000000000"},`, n), ","))
	}))
	t.Cleanup(server.Close)
	return server.URL, taken
}

// The largest event that Lambda sends, alone and four at once, is handled in a
// function of the smallest size, of the forest as well.
func TestTheLargestEvents(t *testing.T) {
	event := largestEvent()
	if len(event) > limits.Request || len(event) < limits.Request*9/10 {
		t.Fatalf("the event has %d bytes", len(event))
	}
	runs := shipped.ReadRuns(t)
	for name, run := range map[string]string{"linear": runs.Linear, "forest": runs.Forest} {
		for _, atOnce := range []int{1, 4} {
			t.Run(fmt.Sprint(name, atOnce), func(t *testing.T) {
				url, taken := taking(t)
				api := newRuntimeAPI(t, event)
				cmd := workerCommand(t)
				cmd.Env = append(cmd.Env, "RUN_ID="+run, "MODEL_LOCATION="+filepath.Join(shipped.Models(t), run), "KINESIS_ENDPOINT_URL="+url,
					"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"), "AWS_LAMBDA_MAX_CONCURRENCY="+strconv.Itoa(atOnce),
					"REPORT_BATCH_ITEM_FAILURES=True", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(memory(atOnce)))
				w := startWorker(t, cmd)
				const rounds = 3
				for range rounds {
					for i := range atOnce {
						_ = receive(t, api.asked, "ask")
						api.invoke(t, "request"+strconv.Itoa(i))
					}
					for range atOnce {
						answer := receive(t, api.answers, "answer")
						if _, body, _ := strings.Cut(answer, " response "); len(body) == 0 || len(body) > limits.Response {
							t.Errorf("answered %d bytes: %.200s", len(body), answer)
						}
					}
				}
				w.terminate(t)
				w.end(t, 0)
				if got := taken.Load(); got != int64(rounds*atOnce*limits.BatchRecords) {
					t.Errorf("%d records are published", got)
				}
				kb := w.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
				t.Logf("%d KB", kb)
				if kb > int64(memory(atOnce)<<10) {
					t.Errorf("it took %d KB of %d MB", kb, memory(atOnce))
				}
			})
		}
	}
}

// A held is what a process holds.
type held struct{ kb, goroutines, files int }

// used returns what this process holds, once garbage is collected.
func used(t *testing.T) held {
	t.Helper()
	debug.FreeOSMemory()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	pages := strings.Fields(string(readFile(t, "/proc/self/statm")))[1]
	n, err := strconv.Atoi(pages)
	if err != nil {
		t.Fatal(err)
	}
	return held{n * os.Getpagesize() >> 10, runtime.NumGoroutine(), len(files)}
}

// Ten thousand invocations, of many sizes, good and bad, four at once, leave
// nothing behind.
func TestTenThousandInvocationsLeaveNothing(t *testing.T) {
	url, _ := taking(t)
	run := shipped.ReadRuns(t).Linear
	for variable, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true", "HOME": t.TempDir(),
		"RUN_ID": run, "MODEL_LOCATION": filepath.Join(shipped.Models(t), run), "ONNXRUNTIME_LIB": shipped.Library(t),
		"KINESIS_ENDPOINT_URL": url, "DEAD_LETTER": "kinesis://letters", "REPORT_BATCH_ITEM_FAILURES": "True",
	} {
		t.Setenv(variable, value)
	}
	w, err := load(t.Context(), os.Getenv, slog.New(slog.DiscardHandler), true)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close() //nolint:errcheck // a test's
	events := someEvents()
	invoke := func(times int) {
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				for i := worker; i < times; i += 4 {
					event := events[i%len(events)]
					if answer, err := w.source.Invoke(t.Context(), event); err == nil && !json.Valid(answer) {
						t.Errorf("answered %s", answer)
					}
				}
			})
		}
		group.Wait()
	}
	invoke(1000)
	before := used(t)
	invoke(10_000)
	after := used(t)
	t.Logf("before %+v, after %+v", before, after)
	if after.kb > before.kb+growth || after.goroutines > before.goroutines+8 || after.files > before.files+8 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// someEvents are of 0 to 100 records, of which some are bad; and no events.
func someEvents() [][]byte {
	events := [][]byte{[]byte(`{}`), []byte(`[`), []byte(`{"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}`)}
	for n := range 60 {
		var records []string
		for i := range n * n / 36 {
			record := fmt.Sprintf(`{"ride": {"PULocationID": %d, "DOLocationID": 205, "trip_distance": 1.5}, "ride_id": %d}`, 1+i, i)
			if i%7 == 3 {
				record = record[:len(record)-1-i%20]
			}
			data := base64.StdEncoding.EncodeToString([]byte(record))
			records = append(records, fmt.Sprintf(`{"kinesis": {"sequenceNumber": "%d", "partitionKey": "k", "data": "%s"}}`, i, data))
		}
		events = append(events, []byte(`{"Records": [`+strings.Join(records, ",")+`]}`))
	}
	return events
}
