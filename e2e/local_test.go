//go:build linux

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/hostile"
)

// Faults of this machine: its descriptors, environment, clock and memory, and
// what is cut in the middle of a run.

// A crowd is a great many sites that live on one listener, each with an address
// and a name of its own.
type crowd struct {
	port uint16
	dns  string // the address of the nameserver
}

const siteEnv = "CHECKER_E2E_SITE" // the URL of a site in the test's own process

// plain is what a site does that is fine.
var plain = hostile.Respond(hostile.OK)

const crowdEnv = "CHECKER_E2E_CROWD" // a crowd, "port dns"

// newCrowd returns a crowd of n that does as h does. It lives in the test's own process; in a
// process that the test started it finds that one.
func newCrowd(t *testing.T, n int, h hostile.Handler) (c crowd, env string) {
	t.Helper()
	if s := os.Getenv(crowdEnv); s != "" {
		if _, err := fmt.Sscan(s, &c.port, &c.dns); err != nil {
			t.Fatal(err)
		}
		return c, ""
	}
	s := hostile.Serve(t, "0.0.0.0:0", h)
	d := hostile.ServeDNS(t)
	for i := range n {
		d.Set(fmt.Sprintf("h%d.test", i), hostile.Addrs(loopback(i)))
	}
	c = crowd{s.Port(), d.Addr()}
	return c, fmt.Sprintf("%s=%d %s", crowdEnv, c.port, c.dns)
}

func (c crowd) addresses(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("http://%s:%d/", loopback(i), c.port))
	}
	return list
}

func (c crowd) names(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("http://h%d.test:%d/", i, c.port))
	}
	return list
}

func (c crowd) resolver() checker.Option { return resolver(c.dns) }

// resolver makes a Checker ask the nameserver at addr.
func resolver(addr string) checker.Option {
	return checker.WithResolver(&net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}})
}

// limit sets a limit of this process.
func limit(t *testing.T, resource int, n uint64) {
	t.Helper()
	if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
		t.Fatal(err)
	}
}

// 2 000 sites that live, 500 at once, with 64 descriptors: all are Online.
func TestDescriptors(t *testing.T) {
	const n = 2000
	for _, test := range []struct {
		name  string
		limit uint64
		held  int // descriptors that the program itself has open
		list  func(crowd, int) []string
	}{
		{"addresses", 64, 0, crowd.addresses},
		{"names", 64, 0, crowd.names},
		{"addresses, 100 of 164 held", 164, 100, crowd.addresses},
		{"names, 100 of 164 held", 164, 100, crowd.names},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, env := newCrowd(t, n, plain)
			process{env: []string{env}}.run(t, func(t *testing.T) {
				limit(t, syscall.RLIMIT_NOFILE, test.limit)
				hold(t, test.held)
				start := time.Now()
				results := sane(t, checker.WithTimeout(10*second), checker.WithConcurrency(500), c.resolver()).
					CheckAll(t.Context(), test.list(c, n))
				counts := tally(results)
				t.Logf("%v in %v", counts, time.Since(start).Round(time.Millisecond))
				neverOffline(t, results)
				if counts[""] != n {
					t.Errorf("%v; want %d Online", counts, n)
				}
			})
		})
	}
}

// The system's root certificates are read when the first one is to be verified,
// and then there may be no descriptor to spare.
func TestDescriptorsRoots(t *testing.T) {
	const n = 1000
	conf := hostile.SelfSigned(t, "*.test")
	c, env := newCrowd(t, n, hostile.TLS(conf, plain))
	process{env: append(onlyRoot(t, conf), env)}.run(t, func(t *testing.T) {
		limit(t, syscall.RLIMIT_NOFILE, 64)
		start := time.Now()
		var list []string
		for _, target := range c.names(n) {
			list = append(list, strings.Replace(target, "http:", "https:", 1))
		}
		results := sane(t, checker.WithTimeout(10*second), checker.WithConcurrency(500), c.resolver()).
			CheckAll(t.Context(), list)
		t.Logf("%v in %v", tally(results), time.Since(start).Round(time.Millisecond))
		neverOffline(t, results)
		if counts := tally(results); counts[""] != n {
			t.Errorf("%v; want %d Online", counts, n)
		}
	})
}

// A process that had no descriptor when it wanted to read the root certificates
// can verify certificates once it has some again.
func TestDescriptorsRootsLater(t *testing.T) {
	conf := hostile.SelfSigned(t, "127.0.0.1")
	env := append(onlyRoot(t, conf), siteEnv+"="+hostile.Serve(t, "127.0.0.1:0", hostile.TLS(conf, plain)).URLS())
	process{env: env}.run(t, func(t *testing.T) {
		target := os.Getenv(siteEnv) + "/"
		limit(t, syscall.RLIMIT_NOFILE, 64)
		var hogs []*os.File
		c := sane(t, checker.WithDialContext(func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			for {
				f, err := os.Open("/dev/null")
				if err != nil {
					break
				}
				hogs = append(hogs, f)
			}
			return conn, err
		}))
		wantResult(t, c.Check(t.Context(), target), checker.ReasonLocal, checker.PhaseTLS)
		for _, f := range hogs {
			f.Close()
		}
		wantResult(t, sane(t).Check(t.Context(), target), "", "")
	})
}

// Waiting for a descriptor is this machine's time: one that comes at the very end of
// the wait leaves the site its whole timeout to answer.
func TestDescriptorsLate(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := hostile.NewNet()
		hostile.ServeListener(t, n.Listen(liveSite+":80"), func(_ context.Context, conn net.Conn) {
			time.Sleep(200 * time.Millisecond)
			io.WriteString(conn, hostile.OK)
		})
		start := time.Now()
		r := sane(t, checker.WithDialContext(func(ctx context.Context, network, addr string) (net.Conn, error) {
			if time.Since(start) < second-100*time.Millisecond {
				return nil, syscall.EMFILE
			}
			return n.DialContext(ctx, network, addr)
		})).Check(t.Context(), "http://"+liveSite+"/")
		if r.Status() != checker.Online || r.Timing.Total != 200*time.Millisecond {
			t.Errorf("Check(%q) = %v in %v; want %q in 200ms", r.Target, r, r.Timing.Total, checker.Online)
		}
		if wait := r.Timing.Wait; wait < second-100*time.Millisecond || wait > second {
			t.Errorf("it waited for %v; want as long as there was no descriptor", wait)
		}
	})
}

// hold opens n descriptors until the test is over.
func hold(t *testing.T, n int) {
	t.Helper()
	for range n {
		f, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
	}
}

// J1: sites that never answer keep descriptors for their whole timeout. The
// others get theirs nevertheless.
func TestDescriptorsTarpits(t *testing.T) {
	const living, silent = 400, 60
	c, env := newCrowd(t, living, plain)
	tar := ""
	if !inside() {
		tar = hostile.Serve(t, "0.0.0.0:0", hostile.Silent()).URL()
	}
	process{env: []string{env, siteEnv + "=" + tar}}.run(t, func(t *testing.T) {
		limit(t, syscall.RLIMIT_NOFILE, 64)
		list := c.addresses(living)
		tar, err := url.Parse(os.Getenv(siteEnv))
		if err != nil {
			t.Fatal(err)
		}
		for i := range silent {
			target := fmt.Sprintf("http://%s:%s/", loopback(living+i), tar.Port())
			list = slices.Insert(list, i*living/silent, target)
		}
		start := time.Now()
		results := sane(t, checker.WithConcurrency(256)).CheckAll(t.Context(), list)
		for _, r := range results {
			switch slow := strings.Contains(r.Target, ":"+tar.Port()); {
			case !slow && !r.Online():
				t.Errorf("%v; want Online", r)
			case slow && r.Reason() != checker.ReasonTimeout && r.Reason() != checker.ReasonLocal:
				t.Errorf("%v; want %q or %q", r, checker.ReasonTimeout, checker.ReasonLocal)
			}
		}
		t.Logf("%v in %v", tally(results), time.Since(start).Round(time.Millisecond))
	})
}

// J2: a resolver without descriptors has not said that there is no such name.
func TestDescriptorsResolver(t *testing.T) {
	const n = 10_000
	c, env := newCrowd(t, n, plain)
	process{env: []string{env}}.run(t, func(t *testing.T) {
		limit(t, syscall.RLIMIT_NOFILE, 24)
		start := time.Now()
		results := sane(t, checker.WithTimeout(10*second), checker.WithConcurrency(500), c.resolver()).
			CheckAll(t.Context(), c.names(n))
		t.Logf("%v in %v", tally(results), time.Since(start).Round(time.Millisecond))
		neverOffline(t, results)
	})
}

// J11: the resolver dies in the middle of a run, and comes back.
func TestResolverCut(t *testing.T) {
	s := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	d := hostile.ServeDNS(t)
	dns := []checker.Reason{checker.ReasonDNS}
	cut{
		target: func(i int) string { // another name each time: what has been found is reused
			d.Set(fmt.Sprintf("h%d.test", i), hostile.Addrs("127.0.0.1"))
			return fmt.Sprintf("http://h%d.test:%d/", i, s.Port())
		},
		opts:   []checker.Option{checker.WithResolver(d.Resolver())},
		off:    func() { d.Silence(true) },
		on:     func() { d.Silence(false) },
		during: dns, across: dns,
	}.run(t)
}

// J12: without root certificates nothing can be said about anybody's.
func TestNoRoots(t *testing.T) {
	for _, test := range []struct {
		name  string
		roots func(dir string) string
	}{
		{"J12 no roots", func(string) string { return "/dev/null" }},
		{"J12 no file of roots", func(dir string) string { return filepath.Join(dir, "none.pem") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			env := []string{"SSL_CERT_FILE=" + test.roots(dir), "SSL_CERT_DIR=" + dir}
			process{env: env}.run(t, func(t *testing.T) {
				s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(
					hostile.NewCA(t).Config(hostile.Cert{Names: []string{"127.0.0.1"}}), hostile.Respond(hostile.OK)))
				r := sane(t).Check(t.Context(), s.URLS()+"/")
				wantResult(t, r, checker.ReasonLocal, checker.PhaseTLS)
				if !strings.Contains(fmt.Sprint(r.Err), "root certificates") {
					t.Errorf("Check(%q).Err = %v; want it to speak of root certificates", r.Target, r.Err)
				}
			})
		})
	}
}

// J14: proxies in the environment are of no concern, whichever protocol is
// spoken.
func TestProxyEnvironment(t *testing.T) {
	var env []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		for _, name := range []string{name, strings.ToLower(name)} {
			env = append(env, name+"=http://127.0.0.1:1")
		}
	}
	t.Run("J14 a broken proxy", func(t *testing.T) {
		process{env: env}.run(t, func(t *testing.T) {
			plain := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
			secure := httptest.NewUnstartedServer(http.NotFoundHandler())
			secure.EnableHTTP2 = true
			secure.Config.Protocols = new(http.Protocols)
			secure.Config.Protocols.SetHTTP2(true) // and no HTTP/1.1
			secure.StartTLS()
			defer secure.Close()
			d := hostile.ServeDNS(t)
			d.Set("example.com", hostile.Addrs("127.0.0.1")) // which httptest's certificate is for

			c := sane(t, checker.WithResolver(d.Resolver()), checker.WithTLSConfig(secure.Client().Transport.(*http.Transport).TLSClientConfig))
			r := c.Check(t.Context(), fmt.Sprintf("http://example.com:%d/", plain.Port()))
			wantResult(t, r, "", "")
			_, port, _ := net.SplitHostPort(secure.Listener.Addr().String())
			r = c.Check(t.Context(), "https://example.com:"+port+"/")
			if wantResult(t, r, "", ""); r.Proto != "HTTP/2.0" {
				t.Errorf("Check(%q).Proto = %q; want HTTP/2.0", r.Target, r.Proto)
			}
		})
	})
}

// J17: the program is stopped in the middle of a check, for longer than the
// check may take, as it is when a laptop sleeps. A clock that is set meanwhile
// would show in no duration, since all are taken from readings of Start's kind.
func TestSuspended(t *testing.T) {
	t.Run("J17 stopped in the middle of a check", func(t *testing.T) {
		site := ""
		if !inside() {
			site = hostile.Serve(t, "127.0.0.1:0", suspend).URL()
		}
		process{env: []string{siteEnv + "=" + site}}.run(t, func(t *testing.T) {
			c := sane(t, checker.WithHeader("Pid", strconv.Itoa(os.Getpid())))
			r := c.Check(t.Context(), os.Getenv(siteEnv)+"/")
			t.Log(r)
			// The answer and the end of the timeout are both there when the
			// program goes on. Either may be seen first.
			if !r.Online() {
				t.Errorf("Check(%q) = %v; want Online", r.Target, r)
			}
			tm := r.Timing
			if least := min(tm.Wait, tm.DNS, tm.Connect, tm.TLS, tm.FirstByte, tm.Total); least < 0 {
				t.Errorf("Check(%q).Timing = %+v; want nothing negative", r.Target, tm)
			}
			if r.Start == r.Start.Round(0) {
				t.Errorf("Check(%q).Start = %v has no monotonic reading", r.Target, r.Start)
			}
		})
	})
}

// suspend stops the process that its request names, answers, and lets the
// process go on after two of its timeouts.
func suspend(_ context.Context, conn net.Conn) {
	head, err := hostile.ReadHead(conn)
	if err != nil {
		return
	}
	_, rest, _ := strings.Cut(head, "\r\nPid: ")
	text, _, _ := strings.Cut(rest, "\r\n")
	pid, err := strconv.Atoi(text)
	if err != nil || pid <= 1 {
		return
	}
	syscall.Kill(pid, syscall.SIGSTOP)
	for !stopped(pid) {
		runtime.Gosched()
	}
	io.WriteString(conn, hostile.OK)
	time.Sleep(2 * second) // this is the fault
	syscall.Kill(pid, syscall.SIGCONT)
}

// stopped reports whether all threads of a process are stopped, or gone.
func stopped(pid int) bool {
	stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, stat := range stats {
		b, _ := os.ReadFile(stat)
		if _, rest, ok := strings.Cut(string(b), ") "); ok && rest[0] != 'T' {
			return false
		}
	}
	return true
}

// J18: next to no memory makes it slower, and nothing else.
func TestLittleMemory(t *testing.T) {
	t.Run("J18 a tiny memory limit", func(t *testing.T) {
		const n = 2000
		c, env := newCrowd(t, n, plain)
		process{env: []string{env, "GOMEMLIMIT=32MiB"}}.run(t, func(t *testing.T) {
			start := time.Now()
			results := sane(t, checker.WithTimeout(20*second), checker.WithConcurrency(1000), c.resolver()).
				CheckAll(t.Context(), c.names(n))
			t.Logf("%v in %v", tally(results), time.Since(start).Round(time.Millisecond))
			if got := tally(results)[""]; got != n {
				t.Errorf("%v; want %d Online", tally(results), n)
			}
		})
	})
}

// J19: a thread per lookup would be more than this user may have.
func TestFewThreads(t *testing.T) {
	t.Run("J19 a limit of threads", func(t *testing.T) {
		needRoot(t)
		const n, user, threads = 500, 64_999, 24
		c, env := newCrowd(t, n, plain)
		p := process{env: []string{env}, attr: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}}
		if !inside() {
			p.path = publicCopy(t, p.binary(t))
		}
		p.run(t, func(t *testing.T) {
			const nproc = 6 // RLIMIT_NPROC, which package syscall does not name
			limit(t, nproc, threads)
			results := sane(t, checker.WithTimeout(20*second), checker.WithConcurrency(n), c.resolver()).
				CheckAll(t.Context(), c.names(n))
			if got := tally(results)[""]; got != n {
				t.Errorf("%v; want %d Online", tally(results), n)
			}
			tasks, err := os.ReadDir("/proc/self/task")
			if err != nil || len(tasks) > threads {
				t.Errorf("%d threads, %v; want at most %d", len(tasks), err, threads)
			}
		})
	})
}

// publicCopy returns a copy of a file that every user may execute.
func publicCopy(t *testing.T, path string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "checker")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := os.ReadFile(path)
	to := filepath.Join(dir, "test")
	if err := errors.Join(err, os.WriteFile(to, b, 0o755), os.Chmod(to, 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return to
}
