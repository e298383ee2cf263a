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

// options are the flags.
type options struct {
	addr         string
	file         string
	every        time.Duration
	timeout      time.Duration
	status       cli.StatusRange // of a success
	redirects    int
	canaries     []string
	probe        bool
	allowPrivate bool
}

func main() {
	var opts options
	flag.StringVar(&opts.addr, "addr", "127.0.0.1:9115", "listen on `host:port`")
	flag.StringVar(&opts.file, "f", "", "check the sites that this `file` lists, one a line")
	flag.DurationVar(&opts.every, "every", 30*time.Second, "the `time` from one check of a listed site to the next")
	flag.DurationVar(&opts.timeout, "timeout", 5*time.Second, "the `time` that a check may take; less than Prometheus's scrape_timeout")
	flag.TextVar(&opts.status, "status", cli.StatusRange{Min: 200, Max: 299}, "the `codes` of a success, as MIN-MAX or one")
	flag.IntVar(&opts.redirects, "redirects", 10, "how many redirects to follow")
	flag.Func("canary", "a `URL` known to be up: no site is offline while no canary answers; repeatable", func(url string) error {
		opts.canaries = append(opts.canaries, url)
		return nil
	})
	flag.BoolVar(&opts.probe, "probe", false, "serve /probe?target=…")
	flag.BoolVar(&opts.allowPrivate, "allow-private", false, "let /probe connect to addresses that are not public")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "Usage: exporter [flags]\n\nCheck sites and tell Prometheus how they are.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("exporter: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, opts, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func (o *options) validate(args []string) error {
	switch {
	case len(args) > 0:
		return fmt.Errorf("unexpected argument %q; sites go into a file, see -f", args[0])
	case o.file == "" && !o.probe:
		return errors.New("nothing to do: want -f FILE or -probe")
	case o.every <= 0:
		return fmt.Errorf("-every %v is not positive", o.every)
	}
	return nil
}

// checks returns how sites are checked, listed or not.
func (o *options) checks() []checker.Option {
	all := []checker.Option{
		checker.WithTimeout(o.timeout),
		checker.WithRedirects(o.redirects),
		checker.WithJudge(checker.StatusIn(o.status.Min, o.status.Max)),
	}
	if len(o.canaries) > 0 {
		all = append(all, checker.WithCanaries(o.canaries...))
	}
	return all
}

// run serves until ctx ends.
func run(ctx context.Context, opts options, args []string) error {
	if err := opts.validate(args); err != nil {
		return err
	}
	sites, err := readSites(opts.file)
	if err != nil {
		return err
	}
	m, err := newMonitor(sites, opts.checks()...)
	if err != nil {
		return err
	}
	var p http.Handler
	if opts.probe {
		if p, err = newProber(opts.allowPrivate, opts.checks()...); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", opts.addr)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	within, cancel := context.WithCancel(ctx)
	lists := make(chan []site)
	if opts.file != "" {
		hup := make(chan os.Signal, 1)
		signal.Notify(hup, syscall.SIGHUP)
		defer signal.Stop(hup)
		wg.Go(func() { reread(within, hup, opts.file, m, lists) })
	}
	log.Printf("listening on http://%s/", l.Addr())
	wg.Go(func() { m.run(within, opts.every, lists) })
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
		sites, err := readSites(file)
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
