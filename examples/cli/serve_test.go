package cli

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener for a bubble, in which a connection is a net.Pipe.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p *pipes) DialContext(context.Context, string, string) (net.Conn, error) {
	mine, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return mine, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// get asks for a page and returns what came.
func (p *pipes) get() (string, error) {
	client := http.Client{Transport: &http.Transport{DialContext: p.DialContext, DisableKeepAlives: true}}
	resp, err := client.Get("http://x/")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// What is under way when the context ends is finished within the grace, and cut
// off after it; what does mind the context ends with it.
func TestServe(t *testing.T) {
	for _, test := range []struct {
		name  string
		takes time.Duration // of a request
		minds bool          // the end of the context
		after time.Duration // Serve returns
		body  string
		err   error
	}{
		{"nothing under way", 0, false, 0, "whole", nil},
		{"in time", 3 * time.Second, false, 3 * time.Second, "whole", nil},
		{"too late", time.Minute, false, 10 * time.Second, "", context.DeadlineExceeded},
		{"told to end", time.Minute, true, 0, "told", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-time.After(test.takes):
						io.WriteString(w, "whole")
					case <-r.Context().Done():
						io.WriteString(w, "told")
					}
				})}
				if test.minds {
					srv.BaseContext = func(net.Listener) context.Context { return ctx }
				}
				l := newPipes()
				served := make(chan error, 1)
				go func() { served <- Serve(ctx, l, srv, 10*time.Second) }()
				got := make(chan string, 1)
				go func() {
					body, _ := l.get()
					got <- body
				}()
				synctest.Wait()
				start := time.Now()
				stop()
				err := <-served
				// Shutdown looks again after up to half a second.
				if took := time.Since(start); took < test.after || took > test.after+500*time.Millisecond {
					t.Errorf("Serve returned after %v; want %v", took, test.after)
				}
				if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
					t.Errorf("Serve = %v; want %v", err, test.err)
				}
				if body := <-got; body != test.body {
					t.Errorf("the request got %q; want %q", body, test.body)
				}
				if _, err := l.get(); err == nil {
					t.Error("a request is answered after the end")
				}
			})
		})
	}
}

// A listener that fails is an error at once, and nothing is left.
func TestServeFails(t *testing.T) {
	l := newPipes()
	l.Close()
	if err := Serve(t.Context(), l, new(http.Server), time.Hour); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve = %v; want %v", err, net.ErrClosed)
	}
}

// A context that has ended before is an end too.
func TestServeEnded(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	l := newPipes()
	if err := Serve(ctx, l, new(http.Server), time.Hour); err != nil {
		t.Errorf("Serve = %v; want nil", err)
	}
	<-l.closed
}

// The same on a network.
func TestServeLoopback(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	asked, ending := make(chan struct{}), make(chan struct{})
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-ending
		io.WriteString(w, "whole")
	})}
	srv.RegisterOnShutdown(func() { close(ending) })
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l, srv, time.Minute) }()
	go func() {
		<-asked
		stop()
	}()
	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "whole" || err != nil {
		t.Errorf("the request got %q, %v; want all", body, err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v; want nil", err)
	}
}
