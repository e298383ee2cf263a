package wire

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

func TestRoundTrip(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var sent string
		rt := serve(func(c net.Conn) {
			sent = readRequest(c)
			io.WriteString(c, "HTTP/1.0 404 Not Found\r\nA: b\r\n\r\n")
		})
		req := newRequest(t.Context(), http.MethodHead, "http://h.test/a")
		resp, err := rt.roundTrip(req)
		if err != nil {
			t.Fatalf("exchange error = %v; want nil", err)
		}
		if resp.Status != "404 Not Found" || resp.StatusCode != 404 || resp.Proto != "HTTP/1.0" || resp.ProtoMajor != 1 || resp.ProtoMinor != 0 {
			t.Errorf("response = %s %s; want HTTP/1.0 404 Not Found", resp.Proto, resp.Status)
		}
		if resp.Header.Get("A") != "b" || resp.ContentLength != -1 || !resp.Close || resp.Request != req || resp.TLS != nil || resp.TransferEncoding != nil {
			t.Errorf("response = %+v", resp)
		}
		if err := resp.Body.Close(); err != nil {
			t.Errorf("Close = %v; want nil", err)
		}
		synctest.Wait()
		if want := "HEAD /a HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n"; sent != want {
			t.Errorf("server reads %q; want %q", sent, want)
		}
	})
}

// A judge is told the version as net/http tells it: higher ones count as HTTP/1.1.
func TestProto(t *testing.T) {
	for line, want := range map[string]string{
		"HTTP/1.1 200": "HTTP/1.1", "HTTP/1.0 200": "HTTP/1.0", "HTTP/1.2 200": "HTTP/1.2", "HTTP/1.9 200": "HTTP/1.9", "HTTP/2 200": "HTTP/1.1", "ICY 200": "HTTP/1.0",
	} {
		hd, _, err := readHead(strings.NewReader(line+"\r\n\r\n"), false)
		if err != nil {
			t.Fatal(err)
		}
		resp := hd.response()
		if got := fmt.Sprintf("HTTP/%d.%d", resp.ProtoMajor, resp.ProtoMinor); resp.Proto != want || got != want {
			t.Errorf("response to %q is in %s, %s; want %s", line, resp.Proto, got, want)
		}
	}
}

// What an error quotes says where the fault is: what stands before a NUL, and otherwise how
// it begins.
func TestHeadErrorQuotes(t *testing.T) {
	a, x := strings.Repeat("a", 100), strings.Repeat("x", 32)
	for _, tt := range []struct{ raw, want string }{
		{ok + "A: " + a + x + "\x00" + a + "\r\n\r\n", `NUL in the head, after "` + x + `"`},
		{x + x + a, `no HTTP response: "` + x + x + `"`},
		{"HTTP/1.1 abc" + a + "\r\n", `malformed status line "HTTP/1.1 abc` + a[:52] + `"`},
		{settings[:9], `an HTTP/2 frame in place of an HTTP/1 response: "\x00\x00\x06\x04\x00\x00\x00\x00\x00"`},
	} {
		if _, _, err := readHead(strings.NewReader(tt.raw), false); err == nil || err.Error() != tt.want {
			t.Errorf("read of %.80q = %v; want %s", tt.raw, err, tt.want)
		}
	}
}

// Garbage is refused when it comes, and not only when the peer has nothing more
// to say.
func TestGarbageThenSilence(t *testing.T) {
	for _, tt := range heads {
		if tt.want != "malformed" && tt.want != "large" || len(tt.raw) <= slop { // which a head may follow
			continue
		}
		bubble.Test(t, func(t *testing.T) {
			rt := serve(func(c net.Conn) {
				answer(tt.raw)(c)
				silence(c)
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			began := time.Now()
			_, err := rt.roundTrip(newRequest(ctx, http.MethodHead, "http://h.test/"))
			if got := outcome(head{}, nil, err); got != tt.want || time.Since(began) != 0 {
				t.Errorf("%s: RoundTrip = %v after %v; want %q at once", tt.name, err, time.Since(began), tt.want)
			}
		})
	}
}

// A server that answers before it has read the request, or that closes then,
// has answered.
func TestAnswerFirst(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		rt := serve(func(c net.Conn) {
			go readRequest(c)
			io.WriteString(c, ok+"\r\n")
		})
		resp, err := rt.roundTrip(newRequest(t.Context(), http.MethodGet, "http://h.test/"))
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("RoundTrip = %v, %v; want 200", resp, err)
		}
		resp.Body.Close()
	})
}

// Exchanges use their buffers one after another, never at once: what one was
// told stays as it was, also after others have been made.
func TestBuffersNotShared(t *testing.T) {
	rt := serve(func(c net.Conn) {
		path := strings.Fields(readRequest(c))[1]
		fmt.Fprintf(c, "%sPath: %s\r\nContent-Length: 100\r\n\r\n%s", ok, path, strings.Repeat(path[1:], 10))
	})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			var all []*http.Response
			for i := range 50 {
				path := fmt.Sprintf("/%d%09d", w, i)
				resp, err := rt.roundTrip(newRequest(t.Context(), http.MethodGet, "http://h.test"+path))
				if err != nil {
					t.Errorf("exchange error = %v; want nil", err)
					return
				}
				if i%3 > 0 { // some bodies are not read, some not to the end
					got := make([]byte, 10*i%101)
					io.ReadFull(resp.Body, got)
					if want := strings.Repeat(path[1:], 10)[:len(got)]; string(got) != want {
						t.Errorf("body = %q; want %q", got, want)
					}
				}
				resp.Body.Close()
				all = append(all, resp)
			}
			for i, resp := range all {
				if got, want := resp.Header.Get("Path"), fmt.Sprintf("/%d%09d", w, i); got != want || resp.Status != "200 OK" {
					t.Errorf("response has become %q of %q; want 200 OK of %q", resp.Status, got, want)
				}
			}
		})
	}
	wg.Wait()
}
