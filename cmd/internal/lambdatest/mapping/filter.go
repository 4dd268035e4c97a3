package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A filter is a pattern of FilterCriteria: a rule for each field of a record's data that it names.
type filter struct{ fields map[string]any }

// Errors of patterns.
var (
	errNoData    = errors.New("a Kinesis mapping filters on the data key, and on no other")
	errNoPattern = errors.New("a field has a list of what it may be, or an object of fields")
)

// parseFilter reads a pattern.
func parseFilter(pattern string) (filter, error) {
	var whole map[string]any
	if err := json.Unmarshal([]byte(pattern), &whole); err != nil {
		return filter{}, fmt.Errorf("it is no JSON object: %w", err)
	}
	data, ok := whole["data"].(map[string]any)
	if !ok || len(whole) != 1 {
		return filter{}, errNoData
	}
	return filter{data}, checkPattern(data)
}

func checkPattern(fields map[string]any) error {
	for name, rule := range fields {
		switch rule := rule.(type) {
		case map[string]any:
			if err := checkPattern(rule); err != nil {
				return err
			}
		case []any:
			for _, one := range rule {
				object, ok := one.(map[string]any)
				if !ok {
					if _, nested := one.([]any); nested || name == "$or" {
						return fmt.Errorf("%s: %w", name, errNoPattern)
					}
					continue
				}
				if name == "$or" {
					if err := checkPattern(object); err != nil {
						return err
					}
					continue
				}
				for operator := range object {
					if !isOperator(operator) || len(object) != 1 {
						return fmt.Errorf("%s: there is no rule %q", name, operator)
					}
				}
			}
		default:
			return fmt.Errorf("%s: %w", name, errNoPattern)
		}
	}
	return nil
}

func isOperator(name string) bool {
	switch name {
	case "exists", "prefix", "suffix", "equals-ignore-case", "anything-but", "numeric":
		return true
	}
	return false
}

// wanted reports whether a record passes: one filter that it matches is enough. Data that is no JSON object matches none.
func (m *Mapping) wanted(data []byte) bool {
	if len(m.filters) == 0 {
		return true
	}
	var document map[string]any
	if json.Unmarshal(data, &document) != nil {
		return false
	}
	for _, f := range m.filters {
		if matches(f.fields, document) {
			return true
		}
	}
	return false
}

// matches reports whether every field has what the pattern says.
func matches(fields, document map[string]any) bool {
	for name, rule := range fields {
		value, there := document[name]
		switch rule := rule.(type) {
		case map[string]any:
			inner, _ := value.(map[string]any) // none of an object's fields is in anything else
			if !matches(rule, inner) {
				return false
			}
		case []any:
			if name == "$or" {
				if !slices.ContainsFunc(rule, func(one any) bool { return matches(one.(map[string]any), document) }) {
					return false
				}
				continue
			}
			if !slices.ContainsFunc(rule, func(one any) bool { return matchesOne(one, value, there) }) {
				return false
			}
		}
	}
	return true
}

// matchesOne reports whether a value is as one rule says. Of a list one element has to be.
func matchesOne(rule, value any, there bool) bool {
	operator, isOperator := rule.(map[string]any)
	if exists, ok := operator["exists"].(bool); ok {
		_, node := value.(map[string]any) // only leaves exist
		return (there && !node) == exists
	}
	if !there {
		return false
	}
	if list, ok := value.([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return matchesOne(rule, one, true) })
	}
	if !isOperator {
		return rule == value
	}
	text, isText := value.(string)
	switch {
	case operator["prefix"] != nil:
		return isText && strings.HasPrefix(text, textOf(operator["prefix"]))
	case operator["suffix"] != nil:
		return isText && strings.HasSuffix(text, textOf(operator["suffix"]))
	case operator["equals-ignore-case"] != nil:
		return isText && strings.EqualFold(text, textOf(operator["equals-ignore-case"]))
	case operator["numeric"] != nil:
		number, ok := value.(float64)
		return ok && inRange(operator["numeric"], number)
	}
	but, isList := operator["anything-but"].([]any)
	if !isList {
		but = []any{operator["anything-but"]}
	}
	return !slices.ContainsFunc(but, func(one any) bool { return matchesOne(one, value, true) })
}

func textOf(v any) string {
	s, _ := v.(string) // anything else is of no text
	return s
}

// inRange reports whether a number satisfies pairs of comparison and bound.
func inRange(rule any, number float64) bool {
	pairs, _ := rule.([]any) // no list has no pairs
	for i := 0; i+1 < len(pairs); i += 2 {
		bound, ok := pairs[i+1].(float64)
		if !ok {
			return false
		}
		switch pairs[i] {
		case "=":
			ok = number == bound
		case "<":
			ok = number < bound
		case "<=":
			ok = number <= bound
		case ">":
			ok = number > bound
		case ">=":
			ok = number >= bound
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return len(pairs) > 0 && len(pairs)%2 == 0
}
