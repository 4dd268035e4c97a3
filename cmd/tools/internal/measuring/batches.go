package measuring

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/inference/limits"
)

// ReadBatches reads the -batch flag, batch sizes with commas between them, and
// returns each once, in ascending order.
func ReadBatches(flag string) ([]int, error) {
	var batches []int
	for word := range strings.SplitSeq(flag, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 || n > limits.BatchRecords {
			return nil, fmt.Errorf("-batch %s: a batch size is a whole number from 1 to %d", flag, limits.BatchRecords)
		}
		batches = append(batches, n)
	}
	slices.Sort(batches)
	return slices.Compact(batches), nil
}
