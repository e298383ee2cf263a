package checker_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"example.com/checker"
	"example.com/checker/internal/faults"
)

// full is a Result that has everything.
func full() checker.Result {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 500_000_000, time.FixedZone("", 3600))
	return checker.Result{
		Index: 7, Target: "https://user:secret@site.test/x", URL: "https://site.test/x",
		Err: checker.NewError(checker.PhaseTLS, checker.ReasonCertificate, "https://site.test/x",
			x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"other.test"}}, Host: "site.test"}),
		StatusCode: 0, Method: "HEAD", Addr: netip.MustParseAddrPort("[2001:db8::1]:443"), Hops: []checker.Hop{{URL: "http://site.test/x", StatusCode: 301}}, Attempts: 2,
		TLS: &checker.TLS{
			Version: "TLS 1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", Subject: "CN=other.test", Issuer: "CN=CA",
			DNSNames: []string{"other.test"}, NotBefore: noon, NotAfter: noon.AddDate(1, 0, 0),
		},
		Start: noon,
		Timing: checker.Timing{
			Wait: time.Second, DNS: 400 * time.Microsecond, Connect: 1500 * time.Microsecond,
			TLS: 20 * time.Millisecond, Total: 30 * time.Millisecond,
		},
	}
}

func TestResultJSON(t *testing.T) {
	for _, test := range []struct {
		r    checker.Result
		want string
	}{
		{checker.Result{}, `{"index":0,"target":"","status":"unknown","status_code":0,"attempts":0,` +
			`"timing":{"wait_ms":0,"dns_ms":0,"connect_ms":0,"tls_ms":0,"first_byte_ms":0,"total_ms":0}}`},
		{checker.Result{Target: "site.test", URL: "http://site.test/", StatusCode: 204, Method: "GET", Proto: "HTTP/1.1", Attempts: 1},
			`{"index":0,"target":"site.test","url":"http://site.test/","status":"online","status_code":204,"method":"GET",` +
				`"proto":"HTTP/1.1","attempts":1,` +
				`"timing":{"wait_ms":0,"dns_ms":0,"connect_ms":0,"tls_ms":0,"first_byte_ms":0,"total_ms":0}}`},
		{full(), `{"index":7,"target":"https://xxxxx@site.test/x","url":"https://site.test/x","status":"offline",` +
			`"reason":"certificate","cause":"wrong_host","phase":"tls","error":"https://site.test/x: the certificate was refused: ` +
			`it is not for site.test but for other.test","status_code":0,"method":"HEAD",` +
			`"addr":"[2001:db8::1]:443","hops":[{"url":"http://site.test/x","status_code":301}],"attempts":2,"tls":{"version":"TLS 1.3",` +
			`"cipher_suite":"TLS_AES_128_GCM_SHA256","subject":"CN=other.test","issuer":"CN=CA","dns_names":["other.test"],` +
			`"not_before":"2026-03-01T11:00:00.5Z","not_after":"2027-03-01T11:00:00.5Z"},"start":"2026-03-01T11:00:00.5Z",` +
			`"timing":{"wait_ms":1000,"dns_ms":0.4,"connect_ms":1.5,"tls_ms":20,"first_byte_ms":0,"total_ms":30}}`},
	} {
		got, err := json.Marshal(test.r)
		if err != nil || string(got) != test.want {
			t.Errorf("Marshal(%v) = %s, %v;\nwant %s", test.r, got, err, test.want)
		}
	}
}

func TestResultJSONRefused(t *testing.T) {
	for _, in := range []string{``, `1`, `{"index":"x"}`, `{"addr":"nowhere"}`, `{"start":"yesterday"}`, `{"timing":{"dns_ms":"1"}}`} {
		r := checker.Result{Target: "kept"}
		if err := json.Unmarshal([]byte(in), &r); err == nil {
			t.Errorf("Unmarshal(%s) = nil; want an error", in)
		}
		if r.Target != "kept" {
			t.Errorf("Unmarshal(%s) changed the Result", in)
		}
	}
}

// What was written is read back with the same verdict, reason, phase and text,
// and written again as the same bytes.
func TestResultJSONRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		r := randomResult(rnd)
		first, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back checker.Result
		if err := json.Unmarshal(first, &back); err != nil {
			t.Fatalf("Unmarshal(%s) = %v", first, err)
		}
		second, err := json.Marshal(back)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("written again:\n%s, %v\nwant\n%s", second, err, first)
		}
		if back.Status() != r.Status() || back.Reason() != r.Reason() || (back.Err == nil) != (r.Err == nil) ||
			r.Err != nil && (back.Err.Error() != r.Err.Error() || !errors.Is(back.Err, r.Reason())) {
			t.Fatalf("read back %v; want %v", back, r)
		}
		back.Err, r.Err = nil, nil
		back.Start, r.Start = time.Time{}, time.Time{}
		if !reflect.DeepEqual(back, r) {
			t.Fatalf("read back %+v; want %+v", back, r)
		}
	}
}

func randomResult(rnd *rand.Rand) checker.Result {
	pick := func(s ...string) string { return s[rnd.IntN(len(s))] }
	d := func() time.Duration { return time.Duration(rnd.Int64N(int64(time.Hour))) }
	r := checker.Result{
		Index: rnd.Int(), Target: pick("", "site.test", "<a>&\u2028\"\\", "ü"), URL: pick("", "http://site.test/"),
		Method: pick("", "HEAD", "GET"), Proto: pick("", "HTTP/1.0", "HTTP/2.0"), Attempts: rnd.IntN(5),
		Timing: checker.Timing{Wait: d(), DNS: d(), Connect: d(), TLS: d(), FirstByte: d(), Total: d()},
	}
	for range rnd.IntN(3) {
		r.Hops = append(r.Hops, checker.Hop{URL: pick("http://site.test/", "http://ü/"), StatusCode: 301 + rnd.IntN(8)})
	}
	if rnd.IntN(2) == 0 {
		r.StatusCode = 200 + rnd.IntN(800)
	}
	if rnd.IntN(2) == 0 {
		r.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(rnd.Int())}), uint16(rnd.Int()))
	}
	if rnd.IntN(2) == 0 {
		r.Start = time.Unix(rnd.Int64N(1<<32), rnd.Int64N(1e9))
	}
	if rnd.IntN(3) == 0 {
		at := time.Unix(rnd.Int64N(1<<32), 0).UTC()
		r.TLS = &checker.TLS{Version: "TLS 1.2", Subject: pick("", "CN=ü"), NotBefore: at, NotAfter: at.AddDate(1, 0, 0)}
	}
	if rnd.IntN(2) == 0 {
		r.Err = checker.NewError(
			checker.Phase(pick("dns", "connect", "judge")),
			checker.Reason(pick("refused", "dns", "local", "malformed", "canceled")), r.URL,
			errors.New(pick("x", "\x1b[31m", strings.Repeat("long ", 200))),
		)
	}
	return r
}

func TestResultLogValue(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	log.Info("checked", "result", full())
	want := `{"level":"INFO","msg":"checked","result":{"target":"https://xxxxx@site.test/x","status":"offline",` +
		`"url":"https://site.test/x","hops":[{"url":"http://site.test/x","status_code":301}],"reason":"certificate","cause":"wrong_host","phase":"tls","error":"https://site.test/x: the certificate was refused: ` +
		`it is not for site.test but for other.test","attempts":2,"total_ms":30}}` + "\n"
	if b.String() != want {
		t.Errorf("logged\n%s; want\n%s", b.String(), want)
	}
}

func TestResultString(t *testing.T) {
	for _, test := range []struct {
		r    checker.Result
		want string
	}{
		{checker.Result{}, ": unknown"},
		{checker.Result{Target: "site.test", StatusCode: 404, Timing: checker.Timing{Total: 1_700_000}}, "site.test: online (404, 2ms)"},
		{full(), "https://xxxxx@site.test/x: offline: https://site.test/x: the certificate was refused: " +
			"it is not for site.test but for other.test"},
	} {
		if got := test.r.String(); got != test.want {
			t.Errorf("String() = %q; want %q", got, test.want)
		}
	}
}

// A Result of a panic in the caller's own code, or one that the caller made,
// may wrap an Error anywhere.
func TestResultWrapped(t *testing.T) {
	r := checker.Result{StatusCode: 200, Err: fmt.Errorf("mine: %w", &checker.Error{Reason: checker.ReasonRejected})}
	if r.Online() || r.Status() != checker.Offline || r.Reason() != checker.ReasonRejected {
		t.Errorf("%v is %q for %q; want offline for rejected", r, r.Status(), r.Reason())
	}
	r.Err = errors.New("mine")
	if r.Online() || r.Status() != checker.Unknown || r.Reason() != "" {
		t.Errorf("%v is %q for %q; want unknown for nothing", r, r.Status(), r.Reason())
	}
}

// shownInFull are the reasons whose causes are a site's own words, or a judge's.
// A resolver's error is never among them.
var shownInFull = []checker.Reason{
	checker.ReasonCertificate, checker.ReasonTLS, checker.ReasonMalformed, checker.ReasonRedirect, checker.ReasonRejected, checker.ReasonInvalid,
}

// An Error's text is one printable line of at most 512 bytes, says nothing of
// this side's addresses, and keeps the cause for the operator.
func TestErrorText(t *testing.T) {
	inside := &net.OpError{
		Op: "dial", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 4}, Addr: &net.TCPAddr{IP: net.IPv4(10, 9, 8, 7), Port: 80},
		Err: os.NewSyscallError("connect", syscall.EMFILE),
	}
	resolver := &net.DNSError{Err: "server misbehaving", Name: "site.test", Server: "10.9.8.7:53", IsTimeout: true}
	causes := map[string]error{
		"nil": nil, "an address": inside, "a resolver": resolver,
		"escapes":     errors.New("\x1b[2J\r\nX: y\x00\u202e\xff"),
		"much":        errors.New(strings.Repeat("ü\n", 1000)),
		"a text":      errors.New("plain"),
		"a TLS alert": &net.OpError{Op: "remote error", Addr: inside.Addr, Err: errors.New("tls: bad record")},
	}
	for _, reason := range []checker.Reason{
		checker.ReasonNotFound, checker.ReasonRefused, checker.ReasonUnreachable, checker.ReasonReset, checker.ReasonTimeout,
		checker.ReasonCertificate, checker.ReasonTLS, checker.ReasonMalformed, checker.ReasonRedirect, checker.ReasonRejected,
		checker.ReasonInvalid, checker.ReasonBlocked, checker.ReasonDNS, checker.ReasonLocal, checker.ReasonCanceled,
		checker.ReasonInternal, "", "no_such\nreason",
	} {
		for name, cause := range causes {
			for _, u := range []string{"", "http://site.test/", "http://site.test/" + strings.Repeat("x", 8000)} {
				e := checker.NewError(checker.PhaseConnect, reason, u, cause)
				text := e.Error()
				if text == "" || len(text) > 512 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("%q of %s has the text %q (%d bytes)", reason, name, text, len(text))
				}
				shown := name == "a resolver" && slices.Contains(shownInFull, reason)
				if !shown && (strings.Contains(text, "10.9.8.7") || strings.Contains(text, "10.1.2.3")) {
					t.Errorf("%q of %s has the text %q, which tells addresses", reason, name, text)
				}
				if errors.Unwrap(e) != cause {
					t.Errorf("%q of %s unwraps to %v", reason, name, errors.Unwrap(e))
				}
			}
		}
	}
}

func TestRedact(t *testing.T) {
	for target, want := range map[string]string{
		"example.org":           "example.org",
		"http://bücher.example": "http://bücher.example",
		"http://me:secret@h/":   "http://xxxxx@h/",
		"http://h/: unknown":    "http://h/: unknown",
		"h\x1b[2J\nx":           `h\x1b[2J\nx`,

		// T3: what stands before "://" may be no scheme.
		"user:SECRET://x@host":       "xxxxx@host",
		"user:SECRET://x@host/a://b": "xxxxx@host/a://b",
		"SEC RET://x@host":           "xxxxx@host",
		"//user:SECRET://x@host":     "xxxxx@host",
		"http:user:SECRET://@host":   "xxxxx@host",
		"h\xff":                      `h\xff`,
	} {
		if got := checker.Redact(target); got != want {
			t.Errorf("Redact(%q) = %q; want %q", target, got, want)
		}
	}
	long := strings.Repeat("long", 5000)
	if got := checker.Redact(long + "\n"); got != long+`\n` {
		t.Errorf("Redact of %d bytes has %d", len(long)+1, len(got))
	}
}

func TestErrorMessage(t *testing.T) {
	for _, tt := range []struct {
		err  *checker.Error
		want string
	}{
		{&checker.Error{Reason: checker.ReasonRefused, URL: "http://a.test/"}, "the host refused the connection"},
		{&checker.Error{Reason: checker.ReasonTimeout, Phase: checker.PhaseTLS}, "no answer within the timeout (tls)"},
		{checker.NewError("", checker.ReasonRejected, "http://a.test/", errors.New("no")), "the answer was not accepted: no"},
	} {
		if got := tt.err.Message(); got != tt.want {
			t.Errorf("Message() = %q; want %q", got, tt.want)
		}
		data, err := json.Marshal(checker.Result{Target: "a.test", URL: tt.err.URL, Err: tt.err})
		if err != nil {
			t.Fatal(err)
		}
		var back checker.Result
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		e, ok := errors.AsType[*checker.Error](back.Err)
		if !ok || e.Message() != tt.want || e.Error() != tt.err.Error() || back.Phase() != tt.err.Phase {
			t.Errorf("out of %s came the message %q in phase %q", data, e.Message(), back.Phase())
		}
	}
}

// T5: what a caller makes says its Reason only: the cause may hold what a stranger
// must not hear.
func TestErrorByHand(t *testing.T) {
	e := &checker.Error{Reason: checker.ReasonTLS, URL: "http://a.test/", Err: errors.New("dial tcp 10.9.8.7:443")}
	if got, want := e.Error(), "http://a.test/: the TLS handshake failed"; got != want {
		t.Errorf("Error() = %q; want %q", got, want)
	}
	for _, err := range []error{checker.ReasonTLS, fmt.Errorf("so: %w", checker.ReasonTLS)} {
		if r := (checker.Result{Err: err, StatusCode: 200}); r.Status() != checker.Offline || r.Reason() != checker.ReasonTLS {
			t.Errorf("a Result with the error %v is %q for %q; want offline for tls", err, r.Status(), r.Reason())
		}
	}
}

// T5: a Cause by itself, or in an Error without a Reason, counts as well, and an Error has
// none that belongs to another Reason than its own.
func TestErrorByHandCause(t *testing.T) {
	for _, test := range []struct {
		err    error
		reason checker.Reason
		cause  checker.Cause
	}{
		{checker.CauseExpired, checker.ReasonCertificate, checker.CauseExpired},
		{errors.Join(errors.New("mine"), checker.CauseExpired), checker.ReasonCertificate, checker.CauseExpired},
		{&checker.Error{Cause: checker.CauseExpired}, checker.ReasonCertificate, checker.CauseExpired},
		{fmt.Errorf("so: %w", &checker.Error{Cause: checker.CauseServFail}), checker.ReasonDNS, checker.CauseServFail},
		{&checker.Error{Reason: checker.ReasonRefused, Cause: checker.CauseExpired}, checker.ReasonRefused, ""},
		{&checker.Error{Reason: checker.ReasonTLS, Cause: "no_such_cause"}, checker.ReasonTLS, "no_such_cause"},
		{&checker.Error{}, "", ""},
	} {
		r := checker.Result{Err: test.err}
		if r.Reason() != test.reason || r.Cause() != test.cause || r.Status() != test.reason.Status() {
			t.Errorf("%#v is %q for %q, %q; want %q, %q", test.err, r.Status(), r.Reason(), r.Cause(), test.reason, test.cause)
		}
		if errors.Is(test.err, test.reason) != (test.reason != "") || errors.Is(test.err, test.cause) != (test.cause != "") {
			t.Errorf("errors.Is(%#v) of %q or %q is not as it should; of nothing it is false", test.err, test.reason, test.cause)
		}
		for _, other := range []checker.Cause{checker.CauseExpired, checker.CauseServFail} {
			if other != test.cause && errors.Is(test.err, other) {
				t.Errorf("errors.Is(%#v, %q) = true", test.err, other)
			}
		}
	}
}

// What a caller makes may say nothing, or anything. It is written in JSON all the same, and
// as in a log: one line of at most 512 bytes.
func TestResultByHandJSON(t *testing.T) {
	later := checker.Reason(strings.Repeat("f\x1b", 400))
	for _, err := range []error{
		errors.New(""), checker.Reason(""), checker.Cause(""), &checker.Error{}, errors.New("a\x1b\nb"), errors.New(strings.Repeat("long ", 200)),
		errors.Join(errors.New("mine"), checker.ReasonRefused), errors.Join(checker.ReasonRefused, checker.CauseExpired),
		&checker.Error{Cause: checker.CauseExpired}, &checker.Error{Reason: checker.ReasonRefused, Cause: checker.CauseExpired},
		&checker.Error{Reason: later, Cause: checker.CauseServFail, URL: strings.Repeat("u\x00", 300)},
	} {
		for _, code := range []int{0, 200} {
			r := checker.Result{Err: err, StatusCode: code}
			first, e := json.Marshal(r)
			if e != nil {
				t.Fatal(e)
			}
			var back checker.Result
			if e := json.Unmarshal(first, &back); e != nil {
				t.Errorf("Unmarshal(%s) = %v", first, e)
				continue
			}
			second, e := json.Marshal(back)
			if e != nil || !bytes.Equal(first, second) || back.Status() != r.Status() || back.Reason() != r.Reason() || back.Cause() != r.Cause() {
				t.Errorf("written again:\n%s, %v\nwant\n%s", second, e, first)
			}
			for _, a := range r.LogValue().Group() {
				text := a.Value.String()
				if a.Key == "error" && (text == "" || len(text) > 512 || text != back.Err.Error() || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })) {
					t.Errorf("%#v is logged as %q (%d bytes), and read back as %q", err, text, len(text), back.Err)
				}
			}
		}
	}
}

// The longest durations are not exact as a number of milliseconds, but do not turn round.
func TestResultJSONDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1e300": math.MaxInt64, "9223372036854.775807": math.MaxInt64, "9223372036854.7": 9223372036854700000, "0.000001": 1,
		"-1e300": math.MinInt64, "-9223372036854.775808": math.MinInt64, "-1": -time.Millisecond, "1e-300": 0,
	} {
		var r checker.Result
		err := json.Unmarshal([]byte(`{"status":"unknown","timing":{"total_ms":`+text+`}}`), &r)
		if got := r.Timing.Total; err != nil || math.Abs(float64(got)-float64(want)) > 2000 {
			t.Errorf("%s ms are %d, %v; want %d", text, got, err, want)
		}
	}
}

// T1: a result in JSON that contradicts itself is refused, and never Online.
func TestResultJSONContradicts(t *testing.T) {
	for _, text := range []string{
		`{"status":"offline","status_code":503}`,
		`{"status":"unknown","status_code":200}`,
		`{"status":"online","status_code":0}`,
		`{"status":"online","status_code":200,"reason":"refused"}`,
		`{"status":"online","status_code":200,"error":"x"}`,
		`{"status":"offline","reason":"dns"}`,
		`{"status":"unknown","reason":"timeout"}`,
		`{"status":"online","status_code":200,"reason":"no_such_reason"}`,
		`{"status":"online","status_code":200,"cause":"expired"}`,
		`{"status":"offline","cause":"no_such_cause"}`,
		`{"status":"unknown","cause":"expired"}`,
		`{"status":"offline","reason":"refused","cause":"expired"}`,
		`{"status":"unknown","reason":"dns","cause":"rate_limit"}`,
		`{"status":"down","reason":"no_such_reason"}`,
		`{"status":"","reason":"no_such_reason"}`,
		`{"status":"offline"}`,
		`{"status":"up","status_code":200}`,
		`{"status_code":200}`,
		`{}`,
	} {
		r := checker.Result{Target: "before"}
		if err := json.Unmarshal([]byte(text), &r); err == nil || r.Target != "before" {
			t.Errorf("Unmarshal(%s) = %v, %v; want an error and nothing changed", text, r, err)
		}
	}
	for text, want := range map[string]checker.Status{
		`{"status":"online","status_code":503}`:                      checker.Online,
		`{"status":"offline","reason":"rejected","status_code":503}`: checker.Offline,
		`{"status":"offline","cause":"expired"}`:                     checker.Offline,
		`{"status":"unknown"}`:                                       checker.Unknown,
		`{"status":"unknown","error":"mine","status_code":200}`:      checker.Unknown,
	} {
		var r checker.Result
		if err := json.Unmarshal([]byte(text), &r); err != nil || r.Status() != want {
			t.Errorf("Unmarshal(%s) = %q, %v; want %q", text, r.Status(), err, want)
		}
	}
}

// What a later version of the package wrote is kept as it is.
func TestResultJSONOfLater(t *testing.T) {
	for _, text := range []string{
		`{"status":"offline","reason":"certificate","cause":"no_such_cause","error":"https://a.test/: so"}`,
		`{"status":"offline","reason":"no_such_reason","cause":"no_such_cause"}`,
		`{"status":"offline","reason":"no_such_reason","status_code":200}`,
		`{"status":"unknown","reason":"no_such_reason","cause":"expired"}`,
	} {
		var was, is map[string]any
		var r checker.Result
		err := json.Unmarshal([]byte(text), &r)
		if err != nil {
			t.Errorf("Unmarshal(%s) = %v", text, err)
			continue
		}
		back, err := json.Marshal(r)
		if err := errors.Join(err, json.Unmarshal([]byte(text), &was), json.Unmarshal(back, &is)); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"status", "reason", "cause"} {
			if was[key] != is[key] {
				t.Errorf("%s was written again as %s", text, back)
			}
		}
		cause, _ := was["cause"].(string)
		if cause != "" && !errors.Is(r.Err, checker.Cause(cause)) || r.Online() {
			t.Errorf("Unmarshal(%s) = %v", text, r)
		}
	}
}

// T4: the URL stands in a Result's text once.
func TestResultStringNamesURLOnce(t *testing.T) {
	for _, target := range []string{"http://127.0.0.1:1/", "http://127.0.0.1:1", "127.0.0.1:1"} {
		c := faults.NewChecker(t, checker.WithRetries(0))
		text := c.Check(t.Context(), target).String()
		if n := strings.Count(text, "://127.0.0.1:1"); n != 1 || !strings.Contains(text, "refused") {
			t.Errorf("String() = %q, with the URL %d times; want once", text, n)
		}
	}
	long := "http://site.test/" + strings.Repeat("long/", 100)
	r := checker.Result{Target: long, Err: &checker.Error{Reason: checker.ReasonRefused, URL: long}}
	if text := r.String(); strings.Count(text, "site.test") != 1 {
		t.Errorf("String() = %q; want the URL once", text)
	}
}
