package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// An engine is a connection to JetStream, and to the server inside of this
// process if there is one.
type engine struct {
	nc   *nats.Conn
	js   jetstream.JetStream
	srv  *server.Server // nil if the servers are elsewhere
	lock *flock.Flock   // of srv's store

	full    <-chan error  // what keeps srv from writing
	over    chan struct{} // closed once that has ended the connection
	closing chan struct{}
	wg      sync.WaitGroup
}

// in returns l with the store in a directory for results, if it has none yet.
func (l link) in(out string) link {
	l.Store = cmp.Or(l.Store, filepath.Join(out, "store"))
	return l
}

var errNoServers = errors.New("-creds, -nkey, -ca, -cert and -key are for servers; say with -nats where they are")

// open connects to the servers that l names, or to one inside of the process
// that nobody else can reach.
func (l link) open(a *app, opts ...nats.Option) (*engine, error) {
	if l.NATS == "" && l.given() {
		return nil, errNoServers
	}
	if l.NATS == "" {
		return startEngine(a, &server.Options{DontListen: true, StoreDir: l.Store}, opts...)
	}
	who, err := l.credentials.options()
	if err != nil {
		return nil, err
	}
	return connect(&engine{}, l.NATS, append(who, opts...)...)
}

// openForChildren is open, but a server inside of the process listens on
// loopback. It returns how children reach it; the token is not for their
// command lines, which others can read.
func (l link) openForChildren(a *app, opts ...nats.Option) (*engine, link, error) {
	if l.NATS != "" || l.given() {
		e, err := l.open(a, opts...)
		return e, l, err
	}
	secret := rand.Text()
	e, err := startEngine(a, &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, Authorization: secret, StoreDir: l.Store,
	}, append(opts, nats.Token(secret))...)
	if err != nil {
		return nil, l, err
	}
	return e, link{NATS: e.srv.ClientURL(), credentials: credentials{Token: secret}}, nil
}

func startEngine(a *app, o *server.Options, opts ...nats.Option) (*engine, error) {
	e := &engine{}
	if err := e.start(a, o); err != nil {
		e.close()
		return nil, err
	}
	e, err := connect(e, "", append(opts, nats.InProcessServer(e.srv))...)
	if err == nil {
		e.over, e.closing = make(chan struct{}), make(chan struct{})
		e.wg.Go(func() { e.endWhenFull(a, o.StoreDir) })
	}
	return e, err
}

// endWhenFull ends the connection when the server cannot write any more, so that who
// waits for it ends, and has the program say why.
func (e *engine) endWhenFull(a *app, dir string) {
	select {
	case <-e.closing:
	case err := <-e.full:
		a.fail(fmt.Errorf("the store %s cannot be written: %w; once that is mended, the same command goes on from there", dir, err))
		e.nc.Close()
		close(e.over)
	}
}

// connect connects e. The first attempt must succeed; after that a connection
// that is lost is sought again for ever, except if the server refuses who asks.
func connect(e *engine, url string, opts ...nats.Option) (*engine, error) {
	opts = append([]nats.Option{
		nats.Name("checker " + filepath.Base(os.Args[0])),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectBufSize(-1), // what cannot be sent now must fail now: a lease may end meanwhile
		nats.PingInterval(5 * time.Second),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // each caller gets its own errors
	}, opts...)
	var err error
	if e.nc, err = nats.Connect(url, opts...); err != nil {
		e.close()
		if isTLS(err) {
			return nil, fmt.Errorf("connect to %s: %w; -ca says whom to believe, and -cert and -key who asks", url, err)
		}
		if errors.Is(err, nats.ErrAuthorization) {
			return nil, fmt.Errorf("connect to %s: the server does not let this client in; give what it wants by -token or NATS_TOKEN, -creds, -nkey or -cert", url)
		}
		return nil, fmt.Errorf("connect to %s: %w", url, err)
	}
	if e.js, err = jetstream.New(e.nc); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// close ends the connection and the server, and waits for both.
func (e *engine) close() {
	if e.closing != nil {
		close(e.closing)
		e.wg.Wait()
		e.closing = nil // it may be closed again
	}
	if e.nc != nil {
		e.nc.Close()
	}
	if e.srv != nil {
		e.srv.Shutdown()
		e.srv.WaitForShutdown()
	}
	if e.lock != nil {
		_ = e.lock.Unlock() // the end of the process does it too
	}
}
