package faults_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// A recorder keeps the heads of requests as they came.
type recorder struct {
	mu    sync.Mutex
	heads []string
}

// handler records and answers.
func (rec *recorder) handler(answer func(head string) string) hostile.Handler {
	return hostile.RespondTo(func(_ int, head string) string {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		rec.heads = append(rec.heads, head)
		return answer(head)
	})
}

func (rec *recorder) all() []string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.heads)
}

// plainFields follow the Host field of a request when no option adds to them.
const plainFields = "Accept: */*\r\nAccept-Encoding: identity\r\nUser-Agent: checker/0.1 (Go)\r\nConnection: close\r\n\r\n"

// An origin is a scheme, a host and a port.
type origin struct {
	url  string // without a path
	addr string // where it listens
	host string // the Host field
}

// origins differ from one another by as little as origins can.
var origins = []origin{
	{"http://site.test", siteAddr + ":80", "site.test"},
	{"https://site.test", siteAddr + ":443", "site.test"},
	{"http://site.test:8080", siteAddr + ":8080", "site.test:8080"},
	{"https://site.test:8443", siteAddr + ":8443", "site.test:8443"},
	{"http://www.site.test", "192.0.2.81:80", "www.site.test"},
	{"https://www.site.test", "192.0.2.81:443", "www.site.test"},
	{"http://site.test.", siteAddr + ":80", "site.test"},
	{"http://" + siteAddr, siteAddr + ":80", siteAddr},
}

// L6, L11, G10: from every origin to every other and back: what the options add is sent to the
// origin of the target and to no other; userinfo and a Referer are sent to none, and
// cookies that a site sets to that site.
func TestOriginTransitions(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test", "www.site.test"}})
	roots := checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()})
	for _, row := range []struct{ method, host string }{{"HEAD", ""}, {"GET", "virtual.test:1"}} {
		for _, home := range origins {
			for _, other := range origins {
				t.Run(fmt.Sprintf("%s from %s to %s", row.method, home.url, other.url), func(t *testing.T) {
					bubble.Test(t, func(t *testing.T) {
						transition{row.method, row.host, home, other}.run(t, conf, roots)
					})
				})
			}
		}
	}
}

// A transition is a redirect from one origin to another, and one back.
type transition struct {
	method      string
	host        string // the Host field by an option; "" for none
	home, other origin
}

func (tr transition) run(t *testing.T, conf *tls.Config, roots checker.Option) {
	n := hostile.NewNet()
	n.Name("site.test", siteAddr)
	n.Name("www.site.test", "192.0.2.81")
	var rec recorder
	h := rec.handler(func(head string) string {
		switch {
		case strings.Contains(head, " /1 "):
			return setting(1) + "Location: " + withUser(tr.other.url) + "/2\r\n\r\n"
		case strings.Contains(head, " /2 "):
			return setting(2) + "Location: " + withUser(tr.home.url) + "/3\r\n\r\n"
		}
		return hostile.OK
	})
	for _, addr := range []string{siteAddr, "192.0.2.81"} {
		hostile.ServeListener(t, n.Listen(addr+":80"), h)
		hostile.ServeListener(t, n.Listen(addr+":8080"), h)
		hostile.ServeListener(t, n.Listen(addr+":443"), hostile.TLS(conf, h))
		hostile.ServeListener(t, n.Listen(addr+":8443"), hostile.TLS(conf, h))
	}
	r := faults.NewChecker(t, faults.On(n, append(tr.options(), roots)...)...).Check(t.Context(), withUser(tr.home.url)+"/1")
	if !r.Online() || len(r.Hops) != 2 || r.URL != tr.home.url+"/3" {
		t.Errorf("Check() = %v, %d hops, URL = %q; want Online after 2 at %s/3", r, len(r.Hops), r.URL, tr.home.url)
	}
	if got := rec.all(); !slices.Equal(got, tr.heads()) {
		t.Errorf("the requests were\n%q; want\n%q", got, tr.heads())
	}
	if want := []string{tr.home.addr, tr.other.addr, tr.home.addr}; !slices.Equal(n.Dials(), want) {
		t.Errorf("dialled %q; want %q", n.Dials(), want)
	}
}

func (tr transition) options() []checker.Option {
	opts := []checker.Option{checker.WithMethod(tr.method), checker.WithRedirects(5), checker.WithRetries(0)}
	for _, field := range [][2]string{
		{"Authorization", "Bearer secret"}, {"Cookie", "session=secret"}, {"Cookie", "more=secret"}, {"Proxy-Authorization", "Basic c2VjcmV0"},
		{"X-Token", "secret"}, {"Referer", "http://inside.test/"}, {"User-Agent", "mine"}, {"Accept", "text/html"},
	} {
		opts = append(opts, checker.WithHeader(field[0], field[1]))
	}
	if tr.host != "" {
		opts = append(opts, checker.WithHeader("Host", tr.host))
	}
	return opts
}

// heads returns the requests that there should be, byte by byte.
func (tr transition) heads() (heads []string) {
	for i, o := range []origin{tr.home, tr.other, tr.home} {
		host, fields := o.host, plainFields
		if o == tr.home {
			fields = homeFields
			if tr.host != "" {
				host = tr.host
			}
		}
		if cookies := tr.cookies(i + 1); cookies != "" {
			before := "User-Agent" // fields are sorted
			if o == tr.home {
				before = "Proxy-Authorization"
			}
			fields = strings.Replace(fields, before, "Cookie: "+cookies+"\r\n"+before, 1)
		}
		heads = append(heads, fmt.Sprintf("%s /%d HTTP/1.1\r\nHost: %s\r\n%s", tr.method, i+1, host, fields))
	}
	return heads
}

const homeFields = "Accept: text/html\r\nAccept-Encoding: identity\r\nAuthorization: Bearer secret\r\n" +
	"Proxy-Authorization: Basic c2VjcmV0\r\nReferer: http://inside.test/\r\n" +
	"User-Agent: mine\r\nX-Token: secret\r\nConnection: close\r\n\r\n"

// withUser adds userinfo to a URL.
func withUser(u string) string { return strings.Replace(u, "://", "://alice:hunter2@", 1) }

// HTTP/2 goes another way, through net/http, which must add nothing of its own.
func TestOriginTransitionsHTTP2(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}})
	var mu sync.Mutex
	var got []string
	var home, other string
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var fields []string
		for key, values := range r.Header {
			fields = append(fields, key+": "+strings.Join(values, ", "))
		}
		slices.Sort(fields)
		got = append(got, fmt.Sprintf("%s https://%s%s %s", r.Method, r.Host, r.RequestURI, strings.Join(fields, "; ")))
		next := map[string]string{"/1": other + "/2", "/2": home + "/3"}[r.URL.Path]
		if next != "" {
			w.Header().Set("Set-Cookie", "id=7")
			w.Header().Set("Location", withUser(next))
			w.WriteHeader(http.StatusFound)
		}
	})
	home = hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(conf, h)).URLS()
	other = hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(conf, h)).URLS()
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}), checker.WithRedirects(5),
		checker.WithHeader("Authorization", "Bearer secret"), checker.WithHeader("Cookie", "session=secret"))
	if r := c.Check(t.Context(), withUser(home)+"/1"); !r.Online() || r.Proto != "HTTP/2.0" {
		t.Fatalf("Check() = %v over %s; want Online over HTTP/2.0", r, r.Proto)
	}
	mu.Lock()
	defer mu.Unlock()
	const plain, agent = " Accept-Encoding: identity; Accept: */*; ", "User-Agent: checker/0.1 (Go)"
	const secret = "Authorization: Bearer secret; Cookie: session=secret; "
	want := []string{
		"HEAD " + home + "/1" + plain + secret + agent,
		"HEAD " + other + "/2" + plain + "Cookie: id=7; " + agent, // the same host, and no port for cookies
		"HEAD " + home + "/3" + plain + strings.Replace(secret, "=secret", "=secret; id=7", 1) + agent,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the requests were\n%s; want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
