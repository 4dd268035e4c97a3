package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skiff-ml/skiff/cmd/internal/lambdatest/mapping"
	"github.com/skiff-ml/skiff/cmd/internal/page"
	"github.com/skiff-ml/skiff/inference/hint"
)

const (
	pageHeaderTime = 10 * time.Second       // for a browser to say what it wants
	pageTail       = 100 * time.Millisecond // between looks at the worker's log
)

// checkPage checks an address: the page shows records, to nobody but this machine.
func checkPage(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil || !isLoopback(host) {
		return fmt.Errorf("-page %s is no address of this machine's own, such as 127.0.0.1:8090", address)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// A livePage is served while a command is at work. A nil one is none.
type livePage struct {
	page   *page.Page
	url    string
	server *http.Server
	stop   func() // following
}

// openPage serves the page that the settings name; it is nil where they name none.
func openPage(ctx context.Context, s settings) (*livePage, error) {
	if s.page == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.page)
	if err != nil {
		return nil, hint.With(fmt.Errorf("-page %s: %w", s.page, err), "-page names an address that is free; port 0 is any such")
	}
	l := &livePage{page: page.New("local stack", true), url: "http://" + listener.Addr().String() + "/", stop: func() {}}
	mux := http.NewServeMux()
	for pattern, handler := range l.page.Handlers() {
		mux.HandleFunc(pattern, handler)
	}
	l.server = &http.Server{Handler: own(mux), ReadHeaderTimeout: pageHeaderTime}
	go func() { _ = l.server.Serve(listener) }() // until it is closed
	return l, nil
}

// close ends it.
func (l *livePage) close() {
	if l == nil {
		return
	}
	l.stop()
	_ = l.server.Close()
}

// watch has the page show what a stack's worker does, which is to say so in its log. The worker is not started yet.
func (l *livePage) watch(ctx context.Context, st *stack) error {
	if l == nil {
		return nil
	}
	m, err := readManifest(st.settings.model)
	if err != nil {
		return err
	}
	st.env = append(st.env, "METRICS=emf")
	st.watcher = watcher{l.page, m.id, m.idPath}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		(&logReader{file: filepath.Join(st.logs, "worker.log"), page: l.page}).follow(reading)
	}()
	l.stop = func() {
		stop()
		<-ended
	}
	return nil
}

// stay keeps the page of a run that is over until ctx ends.
func (l *livePage) stay(ctx context.Context, stderr io.Writer) {
	if l != nil {
		fmt.Fprintf(stderr, "page        %s stays until Ctrl-C\n", l.url)
		<-ctx.Done()
	}
}

// own answers only who has asked this machine by one of its own names: a page of somebody else's, whose name leads here, is not to read it.
func own(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopback(strings.Trim(host, "[]")) {
			http.Error(w, "not by this name", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// A watcher shows what the worker predicts. The zero one shows nothing.
type watcher struct {
	page   *page.Page
	id     string   // the member of a prediction with the record's id; "" for none
	idPath []string // of a record
}

// around returns an invoker that shows what it answers.
func (w watcher) around(i mapping.Invoker) mapping.Invoker {
	if w.page == nil {
		return i
	}
	return invokerFunc(func(ctx context.Context, event []byte) (mapping.Result, error) {
		result, err := i.Invoke(ctx, event)
		if err == nil && result.FunctionError == "" {
			w.show(event, result.Payload, time.Now())
		}
		return result, err
	})
}

type invokerFunc func(ctx context.Context, event []byte) (mapping.Result, error)

// Invoke implements [mapping.Invoker].
func (f invokerFunc) Invoke(ctx context.Context, event []byte) (mapping.Result, error) {
	return f(ctx, event)
}

// show shows the last records of an event with their predictions. Predictions are in the order of their records, and some records have none.
func (w watcher) show(event, response []byte, now time.Time) {
	var in struct {
		Records []struct{ Kinesis struct{ Data []byte } }
	}
	var out struct {
		Predictions []struct {
			Version    string
			Prediction json.RawMessage
		}
	}
	if json.Unmarshal(event, &in) != nil || json.Unmarshal(response, &out) != nil {
		return
	}
	first := max(len(out.Predictions)-page.MaxItems, 0)
	rows := make([]page.Predicted, 0, page.MaxItems)
	next, least := len(in.Records)-1, len(in.Records)-4*page.MaxItems // of more bad ones than that between them, the rest are shown without
	for i := len(out.Predictions) - 1; i >= first; i-- {
		p := out.Predictions[i]
		row := page.Predicted{At: now, RunID: p.Version, Prediction: page.Fields(p.Prediction)}
		id := valueAt(p.Prediction, []string{w.id})
		for at := next; at >= max(least, 0) && len(id) > 0; at-- {
			if data := in.Records[at].Kinesis.Data; bytes.Equal(valueAt(data, w.idPath), id) {
				row.Record, next = page.Fields(data), at-1
				break
			}
		}
		rows = append(rows, row)
	}
	for _, row := range slices.Backward(rows) { // the last is shown first
		w.page.Predicts(row)
	}
}

// valueAt is the JSON at a path of a document; nil where there is none.
func valueAt(document []byte, path []string) []byte {
	for _, key := range path {
		var members map[string]json.RawMessage
		if json.Unmarshal(document, &members) != nil {
			return nil
		}
		document = members[key]
	}
	return document
}
