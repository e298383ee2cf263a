package faults_test

import (
	"crypto"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"example.com/checker"
)

// onCall returns a function that calls act when it is called for the nth time.
func onCall(nth int, act func()) func() {
	var calls atomic.Int64
	return func() {
		if calls.Add(1) == int64(nth)+1 {
			act()
		}
	}
}

// acting is a source of bytes, and a writer, that acts.
type acting func()

func (a acting) Read([]byte) (int, error)    { a(); return 0, nil }
func (a acting) Write(b []byte) (int, error) { a(); return len(b), nil }

// actingKey is a key that acts when it is to sign.
type actingKey struct {
	crypto.Signer
	act func()
}

func (k actingKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	k.act()
	return nil, nil
}

// actingConn is a connection that acts in one of its methods, before it does its work.
// Close has done its own then.
type actingConn struct {
	net.Conn
	method string
	act    func()
}

func (c *actingConn) in(method string) {
	if c.method == method {
		c.act()
	}
}

func (c *actingConn) Read(b []byte) (int, error)  { c.in("Read"); return c.Conn.Read(b) }
func (c *actingConn) Write(b []byte) (int, error) { c.in("Write"); return c.Conn.Write(b) }
func (c *actingConn) LocalAddr() net.Addr         { c.in("LocalAddr"); return c.Conn.LocalAddr() }
func (c *actingConn) RemoteAddr() net.Addr        { c.in("RemoteAddr"); return c.Conn.RemoteAddr() }
func (c *actingConn) SetDeadline(t time.Time) error {
	c.in("SetDeadline")
	return c.Conn.SetDeadline(t)
}
func (c *actingConn) Close() error { err := c.Conn.Close(); c.in("Close"); return err }

// actingBody is actingConn for the body of a response.
type actingBody struct {
	io.ReadCloser
	method string
	act    func()
}

func (b actingBody) Read(p []byte) (int, error) {
	if b.method == "Read" {
		b.act()
	}
	return b.ReadCloser.Read(p)
}

func (b actingBody) Close() error {
	err := b.ReadCloser.Close()
	if b.method == "Close" {
		b.act()
	}
	return err
}

// bodies makes bodies act, and a judge read them.
func bodies(method string, act func()) []checker.Option {
	rt := &http.Transport{DisableKeepAlives: true}
	return []checker.Option{
		checker.WithMethod(http.MethodGet),
		checker.WithJudge(func(resp *http.Response) error {
			_, err := io.Copy(io.Discard, resp.Body)
			return err
		}),
		checker.WithTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := rt.RoundTrip(req)
			if err == nil {
				resp.Body = actingBody{resp.Body, method, act}
			}
			return resp, err
		})),
	}
}
