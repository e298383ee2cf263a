package checkertest_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/checkertest"
	"example.com/checker/internal/bubble"
)

// declared returns the values of a type's constants in a file of package checker.
func declared(t *testing.T, file, typ string) (values []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", file), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if ident, ok := spec.Type.(*ast.Ident); ok && ident.Name == typ {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		return true
	})
	if len(values) < 10 { // or the test has read nothing
		t.Fatalf("%s has the constants %q of type %s; want more", file, values, typ)
	}
	return values
}

// all returns every Reason and every Cause.
func all(t *testing.T) (whys []error) {
	for _, r := range declared(t, "reason.go", "Reason") {
		whys = append(whys, checker.Reason(r))
	}
	for _, c := range declared(t, "cause.go", "Cause") {
		whys = append(whys, checker.Cause(c))
	}
	return whys
}

// Every Reason and every Cause has one Result, and Online has one.
func TestResultsAreTotal(t *testing.T) {
	count := make(map[error]int)
	targets := make(map[string]bool)
	for i, r := range checkertest.Results() {
		targets[r.Target] = true
		switch {
		case r.Index != i:
			t.Errorf("Results()[%d].Index = %d", i, r.Index)
		case r.Online():
			count[nil]++
		case r.Cause() != "":
			count[r.Cause()]++
		default:
			count[r.Reason()]++
		}
	}
	want := append(all(t), nil)
	for _, why := range want {
		if count[why] != 1 {
			t.Errorf("Results() has %d of %q; want one", count[why], why)
		}
	}
	if len(count) != len(want) || len(targets) != len(want) {
		t.Errorf("Results() has %d kinds for %d targets; want %d", len(count), len(targets), len(want))
	}
}

// A Result survives JSON, and what it says is a sentence of the package.
func TestResultsAreWhole(t *testing.T) {
	for _, r := range checkertest.Results() {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var read checker.Result
		if err := json.Unmarshal(text, &read); err != nil {
			t.Errorf("reading %s: %v", text, err)
			continue
		}
		if again, err := json.Marshal(read); err != nil || string(again) != string(text) {
			t.Errorf("written and read and written it is\n%s, %v; want\n%s", again, err, text)
		}
		if read.Status() != r.Status() || read.Reason() != r.Reason() || read.Cause() != r.Cause() || read.Phase() != r.Phase() {
			t.Errorf("read it is %v; want %v", read, r)
		}
		e, ok := errors.AsType[*checker.Error](r.Err)
		if ok == r.Online() {
			t.Errorf("%s: Err = %v; want an Error unless Online", r.Target, r.Err)
		}
		if ok && (e.Message() == "" || strings.Contains(e.Message(), string(e.Reason)+`"`) || read.Err.Error() != e.Error()) {
			t.Errorf("%s: Err = %v, and read %v; want a sentence", r.Target, r.Err, read.Err)
		}
	}
}

// facts are what a Result has, other than words and times.
type facts struct {
	reason checker.Reason
	phase  checker.Phase
	url    string
	code   int
	method string
	proto  string
	tries  int
	peer   bool
	tls    bool
	began  bool
}

func factsOf(r checker.Result) facts {
	return facts{r.Reason(), r.Phase(), r.URL, r.StatusCode, r.Method, r.Proto, r.Attempts, r.Addr.IsValid(), r.TLS != nil, !r.Start.IsZero()}
}

// unfit are the Reasons and Causes that no host can fail with.
var unfit = []error{
	checker.ReasonRedirect, checker.CauseLoop, checker.CauseTooMany, checker.CauseBadLocation, checker.CauseWantsCookies,
	checker.ReasonRejected, checker.CauseStatus, checker.CauseJudge, checker.ReasonChallenge,
	checker.ReasonInvalid, checker.ReasonBlocked, checker.ReasonCanceled, checker.ReasonInternal,
	checker.ReasonLocal, checker.CauseGateway, checker.CauseNoRoots, checker.CauseClock, checker.CauseStarved, checker.CauseRateLimit,
}

// What a host can do is found as Result has it, at a site that does so; and what Fail does
// not take is no more than its comment says.
func TestFail(t *testing.T) {
	const target = "https://site.test/"
	for _, why := range all(t) {
		if slices.Contains(unfit, why) {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("Fail takes %q", why)
					}
				}()
				checkertest.NewNetwork().Fail(target, why)
			}()
			continue
		}
		bubble.Test(t, func(t *testing.T) {
			n := checkertest.NewNetwork()
			n.Fail(target, why)
			got, want := newChecker(t, n, checker.WithRetries(0)).Check(t.Context(), target), checkertest.Result(target, why)
			if !errors.Is(got.Err, why) || factsOf(got) != factsOf(want) {
				t.Errorf("of a site with %q is found\n%+v, %v; want\n%+v, %v", why, factsOf(got), got, factsOf(want), want)
			}
			if bare := newChecker(t, n).Check(t.Context(), "Site.test"); !errors.Is(bare.Err, why) {
				t.Errorf("of a site with %q without a scheme is found %v", why, bare)
			}
			if got.TLS != nil && got.TLS.Expires().Before(time.Now()) != want.TLS.Expires().Before(time.Now()) && want.Cause() != "" {
				t.Errorf("of a site with %q the certificate ends at %v; want %v", why, got.TLS.Expires(), want.TLS.Expires())
			}
			sentence := func(r checker.Result) string {
				s, _, _ := strings.Cut(strings.TrimPrefix(r.Err.Error(), target+": "), ":")
				return s
			}
			if want.Cause() != "" && sentence(got) != sentence(want) {
				t.Errorf("of a site with %q is said %v; want %v", why, got.Err, want.Err)
			}
		})
	}
}

// A target without a scheme stands for its site by https.
func TestResultTargets(t *testing.T) {
	for _, test := range []struct {
		target, url string
		why         error
		addr        string
	}{
		{"Site.test", "https://site.test/", checker.CauseExpired, "1.0.0.1:443"},
		{"http://site.test:8080/a", "http://site.test:8080/a", checker.ReasonReset, "1.0.0.1:8080"},
		{"http://u:secret@192.0.2.7", "http://192.0.2.7/", nil, "192.0.2.7:80"},
		{"site.test", "https://site.test/", checker.ReasonRefused, "invalid AddrPort"},
		{"site.test", "", checker.ReasonCanceled, "invalid AddrPort"},
		{"ftp://site.test", "", checker.ReasonInvalid, "invalid AddrPort"},
	} {
		r := checkertest.Result(test.target, test.why)
		if r.Target != test.target || r.URL != test.url || r.Addr.String() != test.addr || !errors.Is(r.Err, test.why) {
			t.Errorf("Result(%q, %v) = %+v; want the URL %q and the peer %s", test.target, test.why, r, test.url, test.addr)
		}
	}
}
