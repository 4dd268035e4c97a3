package backfill

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/skiff-ml/skiff/inference"
	"github.com/skiff-ml/skiff/inference/hint"
)

const (
	batchLines = 1000     // of a batch
	batchBytes = 4 << 20  // about, of a batch
	lineBytes  = 16 << 20 // of a line, at most
)

// lines reads a file's lines.
type lines struct {
	scanner *bufio.Scanner
	name    string // of the file
	offset  int64  // behind the last line that was read
	line    int    // its number
	docs    []byte
	ends    []int
	numbers []int
	text    []byte // event ids and line numbers
}

// newLines returns what reads lines from there, the first of them being number
// line+1.
func newLines(r io.Reader, name string, offset int64, line int) *lines {
	if !strings.Contains(name, "://") { // which is one file's, wherever it is read
		name = filepath.Base(name)
	}
	l := &lines{scanner: bufio.NewScanner(r), name: name, offset: offset, line: line}
	l.scanner.Buffer(make([]byte, 0, 1<<16), lineBytes)
	l.scanner.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		n, token, err := bufio.ScanLines(data, atEOF)
		l.offset += int64(n)
		return n, token, err
	})
	return l
}

// fill makes the batch one of the next lines that are not empty, each an item:
// its sequence number is the line's, its event id that behind the file's name.
// It reports whether there are any.
func (l *lines) fill(b *inference.Batch) (bool, error) {
	l.docs, l.ends, l.numbers, l.text = l.docs[:0], l.ends[:0], l.numbers[:0], l.text[:0]
	for len(l.ends) < batchLines && len(l.docs) < batchBytes && l.scanner.Scan() {
		l.line++
		if line := bytes.TrimSpace(l.scanner.Bytes()); len(line) > 0 {
			l.docs = append(l.docs, line...)
			l.ends, l.numbers = append(l.ends, len(l.docs)), append(l.numbers, l.line)
		}
	}
	if err := l.scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return false, hint.With(fmt.Errorf("line %d has over %d bytes", l.line+1, lineBytes), "a document is on a line of its own: is it JSON lines?")
	} else if err != nil {
		return false, err
	}
	b.Reset(len(l.ends))
	start := 0
	for i, end := range l.ends {
		from := len(l.text)
		l.text = append(append(l.text, l.name...), ':')
		number := len(l.text)
		l.text = strconv.AppendInt(l.text, int64(l.numbers[i]), 10)
		item := &b.Items[i]
		item.EventID, item.Sequence = l.text[from:len(l.text):len(l.text)], l.text[number:len(l.text):len(l.text)]
		item.Data = l.docs[start:end:end]
		start = end
	}
	return len(l.ends) > 0, nil
}
