package target

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func urls(t Target) string {
	var all []string
	for _, u := range t.URLs {
		all = append(all, u.String())
	}
	return strings.Join(all, " ")
}

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"h.test":                     "http://h.test/ https://h.test/",
		"h.test:8080/x":              "http://h.test:8080/x https://h.test:8080/x",
		"H.test:8080":                "http://h.test:8080/ https://h.test:8080/",
		"h.test:08080":               "http://h.test:8080/ https://h.test:8080/",
		"http://127.0.0.1:08080/":    "http://127.0.0.1:8080/",
		"h.test:80":                  "http://h.test/ https://h.test:80/",
		"h.test:443":                 "http://h.test:443/ https://h.test/",
		"localhost:8080":             "http://localhost:8080/ https://localhost:8080/",
		"[::1]:8080/x":               "http://[::1]:8080/x https://[::1]:8080/x",
		"user@h.test":                "http://h.test/ https://h.test/",
		" \t\ufeffhttp://h.test\r\n": "http://h.test/",
		"HTTPS://H.Test":             "https://h.test/",
		"http://h.test:":             "http://h.test/",
		"http://h.test:00080/":       "http://h.test/",
		"https://h.test:80/":         "https://h.test:80/",
		"http://h.test./":            "http://h.test./",
		"http://h.test.:81/":         "http://h.test.:81/",
		"http://u:p@h.test/":         "http://h.test/",
		"http://good.test@evil.test": "http://evil.test/",
		"http://a@b@h.test/":         "http://h.test/",
		"http://127.0.0.1#@x.test/":  "http://127.0.0.1/",
		"http://127.0.0.1?@x.test/":  "http://127.0.0.1/?@x.test/",
		"http://[0:0:0:0:0:0:0:1]/":  "http://[::1]/",
		"http://[::FFFF:7f00:1]/":    "http://[::ffff:7f00:1]/",
		"http://[::ffff:1.2.3.4]:81": "http://[::ffff:102:304]:81/",
		"http://[::127.0.0.1]/":      "http://[::7f00:1]/",
		"http://foo_bar.test":        "http://foo_bar.test/",
		"http://1.test":              "http://1.test/",
		"http://h.test//x":           "http://h.test//x",
		"http://h.test?":             "http://h.test/?",
		"http://h.test?q#f":          "http://h.test/?q",
		"http://h.test/ü?ü":          "http://h.test/%C3%BC?%C3%BC",
		"http://h.test/\xff":         "http://h.test/%FF",
		"http://h.test/(a)[b]!*'":    "http://h.test/(a)[b]!*'",
		"http":                       "http://http/ https://http/",
		"h.test/http://x.test/":      "http://h.test/http://x.test/ https://h.test/http://x.test/",
		"h.test/?u=http://x.test:x/": "http://h.test/?u=http://x.test:x/ https://h.test/?u=http://x.test:x/",
	} {
		got, err := Parse(in)
		if err != nil || urls(got) != want {
			t.Errorf("Parse(%q) = %s, %v; want %s", in, urls(got), err, want)
		}
	}
}

// What could mean one thing to this package and another to the next program is
// refused, whoever it would lead to.
func TestParseRefuses(t *testing.T) {
	label64 := strings.Repeat("a", 64)
	for row, targets := range map[string][]string{
		"empty":    {"", " \t\r\n", "\ufeff"},
		"scheme":   {"ftp://h.test/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_", "javascript:alert(1)", "mailto:a@h.test", "ws://h.test/", "unix:/x", "jar:http://h.test/", "dict://h.test", "data:text/html,x"},
		"slashes":  {"http:/h.test", "http:h.test", "http:///h.test", "http:80", "https:443", "//h.test", "///h.test"},
		"no host":  {"http://", "http://:80/", "http://:8080/", "//:80/", ":80", "http://u@/", "?q", "#f", "/x"},
		"port":     {"h.test:0", "h.test:65536", "h.test:99999", "h.test:065535", "h.test:-1", "h.test:8x", "http://h.test:+80/", "http://h.test:8_0/", "http://127.0.0.1:80:443/", "http://h.test: 80/"},
		"name":     {"a..b", "h\x80.test", "h\u0080.test", ".test", ".", "http://./", label64 + ".test", strings.Repeat("a.", 127) + "a", "h.test%00", "h,test", "h!test", "h~test", "x.onion", "onion"},
		"control":  {"http://h.test/\r\nX: y", "http://h.test/\x00", "http://h.test/\x7f", "http://h\ntest/"},
		"percent":  {"http://%31%32%37.0.0.1/", "http://h%2f@e.test", "http://h.test%2f127.0.0.1/", "http://127.0.0.1%00.h.test/", "http://h.test%0d%0aHost:x/"},
		"IPv6":     {"http://::1/", "::1", "fe80::1", "http://[fe80::1%25eth0]/", "http://[::1%25lo]/", "http://[::1%lo]/", "http://[www.h.test]/", "http://[1.2.3.4]/", "http://[::1/", "http://::1]/", "http://[::1]x/", "http://[]/", "http://x[::1]/"},
		"numbers":  {"0", "127.1", "127.0.1", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0177.0.0.1", "0x7f.0x0.0x0.0x1", "00000177.0.0.1", "127.0.0.1.", "2852039166", "0xa9fea9fe", "h.0x", "1.2.3.4.5", "h.1"},
		"disguise": {"①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "http://127.0.0.①/"},
		"cut":      {"http://h.test\\@127.0.0.1/", "http://127.0.0.1\\@h.test/", "http://h.test\\/", "http://h test/", "http://h.test\"/", "http://<h.test>/", "http://<\u0338.test/", "http://a>\u0338.test/"},
		"userinfo": {"user:secret@h.test", "h.test:80@127.0.0.1:80"},
		"long":     {"http://h.test/" + strings.Repeat("a", maxLen), strings.Repeat("ü", maxLen/2), strings.Repeat("xn--a.", 1000)},
	} {
		for _, in := range targets {
			got, err := Parse(in)
			if err == nil {
				t.Errorf("%s: Parse(%q) = %s; want an error", row, in, urls(got))
				continue
			}
			if msg := err.Error(); len(msg) > 200 || strings.Contains(msg, "secret") {
				t.Errorf("%s: Parse(%q) fails with %q; want less said", row, in, msg)
			}
		}
	}
}

// The text says what is wrong, and shows a piece of 64 bytes at most.
func TestParseErrorText(t *testing.T) {
	label64, label65 := strings.Repeat("a", 64), strings.Repeat("a", 65)
	for in, want := range map[string]string{
		"":                 "it is empty",
		" ":                "it is empty",
		"http://{x}.test/": `"{" has no place in a host`,
		"http://a{x.test/": `"{" has no place in a host`,
		label64 + ".test":  `the label "` + label64 + `" is too long`,
		label65 + ".test":  `the label "` + label64 + `…" is too long`,
		"/x":               "it is a path, and has no host",
		"h.test:8x":        "it has a scheme other than http and https, or a malformed port",
		"h.test:-1":        `"-1" is no port`,
		"//h.test":         "before its slashes there is no scheme: http: or https:",
		"http://h.test/" + strings.Repeat("a", maxLen): "it is over 8 KiB",
	} {
		if _, err := Parse(in); err == nil || err.Error() != want {
			t.Errorf("Parse(%q) error = %v; want %s", in, err, want)
		}
	}
}

// A scheme begins with a letter (RFC 3986, section 3.1).
func TestIsScheme(t *testing.T) {
	for s, want := range map[string]bool{
		"http": true, "a": true, "z": true, "A": true, "Z": true, "a0": true, "a9": true, "h+t-t.p": true,
		"": false, "0a": false, "+a": false, "a/": false, "a:": false, "a@": false, "a[": false, "a`": false, "a{": false, "ä": false,
	} {
		if got := isScheme(s); got != want {
			t.Errorf("isScheme(%q) = %t; want %t", s, got, want)
		}
	}
}

func TestHost(t *testing.T) {
	for in, want := range map[string]struct {
		host string
		port uint16
	}{
		"http://h.test/": {"h.test", 80}, "https://h.test/": {"h.test", 443}, "http://h.test.:81/": {"h.test.", 81},
		"http://[::1]/": {"::1", 80}, "https://[::1]:8443/": {"::1", 8443}, "http://127.0.0.1:1/": {"127.0.0.1", 1},
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if host, port := Host(u); host != want.host || port != want.port {
			t.Errorf("Host(%q) = %q, %d; want %q, %d", in, host, port, want.host, want.port)
		}
	}
}

// No piece of what may be a password is shown.
func TestDiscreet(t *testing.T) {
	for _, s := range []string{
		"http://alice:s3cr?et@host.test", "http://alice:s3cr/et@host.test/", "https://alice:s3cr#et@host.test/", "s3cr@host://x", "s3cr@://x",
		"http://s3cr%et/@host.test", "alice:s3cr/x@host.test", "http:s3cr@host.test", "http://[s3cr]/@host.test", "http://-s3cr..x/y@host.test",
	} {
		if _, err := Parse(s); err == nil || strings.Contains(err.Error(), "s3cr") {
			t.Errorf("Parse(%q) error = %v; want one that does not tell", s, err)
		}
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"h.test":                        "h.test",
		"@h.test":                       "xxxxx@h.test",
		"http://u:secret@h.test/@x":     "http://xxxxx@h.test/@x",
		"https://h.test/@user":          "https://h.test/@user",
		"u@h.test":                      "xxxxx@h.test",
		"u:secret@h.test":               "xxxxx@h.test",
		"http://u:sec/ret@h.test:0/":    "http://xxxxx@h.test:0/",
		"http:/u:secret@h.test/":        "xxxxx@h.test/",
		"ftp://u:secret@h.test/":        "ftp://xxxxx@h.test/",
		"http://u:secret@x@h.test:1:2/": "http://xxxxx@h.test:1:2/",
	} {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q) = %q; want %q", in, got, want)
		}
	}
}

func parseOne(tb testing.TB, s string) *url.URL {
	got, err := Parse(s)
	if err != nil || len(got.URLs) != 1 {
		tb.Fatalf("Parse(%q) = %s, %v; want one URL", s, urls(got), err)
	}
	return got.URLs[0]
}

// L16, A17: what is long is refused before it costs anything.
func TestParseLong(t *testing.T) {
	for name, s := range map[string]string{
		"a host of 1 MiB":     "http://" + strings.Repeat("a.", 1<<19) + "test/",
		"an IDN of 1 MiB":     "http://" + strings.Repeat("ü", 1<<19) + ".test/",
		"punycode of 1 MiB":   "http://xn--" + strings.Repeat("9", 1<<20) + ".test/",
		"an IDN of 8 KiB":     "http://" + strings.Repeat("ü", 4000) + "/",
		"punycode overflow":   "http://xn--" + strings.Repeat("9", 8000) + "/",
		"dots of 8 KiB":       "http://" + strings.Repeat("。", 2700) + "/",
		"userinfo of 8 KiB":   strings.Repeat("@", 8000),
		"colons of 8 KiB":     strings.Repeat(":", 8000),
		"one letter too much": "http://h.test/" + strings.Repeat("a", maxLen),
	} {
		start := time.Now()
		if got, err := Parse(s); err == nil {
			t.Errorf("%s: Parse = %s; want an error", name, urls(got))
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("%s: Parse took %v", name, took)
		}
	}
}

// The longest URL is as long as the longest target, with its question mark.
func TestParseLongest(t *testing.T) {
	room := maxLen - len("http://h.test/?")
	for n, want := range map[int]bool{room: true, room + 1: false} {
		for _, before := range []string{"http://h.test/", "http://h.test/?"} {
			if _, err := Parse(before + strings.Repeat("a", n)); (err == nil) != want {
				t.Errorf("Parse of %q and %d bytes more has %v; want accepted: %t", before, n, err, want)
			}
		}
	}
}

func TestParseAllocs(t *testing.T) {
	for in, most := range map[string]float64{"http://h.test/x": 3, "h.test": 5, "http://127.0.0.1:8080/": 2} {
		if n := testing.AllocsPerRun(100, func() { Parse(in) }); n > most {
			t.Errorf("Parse(%q) allocates %v times; want at most %v", in, n, most)
		}
	}
}
