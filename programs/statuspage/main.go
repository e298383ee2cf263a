// Command statuspage watches sites and serves a page that shows live how they
// are.
//
//	statuspage -f sites.txt
//	statuspage -f sites.txt -every 10s -addr :8080 -db history.db
//
// A line of sites.txt is a URL, or a host, and if you like a name after it. Blank
// lines and lines that begin with # are skipped:
//
//	# our sites
//	example.org
//	https://shop.example/health   The shop
//
// A site is offline after two failures in a row, and online with one answer. A
// verdict of Unknown, which means that this machine could not check, changes neither
// and is no downtime; where there is no other for twice the interval, it is what is
// shown.
//
// Beside the page there are /api/status.json, with the same figures, and
// /healthz, which says whether checks still come to an end. With -db the
// history outlives the program, in a file of SQLite's. ^C ends it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/alexflint/go-arg"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

type options struct {
	File     string          `arg:"-f,--file,required" placeholder:"FILE" help:"the sites: one URL a line, and if you like a name after it"`
	Every    time.Duration   `arg:"-e,--every" default:"30s" placeholder:"DUR" help:"how often each site is checked"`
	Addr     string          `arg:"-a,--addr" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"where to serve the page"`
	DB       string          `arg:"-d,--db" placeholder:"FILE" help:"keep the history in this SQLite database"`
	Status   cli.StatusRange `arg:"-s,--status" default:"200-399" placeholder:"MIN-MAX" help:"the HTTP statuses that count as online"`
	Timeout  time.Duration   `arg:"-t,--timeout" default:"10s" placeholder:"DUR" help:"how long one check may take; cut to nine tenths of the time between two of a site, half of that with canaries"`
	Canaries []string        `arg:"-c,--canary,separate" placeholder:"URL" help:"a site known to be up; if none of them answers either, the fault is here [repeatable]"`
	Title    string          `arg:"--title" default:"Status" placeholder:"TEXT" help:"the title of the page"`
}

func (options) Description() string {
	return "Watch sites and serve a page that shows live how they are."
}

func (options) Epilogue() string {
	return "Example: statuspage -f sites.txt -every 10s -db history.db, and open http://127.0.0.1:8080/\n"
}

func main() {
	opts := parse(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second ^C ends the program at once
	if err := run(ctx, opts, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// parse reads the arguments. It ends the program if they ask for help, and if
// they are wrong; arg.MustParse would say the latter on standard output.
func parse(args []string) (opts options) {
	p, err := arg.NewParser(arg.Config{Program: "statuspage"}, &opts)
	if err == nil {
		err = p.Parse(args)
	}
	switch {
	case errors.Is(err, arg.ErrHelp):
		p.WriteHelp(os.Stdout)
		os.Exit(0)
	case err != nil:
		fmt.Fprintf(os.Stderr, "Error: %v; statuspage -h tells more\n", err)
		os.Exit(2)
	}
	return opts
}

// run watches and serves until ctx ends, which is no error: it is how the
// program ends.
func run(ctx context.Context, opts options, stdout io.Writer) error {
	sites, err := readSites(opts.File)
	if err != nil {
		return err
	}
	c, err := newChecker(opts, len(sites))
	if err != nil {
		return err
	}
	db, err := openStore(opts.DB)
	if err != nil {
		return err
	}
	defer db.close()
	for _, s := range sites {
		s.tracker.Every = opts.Every
	}
	b := newBoard(sites)
	if err := db.restore(b); err != nil {
		return err
	}
	l, err := net.Listen("tcp", opts.Addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Watching %s every %v at http://%s/\n", count(len(sites), "site"), opts.Every, browsable(l.Addr()))
	start := time.Now()
	err = serve(ctx, l, newServer(opts, b), func(ctx context.Context) {
		follow(ctx, c, b, db, opts.Every)
	})
	checks, changes := b.totals()
	fmt.Fprintf(stdout, "Stopped after %s: %s, %s of state\n",
		ago(time.Since(start)), count(checks, "check"), count(changes, "change"))
	return err
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

// newChecker returns what the sites are checked with. No site is to wait for
// another that hangs, so there are as many checks at once as sites, up to a
// number for which any machine has descriptors, and each site is a host to itself. A
// Retry-After is not looked at: a neighbour that asks for its origin to be left alone for
// an hour is no reason not to look at it. The schedule is gentle enough.
func newChecker(opts options, sites int, more ...checker.Option) (*checker.Checker, error) {
	if opts.Every < time.Second {
		return nil, fmt.Errorf("--every %v is too often: 1s is the least", opts.Every)
	}
	longest := opts.Every * 9 / 10 // or a site that hangs would still be checked when it is due, and be passed over
	if len(opts.Canaries) > 0 {
		longest /= 2 // since they may take as long again
	}
	conf := []checker.Option{
		checker.WithTimeout(min(opts.Timeout, longest)),
		checker.WithConcurrency(min(sites, 1000)),
		checker.WithHostKey((*url.URL).String),
		checker.WithRetryAfter(0),
		checker.WithJudge(checker.StatusIn(opts.Status.Min, opts.Status.Max)),
	}
	if len(opts.Canaries) > 0 {
		conf = append(conf, checker.WithCanaries(opts.Canaries...))
	}
	return checker.New(append(conf, more...)...)
}

// serve runs the server and, beside it, work until ctx ends or the server
// fails, and returns when both have ended.
func serve(ctx context.Context, l net.Listener, h http.Handler, work func(context.Context)) error {
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
	wg.Go(func() { work(ctx) })
	err := cli.Serve(ctx, l, srv, 2*time.Second)
	cancel()
	wg.Wait()
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // somebody read too slowly to be waited for
	}
	return err
}
