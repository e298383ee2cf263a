package checker

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"example.com/checker/internal/wire"
)

// What is said of TLS begins with what decides, since an Error's text is cut where
// it gets too long.

const (
	maxNames = 5   // hosts in a certificate that are told
	maxName  = 100 // bytes of a name in one; the common name has up to 64 characters (RFC 5280, appendix A.1)
)

// certificateDetail says which certificate was refused, and for what.
func certificateDetail(err error) string {
	var chain []*x509.Certificate
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		chain, err = bad.UnverifiedCertificates, bad.Err
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return wrongHost(e.Certificate, e.Host)
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Cert != nil {
		return invalid(e, chain)
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok && e.Cert != nil {
		return unknownAuthority(e.Cert, chain)
	}
	if e, ok := errors.AsType[*wire.UnparsableError](err); ok {
		if e.Leaf == nil {
			return "a certificate that the server sent beside its own cannot be parsed: " + bare(e.Err)
		}
		return "it cannot be parsed: " + bare(e.Err)
	}
	if _, ok := errors.AsType[x509.UnhandledCriticalExtension](err); ok {
		return unknownExtension(chain)
	}
	if e, ok := errors.AsType[*wire.UsageError](err); ok {
		return e.Error()
	}
	if bits := wire.WeakKey(chain); bits > 0 {
		return fmt.Sprintf("its RSA key of %d bits is too weak", bits)
	}
	return bare(err)
}

// bare is an error's text without the name of the package that made it.
func bare(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "tls: "), "x509: ")
}

// wrongHost says for whom a certificate is, in place of the host.
func wrongHost(cert *x509.Certificate, host string) string {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	text := "it is not for " + host
	switch more := len(names) - maxNames; {
	case slices.Contains(cert.DNSNames, host) && net.ParseIP(host) != nil:
		return text + ": it has that as a name and not as an address"
	case len(names) == 0 && cert.Subject.CommonName != "":
		return text + " and names a host in its common name only, " + clean(cert.Subject.CommonName, maxName) + ", which does not count"
	case len(names) == 0:
		return text + " and names no host"
	case more > 0:
		return fmt.Sprintf("%s but for %s and %d more", text, strings.Join(names[:maxNames], ", "), more)
	}
	return text + " but for " + strings.Join(names, ", ")
}

// invalid says what is wrong with one certificate of a chain.
func invalid(e x509.CertificateInvalidError, chain []*x509.Certificate) string {
	it := which(e.Cert, chain)
	switch e.Reason {
	case x509.Expired:
		return it + " " + outdated(e.Cert)
	case x509.NotAuthorizedToSign:
		return it + " may not sign others: it is not an authority's"
	case x509.TooManyIntermediates:
		return it + " does not allow so many certificates below it"
	case x509.IncompatibleUsage:
		return blamed(chain, notForServers) + " is not for servers"
	case x509.CANotAuthorizedForThisName:
		return blamed(chain, constrained) + " does not allow one of the names: " + e.Detail
	case x509.NoValidChains:
		return "no chain from it to a trusted root is valid: " + e.Detail
	}
	return bare(e)
}

// which says which certificate of a chain cert is, in terms of the first.
func which(cert *x509.Certificate, chain []*x509.Certificate) string {
	switch {
	case len(chain) == 0 || cert.Equal(chain[0]):
		return "it"
	case string(chain[0].RawIssuer) == string(cert.RawSubject):
		return "the certificate of its issuer, " + name(cert) + ","
	}
	return "the certificate of one of its issuers, " + name(cert) + ","
}

// blamed says which certificate of a chain is the first that something is wrong with;
// a root that was not sent is not among them.
func blamed(chain []*x509.Certificate, wrong func(*x509.Certificate) bool) string {
	if i := slices.IndexFunc(chain, wrong); i >= 0 {
		return which(chain[i], chain)
	}
	return "a certificate above it"
}

func notForServers(cert *x509.Certificate) bool {
	return len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0 &&
		!slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// constrained reports whether there are names that a certificate may not sign for.
func constrained(cert *x509.Certificate) bool {
	return len(cert.PermittedDNSDomains)+len(cert.ExcludedDNSDomains)+len(cert.PermittedIPRanges)+len(cert.ExcludedIPRanges)+
		len(cert.PermittedURIDomains)+len(cert.ExcludedURIDomains)+len(cert.PermittedEmailAddresses)+len(cert.ExcludedEmailAddresses) > 0
}

// unknownExtension says which critical extension is not known, and whose it is.
func unknownExtension(chain []*x509.Certificate) string {
	unknown := func(c *x509.Certificate) bool { return len(c.UnhandledCriticalExtensions) > 0 }
	text := blamed(chain, unknown) + " has a critical extension that is not known here"
	if i := slices.IndexFunc(chain, unknown); i >= 0 {
		text += ", " + clean(chain[i].UnhandledCriticalExtensions[0].String(), maxName)
	}
	return text
}

// outdated says since when a certificate is invalid, or until when. Where this
// machine's clock sees nothing wrong, a caller's did.
func outdated(cert *x509.Certificate) string {
	const layout = time.DateTime + " UTC"
	from, until := cert.NotBefore.UTC().Format(layout), cert.NotAfter.UTC().Format(layout)
	switch now := time.Now(); {
	case now.After(cert.NotAfter):
		return "expired on " + until
	case now.Before(cert.NotBefore):
		return "is not valid before " + from
	}
	return "is valid from " + from + " until " + until + " only"
}

// unknownAuthority says why nobody who is trusted vouches for cert, the last of
// the chain for which an issuer was looked for.
func unknownAuthority(cert *x509.Certificate, chain []*x509.Certificate) string {
	first := len(chain) == 0 || cert.Equal(chain[0])
	if string(cert.RawSubject) == string(cert.RawIssuer) {
		if first {
			return "it is self-signed, by " + name(cert)
		}
		return "its root, " + name(cert) + ", is not trusted here"
	}
	issuer := clean(cmp.Or(cert.Issuer.CommonName, cert.Issuer.String()), maxName)
	its := "its issuer, " + issuer
	if !first {
		its = issuer + ", the issuer of " + name(cert)
	}
	var others []string
	for _, c := range chain[min(1, len(chain)):] {
		if string(c.RawSubject) != string(cert.RawIssuer) {
			if !c.Equal(cert) {
				others = append(others, name(c))
			}
			continue
		}
		if err := cert.CheckSignatureFrom(c); err != nil {
			return badSignature(err, its)
		}
		return its + ", is not trusted here"
	}
	text := "the server did not send the certificate of " + its
	if len(others) > 0 {
		text += ", but that of " + strings.Join(others[:min(len(others), maxNames)], ", ")
	}
	return text + "; no root of that name is trusted here"
}

// badSignature says why an issuer's certificate that the server sent does not do.
func badSignature(err error, its string) string {
	if e, ok := errors.AsType[x509.InsecureAlgorithmError](err); ok {
		return "the signature of " + its + ", is too weak: " + x509.SignatureAlgorithm(e).String()
	}
	if _, ok := errors.AsType[x509.ConstraintViolationError](err); ok {
		return "the certificate of " + its + ", is not an authority's"
	}
	return "the certificate that the server sent of " + its + ", is not the one that signed"
}

// name is how a certificate's owner is called in a sentence.
func name(cert *x509.Certificate) string {
	return clean(cmp.Or(cert.Subject.CommonName, cert.Subject.String(), "without a name"), maxName)
}

// tlsDetail says why there was no handshake.
func tlsDetail(err error) string {
	if number, ok := wire.Alert(err); ok {
		if text, ok := alerts[number]; ok {
			return "the site refused: " + text
		}
	}
	op, ok := errors.AsType[*net.OpError](err)
	switch {
	case ok && op.Op == "remote error":
		return "the site refused: " + bare(op.Err)
	case ok && op.Err != nil: // without the two addresses
		return bare(op.Err)
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		if string(e.RecordHeader[:]) == "HTTP/" {
			return "the port speaks plain HTTP"
		}
		return "what came back is not TLS"
	}
	return bare(err)
}

// alerts has what servers mean by an alert (RFC 8446, section 6.2). Those about a
// certificate are about the client's: a server sees no other.
var alerts = map[uint8]string{
	40:  "it accepts no cipher suite or curve that was offered, or wants a client certificate (handshake_failure)",
	42:  "the client certificate is bad or missing (bad_certificate)",
	43:  "it does not accept client certificates of this kind (unsupported_certificate)",
	44:  "the client certificate is revoked (certificate_revoked)",
	45:  "the client certificate has expired (certificate_expired)",
	46:  "it does not accept the client certificate (certificate_unknown)",
	48:  "it does not know who issued the client certificate (unknown_ca)",
	49:  "it denies this client access (access_denied)",
	70:  "it speaks no version of TLS that was offered (protocol_version)",
	71:  "it wants stronger cipher suites than were offered (insufficient_security)",
	80:  "it has an error of its own (internal_error)",
	100: "it wants another handshake, which the caller's configuration does not allow (no_renegotiation)",
	112: "it serves no site of this name (unrecognized_name)",
	116: "it wants a client certificate (certificate_required)",
	120: "it speaks no protocol that was offered (no_application_protocol)",
}
