package faults_test

import (
	"context"
	"errors"
	"iter"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/emulator"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// What a lookup may give, as the dialer sees it; over real sockets it follows
// below.
func TestFaultsLookup(t *testing.T) {
	hosts := func(addrs ...string) func(*hostile.Net) {
		return func(n *hostile.Net) { n.Name("site.test", addrs...) }
	}
	both := func(err error) func(*hostile.Net) {
		return func(n *hostile.Net) {
			n.NameFails("ip4", "site.test", err)
			n.NameFails("ip6", "site.test", err)
		}
	}
	ok := hostile.Respond(hostile.OK)
	unknown := func(name string, prepare func(*hostile.Net)) fault {
		return fault{name: name, reason: checker.ReasonDNS, phase: checker.PhaseDNS, net: prepare, also: dials()}
	}
	broken := &net.DNSError{Err: "server misbehaving", Name: "site.test", IsTemporary: true}
	v6 := "2001:db8::80"
	silent := unknown("B5 the resolver is silent", func(n *hostile.Net) {
		n.NameHangs("ip4", "site.test")
		n.NameHangs("ip6", "site.test")
	})
	silent.takes = timeout
	half := unknown("B8 A is silent, AAAA has none", func(n *hostile.Net) {
		n.Name("site.test")
		n.NameHangs("ip4", "site.test")
	})
	half.takes = timeout
	runFaults(t, []fault{
		{name: "B1, B2 no address", reason: checker.ReasonNotFound, phase: checker.PhaseDNS, net: hosts(), also: dials()},
		unknown("B3, B4 the resolver fails", both(broken)),
		unknown("B3 A fails, AAAA has none", func(n *hostile.Net) {
			n.Name("site.test")
			n.NameFails("ip4", "site.test", broken)
		}),
		silent, half,
		{
			name: "B9 A is fine, AAAA silent", site: ok, status: 200, takes: 50 * time.Millisecond,
			net: func(n *hostile.Net) { n.NameHangs("ip6", "site.test") },
		},
		{
			name: "B10 A is fine, AAAA fails", site: ok, status: 200,
			net: func(n *hostile.Net) { n.NameFails("ip6", "site.test", broken) },
		},
		{name: "B15, O10 sinkhole", reason: checker.ReasonDNS, phase: checker.PhaseDNS, net: hosts("0.0.0.0", "::"), also: dials()},
		{
			name: "B16 a private answer and a policy", reason: checker.ReasonBlocked, phase: checker.PhaseConnect, net: hosts("10.0.0.1"),
			opts: []checker.Option{checker.WithAddrPolicy(notTen)}, also: dials(),
		},
		{
			name: "B16 one private answer of two and a policy", site: ok, status: 200, net: hosts("10.0.0.1", siteAddr),
			opts: []checker.Option{checker.WithAddrPolicy(notTen)}, also: dials(siteAddr + ":80"),
		},
		{
			name: "B17 a great many addresses", reason: checker.ReasonRefused, phase: checker.PhaseConnect,
			net: hosts(strings.Split(strings.Repeat("192.0.2.1 ", 1000)+"192.0.2.1", " ")...),
			also: func(t *testing.T, n *hostile.Net, _ checker.Result) {
				if got := len(n.Dials()); got != 8 {
					t.Errorf("%d connects; want 8", got)
				}
			},
		},
		{
			name: "B18 the first address is dead", site: ok, status: 200, takes: 250 * time.Millisecond,
			net: func(n *hostile.Net) {
				n.Name("site.test", "192.0.2.1", siteAddr)
				n.Drop("192.0.2.1:80")
			},
		},
		{
			name: "B19 IPv6 is dead", site: ok, status: 200, takes: 250 * time.Millisecond,
			net: func(n *hostile.Net) {
				n.Name("site.test", v6, siteAddr)
				n.Drop("[" + v6 + "]:80")
			},
		},
		{
			name: "B20 only IPv6, and no route", reason: checker.ReasonLocal, phase: checker.PhaseConnect,
			net: func(n *hostile.Net) {
				n.Name("site.test", v6)
				n.Fail("["+v6+"]:80", syscall.ENETUNREACH)
			},
		},
		{
			name: "B20 no route to IPv6, and IPv4 refuses", reason: checker.ReasonRefused, phase: checker.PhaseConnect,
			net: func(n *hostile.Net) {
				n.Name("site.test", v6, siteAddr)
				n.Fail("["+v6+"]:80", syscall.ENETUNREACH)
			},
		},
		{
			name: "B22 a name of one label", target: "http://intranet/", site: ok, status: 200,
			net: func(n *hostile.Net) { n.Name("intranet", siteAddr) },
		},
		{
			name: "B24 every name leads to a portal", target: "http://none.test/", status: 302,
			site: hostile.Respond("HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\n\r\n"),
			net:  func(n *hostile.Net) { n.Name("none.test", siteAddr) },
		},
	})
}

// Go's own resolver against a DNS server that misbehaves, over real sockets.
func TestFaultsDNS(t *testing.T) {
	d := hostile.ServeDNS(t)
	s := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	const typeA, typeAAAA = dnsmessage.TypeA, dnsmessage.TypeAAAA
	late := 250 * time.Millisecond
	if emulator.Is(emulator.QEMU) {
		late = time.Second
	}
	here := hostile.Addrs("127.0.0.1")
	loop := hostile.CNAME("loop.test")
	overrun := hostile.Raw([]byte("\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x04site\x04test\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x01\x00\xff\x7f"))
	compression := hostile.Raw([]byte("\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x04site\x04test\x00\x00\x01\x00\x01\xc0\x1c\x00\x01\x00\x01\x00\x00\x00\x01\x00\x04\x7f\x00\x00\x01"))
	for _, row := range []struct {
		name    string
		answers []hostile.Answer
		reason  checker.Reason
		within  time.Duration
	}{
		{"B1 NXDOMAIN", []hostile.Answer{hostile.NXDomain()}, checker.ReasonNotFound, time.Second},
		{"B2 no data", []hostile.Answer{hostile.NoData()}, checker.ReasonNotFound, time.Second},
		{"B2 alias of nothing", []hostile.Answer{hostile.CNAME("nothing.test")}, checker.ReasonNotFound, time.Second},
		{"B3 SERVFAIL", []hostile.Answer{hostile.ServFail()}, checker.ReasonDNS, time.Second},
		{"B4 REFUSED", []hostile.Answer{hostile.RCode(dnsmessage.RCodeRefused)}, checker.ReasonDNS, time.Second},
		{"B4 NOTIMP", []hostile.Answer{hostile.RCode(dnsmessage.RCodeNotImplemented)}, checker.ReasonDNS, time.Second},
		{"B4 FORMERR", []hostile.Answer{hostile.RCode(dnsmessage.RCodeFormatError)}, checker.ReasonDNS, time.Second},
		{"B5 silent", []hostile.Answer{hostile.Drop()}, checker.ReasonDNS, timeout + late},
		{"B8 A dropped, AAAA no data", []hostile.Answer{hostile.Drop().For(typeA)}, checker.ReasonDNS, timeout + late},
		{"B9 A fine, AAAA dropped", []hostile.Answer{here.For(typeA), hostile.Drop().For(typeAAAA)}, "", time.Second},
		{"B10 A fine, AAAA SERVFAIL", []hostile.Answer{here.For(typeA), hostile.ServFail().For(typeAAAA)}, "", time.Second},
		{"B11 truncated, then TCP", []hostile.Answer{here.Truncated(true)}, "", time.Second},
		{"B11 truncated, and no TCP", []hostile.Answer{here.Truncated(false)}, checker.ReasonDNS, timeout + late},
		{"B12 forged answers first", []hostile.Answer{here.Noisy()}, "", time.Second},
		{"B13 short", []hostile.Answer{hostile.Raw([]byte("\x81\x80"))}, checker.ReasonDNS, timeout + late},
		{"B13 overrun", []hostile.Answer{overrun}, checker.ReasonDNS, timeout + late},
		{"B13 compression loop", []hostile.Answer{compression}, checker.ReasonDNS, timeout + late},
		{"B14 alias with its address", []hostile.Answer{hostile.CNAME("other.test", "127.0.0.1")}, "", time.Second},
		{"B14 alias of itself", []hostile.Answer{loop}, checker.ReasonNotFound, time.Second},
		{"B15, O10 sinkhole", []hostile.Answer{hostile.Addrs("0.0.0.0", "::")}, checker.ReasonDNS, time.Second},
		{"B17 a great many addresses", []hostile.Answer{hostile.Addrs(strings.Fields(strings.Repeat("127.0.0.1 ", 1000))...)}, "", time.Second},
		{"I7 an answer of 60 KiB over TCP", []hostile.Answer{hostile.Addrs(strings.Fields(strings.Repeat("127.0.0.1 ", 3700))...).Truncated(true)}, "", timeout},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			name := strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
					return r
				}
				return '-'
			}, strings.ToLower(row.name)) + ".test"
			d.Set(name, row.answers...)
			c := faults.NewChecker(t, checker.WithResolver(d.Resolver()), checker.WithTimeout(timeout), checker.WithRetries(0))
			start := time.Now()
			r := c.Check(t.Context(), strings.Replace(s.URL(), "127.0.0.1", name, 1))
			f := fault{name: row.name, reason: row.reason}
			if f.reason != "" {
				f.phase = checker.PhaseDNS
			}
			f.check(t, r)
			if took := time.Since(start); took > row.within {
				t.Errorf("Check(%q) took %v; want at most %v", r.Target, took, row.within)
			}
		})
	}
}

// B8: that A is not answered while AAAA has none says nothing about the name,
// however often it is asked.
func TestHalfAnswerIsNotNotFound(t *testing.T) {
	d := hostile.ServeDNS(t)
	d.Set("half.test", hostile.Drop().For(dnsmessage.TypeA))
	c := faults.NewChecker(t, checker.WithResolver(d.Resolver()), checker.WithTimeout(200*time.Millisecond), checker.WithConcurrency(500), checker.WithHostConcurrency(500))
	targets := make([]string, 1000)
	for i := range targets {
		targets[i] = "http://half.test/"
	}
	for _, r := range c.CheckAll(t.Context(), targets) {
		if r.Reason() != checker.ReasonDNS {
			t.Fatalf("Check(%q) = %v; want %q", r.Target, r, checker.ReasonDNS)
		}
	}
}

// B9: what became of a question that nobody waited for is not held against the
// next site of that name.
func TestLookupThatWasLeft(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := faults.Site(t, hostile.Respond(hostile.OK), nil)
		n.NameTakes("ip6", "site.test", 150*time.Millisecond)
		n.Fail(siteAddr+":81", syscall.ECONNREFUSED)
		n.Drop(siteAddr + ":82")
		c := faults.NewChecker(t, faults.On(n, checker.WithHostConcurrency(1), checker.WithRetries(0), checker.WithTimeout(timeout))...)
		results := c.CheckAll(t.Context(), []string{"http://site.test/", "http://site.test:81/", "http://site.test:82/"})
		for i, want := range []checker.Reason{"", checker.ReasonRefused, checker.ReasonTimeout} {
			if r := results[i]; r.Reason() != want {
				t.Errorf("Check(%q) = %v; want %q", r.Target, r, want)
			}
		}
	})
}

// O1, O2: the lookup of one family fails, and all addresses of the other refuse. A
// failure that is told says nothing of further addresses; silence leaves them open.
func TestOtherFamilyIsNotKnown(t *testing.T) {
	for _, tt := range []struct {
		name   string
		other  func(*hostile.Net)
		reason checker.Reason
		took   time.Duration
	}{
		{"fails", func(n *hostile.Net) {
			n.NameFails("ip4", "site.test", &net.DNSError{Err: "server misbehaving", IsTemporary: true})
		}, checker.ReasonRefused, 0},
		{"times out", func(n *hostile.Net) {
			n.NameFails("ip4", "site.test", &net.DNSError{Err: "i/o timeout", IsTimeout: true})
		}, checker.ReasonDNS, 0},
		{"hangs", func(n *hostile.Net) { n.NameHangs("ip4", "site.test") }, checker.ReasonDNS, timeout},
	} {
		bubble.Test(t, func(t *testing.T) {
			n := hostile.NewNet()
			n.Name("site.test", "2001:db8::1")
			tt.other(n)
			start := time.Now()
			r := faults.NewChecker(t, faults.On(n, checker.WithTimeout(timeout), checker.WithRetries(0))...).Check(t.Context(), "http://site.test/")
			if took := time.Since(start); r.Reason() != tt.reason || took != tt.took {
				t.Errorf("where the lookup of IPv4 %s and IPv6 is refused: %v after %v; want %v after %v", tt.name, r, took, tt.reason, tt.took)
			}
		})
	}
}

// B25: a name that is wanted often is asked for once, in each family.
func TestLookupsAreShared(t *testing.T) {
	d := hostile.ServeDNS(t)
	d.Set("busy.test", hostile.Addrs("127.0.0.1").After(10*time.Millisecond))
	s := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	c := faults.NewChecker(t, checker.WithResolver(d.Resolver()), checker.WithHostConcurrency(50))
	targets := make([]string, 2000)
	for i := range targets {
		targets[i] = strings.Replace(s.URL(), "127.0.0.1", "busy.test", 1)
	}
	for _, r := range c.CheckAll(t.Context(), targets) {
		if !r.Online() {
			t.Fatalf("Check(%q) = %v; want Online", r.Target, r)
		}
	}
	if n := d.Queries("busy.test"); n != 2 {
		t.Errorf("%d queries; want 2", n)
	}
}

// B3, J11: a resolver that fails and comes back is believed at once; no failure
// is kept.
func TestResolverComesBack(t *testing.T) {
	d := hostile.ServeDNS(t)
	s := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	target := strings.Replace(s.URL(), "127.0.0.1", "site.test", 1)
	d.Set("site.test", hostile.ServFail().Once(), hostile.ServFail().Once(), hostile.ServFail().Once(), hostile.ServFail().Once(), hostile.Addrs("127.0.0.1"))
	c := faults.NewChecker(t, checker.WithResolver(d.Resolver()), checker.WithRetries(5))
	if r := c.Check(t.Context(), target); !r.Online() || r.Attempts < 2 {
		t.Errorf("Check(%q) = %v after %d attempts; want Online after some", target, r, r.Attempts)
	}
	d.Silence(true)
	c = faults.NewChecker(t, checker.WithResolver(d.Resolver()), checker.WithTimeout(time.Second))
	if r := c.Check(t.Context(), target); r.Reason() != checker.ReasonDNS {
		t.Errorf("Check(%q) = %v; want %q", target, r, checker.ReasonDNS)
	}
	d.Silence(false)
	if r := c.Check(t.Context(), target); !r.Online() {
		t.Errorf("Check(%q) = %v; want Online", target, r)
	}
}

// B5: a resolver that keeps silent holds nothing once there is a verdict. Go's
// own goes on reading for five seconds unless its socket is closed.
func TestSilentResolverLeavesNothing(t *testing.T) {
	d := hostile.ServeDNS(t)
	d.Set("site.test", hostile.Drop())
	before := runtime.NumGoroutine()
	c := faults.NewChecker(t, checker.WithResolver(d.Resolver()), checker.WithTimeout(200*time.Millisecond))
	c.Check(t.Context(), "http://site.test/")
	for end := time.Now().Add(100 * time.Millisecond); runtime.NumGoroutine() > before && time.Now().Before(end); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine() - before; n > 0 {
		t.Errorf("%d goroutines are left after 100ms", n)
	}
}

// B6: nobody listens where the resolver should be.
func TestResolverIsGone(t *testing.T) {
	closed := hostile.ClosedPort(t).String()
	gone := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, closed)
	}}
	c := faults.NewChecker(t, checker.WithResolver(gone), checker.WithRetries(0))
	fault{name: "B6", reason: checker.ReasonDNS, phase: checker.PhaseDNS}.check(t, c.Check(t.Context(), "http://site.test/"))
}

// B26: a resolver that heeds no context, as one in C does not, keeps nobody
// waiting beyond the timeout.
func TestStuckResolver(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		c := faults.NewChecker(t, checker.WithTimeout(timeout), checker.WithResolver(resolverFunc(func(context.Context, string, string) ([]netip.Addr, error) {
			<-release
			return nil, errors.New("at last")
		})))
		start := time.Now()
		r := c.Check(t.Context(), "http://site.test/")
		if took := time.Since(start); r.Reason() != checker.ReasonDNS || took != timeout {
			t.Errorf("Check() = %v after %v; want dns after %v", r, took, timeout)
		}
	})
}

// O11: a resolver that answers for IPv4 and then hangs for IPv6, whatever its context
// says, is asked again: what it has found is not used for ever.
func TestHalfStuckResolver(t *testing.T) {
	const moves, kept = 5 * time.Second, 30 * time.Second
	const newAddr = "192.0.2.81"
	setUp := func(t *testing.T) (c *checker.Checker, asked *atomic.Int64) {
		release := make(chan struct{})
		t.Cleanup(func() { close(release) })
		n := faults.Site(t, hostile.Respond(hostile.OK), nil)
		hostile.ServeListener(t, n.Listen(newAddr+":80"), hostile.Respond(hostile.OK))
		time.AfterFunc(moves, func() { n.Fail(siteAddr+":80", syscall.ECONNREFUSED) })
		asked = new(atomic.Int64)
		start := time.Now()
		stuck := resolverFunc(func(_ context.Context, network, _ string) ([]netip.Addr, error) {
			if network == "ip6" {
				<-release
				return nil, errors.New("at last")
			}
			asked.Add(1)
			if time.Since(start) < moves {
				return []netip.Addr{netip.MustParseAddr(siteAddr)}, nil
			}
			return []netip.Addr{netip.MustParseAddr(newAddr)}, nil
		})
		return faults.NewChecker(t, checker.WithResolver(stuck), checker.WithDialContext(n.DialContext), checker.WithTimeout(timeout), checker.WithRetries(0)), asked
	}
	const targets = 500
	each := func(t *testing.T) iter.Seq[string] { // one every 100 ms
		return func(yield func(string) bool) {
			for range targets {
				if !yield("http://site.test/") {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
	}
	bubble.Test(t, func(t *testing.T) { // by Stream
		c, asked := setUp(t)
		start := time.Now()
		for r := range c.Stream(t.Context(), each(t)) {
			if at := r.Start.Sub(start); !r.Online() && (at < moves || at > moves+kept) {
				t.Fatalf("Check(%q) after %v = %v; want Online", r.Target, at, r)
			}
		}
		if n := asked.Load(); n < 2 || n > targets/5 {
			t.Errorf("asked %d times for %d targets; want some of them", n, targets)
		}
	})
	bubble.Test(t, func(t *testing.T) { // by Check
		c, asked := setUp(t)
		for i := range 20 {
			if r := c.Check(t.Context(), "http://site.test/"); !r.Online() || asked.Load() != int64(i+1) {
				t.Fatalf("Check(%q) = %v after %d lookups; want Online after %d", r.Target, r, asked.Load(), i+1)
			}
			time.Sleep(time.Second)
		}
	})
}
