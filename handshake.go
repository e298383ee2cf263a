package checker

import (
	"crypto/tls"
	"errors"
	"net"

	"example.com/checker/internal/wire"
)

// handshakeFault says why there was no handshake, and by whose will.
func handshakeFault(err error) (Cause, string) {
	if number, ok := wire.Alert(err); ok {
		return alertFault(number, err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return "", "the site refused: " + bare(err)
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return recordFault(e)
	}
	if e, ok := errors.AsType[*wire.TLSError](err); ok {
		if cause := alerts[e.Alert].ofOurs(); cause != "" {
			return cause, causes[cause].detail + ": " + bare(err)
		}
	}
	return "", bare(err)
}

// recordFault says what came in place of a record of TLS (RFC 8446, section 5.1).
func recordFault(e tls.RecordHeaderError) (Cause, string) {
	kind, major := e.RecordHeader[0], e.RecordHeader[1]
	switch {
	case string(e.RecordHeader[:]) == "HTTP/":
		return CauseNotTLS, "the port speaks plain HTTP"
	case kind < 20 || kind > 24 || major != 3:
		return CauseNotTLS, "what came back is not TLS"
	}
	return "", bare(e)
}

// alertFault says what the peer meant by an alert.
func alertFault(number uint8, err error) (Cause, string) {
	a, known := alerts[number]
	if !known {
		return "", "the site refused: " + bare(err)
	}
	e, own := errors.AsType[*wire.AlertError](err)
	switch {
	case own && e.Asked && number == accessDenied:
		a.cause = CauseClientCertificate
	case own && e.Asked && number == handshakeFailure:
		a = alert{CauseClientCertificate, "it wants a client certificate (handshake_failure)"}
	case own && number == handshakeFailure:
		a.text = "it accepts no cipher suite or curve that was offered (handshake_failure)"
	}
	return a.cause, "the site refused: " + a.text
}

// An alert is what servers mean by one of TLS (RFC 8446, section 6.2).
type alert struct {
	cause Cause
	text  string
}

// ofOurs returns the Cause of what this side refused by an alert.
func (a alert) ofOurs() Cause {
	switch a.cause {
	case CauseNoCipher, CauseNoVersion:
		return a.cause
	}
	return "" // the others are for the other side
}

// These mean one thing where a client certificate was asked for, and another where not.
const handshakeFailure, accessDenied = 40, 49

// Alerts about a certificate are about the client's: a server sees no other.
var alerts = map[uint8]alert{
	handshakeFailure: {CauseNoCipher, "it accepts no cipher suite or curve that was offered, or wants a client certificate (handshake_failure)"},

	42:           {CauseClientCertificate, "the client certificate is bad or missing (bad_certificate)"},
	43:           {CauseClientCertificate, "it does not accept client certificates of this kind (unsupported_certificate)"},
	44:           {CauseClientCertificate, "the client certificate is revoked (certificate_revoked)"},
	45:           {CauseClientCertificate, "the client certificate has expired (certificate_expired)"},
	46:           {CauseClientCertificate, "it does not accept the client certificate (certificate_unknown)"},
	48:           {CauseClientCertificate, "it does not know who issued the client certificate (unknown_ca)"},
	accessDenied: {"", "it denies this client access (access_denied)"},
	70:           {CauseNoVersion, "it speaks no version of TLS that was offered (protocol_version)"},
	71:           {CauseNoCipher, "it wants stronger cipher suites than were offered (insufficient_security)"},
	80:           {"", "it has an error of its own (internal_error)"},
	100:          {"", "it wants another handshake, which the caller's configuration does not allow (no_renegotiation)"},
	112:          {CauseUnknownName, "it serves no site of this name (unrecognized_name)"},
	116:          {CauseClientCertificate, "it wants a client certificate (certificate_required)"},
	120:          {CauseNoProtocol, "it speaks no protocol that was offered (no_application_protocol)"},
}
