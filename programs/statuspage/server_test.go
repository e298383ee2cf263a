package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tmaxmax/go-sse"

	"example.com/checker"
	"example.com/checker/examples/cli"
	"example.com/checker/internal/bubble"
)

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// evil is a name that would run, if anything let it.
const evil = `<script>alert("x")</script><img src=x onerror=alert(1)>` + "\u202e"

func TestPage(t *testing.T) {
	b := newBoard([]*site{parseSite("https://user:secret@example.org/ " + evil), parseSite(`http://10.0.0.1/"onclick=alert(2)`)})
	for range 2 {
		b.record(0, verdict{at: time.Now(), status: checker.Offline, reason: checker.ReasonRejected, text: evil})
	}
	w := get(newServer(options{title: evil}, b), "/")
	page := w.Body.String()
	if w.Code != http.StatusOK || w.Header().Get("Content-Security-Policy") != policy || !strings.HasPrefix(policy, "default-src 'self';") {
		t.Errorf("GET / = %d %v", w.Code, w.Header())
	}
	for _, want := range []string{"<caption>", `scope="col"`, `scope="row"`, "&lt;script&gt;alert", "1 of 2 sites is offline", "Waiting", `<noscript><meta http-equiv="refresh"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not contain %q", want)
		}
	}
	for _, never := range []string{"secret", "<img", "<script>", ` style=`, "<style", `"onclick`} {
		if strings.Contains(page, never) {
			t.Errorf("the page contains %q", never)
		}
	}
	for _, tag := range regexp.MustCompile(`<(?:script|link rel="(?:stylesheet|icon)")[^>]*>`).FindAllString(page, -1) {
		file := regexp.MustCompile(`(?:src|href)="(/assets/[^"]*)"`).FindStringSubmatch(tag)
		if file == nil || get(newServer(options{}, b), file[1]).Code != http.StatusOK {
			t.Errorf("the page loads %s, which is not there", tag)
		}
	}
}

func TestRoutes(t *testing.T) {
	s := newServer(options{title: "T", every: time.Hour}, newBoard([]*site{parseSite("example.org")}))
	for path, want := range map[string]string{
		"/":                  "200 text/html; charset=utf-8 no-store",
		"/?show=offline":     "200 text/html; charset=utf-8 no-store",
		"/?show=%22%3E":      "200 text/html; charset=utf-8 no-store",
		"/healthz":           "200 text/plain; charset=utf-8 no-store",
		"/api/status.json":   "200 application/json no-store",
		"/assets/page.js":    "200 text/javascript; charset=utf-8 public, max-age=31536000, immutable",
		"/badge.svg":         "200 image/svg+xml no-cache",
		"/feed.atom":         "200 application/atom+xml; charset=utf-8 no-cache",
		"/sites/x/badge.svg": "404 text/plain; charset=utf-8 ",
		"/assets/":           "404 text/plain; charset=utf-8 ",
		"/assets/page.html":  "404 text/plain; charset=utf-8 ",
		"/favicon.ico":       "404 text/plain; charset=utf-8 ",
		"/x":                 "404 text/plain; charset=utf-8 ",
	} {
		w := get(s, path)
		got := strings.Join([]string{w.Result().Status[:3], w.Header().Get("Content-Type"), w.Header().Get("Cache-Control")}, " ")
		if got != want {
			t.Errorf("GET %s = %s; want %s", path, got, want)
		}
	}
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil)); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST / = %d; want 405", w.Code)
	}
}

func TestHealthz(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := newBoard([]*site{parseSite("example.org")})
		s := newServer(options{every: time.Minute, checks: cli.Checks{Timeout: 10 * time.Second}}, b)
		for _, step := range []struct {
			sleep time.Duration
			check bool
			want  string
		}{
			{0, false, "200 ok\n"},
			{2 * time.Minute, false, "200 ok\n"},
			{11 * time.Second, false, "503 no check has ended for 2 min\n"},
			{time.Hour, true, "200 ok\n"}, // whatever the verdict
		} {
			if time.Sleep(step.sleep); step.check {
				b.record(0, verdict{at: time.Now(), status: checker.Unknown, reason: checker.ReasonDNS})
			}
			w := get(s, "/healthz")
			if got := w.Result().Status[:4] + w.Body.String(); got != step.want {
				t.Errorf("GET /healthz = %q; want %q", got, step.want)
			}
		}
	})
}

func TestAPI(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := newBoard([]*site{parseSite("https://u:p@example.org Example"), parseSite("new.example")})
		at := time.Now()
		b.record(0, verdict{at: at, status: checker.Online, latency: 1500 * time.Microsecond, expires: at.Add(time.Hour)})
		b.record(0, verdict{at: at.Add(time.Second), status: checker.Offline, reason: checker.ReasonTimeout, text: "no answer"})
		time.Sleep(2 * time.Second)
		w := get(newServer(options{title: "T", every: time.Minute}, b), "/api/status.json")
		var got, want any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal([]byte(strings.NewReplacer("K0", b.sites[0].key, "K1", b.sites[1].key).Replace(`{
			"title": "T", "time": "2000-01-01T00:00:02Z", "every_ms": 60000, "counts": {"online": 1, "offline": 0, "unknown": 0},
			"sites": [{
				"name": "Example", "target": "https://example.org", "page": "/sites/K0", "status": "online", "since": "2000-01-01T00:00:00Z",
				"last_verdict": "offline", "last_check": "2000-01-01T00:00:01Z", "p95_ms": 1.5, "uptime_24h": 1, "measured_24h_s": 1, "uptime_7d": 1, "measured_7d_s": 1,
				"certificate_expires": "2000-01-01T01:00:00Z",
				"last_reason": "timeout", "last_reason_text": "no answer", "last_reason_time": "2000-01-01T00:00:01Z"
			}, {"name": "new.example", "target": "new.example", "page": "/sites/K1"}]
		}`)), &want)
		a, _ := json.Marshal(got)
		if b, _ := json.Marshal(want); string(a) != string(b) {
			t.Errorf("GET /api/status.json =\n%s; want\n%s", a, b)
		}
	})
}

// stream returns the events of a server as they come. It ends with the test.
func stream(t *testing.T, s *server, since string) func() sse.Event {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/events?since="+since, nil)
		s.ServeHTTP(&pipeWriter{httptest.NewRecorder(), w}, req)
	}()
	events := make(chan sse.Event)
	go func() {
		defer close(events)
		for event, err := range sse.Read(r, nil) {
			if err != nil {
				return
			}
			events <- event
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = r.Close()
		<-done
		for range events { // what was read ahead
		}
	})
	return func() sse.Event { return <-events }
}

// A pipeWriter is a response that is read while it is written.
type pipeWriter struct {
	*httptest.ResponseRecorder
	body io.Writer
}

func (w *pipeWriter) Write(p []byte) (int, error) { return w.body.Write(p) }

// A page that has seen a version gets what is new since then, one that knows
// nothing of this run gets everything, and silence is filled with a pulse.
func TestEvents(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := newBoard([]*site{parseSite("a.example"), parseSite("b.example")})
		s := newServer(options{}, b)
		b.record(0, verdict{at: time.Now(), status: checker.Online})
		b.record(1, verdict{at: time.Now(), status: checker.Online})
		for since, rows := range map[string]string{eventID(s.boot, 1): "s1", eventID("other", 2): "s0 s1", "": "s0 s1", "junk": "s0 s1"} {
			next := stream(t, s, since)
			if e := next(); e.Type != "hello" || e.Data != s.build {
				t.Errorf("the first event was %+v", e)
			}
			e := next()
			if ids := strings.Join(regexp.MustCompile(`\bs\d`).FindAllString(e.Data, -1), " "); ids != rows {
				t.Errorf("after version %q came the rows %s; want %s", since, ids, rows)
			}
			if e := next(); !strings.Contains(e.Data, "All 2 sites are online") || e.LastEventID != "" {
				t.Errorf("then came %+v", e)
			}
			if e := next(); !strings.Contains(e.Data, "The last result") || e.LastEventID != eventID(s.boot, 2) {
				t.Errorf("then came %+v", e)
			}
		}
		next := stream(t, s, eventID(s.boot, 2))
		for range 3 { // hello, the summary, the time
			next()
		}
		quiet := time.Now()
		if e := next(); time.Since(quiet) > pulse+breath || !strings.Contains(e.Data, `id="ended"`) {
			t.Errorf("%v later came %+v", time.Since(quiet), e)
		}
		for range 2 {
			b.record(1, verdict{at: time.Now(), status: checker.Offline, reason: checker.ReasonReset, text: evil})
		}
		if e := next(); !strings.Contains(e.Data, `id="s1" class="offline"`) || !strings.Contains(e.Data, "&lt;script&gt;") || strings.Contains(e.Data, "<img") {
			t.Errorf("after two failures came %+v", e)
		}
	})
}

// A site that nobody has seen for long becomes Unknown on the pages that are open, too.
func TestEventsOfStaleness(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := newBoard([]*site{parseSite("a.example"), parseSite("b.example")})
		b.sites[1].tracker.Every = time.Hour
		for i := range b.sites {
			b.record(i, verdict{at: time.Now(), status: checker.Online})
		}
		next := stream(t, newServer(options{}, b), "")
		start := time.Now()
		for e := next(); ; e = next() {
			if strings.Contains(e.Data, `id="s0" class="unknown"`) {
				if strings.Contains(e.Data, `id="s1"`) {
					t.Errorf("with it came %s", e.Data)
				}
				break
			}
			if time.Since(start) > 2*time.Minute+pulse+breath {
				t.Fatalf("after %v there is no word of it", time.Since(start))
			}
		}
		if e := next(); !strings.Contains(e.Data, "No verdict on 1 of 2 sites") {
			t.Errorf("then came %s", e.Data)
		}
	})
}
