package checker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/errno"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/resolve"
)

var allReasons = []Reason{
	ReasonNotFound, ReasonRefused, ReasonUnreachable, ReasonReset, ReasonTimeout, ReasonCertificate, ReasonTLS,
	ReasonMalformed, ReasonRedirect, ReasonRejected,
	ReasonChallenge, ReasonInvalid, ReasonBlocked, ReasonDNS, ReasonLocal, ReasonCanceled, ReasonInternal,
}

// wirePhases are the phases in which a system call may fail, but for the lookup,
// which has rules of its own.
var wirePhases = []Phase{PhaseConnect, PhaseTLS, PhaseRequest, PhaseResponse}

// errnoReasons has the system call errors that speak of the site. All others
// speak of this machine.
var errnoReasons = map[syscall.Errno]Reason{
	syscall.ECONNREFUSED: ReasonRefused, 10061: ReasonRefused,
	syscall.ECONNRESET: ReasonReset, 10054: ReasonReset,
	syscall.ECONNABORTED: ReasonReset, 10053: ReasonReset,
	syscall.ENETRESET: ReasonReset, 10052: ReasonReset,
	syscall.ENOTCONN: ReasonReset, 10057: ReasonReset,
	syscall.ESHUTDOWN: ReasonReset, 10058: ReasonReset,
	syscall.EPIPE:     ReasonReset,
	syscall.ETIMEDOUT: ReasonTimeout, 10060: ReasonTimeout,
	syscall.EHOSTUNREACH: ReasonUnreachable, 10065: ReasonUnreachable,
	syscall.EHOSTDOWN: ReasonUnreachable, 10064: ReasonUnreachable,
	// When connecting, this machine has no route; later, a router said so.
	syscall.ENETUNREACH: ReasonUnreachable, 10051: ReasonUnreachable,
}

func TestClassifyErrno(t *testing.T) {
	numbers := []syscall.Errno{syscall.EHOSTDOWN, syscall.ESHUTDOWN}
	for n := range syscall.Errno(200) {
		numbers = append(numbers, n)
	}
	for n := syscall.Errno(10000); n < 11100; n++ {
		numbers = append(numbers, n)
	}
	for _, number := range numbers {
		for _, phase := range wirePhases {
			want, ok := errnoReasons[number]
			if !ok || phase == PhaseConnect && noRoute(number) {
				want = ReasonLocal
			}
			for _, err := range []error{
				number,
				os.NewSyscallError("connect", number),
				&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", number)},
				fmt.Errorf("wrapped: %w", number),
			} {
				if got := classify(phase, err); got != want {
					t.Errorf("classify(%q, %d %v) = %q; want %q", phase, number, err, got, want)
				}
			}
		}
		lookup := &dial.LookupError{Host: "site.test", Err: errors.Join(&net.DNSError{IsNotFound: true}, number)}
		if got := classify(PhaseDNS, lookup); errno.Scarce(number) && got != ReasonLocal {
			t.Errorf("classify(%q, not found and %v) = %q; want %q", PhaseDNS, number, got, ReasonLocal)
		}
		if cause, text := localFault(number); text == "" || cause != "" && causes[cause].mend == "" {
			t.Errorf("localFault(%d) = %q, %q; want words, and what to do", number, cause, text)
		}
	}
}

// What this machine was short of is no verdict on a site, in any phase.
func TestScarceIsLocal(t *testing.T) {
	for _, number := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL, 10024, 10049, 10055,
	} {
		err := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", number)}
		for _, phase := range append(wirePhases, PhaseDNS, PhaseWait) {
			if r := (&Result{Err: &Error{Phase: phase, Reason: classify(phase, err), Err: err}}); !scarce(r) {
				t.Errorf("in %q, %v is %q; want %q that is put back", phase, err, r.Reason(), ReasonLocal)
			}
		}
	}
}

// kinds has an error of every kind, and what it means in each phase.
var kinds = []struct {
	name   string
	err    error
	reason map[Phase]Reason
}{
	{"nothing", nil, every("")},
	{"a canceled context", context.Canceled, judged(every(ReasonCanceled))},
	{"the check's timeout", errTimeout, timeouts},
	{"a context's deadline", context.DeadlineExceeded, timeouts},
	{"a connection's deadline", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, timeouts},
	{"a panic", &hook.PanicError{Value: 1}, every(ReasonInternal)},
	{"a refused address", &dial.BlockedError{Err: errors.New("no")}, every(ReasonBlocked)},
	{"a refused address among others", errors.Join(io.EOF, &dial.BlockedError{Err: errors.New("no")}), every(ReasonBlocked)},
	{"a name that is not there", &net.DNSError{IsNotFound: true}, lookups(ReasonNotFound)},
	{"a server's failure", &net.DNSError{IsTemporary: true}, lookups(ReasonDNS)},
	{"a resolver's silence", &net.DNSError{IsTimeout: true}, map[Phase]Reason{
		PhaseTarget: ReasonDNS, PhaseWait: ReasonLocal, PhaseDNS: ReasonDNS, PhaseConnect: ReasonDNS,
		PhaseTLS: ReasonDNS, PhaseRequest: ReasonDNS, PhaseResponse: ReasonDNS, PhaseJudge: ReasonRejected,
	}},
	{"a resolver's own error", errors.New("it broke"), unknowns},
	{"an expired certificate", x509.CertificateInvalidError{Reason: x509.Expired}, tlsKind(ReasonCertificate)},
	{"a certificate of another host", x509.HostnameError{Certificate: new(x509.Certificate), Host: "a"}, tlsKind(ReasonCertificate)},
	{"an unknown authority", x509.UnknownAuthorityError{}, tlsKind(ReasonCertificate)},
	{"a weak algorithm", x509.InsecureAlgorithmError(x509.MD5WithRSA), tlsKind(ReasonCertificate)},
	{"a constraint", x509.ConstraintViolationError{}, tlsKind(ReasonCertificate)},
	{"a critical extension", x509.UnhandledCriticalExtension{}, tlsKind(ReasonCertificate)},
	{"a verification", &tls.CertificateVerificationError{Err: errors.New("x")}, tlsKind(ReasonCertificate)},
	{"no roots", x509.SystemRootsError{}, tlsKind(ReasonLocal)},
	{"an alert", tls.AlertError(40), tlsKind(ReasonTLS)},
	{"a peer's alert", &net.OpError{Op: "remote error", Err: tls.AlertError(116)}, tlsKind(ReasonTLS)},
	{"an alert of ours", &net.OpError{Op: "local error", Err: errors.New("bad record")}, tlsKind(ReasonTLS)},
	{"no TLS record", tls.RecordHeaderError{Msg: "first record"}, tlsKind(ReasonTLS)},
	{"a refused ECH", &tls.ECHRejectionError{}, tlsKind(ReasonTLS)},
	{"the end", io.EOF, tlsKind(ReasonReset)},
	{"an early end", io.ErrUnexpectedEOF, tlsKind(ReasonReset)},
	{"a closed connection", net.ErrClosed, tlsKind(ReasonReset)},
	{"a closed pipe", io.ErrClosedPipe, tlsKind(ReasonReset)},
	{"a textproto error", textproto.ProtocolError("x"), tlsKind(ReasonMalformed)},
	{"HTTP in place of HTTPS", http.ErrSchemeMismatch, tlsKind(ReasonMalformed)},
	{"an error of unknown kind", errors.New("connection refused"), unknowns},
}

// unknowns: what is not known is put down to the phase.
var unknowns = map[Phase]Reason{
	PhaseTarget: ReasonInvalid, PhaseWait: ReasonLocal, PhaseDNS: ReasonDNS, PhaseConnect: ReasonLocal,
	PhaseTLS: ReasonTLS, PhaseRequest: ReasonLocal, PhaseResponse: ReasonMalformed, PhaseJudge: ReasonRejected,
}

var timeouts = map[Phase]Reason{
	PhaseTarget: ReasonTimeout, PhaseWait: ReasonLocal, PhaseDNS: ReasonDNS, PhaseConnect: ReasonTimeout,
	PhaseTLS: ReasonTimeout, PhaseRequest: ReasonTimeout, PhaseResponse: ReasonTimeout, PhaseJudge: ReasonRejected,
}

func every(r Reason) map[Phase]Reason {
	m := make(map[Phase]Reason)
	for _, p := range phases {
		m[p] = r
	}
	return m
}

// judged is for errors that a judge may wrap, which are its own then.
func judged(m map[Phase]Reason) map[Phase]Reason {
	m[PhaseJudge] = ReasonRejected
	return m
}

// lookups is for errors that are a resolver's wherever they come from.
func lookups(r Reason) map[Phase]Reason {
	m := judged(every(r))
	m[PhaseWait] = ReasonLocal
	return m
}

// tlsKind is for errors that mean the same wherever a site may cause them.
func tlsKind(r Reason) map[Phase]Reason {
	m := judged(every(r))
	m[PhaseWait], m[PhaseDNS] = ReasonLocal, ReasonDNS
	return m
}

func TestClassifyKinds(t *testing.T) {
	for _, k := range kinds {
		for _, phase := range phases {
			for _, err := range []error{k.err, wrap(k.err)} {
				if got := classify(phase, err); got != k.reason[phase] {
					t.Errorf("classify(%q, %s) = %q; want %q", phase, k.name, got, k.reason[phase])
				}
			}
		}
	}
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("a caller's words: %w", err)
}

// Of several addresses, the one that says most about the site explains; a want
// of this machine comes before all, a missing route after all.
func TestClassifyAttempts(t *testing.T) {
	op := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", errno)}
	}
	blocked := &dial.BlockedError{Err: errors.New("no")}
	moot := &dial.LookupError{Err: &resolve.Error{Kind: resolve.ServFail}, Moot: true}
	for _, test := range []struct {
		want Reason
		errs []error
	}{
		{ReasonRefused, []error{op(syscall.ECONNREFUSED), op(syscall.ENETUNREACH)}},
		{ReasonTimeout, []error{op(syscall.ECONNREFUSED), context.DeadlineExceeded}},
		{ReasonRefused, []error{op(syscall.EHOSTUNREACH), op(syscall.ECONNREFUSED)}},
		{ReasonLocal, []error{op(syscall.ENETUNREACH), op(syscall.ENETUNREACH)}},
		{ReasonLocal, []error{context.DeadlineExceeded, op(syscall.EMFILE)}},
		{ReasonLocal, []error{op(syscall.EPERM), op(syscall.ECONNREFUSED)}},
		{ReasonRefused, []error{blocked, op(syscall.ECONNREFUSED)}},
		{ReasonBlocked, []error{blocked, blocked}},
		{ReasonBlocked, []error{blocked, op(syscall.ENETUNREACH)}},
		{ReasonInternal, []error{op(syscall.EMFILE), &hook.PanicError{Value: 1}}},
		{ReasonBlocked, []error{moot, blocked}},
		{ReasonLocal, []error{moot, op(syscall.ENETUNREACH)}},
	} {
		for range 2 { // in either order
			slices.Reverse(test.errs)
			if got := classify(PhaseConnect, &dial.AddrsError{Errs: test.errs}); got != test.want {
				t.Errorf("classify(%v) = %q; want %q", test.errs, got, test.want)
			}
		}
	}
}

// Where a lookup ended a check, connects to what it had found may have failed before, and
// count as connects.
func TestClassifyBesideLookup(t *testing.T) {
	lookup := &dial.LookupError{Err: &resolve.Error{Kind: resolve.Silent}}
	for number, want := range map[syscall.Errno]Reason{syscall.ECONNREFUSED: ReasonDNS, syscall.ENETUNREACH: ReasonDNS, syscall.EPERM: ReasonLocal} {
		errs := []error{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", number)}, lookup}
		if got := classify(PhaseDNS, &dial.AddrsError{Errs: errs}); got != want {
			t.Errorf("classify(%q, %v) = %q; want %q", PhaseDNS, errs, got, want)
		}
	}
}

// declared returns the constants of a type that a file has.
func declared[T ~string](t *testing.T, file, name string) (all []T) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == name {
				text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, T(text))
			}
		}
		return true
	})
	return all
}

// There is no Cause without a row, and no row without a Cause. Each has a Reason and
// words, is its own error and that of its Reason, and no other.
func TestCauseRows(t *testing.T) {
	all := declared[Cause](t, "cause.go", "Cause")
	if len(all) != len(causes) {
		t.Errorf("cause.go has %d causes and %d rows", len(all), len(causes))
	}
	said := make(map[string]Cause)
	for _, c := range all {
		row, ok := causes[c]
		if !ok || reasons[row.reason].text == "" || c.Error() != string(c) {
			t.Errorf("the row of %q is %+v; want a Reason", c, row)
		}
		made := &Error{Reason: row.reason, Cause: c}
		text := made.Message()
		if other, ok := said[text]; ok {
			t.Errorf("%q has the sentence %q, as has %q", c, text, other)
		}
		said[text] = c
		for _, err := range []error{wrap(made), wrap(c)} {
			r := Result{Err: err, StatusCode: 200}
			if r.Reason() != row.reason || r.Cause() != c || r.Status() != row.reason.Status() {
				t.Errorf("a Result of %v is %q for %q and %q; want %q and %q", err, r.Status(), r.Reason(), r.Cause(), row.reason, c)
			}
			for _, other := range all {
				if got := errors.Is(err, other); got != (other == c) {
					t.Errorf("errors.Is(%q, %q) = %t", c, other, got)
				}
			}
			for _, other := range allReasons {
				if got := errors.Is(err, other); got != (other == row.reason) {
					t.Errorf("errors.Is(%q, %q) = %t", c, other, got)
				}
			}
		}
	}
}

// There is no Reason without a row, and no row without a Reason.
func TestReasonRows(t *testing.T) {
	all := declared[Reason](t, "reason.go", "Reason")
	if !slices.Equal(all, allReasons) {
		t.Errorf("reason.go has the reasons %q; the tests know %q", all, allReasons)
	}
	for _, r := range all {
		if p, ok := reasons[r]; !ok || p.status != Offline && p.status != Unknown || p.text == "" {
			t.Errorf("the row of %q is %+v; want a verdict and a sentence", r, p)
		}
	}
	if len(reasons) != len(all) {
		t.Errorf("there are %d rows for %d reasons", len(reasons), len(all))
	}
}

// Each Reason has a verdict and words of its own, and an Error is its own
// Reason and no other.
func TestReasons(t *testing.T) {
	seen := make(map[string]Reason)
	for i, r := range allReasons {
		want := Unknown
		if i < 10 {
			want = Offline
		}
		if r.Status() != want || r.Error() != string(r) {
			t.Errorf("%q has status %q and text %q; want %q and itself", r, r.Status(), r.Error(), want)
		}
		text := reasons[r].text
		if other, ok := seen[text]; ok || text == "" {
			t.Errorf("%q has the sentence %q, as has %q", r, text, other)
		}
		seen[text] = r
		err := wrap(&Error{Phase: PhaseConnect, Reason: r})
		for _, other := range allReasons {
			if got := errors.Is(err, other); got != (other == r) {
				t.Errorf("errors.Is(%q, %q) = %t", r, other, got)
			}
		}
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || timeout.Timeout() != (r == ReasonTimeout) {
			t.Errorf("an Error of %q has Timeout() = %t", r, timeout.Timeout())
		}
	}
	for _, r := range []Reason{"", "no_such_reason"} {
		if r.Status() != Unknown {
			t.Errorf("Reason(%q).Status() = %q; want %q", r, r.Status(), Unknown)
		}
	}
}

// FuzzClassify builds an error from bytes and checks that it is classified, and
// never as Offline where it says that this machine was short of something.
func FuzzClassify(f *testing.F) {
	f.Add(byte(3), []byte{1, 24, 2, 3})
	f.Add(byte(4), []byte{0, 111, 3, 24, 1})
	f.Fuzz(func(t *testing.T, p byte, recipe []byte) {
		phase := phases[int(p)%len(phases)]
		err, scarce := buildError(recipe)
		got := classify(phase, err)
		if err == nil {
			if got != "" {
				t.Errorf("classify(%q, nil) = %q", phase, got)
			}
			return
		}
		if !slices.Contains(allReasons, got) {
			t.Errorf("classify(%q, %v) = %q; want a Reason", phase, err, got)
		}
		if scarce && got.Status() == Offline && phase != PhaseJudge {
			t.Errorf("classify(%q, %v) = %q though this machine was short of something", phase, err, got)
		}
		e := &Error{Phase: phase, Reason: got, Err: err}
		if text := e.Error(); len(text) > 512 || !printable(text) || strings.Contains(text, "\n") {
			t.Errorf("Error() = %q", text)
		}
	})
}

// buildError reads pairs of bytes: the kind of an error, and a number. Scarce is
// whether the last errno, which is the one that is found first, is of that kind.
func buildError(recipe []byte) (err error, scarce bool) {
	for pair := range slices.Chunk(recipe, 2) {
		if len(pair) < 2 {
			break
		}
		n := int(pair[1])
		switch pair[0] % 4 {
		case 0:
			number := syscall.Errno(n)
			err, scarce = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", number)}, errno.Scarce(number)
		case 1:
			err, scarce = kinds[n%len(kinds)].err, false
		case 2:
			err = wrap(err)
		case 3:
			if err != nil {
				err = &dial.LookupError{Host: string(pair), Err: err}
			}
		}
	}
	return err, scarce
}

// What a check was excused by is told, whatever the addresses said before.
func TestHintOutweighsAddresses(t *testing.T) {
	two := &Error{Err: &dial.AddrsError{Errs: []error{errTimeout, syscall.ECONNREFUSED}}}
	for _, reason := range []Reason{ReasonDNS, ReasonLocal} {
		if got := newError(PhaseWait, reason, "", errors.Join(hint{CauseSilent, "see there"}, two)).Message(); !strings.HasSuffix(got, ": see there") {
			t.Errorf("Message() of %q = %q; want the hint", reason, got)
		}
	}
}

// A lookup that was canceled while nobody canceled the check is a failure of the
// resolver.
func TestResolverCanceledByItself(t *testing.T) {
	err := &dial.LookupError{Host: "site.test", Err: &resolve.Error{Kind: resolve.Foreign, Err: context.Canceled}}
	if got := classify(PhaseDNS, err); got != ReasonDNS {
		t.Errorf("classify(%q, %v) = %q; want %q", PhaseDNS, err, got, ReasonDNS)
	}
}

// Of addresses that were never found nothing is known, which is told beside what is known of
// others.
func TestMootIsTold(t *testing.T) {
	moot := &dial.LookupError{Err: &resolve.Error{Kind: resolve.ServFail, Name: "site.test", Family: resolve.IP6, Asked: []string{"site.test"}}, Moot: true}
	foreign := &dial.LookupError{Err: &resolve.Error{Kind: resolve.Foreign, Err: errors.New("secret")}, Moot: true}
	unknown := "of further addresses nothing is known, since " + moot.Err.Error()
	for _, test := range []struct {
		reason Reason
		errs   []error
		want   string
	}{
		{ReasonRefused, []error{syscall.ECONNREFUSED, moot}, reasons[ReasonRefused].text + ": " + unknown},
		{ReasonUnreachable, []error{&dial.ICMPError{Text: "no route"}, moot}, reasons[ReasonUnreachable].text + ": no route; " + unknown},
		{ReasonRefused, []error{syscall.ECONNREFUSED, foreign}, reasons[ReasonRefused].text},
		{ReasonRefused, []error{syscall.ECONNREFUSED, &dial.LookupError{Err: moot.Err}}, reasons[ReasonRefused].text},
	} {
		if got := newError(PhaseConnect, test.reason, "", &dial.AddrsError{Errs: test.errs}).Message(); got != test.want {
			t.Errorf("Message() of %v = %q; want %q", test.errs, got, test.want)
		}
	}
}

// An error that panics when it is asked for its text leaves a Cause to what a judge said, and
// nothing else that is known.
func TestCauseOfPanic(t *testing.T) {
	for reason, want := range map[Reason]Cause{ReasonRejected: CauseJudge, ReasonInvalid: ""} {
		if e := newError(PhaseJudge, reason, "", (*net.DNSError)(nil)); e.Cause != want || e.Message() != newError(PhaseJudge, reason, "", nil).Message() {
			t.Errorf("an error of reason %q that panics has cause %q and says %q; want %q, and no more than the reason does", reason, e.Cause, e.Message(), want)
		}
	}
}

// What is no record of TLS comes from what speaks something else.
func TestRecordFault(t *testing.T) {
	for header, want := range map[string]Cause{
		"\x14\x03\x01\x00\x00": "", "\x18\x03\x03\x00\x00": "", "\x13\x03\x01\x00\x00": CauseNotTLS, "\x19\x03\x01\x00\x00": CauseNotTLS,
		"\x16\x02\x00\x00\x00": CauseNotTLS, "HTTP/": CauseNotTLS, "SSH-2": CauseNotTLS,
	} {
		err := tls.RecordHeaderError{Msg: "tls: oversized record", RecordHeader: [5]byte([]byte(header))}
		if e := newError(PhaseTLS, ReasonTLS, "", err); e.Cause != want {
			t.Errorf("the cause of %q = %q; want %q", header, e.Cause, want)
		}
	}
}

// The site is said to have refused only where the alert was its own.
func TestWhoRefused(t *testing.T) {
	for op, want := range map[string]string{"remote error": ": the site refused: odd", "local error": ": odd"} {
		err := &net.OpError{Op: op, Err: errors.New("tls: odd")}
		if got := newError(PhaseTLS, ReasonTLS, "", err).Message(); got != reasons[ReasonTLS].text+want {
			t.Errorf("Message() of %v = %q; want %q", err, got, reasons[ReasonTLS].text+want)
		}
	}
}

// An authority may be held to names of every kind.
func TestConstrained(t *testing.T) {
	if constrained(new(x509.Certificate)) {
		t.Error("an authority without constraints is constrained")
	}
	network, names := []*net.IPNet{new(net.IPNet)}, []string{"site.test"}
	for i, cert := range []x509.Certificate{
		{PermittedDNSDomains: names}, {ExcludedDNSDomains: names}, {PermittedIPRanges: network}, {ExcludedIPRanges: network},
		{PermittedURIDomains: names}, {ExcludedURIDomains: names}, {PermittedEmailAddresses: names}, {ExcludedEmailAddresses: names},
	} {
		if !constrained(&cert) {
			t.Errorf("authority %d is not constrained; want it by %+v", i, cert)
		}
	}
}

// A transport that does not tell how far it came is taken at the words of its error.
func TestPhaseOfTransport(t *testing.T) {
	call := func(op string, number syscall.Errno) error {
		return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, number)}
	}
	for _, tt := range []struct {
		err  error
		want Phase
	}{
		{&net.OpError{Op: "proxyconnect", Err: call("dial", syscall.ECONNREFUSED)}, PhaseConnect},
		{&net.DNSError{Err: "no such host", Name: "a.test", IsNotFound: true}, PhaseDNS},
		{x509.UnknownAuthorityError{}, PhaseTLS},
		{&net.OpError{Op: "remote error", Err: io.EOF}, PhaseTLS},
		{&net.OpError{Op: "local error", Err: io.EOF}, PhaseTLS},
		{call("dial", syscall.ECONNREFUSED), PhaseConnect},
		{call("read", syscall.ECONNRESET), PhaseResponse},
		{syscall.EMFILE, PhaseRequest},
		{io.ErrUnexpectedEOF, PhaseResponse},
	} {
		if got := guessPhase(tt.err); got != tt.want {
			t.Errorf("guessPhase(%v) = %q; want %q", tt.err, got, tt.want)
		}
	}
}
