package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/hostile"
)

// asProgram makes the test binary the program.
const asProgram = "LINKCHECK_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// siteAddr is the public address of a site in the tests' network in memory.
const siteAddr = "1.2.3.4"

// newNet returns a network with the names of the vectors and with site.test.
func newNet() *hostile.Net {
	n := hostile.NewNet()
	for name, addrs := range hostile.VectorNames() {
		n.Name(name, addrs...)
	}
	n.Name("site.test", siteAddr)
	return n
}

func newTestService(t *testing.T, n *hostile.Net) *service {
	t.Helper()
	s, err := newService(checker.WithResolver(n), checker.WithDialContext(n.DialContext), checker.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// post asks s in the name of a client, and returns its answer.
func post(t *testing.T, s http.Handler, client, body string) (int, answer) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/check", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.RemoteAddr = client
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	return rec.Code, decode(t, rec.Result())
}

// decode reads an answer, which must be one object and nothing else.
func decode(t *testing.T, resp *http.Response) (a answer) {
	t.Helper()
	defer resp.Body.Close()
	d := json.NewDecoder(resp.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("the answer is %q, %v; want one object of JSON", resp.Header, err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Errorf("more follows the answer %+v", a)
	}
	return a
}

// ask is the body that asks about a URL.
func ask(url string) string {
	b, _ := json.Marshal(map[string]string{"url": url}) // a string cannot fail
	return string(b)
}

// clientNo returns a client that is no other's.
func clientNo(i int) string { return fmt.Sprintf("198.51.%d.%d:1000", i/256, i%256) }

func TestAnswers(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := newNet()
		hostile.ServeListener(t, n.Listen(siteAddr+":80"), hostile.RespondTo(func(_ int, head string) string {
			switch {
			case strings.Contains(head, " /moved "):
				return "HTTP/1.1 302 Found\r\nLocation: /gone\r\n\r\n"
			case strings.Contains(head, " /gone "):
				return "HTTP/1.1 410 Gone\r\n\r\n"
			case strings.Contains(head, " /inside "):
				return "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/secret\r\n\r\n"
			}
			return hostile.OK
		}))
		hostile.ServeListener(t, n.Listen(siteAddr+":8080"), hostile.Respond(hostile.OK))
		n.Drop(siteAddr + ":443")
		s := newTestService(t, n)
		for i, test := range []struct {
			url  string
			want answer
		}{
			{"site.test", answer{URL: "http://site.test/", Status: "online", StatusCode: 200}},
			{"http://u:p@site.test/moved", answer{URL: "http://site.test/gone", Status: "online", StatusCode: 410}},
			{"https://site.test/", answer{URL: "https://site.test/", Status: "offline", Reason: "timeout", Error: "https://site.test/: no answer within the timeout (connect)"}},
			{"http://none.test/", answer{URL: "http://none.test/", Status: "offline", Reason: "not_found", Error: "http://none.test/: the name has no address"}},
			{"http://site.test:8080/", answer{URL: "http://site.test:8080/", Status: "unknown", Reason: "blocked", Error: "http://site.test:8080/: the address policy refused it"}},
			{"http://good.test/", answer{URL: "http://good.test/", Status: "unknown", Reason: "blocked", Error: "http://good.test/: the address policy refused it"}},
			{"http://site.test/inside", answer{URL: "http://10.0.0.1/secret", Status: "unknown", Reason: "blocked", Error: "http://10.0.0.1/secret: the address policy refused it"}},
			{"ftp://site.test/", answer{Status: "unknown", Reason: "invalid", Error: `not a site to check: the scheme "ftp" is neither http nor https`}},
			{"http://site.test/\r\nX: y", answer{Status: "unknown", Reason: "invalid", Error: "not a site to check: it has the control character 0x0d"}},
		} {
			start := time.Now()
			if status, got := post(t, s, clientNo(i), ask(test.url)); status != http.StatusOK || got != test.want {
				t.Errorf("for %q the answer is %d, %+v; want 200, %+v", test.url, status, got, test.want)
			}
			if took := time.Since(start); took > timeout {
				t.Errorf("for %q it took %v; want at most %v", test.url, took, timeout)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		name, method, path, contentType, body string
		want                                  int
	}{
		{"GET", "GET", "/check?url=http://site.test/", "", "", 405},
		{"HEAD", "HEAD", "/check", "", "", 405},
		{"PUT", "PUT", "/check", "application/json", ask("site.test"), 405},
		{"OPTIONS, as browsers ask before they ask", "OPTIONS", "/check", "", "", 405},
		{"another path", "POST", "/", "application/json", ask("site.test"), 404},
		{"a path below", "POST", "/check/", "application/json", ask("site.test"), 404},
		{"a path that is not clean", "POST", "//check", "application/json", ask("site.test"), 404},
		{"no type", "POST", "/check", "", ask("site.test"), 415},
		{"a form", "POST", "/check", form, "url=http://site.test/", 415},
		{"plain text, as a page of another site could send", "POST", "/check", "text/plain", ask("site.test"), 415},
		{"a malformed type", "POST", "/check", "application/json; x", ask("site.test"), 415},
		{"no body", "POST", "/check", "application/json", "", 400},
		{"no JSON", "POST", "/check", "application/json", "http://site.test/", 400},
		{"an array", "POST", "/check", "application/json", `["http://site.test/"]`, 400},
		{"a number", "POST", "/check", "application/json", `{"url":1}`, 400},
		{"null", "POST", "/check", "application/json", `null`, 400},
		{"no url", "POST", "/check", "application/json", `{}`, 400},
		{"an empty url", "POST", "/check", "application/json", ask(""), 400},
		{"two objects", "POST", "/check", "application/json", ask("site.test") + ask("site.test"), 400},
		{"an unfinished one", "POST", "/check", "application/json", `{"url":"site.test`, 400},
		{"a large one", "POST", "/check", "application/json", ask(strings.Repeat("a", maxBody)), 413},
		{"deep nesting", "POST", "/check", "application/json", strings.Repeat("[", maxBody), 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := newNet()
			req := httptest.NewRequestWithContext(t.Context(), test.method, test.path, strings.NewReader(test.body))
			if test.contentType != "" {
				req.Header.Set("Content-Type", test.contentType)
			}
			rec := httptest.NewRecorder()
			newTestService(t, n).ServeHTTP(rec, req)
			got := decode(t, rec.Result())
			if rec.Code != test.want || got.Error == "" || got != (answer{Error: got.Error}) {
				t.Errorf("the answer is %d, %+v; want %d and an error alone", rec.Code, got, test.want)
			}
			if test.want == 405 && rec.Header().Get("Allow") != "POST" {
				t.Errorf("Allow = %q; want POST", rec.Header().Get("Allow"))
			}
			if len(n.Dials()) > 0 {
				t.Errorf("%q were dialled", n.Dials())
			}
		})
	}
}

// Whatever a stranger writes, and wherever a site redirects to, nothing inside
// is connected to, and no answer tells an address that was not in the question.
func TestVectors(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := newNet()
		vectors := hostile.Vectors()
		hostile.ServeListener(t, n.Listen(siteAddr+":80"), hostile.RespondTo(func(_ int, head string) string {
			var i int
			_, path, _ := strings.Cut(head, " /") // by whatever method
			fmt.Sscanf(path, "%d ", &i)
			return "HTTP/1.1 302 Found\r\nLocation: " + vectors[i].URL + "\r\n\r\n"
		}))
		s := newTestService(t, n)
		for i, v := range vectors {
			// Each asks once a second, and so never too often.
			time.Sleep(time.Second)
			status, got := post(t, s, clientNo(0), ask(v.URL))
			if status != http.StatusOK || string(got.Reason) != v.Want {
				t.Errorf("for %q the answer is %d, %+v; want 200, %s", v.URL, status, got, v.Want)
			}
			want := []string{v.Want}
			if v.Want == "invalid" {
				want = []string{"redirect", "blocked"} // as a Location some of what is no target leads inside
			}
			status, moved := post(t, s, clientNo(1), ask(fmt.Sprintf("http://site.test/%d", i)))
			if status != http.StatusOK || !slices.Contains(want, string(moved.Reason)) {
				t.Errorf("for a redirect to %q the answer is %d, %+v; want 200, %q", v.URL, status, moved, want)
			}
			for _, a := range []answer{got, moved} {
				if told := a.URL + ": the address policy refused it"; a.Reason == checker.ReasonBlocked && a.Error != told {
					t.Errorf("for %q the answer tells %q; want %q", v.URL, a.Error, told)
				}
			}
		}
		for _, addr := range n.Dials() {
			if addr != siteAddr+":80" {
				t.Errorf("%s was dialled", addr)
			}
		}
	})
}

// A client has one check at a time, and others do not wait for it.
func TestOneAtATime(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := newNet()
		n.Drop(siteAddr + ":80")
		hostile.ServeListener(t, n.Listen("1.2.3.5:80"), hostile.Respond(hostile.OK))
		s := newTestService(t, n)
		done := make(chan answer)
		go func() {
			_, a := post(t, s, "198.51.100.1:1", ask("http://site.test/"))
			done <- a
		}()
		synctest.Wait()
		for client, want := range map[string]int{
			"198.51.100.1:2":          429,
			"[::ffff:198.51.100.1]:3": 429,
			"198.51.100.2:1":          200,
			"[2001:db8::1]:1":         200,
		} {
			if status, a := post(t, s, client, ask("http://1.2.3.5/")); status != want {
				t.Errorf("while one check is under way %s gets %d, %+v; want %d", client, status, a, want)
			}
		}
		if a := <-done; a.Reason != checker.ReasonTimeout {
			t.Errorf("the check ended with %+v; want timeout", a)
		}
		if status, a := post(t, s, "198.51.100.1:4", ask("http://1.2.3.5/")); status != 200 {
			t.Errorf("after the check the client gets %d, %+v; want 200", status, a)
		}
	})
}

func TestRateLimit(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s := newTestService(t, newNet())
		served := func(client string, times int) (n int) {
			for range times {
				if status, _ := post(t, s, client, ask("ftp://x/")); status == http.StatusOK {
					n++
				}
			}
			return n
		}
		if got := served("198.51.100.1:1", 20); got != burst {
			t.Errorf("%d of 20 requests at once were served; want %d", got, burst)
		}
		time.Sleep(3 * time.Second)
		if got := served("198.51.100.1:2", 20); got != 3*perSecond {
			t.Errorf("%d of 20 requests were served 3 seconds later; want 3", got)
		}
		// Two addresses of one /64 are one client; the next /64 is another.
		if got := served("[2001:db8::1]:1", 20) + served("[2001:db8::ffff:2]:1", 20); got != burst {
			t.Errorf("%d of 40 requests of one /64 were served; want %d", got, burst)
		}
		if got := served("[2001:db8:0:1::1]:1", 20); got != burst {
			t.Errorf("%d of 20 requests of another /64 were served; want %d", got, burst)
		}
	})
}

// The table of clients does not grow without bounds, and those in it who have
// not rested are not forgotten, or a crowd could wash their limits away.
func TestClientsAreBounded(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s := newTestService(t, newNet())
		for i := range 2 * maxClients {
			want := http.StatusOK
			if i >= maxClients {
				want = http.StatusTooManyRequests
			}
			if status, a := post(t, s, clientNo(i), ask("ftp://x/")); status != want {
				t.Fatalf("client %d gets %d, %+v; want %d", i, status, a, want)
			}
		}
		time.Sleep(time.Second)
		if status, a := post(t, s, clientNo(maxClients), ask("ftp://x/")); status != http.StatusOK || len(s.clients) != 1 {
			t.Errorf("after a second a new client gets %d, %+v, and %d are remembered; want 200 and 1", status, a, len(s.clients))
		}
	})
}

// Many strangers who ask about one site do not flood it, and none waits for
// longer than its patience.
func TestOneSiteIsNotFlooded(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := newNet()
		site := hostile.ServeListener(t, n.Listen(siteAddr+":80"), hostile.Respond(hostile.OK))
		s := newTestService(t, n)
		const clients = 200
		start := time.Now()
		reasons := make(chan checker.Reason, clients)
		for i := range clients {
			go func() {
				_, a := post(t, s, clientNo(i), ask("http://site.test/"))
				reasons <- a.Reason
			}()
		}
		counts := make(map[checker.Reason]int)
		for range clients {
			counts[<-reasons]++
		}
		if took := time.Since(start); took > patience || site.Accepted() > 10+5*10 {
			t.Errorf("within %v there were %d requests and the answers %v; want at most %v and 60", took, site.Accepted(), counts, patience)
		}
		if got := slices.Sorted(maps.Keys(counts)); !slices.Equal(got, []checker.Reason{"", checker.ReasonCanceled}) {
			t.Errorf("the answers are %v; want online and canceled", counts)
		}
	})
}

// When it is to end, the service answers who is waiting and takes nobody more.
func TestGracefulShutdown(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n, front := newNet(), hostile.NewNet()
		n.Drop(siteAddr + ":80")
		l := front.Listen("198.51.100.1:80")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- run(ctx, l, checker.WithResolver(n), checker.WithDialContext(n.DialContext)) }()
		client := &http.Client{Transport: &http.Transport{DialContext: front.DialContext}}
		defer client.CloseIdleConnections()
		type reply struct {
			a   answer
			err error
		}
		replies := make(chan reply, 1)
		go func() {
			resp, err := client.Post("http://198.51.100.1/check", "application/json", strings.NewReader(ask("http://site.test/")))
			if err != nil {
				replies <- reply{err: err}
				return
			}
			replies <- reply{a: decode(t, resp)}
		}()
		time.Sleep(time.Second)
		stop()
		synctest.Wait()
		if _, err := front.DialContext(t.Context(), "tcp", "198.51.100.1:80"); err == nil {
			t.Error("a connection was taken after the end was called for")
		}
		if r := <-replies; r.err != nil || r.a.Reason != checker.ReasonTimeout {
			t.Errorf("who waited got %+v, %v; want the verdict", r.a, r.err)
		}
		if err := <-ended; err != nil {
			t.Errorf("run() = %v; want nil", err)
		}
	})
}

// A client that sends its request slowly, or not at all, is hung up on.
func TestSlowClient(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		front := hostile.NewNet()
		l := front.Listen("198.51.100.1:80")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- run(ctx, l) }()
		for _, request := range []string{"", "POST /check HTTP/1.1\r\nHost: x\r\n", "POST /check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"} {
			conn, err := front.DialContext(t.Context(), "tcp", "198.51.100.1:80")
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			io.WriteString(conn, request)
			io.Copy(io.Discard, conn)
			conn.Close()
			if took := time.Since(start); took > timeout+time.Second {
				t.Errorf("after %q the connection was kept for %v; want at most %v", request, took, timeout)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run() = %v; want nil", err)
		}
	})
}

// program starts the program and returns the first line that it prints.
func program(t *testing.T, args ...string) (cmd *exec.Cmd, line string) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ = bufio.NewReader(stderr).ReadString('\n')
	return cmd, line
}

func TestProgram(t *testing.T) {
	trap := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	cmd, line := program(t, "-addr", "127.0.0.1:0")
	_, addr, ok := strings.Cut(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("the program printed %q", line)
	}
	for url, want := range map[string]checker.Reason{
		trap.URL(): checker.ReasonBlocked, "http://" + addr + "/check": checker.ReasonBlocked, "http://localhost/": checker.ReasonBlocked, "http://127.1/": checker.ReasonInvalid,
	} {
		resp, err := http.Post("http://"+addr+"/check", "application/json", strings.NewReader(ask(url)))
		if err != nil {
			t.Fatal(err)
		}
		if a := decode(t, resp); a.Reason != want {
			t.Errorf("for %q the answer is %+v; want %s", url, a, want)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM the program ended with %v; want exit status 0", err)
	}
	if trap.Accepted() > 0 {
		t.Error("the honeypot was connected to")
	}
}

func TestUsage(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct {
		args   []string
		line   string
		status int
	}{
		{[]string{"-h"}, "", 0},
		{[]string{"-x"}, "linkcheck-service: flag provided but not defined: -x", 2},
		{[]string{"x"}, `linkcheck-service: "x" is no flag`, 2},
		{[]string{"-addr", taken.Addr().String()}, "address already in use", 2},
	} {
		cmd, line := program(t, test.args...)
		cmd.Wait()
		if status := cmd.ProcessState.ExitCode(); !strings.Contains(line, test.line) || status != test.status {
			t.Errorf("linkcheck-service %q printed %q with status %d; want %q with %d", test.args, line, status, test.line, test.status)
		}
	}
}
