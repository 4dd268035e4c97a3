package taxi

import (
	"path/filepath"

	"github.com/skiff-ml/skiff/inference/hint"
)

// Records returns the first n rides of 2019 as records of the stream. The
// working folder is the project's.
func Records(n int) ([][]byte, error) {
	rides, err := ReadRides(filepath.Join("models", "taxi", "rides.parquet"), n)
	if err != nil {
		return nil, hint.With(err, "run it in the project's folder")
	}
	records := make([][]byte, len(rides))
	for i, ride := range rides {
		if records[i], err = ride.Record(i); err != nil {
			return nil, err
		}
	}
	return records, nil
}
