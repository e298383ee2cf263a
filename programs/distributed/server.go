package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	maxPayload   = 8 << 20          // of the server inside; for results with long certificates
	startTimeout = 30 * time.Second // a long queue takes a while to read
)

func (c *serverCmd) do(ctx context.Context, a *app) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	e, err := startEngine(a, o, nats.Token(o.Authorization))
	if err != nil {
		return err
	}
	defer e.close()
	stop, err := c.tell(ctx, a, e, func(series) {})
	if err != nil {
		return err
	}
	defer stop()
	if _, err := fmt.Fprintf(a.out, "serving at %s from %s; interrupt to end\n", e.srv.ClientURL(), c.Store); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-e.over:
	}
	return nil
}

func (c *serverCmd) options() (*server.Options, error) {
	host, service, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("-listen: %w", err)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("-listen: %q is no port", service)
	}
	here := host == "localhost" || net.ParseIP(host).IsLoopback()
	if token(c.Token) == "" && c.CA == "" && !here {
		return nil, fmt.Errorf("-listen: %s can be reached from other machines; set -token or NATS_TOKEN, or -ca", c.Listen)
	}
	conf, err := c.pair.server()
	if err != nil {
		return nil, err
	}
	o := &server.Options{Host: host, Port: int(port), Authorization: token(c.Token), StoreDir: c.Store, TLSConfig: conf}
	if port == 0 {
		o.Port = server.RANDOM_PORT // 0 is a port of NATS to it
	}
	return o, nil
}

// start starts a server. It syncs each write before it acknowledges it; by
// default a JetStream server does so every two minutes, and a chunk that it
// confirmed would be gone if the machine lost power.
func (e *engine) start(a *app, o *server.Options) error {
	if err := os.MkdirAll(o.StoreDir, 0o755); err != nil {
		return err
	}
	// A server does not notice that another uses its store, and both spoil it.
	e.lock = flock.New(filepath.Join(o.StoreDir, "lock"))
	if ok, err := e.lock.TryLock(); err != nil || !ok {
		return errors.Join(fmt.Errorf("the store %s is in use by another process", o.StoreDir), err)
	}
	if err := isFree(o); err != nil {
		return err
	}
	o.JetStream, o.SyncAlways, o.NoLog, o.NoSigs, o.MaxPayload = true, true, true, true, maxPayload
	srv, err := server.NewServer(o)
	if err != nil {
		return err
	}
	e.srv = srv
	log := &serverLog{app: a, fatal: make(chan string, 1), full: make(chan error, 1)}
	e.full = log.full
	srv.SetLogger(log, false, false)
	srv.Start()
	for began := time.Now(); !srv.ReadyForConnections(100 * time.Millisecond); {
		select {
		case text := <-log.fatal:
			return fmt.Errorf("the server on %s did not start: %s", o.StoreDir, text)
		default:
		}
		if time.Since(began) > startTimeout {
			return fmt.Errorf("the server on %s did not start within %v", o.StoreDir, startTimeout)
		}
	}
	return nil
}

// isFree returns an error if a server cannot listen where it is to; it would keep that
// to itself.
func isFree(o *server.Options) error {
	if o.DontListen || o.Port == server.RANDOM_PORT {
		return nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort(o.Host, strconv.Itoa(o.Port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// A serverLog says what goes wrong in a server, which says it to nobody else.
type serverLog struct {
	*app
	fatal chan string // what keeps it from starting
	full  chan error  // what keeps it from writing
}

func (l *serverLog) Warnf(format string, v ...any) { l.logf("server: "+format, v...) }

// Errorf also looks for an error of the disk. After one the server refuses to write
// until it is started again, and goes on as if nothing were.
func (l *serverLog) Errorf(format string, v ...any) {
	l.logf("server: "+format, v...)
	for _, arg := range v {
		if err, ok := arg.(error); ok && isDisk(err) {
			select {
			case l.full <- err:
			default: // the first does it
			}
		}
	}
}

func isDisk(err error) bool {
	return slices.ContainsFunc([]error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO},
		func(disk error) bool { return errors.Is(err, disk) })
}

func (l *serverLog) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default: // the first says it
	}
}

func (l *serverLog) Noticef(string, ...any) {}
func (l *serverLog) Debugf(string, ...any)  {}
func (l *serverLog) Tracef(string, ...any)  {}
