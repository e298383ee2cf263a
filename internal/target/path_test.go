package target

import "testing"

// Q5, A18: paths and queries are what WHATWG URL makes of them.
func TestPaths(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "/",
		"/../a.html":            "/a.html",
		"/a/../../b":            "/b",
		"/a/./b/.":              "/a/b/",
		"/a/b/..":               "/a/",
		"/a//../b":              "/a/b",
		"/..//x":                "//x",
		"/docs/%2e%2e/a":        "/a",
		"/docs/.%2E/a":          "/a",
		"/docs/%2e./%2E/a":      "/a",
		"/%2e%2e":               "/",
		"/%2e%2e%2e/...":        "/%2e%2e%2e/...",
		"/..a/.b/c..":           "/..a/.b/c..",
		"/%252e%252e/a":         "/%252e%252e/a",
		"/..%2fa":               "/..%2fa",
		"/a\\b":                 "/a/b",
		"/a\\..\\b\\":           "/b/",
		"/%5c..":                "/%5c..",
		"/100%":                 "/100%",
		"/100%a":                "/100%a",
		"/%":                    "/%",
		"/%zz%4%41%c3":          "/%zz%4%41%c3",
		"/a%20b/100%/ü":         "/a%20b/100%/%C3%BC",
		"/a b":                  "/a%20b",
		"/\"<>^`{}":             "/%22%3C%3E%5E%60%7B%7D",
		"/a|b":                  "/a|b",
		"/!$&'()*+,;=:@[]~-._":  "/!$&'()*+,;=:@[]~-._",
		"/ü/中/💩/\ufeff/":        "/%C3%BC/%E4%B8%AD/%F0%9F%92%A9/%EF%BB%BF/",
		"/\xff\xc3":             "/%FF%C3",
		"/C:/../x":              "/x",
		"?q=a'b":                "/?q=a%27b",
		"?q=100%&\"<>":          "/?q=100%&%22%3C%3E",
		"?^`{|}\\[]..%2e":       "/?^`{|}\\[]..%2e",
		"?ü \xff":               "/?%C3%BC%20%FF",
		"/?":                    "/?",
		"?a?b/../c":             "/?a?b/../c",
		"/a#b?c":                "/a",
		"?#":                    "/?",
		"/100%?a|b#c":           "/100%?a|b",
		"/%%?":                  "/%%?",
		"/web/http://x.test/..": "/web/http://",
	} {
		u := parseOne(t, "http://h.test"+in)
		if got := u.String(); got != "http://h.test"+want {
			t.Errorf("Parse(%q) = %s; want the path and query %s", in, got, want)
		}
		if got := Requested(u); got != want {
			t.Errorf("Requested(%q) = %s; want %s", in, got, want)
		}
	}
}

// Package url has paths of its own form: what looks at one gets the nearest.
func TestPathOfURL(t *testing.T) {
	for in, want := range map[string]string{
		"/a%20b/100%": "/a b/100%", "/%zz|": "/%zz|", "/%00%99%aa%AF": "/\x00\x99\xaa\xaf", "/%/0%0:%`0%g0": "/%/0%0:%`0%g0", "/(a)%2fb": "/(a)/b", "/ü": "/ü",
	} {
		u := parseOne(t, "http://h.test"+in)
		plain := *u
		plain.Opaque = ""
		if got, err := u.Parse(plain.String()); err != nil || u.Path != want || got.Path != want {
			t.Errorf("Parse(%q).Path = %q, without its opaque part %v, %v; want %q", in, u.Path, got, err, want)
		}
	}
}
