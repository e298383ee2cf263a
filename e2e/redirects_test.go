//go:build linux

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// Chains of redirects, walked by a check that asks by HEAD, one that asks by GET,
// curl with its cookies on, and Chromium. Ours and curl are told to give up after as
// many redirects as Chromium, or one more.
const maxHops = 20

// A visit is a request within a chain.
type visit struct {
	n            int // the visits before
	method, path string
	host, cookie string
}

// A chain is a site that redirects. In what it answers HOST is the host asked for,
// with its port, and CLOSED an address that refuses.
type chain struct {
	name     string
	answer   func(visit) string
	want     checker.Reason // of a check with a judge for 200–299
	status   int            // default: 200 if Online
	curl     string         // why curl finds something else
	chromium string         // why Chromium does
	host     string         // default: the chain's own, such as c7.test
}

const (
	shown = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
	lost  = "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
)

// moved is a redirect. Its fields are whole lines, without their ends.
func moved(location string, fields ...string) string {
	return answer("302 Found", append(fields, "Location: "+location)...)
}

func answer(status string, fields ...string) string {
	return "HTTP/1.1 " + status + "\r\n" + strings.Join(append(fields, "Content-Length: 0", "Connection: close", "", ""), "\r\n")
}

// until redirects to itself with a Set-Cookie until a cookie comes.
func until(cookie, set string) func(visit) string {
	return func(v visit) string {
		if v.cookie == cookie {
			return shown
		}
		return moved("/", "Set-Cookie: "+set)
	}
}

// at redirects to a path, and with a cookie shows it.
func at(path, set string) func(visit) string {
	return func(v visit) string {
		if v.path == path && v.cookie == "id=7" {
			return shown
		}
		return moved(path, "Set-Cookie: "+set)
	}
}

// deleted sets a cookie, and redirects for as long as it comes.
func deleted(set string) func(visit) string {
	return func(v visit) string {
		switch {
		case v.n == 0:
			return moved("/", "Set-Cookie: id=7")
		case v.cookie != "":
			return moved("/", "Set-Cookie: "+set)
		case v.n == 1:
			return lost // it was not kept to begin with
		}
		return shown
	}
}

// byGET answers GET, and HEAD with something else.
func byGET(head func(visit) string) func(visit) string {
	return func(v visit) string {
		if v.method == "GET" && v.path == "/" {
			return shown
		}
		return head(v)
	}
}

// once gives an answer from "/", and a page from elsewhere.
func once(raw string) func(visit) string {
	return func(v visit) string {
		if v.path == "/" {
			return raw
		}
		return shown
	}
}

// after redirects so often to new places.
func after(hops int) func(visit) string {
	return func(v visit) string {
		if n, _ := strconv.Atoi(v.path[1:]); n < hops {
			return moved(fmt.Sprintf("/%d", n+1))
		}
		return shown
	}
}

func always(raw string) func(visit) string { return func(visit) string { return raw } }

// handler counts what comes, but for the icon that a browser asks for.
func (c chain) handler(closed string) hostile.Handler {
	var mu sync.Mutex
	n := 0
	return func(_ context.Context, conn net.Conn) {
		head, err := hostile.ReadHead(conn)
		if err != nil {
			return
		}
		v := visit{method: head[:strings.IndexByte(head, ' ')]}
		fmt.Sscanf(head, "%s %s", &v.method, &v.path)
		for line := range strings.Lines(head) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch strings.ToLower(key) {
			case "host":
				v.host = value
			case "cookie":
				v.cookie = value
			}
		}
		raw := lost
		if v.path != "/favicon.ico" {
			mu.Lock()
			v.n = n
			n++
			raw = c.answer(v)
			mu.Unlock()
		}
		io.WriteString(conn, strings.NewReplacer("HOST", v.host, "CLOSED", closed).Replace(raw))
	}
}

// serve starts the site anew, and returns where it is.
func (c chain) serve(t *testing.T) (url string, port uint16) {
	t.Helper()
	port = hostile.Serve(t, "127.0.0.1:0", c.handler(hostile.ClosedPort(t).String())).Port()
	return fmt.Sprintf("http://%s:%d/", c.host, port), port
}

// byCurl returns curl's last status, 0 if it fails.
func (c chain) byCurl(t *testing.T) int {
	t.Helper()
	url, port := c.serve(t)
	cmd := exec.CommandContext(t.Context(), "curl", "-q", "-sS", "-L", "-b", "", "--max-redirs", strconv.Itoa(maxHops), "--max-time", "5", "--http1.1",
		"-o", "/dev/null", "-w", "%{http_code}", "--resolve", fmt.Sprintf("*:%d:127.0.0.1", port), "--", url)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok && failed.Exited() {
		return 0
	}
	code, bad := strconv.Atoi(string(out))
	if err != nil || bad != nil {
		t.Errorf("curl %q: %q, %v", url, out, err)
	}
	return code
}

func (c chain) run(t *testing.T, b *browser) {
	for _, method := range []string{"HEAD", "GET"} {
		url, _ := c.serve(t)
		resolver := curlRow{addrs: []string{"127.0.0.1"}}
		ck, err := checker.New(checker.WithMethod(method), checker.WithRedirects(maxHops), checker.WithResolver(resolver),
			checker.WithJudge(checker.StatusIn(200, 299)), checker.WithRetries(0))
		if err != nil {
			t.Fatal(err)
		}
		if r := ck.Check(t.Context(), url); r.Reason() != c.want || c.status != 0 && r.StatusCode != c.status {
			t.Errorf("Check(%q) by %s = %v after %v; want %q, status %d", url, method, r, r.Hops, c.want, c.status)
		}
	}
	answered := c.want == "" || c.want == checker.ReasonRejected // a page with any status is one to curl and to a browser
	code := c.byCurl(t)
	if agrees := (code != 0) == answered && (!answered || code == c.status); agrees != (c.curl == "") {
		t.Errorf("curl ends with status %d; the difference is %q", code, c.curl)
	}
	if b == nil || c.want == checker.ReasonRejected {
		return
	}
	url, _ := c.serve(t)
	if o, netError := b.load(url); o.visible() != answered == (c.chromium == "") {
		t.Errorf("Chromium finds %s: %q, %q; the difference is %q", url, o, netError, c.chromium)
	}
}

// Q1, Q2, Q3, Q6: a check gets where curl and Chromium get.
func TestRedirects(t *testing.T) {
	needTool(t, "curl", "curl")
	var b *browser
	if _, err := exec.LookPath("chromium"); err == nil || os.Getenv("CI") == "true" {
		b = newBrowser(t, [2]string{"host-resolver-rules", "MAP *.test 127.0.0.1,MAP *.test. 127.0.0.1,MAP * ~NOTFOUND,EXCLUDE 127.0.0.1"})
		t.Log(b.version)
	} else {
		t.Run("Chromium", func(t *testing.T) { t.Skip("without Chromium: install the Debian package chromium") })
	}
	for i, c := range chains {
		if c.host == "" {
			c.host = fmt.Sprintf("c%d.test", i) // of its own, since a browser keeps its cookies
		}
		if c.want == "" && c.status == 0 {
			c.status = 200
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, b)
		})
	}
}
