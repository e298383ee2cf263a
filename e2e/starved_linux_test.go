//go:build linux

package e2e_test

import (
	"crypto/tls"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// Time that is not the site's: this process is stopped, or starved of CPU.

// R6: one core and a great many handshakes at once: no site that lives is called
// Offline, and none that is silent Online. Where there is CPU, the silent ones are
// Offline.
func TestStarvedHandshakes(t *testing.T) {
	const n = 4000
	conf := hostile.SelfSigned(t, "a.test")
	c, env := newCrowd(t, n, hostile.TLS(conf, plain))
	process{env: append(onlyRoot(t, conf), env)}.run(t, func(t *testing.T) {
		runtime.GOMAXPROCS(1)
		for _, test := range []struct {
			n       int
			timeout time.Duration
		}{{n, second / 5}, {n, second}, {n, 3 * second}, {300, second / 2}, {500, second / 2}, {800, second / 2}, {1200, second / 2}, {1200, second}} {
			var list []string
			for _, target := range c.addresses(test.n) {
				list = append(list, strings.Replace(target, "http:", "https:", 1))
			}
			start := time.Now()
			results := sane(t, checker.WithTimeout(test.timeout), checker.WithConcurrency(test.n),
				checker.WithTLSConfig(&tls.Config{ServerName: "a.test"})).CheckAll(t.Context(), list)
			t.Log(fmt.Sprintf("%d at once, %v each: %v in %v", test.n, test.timeout, tally(results), time.Since(start).Round(time.Millisecond)))
			neverOffline(t, results)
		}
	})
}
