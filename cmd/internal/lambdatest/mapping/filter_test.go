package mapping

import (
	"strings"
	"testing"
	"testing/synctest"
)

// "Filter rule syntax", and "Using event filtering with a Kinesis event source".
func TestFilters(t *testing.T) {
	const record = `{"ride":{"zone":"Harlem","miles":3.5,"tags":["a","b"],"tip":null,"note":"","shared":true},"ride_id":7}`
	for _, tt := range []struct {
		sentence, pattern string
		data              string // "" for record
		want              bool
	}{
		{"equals: a string", `{"data":{"ride":{"zone":["Harlem"]}}}`, "", true},
		{"equals: another string", `{"data":{"ride":{"zone":["Bronx"]}}}`, "", false},
		{"or: any of a field's values", `{"data":{"ride":{"zone":["Bronx","Harlem"]}}}`, "", true},
		{"equals: a number is no string", `{"data":{"ride_id":["7"]}}`, "", false},
		{"equals: a number", `{"data":{"ride_id":[7]}}`, "", true},
		{"equals: true", `{"data":{"ride":{"shared":[true]}}}`, "", true},
		{"null", `{"data":{"ride":{"tip":[null]}}}`, "", true},
		{"null is not there: no null", `{"data":{"ride":{"none":[null]}}}`, "", false},
		{"empty", `{"data":{"ride":{"note":[""]}}}`, "", true},
		{"equals, ignoring case", `{"data":{"ride":{"zone":[{"equals-ignore-case":"hARLEM"}]}}}`, "", true},
		{"and: several fields", `{"data":{"ride":{"zone":["Harlem"],"miles":[3]}}}`, "", false},
		{"or: several fields", `{"data":{"$or":[{"ride_id":[1]},{"ride":{"miles":[3.5]}}]}}`, "", true},
		{"or: none of several fields", `{"data":{"$or":[{"ride_id":[1]},{"ride":{"miles":[4]}}]}}`, "", false},
		{"not: anything but a list", `{"data":{"ride":{"zone":[{"anything-but":["Bronx","Queens"]}]}}}`, "", true},
		{"not: anything but one", `{"data":{"ride":{"zone":[{"anything-but":"Harlem"}]}}}`, "", false},
		{"not: it has to be there", `{"data":{"ride":{"none":[{"anything-but":"x"}]}}}`, "", false},
		{"not: anything but a prefix", `{"data":{"ride":{"zone":[{"anything-but":{"prefix":"Har"}}]}}}`, "", false},
		{"numeric: equals", `{"data":{"ride":{"miles":[{"numeric":["=",3.5]}]}}}`, "", true},
		{"numeric: a range", `{"data":{"ride":{"miles":[{"numeric":[">",3,"<=",3.5]}]}}}`, "", true},
		{"numeric: outside a range", `{"data":{"ride":{"miles":[{"numeric":[">=",3.6,"<",10]}]}}}`, "", false},
		{"numeric: no number", `{"data":{"ride":{"zone":[{"numeric":[">",0]}]}}}`, "", false},
		{"exists", `{"data":{"ride":{"zone":[{"exists":true}]}}}`, "", true},
		{"does not exist", `{"data":{"ride":{"none":[{"exists":false}]}}}`, "", true},
		{"exists works only on leaf nodes", `{"data":{"ride":[{"exists":true}]}}`, "", false},
		{"begins with", `{"data":{"ride":{"zone":[{"prefix":"Har"}]}}}`, "", true},
		{"ends with", `{"data":{"ride":{"zone":[{"suffix":"lem"}]}}}`, "", true},
		{"ends with something else", `{"data":{"ride":{"zone":[{"suffix":"Har"}]}}}`, "", false},
		{"a list has one of them", `{"data":{"ride":{"tags":["b"]}}}`, "", true},
		{"non-JSON data and a JSON pattern: Lambda drops the record", `{"data":{"ride":{"zone":[{"exists":false}]}}}`, "Harlem", false},
		{"JSON with something behind it is none", `{"data":{"ride_id":[7]}}`, record + "x", false},
	} {
		f, err := parseFilter(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.sentence, err)
			continue
		}
		data := record
		if tt.data != "" {
			data = tt.data
		}
		if got := (&Mapping{filters: []filter{f}}).wanted([]byte(data)); got != tt.want {
			t.Errorf("%s: %v", tt.sentence, got)
		}
	}
}

// "If a record satisfies one or more of your filters, Lambda includes the record in the next event it sends to your function. If none of your
// filters are satisfied, Lambda discards the record." Nobody is told of it, and the checkpoint passes it.
func TestFilteredRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &trial{stream: newFakeStream(), function: ok, config: Config{FilterCriteria: []string{`{"data":{"v":[1]}}`, `{"data":{"v":[4]}}`}}}
		for id, data := range map[string]string{"a": `{"v":1}`, "b": `{"v":2}`, "c": "none", "d": `{"v":4}`, "e": `{"v":1}`} {
			tr.stream.records["shard"] = append(tr.stream.records["shard"], Record{SequenceNumber: id, Data: []byte(data)})
		}
		tr.stream.add("shard")
		sortRecords(tr.stream.records["shard"])
		tr.stream.end("shard")
		if err := tr.run(t, t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(tr.invoked, " "); got != "ade" || tr.progress.Filtered != 2 || tr.progress.Delivered != 3 || len(tr.discarded) > 0 {
			t.Errorf("invoked with %s; %+v", got, tr.progress)
		}
	})
}

// "Kinesis event source mappings only support filtering on the data key." A pattern that is none is an error when the mapping is made.
func TestFiltersThatAreNone(t *testing.T) {
	for _, pattern := range []string{
		``, `[]`, `{}`, `{"partitionKey":["1"]}`, `{"data":["x"]}`, `{"data":{"a":1}}`, `{"data":{"a":[[1]]}}`, `{"data":{"a":[{"wildcard":"x"}]}}`,
		`{"data":{"$or":[1]}}`, `{"data":{"a":[{"prefix":"x","suffix":"y"}]}}`,
	} {
		if err := (Config{FilterCriteria: []string{pattern}}).Validate(); err == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
	if err := (Config{FilterCriteria: make([]string, 6)}).Validate(); err == nil {
		t.Error("six filters are taken")
	}
}
