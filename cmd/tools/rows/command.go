package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"github.com/skiff-ml/skiff/cmd/internal/command"
	"github.com/skiff-ml/skiff/inference/hint"
)

const usage = `Usage: rows [-count] [-skip N] [-want PATHS [-number PATH]] FILE.parquet

Writes the rows of a parquet file to stdout, each a JSON object on a line. Numbers
read back to the same bits, groups are objects, lists are arrays, null is null.

  -count        print how many rows there are, and nothing else
  -skip N       leave out the first N rows
  -want PATHS   only these, a JSON list of paths, each a list of keys. A column may
                have a path's place, or its name with dots, or that of its last key
  -number PATH  the path, a list of keys, that has the row's number, from 1 on,
                where the file has no column for it

Example:
  rows -want '[["ride", "trip_distance"]]' -number '["ride_id"]' rides.parquet
`

// readBuffer is how much is read of a column's file at a time, in bytes.
const readBuffer = 256 << 10

// run is the command.
func run(args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("rows", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	count := flags.Bool("count", false, "")
	skip := flags.Int64("skip", 0, "")
	var wanted [][]string
	var number []string
	flags.Func("want", "", func(s string) error { return json.Unmarshal([]byte(s), &wanted) })
	flags.Func("number", "", func(s string) error { return json.Unmarshal([]byte(s), &number) })
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stderr, usage)
		return err
	case err != nil:
		return command.Usage("rows", err)
	case flags.NArg() != 1 || *skip < 0:
		return command.Usage("rows", errors.New("it takes a file, and skips no less than 0 rows"))
	}
	name := flags.Arg(0)
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("%v", why)
		}
		if err != nil {
			err = fmt.Errorf("reading %s: %w", name, err)
		}
	}()
	file, size, err := openFile(name)
	if err != nil {
		return err
	}
	defer file.Close()
	// A column's pages are read one by one, whatever the size of a row group.
	f, err := parquet.OpenFile(file, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true), parquet.ReadBufferSize(readBuffer))
	if err != nil {
		return hint.With(fmt.Errorf("it is no parquet file, or damaged: %w", err), "a parquet file begins and ends with PAR1")
	}
	if *count {
		_, err := fmt.Fprintln(stdout, f.NumRows())
		return err
	}
	t, err := newTable(f, wanted, number)
	if err != nil {
		return err
	}
	defer t.close()
	w := bufio.NewWriterSize(stdout, 1<<18)
	if err := t.write(w, *skip); err != nil {
		return errors.Join(err, w.Flush()) // those before are good
	}
	return w.Flush()
}

func openFile(name string) (*os.File, int64, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}
