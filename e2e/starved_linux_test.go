//go:build linux

package e2e_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// Time that is not the site's: this process is stopped, or starved of CPU.

// R6: one core and a great many handshakes at once: no site that lives is called Offline.
func TestStarvedHandshakes(t *testing.T) {
	const n = 4000
	conf := hostile.SelfSigned(t, "a.test")
	c, env := newCrowd(t, n, hostile.TLS(conf, plain))
	process{env: append(onlyRoot(t, conf), env)}.run(t, func(t *testing.T) {
		runtime.GOMAXPROCS(1)
		for _, test := range []struct {
			n       int
			timeout time.Duration
		}{{n, second / 5}, {n, second}, {n, 3 * second}, {n / 2, second}} {
			var list []string
			for _, target := range c.addresses(test.n) {
				list = append(list, strings.Replace(target, "http:", "https:", 1))
			}
			start := time.Now()
			results := sane(t, checker.WithTimeout(test.timeout), checker.WithConcurrency(test.n),
				checker.WithTLSConfig(&tls.Config{ServerName: "a.test"})).CheckAll(t.Context(), list)
			t.Logf("%d at once, %v each: %v in %v", test.n, test.timeout, tally(results), time.Since(start).Round(time.Millisecond))
			neverOffline(t, results)
		}
	})
}

const controlEnv = "CHECKER_E2E_CONTROL" // where a process tells who it is

// A stopper stops a process that has told who it is.
type stopper struct {
	pid  atomic.Int64
	took time.Duration // from the stop until the process goes on
}

// ServeHTTP takes in the process.
func (s *stopper) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	pid, _ := strconv.ParseInt(req.URL.Query().Get("pid"), 10, 64)
	s.pid.Store(pid)
}

// stop stops the process and lets it go on after a while.
func (s *stopper) stop() {
	pid := int(s.pid.Load())
	if pid <= 1 {
		return
	}
	syscall.Kill(pid, syscall.SIGSTOP)
	for !stopped(pid) {
		runtime.Gosched()
	}
	time.AfterFunc(s.took, func() { syscall.Kill(pid, syscall.SIGCONT) }) // this is the fault
}

// sites are ways to be when the process that checks is stopped.
func (s *stopper) sites(conf *tls.Config) map[string]hostile.Handler {
	during := func(answer string) hostile.Handler {
		return func(_ context.Context, conn net.Conn) {
			if _, err := hostile.ReadHead(conn); err != nil {
				return
			}
			s.stop()
			io.WriteString(conn, answer)
			if answer == "" || !strings.Contains(answer, "\r\n\r\n") {
				conn.Read(make([]byte, 1))
			}
		}
	}
	shaking := conf.Clone()
	shaking.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		s.stop()
		return nil, nil
	}
	return map[string]hostile.Handler{
		"plain":    during(hostile.OK),
		"part":     during("HTTP/1.1 200 OK\r\nServer: a"),
		"silent":   during(""),
		"https":    hostile.TLS(conf, during(hostile.OK)),
		"http2":    hostile.HTTP2(conf, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.stop() })),
		"shaking":  hostile.TLS(shaking, plain),
		"accepted": func(ctx context.Context, conn net.Conn) { s.stop(); plain(ctx, conn) },
		"distant": func(ctx context.Context, conn net.Conn) {
			s.stop()
			if _, err := hostile.ReadHead(conn); err == nil {
				time.Sleep(200 * time.Millisecond) // this is the distance
				io.WriteString(conn, hostile.OK)
			}
		},
		"quiet":    hostile.Silent(),
		"quiettls": hostile.TLS(conf, hostile.Silent()),
	}
}

// R6: the process is stopped while it waits, until some time after its timeout of a
// second. What lies there by then counts, and if there is nothing, or no more than a
// part, the time was not the site's.
func TestStopped(t *testing.T) {
	for _, test := range []struct {
		site   string
		took   time.Duration
		reason checker.Reason
	}{
		{"plain", 1200 * time.Millisecond, ""},
		{"plain", 2500 * time.Millisecond, ""},
		{"https", 1200 * time.Millisecond, ""},
		{"https", 2500 * time.Millisecond, ""},
		{"http2", 1200 * time.Millisecond, ""},
		{"http2", 2500 * time.Millisecond, ""},
		{"shaking", 1300 * time.Millisecond, checker.ReasonLocal},
		{"shaking", 1700 * time.Millisecond, checker.ReasonLocal},
		{"accepted", 1150 * time.Millisecond, checker.ReasonLocal},
		{"distant", 900 * time.Millisecond, checker.ReasonLocal}, // it goes on before the end, with too little time left
		{"part", 1700 * time.Millisecond, checker.ReasonLocal},
		{"silent", 1700 * time.Millisecond, checker.ReasonLocal},
		{"silent", 100 * time.Millisecond, checker.ReasonTimeout},
		{"quiet", 0, checker.ReasonTimeout},
		{"quiettls", 0, checker.ReasonTimeout},
	} {
		t.Run(fmt.Sprintf("%s for %v", test.site, test.took), func(t *testing.T) {
			s := &stopper{took: test.took}
			var env []string
			if !inside() {
				conf := hostile.SelfSigned(t, "127.0.0.1")
				control := httptest.NewServer(s)
				defer control.Close()
				site := hostile.Serve(t, "127.0.0.1:0", s.sites(conf)[test.site])
				url := site.URL()
				if slices.Contains([]string{"https", "http2", "shaking", "quiettls"}, test.site) {
					url = site.URLS()
				}
				env = append(onlyRoot(t, conf), siteEnv+"="+url, controlEnv+"="+control.URL)
			}
			process{env: env}.run(t, func(t *testing.T) {
				resp, err := http.Get(fmt.Sprintf("%s/?pid=%d", os.Getenv(controlEnv), os.Getpid()))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				for _, method := range []string{"HEAD", "GET"} {
					r := sane(t, checker.WithMethod(method)).Check(t.Context(), os.Getenv(siteEnv)+"/")
					t.Log(r)
					if r.Online() && slices.Contains([]string{"shaking", "accepted", "distant"}, test.site) {
						continue // what it still had to say was in time, or it was not stopped so soon
					}
					if r.Reason() != test.reason {
						t.Errorf("%s: Check(%q) = %v; want %q", method, r.Target, r, test.reason)
					}
					asCatalogued(t, "R6", r)
					if over := r.Timing.Total - second; test.took == 0 && over > idle {
						t.Errorf("Check(%q) overran its timeout by %v; want at most %v", r.Target, over, idle)
					}
				}
			})
		})
	}
}
