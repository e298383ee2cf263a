package checker

import (
	"crypto/x509"
	"sync"

	"example.com/checker/internal/errno"
)

var hintRoots = hint{CauseNoRoots, "there are no root certificates; install the system's or set them by WithTLSConfig"}

// roots are the system's root certificates, loaded when they are first needed.
//
// crypto/x509 loads them once for the whole process and keeps what it got, which is
// less than there is if descriptors were short at that moment, and would make
// strangers of certificates for good. So they are loaded when there are some to
// spare, and again until that works.
type roots struct {
	mu   sync.Mutex
	pool *x509.CertPool // nil until loaded
}

// spareFiles is how many files there must be room for. Loading opens two at once,
// while other checks go on.
const spareFiles = 8

func (r *roots) load() (*x509.CertPool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pool == nil {
		if err := errno.ScarceFiles(spareFiles); err != nil {
			return nil, x509.SystemRootsError{Err: err}
		}
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
