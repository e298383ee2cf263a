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

// certificateFault says which certificate was refused, and for what.
func certificateFault(err error) (Cause, string) {
	now := time.Now()
	if c, ok := errors.AsType[*wire.ClockError](err); ok {
		now = c.At
	}
	var chain []*x509.Certificate
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		chain, err = bad.UnverifiedCertificates, bad.Err
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return CauseWrongHost, wrongHost(e.Certificate, e.Host)
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Cert != nil {
		if e.Reason == x509.Expired {
			cause, text := outdated(e.Cert, now)
			return cause, which(e.Cert, chain) + " " + text
		}
		return "", invalid(e, chain)
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return unknownAuthority(e, chain)
	}
	if e, ok := errors.AsType[*wire.UnparsableError](err); ok {
		if e.Leaf == nil {
			return CauseUnparsable, "a certificate that the server sent beside its own cannot be parsed: " + bare(e.Err)
		}
		return CauseUnparsable, "it cannot be parsed: " + bare(e.Err)
	}
	if _, ok := errors.AsType[x509.UnhandledCriticalExtension](err); ok {
		return "", unknownExtension(chain)
	}
	if e, ok := errors.AsType[x509.InsecureAlgorithmError](err); ok {
		return CauseWeak, "its signature is too weak: " + x509.SignatureAlgorithm(e).String()
	}
	if bits := wire.WeakKey(chain); bits > 0 {
		return CauseWeak, fmt.Sprintf("its RSA key of %d bits is too weak", bits)
	}
	return "", bare(err)
}

// wrongHost says for whom a certificate is, in place of the host.
func wrongHost(cert *x509.Certificate, host string) string {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	for i, s := range names {
		names[i] = clean(s, maxName)
	}
	text := "it is not for " + clean(host, maxName)
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

// outdated says since when a certificate is invalid, or until when.
func outdated(cert *x509.Certificate, now time.Time) (Cause, string) {
	const layout = time.DateTime + " UTC"
	if now.Before(cert.NotBefore) {
		return CauseNotYetValid, "is not valid before " + cert.NotBefore.UTC().Format(layout)
	}
	return CauseExpired, "expired on " + cert.NotAfter.UTC().Format(layout)
}

// unknownAuthority says why nobody who is trusted vouches for a certificate, the last of
// the chain for which an issuer was looked for. Who sent no root sent all that a server
// has to, unless it is the leaf's own issuer that is missing.
func unknownAuthority(e x509.UnknownAuthorityError, chain []*x509.Certificate) (Cause, string) {
	cert := e.Cert
	if cert == nil {
		return CauseUnknownAuthority, ""
	}
	first := len(chain) == 0 || cert.Equal(chain[0])
	switch {
	case !isSelfSigned(cert):
	case first:
		return CauseSelfSigned, "it is self-signed, by " + name(cert)
	default:
		return CauseUnknownAuthority, "its root, " + name(cert) + ", is not trusted here"
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
			return badSignature(err, c, its)
		}
		return CauseUnknownAuthority, its + ", is not trusted here"
	}
	switch refused, weak := refusedIssuer(e); {
	case weak:
		return CauseWeak, "the signature of " + its + ", is too weak: " + cert.SignatureAlgorithm.String()
	case refused:
		return CauseUnknownAuthority, its + ", is not the one of that name that is trusted here"
	case !first:
		return CauseUnknownAuthority, its + ", is not trusted here, and the server did not send its certificate"
	}
	text := "the server did not send the certificate of " + its
	if len(others) > 0 {
		text += ", but that of " + strings.Join(others[:min(len(others), maxNames)], ", ")
	}
	return CauseIncompleteChain, text + "; no root of that name is trusted here"
}

// badSignature says why an issuer's certificate that the server sent does not do.
func badSignature(err error, issuer *x509.Certificate, its string) (Cause, string) {
	if bits := wire.WeakKey([]*x509.Certificate{issuer}); bits > 0 {
		return CauseWeak, fmt.Sprintf("the RSA key of %s, of %d bits is too weak", its, bits)
	}
	if errors.Is(err, x509.ErrUnsupportedAlgorithm) {
		return "", "the signature of " + its + ", is of a kind that cannot be verified here"
	}
	if e, ok := errors.AsType[x509.InsecureAlgorithmError](err); ok {
		return CauseWeak, "the signature of " + its + ", is too weak: " + x509.SignatureAlgorithm(e).String()
	}
	if _, ok := errors.AsType[x509.ConstraintViolationError](err); ok {
		return CauseUnknownAuthority, "the certificate of " + its + ", is not an authority's"
	}
	return CauseIncompleteChain, "the certificate that the server sent of " + its + ", is not the one that signed"
}

// name is how a certificate's owner is called in a sentence.
func name(cert *x509.Certificate) string {
	return clean(cmp.Or(cert.Subject.CommonName, cert.Subject.String(), "without a name"), maxName)
}
