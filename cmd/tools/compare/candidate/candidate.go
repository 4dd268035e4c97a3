// Package candidate is the side of a Go program in the comparison. It obeys
// commands on stdin, a line each, and answers on stdout:
//
//	answer FILE N     the responses to the first N events of FILE, a line each
//	measure FILE MS   handles events of FILE, in turn, for MS milliseconds, one
//	                  at least; {"invocations": …, "ns": …}, the time from the
//	                  events' bytes to the responses'
//
// A file has an event a line. One at a time is in memory, as in Lambda.
// python/serve.py is the same in Python.
package candidate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// A Handler takes an invocation's event to its response. The event's bytes are
// its own until it returns.
type Handler func(event []byte) ([]byte, error)

// Measured is the answer to a measure command.
type Measured struct {
	Invocations int   `json:"invocations"`
	NS          int64 `json:"ns"`
}

// Serve obeys until there are no more commands.
func Serve(handle Handler, stdin io.Reader, stdout io.Writer) error {
	positions := map[string]*events{}
	for commands := bufio.NewScanner(stdin); commands.Scan(); {
		var verb, file string
		var number int
		if _, err := fmt.Sscan(commands.Text(), &verb, &file, &number); err != nil {
			return fmt.Errorf("reading the command %q: %w", commands.Text(), err)
		}
		var err error
		switch verb {
		case "answer":
			err = answer(handle, file, number, stdout)
		case "measure":
			if positions[file] == nil {
				positions[file] = &events{name: file}
			}
			err = measure(handle, positions[file], time.Duration(number)*time.Millisecond, stdout)
		default:
			err = fmt.Errorf("what is %q?", verb)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func answer(handle Handler, file string, n int, stdout io.Writer) error {
	e := &events{name: file}
	defer e.close()
	for range n {
		event, err := e.next()
		if err != nil {
			return err
		}
		response, err := handle(event)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(stdout, "%s\n", response); err != nil {
			return err
		}
	}
	return nil
}

func measure(handle Handler, e *events, atLeast time.Duration, stdout io.Writer) error {
	var spent time.Duration
	invocations := 0
	for spent < atLeast || invocations == 0 {
		event, err := e.next()
		if err != nil {
			return err
		}
		began := time.Now()
		if _, err := handle(event); err != nil {
			return err
		}
		spent += time.Since(began)
		invocations++
	}
	return json.NewEncoder(stdout).Encode(Measured{invocations, spent.Nanoseconds()})
}

// events are those of a file, from the first again after the last.
type events struct {
	name string
	file *os.File
	r    *bufio.Reader
	line []byte // used again
}

func (e *events) next() ([]byte, error) {
	if e.file == nil {
		var err error
		if e.file, err = os.Open(e.name); err != nil {
			return nil, fmt.Errorf("reading events: %w", err)
		}
		e.r = bufio.NewReaderSize(e.file, 64<<10)
	}
	line, err := e.read()
	if errors.Is(err, io.EOF) {
		if _, err = e.file.Seek(0, io.SeekStart); err == nil {
			e.r.Reset(e.file)
			line, err = e.read()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading events of %s: %w", e.name, err)
	}
	return line, nil
}

// read returns the next line, without its end.
func (e *events) read() ([]byte, error) {
	e.line = e.line[:0]
	for {
		part, err := e.r.ReadSlice('\n')
		e.line = append(e.line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return e.line[:len(e.line)-1], nil
	}
}

func (e *events) close() {
	if e.file != nil {
		_ = e.file.Close() // only read
	}
}
