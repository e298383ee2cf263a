package checker_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/faults"
)

// optionCases has every option with values that New accepts and refuses. An
// accepted one is also checked with, so that it is known to do no harm.
var optionCases = []struct {
	name     string
	accepted []checker.Option
	refused  []checker.Option
}{
	{
		"WithTimeout",
		[]checker.Option{checker.WithTimeout(time.Minute), checker.WithTimeout(math.MaxInt64)},
		[]checker.Option{checker.WithTimeout(0), checker.WithTimeout(-1)},
	},
	{
		"WithConcurrency",
		[]checker.Option{checker.WithConcurrency(1), checker.WithConcurrency(math.MaxInt)},
		[]checker.Option{checker.WithConcurrency(0), checker.WithConcurrency(-1)},
	},
	{
		"WithRateLimit",
		[]checker.Option{checker.WithRateLimit(1000, 1), checker.WithRateLimit(rate.Inf, 1), checker.WithRateLimit(1, math.MaxInt)},
		[]checker.Option{
			checker.WithRateLimit(0, 1), checker.WithRateLimit(-1, 1), checker.WithRateLimit(1, 0), checker.WithRateLimit(1, -1),
			checker.WithRateLimit(rate.Limit(math.NaN()), 1), checker.WithRateLimit(rate.Limit(math.Inf(-1)), 1), checker.WithRateLimit(rate.Inf, 0),
		},
	},
	{
		"WithHostConcurrency",
		[]checker.Option{checker.WithHostConcurrency(1), checker.WithHostConcurrency(math.MaxInt)},
		[]checker.Option{checker.WithHostConcurrency(0), checker.WithHostConcurrency(-1)},
	},
	{
		"WithHostRateLimit",
		[]checker.Option{checker.WithHostRateLimit(1000, 1), checker.WithHostRateLimit(rate.Limit(math.Inf(1)), 1)},
		[]checker.Option{checker.WithHostRateLimit(0, 1), checker.WithHostRateLimit(1, 0)},
	},
	{
		"WithRetryAfter",
		[]checker.Option{checker.WithRetryAfter(0), checker.WithRetryAfter(time.Hour), checker.WithRetryAfter(math.MaxInt64)},
		[]checker.Option{checker.WithRetryAfter(-1)},
	},
	{
		"WithRetries",
		[]checker.Option{checker.WithRetries(0), checker.WithRetries(math.MaxInt)},
		[]checker.Option{checker.WithRetries(-1)},
	},
	{
		"WithMethod",
		[]checker.Option{checker.WithMethod("HEAD"), checker.WithMethod("GET")},
		[]checker.Option{checker.WithMethod(""), checker.WithMethod("get"), checker.WithMethod("POST"), checker.WithMethod("GET /")},
	},
	{
		"WithHeader",
		[]checker.Option{
			checker.WithHeader("X-Probe", "1"), checker.WithHeader("x-probe", ""), checker.WithHeader("Host", "other.test:8080"),
			checker.WithHeader("User-Agent", "mine"), checker.WithHeader("Cookie", "a=b"), checker.WithHeader("X-Tab", "a\tb"),
		},
		[]checker.Option{
			checker.WithHeader("", "x"), checker.WithHeader("a b", "x"), checker.WithHeader("a:", "x"), checker.WithHeader("X\r\nY", "x"),
			checker.WithHeader("X-Ü", "x"), checker.WithHeader("X", "a\r\nY: b"), checker.WithHeader("X", "a\x00"), checker.WithHeader("X", "\x7f"),
			checker.WithHeader("Host", ""), checker.WithHeader("Host", "a/b"), checker.WithHeader("Host", "u@a"), checker.WithHeader("Host", "a b"),
			checker.WithHeader("Content-Length", "1"), checker.WithHeader("transfer-encoding", "chunked"), checker.WithHeader("Connection", "close"),
			checker.WithHeader("Upgrade", "h2c"), checker.WithHeader("TE", "trailers"), checker.WithHeader("Expect", "100-continue"),
		},
	},
	{
		"WithRedirects",
		[]checker.Option{checker.WithRedirects(0), checker.WithRedirects(math.MaxInt)},
		[]checker.Option{checker.WithRedirects(-1)},
	},
	{
		"WithJudge",
		[]checker.Option{checker.WithJudge(checker.StatusIn(200, 299))},
		[]checker.Option{checker.WithJudge(nil)},
	},
	{
		"WithAddrPolicy",
		nil, // see TestOptionsWithTransport
		[]checker.Option{checker.WithAddrPolicy(nil)},
	},
	{"WithResolver", nil, []checker.Option{checker.WithResolver(nil)}},
	{"WithDialContext", nil, []checker.Option{checker.WithDialContext(nil)}},
	{"WithTLSConfig", nil, []checker.Option{checker.WithTLSConfig(nil), checker.WithTLSConfig(&tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12})}},
	{
		"WithHostKey",
		[]checker.Option{checker.WithHostKey(func(u *url.URL) string { return u.Port() })},
		[]checker.Option{checker.WithHostKey(nil)},
	},
	{
		"WithCanaries",
		[]checker.Option{checker.WithCanaries("canary.test"), checker.WithCanaries("http://a.test", "b.test:8080")},
		[]checker.Option{checker.WithCanaries(), checker.WithCanaries("a.test", ""), checker.WithCanaries("ftp://a.test")},
	},
	{
		"WithTransport",
		[]checker.Option{checker.WithTransport(new(faults.Memory))},
		[]checker.Option{checker.WithTransport(nil)},
	},
}

// K13: an option that makes no sense is refused by New, which names it.
func TestOptions(t *testing.T) {
	for _, test := range optionCases {
		t.Run(test.name, func(t *testing.T) {
			for i, opt := range test.accepted {
				c, err := checker.New(checker.WithTransport(new(faults.Memory)), opt)
				if err != nil {
					t.Errorf("accepted value %d: New() = %v; want nil", i, err)
					continue
				}
				if r := c.Check(t.Context(), "http://site.test/"); !r.Online() {
					t.Errorf("accepted value %d: Check() = %v; want online", i, r)
				}
			}
			for i, opt := range test.refused {
				c, err := checker.New(opt)
				if c != nil || !errors.Is(err, checker.ErrInvalidOption) {
					t.Errorf("refused value %d: New() = %v, %v; want nil and ErrInvalidOption", i, c, err)
					continue
				}
				if !strings.Contains(err.Error(), test.name+": ") || strings.ContainsAny(err.Error(), "\r\x00\x7f") {
					t.Errorf("refused value %d: New() = %q; want a printable text that names %s", i, err, test.name)
				}
			}
		})
	}
}

// L8: a policy that is not asked would be worse than none, and what else a
// transport replaces would be without effect.
func TestOptionsWithTransport(t *testing.T) {
	replaced := map[string]checker.Option{
		"WithAddrPolicy":  checker.WithAddrPolicy(checker.PublicOnly),
		"WithResolver":    checker.WithResolver(net.DefaultResolver),
		"WithDialContext": checker.WithDialContext(new(net.Dialer).DialContext),
		"WithTLSConfig":   checker.WithTLSConfig(new(tls.Config)),
	}
	var all []checker.Option
	for name, opt := range replaced {
		if _, err := checker.New(opt); err != nil {
			t.Errorf("New(%s) = %v; want nil", name, err)
		}
		for _, opts := range [][]checker.Option{{checker.WithTransport(new(faults.Memory)), opt}, {opt, checker.WithTransport(new(faults.Memory))}} {
			if _, err := checker.New(opts...); !errors.Is(err, checker.ErrInvalidOption) || !strings.Contains(err.Error(), name) {
				t.Errorf("New(WithTransport and %s) = %v; want ErrInvalidOption that names it", name, err)
			}
		}
		all = append(all, opt)
	}
	_, err := checker.New(append(all, checker.WithTransport(new(faults.Memory)))...)
	for name := range replaced {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("New(WithTransport and all) = %v; want an error that names %s", err, name)
		}
	}
}

// What an option borrows may be changed after New without effect.
func TestOptionsCopy(t *testing.T) {
	canaries := []string{"a.test"}
	conf := &tls.Config{ServerName: "a.test"}
	opt := checker.WithTLSConfig(conf)
	c := faults.NewChecker(t, opt, checker.WithCanaries(canaries...))
	canaries[0], conf.ServerName = "b.test", "b.test"
	if got := checker.TLSConfig(c); got.ServerName != "a.test" || got == conf {
		t.Errorf("the Checker's ServerName is %q; want %q", got.ServerName, "a.test")
	}
	if got := checker.Canaries(c); got[0] != "a.test" {
		t.Errorf("the Checker's canaries are %q; want %q", got, "a.test")
	}
}

// One option used for two Checkers does not tie them together.
func TestOptionsAreReusable(t *testing.T) {
	header := checker.WithHeader("X-Probe", "1")
	var got [2]http.Header
	for i := range got {
		c := faults.NewChecker(t, header, checker.WithTransport(&faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
			got[i] = req.Header
			return faults.Respond(req, 200), nil
		}}))
		c.Check(t.Context(), "http://site.test/")
	}
	for i, h := range got {
		if len(h.Values("X-Probe")) != 1 {
			t.Errorf("Checker %d sent X-Probe %q; want it once", i, h.Values("X-Probe"))
		}
	}
}

func TestHost(t *testing.T) {
	for target, want := range map[string]string{
		"http://Example.ORG:8080/a?b": "example.org",
		"example.org.":                "example.org",
		"http://user:pw@bücher.test/": "xn--bcher-kva.test",
		"[2001:DB8::1]:81/x":          "2001:db8::1",
		"localhost:8080":              "localhost",
	} {
		if got, err := checker.Host(target); got != want || err != nil {
			t.Errorf("Host(%q) = %q, %v; want %q", target, got, err, want)
		}
	}
	for _, target := range []string{"", "ftp://example.org/", "http://127.1/", "http://:80/"} {
		if got, err := checker.Host(target); got != "" || !errors.Is(err, checker.ReasonInvalid) {
			t.Errorf("Host(%q) = %q, %v; want an error that is %v", target, got, err, checker.ReasonInvalid)
		} else if r := faults.NewChecker(t).Check(t.Context(), target); r.Err.Error() != err.Error() {
			t.Errorf("Host(%q) = %v; want what a check says, %v", target, err, r.Err)
		}
	}
}

// T6: what StatusIn refuses is told in one glance.
func TestStatusInText(t *testing.T) {
	for _, test := range []struct {
		min, max, code int
		want           string
	}{
		{200, 299, 404, "status 404, wanted 200–299"},
		{200, 200, 500, "status 500, wanted 200"},
		{200, 399, 200, ""},
	} {
		text := ""
		if err := checker.StatusIn(test.min, test.max)(&http.Response{StatusCode: test.code}); err != nil {
			text = err.Error()
		}
		if text != test.want {
			t.Errorf("StatusIn(%d, %d) of %d = %q; want %q", test.min, test.max, test.code, text, test.want)
		}
	}
}

// With refuses what it shares, by name, and all at once; and where there are canaries, to
// go another way than they do. Everything else it takes.
func TestWithRefuses(t *testing.T) {
	shared := []string{"WithConcurrency", "WithRateLimit", "WithHostConcurrency", "WithHostRateLimit", "WithRetryAfter", "WithHostKey", "WithCanaries"}
	ways := []string{"WithResolver", "WithDialContext", "WithTransport"}
	plain := faults.NewChecker(t)
	guarded := faults.NewChecker(t, checker.WithCanaries("canary.test"))
	for _, test := range optionCases {
		opts := test.accepted
		switch test.name {
		case "WithResolver":
			opts = []checker.Option{checker.WithResolver(net.DefaultResolver)}
		case "WithDialContext":
			opts = []checker.Option{checker.WithDialContext(new(net.Dialer).DialContext)}
		}
		for c, refused := range map[*checker.Checker][]string{plain: shared, guarded: append(ways, shared...)} {
			for _, opt := range opts {
				_, err := c.With(checker.WithMethod("GET"), opt, checker.WithRetries(3))
				switch want := slices.Contains(refused, test.name); {
				case want != (err != nil):
					t.Errorf("With(%s) = %v; want it refused: %t", test.name, err, want)
				case want && (!errors.Is(err, checker.ErrInvalidOption) || !strings.Contains(err.Error(), test.name)):
					t.Errorf("With(%s) = %v; want ErrInvalidOption with the name", test.name, err)
				}
			}
		}
	}
	if _, err := plain.With(nil, checker.WithTimeout(0), checker.WithConcurrency(1)); strings.Count(fmt.Sprint(err), "invalid option") != 3 {
		t.Errorf("With() = %v; want three errors", err)
	}
	limited := faults.NewChecker(t, checker.WithAddrPolicy(checker.PublicOnly))
	if _, err := limited.With(checker.WithTransport(new(faults.Memory))); !errors.Is(err, checker.ErrInvalidOption) {
		t.Errorf("With(WithTransport) of a Checker with a policy = %v; want it refused", err)
	}
}
