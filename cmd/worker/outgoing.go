package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/sink"
)

// readOutgoing reads how predictions leave.
func (c *config) readOutgoing(getenv func(string) string) (err error) {
	if c.outgoing.Newline, err = isTrue("OUTPUT_NEWLINE", getenv("OUTPUT_NEWLINE")); err != nil {
		return err
	}
	if c.outgoing.Meta, err = isTrue("OUTPUT_META", getenv("OUTPUT_META")); err != nil {
		return err
	}
	switch order := getenv("ORDERED"); order {
	case "", "off":
	case "key":
		c.outgoing.Ordered = true
	default:
		return hint.With(fmt.Errorf("ORDERED: %q is no order", order), "it is off, or key: a key's predictions leave in the order of its records")
	}
	format, number, hasNumber := strings.Cut(getenv("OUTPUT_AGGREGATION"), ":")
	if format == "" && !hasNumber || format == "off" && !hasNumber {
		return nil
	}
	parts := sink.DefaultParts
	if hasNumber {
		parts, err = strconv.Atoi(number)
	}
	if format != "kpl" || err != nil {
		return hint.With(fmt.Errorf("OUTPUT_AGGREGATION: %q is no way to aggregate", getenv("OUTPUT_AGGREGATION")),
			"it is off, kpl, or kpl:N for a stream of N shards")
	}
	aggregator, err := sink.NewAggregator(parts)
	if err != nil {
		return fmt.Errorf("OUTPUT_AGGREGATION: %w", err)
	}
	c.outgoing.Pack = aggregator.Pack
	return nil
}

// isTrue reads a variable that is True or False; it is False unless it is set.
func isTrue(name, value string) (bool, error) {
	if value == "" {
		return false, nil
	}
	is, err := strconv.ParseBool(value)
	if err != nil {
		return false, hint.With(fmt.Errorf("%s is %q", name, value), "it is True or False")
	}
	return is, nil
}
