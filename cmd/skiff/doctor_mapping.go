package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/limits"
)

// A sourceMapping is what doctor reads of an event source mapping, as Lambda's API
// has it.
type sourceMapping struct {
	UUID, EventSourceArn, FunctionArn, State, LastProcessingResult string

	FunctionResponseTypes      []string
	BatchSize                  int
	BisectBatchOnFunctionError bool
	MaximumRetryAttempts       *int // -1, and where there is none: without end
	MaximumRecordAgeInSeconds  *int // likewise
	DestinationConfig          struct{ OnFailure struct{ Destination string } }
	FilterCriteria             struct{ Filters []struct{ Pattern string } }
}

const aboutMapping = "mapping"

// healthyAge is a bound for retries that outlasts an outage and leaves most of a
// stream's day, in seconds: that of deploy/template.yaml.
const healthyAge = 21600

// readMappings reads what `aws lambda list-event-source-mappings` prints, or
// get-event-source-mapping, from a file or from stdin.
func (s *settings) readMappings(named string) ([]sourceMapping, error) {
	const advice = "aws lambda list-event-source-mappings --function-name NAME | skiff doctor --mapping -"
	in := s.stdin
	if named != "-" {
		file, err := os.Open(named)
		if err != nil {
			return nil, hint.With(err, advice)
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("reading the mapping: %w", err)
	}
	var list struct{ EventSourceMappings *[]sourceMapping }
	var one sourceMapping
	err = errors.Join(json.Unmarshal(data, &list), json.Unmarshal(data, &one))
	switch {
	case err != nil:
		return nil, hint.With(fmt.Errorf("reading the mapping: %w", err), advice)
	case list.EventSourceMappings != nil && len(*list.EventSourceMappings) == 0:
		return nil, hint.With(errors.New("the function has no event source mapping"), "aws lambda create-event-source-mapping makes one; deploy/template.yaml has its settings")
	case list.EventSourceMappings != nil:
		return *list.EventSourceMappings, nil
	case one.EventSourceArn == "":
		return nil, hint.With(errors.New("that is no event source mapping"), advice)
	}
	return []sourceMapping{one}, nil
}

// examineMappings says of each setting of the mappings whether the worker's
// promises hold with it, given its variables.
func (s *settings) examineMappings(ctx context.Context, named string) []finding {
	mappings, err := s.readMappings(named)
	if err != nil {
		return []finding{failed(aboutMapping, err)}
	}
	var findings []finding
	for i := range mappings {
		findings = append(findings, s.examineMapping(&mappings[i])...)
		if source := mappings[i].EventSourceArn; strings.Contains(source, ":kinesis:") {
			findings = append(findings, s.examineSource(ctx, source))
		}
	}
	return findings
}

// examineSource asks for the stream that records come from.
func (s *settings) examineSource(ctx context.Context, stream string) finding {
	sdk, err := awsConfig(ctx)
	if err == nil {
		err = credentials(ctx, sdk)
	}
	if err != nil {
		return finding{note, "records", "whether " + stream + " is there cannot be seen: " + command.OneLine(err), command.Hint(err)}
	}
	sdk.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return s.reach(ctx, "records", "the mapping", "stream "+stream, func(ctx context.Context) error {
		return s.reachStream(ctx, sdk, stream)
	})
}

func (s *settings) examineMapping(m *sourceMapping) []finding {
	update := "aws lambda update-event-source-mapping --uuid " + m.UUID + " "
	findings := []finding{m.state(), s.reporting(m, update)}
	if m.BatchSize < 1 || m.BatchSize > limits.BatchRecords {
		findings = append(findings, finding{wrong, aboutMapping, fmt.Sprintf("a batch of %d records is none", m.BatchSize), update + "--batch-size 1000"})
	}
	if n := len(m.FilterCriteria.Filters); n > 0 {
		findings = append(findings, finding{note, aboutMapping, fmt.Sprintf("%d filters: what none of them takes is dropped, and is nowhere", n), ""})
	}
	if !strings.Contains(m.EventSourceArn, ":kinesis:") {
		return append(findings, finding{note, aboutMapping, "what is retried, and how long, is for the queue to say: " + m.EventSourceArn, ""})
	}
	if m.BisectBatchOnFunctionError {
		findings = append(findings, finding{fine, aboutMapping, "a batch that the worker dies of comes again in halves", ""})
	} else {
		findings = append(findings, finding{
			wrong, aboutMapping, "a batch that the worker dies of comes again as a whole: no bisecting", update + "--bisect-batch-on-function-error",
		})
	}
	findings = append(findings, s.retries(m, update), m.age(update))
	if to := m.DestinationConfig.OnFailure.Destination; to != "" {
		return append(findings, finding{fine, aboutMapping, "what it gives up is told to " + to, ""})
	}
	return append(findings, finding{
		wrong, aboutMapping, "what it gives up is gone: there is no destination", update + `--destination-config '{"OnFailure": {"Destination": "ARN of a queue or bucket"}}'`,
	})
}

// state is what the mapping is doing.
func (m *sourceMapping) state() finding {
	what := fmt.Sprintf("from %s to %s, batches of up to %d", cmp.Or(m.EventSourceArn, "nothing"), m.FunctionArn, m.BatchSize)
	switch {
	case m.State != "Enabled" && m.State != "":
		return finding{wrong, aboutMapping, what + ": it is " + strings.ToLower(m.State), "it hands over records when it is enabled: aws lambda update-event-source-mapping --uuid " + m.UUID + " --enabled"}
	case strings.Contains(m.LastProcessingResult, "PROBLEM"):
		return finding{wrong, aboutMapping, what + ": its last result is " + m.LastProcessingResult, "the function's log says why; deploy/README.md has the rights of the role"}
	}
	return finding{fine, aboutMapping, what, ""}
}

// reporting is whether the mapping reads what the worker reports, and the worker
// knows.
func (s *settings) reporting(m *sourceMapping, update string) finding {
	reads := slices.Contains(m.FunctionResponseTypes, "ReportBatchItemFailures")
	reports := strings.EqualFold(s.getenv("REPORT_BATCH_ITEM_FAILURES"), "true")
	const on = "--function-response-types ReportBatchItemFailures"
	switch {
	case reads && reports:
		return finding{fine, aboutMapping, "it reads which records are to come again", ""}
	case reads:
		return finding{
			wrong, aboutMapping, "it reads which records are to come again, and the worker does not know: it fails whole batches", "set REPORT_BATCH_ITEM_FAILURES to True",
		}
	case reports:
		return finding{wrong, aboutMapping, "the worker reports which records are to come again, and nobody reads it: they would be lost", update + on}
	}
	return finding{
		wrong, aboutMapping, "one record that is to come again brings its whole batch: ReportBatchItemFailures is off", update + on + ", and REPORT_BATCH_ITEM_FAILURES=True for the worker",
	}
}

// retries is whether their number suits the worker: with a place for dead letters
// what comes again can still succeed, without one it may never.
func (s *settings) retries(m *sourceMapping, update string) finding {
	letters := s.getenv("DEAD_LETTER") != ""
	n := -1
	if m.MaximumRetryAttempts != nil {
		n = *m.MaximumRetryAttempts
	}
	switch {
	case n < 0 && letters:
		return finding{fine, aboutMapping, "retries without end, until a record is too old: bad ones are dead letters", ""}
	case n < 0:
		return finding{
			wrong, aboutMapping, "retries without end, and no DEAD_LETTER: a bad record holds up its shard", "set DEAD_LETTER; or " + update + "--maximum-retry-attempts 5",
		}
	case letters:
		return finding{
			wrong, aboutMapping, fmt.Sprintf("it gives up after %d retries: good records as well, in an outage", n), update + "--maximum-retry-attempts -1, since bad ones are dead letters",
		}
	}
	return finding{fine, aboutMapping, fmt.Sprintf("it gives up after %d retries", n), ""}
}

// age is whether retries end.
func (m *sourceMapping) age(update string) finding {
	if m.MaximumRecordAgeInSeconds == nil || *m.MaximumRecordAgeInSeconds < 0 {
		return finding{
			wrong, aboutMapping, "no age is too old: what cannot be delivered holds up its shard until the stream drops it",
			update + fmt.Sprintf("--maximum-record-age-in-seconds %d", healthyAge),
		}
	}
	return finding{fine, aboutMapping, fmt.Sprintf("it gives up records that are %d s old", *m.MaximumRecordAgeInSeconds), ""}
}
