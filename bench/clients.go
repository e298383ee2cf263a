//go:build linux

package main

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"example.com/checker"
)

// ours is the contestant that the bars are for.
const ours = "checker"

// goResolver is what the others look names up with: that of package net in Go,
// which reads the same files as ours and asks the same nameserver, whether this
// was built with cgo or not.
var goResolver = &net.Resolver{PreferGo: true}

// runChecker checks with package checker as it is out of the box.
func runChecker(ctx context.Context, j *job) (t tally, err error) {
	if j.Cut != "" {
		return cutOff(ctx, j)
	}
	opts := []checker.Option{checker.WithConcurrency(j.AtOnce), checker.WithTimeout(j.Timeout)}
	switch j.Kind {
	case secure:
		conf, err := j.tls()
		if err != nil {
			return t, err
		}
		opts = append(opts, checker.WithTLSConfig(conf))
	case memory:
		opts = append(opts, checker.WithTransport(instant{}))
	}
	c, err := checker.New(opts...)
	if err != nil {
		return t, err
	}
	for r := range c.Stream(ctx, j.targets()) {
		if r.Online() {
			t.online++
		} else if t.failed == nil {
			t.failed = r.Err
		}
	}
	return t, nil
}

// instant is a transport that answers at once.
type instant struct{}

func (instant) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody, Request: req,
	}, nil
}

// runNetHTTP checks as one would with net/http and errgroup.
func runNetHTTP(ctx context.Context, j *job) (t tally, err error) {
	tr := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{
		Transport:     tr,
		Timeout:       j.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	switch j.Kind {
	case secure:
		if tr.TLSClientConfig, err = j.tls(); err != nil {
			return t, err
		}
	case names:
		tr.DialContext = (&net.Dialer{Resolver: goResolver}).DialContext
	case memory:
		client.Transport = instant{}
	}
	return each(j, func(target string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodHead, target, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
}

// runFastHTTP checks as one would with fasthttp.
func runFastHTTP(_ context.Context, j *job) (t tally, err error) {
	dialer := new(fasthttp.TCPDialer)
	client := &fasthttp.Client{Dial: dialer.Dial}
	switch j.Kind {
	case secure:
		if client.TLSConfig, err = j.tls(); err != nil {
			return t, err
		}
	case names:
		dialer.Resolver = goResolver
		// Its timeout of 3 s is for the lookup too.
		client.Dial = func(addr string) (net.Conn, error) { return dialer.DialTimeout(addr, j.Timeout) }
	}
	return each(j, func(target string) error {
		req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(req)
		defer fasthttp.ReleaseResponse(resp)
		req.SetRequestURI(target)
		req.Header.SetMethod(fasthttp.MethodHead)
		req.SetConnectionClose()
		return client.DoTimeout(req, resp, j.Timeout)
	})
}

// each calls check for every target, as many at once as the job allows.
func each(j *job, check func(target string) error) (t tally, err error) {
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(j.width())
	for target := range j.targets() {
		g.Go(func() error {
			err := check(target)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				t.online++
			} else if t.failed == nil {
				t.failed = err
			}
			return nil
		})
	}
	return t, g.Wait()
}
