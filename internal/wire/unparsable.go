package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// An UnparsableError says which certificate of a server cannot be parsed.
type UnparsableError struct {
	Leaf *x509.Certificate // what can be read of it, if it is the server's own; nil if it is another
	Err  error
}

func (e *UnparsableError) Error() string { return e.Err.Error() }

// Unwrap returns why.
func (e *UnparsableError) Unwrap() error { return e.Err }

// unseen reports whether a handshake failed in the TLS layer before crypto/tls had
// read the server's certificates. That it could not is an error without a type.
func unseen(err error, tr *Trace) bool {
	_, own := errors.AsType[*TLSError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return own && !plain && tr.Stage == TLS && tr.State == nil
}

// A shaker is HTTP/1.1 over a connection whose handshake is made in a way of its own.
type shaker struct {
	http1
	shake func(*conn, context.Context, *tls.Config, *Trace) error
}

// withoutStrays makes an exchange whose handshake failed with err once more, by a
// pruner or, where the server refuses what a pruner can do, by an observer. If they
// find nothing of their kind, err stands.
func (t *Transport) withoutStrays(ctx context.Context, req Request, tr *Trace, err error) (*http.Response, error) {
	ways := []func(*conn, context.Context, *tls.Config, *Trace) error{(*conn).handshakePruned, (*conn).handshakeObserved}
	if t.Config.MinVersion > tls.VersionTLS12 || t.Config.MaxVersion != 0 && t.Config.MaxVersion < tls.VersionTLS12 {
		ways = ways[1:]
	}
	for _, shake := range ways {
		before := *tr
		if tr.Watcher != nil {
			if err := tr.Watcher.Again(ctx); err != nil {
				return nil, err
			}
		}
		resp, err2 := t.speak(ctx, shaker{http1{t.Keep}, shake}, req, tr)
		_, known := errors.AsType[*UnparsableError](err2)
		_, refused := errors.AsType[*tls.CertificateVerificationError](err2)
		if err2 == nil || known || refused || ctx.Err() != nil || tr.Stage > TLS {
			return resp, err2
		}
		*tr = before
		// Only a server that refused what a pruner can do may show an observer more.
		if _, refused := Alert(err2); !refused {
			break
		}
	}
	return nil, err
}

// handshakePruned is handshake by a pruner.
func (c *conn) handshakePruned(ctx context.Context, conf *tls.Config, tr *Trace) error {
	p := &pruner{Conn: &c.raw}
	err := c.handshake(ctx, p, p.prune(conf), tr)
	if bad, ok := errors.AsType[*UnparsableError](err); ok {
		return c.unparsable(bad, tr)
	}
	if err == nil || len(p.strays) == 0 {
		return err
	}
	if _, refused := errors.AsType[*tls.CertificateVerificationError](err); !refused {
		return &UnparsableError{Err: p.strays[0].err}
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok && e.Cert != nil {
		for _, s := range p.strays { // one was the issuer's
			if bytes.Equal(s.cert.RawSubject, e.Cert.RawIssuer) {
				return &UnparsableError{Err: s.err}
			}
		}
	}
	return err
}

// handshakeObserved is handshake by an observer.
func (c *conn) handshakeObserved(ctx context.Context, conf *tls.Config, tr *Trace) error {
	o := &observer{Conn: &c.raw}
	err := c.handshake(ctx, o, o.observe(conf), tr)
	if err == nil {
		return nil
	}
	if bad, ok := errors.AsType[*UnparsableError](o.unparsable()); ok {
		return c.unparsable(bad, tr)
	}
	return err
}

// unparsable keeps what can be told of a leaf that cannot be parsed.
func (c *conn) unparsable(bad *UnparsableError, tr *Trace) error {
	if tc, ok := c.Conn.(*tls.Conn); ok && bad.Leaf != nil {
		state := tc.ConnectionState()
		state.PeerCertificates = []*x509.Certificate{bad.Leaf}
		tr.State = &state
	}
	return bad
}

// lenient reads what it can of a certificate that crypto/x509 cannot parse.
func lenient(der []byte) *x509.Certificate {
	var outer struct {
		TBS struct {
			Version    int `asn1:"optional,explicit,default:0,tag:0"`
			Serial     asn1.RawValue
			Algorithm  asn1.RawValue
			Issuer     asn1.RawValue
			Validity   asn1.RawValue
			Subject    asn1.RawValue
			Key        asn1.RawValue
			IssuerID   asn1.BitString   `asn1:"optional,tag:1"`
			SubjectID  asn1.BitString   `asn1:"optional,tag:2"`
			Extensions []pkix.Extension `asn1:"omitempty,optional,explicit,tag:3"`
		}
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	cert := &x509.Certificate{Raw: der}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return cert
	}
	tbs := &outer.TBS
	var validity struct{ NotBefore, NotAfter time.Time }
	if _, err := asn1.Unmarshal(tbs.Validity.FullBytes, &validity); err == nil {
		cert.NotBefore, cert.NotAfter = validity.NotBefore, validity.NotAfter
	}
	cert.RawSubject = tbs.Subject.FullBytes
	cert.Subject, cert.Issuer = readName(tbs.Subject), readName(tbs.Issuer)
	for _, e := range tbs.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			cert.DNSNames = readHosts(e.Value)
		}
	}
	return cert
}

func readName(raw asn1.RawValue) (name pkix.Name) {
	var seq pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw.FullBytes, &seq); err == nil {
		name.FillFromRDNSequence(&seq)
	}
	return name
}

// readHosts returns the DNS names among the subject's alternative names (RFC 5280,
// section 4.2.1.6).
func readHosts(der []byte) (hosts []string) {
	var names []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &names); err != nil {
		return nil
	}
	for _, n := range names {
		if n.Class == asn1.ClassContextSpecific && n.Tag == 2 {
			hosts = append(hosts, string(n.Bytes))
		}
	}
	return hosts
}

// A keyLog takes a secret of a connection from crypto/tls.
type keyLog struct {
	label  string
	secret *[]byte
	other  io.Writer // the caller's
}

func (l keyLog) Write(line []byte) (int, error) {
	if f := strings.Fields(string(line)); len(f) == 3 && f[0] == l.label {
		*l.secret, _ = hex.DecodeString(f[2])
	}
	if l.other == nil {
		return len(line), nil
	}
	return l.other.Write(line)
}
