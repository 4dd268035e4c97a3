// Package faults has AWS fail as AWS does: a proxy before a stand-in, which never fails by itself, that answers some calls with faults.
//
//  1. proxy.go: which operation a call is, and whether it fails
//  2. fault.go: the faults: refusals, partial failures, broken connections, slowness
package faults

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
)

// A Script says what becomes of an operation's calls: of the n-th, from 1 on. A nil fault lets it through.
type Script func(n int) Fault

// Always has every call fail.
func Always(f Fault) Script { return func(int) Fault { return f } }

// First has the first n calls fail.
func First(n int, f Fault) Script {
	return func(call int) Fault {
		if call <= n {
			return f
		}
		return nil
	}
}

// While has calls fail for as long as down says so. It may be called concurrently.
func While(down func() bool, f Fault) Script {
	return func(int) Fault {
		if down() {
			return f
		}
		return nil
	}
}

// A Proxy is an http.Handler that passes calls on to a server, but for those that its scripts have fail.
type Proxy struct {
	forward http.Handler

	mu      sync.Mutex
	scripts map[string]Script
	calls   map[string]int
}

var _ http.Handler = (*Proxy)(nil)

// New makes a proxy before the server at a URL. It has no scripts yet.
func New(server string) (*Proxy, error) {
	target, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("making a proxy: %w", err)
	}
	return &Proxy{
		forward: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // signed
		}},
		scripts: map[string]Script{}, calls: map[string]int{},
	}, nil
}

// Set gives an operation, such as PutRecords or PutObject, its script; nil takes it away. Calls are counted from here on.
func (p *Proxy) Set(operation string, s Script) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scripts[operation] = s
	p.calls[operation] = 0
}

// Calls is how often an operation was called since it got its script, or at all.
func (p *Proxy) Calls(operation string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[operation]
}

// ServeHTTP answers a call.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := Operation(r)
	p.mu.Lock()
	p.calls[operation]++
	n, script := p.calls[operation], p.scripts[operation]
	p.mu.Unlock()
	if script != nil {
		if fault := script(n); fault != nil {
			fault(w, r, p.forward)
			return
		}
	}
	p.forward.ServeHTTP(w, r)
}

// Operation is the name of the operation that a request is for: of services that speak JSON what X-Amz-Target says, of S3 what the method and the
// path come to, as far as the worker uses it.
func Operation(r *http.Request) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, name, _ := strings.Cut(target, ".")
		return name
	}
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodGet && key != "":
		return "GetObject"
	case r.Method == http.MethodPut && key != "":
		return "PutObject"
	case r.Method == http.MethodHead && key != "":
		return "HeadObject"
	case r.Method == http.MethodGet && r.URL.Query().Has("list-type"):
		return "ListObjectsV2"
	}
	return r.Method + " " + r.URL.Path
}
