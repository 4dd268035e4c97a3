package taxi

import (
	"encoding/json"
	"fmt"
	"os"
)

// ReadRuns reads the ids of the shipped runs, by the kind of their model: linear, forest.
func ReadRuns(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the shipped runs: %w", err)
	}
	var runs map[string]string
	if err := json.Unmarshal(data, &runs); err != nil {
		return nil, fmt.Errorf("reading the shipped runs: %s: %w", file, err)
	}
	return runs, nil
}
