package checker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"reflect"
	"strings"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/errno"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/wire"
)

// isMoot reports whether err is of a lookup that failed for one family, which is no
// reason to expect addresses in it.
func isMoot(err error) bool {
	l, ok := errors.AsType[*dial.LookupError](err)
	return ok && l.Moot
}

// isProxy reports whether err is net/http's, of a proxy that cannot be reached.
// The proxy is the caller's, whatever is wrong with it.
func isProxy(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "proxyconnect"
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// isTemporary reports whether err is a judge's that says of itself that it may pass.
// The method, like Timeout, is one of net.Error, and its text is the judge's.
func isTemporary(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && temporary(t)
}

// temporary asks a caller's error, which may panic.
func temporary(err interface{ Temporary() bool }) (yes bool) {
	var panicked error
	defer hook.Recovered(&panicked)
	return err.Temporary()
}

func isCertificate(err error) bool {
	return has[*tls.CertificateVerificationError](err) || has[*wire.UnparsableError](err) ||
		has[x509.UnknownAuthorityError](err) || has[x509.CertificateInvalidError](err) ||
		has[x509.HostnameError](err) || has[x509.InsecureAlgorithmError](err) ||
		has[x509.ConstraintViolationError](err) || has[x509.UnhandledCriticalExtension](err)
}

// isSelfSigned reports whether a certificate vouches for itself. That its signature is
// of a kind which is not verified any more does not matter.
func isSelfSigned(cert *x509.Certificate) bool {
	if string(cert.RawSubject) != string(cert.RawIssuer) {
		return false
	}
	err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature)
	return err == nil || has[x509.InsecureAlgorithmError](err) || errors.Is(err, x509.ErrUnsupportedAlgorithm)
}

// refusedIssuer reports whether somebody of the right name, who is trusted or whose
// certificate was sent, did not do as an issuer, and whether that is since the signature
// is of a kind that can be forged. crypto/x509 keeps that to itself, but for its type.
func refusedIssuer(e x509.UnknownAuthorityError) (refused, weak bool) {
	hint := reflect.ValueOf(e).FieldByName("hintErr")
	if !hint.IsValid() || hint.Kind() != reflect.Interface || hint.IsNil() {
		return false, false
	}
	return true, hint.Elem().Type() == reflect.TypeFor[x509.InsecureAlgorithmError]()
}

// isUntrusted reports whether err is of a certificate that nobody known vouches
// for.
func isUntrusted(err error) bool { return has[x509.UnknownAuthorityError](err) }

// isTLS reports whether err is of the TLS layer: a record that is none, or an
// alert, which crypto/tls reports as an operation of that name. With TLS 1.3
// the alert for a missing client certificate comes with the first read.
func isTLS(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "remote error" || op.Op == "local error") ||
		has[*wire.TLSError](err) || has[tls.RecordHeaderError](err) || has[tls.AlertError](err) || has[*tls.ECHRejectionError](err)
}

// isNoTLS reports whether err says that the server speaks something else.
func isNoTLS(err error) bool { return has[tls.RecordHeaderError](err) }

func isMalformed(err error) bool {
	return has[*wire.HeadError](err) || has[textproto.ProtocolError](err) || errors.Is(err, http.ErrSchemeMismatch)
}

// plain is an error's text, without the two addresses that package net writes into it.
func plain(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		err = op.Err
	}
	return err.Error()
}

// bare is an error's text without the name of the package that made it.
func bare(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(plain(err), "tls: "), "x509: ")
}

// A statusError says which status a judge of StatusIn refused.
type statusError struct{ code, min, max int }

func (e *statusError) Error() string {
	if e.min == e.max {
		return fmt.Sprintf("status %d, wanted %d", e.code, e.min)
	}
	return fmt.Sprintf("status %d, wanted %d–%d", e.code, e.min, e.max)
}

// Temporary reports whether the status is one that a server gives when it is busy or
// about to be well again.
func (e *statusError) Temporary() bool {
	switch e.code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func has[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// scarce reports whether there is no verdict because this machine is short of
// something that other checks may give back.
func scarce(r *Result) bool { return reasonOf(r.Err) == ReasonLocal && errno.Scarce(r.Err) }

// noRoute reports whether err says that this machine has no way to an address.
func noRoute(err error) bool { return has[*dial.RouteError](err) || errno.NoRoute(err) }
