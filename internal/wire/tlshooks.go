package wire

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"io"
	"slices"

	"example.com/checker/internal/hook"
)

// watch makes conf, which is a connection's own, tell b of what a caller's part in it
// does wrong: that is no word of the site's.
func (b *below) watch(ctx context.Context, conf *tls.Config) {
	if conf.KeyLogWriter != nil {
		conf.KeyLogWriter = &keyLogger{context.WithoutCancel(ctx), b, conf.KeyLogWriter}
	}
	if conf.Rand != nil {
		conf.Rand = &random{b, conf.Rand}
	}
	conf.Certificates = slices.Clone(conf.Certificates)
	for i := range conf.Certificates {
		conf.Certificates[i] = *b.certificate(&conf.Certificates[i])
	}
	if get := conf.GetClientCertificate; get != nil {
		conf.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := get(info)
			switch {
			case err != nil:
				return nil, b.own(err)
			case cert == nil:
				return nil, b.own(errNoCertificate)
			}
			return b.certificate(cert), nil
		}
	}
}

var (
	errNoCertificate = errors.New("GetClientCertificate returned neither a certificate nor an error")
	errNoSignature   = errors.New("the key returned neither a signature nor an error")
)

// A keyLogger is a caller's KeyLogWriter. crypto/tls writes to it under a lock that all
// connections of the process share, and that stays locked if the writer panics or ends
// its goroutine. So each write has a goroutine to itself.
type keyLogger struct {
	ctx context.Context // which never ends: nobody else may write meanwhile
	b   *below
	w   io.Writer
}

// Write implements [io.Writer].
func (k *keyLogger) Write(line []byte) (int, error) {
	n, err := hook.Within(k.ctx, "the KeyLogWriter", func() (int, error) { return k.w.Write(line) }, func(int) {})
	return n, k.b.own(err)
}

// random is a caller's source of random bytes.
type random struct {
	b *below
	r io.Reader
}

// Read implements [io.Reader].
func (r *random) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if n == 0 && err == nil && len(p) > 0 {
		err = io.ErrNoProgress // crypto/tls would ask for ever
	}
	return n, r.b.own(err)
}

// certificate returns cert with a key that tells of its errors.
func (b *below) certificate(cert *tls.Certificate) *tls.Certificate {
	key, ok := cert.PrivateKey.(crypto.Signer)
	if !ok {
		return cert
	}
	watched := *cert
	watched.PrivateKey = &signer{key, b}
	return &watched
}

// A signer is the private key of a caller's certificate.
type signer struct {
	crypto.Signer
	b *below
}

// Sign implements [crypto.Signer].
func (s *signer) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.signed(s.Signer.Sign(rand, digest, opts))
}

// SignMessage implements [crypto.MessageSigner], as the key does or does not.
func (s *signer) SignMessage(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.signed(crypto.SignMessage(s.Signer, rand, message, opts))
}

func (s *signer) signed(signature []byte, err error) ([]byte, error) {
	if len(signature) == 0 && err == nil {
		err = errNoSignature
	}
	return signature, s.b.own(err)
}
