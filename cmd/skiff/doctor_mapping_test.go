package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asDeployed is the mapping of deploy/template.yaml, as Lambda lists it.
const asDeployed = `{"UUID": "u-1", "EventSourceArn": "arn:aws:kinesis:us-east-1:1:stream/rides", "FunctionArn": "arn:f", "State": "Enabled",
"LastProcessingResult": "OK", "BatchSize": 1000, "FunctionResponseTypes": ["ReportBatchItemFailures"], "BisectBatchOnFunctionError": true,
"MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": 21600, "DestinationConfig": {"OnFailure": {"Destination": "arn:q"}}}`

func TestMapping(t *testing.T) {
	cloud(t)
	with := func(was, is string) string {
		if !strings.Contains(asDeployed, was) {
			t.Fatalf("no %s", was)
		}
		return strings.Replace(asDeployed, was, is, 1)
	}
	variables := map[string]string{"REPORT_BATCH_ITEM_FAILURES": "True", "DEAD_LETTER": "sqs://letters"}
	for _, tt := range []struct {
		name, mapping string
		variables     map[string]string
		want          string // what is wrong; "" is nothing
		hint          string
	}{
		{"as deployed", asDeployed, variables, "", ""},
		{"a list", `{"EventSourceMappings": [` + asDeployed + `]}`, variables, "", ""},
		{"none", `{"EventSourceMappings": []}`, variables, "the function has no event source mapping", "create-event-source-mapping"},
		{"another document", `{"a": 1}`, variables, "that is no event source mapping", "list-event-source-mappings"},
		{"no JSON", `rubbish`, variables, "reading the mapping: ", "list-event-source-mappings"},
		{"disabled", with(`"Enabled"`, `"Disabled"`), variables, "it is disabled", "--uuid u-1 --enabled"},
		{"no rights", with(`"OK"`, `"PROBLEM: access denied"`), variables, "its last result is PROBLEM: access denied", "the function's log"},
		{"nobody reads", with(`["ReportBatchItemFailures"]`, `[]`), variables, "nobody reads it: they would be lost", "--function-response-types ReportBatchItemFailures"},
		{"nobody reports", asDeployed, map[string]string{"DEAD_LETTER": "sqs://l"}, "the worker does not know", "set REPORT_BATCH_ITEM_FAILURES to True"},
		{"neither", with(`["ReportBatchItemFailures"]`, `[]`), map[string]string{"DEAD_LETTER": "sqs://l"}, "ReportBatchItemFailures is off", "--function-response-types"},
		{"bisect", with(`"BisectBatchOnFunctionError": true`, `"BisectBatchOnFunctionError": false`), variables, "no bisecting", "--bisect-batch-on-function-error"},
		{"retries", with(`"MaximumRetryAttempts": -1`, `"MaximumRetryAttempts": 5`), variables, "gives up after 5 retries: good records", "--maximum-retry-attempts -1"},
		{"no letters", asDeployed, map[string]string{"REPORT_BATCH_ITEM_FAILURES": "true"}, "a bad record holds up its shard", "set DEAD_LETTER"},
		{"age", with(`"MaximumRecordAgeInSeconds": 21600`, `"MaximumRecordAgeInSeconds": -1`), variables, "no age is too old", "--maximum-record-age-in-seconds 21600"},
		{"no age", with(`"MaximumRecordAgeInSeconds": 21600, `, ``), variables, "no age is too old", "--maximum-record-age-in-seconds 21600"},
		{"no destination", with(`"arn:q"`, `""`), variables, "what it gives up is gone", "--destination-config"},
		{"no stream", with("stream/rides", "stream/missing"), variables, "stream arn:aws:kinesis:us-east-1:1:stream/missing is not there", "correct the mapping"},
		{"batch", with(`1000`, `0`), variables, "a batch of 0 records is none", "--batch-size"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &settings{stdin: strings.NewReader(tt.mapping), getenv: func(name string) string { return tt.variables[name] }}
			found := 0
			for _, f := range s.examineMappings(t.Context(), "-") {
				if f.verdict != wrong {
					continue
				}
				found++
				if tt.want == "" || !strings.Contains(f.says, tt.want) || !strings.Contains(f.hint, tt.hint) {
					t.Errorf("wrong: %s; hint: %s", f.says, f.hint)
				}
			}
			if found != 1 && tt.want != "" {
				t.Errorf("%d are wrong", found)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "mapping.json")
	queue := `{"EventSourceArn": "arn:aws:sqs:us-east-1:1:q", "BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"], "FilterCriteria": {"Filters": [{}]}}`
	if err := os.WriteFile(file, []byte(queue), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &settings{getenv: func(name string) string { return variables[name] }}
	if got := s.examineMappings(t.Context(), file); len(got) != 4 || got[2].verdict != note || got[3].verdict != note {
		t.Errorf("a queue's: %+v", got)
	}
	if got := s.examineMappings(t.Context(), file+"x"); len(got) != 1 || got[0].verdict != wrong {
		t.Errorf("no file: %+v", got)
	}
}

func TestMemory(t *testing.T) {
	for _, tt := range []struct {
		proof, given int
		variables    map[string]string
		want         string
	}{
		{55, 128, nil, "note 128 MB are enough for plain records"},
		{70, 128, nil, "wrong 128 MB are too little: the bundle took 70 MB here, the largest event takes up to 64 more"},
		{55, 512, nil, "ok 512 MB: "},
		{55, 0, map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}, "ok 512 MB: "},
		{55, 256, map[string]string{"AWS_LAMBDA_MAX_CONCURRENCY": "4"}, "wrong 256 MB are too little"},
		{55, 0, nil, "note the function's cannot be seen here; it needs 128 MB"},
		{500, 0, nil, "note the function's cannot be seen here; it needs 564 MB"},
		{0, 512, nil, "note what the bundle takes cannot be seen"},
	} {
		s := &settings{getenv: func(name string) string { return tt.variables[name] }}
		f := s.memory(tt.proof, tt.given)
		if got := f.verdict + " " + f.says; !strings.HasPrefix(got, tt.want) || f.verdict == wrong && f.hint == "" {
			t.Errorf("%d of %d MB: %s; hint: %s", tt.proof, tt.given, got, f.hint)
		}
	}
	if peak(nil) != 0 {
		t.Error("no process takes something")
	}
}

// Without a region, or credentials, the settings are looked at all the same.
func TestMappingAlone(t *testing.T) {
	cloud(t)
	t.Setenv("AWS_REGION", "")
	s := &settings{stdin: strings.NewReader(asDeployed), getenv: func(string) string { return "" }}
	got := s.examineMappings(t.Context(), "-")
	if last := got[len(got)-1]; len(got) < 5 || last.verdict != note || last.subject != "records" || last.hint == "" {
		t.Errorf("got %+v", got)
	}
}
