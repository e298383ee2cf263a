package faults_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"example.com/checker"
	"example.com/checker/internal/emulator"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// frames is a server of HTTP/2 alone that answers a request as it likes.
func frames(ca *hostile.CA, answer func(fr *http2.Framer, stream uint32) error, others ...string) hostile.Handler {
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	conf.NextProtos = append([]string{"h2"}, others...)
	return hostile.TLS(conf, func(ctx context.Context, conn net.Conn) {
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		if _, err := io.CopyN(io.Discard, conn, int64(len(http2.ClientPreface))); err != nil {
			return
		}
		fr := http2.NewFramer(conn, conn)
		fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if f, ok := f.(*http2.HeadersFrame); ok {
				if err := answer(fr, f.StreamID); err != nil {
					return
				}
			}
		}
	})
}

// E23, E24, I5: what a server of HTTP/2 can do wrong ends within the timeout,
// and is the server's fault.
func TestFaultsHTTP2(t *testing.T) {
	ca := hostile.NewCA(t)
	block := func(fields ...string) []byte {
		var b strings.Builder
		enc := hpack.NewEncoder(&b)
		for i := 0; i < len(fields); i += 2 {
			enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		return []byte(b.String())
	}
	headers := func(fr *http2.Framer, stream uint32, end bool, fields ...string) error {
		return fr.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block(fields...), EndStream: true, EndHeaders: end})
	}
	for _, test := range []struct {
		name    string
		answer  func(fr *http2.Framer, stream uint32) error
		reasons []checker.Reason // one of them; "": Online
	}{
		{"E23 all is well", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "204") }, []checker.Reason{""}},
		{"E23 GOAWAY at once", func(fr *http2.Framer, _ uint32) error {
			fr.WriteGoAway(0, http2.ErrCodeNo, nil)
			return errors.New("done")
		}, []checker.Reason{checker.ReasonReset}},
		{"P5c GOAWAY, calm", func(fr *http2.Framer, _ uint32) error {
			return fr.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("too many"))
		},
			[]checker.Reason{checker.ReasonReset}},
		{"P5c GOAWAY and then the answer", func(fr *http2.Framer, s uint32) error {
			fr.WriteGoAway(s, http2.ErrCodeNo, nil)
			return headers(fr, s, true, ":status", "204")
		}, []checker.Reason{""}},
		{"P5c RST_STREAM, calm", func(fr *http2.Framer, s uint32) error { return fr.WriteRSTStream(s, http2.ErrCodeEnhanceYourCalm) },
			[]checker.Reason{checker.ReasonReset}},
		{"P5c the answer and then RST_STREAM", func(fr *http2.Framer, s uint32) error {
			fr.WriteHeaders(http2.HeadersFrameParam{StreamID: s, BlockFragment: block(":status", "200"), EndHeaders: true})
			return fr.WriteRSTStream(s, http2.ErrCodeCancel)
		}, []checker.Reason{""}},
		{"E23 the stream is refused", func(fr *http2.Framer, s uint32) error { return fr.WriteRSTStream(s, http2.ErrCodeRefusedStream) },
			[]checker.Reason{checker.ReasonReset}},
		{"E23 a protocol error", func(fr *http2.Framer, s uint32) error { return fr.WriteRSTStream(s, http2.ErrCodeProtocol) },
			[]checker.Reason{checker.ReasonReset}},
		{"E5 status 99", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "99") }, []checker.Reason{checker.ReasonMalformed}},
		{"E6 status 000", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "000") }, []checker.Reason{checker.ReasonMalformed}},
		{"E6 status +20", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "+20") }, []checker.Reason{checker.ReasonMalformed}},
		{"E5 status -200", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "-200") }, []checker.Reason{checker.ReasonMalformed}},
		{"E5 status 2000", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "2000") }, []checker.Reason{checker.ReasonMalformed}},
		{"E6 status 999", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "999") }, []checker.Reason{""}},
		{"E23 a field of HTTP/1", func(fr *http2.Framer, s uint32) error {
			return headers(fr, s, true, ":status", "204", "connection", "close", "keep-alive", "x", "upgrade", "x")
		}, []checker.Reason{""}},
		{"E23 Transfer-Encoding", func(fr *http2.Framer, s uint32) error {
			return headers(fr, s, true, ":status", "200", "transfer-encoding", "chunked")
		}, []checker.Reason{checker.ReasonMalformed}},
		{"E23 a frame of a wrong size", func(fr *http2.Framer, _ uint32) error {
			return fr.WriteRawFrame(http2.FramePing, 0, 0, []byte("garbage"))
		}, []checker.Reason{checker.ReasonMalformed, checker.ReasonReset}},
		{"E24 no stream allowed", func(fr *http2.Framer, _ uint32) error {
			return fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0})
		}, []checker.Reason{checker.ReasonTimeout}},
		{"E24 a flood of PINGs", func(fr *http2.Framer, _ uint32) (err error) {
			for i := byte(0); err == nil; i++ {
				err = fr.WritePing(false, [8]byte{i})
			}
			return err
		}, []checker.Reason{checker.ReasonTimeout, checker.ReasonReset}},
		{"E24 CONTINUATION without end", func(fr *http2.Framer, s uint32) error {
			err := headers(fr, s, false, ":status", "200")
			for err == nil {
				err = fr.WriteContinuation(s, false, block("x", strings.Repeat("y", 1000)))
			}
			return err
		}, []checker.Reason{checker.ReasonMalformed, checker.ReasonReset, checker.ReasonTimeout}},
		{"I5 an HPACK bomb", func(fr *http2.Framer, s uint32) error {
			var b strings.Builder
			enc := hpack.NewEncoder(&b)
			enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
			for range 10_000 { // each is one byte on the wire and 3 KiB in memory
				enc.WriteField(hpack.HeaderField{Name: "x", Value: strings.Repeat("y", 3000)})
			}
			return fr.WriteHeaders(http2.HeadersFrameParam{StreamID: s, BlockFragment: []byte(b.String()), EndStream: true, EndHeaders: true})
		}, []checker.Reason{checker.ReasonMalformed, checker.ReasonReset, checker.ReasonTimeout}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := hostile.Serve(t, "127.0.0.1:0", frames(ca, test.answer))
			c := faults.NewChecker(t, checker.WithTimeout(time.Second), checker.WithRetries(0),
				checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}))
			start := time.Now()
			r := c.Check(t.Context(), s.URLS())
			took := time.Since(start)
			for _, reason := range test.reasons {
				if r.Reason() == reason && r.Online() == (reason == "") && took < 1500*time.Millisecond {
					return
				}
			}
			if r.Reason() == checker.ReasonLocal {
				emulator.Skip(t, emulator.QEMU, "this process is too slow for such a flood, and says so")
			}
			t.Errorf("Check() = %v after %v; want one of %q within a second", r, took, test.reasons)
		})
	}
}

// P5c: a head that is too large is called so in HTTP/2, too, also where compression
// makes it small; what ended before an answer is tried again.
func TestHTTP2Text(t *testing.T) {
	ca := hostile.NewCA(t)
	var asked atomic.Int64
	for _, test := range []struct {
		name   string
		answer func(fr *http2.Framer, stream uint32) error
		want   string // part of the Error's text; "": Online
	}{
		{"a head over the cap", func(fr *http2.Framer, s uint32) error { return bigHead(fr, s, 3000, 64) }, "the answer is not HTTP: the response head is over"},
		{"a head far over the cap", func(fr *http2.Framer, s uint32) error { return bigHead(fr, s, 8000, 64) }, "the answer is not HTTP: the response head is over"},
		{"refused at first", func(fr *http2.Framer, s uint32) error {
			if asked.Add(1) <= 2 { // HEAD and the GET behind it
				return fr.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, nil)
			}
			return bigHead(fr, s, 1, 1)
		}, ""},
	} {
		t.Run("P5c "+test.name, func(t *testing.T) {
			s := hostile.Serve(t, "127.0.0.1:0", frames(ca, test.answer))
			c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}))
			r := c.Check(t.Context(), s.URLS())
			if r.Online() != (test.want == "") || r.Err != nil && !strings.Contains(r.Err.Error(), test.want) {
				t.Errorf("Check() = %v; want %q", r, test.want)
			}
		})
	}
}

// bigHead writes an answer of n fields with random values of a size.
func bigHead(fr *http2.Framer, stream uint32, n, size int) error {
	var b bytes.Buffer
	enc := hpack.NewEncoder(&b)
	enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	for range n {
		enc.WriteField(hpack.HeaderField{Name: "x", Value: rand.Text() + strings.Repeat("y", size)})
	}
	first := min(b.Len(), 16<<10)
	err := fr.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: b.Next(first), EndStream: true, EndHeaders: b.Len() == 0})
	for err == nil && b.Len() > 0 {
		piece := b.Next(16 << 10)
		err = fr.WriteContinuation(stream, b.Len() == 0, piece)
	}
	return err
}

// P5c: HTTP/2 is also spoken with a server that agrees to HTTP/1.1 and speaks HTTP/2
// regardless.
func TestHTTP2Regardless(t *testing.T) {
	ca := hostile.NewCA(t)
	answer := func(fr *http2.Framer, s uint32) error { return bigHead(fr, s, 1, 1) }
	s := hostile.Serve(t, "127.0.0.1:0", frames(ca, answer, "http/1.1"))
	c := faults.NewChecker(t, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}))
	if r := c.Check(t.Context(), s.URLS()); !r.Online() || r.Proto != "HTTP/2.0" {
		t.Errorf("Check(%q) = %v by %q; want Online by HTTP/2.0", s.URLS(), r, r.Proto)
	}
}

// A server that speaks nothing but HTTP/2 is asked again in that.
func TestHTTP2Only(t *testing.T) {
	ca := hostile.NewCA(t)
	s := hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	})))
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}), checker.WithRetries(0))
	for range 3 {
		r := c.Check(t.Context(), s.URLS())
		if !r.Online() || r.StatusCode != http.StatusTeapot || r.Proto != "HTTP/2.0" || r.TLS == nil || r.Addr != s.Addr() {
			t.Errorf("Check(%q) = %v, %q, %v, %v; want Online over HTTP/2.0", r.Target, r, r.Proto, r.TLS, r.Addr)
		}
	}
}
