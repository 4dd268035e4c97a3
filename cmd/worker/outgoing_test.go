package main

import (
	"testing"

	"github.com/skiff-ml/skiff/inference/hint"
)

func TestHowPredictionsLeave(t *testing.T) {
	for value, aggregates := range map[string]bool{"": false, "off": false, "kpl": true, "kpl:1": true, "kpl:64": true} {
		c, err := readConfig(environment("OUTPUT_AGGREGATION", value))
		if err != nil || (c.outgoing.Pack != nil) != aggregates || c.outgoing.Newline {
			t.Errorf("%s: %+v, %v", value, c, err)
		}
	}
	for value, want := range map[string]bool{"": false, "True": true, "False": false, "1": true} {
		if c, err := readConfig(environment("OUTPUT_NEWLINE", value)); err != nil || c.outgoing.Newline != want {
			t.Errorf("%s: %v", value, err)
		}
	}
	c, err := readConfig(environment("OUTPUT_META", "True", "ORDERED", "key"))
	if err != nil || !c.outgoing.Meta || !c.outgoing.Ordered || c.outgoing.Pack != nil {
		t.Errorf("%+v, %v", c, err)
	}
	for _, variable := range []string{"OUTPUT_NEWLINE", "OUTPUT_META", "TEST_RUN", "REPORT_BATCH_ITEM_FAILURES"} {
		if _, err := readConfig(environment(variable, "perhaps")); err == nil || err.Error() != variable+` is "perhaps"` || hint.Of(err) == "" {
			t.Errorf("%s: %v", variable, err)
		}
	}
}
