package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// What canaries are good for where a kernel sends packets, and others drop them.

// far makes the router have addresses of the Internet, of which those of 8.8 are dead.
func far(t *testing.T) *router {
	r := newRouter(t)
	r.sh(t, "ip route add local 8.0.0.0/8 dev lo", "nft add table inet f",
		"nft add chain inet f dead { type filter hook input priority 0 ; }", "nft add rule inet f dead ip daddr 8.8.0.0/16 drop",
		"nft add chain inet f cut { type filter hook input priority 1 ; }")
	r.serve(t, "0.0.0.0:80", hostile.Respond(hostile.OK))
	return r
}

func farSite(kind, i int) string { return fmt.Sprintf("http://8.%d.%d.%d/", kind, i/200, i%200+1) }

const liveKind, deadKind = 9, 8

var farCanaries = checker.WithCanaries("http://8.1.1.1/", "http://8.1.1.2/")

// R9: one dead site among few.
func TestCanariesOneDead(t *testing.T) {
	t.Run("R9 one of 20 sites is dead", func(t *testing.T) {
		namespaced(t, func(t *testing.T) {
			far(t)
			targets := []string{farSite(deadKind, 0)}
			for i := range 19 {
				targets = append(targets, farSite(liveKind, i))
			}
			for _, timeout := range []time.Duration{500 * time.Millisecond, second} {
				c := sane(t, checker.WithTimeout(timeout), farCanaries)
				for range 2 {
					results := append(c.CheckAll(t.Context(), targets), c.Check(t.Context(), targets[0]))
					for _, r := range results {
						switch {
						case r.Target != targets[0] && !r.Online():
							t.Errorf("%v; want Online", r)
						case r.Target == targets[0] && (r.Reason() != checker.ReasonTimeout || r.Timing.Total > 2*timeout):
							t.Errorf("%v in %v; want a timeout within %v", r, r.Timing.Total, 2*timeout)
						}
					}
				}
			}
		})
	})
}

// R10: a third of a list is dead, and that takes little longer to tell with canaries.
func TestCanariesManyDead(t *testing.T) {
	t.Run("R10 30 % of 3 000 sites are dead", func(t *testing.T) {
		namespaced(t, func(t *testing.T) {
			far(t)
			var targets []string
			for i := range 3000 {
				kind := liveKind
				if i%10 < 3 {
					kind = deadKind
				}
				targets = append(targets, farSite(kind, i))
			}
			rand.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
			check := func(opts ...checker.Option) time.Duration {
				start, dead := time.Now(), 0
				for _, r := range sane(t, opts...).CheckAll(t.Context(), targets) {
					if r.Reason() == checker.ReasonTimeout {
						dead++
					} else if !r.Online() {
						t.Error(r)
					}
				}
				if dead != 900 {
					t.Errorf("%d sites are Offline; want 900", dead)
				}
				return time.Since(start)
			}
			without := check(checker.WithTimeout(second))
			with := check(checker.WithTimeout(second), farCanaries)
			t.Logf("%v with canaries, %v without", with, without)
			if with > without*3/2 {
				t.Errorf("it took %v with canaries and %v without; want at most 1.5 times as long", with, without)
			}
		})
	})
}

// R8 and R13: what is done to all, for a short time and for a long one.
func TestCanariesAllFail(t *testing.T) {
	for _, rule := range []string{"drop", "reject with tcp reset", "reject with icmp type host-unreachable"} {
		for _, timeout := range []time.Duration{500 * time.Millisecond, second} {
			t.Run(fmt.Sprintf("R13 all meet %s for 600ms, timeout %v", rule, timeout), func(t *testing.T) {
				namespaced(t, func(t *testing.T) {
					r := far(t)
					done := make(chan struct{})
					defer close(done)
					c := sane(t, checker.WithTimeout(timeout), checker.WithConcurrency(8), farCanaries)
					go func() {
						for {
							for _, cut := range []string{"add rule inet f cut tcp dport 80 " + rule, "flush chain inet f cut"} {
								select {
								case <-time.After(600 * time.Millisecond):
								case <-done:
									return
								}
								r.sh(t, "nft "+cut)
							}
						}
					}()
					online := 0
					end := time.Now().Add(4 * time.Second)
					targets := func(yield func(string) bool) {
						for i := 0; time.Now().Before(end) && yield(farSite(liveKind, i%2000)); i++ {
							time.Sleep(2 * time.Millisecond)
						}
					}
					for r := range c.Stream(t.Context(), targets) {
						if r.Online() {
							online++
						}
						if r.Status() == checker.Offline {
							t.Errorf("%v, begun at %v; want it not Offline", r, r.Start)
						}
					}
					if online < 100 {
						t.Errorf("%d sites are Online; want more", online)
					}
				})
			})
		}
		t.Run("R8 all meet "+rule, func(t *testing.T) {
			namespaced(t, func(t *testing.T) {
				r := far(t)
				r.sh(t, "nft add rule inet f cut tcp dport 80 "+rule)
				c := sane(t, checker.WithTimeout(second), farCanaries)
				targets := slices.Repeat([]string{farSite(liveKind, 1), farSite(liveKind, 2)}, 3)
				for _, r := range c.CheckAll(t.Context(), targets) {
					if r.Reason() != checker.ReasonLocal || r.Timing.Total > 2*second {
						t.Errorf("%v in %v; want local within %v", r, r.Timing.Total, 2*second)
					}
				}
			})
		})
	}
}

// everywhere is a resolver that finds every name at one address.
type everywhere struct{ netip.Addr }

// LookupNetIP implements [checker.Resolver].
func (e everywhere) LookupNetIP(_ context.Context, network, _ string) ([]netip.Addr, error) {
	if network == "ip6" {
		return nil, nil
	}
	return []netip.Addr{e.Addr}, nil
}

// R15: a captive portal answers for every name and on every port, with a certificate of
// its own. What it answers by http looks like a site, but it makes none Offline.
func TestCanariesBehindPortal(t *testing.T) {
	for answer, login := range map[string]string{
		"login": "HTTP/1.1 302 Found\r\nLocation: http://login.portal.test/\r\nContent-Length: 0\r\n\r\n",
		"511":   "HTTP/1.1 511 Network Authentication Required\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run("R15 "+answer, func(t *testing.T) {
			namespaced(t, func(t *testing.T) {
				r := far(t)
				r.serve(t, "0.0.0.0:8443", hostile.TLS(hostile.SelfSigned(t, "login.portal.test"), hostile.Respond(login)))
				r.serve(t, "0.0.0.0:8000", hostile.Respond(login))
				r.sh(t, "nft add table ip n", "nft add chain ip n pre { type nat hook prerouting priority -100 ; }",
					"nft add rule ip n pre tcp dport 443 redirect to :8443", "nft add rule ip n pre tcp dport 1-65535 redirect to :8000")
				c := sane(t, checker.WithTimeout(second), checker.WithResolver(everywhere{netip.MustParseAddr("8.1.1.1")}),
					checker.WithCanaries("https://canary.test/", "https://beacon.test/"))
				targets := []string{
					"http://a.test/", "https://a.test/", "a.test", "a.test:443", "a.test:8443", "https://a.test:8443/", "a.test:22",
					"https://no-such-name.test/", "8.2.2.2", "https://8.2.2.2/", "http://[2001:db8::1]/",
				}
				for range 2 {
					for _, r := range c.CheckAll(t.Context(), targets) {
						if r.Status() == checker.Offline {
							t.Errorf("%v; want it not Offline", r)
						}
					}
				}
			})
		})
	}
}
