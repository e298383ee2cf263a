package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"example.com/checker/examples/cli"
)

// run watches and serves until ctx ends, which is no error: it is how the
// program ends.
func run(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	sites, err := readSites(ctx, o.file)
	if err != nil {
		return err
	}
	c, err := newChecker(o, len(sites))
	if err != nil {
		return err
	}
	db, err := openStore(o.db)
	if err != nil {
		return err
	}
	for _, s := range sites {
		s.tracker.Every = o.every
	}
	b := newBoard(sites)
	work := []func(context.Context){func(ctx context.Context) { follow(ctx, c, b, db, o.every, stderr) }}
	if o.hook != "" {
		db.messages = make(chan struct{}, 1)
		work = append(work, newHook(o.hook, db, stderr).run)
	}
	err = db.restore(b)
	if err == nil {
		err = workAndServe(ctx, o, b, work, stdout)
	}
	return errors.Join(err, db.close())
}

func workAndServe(ctx context.Context, o options, b *board, work []func(context.Context), stdout io.Writer) error {
	l, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "Watching %s every %v at http://%s/\n", count(len(b.sites), "site"), o.every, browsable(l.Addr())); err != nil {
		return errors.Join(err, l.Close())
	}
	start := time.Now()
	err = serve(ctx, l, newServer(o, b), work...)
	checks, changes := b.totals()
	_, failed := fmt.Fprintf(stdout, "Stopped after %s: %s, %s of state\n",
		ago(time.Since(start)), count(checks, "check"), count(changes, "change"))
	return errors.Join(err, failed)
}

// browsable returns the address of a listener as a browser on this machine
// wants it.
func browsable(addr net.Addr) string {
	host, port, _ := net.SplitHostPort(addr.String())
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// serve runs the server and, beside it, all work until ctx ends or the server
// fails, and returns when all have ended.
func serve(ctx context.Context, l net.Listener, h http.Handler, work ...func(context.Context)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      30 * time.Second, // an event stream moves it on
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // ends the event streams
	}
	var wg sync.WaitGroup
	for _, w := range work {
		wg.Go(func() { w(ctx) })
	}
	err := cli.Serve(ctx, l, srv, 2*time.Second)
	cancel()
	wg.Wait()
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // somebody read too slowly to be waited for
	}
	return err
}
