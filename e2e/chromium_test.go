//go:build linux

package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"example.com/checker/internal/hostile"
)

// What a visitor sees is what Chromium loads. A browser is one Chromium, which
// is told to open a URL as if that had been typed into it.

// An outcome is what became of a URL.
type outcome string

const (
	loaded     outcome = "loaded"     // a page stands, whatever its status says
	downloaded outcome = "downloaded" // the answer is a file to save
	answered   outcome = "answered"   // a status without a page: 204, 205, 304, an error with an empty body
	failed     outcome = "failed"     // the visitor sees an error of the browser's
	stalled    outcome = "stalled"    // nothing within loadTimeout
)

// visible reports whether the visitor got through.
func (o outcome) visible() bool { return o == loaded || o == downloaded || o == answered }

const (
	loadTimeout = 5 * time.Second
	tabs        = 4 // more are not faster on two processors
)

// A browser is a running Chromium. It may be used concurrently.
type browser struct {
	version string // as in "Chrome/148.0.7778.167"
	ctx     context.Context
	idle    chan *oneTab // those that open nothing
}

// A oneTab opens one URL after the other.
type oneTab struct {
	ctx  context.Context
	stop context.CancelFunc // closes it

	mu     sync.Mutex
	status map[cdp.LoaderID]int64 // of the documents, by navigation
}

// newBrowser starts Chromium until the test is over. It asks nobody for names, so
// hosts need a rule of their own among flags, which are pairs of a name and its
// value: {"host-resolver-rules", "MAP site.test 127.0.0.1"}.
func newBrowser(t *testing.T, flags ...[2]string) *browser {
	t.Helper()
	needTool(t, "chromium", "chromium")
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // tests may run as root
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-features", "HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,BackForwardCache,Translate"), // a URL is asked for as it is
		chromedp.Flag("disable-auto-reload", true),                                                                     // and once
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("disable-site-isolation-trials", true), // a process for each error page costs half the time
	)
	for _, f := range flags {
		opts = append(opts, chromedp.Flag(f[0], f[1]))
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	b := &browser{ctx: ctx, idle: make(chan *oneTab, tabs)}
	_, err = chromedp.CallBrowser(ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{Behavior: cdpbrowser.SetDownloadBehaviorBehaviorDeny})
	if err != nil {
		t.Fatal(err)
	}
	v, err := chromedp.CallBrowser(ctx, cdpbrowser.GetVersion, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	b.version = strings.TrimPrefix(v.Product, "Headless")
	for range tabs {
		tab, err := b.open()
		if err != nil {
			t.Fatal(err)
		}
		b.idle <- tab
	}
	return b
}

// open opens a tab.
func (b *browser) open() (*oneTab, error) {
	ctx, stop := chromedp.NewContext(b.ctx)
	tab := &oneTab{ctx: ctx, stop: stop, status: make(map[cdp.LoaderID]int64)}
	return tab, tab.prepare()
}

// prepare starts to listen for the answers to navigations, and keeps nothing.
func (tab *oneTab) prepare() error {
	err := chromedp.Listen(tab.ctx, func(ev any) {
		if got, ok := ev.(*network.EventResponseReceived); ok && got.Type == network.ResourceTypeDocument {
			tab.mu.Lock()
			defer tab.mu.Unlock()
			tab.status[got.LoaderID] = got.Response.Status
		}
	})
	if err != nil {
		return err
	}
	if _, err = chromedp.Call(tab.ctx, network.Enable, network.EnableParams{}); err != nil {
		return err
	}
	_, err = chromedp.Call(tab.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	return err
}

// load opens a URL and returns what became of it and, where that is failed, why:
// one of Chromium's net errors, such as "net::ERR_INVALID_HTTP_RESPONSE".
func (b *browser) load(url string) (o outcome, netError string) {
	tab := <-b.idle
	defer func() {
		if o == stalled { // what the tab waits for may never end
			tab.stop()
			if fresh, err := b.open(); err == nil {
				tab = fresh
			}
		}
		b.idle <- tab
	}()
	ctx, stop := context.WithTimeout(tab.ctx, loadTimeout)
	defer stop()
	// It returns when the page is committed or has failed, not when it is all there.
	got, err := chromedp.Call(ctx, page.Navigate, page.NavigateParams{URL: url})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return stalled, ""
	case err != nil:
		return failed, err.Error()
	case got.IsDownload:
		return downloaded, ""
	case got.ErrorText == "":
		return loaded, ""
	case got.ErrorText == "net::ERR_HTTP_RESPONSE_CODE_FAILURE", got.ErrorText == "net::ERR_ABORTED" && tab.answered(got.LoaderID):
		return answered, ""
	}
	return failed, got.ErrorText
}

// answered reports whether a navigation met an answer that has no page.
func (tab *oneTab) answered(id cdp.LoaderID) bool {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch tab.status[id] {
	case http.StatusNoContent, http.StatusResetContent, http.StatusNotModified:
		return true
	}
	return false
}

func TestBrowser(t *testing.T) {
	site := hostile.RespondTo(func(_ int, head string) string {
		_, path, _ := strings.Cut(head, " ")
		path, _, _ = strings.Cut(path, " ")
		switch path {
		case "/gone":
			return "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"
		case "/nothing":
			return "HTTP/1.1 204 No Content\r\n\r\n"
		case "/file":
			return "HTTP/1.1 200 OK\r\nContent-Disposition: attachment\r\nContent-Length: 1\r\n\r\nx"
		case "/there":
			return "HTTP/1.1 302 Found\r\nLocation: http://site.test/gone\r\n\r\n"
		case "/loop":
			return "HTTP/1.1 302 Found\r\nLocation: /loop\r\n\r\n"
		case "/nul":
			return "HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n"
		case "/empty":
			return ""
		}
		return hostile.OK
	})
	plain := hostile.Serve(t, "127.0.0.1:0", site)
	secure := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(hostile.SelfSigned(t, "site.test"), site))
	b := newBrowser(t, [2]string{"host-resolver-rules", "MAP site.test " + plain.Addr().String() + ",MAP * ~NOTFOUND,EXCLUDE 127.0.0.1"})
	for _, tt := range []struct {
		name, url string
		want      outcome
		netError  string
	}{
		{"a page", plain.URL() + "/", loaded, ""},
		{"a page of a mapped host", "http://site.test/", loaded, ""},
		{"404", plain.URL() + "/gone", loaded, ""},
		{"204", plain.URL() + "/nothing", answered, ""},
		{"a download", plain.URL() + "/file", downloaded, ""},
		{"a redirect to another host", plain.URL() + "/there", loaded, ""},
		{"a loop", plain.URL() + "/loop", failed, "net::ERR_TOO_MANY_REDIRECTS"},
		{"NUL", plain.URL() + "/nul", failed, "net::ERR_INVALID_HTTP_RESPONSE"},
		{"nothing comes", plain.URL() + "/empty", failed, "net::ERR_EMPTY_RESPONSE"},
		{"no such name", "http://other.test/", failed, "net::ERR_NAME_NOT_RESOLVED"},
		{"a closed port", "http://" + hostile.ClosedPort(t).String() + "/", failed, "net::ERR_CONNECTION_REFUSED"},
		{"an untrusted certificate", secure.URLS() + "/", failed, "net::ERR_CERT_AUTHORITY_INVALID"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if o, netError := b.load(tt.url); o != tt.want || netError != tt.netError {
				t.Errorf("load(%q) = %q, %q; want %q, %q", tt.url, o, netError, tt.want, tt.netError)
			}
		})
	}
}
