// Command linkcheck-service tells strangers whether a site is online.
//
//	linkcheck-service -addr localhost:8080
//	curl -H 'Content-Type: application/json' -d '{"url":"https://example.org/"}' localhost:8080/check
//
// answers {"url":"https://example.org/","status":"online","status_code":200},
// with a "reason" and an "error" for a site that is not online. A request that
// is refused gets an "error" alone, and an HTTP status other than 200.
//
// It connects to public addresses on the ports 80 and 443 only. Add public ones
// that are yours to policy, give the machine an egress rule, and have it look
// names up where only public ones are known: see SECURITY.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

const (
	timeout    = 5 * time.Second // of a check
	patience   = 2 * timeout     // of a request, whose check may have to wait for others of the same site
	maxBody    = 16 << 10        // bytes
	perSecond  = 1               // requests of a client
	burst      = 5               // of them at once, after a rest
	maxClients = 1000            // that have not rested, and so the most checks at once
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("linkcheck-service: ")
	cli.Main("linkcheck-service", func(ctx context.Context, args []string) error {
		flags := flag.NewFlagSet("linkcheck-service", flag.ContinueOnError)
		addr := flags.String("addr", "localhost:8080", "listen on `host:port`")
		others, err := cli.Parse(flags, os.Stdout, "linkcheck-service [-addr HOST:PORT]\n\nTell strangers whether a site is online.", args)
		switch {
		case err != nil:
			return err
		case len(others) > 0:
			return fmt.Errorf("%q is no flag, and there is nothing else to give; linkcheck-service -h explains", others[0])
		}
		l, err := net.Listen("tcp", *addr)
		if err != nil {
			return err
		}
		log.Println("listening on", l.Addr())
		return run(ctx, l)
	})
}

// run serves until ctx ends, and then lets the checks end that are under way.
func run(ctx context.Context, l net.Listener, opts ...checker.Option) error {
	s, err := newService(opts...)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: s, MaxHeaderBytes: 8 << 10, ReadTimeout: timeout, WriteTimeout: timeout + patience}
	return cli.Serve(ctx, l, srv, patience)
}

// A service answers POST /check. It is safe for concurrent use.
type service struct {
	checker *checker.Checker
	mu      sync.Mutex
	clients map[netip.Addr]*client
}

type client struct {
	limiter *rate.Limiter
	busy    atomic.Bool // one of its checks is under way
}

func newService(opts ...checker.Option) (*service, error) {
	c, err := checker.New(append([]checker.Option{
		checker.WithAddrPolicy(policy), checker.WithTimeout(timeout), checker.WithRedirects(5),
		checker.WithHostRateLimit(5, 10), // nobody's site is to be flooded from here
	}, opts...)...)
	return &service{checker: c, clients: make(map[netip.Addr]*client)}, err
}

func policy(addr netip.AddrPort) error {
	if addr.Port() != 80 && addr.Port() != 443 {
		return errors.New("the port is neither 80 nor 443")
	}
	return checker.PublicOnly(addr)
}

// An answer has what a stranger may know: neither addresses nor times.
type answer struct {
	URL        string         `json:"url,omitempty"`
	Status     checker.Status `json:"status,omitempty"`
	Reason     checker.Reason `json:"reason,omitempty"`
	StatusCode int            `json:"status_code,omitempty"`
	Error      string         `json:"error,omitempty"`
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, status := s.answer(w, r)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Allow", http.MethodPost)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(a)
}

func (s *service) answer(w http.ResponseWriter, r *http.Request) (answer, int) {
	switch {
	case r.URL.Path != "/check":
		return answer{Error: "there is only /check"}, http.StatusNotFound
	case r.Method != http.MethodPost:
		return answer{Error: "the method must be POST"}, http.StatusMethodNotAllowed
	}
	c, err := s.enter(clientOf(r))
	if err != nil {
		return answer{Error: err.Error()}, http.StatusTooManyRequests
	}
	defer c.busy.Store(false)
	url, status := read(w, r)
	if status != http.StatusOK {
		return answer{Error: `send {"url":"…"}, of at most 16 KiB, as application/json`}, status
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	res := s.checker.Check(ctx, url)
	a := answer{URL: res.URL, Status: res.Status(), Reason: res.Reason(), StatusCode: res.StatusCode}
	if res.Err != nil {
		a.Error = res.Err.Error() // made for strangers, unlike what it wraps
	}
	return a, http.StatusOK
}

// read returns the URL in a request. That its type must be JSON keeps the pages
// of other sites from asking in the name of their readers.
func read(w http.ResponseWriter, r *http.Request) (url string, status int) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return "", http.StatusUnsupportedMediaType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return "", http.StatusRequestEntityTooLarge
	}
	var q struct{ URL string }
	if err != nil || json.Unmarshal(body, &q) != nil || q.URL == "" {
		return "", http.StatusBadRequest
	}
	return q.URL, http.StatusOK
}

// clientOf returns who asks: an IPv4 address, or the /64 of an IPv6 one. Behind a
// reverse proxy that is the proxy: use the last address of X-Forwarded-For there,
// which the proxy adds, and let nobody past it, since anybody can send the field.
func clientOf(r *http.Request) netip.Addr {
	ap, _ := netip.ParseAddrPort(r.RemoteAddr) // without an address, all are one client
	addr := ap.Addr().Unmap()
	prefix, _ := addr.Prefix(min(addr.BitLen(), 64))
	return prefix.Addr()
}

// enter makes a client busy, or says why not. Those that have rested are as good
// as new, and are forgotten when there are many.
func (s *service) enter(who netip.Addr) (*client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.clients) >= maxClients {
		maps.DeleteFunc(s.clients, func(_ netip.Addr, c *client) bool { return !c.busy.Load() && c.limiter.Tokens() >= burst })
	}
	c := s.clients[who]
	switch {
	case c == nil && len(s.clients) >= maxClients:
		return nil, errors.New("too many clients; try again later")
	case c == nil:
		c = &client{limiter: rate.NewLimiter(perSecond, burst)}
		s.clients[who] = c
	}
	if c.busy.Load() || !c.limiter.Allow() {
		return nil, errors.New("too many checks; one at a time and one per second will do")
	}
	c.busy.Store(true)
	return c, nil
}
