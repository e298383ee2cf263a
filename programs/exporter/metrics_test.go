package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/checker"
)

// samples returns the samples of a finding, by name.
func samples(t *testing.T, f finding) map[string]float64 {
	reg := prometheus.NewRegistry()
	reg.MustRegister(&probed{families(), f})
	gathered, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, family := range gathered {
		got[family.GetName()] = family.GetMetric()[0].GetGauge().GetValue()
	}
	return got
}

// README.md has a row for each metric.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	descs := make(chan *prometheus.Desc, 100)
	new(monitor).Describe(descs)
	describe(descs, families())
	close(descs)
	n := 0
	for d := range descs {
		name := strings.Split(d.String(), `"`)[1]
		if n++; !bytes.Contains(text, []byte("`"+name)) {
			t.Errorf("README.md does not tell of %s", name)
		}
	}
	if n < 20 {
		t.Errorf("there are %d metrics; want more", n)
	}
}

// What ends first of a chain counts, whichever certificate it is, and with it when that
// one began.
func TestCertificates(t *testing.T) {
	day := func(n int) time.Time { return time.Unix(0, 0).AddDate(0, 0, n) }
	cert := func(from, to int) checker.Cert { return checker.Cert{NotBefore: day(from), NotAfter: day(to)} }
	for _, test := range []struct {
		name         string
		chain        []checker.Cert
		begins, ends int // days
	}{
		{"a leaf alone", []checker.Cert{cert(10, 100)}, 10, 100},
		{"the leaf first", []checker.Cert{cert(10, 100), cert(1, 1000)}, 10, 100},
		{"an issuer first", []checker.Cert{cert(10, 100), cert(1, 90), cert(2, 1000)}, 1, 90},
		{"one that nobody asked for", []checker.Cert{cert(10, 100), cert(2, 1000), cert(3, 80)}, 3, 80},
		{"no chain", nil, 10, 100},
	} {
		leaf := cert(10, 100)
		got := samples(t, finding{Result: checker.Result{TLS: &checker.TLS{NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Chain: test.chain}}})
		for name, want := range map[string]int{"expiry": test.ends, "not_before": test.begins} {
			if v := got["probe_ssl_earliest_cert_"+name]; v != unix(day(want)) {
				t.Errorf("%s: probe_ssl_earliest_cert_%s is %v; want that of day %d", test.name, name, v, want)
			}
		}
	}
	for _, name := range []string{"expiry", "not_before"} {
		if _, ok := samples(t, finding{})["probe_ssl_earliest_cert_"+name]; ok {
			t.Errorf("without TLS there is a probe_ssl_earliest_cert_%s", name)
		}
	}
}

// An address has the hash that blackbox_exporter makes of it, in the form that it has.
func TestAddress(t *testing.T) {
	for addr, ip := range map[string]net.IP{
		"192.0.2.1:80": net.ParseIP("192.0.2.1").To4(), "[::ffff:192.0.2.1]:80": net.ParseIP("192.0.2.1").To4(), "[2001:db8::1]:80": net.ParseIP("2001:db8::1"),
	} {
		h := fnv.New32a()
		h.Write(ip)
		if got := samples(t, finding{Result: checker.Result{Addr: netip.MustParseAddrPort(addr)}})["probe_ip_addr_hash"]; got != float64(h.Sum32()) {
			t.Errorf("probe_ip_addr_hash of %s = %v; want %d", addr, got, h.Sum32())
		}
	}
	if v, ok := samples(t, finding{})["probe_ip_addr_hash"]; ok {
		t.Errorf("probe_ip_addr_hash of no address = %v; want none", v)
	}
}

// What only the answer has is told of the answer that decided, at the end of redirects too,
// and of no other.
func TestAnswers(t *testing.T) {
	mux := http.NewServeMux()
	answer := func(path, length, modified string, status int) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			for key, value := range map[string]string{"Content-Length": length, "Last-Modified": modified, "Transfer-Encoding": "identity"} {
				if value != "" {
					w.Header().Set(key, value)
				}
			}
			w.WriteHeader(status)
		})
	}
	answer("/sized", "1234", "Thu, 01 Jan 1970 00:01:00 GMT", 200)
	answer("/unsized", "", "yesterday", 200)
	answer("/gone", "17", "", 404)
	answer("/challenge", "18", "", 200)
	mux.Handle("/moved", http.RedirectHandler("/sized", http.StatusFound))
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/challenge" {
			w.Header().Set("Cf-Mitigated", "challenge")
		}
		mux.ServeHTTP(w, r)
	}))
	defer site.Close()
	base, stop := start(t, "-probe", "-allow-private")
	defer stop()
	for _, test := range []struct{ target, length, modified string }{
		{site.URL + "/sized", "1234", "60"},
		{site.URL + "/unsized", "-1", ""},
		{site.URL + "/gone", "17", ""},
		{site.URL + "/moved", "1234", "60"},
		{site.URL + "/challenge", "-1", ""},
		{refused, "0", ""},
	} {
		got := get(t, base+"probe?target="+url.QueryEscape(test.target))
		if length, modified := got["probe_http_content_length"], got["probe_http_last_modified_timestamp_seconds"]; length != test.length || modified != test.modified {
			t.Errorf("/probe of %s: length %q, modified %q; want %q, %q", test.target, length, modified, test.length, test.modified)
		}
	}
}

// However many answers nobody asks for, few are kept, and the newest are among them.
func TestAnswersAreBounded(t *testing.T) {
	a := successes()
	for i := range 5 * keep / 2 {
		req := httptest.NewRequest(http.MethodHead, fmt.Sprintf("http://h/%d", i), nil)
		a.judge(&http.Response{StatusCode: 200, ContentLength: int64(i), Request: req})
	}
	if n := len(a.recent) + len(a.older); n > 2*keep {
		t.Errorf("%d answers are kept; want at most %d", n, 2*keep)
	}
	last := 5*keep/2 - 1
	for _, i := range []int{last, last - keep + 1} {
		f := a.finding(checker.Result{StatusCode: 200, URL: fmt.Sprintf("http://h/%d", i)})
		if f.length != int64(i) {
			t.Errorf("answer %d of %d has the length %d; want %d", i, last, f.length, i)
		}
	}
}
