package checker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/textproto"

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

func has[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// scarce reports whether there is no verdict because this machine is short of
// something that other checks may give back.
func scarce(r *Result) bool { return reasonOf(r.Err) == ReasonLocal && errno.Scarce(r.Err) }

// noRoute reports whether err says that this machine has no way to an address.
func noRoute(err error) bool { return has[*dial.RouteError](err) || errno.NoRoute(err) }
