package checker

import (
	"crypto/x509"
	"sync"
)

const hintRoots hint = "there are no root certificates; install the system's or set them by WithTLSConfig"

// roots are the system's root certificates, loaded when they are first needed.
//
// crypto/x509 loads them once for the whole process and keeps the error if it
// cannot, so that a moment without a free descriptor would make every
// certificate a stranger for good. Here they are loaded again until that works.
type roots struct {
	mu   sync.Mutex
	pool *x509.CertPool // nil until loaded
}

func (r *roots) load() (*x509.CertPool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pool == nil {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, x509.SystemRootsError{Err: err}
		}
		r.pool = pool
	}
	return r.pool, nil
}

// none reports whether the system has no root certificates, as in a container
// image made from scratch. Every certificate is a stranger there.
func (r *roots) none() bool {
	pool, err := r.load()
	return err == nil && pool.Equal(x509.NewCertPool())
}
