package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	maxPayload   = 8 << 20          // of the server inside; for results with long certificates
	startTimeout = 30 * time.Second // a long queue takes a while to read
)

// An engine is a connection to JetStream, and to the server inside of this
// process if there is one.
type engine struct {
	nc   *nats.Conn
	js   jetstream.JetStream
	srv  *server.Server // nil if the servers are elsewhere
	lock *flock.Flock   // of srv's store
}

// in returns l with the store in a directory for results, if it has none yet.
func (l link) in(out string) link {
	l.Store = cmp.Or(l.Store, filepath.Join(out, "store"))
	return l
}

// open connects to the servers that l names, or to one inside of the process
// that nobody else can reach.
func (l link) open(opts ...nats.Option) (*engine, error) {
	if l.NATS == "" {
		return startEngine(&server.Options{DontListen: true, StoreDir: l.Store}, opts...)
	}
	if t := token(l.Token); t != "" {
		opts = append(opts, nats.Token(t))
	}
	return connect(&engine{}, l.NATS, opts...)
}

// openForChildren is open, but a server inside of the process listens on
// loopback. It returns how children reach it; the token is not for their
// command lines, which others can read.
func (l link) openForChildren(opts ...nats.Option) (*engine, link, error) {
	if l.NATS != "" {
		e, err := l.open(opts...)
		return e, l, err
	}
	secret := rand.Text()
	e, err := startEngine(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, Authorization: secret, StoreDir: l.Store,
	}, append(opts, nats.Token(secret))...)
	if err != nil {
		return nil, l, err
	}
	return e, link{NATS: e.srv.ClientURL(), Token: secret}, nil
}

func startEngine(o *server.Options, opts ...nats.Option) (*engine, error) {
	e := &engine{}
	if err := e.start(o); err != nil {
		e.close()
		return nil, err
	}
	return connect(e, "", append(opts, nats.InProcessServer(e.srv))...)
}

// start starts a server. It syncs each write before it acknowledges it; by
// default a JetStream server does so every two minutes, and a chunk that it
// confirmed would be gone if the machine lost power.
func (e *engine) start(o *server.Options) error {
	if err := os.MkdirAll(o.StoreDir, 0o755); err != nil {
		return err
	}
	// A server does not notice that another uses its store, and both spoil it.
	e.lock = flock.New(filepath.Join(o.StoreDir, "lock"))
	if ok, err := e.lock.TryLock(); err != nil || !ok {
		return errors.Join(fmt.Errorf("the store %s is in use by another process", o.StoreDir), err)
	}
	o.JetStream, o.SyncAlways, o.NoLog, o.NoSigs, o.MaxPayload = true, true, true, true, maxPayload
	srv, err := server.NewServer(o)
	if err != nil {
		return err
	}
	e.srv = srv
	srv.Start()
	if !srv.ReadyForConnections(startTimeout) {
		return fmt.Errorf("the server on %s did not start; is its address free?", o.StoreDir)
	}
	return nil
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
		if errors.Is(err, nats.ErrAuthorization) {
			return nil, fmt.Errorf("connect to %s: the server refused the token; set -token or NATS_TOKEN", url)
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

func (c *serverCmd) do(ctx context.Context, a *app) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	e := &engine{}
	defer e.close()
	if err := e.start(o); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(a.out, "serving at %s from %s; interrupt to end\n", e.srv.ClientURL(), c.Store); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (c *serverCmd) options() (*server.Options, error) {
	host, service, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("-listen: %w", err)
	}
	port, err := strconv.Atoi(service)
	if err != nil {
		return nil, fmt.Errorf("-listen: %q is no port", service)
	}
	if ip := net.ParseIP(host); token(c.Token) == "" && !ip.IsLoopback() {
		return nil, fmt.Errorf("-listen: %s can be reached from other machines; set -token or NATS_TOKEN", c.Listen)
	}
	return &server.Options{Host: host, Port: port, Authorization: token(c.Token), StoreDir: c.Store}, nil
}
