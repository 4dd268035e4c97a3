package page

import (
	_ "embed" // the page
	"net/http"
	"time"
)

//go:embed page.html
var html string

//go:embed page.css
var css string

//go:embed page.js
var script string

// policy has a browser ask nobody but who the page came from, whatever is on it.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handlers are what answers a browser, by pattern: / is the page, and /live what
// it shows.
func (p *Page) Handlers() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /{$}":      file("text/html; charset=utf-8", html),
		"GET /page.css": file("text/css; charset=utf-8", css),
		"GET /page.js":  file("text/javascript; charset=utf-8", script),
		"GET /live": func(w http.ResponseWriter, _ *http.Request) {
			document, err := p.document(time.Now())
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			head(w, "application/json")
			_, _ = w.Write(document) // who asked may be gone
		},
	}
}

func file(kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		head(w, kind)
		_, _ = w.Write([]byte(text)) // likewise
	}
}

func head(w http.ResponseWriter, kind string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}
