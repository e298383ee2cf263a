package target

import (
	"strings"
	"testing"
)

// Q4, Q5b: a Location leads where browsers go.
func TestResolve(t *testing.T) {
	base := parseOne(t, "https://h.test:8443/a/b?q")
	for in, want := range map[string]string{
		"http://x.test":        "http://x.test/",
		"//x.test/y":           "https://x.test/y",
		"/y":                   "https://h.test:8443/y",
		"y":                    "https://h.test:8443/a/y",
		"y/":                   "https://h.test:8443/a/y/",
		"./y":                  "https://h.test:8443/a/y",
		"../y":                 "https://h.test:8443/y",
		"../../../y":           "https://h.test:8443/y",
		"..":                   "https://h.test:8443/",
		".":                    "https://h.test:8443/a/",
		"%2e%2e/y":             "https://h.test:8443/y",
		"/a/./b/../c":          "https://h.test:8443/a/c",
		"":                     "https://h.test:8443/a/b?q",
		" ":                    "https://h.test:8443/a/b?q",
		"#f":                   "https://h.test:8443/a/b?q",
		"?r":                   "https://h.test:8443/a/b?r",
		"?":                    "https://h.test:8443/a/b?",
		"?r'#f":                "https://h.test:8443/a/b?r%27",
		"y?r":                  "https://h.test:8443/a/y?r",
		"y z":                  "https://h.test:8443/a/y%20z",
		"/100%":                "https://h.test:8443/100%",
		" /y\r\n":              "https://h.test:8443/y",
		"\x01/y\x1f":           "https://h.test:8443/y",
		"http://u:p@x.test/":   "http://x.test/",
		"/y?to=http://x.test/": "https://h.test:8443/y?to=http://x.test/",
		"./a:b":                "https://h.test:8443/a/a:b",
		"1:2":                  "https://h.test:8443/a/1:2",
		":@x.test/":            "https://h.test:8443/a/:@x.test/",
		"x.test":               "https://h.test:8443/a/x.test",
		"/y//z":                "https://h.test:8443/y//z",

		"http:///x.test/p":      "http://x.test/p",
		"https:///x.test/p":     "https://x.test/p",
		"///x.test/p":           "https://x.test/p",
		"/////x.test":           "https://x.test/",
		"\\\\x.test\\p":         "https://x.test/p",
		"\\\\x.test\\":          "https://x.test/",
		"/\\x.test":             "https://x.test/",
		"\\/x.test/p":           "https://x.test/p",
		"http:\\\\x.test\\p?\\": "http://x.test/p?\\",
		"https://x.test\\p":     "https://x.test/p",
		"https://x.test:81\\p":  "https://x.test:81/p",
		"\\dest":                "https://h.test:8443/dest",
		"..\\dest":              "https://h.test:8443/dest",
		"dest\\":                "https://h.test:8443/a/dest/",

		"https:y":          "https://h.test:8443/a/y",
		"https:/y":         "https://h.test:8443/y",
		"https:\\y":        "https://h.test:8443/y",
		"https:":           "https://h.test:8443/a/b?q",
		"https:?r":         "https://h.test:8443/a/b?r",
		"HTTPS:../y":       "https://h.test:8443/y",
		"https:\\\\x.test": "https://x.test/",
		"http:y":           "http://y/",
		"http:/y":          "http://y/",
		"http:\\y/z":       "http://y/z",

		"/a\tb":                  "https://h.test:8443/ab",
		"/\t/x.test":             "https://x.test/",
		"ht\ttp\n://x.\rtest/":   "http://x.test/",
		"/a\x01b\x7f":            "https://h.test:8443/a%01b%7F",
		"/a|\x7f?\x7f":           "https://h.test:8443/a|%7F?%7F",
		"/ü":                     "https://h.test:8443/%C3%BC",
		"/\xfc?\xfc":             "https://h.test:8443/%FC?%FC", // Latin-1
		"/\ufeff":                "https://h.test:8443/%EF%BB%BF",
		"\ufeff/":                "https://h.test:8443/a/%EF%BB%BF/",
		"//bücher.test/":         "https://xn--bcher-kva.test/",
		"http://X.TEST:080/../y": "http://x.test/y",
		"https://x.test:443/a|b": "https://x.test/a|b",
	} {
		got, err := Resolve(base, in)
		if err != nil || got.String() != want {
			t.Errorf("Resolve(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{
		"ftp://x.test/", "file:///etc/passwd", "javascript:alert(1)", "mailto:a@x.test", "a:b", "localhost:80", "ht\ttpx://x.test",
		"http://:80/", "//:80/", "//", "///", "\\\\", "http:", "http:///", "http:?x", "//u@/", "http://[fe80::1%25eth0]/", "http://127.1/", "//127.1/",
		"http://x.test:0/", "\\\\x.test:99999\\", "//x.test\\@127.0.0.1/", "http://127.0.0.1\\@x.test/", "//b\xfccher.test/", "//x\x01.test/", "//x .test/",
		"//%78.test/", "//x.onion/",
	} {
		if got, err := Resolve(base, in); err == nil {
			t.Errorf("Resolve(%q) = %v; want an error", in, got)
		}
	}
}

// G4: a Location may be longer than a target.
func TestResolveLong(t *testing.T) {
	base := parseOne(t, "http://h.test/a/")
	room := maxLocationLen - len("http://h.test/a/?")
	for _, test := range []struct {
		name, in string
		ok       bool
	}{
		{"a path", "/" + strings.Repeat("a", maxLen), true},
		{"a query", "https://x.test/?q=" + strings.Repeat("a", 30<<10), true},
		{"just enough", strings.Repeat("a", room), true},
		{"as the URL is too long", strings.Repeat("a", room+1), false},
		{"as much as is read", "#" + strings.Repeat("a", maxLocationLen-1), true},
		{"one byte too much", "http://h.test/" + strings.Repeat("a", maxLocationLen), false},
		{"too long once it is encoded", "/?" + strings.Repeat("ü", maxLocationLen/4), false},
		{"too long as it is sent", "/" + strings.Repeat("|", maxLocationLen/2), false},
		{"a fragment alone", "#" + strings.Repeat("a", maxLocationLen), false},
	} {
		if u, err := Resolve(base, test.in); (err == nil) != test.ok || (u == nil) != (err != nil) || err != nil && err.Error() != "it is over 32 KiB" {
			t.Errorf("Resolve of %s has %v; want accepted: %t", test.name, err, test.ok)
		}
	}
}

// A path that package url cannot write is a base, too.
func TestResolveFromAnyPath(t *testing.T) {
	base := parseOne(t, "http://h.test/100%/a|b?%")
	for in, want := range map[string]string{
		"":     "http://h.test/100%/a|b?%",
		"c":    "http://h.test/100%/c",
		"..":   "http://h.test/",
		"?r":   "http://h.test/100%/a|b?r",
		"/c|d": "http://h.test/c|d",
		"//x":  "http://x/",
	} {
		got, err := Resolve(base, in)
		if err != nil || got.String() != want {
			t.Errorf("Resolve(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
}
