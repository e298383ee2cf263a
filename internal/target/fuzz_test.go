package target

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// checkURL fails unless u is what the package promises of its URLs.
func checkURL(t *testing.T, in string, u *url.URL) {
	t.Helper()
	host, port := Host(u)
	bad := func(what string) { t.Errorf("%+q is read as %+q: %s", in, u, what) }
	if host == "" || port == 0 || u.User != nil || u.Fragment != "" {
		bad("a part is missing or too many")
	}
	if strings.Contains(host, "%") || strings.ContainsAny(u.Host, "@/\\? ") || u.Host != strings.ToLower(u.Host) {
		bad("the host is ambiguous")
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() != "" {
		bad("the host has a zone")
	}
	for _, s := range []string{u.String(), Requested(u), u.Host} {
		for i := range len(s) {
			if s[i] <= ' ' || s[i] >= 0x7f {
				bad("there is a byte that is not printable ASCII")
				return
			}
		}
	}
	if u.String() != u.Scheme+"://"+u.Host+Requested(u) || !strings.HasPrefix(Requested(u), "/") {
		bad("what is asked for is something else")
	}
	if strings.ContainsAny(Path(u), "\\ ?#") || dotSegment(Path(u)) {
		bad("the path is not normal")
	}
	if again, err := Parse(u.String()); size(u) <= maxLen && (err != nil || urls(again) != u.String() || again.URLs[0].Host != u.Host) {
		t.Errorf("%+q is read as %q, and that as %s, %v", in, u, urls(again), err)
	}
	if to, err := Resolve(u, u.String()); err != nil || *to != *u {
		t.Errorf("%+q is read as %q, and that as a Location as %v, %v", in, u, to, err)
	}
	if u.Opaque != "" {
		return
	}
	if std, err := url.Parse(u.String()); err != nil || std.Host != u.Host || std.RequestURI() != u.RequestURI() {
		t.Errorf("%+q is read as %q, which net/url reads as %v, %v", in, u, std, err)
	}
}

func dotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if dots(segment) > 0 {
			return true
		}
	}
	return false
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"h.test:8080/x", "http://u:p@bücher.test/100%?q#f", "[::1]:80", "http://①②⑦.⓪.⓪.①/", "127.1", "mailto:a@b",
		"http://h.test\\@127.0.0.1/", "\ufeffhttps://h.test.:443//x\r", "http://[::ffff:1.2.3.4]:00080/%zz", "http://xn--a.test",
		"http://straẞe.xn--/a\\..\\%2e/|'?'", "h.test/http://x", "http://xn--bcher-kva.ü。/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Parse(s)
		Redact(s)
		if err != nil {
			if len(got.URLs) != 0 {
				t.Errorf("Parse(%q) = %s and %v", s, urls(got), err)
			}
			return
		}
		for _, u := range got.URLs {
			checkURL(t, s, u)
		}
	})
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{
		"/y", "../y?q#f", "//x.test", "http://x.test", "?q", "#f", "", "a:b", ".", "/..//x", "%2e%2e/x", "\\\\x", "/\t/x", "http:x", "https:x\\y", "/100%|",
	} {
		f.Add(s)
	}
	base := parseOne(f, "http://h.test/a/b%")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := Resolve(base, s)
		if err != nil {
			return
		}
		checkURL(t, s, u)
		// Only what names a host leads away.
		if u.Host != base.Host && !strings.ContainsAny(s, "/\\:") {
			t.Errorf("Resolve(%+q) = %q; want the host of the base", s, u)
		}
	})
}
