package checker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// says is a site that tells a date, and how old that is.
func says(date time.Time, age time.Duration) hostile.Handler {
	return hostile.Respond(fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: %s\r\nAge: %d\r\n\r\n", date.Format("Mon, 02 Jan 2006 15:04:05 GMT"), int(age.Seconds())))
}

// R7: certificates that only dates are wrong with, and a clock that is. In a bubble that
// says 2000.
func TestClock(t *testing.T) {
	day := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	now := day(2000, 1, 1)
	ca, stranger := hostile.NewCA(t), hostile.NewCA(t)
	from := func(from, until time.Time) hostile.Cert {
		return hostile.Cert{Names: []string{"site.test"}, NotBefore: from, NotAfter: until}
	}
	spring := hostile.Cert{Names: []string{"site.test"}, NotBefore: day(1999, 3, 1), NotAfter: day(1999, 6, 1)}
	then := day(1999, 4, 1)
	old := func(n int, of time.Time) (all []hostile.Handler) {
		for range n {
			all = append(all, says(of, 0))
		}
		return all
	}
	const built, others = "and this program was made on ", "other sites say "
	for _, test := range []struct {
		name   string
		conf   *tls.Config
		others []hostile.Handler
		clock  func() time.Time
		want   string // in the text of an Unknown; "" for Offline
	}{
		{name: "valid since lately", conf: ca.Config(from(day(2026, 11, 1), day(2027, 2, 1))), want: built},
		{name: "valid since long", conf: ca.Config(from(day(2005, 1, 1), day(2036, 1, 1))), want: built},
		{name: "its issuer is not yet valid", conf: ca.Config(hostile.Cert{Names: []string{"site.test"}, Via: ca.Intermediate(func(c *x509.Certificate) {
			c.NotBefore = day(2020, 1, 1)
		})}), want: built},
		{name: "expired before the program was made", conf: ca.Config(from(day(2005, 1, 1), day(2020, 1, 1)))},
		{name: "expired before the clock", conf: ca.Config(spring)},
		{name: "not valid while the program may live", conf: ca.Config(from(day(2099, 1, 1), time.Time{}))},
		{name: "not yet valid, and of another host", conf: ca.Config(hostile.Cert{Names: []string{"other.test"}, NotBefore: day(2020, 1, 1)})},
		{name: "not yet valid, and nobody vouches for it", conf: stranger.Config(from(day(2020, 1, 1), time.Time{}))},
		{name: "the clock is the caller's", conf: ca.Config(from(day(2020, 1, 1), time.Time{})), clock: time.Now},

		{name: "another site tells the time", conf: ca.Config(from(day(2005, 1, 1), day(2020, 1, 1))), others: old(1, day(2010, 1, 1)), want: others + "2010-01-01 00:00:00 UTC"},
		{name: "it is not yet valid by that either", conf: ca.Config(from(day(2012, 1, 1), time.Time{})), others: old(1, day(2010, 1, 1))},
		{name: "two others say that the clock is ahead", conf: ca.Config(spring), others: old(2, then), want: others + "1999-04-01"},
		{name: "one other says so", conf: ca.Config(spring), others: old(1, then)},
		{name: "one of three says so", conf: ca.Config(spring), others: append(old(1, then), old(2, now)...)},
		{name: "one of two says so", conf: ca.Config(spring), others: append(old(1, then), says(now, 0))},
		{name: "three of five say so", conf: ca.Config(spring), others: append(old(3, then), old(2, now)...), want: others},
		{name: "it has expired by that too", conf: ca.Config(spring), others: old(3, day(1999, 7, 1))},
		{name: "answers out of caches", conf: ca.Config(spring), others: []hostile.Handler{says(then, now.Sub(then)), says(then, now.Sub(then)), says(then, now.Sub(then))}},
		{name: "hours are nothing", conf: ca.Config(from(day(1999, 3, 1), now.Add(-time.Hour))), others: old(3, now.Add(-2*time.Hour))},
		{name: "no dates", conf: ca.Config(spring), others: []hostile.Handler{hostile.Respond("HTTP/1.1 200 OK\r\nDate: then\r\n\r\n"), hostile.Respond(hostile.OK)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := faults.Site(t, nil, hostile.TLS(test.conf, hostile.Respond(hostile.OK)))
				c := faults.NewChecker(t, faults.On(n, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), Time: test.clock}))...)
				for i, h := range test.others {
					addr := fmt.Sprintf("192.0.2.%d", i+1)
					hostile.ServeListener(t, n.Listen(addr+":80"), h)
					if r := c.Check(t.Context(), "http://"+addr+"/"); !r.Online() {
						t.Fatal(r)
					}
				}
				r := c.Check(t.Context(), "https://site.test/")
				want := checker.ReasonCertificate
				if test.want != "" {
					want = checker.ReasonLocal
				}
				if r.Reason() != want || !strings.Contains(r.Err.Error(), test.want) || r.TLS == nil {
					t.Errorf("Check() = %v; want %q, %q", r, want, test.want)
				}
				if test.want != "" {
					faults.Hold(t, "R7 "+test.name, r)
				}
			})
		})
	}
}

// A clock of the caller's says which it is.
func TestCallersClock(t *testing.T) {
	ca := hostile.NewCA(t)
	day := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}, NotBefore: day(1995), NotAfter: day(2095)}), hostile.Respond(hostile.OK)))
	for year, want := range map[int]checker.Cause{1992: checker.CauseNotYetValid, 2030: "", 2098: checker.CauseExpired} {
		c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), Time: func() time.Time { return day(year) }}))
		if r := c.Check(t.Context(), s.URLS()); r.Cause() != want || r.Online() != (want == "") {
			t.Errorf("in %d: %v, %q; want %q", year, r, r.Cause(), want)
		}
	}
}

// R7: a site's own Date says nothing of its certificate.
func TestClockOwnDate(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}, NotAfter: time.Date(1999, 6, 1, 0, 0, 0, 0, time.UTC)})
	bubble.Test(t, func(t *testing.T) {
		n := faults.Site(t, says(time.Date(1999, 4, 1, 0, 0, 0, 0, time.UTC), 0), hostile.TLS(conf, hostile.Respond(hostile.OK)))
		c := faults.NewChecker(t, faults.On(n, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))...)
		for range 3 {
			c.Check(t.Context(), "http://site.test/")
		}
		if r := c.Check(t.Context(), "https://site.test/"); r.Reason() != checker.ReasonCertificate {
			t.Errorf("Check() = %v; want %q", r, checker.ReasonCertificate)
		}
	})
}

// R7: several names of one server are one voice.
func TestClockOneServer(t *testing.T) {
	ca := hostile.NewCA(t)
	then := time.Date(1999, 4, 1, 0, 0, 0, 0, time.UTC)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}, NotBefore: then.AddDate(0, -1, 0), NotAfter: then.AddDate(0, 2, 0)})
	for _, test := range []struct {
		addrs []string
		want  checker.Reason
	}{
		{[]string{"192.0.2.9", "192.0.2.9", "192.0.2.9"}, checker.ReasonCertificate},
		{[]string{"192.0.2.9", "192.0.2.9", "192.0.2.10"}, checker.ReasonLocal},
	} {
		bubble.Test(t, func(t *testing.T) {
			n := faults.Site(t, nil, hostile.TLS(conf, hostile.Respond(hostile.OK)))
			c := faults.NewChecker(t, faults.On(n, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))...)
			for _, addr := range []string{"192.0.2.9", "192.0.2.10"} {
				hostile.ServeListener(t, n.Listen(addr+":80"), says(then, 0))
			}
			for i, addr := range test.addrs {
				name := fmt.Sprintf("other%d.test", i)
				n.Name(name, addr)
				if r := c.Check(t.Context(), "http://"+name+"/"); !r.Online() {
					t.Fatal(r)
				}
			}
			if r := c.Check(t.Context(), "https://site.test/"); r.Reason() != test.want {
				t.Errorf("others at %v: Check() = %v; want %q", test.addrs, r, test.want)
			}
		})
	}
}

// R6: a timeout whose end is noticed late, as a hook may notice it late, is no verdict,
// nor is one of a check that was under way then.
func TestLateEnd(t *testing.T) {
	silent := func(ctx context.Context, late time.Duration) (*http.Response, error) {
		<-ctx.Done()
		time.Sleep(late) // this is the fault
		return nil, context.Cause(ctx)
	}
	for _, test := range []struct {
		late time.Duration
		want checker.Reason
	}{
		{0, checker.ReasonTimeout}, {40 * time.Millisecond, checker.ReasonTimeout}, {timeout/4 + 1, checker.ReasonLocal}, {3 * timeout, checker.ReasonLocal},
	} {
		bubble.Test(t, func(t *testing.T) {
			c := faults.NewChecker(t, checker.WithTimeout(timeout), checker.WithRetries(0), checker.WithMethod("GET"),
				checker.WithTransport(&faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
					if req.URL.Host == "192.0.2.1" {
						return silent(req.Context(), test.late)
					}
					return silent(req.Context(), 0)
				}}))
			if r := c.Check(t.Context(), "http://192.0.2.1/"); r.Reason() != test.want {
				t.Errorf("noticed late by %v: %v; want %q", test.late, r, test.want)
			}
			if r := c.Check(t.Context(), "http://192.0.2.2/"); r.Reason() != checker.ReasonTimeout {
				t.Errorf("the next check: %v; want %q", r, checker.ReasonTimeout)
			}
		})
	}
}
