// Package browser looks at pages as a person's browser shows them, for tests: a
// headless Chromium, by the DevTools protocol.
package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take for anything, on a busy machine.
const patience = time.Minute

// fonts is Chromium's configuration of fonts: those beside it, and this
// machine's.
const fonts = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>%s</dir><dir>/usr/share/fonts</dir><cachedir>%s</cachedir>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`

// A Browser is one that runs as long as its test.
type Browser struct{ ctx context.Context } //nolint:containedctx // chromedp's browser is one

// Start starts the browser that the variable CHROMIUM names.
func Start(t *testing.T) *Browser {
	t.Helper()
	program := os.Getenv("CHROMIUM")
	if program == "" {
		t.Fatal("CHROMIUM names no browser; make test-page installs one")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "fonts.conf")
	own := filepath.Join(filepath.Dir(program), "fonts")
	if err := os.WriteFile(config, fmt.Appendf(nil, fonts, own, filepath.Join(dir, "fonts")), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("no-zygote", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-background-networking", true),
		chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.WSURLReadTimeout(patience),
		chromedp.Env("FONTCONFIG_FILE="+config, "LD_LIBRARY_PATH="+filepath.Join(filepath.Dir(program), "lib"), "HOME="+dir, "TZ=UTC"))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	return &Browser{ctx}
}

// A Tab shows a page.
type Tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // chromedp's tab is one

	mu       sync.Mutex
	requests []string // addresses
	problems []string // of the console
}

// Open opens a page.
func (b *Browser) Open(t *testing.T, address string) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	tab := &Tab{t: t, ctx: ctx}
	err := chromedp.Listen(ctx, tab.hear) // which has the tab opened
	if err == nil {
		_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	}
	if err == nil {
		_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	}
	if err != nil {
		t.Fatal(err)
	}
	tab.do(chromedp.Navigate(address))
	return tab
}

// hear takes note of what the page asks for, and of what goes wrong on it.
func (tab *Tab) hear(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		tab.requests = append(tab.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		tab.problems = append(tab.problems, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			tab.problems = append(tab.problems, fmt.Sprint(e.Type))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			tab.problems = append(tab.problems, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// do does something with the page.
func (tab *Tab) do(action chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		tab.t.Fatal(err)
	}
}

// evaluate evaluates a script on the page.
func evaluate[T any](tab *Tab, script string) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		tab.t.Fatal(err)
	}
	return value
}

// Text returns what the elements of a selector show, a line each.
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	return evaluate[string](tab, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(e => e.innerText).join("\n")`, selector))
}

// Has reports whether there is an element of a selector.
func (tab *Tab) Has(selector string) bool {
	tab.t.Helper()
	return evaluate[bool](tab, fmt.Sprintf(`document.querySelector(%q) !== null`, selector))
}

// Shows waits until the elements of a selector show all of some texts.
func (tab *Tab) Shows(selector string, texts ...string) {
	tab.t.Helper()
	tab.Until(selector+" to show "+strings.Join(texts, ", "), func() bool {
		shown := tab.Text(selector)
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				return false
			}
		}
		return true
	})
}

// Until waits for something.
func (tab *Tab) Until(what string, ok func() bool) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tab.t.Fatalf("waited %v for %s; the page shows:\n%s", patience, what, tab.Text("body"))
		}
	}
}

// overflowing are the elements that are wider than the page, but for what is
// in an element that can be scrolled itself; and the texts of plots that are cut
// off.
const overflowing = `(() => {
  const width = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > width) found.push("the page: " + document.documentElement.scrollWidth);
  for (const e of document.body.querySelectorAll("*")) {
    let scrolled = false;
    for (let p = e.parentElement; p; p = p.parentElement) scrolled ||= p !== document.documentElement && p !== document.body && getComputedStyle(p).overflowX !== "visible";
    const r = e.getBoundingClientRect();
    if (!scrolled && r.width > 0 && (r.right > width + 1 || r.left < -1)) found.push(e.tagName + "#" + e.id + " " + r.left + " to " + r.right);
  }
  for (const e of document.querySelectorAll("svg text")) {
    const r = e.getBoundingClientRect(), plot = e.ownerSVGElement.getBoundingClientRect();
    if (r.right > plot.right + 1 || r.left < plot.left - 1) found.push("the text " + e.textContent + " of a plot");
  }
  return found.join("; ");
})()`

// Fits checks that nothing is wider than the page, on a phone and on a desktop,
// in light and in dark, and that something is there.
func (tab *Tab) Fits() {
	tab.t.Helper()
	for _, width := range []int64{360, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			tab.Size(width, 800, scheme)
			found, height := evaluate[string](tab, overflowing), evaluate[float64](tab, "document.body.getBoundingClientRect().height")
			if found != "" || height < 200 {
				tab.t.Errorf("%d wide, %s: %.0f high, too wide: %s", width, scheme, height, found)
			}
		}
	}
}

// Size sets the size of the window, in pixels, and the colour scheme.
func (tab *Tab) Size(width, height int64, scheme string) {
	tab.t.Helper()
	tab.do(chromedp.EmulateViewport(width, height))
	_, err := chromedp.Call(tab.ctx, emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	if err != nil {
		tab.t.Fatal(err)
	}
}

// Keeps checks that the page asked only where it came from, and that nothing
// went wrong on it.
func (tab *Tab) Keeps(origin string) {
	tab.t.Helper()
	tab.mu.Lock()
	defer tab.mu.Unlock()
	want, err := url.Parse(origin)
	if err != nil {
		tab.t.Fatal(err)
	}
	if len(tab.requests) == 0 {
		tab.t.Error("the page has asked for nothing")
	}
	for _, request := range tab.requests {
		if got, err := url.Parse(request); err != nil || got.Scheme != "data" && (got.Scheme != want.Scheme || got.Host != want.Host) {
			tab.t.Errorf("the page asks for %s", request)
		}
	}
	if len(tab.problems) > 0 {
		tab.t.Errorf("problems on the page: %q", tab.problems)
	}
}

// Screenshot writes a picture of the window, or of all of the page, to a PNG file.
func (tab *Tab) Screenshot(file string, whole bool) {
	tab.t.Helper()
	shot, err := chromedp.Call(tab.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &whole})
	if err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(file, shot.Data, 0o644); err != nil { //nolint:gosec // a picture is for everybody
		tab.t.Fatal(err)
	}
}
