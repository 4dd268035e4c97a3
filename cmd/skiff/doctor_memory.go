package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

// What the worker takes, in MB, by what the tests of its limits measure and hold it
// to: beside the loaded bundle 64 for the largest event, 6 MB in 10,000 records,
// whatever the batch size; and 310 in all for records that hold 180,000 documents,
// compressed or in aggregates, for which 512 are advised.
const (
	eventMemory = 64
	manyMemory  = 512
	leastMemory = 128 // that Lambda has
)

// memory is whether the function's memory is enough, given what the worker took at
// most to load and prove its bundle here, in MB, or 0 where that is not known.
func (s *settings) memory(proof int, given int) finding {
	const subject = "memory"
	atOnce := 1
	if n, err := strconv.Atoi(s.getenv("AWS_LAMBDA_MAX_CONCURRENCY")); err == nil && n > 1 {
		atOnce = n
	}
	if given == 0 {
		given, _ = strconv.Atoi(s.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")) // 0: it is not known
	}
	if proof == 0 {
		return finding{note, subject, "what the bundle takes cannot be seen: it is not proved", ""}
	}
	need := max(leastMemory, proof+eventMemory*atOnce)
	why := fmt.Sprintf("the bundle took %d MB here, the largest event takes up to %d more, of any batch size", proof, eventMemory*atOnce)
	switch {
	case given == 0:
		return finding{note, subject, "the function's cannot be seen here; it needs " + strconv.Itoa(need) + " MB: " + why, "--memory MB looks whether so many are enough"}
	case given < need:
		return finding{wrong, subject, fmt.Sprintf("%d MB are too little: %s", given, why), fmt.Sprintf("give it %d MB, or %d", need, max(need, manyMemory))}
	case given < manyMemory:
		return finding{
			note, subject, fmt.Sprintf("%d MB are enough for plain records: %s", given, why),
			fmt.Sprintf("give it %d MB where records are compressed or aggregates, of 100,000 documents and more", manyMemory),
		}
	}
	return finding{fine, subject, fmt.Sprintf("%d MB: %s", given, why), ""}
}

// peak returns the most memory that a process had, in MB, or 0 where the system
// does not say.
func peak(ended *os.ProcessState) int {
	if ended == nil {
		return 0
	}
	used, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	unit := int64(1 << 10) // of Linux: KB
	if runtime.GOOS == "darwin" {
		unit = 1 << 20
	}
	return int((used.Maxrss + unit - 1) / unit)
}
