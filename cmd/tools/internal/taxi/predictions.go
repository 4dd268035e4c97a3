package taxi

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// ReadPredictions reads the original pipeline's predictions (minutes), at most n: the column named after the run, row by row those of the rides
// of 2019. There are none, and no error, when the file has no such column.
func ReadPredictions(file, runID string, n int) ([]float64, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading predictions: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading predictions: %w", err)
	}
	p, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	column, found := p.Schema().Lookup(runID)
	if !found {
		return nil, nil
	}
	if column.Node.Type().Kind() != parquet.Double {
		return nil, fmt.Errorf("reading %s: column %s is not float64", file, runID)
	}
	var predictions []float64
	for _, group := range p.RowGroups() {
		if predictions, err = appendColumn(predictions, n, group.ColumnChunks()[column.ColumnIndex]); err != nil {
			return nil, fmt.Errorf("reading column %s of %s: %w", runID, file, err)
		}
	}
	return predictions, nil
}

// appendColumn appends a chunk's values until there are n.
func appendColumn(to []float64, n int, chunk parquet.ColumnChunk) ([]float64, error) {
	pages := chunk.Pages()
	defer func() { _ = pages.Close() }()
	values := make([]parquet.Value, readRows)
	for len(to) < n {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return to, nil
		}
		if err != nil {
			return to, err
		}
		for reader := page.Values(); err == nil; {
			var got int
			got, err = reader.ReadValues(values)
			for _, v := range values[:min(got, n-len(to))] {
				if v.IsNull() {
					return to, fmt.Errorf("row %d is null", len(to))
				}
				to = append(to, v.Double())
			}
		}
		parquet.Release(page)
		if !errors.Is(err, io.EOF) {
			return to, err
		}
	}
	return to, nil
}
