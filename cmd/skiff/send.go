package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/spf13/cobra"

	"github.com/skiff-ml/skiff/cmd/internal/puts"
	"github.com/skiff-ml/skiff/inference/hint"
	"github.com/skiff-ml/skiff/inference/limits"
)

func (s *settings) send() *cobra.Command {
	var of flowOf
	stream, id := "", ""
	cmd := &cobra.Command{
		Use: "send RECORD | FILE | -", Short: "Put records on a stream", Args: cobra.ExactArgs(1),
		Long: `Puts records on a stream. RECORD is a JSON document or a list of them, FILE has a record a line, - reads lines from stdin and puts them on as they
come. Lines are sent as they are, even those that are no JSON; empty ones are not. A record's partition key is its id, where the model's
feature spec says or --id names one, else a random one.

` + aboutFlow,
		Example: `  skiff send '{"ride": {"PULocationID": 236, "DOLocationID": 162, "trip_distance": 2.28}, "ride_id": 156}'
  skiff send rides.jsonl
  skiff send - --aws --stream start-ride-events --id ride_id < rides.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			lines, closeLines, err := s.linesOf(args[0])
			if err != nil {
				return err
			}
			defer closeLines()
			f, err := s.flow(cmd.Context(), &of)
			if err != nil {
				return err
			}
			if stream == "" {
				stream = f.records
			}
			if id != "" {
				f.id = strings.Split(id, ".")
			}
			to := &sender{client: f.kinesis(stream), stream: stream, id: f.id}
			err = to.sendAll(cmd.Context(), lines)
			if err != nil {
				return fmt.Errorf("%d records are on %s, and then: %w", to.put, stream, err)
			}
			records := "records are"
			if to.put == 1 {
				records = "record is"
			}
			_, err = fmt.Fprintf(s.stdout, "%d %s on %s\n", to.put, records, stream)
			return err
		},
	}
	cmd.Flags().StringVar(&stream, "stream", "", "the stream, by its name or ARN (default: start-ride-events)")
	cmd.Flags().StringVar(&id, "id", "", "where a record has the id that its partition key is: keys, with dots between them")
	of.flags(cmd)
	return cmd
}

// linesOf returns lines of records: of a file that is named, of stdin, or of a JSON
// document or a list of them.
func (s *settings) linesOf(named string) (lines io.Reader, closeLines func(), err error) {
	switch {
	case named == "-":
		return s.stdin, func() {}, nil
	case json.Valid([]byte(named)) || strings.HasPrefix(strings.TrimSpace(named), "{"):
		lines, err := asLines(named)
		return bytes.NewReader(lines), func() {}, err
	}
	file, err := os.Open(named)
	if err != nil {
		return nil, nil, hint.With(err, "is it a record? Then it is a JSON document; what is none goes by stdin: skiff send -")
	}
	return file, func() { _ = file.Close() }, nil
}

// A sender puts lines on a stream.
type sender struct {
	client *kinesis.Client
	stream string
	id     []string
	put    int // records, so far
}

// sendAll puts each line of r on the stream: as many at once as there are, and as
// a call takes.
func (to *sender) sendAll(ctx context.Context, r io.Reader) error {
	const buffered = 1 << 16
	lines := bufio.NewReaderSize(r, buffered)
	var entries []types.PutRecordsRequestEntry
	size := 0
	flush := func() error {
		if len(entries) == 0 {
			return nil
		}
		if err := puts.Put(ctx, to.client, to.stream, entries); err != nil {
			return err
		}
		to.put += len(entries)
		entries, size = nil, 0
		return nil
	}
	for {
		line, err := lines.ReadBytes('\n')
		if record := bytes.TrimRight(line, "\r\n"); len(bytes.TrimSpace(record)) > 0 {
			if !puts.Fits(len(entries), size+len(record)) {
				if err := flush(); err != nil {
					return err
				}
			}
			entries = append(entries, types.PutRecordsRequestEntry{Data: record, PartitionKey: aws.String(keyOf(record, to.id))})
			size += len(record)
		}
		switch {
		case errors.Is(err, io.EOF):
			return flush()
		case err != nil:
			return err
		case lines.Buffered() == 0: // whoever writes them may wait for what comes of these
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// keyOf returns the partition key of a record: its id, a text or a number at the
// end of those keys, or a random one.
func keyOf(record []byte, id []string) string {
	value := json.RawMessage(record)
	for _, key := range id {
		var object map[string]json.RawMessage
		if json.Unmarshal(value, &object) != nil {
			return rand.Text()
		}
		value = object[key]
	}
	var text string
	var number json.Number
	switch {
	case len(id) == 0:
	case json.Unmarshal(value, &text) == nil && isKey(text):
		return text
	case json.Unmarshal(value, &number) == nil && isKey(number.String()):
		return number.String()
	}
	return rand.Text()
}

// isKey reports whether a stream takes a partition key.
func isKey(key string) bool {
	n := len([]rune(key))
	return n > 0 && n <= limits.PartitionKey
}
