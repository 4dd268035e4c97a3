package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// A distributedMap is what there is of Step Functions' distributed map in
// deploy/backfill.asl.json, by the Amazon States Language; with any other field
// it is not read.
type distributedMap struct {
	Comment, StartAt string
	States           map[string]struct {
		Type, Label string
		ItemReader  struct {
			Resource   string
			Parameters map[string]string
		}
		ItemSelector map[string]string
		ItemBatcher  struct {
			MaxItemsPerBatch int
			BatchInput       map[string]string
		}
		MaxConcurrency int
		ResultWriter   struct {
			Resource   string
			Parameters map[string]string
		}
		ItemProcessor struct {
			ProcessorConfig struct{ Mode, ExecutionType string }
			StartAt         string
			States          map[string]struct {
				Type, Resource string
				Parameters     map[string]string
				OutputPath     string
				Retry          []struct {
					ErrorEquals                  []string
					IntervalSeconds, MaxAttempts int
					BackoffRate                  float64
					JitterStrategy               string
				}
				End bool
			}
		}
		End bool
	}
}

func readMap(t *testing.T) *distributedMap {
	t.Helper()
	var m distributedMap
	d := json.NewDecoder(bytes.NewReader(readFile(t, "../../deploy/backfill.asl.json")))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return &m
}

// shardOf is what the distributed map hands to the worker for these keys, as the
// Step Functions Developer Guide has it under "ItemReader", "ItemSelector" and
// "ItemBatcher": each item by the selector, the batch with its input.
func shardOf(t *testing.T, input string, keys ...string) []byte {
	t.Helper()
	m := readMap(t)
	files, ok := m.States[m.StartAt]
	task, has := files.ItemProcessor.States[files.ItemProcessor.StartAt]
	if !ok || !has || files.Type != "Map" || files.ItemProcessor.ProcessorConfig.Mode != "DISTRIBUTED" || !files.End || !task.End ||
		task.Parameters["Payload.$"] != "$" || task.Resource != "arn:aws:states:::lambda:invoke" || files.ItemReader.Resource != "arn:aws:states:::s3:listObjectsV2" {
		t.Fatalf("%+v", m)
	}
	if len(keys) > files.ItemBatcher.MaxItemsPerBatch {
		t.Fatalf("%d are two batches", len(keys))
	}
	given := jsonOf(t, input)
	var items []map[string]any
	for _, key := range keys {
		item, err := json.Marshal(map[string]any{"Map": map[string]any{"Item": map[string]any{"Value": map[string]any{"Key": key, "Size": 1, "Etag": `"x"`}}}})
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, evaluate(t, files.ItemSelector, given, jsonOf(t, string(item))))
	}
	batch := map[string]any{"Items": items, "BatchInput": evaluate(t, files.ItemBatcher.BatchInput, given, nil)}
	payload, err := json.Marshal(batch)
	if err != nil {
		t.Fatal(err)
	}
	if name := evaluate(t, map[string]string{"f.$": task.Parameters["FunctionName.$"]}, jsonOf(t, string(payload)), nil); name["f"] != "rides-backfill" {
		t.Errorf("it invokes %v", name)
	}
	return payload
}

func jsonOf(t *testing.T, text string) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

var format = regexp.MustCompile(`^States\.Format\('([^']*)', (.*)\)$`)

// evaluate is a payload template of paths and States.Format.
func evaluate(t *testing.T, template map[string]string, input, context map[string]any) map[string]any {
	t.Helper()
	at := func(path string) any {
		var v any = input
		rest, ok := strings.CutPrefix(path, "$.")
		if inContext, is := strings.CutPrefix(path, "$$."); is {
			v, rest, ok = context, inContext, true
		}
		if !ok {
			t.Fatalf("%s is no path", path)
		}
		for key := range strings.SplitSeq(rest, ".") {
			object, _ := v.(map[string]any)
			if v, ok = object[key]; !ok {
				t.Fatalf("there is nothing at %s", path)
			}
		}
		return v
	}
	all := map[string]any{}
	for key, expression := range template {
		name, ok := strings.CutSuffix(key, ".$")
		if !ok {
			t.Fatalf("%s is a constant", key)
		}
		if f := format.FindStringSubmatch(expression); f != nil {
			text := f[1]
			for path := range strings.SplitSeq(f[2], ", ") {
				text = strings.Replace(text, "{}", fmt.Sprint(at(path)), 1)
			}
			all[name] = text
			continue
		}
		all[name] = at(expression)
	}
	return all
}

const mapInput = `{"function": "rides-backfill", "from": {"bucket": "rides", "prefix": "in/"}, "to": {"bucket": "rides", "prefix": "out/"}}`

// What the guide's distributed map hands over is what the worker takes.
func TestTheDistributedMapIsTaken(t *testing.T) {
	f := newFiles3(t)
	f.objects["/rides/in/2019/01.jsonl"], f.objects["/rides/in/2019/02.jsonl"] = rideLines(3), rideLines(4)
	s := newScorer(t, f)
	answer, err := s.Invoke(t.Context(), shardOf(t, mapInput, "in/2019/", "in/2019/01.jsonl", "in/2019/02.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Scored []summary }
	if err := json.Unmarshal(answer, &got); err != nil || len(got.Scored) != 2 || got.Scored[1].Predicted != 4 ||
		got.Scored[0].Predictions != "s3://rides/out/in/2019/01.jsonl.predictions.jsonl" {
		t.Errorf("%s, %v", answer, err)
	}
	if bytes.Count(f.objects["/rides/out/in/2019/02.jsonl.predictions.jsonl"], []byte("\n")) != 4 {
		t.Errorf("there are %v", f.names())
	}
	m := readMap(t)
	files := m.States[m.StartAt]
	for _, template := range []map[string]string{files.ItemReader.Parameters, files.ResultWriter.Parameters} {
		if where := evaluate(t, template, jsonOf(t, mapInput), nil); where["Bucket"] != "rides" || where["Prefix"] == "" {
			t.Errorf("%v", where)
		}
	}
}
