package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"example.com/checker/internal/hook"
)

// below is the connection below TLS. Its deadline is that of its context: the one
// that crypto/tls sets for its last words, five seconds from then, may be later.
//
// It remembers whether it failed. Otherwise what crypto/tls reports is about TLS,
// and much of that has no type: the alert that it sends along says more. It also
// remembers what a caller's code did to the TLS layer, of which that would keep no more
// than the text.
//
// Over HTTP/2 net/http calls it, on goroutines where nobody else would recover from the
// panic of a caller's connection. If that ended one of them, net/http would wait for it
// for ever, so such a connection is called on goroutines of its own then.
type below struct {
	net.Conn
	failed atomic.Bool
	asked  bool                  // the server asked for a client certificate
	alert  uint8                 // the last one that was sent before there was encryption
	hooked atomic.Pointer[error] // the first that is not the site's
	apart  context.Context       // which never ends; nil unless methods are called apart
}

var errExited = hook.Exited("a method of the connection")

// clientCertificate returns what conf would give a server that asks for a client certificate,
// and notes that it did: what the server says then may be about that.
func (b *below) clientCertificate(conf *tls.Config) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	own, all := conf.GetClientCertificate, conf.Certificates
	return func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		b.asked = true
		if own != nil {
			return own(info)
		}
		for i := range all { // as crypto/tls does without such a function
			if info.SupportsCertificate(&all[i]) == nil {
				return &all[i], nil
			}
		}
		return new(tls.Certificate), nil
	}
}

func (*below) SetWriteDeadline(time.Time) error { return nil }

// Read implements [net.Conn].
func (b *below) Read(p []byte) (int, error) {
	n, err := b.read(p)
	return n, b.note(err)
}

func (b *below) read(p []byte) (n int, err error) {
	if b.apart != nil {
		return b.alone(func() (int, error) { return b.Conn.Read(p) })
	}
	defer hook.Recovered(&err)
	return b.Conn.Read(p)
}

// Write implements [net.Conn].
func (b *below) Write(p []byte) (int, error) {
	if len(p) == 7 && p[0] == recordAlert {
		b.alert = p[6]
	}
	n, err := b.write(p)
	return n, b.note(err)
}

func (b *below) write(p []byte) (n int, err error) {
	if b.apart != nil {
		return b.alone(func() (int, error) { return b.Conn.Write(p) })
	}
	defer hook.Recovered(&err)
	return b.Conn.Write(p)
}

// Close implements [net.Conn].
func (b *below) Close() error { return b.blame(b.close()) }

func (b *below) close() (err error) {
	if b.apart != nil {
		_, err = b.alone(func() (int, error) { return 0, b.Conn.Close() })
		return err
	}
	defer hook.Recovered(&err)
	return b.Conn.Close()
}

// alone calls a method of the connection on a goroutine of its own.
func (b *below) alone(method func() (int, error)) (int, error) {
	return hook.Within(b.apart, "a method of the connection", method, func(int) {})
}

// note notes, and returns, an error of the connection.
func (b *below) note(err error) error {
	if err != nil {
		b.failed.Store(true)
	}
	return b.blame(err)
}

// blame notes, and returns, an error that may be a caller's.
func (b *below) blame(err error) error {
	_, panicked := errors.AsType[*hook.PanicError](err)
	_, own := errors.AsType[*hook.Error](err)
	if panicked || own {
		b.hooked.CompareAndSwap(nil, &err)
	}
	return err
}

// own returns err as one of this side, and notes it: crypto/tls keeps its text alone.
func (b *below) own(err error) error {
	if err == nil {
		return nil
	}
	return b.blame(&hook.Error{Err: hook.Checked(err)})
}
