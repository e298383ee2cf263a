package wire

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/checker/internal/target"
)

func readTarget(t *testing.T, s string) *url.URL {
	t.Helper()
	got, err := target.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return got.URLs[0]
}

func TestRequest(t *testing.T) {
	for _, tt := range []struct {
		name   string
		url    string
		host   string // in place of the URL's
		header http.Header
		want   string
	}{
		{name: "plain", url: "http://h.test/", want: "HEAD / HTTP/1.1|Host: h.test"},
		{name: "no path", url: "http://h.test", want: "HEAD / HTTP/1.1|Host: h.test"},
		{name: "port", url: "http://h.test:8080/", want: "HEAD / HTTP/1.1|Host: h.test:8080"},
		{name: "trailing dot", url: "http://h.test./", want: "HEAD / HTTP/1.1|Host: h.test"},
		{name: "trailing dot and port", url: "https://h.test.:8443/", want: "HEAD / HTTP/1.1|Host: h.test:8443"},
		{name: "IPv6", url: "http://[2001:db8::1]/", want: "HEAD / HTTP/1.1|Host: [2001:db8::1]"},
		{name: "IPv6 and port", url: "http://[2001:db8::1]:8080/", want: "HEAD / HTTP/1.1|Host: [2001:db8::1]:8080"},
		{name: "query", url: "http://h.test/a?b=c&d=%20", want: "HEAD /a?b=c&d=%20 HTTP/1.1|Host: h.test"},
		{name: "query without a path", url: "http://h.test?b", want: "HEAD /?b HTTP/1.1|Host: h.test"},
		{name: "empty query", url: "http://h.test/?", want: "HEAD /? HTTP/1.1|Host: h.test"},
		{name: "escapes are kept", url: "http://h.test/a%2Fb%c3%a4", want: "HEAD /a%2Fb%c3%a4 HTTP/1.1|Host: h.test"},
		{name: "two slashes", url: "http://h.test//a", want: "HEAD //a HTTP/1.1|Host: h.test"},
		{name: "no fragment", url: "http://h.test/a#b", want: "HEAD /a HTTP/1.1|Host: h.test"},
		{name: "no userinfo", url: "http://u:p@h.test/", want: "HEAD / HTTP/1.1|Host: h.test"},
		{name: "another host", url: "http://h.test/", host: "other.test.", want: "HEAD / HTTP/1.1|Host: other.test."},
		{name: "fields are sorted", url: "http://h.test/", header: http.Header{"B": {"2"}, "C": {"3", "4"}, "A": {""}},
			want: "HEAD / HTTP/1.1|Host: h.test|A: |B: 2|C: 3|C: 4"},
		{name: "many fields", url: "http://h.test/", header: http.Header{"J": {""}, "I": {""}, "H": {""}, "G": {""}, "F": {""}, "E": {""}, "D": {""}, "C": {""}, "B": {""}, "A": {""}},
			want: "HEAD / HTTP/1.1|Host: h.test|A: |B: |C: |D: |E: |F: |G: |H: |I: |J: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := newRequest(t.Context(), http.MethodHead, tt.url)
			if tt.host != "" {
				req.Host = tt.host
			}
			req.Header = tt.header
			want := strings.ReplaceAll(tt.want+"|Connection: close||", "|", "\r\n")
			if got := string(requestOf(req).appendTo(nil)); got != want {
				t.Errorf("request for %q = %q; want %q", tt.url, got, want)
			}
		})
	}
}

// Q5: a path that package url cannot write is sent as it is, by net/http too.
func TestPathAsWritten(t *testing.T) {
	u := readTarget(t, "http://h.test/100%/a|b?'")
	const path = "/100%/a|b?%27"
	for _, tt := range []struct{ host, asked, custom string }{
		{"", "h.test", "http://h.test" + path}, // which a proxy wants, and all others take (RFC 9112, section 3.2.2)
		{"other.test", "other.test", path},     // since the host of that would count, not the field
	} {
		req := Request{Method: http.MethodGet, URL: u, Host: tt.host, Fields: NewFields(nil)}
		want := "GET " + path + " HTTP/1.1\r\nHost: " + tt.asked + "\r\nConnection: close\r\n\r\n"
		if got := string(req.appendTo(nil)); got != want {
			t.Errorf("request for %q = %q; want %q", u, got, want)
		}
		rt := Custom{roundTripper(func(req *http.Request) (*http.Response, error) {
			if got := req.URL.RequestURI(); got != tt.custom || req.URL.Host != "h.test" || req.Host != tt.asked {
				t.Errorf("a transport is asked for %q of %q; want %q of %q", got, req.Host, tt.custom, tt.asked)
			}
			return nil, http.ErrNotSupported
		})}
		rt.Exchange(t.Context(), req, &Trace{})
		if got := req.HTTP(t.Context()).URL.String(); got != u.String() {
			t.Errorf("a judge sees %q; want %q", got, u)
		}
	}
}
