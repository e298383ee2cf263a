// Command exporter checks sites and tells Prometheus how they are.
//
//	exporter -f sites.txt -every 30s
//
// checks each site of the list, one a line, twice a minute, and serves what it
// found last at http://127.0.0.1:9115/metrics, with the label target.
//
//	exporter -probe
//
// checks http://127.0.0.1:9115/probe?target=… when it is asked to, as
// blackbox_exporter does, and takes its place in a scrape configuration. Whoever
// can reach that page can make this machine send requests, so it is off unless
// asked for, and connects to public addresses only; -allow-private lifts that.
//
// The names of the metrics and what a success is are blackbox_exporter's. Where there
// is no verdict, because this machine or its resolver failed, probe_success is absent
// rather than 0, so that no alert on a site goes off; and probe_verdict{status,reason}
// tells why, whatever the verdict. README.md has all the differences. See alerts.yml for
// what to do with the metrics, and dashboard.json, which Grafana imports.
//
// SIGHUP has the list read again: what is known of a site stays while it is listed, and
// if the list cannot be read the one before stays.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

const usage = `exporter [flags]

Check sites and tell Prometheus how they are: those that -f FILE lists, or those that it
asks for with -probe.`

type options struct {
	checks       cli.Checks
	addr         string
	file         string
	every        time.Duration
	probe        bool
	allowPrivate bool
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("exporter: ")
	cli.Main("exporter", func(ctx context.Context, args []string) error { return run(ctx, args, os.Stdout) })
}

func parse(args []string, stdout io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("exporter", flag.ContinueOnError)
	o.checks.Status, o.checks.Redirects = cli.StatusRange{Min: 200, Max: 299}, 10
	o.checks.Timeout = 5 * time.Second // less than Prometheus's scrape_timeout
	o.checks.Concurrency = 1000        // no site is to wait for another that hangs, and any machine has descriptors for so many
	o.checks.Define(flags)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:9115", "listen on `HOST:PORT`")
	flags.StringVar(&o.file, "f", "", "check the sites that `FILE` lists, one a line; - is standard input")
	flags.DurationVar(&o.every, "every", 30*time.Second, "the `DUR` from one check of a listed site to the next")
	flags.BoolVar(&o.probe, "probe", false, "serve /probe?target=…")
	flags.BoolVar(&o.allowPrivate, "allow-private", false, "let /probe connect to addresses that are not public")
	others, err := cli.Parse(flags, stdout, usage, args)
	switch {
	case err != nil:
		return o, err
	case len(others) > 0:
		return o, fmt.Errorf("%q is no flag; sites go into a file, see -f", others[0])
	case o.file == "" && !o.probe:
		return o, errors.New("nothing to do: want -f FILE or -probe; exporter -h explains")
	case o.every <= 0:
		return o, fmt.Errorf("-every %v is not positive", o.every)
	}
	return o, nil
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	sites, err := readSites(ctx, o.file)
	if err != nil {
		return err
	}
	answers := newAnswers(checker.StatusIn(o.checks.Status.Min, o.checks.Status.Max))
	m, err := newMonitor(sites, answers, o.checks.Options()...)
	if err != nil {
		return err
	}
	var p http.Handler
	if o.probe {
		if p, err = newProber(o.allowPrivate, answers, o.checks.Options()...); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	within, cancel := context.WithCancel(ctx)
	lists := make(chan []site)
	if o.file != "" {
		hup := make(chan os.Signal, 1)
		signal.Notify(hup, syscall.SIGHUP)
		defer signal.Stop(hup)
		wg.Go(func() { reread(within, hup, o.file, m, lists) })
	}
	log.Printf("listening on http://%s/", l.Addr())
	wg.Go(func() { m.run(within, o.every, lists) })
	err = cli.Serve(ctx, l, newServer(ctx, handler(m, p)), 5*time.Second)
	cancel()
	wg.Wait()
	log.Printf("stopped: %s", m.summary())
	return err
}

// reread reads the list again whenever a signal says so, until ctx ends.
func reread(ctx context.Context, hup <-chan os.Signal, file string, m *monitor, lists chan<- []site) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		}
		sites, err := readSites(ctx, file)
		if err != nil {
			log.Printf("the list stays as it is: %v", err)
			m.unreadable()
			continue
		}
		select {
		case <-ctx.Done(): // and with it the monitor
			return
		case lists <- sites:
			log.Printf("the list has %d sites", len(sites))
		}
	}
}

// newServer returns a server whose requests end with ctx: the checks under way
// are then of no more use to anyone.
func newServer(ctx context.Context, h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
}
