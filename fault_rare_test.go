package checker_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"example.com/checker"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// hugeKey is an RSA key that nobody needs to have: a client refuses it by its
// size before it looks at a signature.
type hugeKey struct{ rsa.PublicKey }

func newHugeKey(bits uint) hugeKey {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return hugeKey{rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}}
}

func (k hugeKey) Public() crypto.PublicKey { return &k.PublicKey }

func (k hugeKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return make([]byte, k.Size()), nil
}

// TLS that few servers have, but that costs much where they do.
func TestFaultsRareTLS(t *testing.T) {
	ca := hostile.NewCA(t)
	ok := hostile.Respond(hostile.OK)
	names := func(n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("host%d.site.test", i))
		}
		return append(names, "site.test")
	}
	row := func(name string, conf *tls.Config, reason checker.Reason) fault {
		f := fault{
			name: name, target: "https://site.test/", secure: hostile.TLS(conf, ok), reason: reason,
			opts: []checker.Option{checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()})},
		}
		if reason == "" {
			f.status = 200
		} else {
			f.phase = checker.PhaseTLS
		}
		return f
	}
	old := ca.Config(hostile.Cert{Names: names(0)})
	old.MaxVersion, old.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}
	// A box in between that takes no hello of more than one segment, as those
	// with a post-quantum key share are.
	small := row("D19 no hello over 1 400 bytes", old, checker.ReasonTLS)
	small.secure = func(_ context.Context, conn net.Conn) {
		var hello [16 << 10]byte
		if n, err := conn.Read(hello[:]); err == nil && n > 1400 {
			conn.Write([]byte{21, 3, 3, 0, 2, 2, 40}) // alert: handshake_failure
		}
	}
	runFaults(t, []fault{
		row("D9 no common cipher", old, checker.ReasonTLS),
		row("D17, I6 a certificate of 10 000 names", ca.Config(hostile.Cert{Names: names(10_000)}), ""),
		row("D17 a certificate over 256 KiB", ca.Config(hostile.Cert{Names: names(20_000)}), checker.ReasonTLS),
		row("D18 an RSA key of 16 384 bits", ca.Config(hostile.Cert{Names: names(0), Key: newHugeKey(16384)}), checker.ReasonTLS),
		small,
	})
}

// frames is a server of HTTP/2 alone that answers a request as it likes.
func frames(ca *hostile.CA, answer func(fr *http2.Framer, stream uint32) error) hostile.Handler {
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	conf.NextProtos = []string{"h2"}
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
		}, []checker.Reason{checker.ReasonMalformed}},
		{"E23 the stream is refused", func(fr *http2.Framer, s uint32) error { return fr.WriteRSTStream(s, http2.ErrCodeRefusedStream) },
			[]checker.Reason{checker.ReasonTimeout, checker.ReasonMalformed}}, // net/http asks again for as long as it may
		{"E23 a protocol error", func(fr *http2.Framer, s uint32) error { return fr.WriteRSTStream(s, http2.ErrCodeProtocol) },
			[]checker.Reason{checker.ReasonMalformed}},
		{"E5 status 99", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "99") }, []checker.Reason{checker.ReasonMalformed}},
		{"E6 status 000", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "000") }, []checker.Reason{checker.ReasonMalformed}},
		{"E6 status +20", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "+20") }, []checker.Reason{checker.ReasonMalformed}},
		{"E5 status -200", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "-200") }, []checker.Reason{checker.ReasonMalformed}},
		{"E5 status 2000", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "2000") }, []checker.Reason{checker.ReasonMalformed}},
		{"E6 status 999", func(fr *http2.Framer, s uint32) error { return headers(fr, s, true, ":status", "999") }, []checker.Reason{""}},
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
			c := faults.NewChecker(t, checker.WithTimeout(500*time.Millisecond), checker.WithRetries(0),
				checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}))
			start := time.Now()
			r := c.Check(t.Context(), s.URLS())
			took := time.Since(start)
			for _, reason := range test.reasons {
				if r.Reason() == reason && r.Online() == (reason == "") && took < 750*time.Millisecond {
					return
				}
			}
			t.Errorf("Check() = %v after %v; want one of %q within 500ms", r, took, test.reasons)
		})
	}
}
