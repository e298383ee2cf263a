package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"example.com/checker/internal/bubble"
)

func TestBody(t *testing.T) {
	const length, chunked = "Content-Length: 5\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"
	for _, tt := range []struct {
		name   string
		method string
		raw    string // with | between what is written at once
		want   string
		err    error
	}{
		{"length", "GET", ok + length + "hello", "hello", nil},
		{"length, apart", "GET", ok + length + "|he|llo", "hello", nil},
		{"E16 longer than its length", "GET", ok + length + "hello, world", "hello", nil},
		{"E16 shorter than its length", "GET", ok + length + "hel", "hel", io.ErrUnexpectedEOF},
		{"E16 no body for its length", "GET", ok + length, "", io.ErrUnexpectedEOF},
		{"length 0", "GET", ok + "Content-Length: 0\r\n\r\nhello", "", nil},
		{"chunked", "GET", ok + chunked + "5\r\nhello\r\n0\r\n\r\n", "hello", nil},
		{"chunked, apart", "GET", ok + chunked + "|2\r\nh|e\r\n3\r|\nllo\r\n0\r\n\r\n", "hello", nil},
		{"chunked, cut", "GET", ok + chunked + "5\r\nhel", "hel", io.ErrUnexpectedEOF},
		{"chunked, no last chunk", "GET", ok + chunked + "5\r\nhello\r\n", "hello", io.ErrUnexpectedEOF},
		{"chunked and a length", "GET", ok + "Content-Length: 1\r\n" + chunked + "5\r\nhello\r\n0\r\n\r\n", "hello", nil},
		{"E15 bad chunk size", "GET", ok + chunked + "zz\r\nhello\r\n", "", errAny},
		{"E15 huge chunk size", "GET", ok + chunked + "fffffffffffffffff\r\nhello\r\n", "", errAny},
		{"E15 chunk lines end in LF", "GET", ok + chunked + "5\nhello\n0\n\n", "hello", nil},
		{"E15 LF after the data", "GET", ok + chunked + "5\r\nhello\n0\r\n\r\n", "hello", nil},
		{"E15 chunk lines, apart", "GET", ok + chunked + "5|;|a|\r|\nhello|\r|\n0|\r|\n\r\n", "hello", nil},
		{"E15 spaces before an extension", "GET", ok + chunked + "5 \t ;a=b\r\nhello\r\n0 ;a\r\n\r\n", "hello", nil},
		{"E15 CR in an extension", "GET", ok + chunked + "5;a\rb\r\nhello\r\n0\r\n\r\n", "hello", nil},
		{"E15 NUL in an extension", "GET", ok + chunked + "5;\x00\r\nhello\r\n0\r\n\r\n", "hello", nil},
		{"E15 a long extension", "GET", ok + chunked + "5;" + strings.Repeat("a", 100_000) + "\r\nhello\r\n0\r\n\r\n", "hello", nil},
		{"E15 long extensions", "GET", ok + chunked + strings.Repeat("1;"+strings.Repeat("a", 100)+"\r\nx\r\n", 1000) + "0\r\n\r\n", strings.Repeat("x", 1000), nil},
		{"E15 padded sizes", "GET", ok + chunked + strings.Repeat("1"+strings.Repeat(" ", 30)+"\r\nx\r\n", 5000) + "0\r\n\r\n", strings.Repeat("x", 5000), nil},
		{"E15 many digits", "GET", ok + chunked + strings.Repeat("0", 30) + "5\r\nhello\r\n" + strings.Repeat("0", 30) + "\r\n\r\n", "hello", nil},
		{"E15 digits of both cases", "GET", ok + chunked + "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", nil},
		{"E15 words behind a size", "GET", ok + chunked + "5 bytes\r\nhello\r\n0\r\n\r\n", "hello", nil},
		{"E15 two CR behind a size", "GET", ok + chunked + "5\r\r\nhello\r\n0\r\n\r\n", "hello", nil},
		{"E15 bad trailers", "GET", ok + chunked + "5\r\nhello\r\n0\r\n\x00\r\n", "hello", nil},
		{"E15 0x", "GET", ok + chunked + "0x5\r\nhello\r\n0\r\n\r\n", "", errAny},
		{"E15 signs before a size", "GET", ok + chunked + "+5\r\nhello\r\n0\r\n\r\n", "", errAny},
		{"E15 a space before a size", "GET", ok + chunked + " 5\r\nhello\r\n0\r\n\r\n", "", errAny},
		{"E15 no size", "GET", ok + chunked + ";a\r\nhello\r\n0\r\n\r\n", "", errAny},
		{"E15 2^63", "GET", ok + chunked + "8000000000000000\r\nhello", "", errAny},
		{"E15 2^63-1", "GET", ok + chunked + "7fffffffffffffff\r\nhello", "hello", io.ErrUnexpectedEOF},
		{"E15 longer than its size", "GET", ok + chunked + "5\r\nhello, world\r\n0\r\n\r\n", "hello", errAny},
		{"E15 shorter than its size", "GET", ok + chunked + "7\r\nhello\r\n0\r\n\r\n", "hello\r\n", errAny},
		{"E15 another byte in place of the end", "GET", ok + chunked + "5\r\nhello!5\r\nworld\r\n0\r\n\r\n", "hello", errAny},
		{"E15 a line between chunks", "GET", ok + chunked + "5\r\nhello\r\n\r\n0\r\n\r\n", "hello", errAny},
		{"E15 an extension without end", "GET", ok + chunked + "5\r\nhello\r\n5;" + strings.Repeat("a", 16*MaxBody) + "\r\nworld\r\n0\r\n\r\n", "hello", io.ErrUnexpectedEOF},
		{"until the end", "GET", ok + "\r\n|hel|lo", "hello", nil},
		{"until the end, HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\n\r\nhello", "hello", nil},
		{"E17 HEAD", "HEAD", ok + length + "hello", "", nil},
		{"E17 204", "GET", "HTTP/1.1 204 No Content\r\n" + length + "hello", "", nil},
		{"E17 304", "GET", "HTTP/1.1 304 Not Modified\r\n" + length + "hello", "", nil},
		{"101", "GET", "HTTP/1.1 101 Switching Protocols\r\n\r\nhello", "", nil},
		{"after a 103", "GET", "HTTP/1.1 103 Early Hints\r\n\r\n" + ok + length + "hello", "hello", nil},
		{"limit", "GET", ok + "\r\n" + strings.Repeat("x", MaxBody+9), strings.Repeat("x", MaxBody), nil},
		{"I1 limit with a length", "GET", ok + "Content-Length: 10000000000\r\n\r\n" + strings.Repeat("x", MaxBody+9), strings.Repeat("x", MaxBody), nil},
		{"I2 limit with chunks", "GET", ok + chunked + strings.Repeat("400\r\n"+strings.Repeat("x", 1<<10)+"\r\n", 1025), strings.Repeat("x", MaxBody), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				rt := serve(answer(strings.Split(tt.raw, "|")...))
				resp, err := rt.roundTrip(newRequest(t.Context(), tt.method, "http://h.test/"))
				if err != nil {
					t.Fatalf("exchange error = %v; want nil", err)
				}
				got, err := io.ReadAll(resp.Body)
				if string(got) != tt.want {
					t.Errorf("body = %.50q of %d bytes; want %.50q of %d", got, len(got), tt.want, len(tt.want))
				}
				if !errors.Is(err, tt.err) && (tt.err != errAny || err == nil) {
					t.Errorf("body error = %v; want %v", err, tt.err)
				}
				if n, err := resp.Body.Read(nil); n != 0 || err == nil && tt.err == nil && tt.want == "" {
					t.Errorf("Read of nothing at the end = %d, %v", n, err)
				}
				resp.Body.Close()
			})
		})
	}
}

// The end of a connection may come along with the last of what it brought, as it does from
// crypto/tls.
func TestBodyWithItsEnd(t *testing.T) {
	for _, tt := range []struct {
		raw, want string
		err       error
	}{
		{"Content-Length: 5\r\n\r\nhello", "hello", nil},
		{"Content-Length: 6\r\n\r\nhello", "hello", io.ErrUnexpectedEOF},
		{"\r\nhello", "hello", nil},
	} {
		bubble.Test(t, func(t *testing.T) {
			rt := serve(answer(ok+tt.raw[:len(tt.raw)-len("hello")], "hello"))
			dial := rt.Dialer.DialContext
			rt.Dialer.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := dial(ctx, network, addr)
				return readerConn{c, iotest.DataErrReader(c)}, err
			}
			resp, err := rt.roundTrip(newRequest(t.Context(), http.MethodGet, "http://h.test/"))
			if err != nil {
				t.Fatalf("exchange error = %v; want nil", err)
			}
			if got, err := io.ReadAll(resp.Body); string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("body of %q = %q, %v; want %q, %v", tt.raw, got, err, tt.want, tt.err)
			}
			resp.Body.Close()
		})
	}
}

// errAny stands for any error.
var errAny = errors.New("any error")

func TestBodyClose(t *testing.T) {
	for _, read := range []int{0, 3} {
		bubble.Test(t, func(t *testing.T) {
			ended := false
			rt := serve(func(c net.Conn) {
				answer(ok + "Content-Length: 10\r\n\r\nhello")(c)
				silence(c)
				ended = true
			})
			resp, err := rt.roundTrip(newRequest(t.Context(), http.MethodGet, "http://h.test/"))
			if err != nil {
				t.Fatalf("exchange error = %v; want nil", err)
			}
			io.ReadFull(resp.Body, make([]byte, read))
			for range 2 {
				if err := resp.Body.Close(); err != nil {
					t.Errorf("Close = %v; want nil", err)
				}
			}
			synctest.Wait()
			if !ended {
				t.Errorf("after Close the connection is open")
			}
			if n, err := resp.Body.Read(make([]byte, 9)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) {
				t.Errorf("Read after Close = %d, %v; want 0, %v", n, err, http.ErrBodyReadAfterClose)
			}
		})
	}
}

// A buffer goes back for others to use only if nobody can still be reading it.
func TestBodyKeepsReadBuffer(t *testing.T) {
	for _, read := range []bool{false, true} {
		bubble.Test(t, func(t *testing.T) {
			resp, err := serve(answer(ok + "\r\nhello")).roundTrip(newRequest(t.Context(), http.MethodGet, "http://h.test/"))
			if err != nil {
				t.Fatalf("exchange error = %v; want nil", err)
			}
			b := resp.Body.(*body)
			if read {
				b.Read(make([]byte, 1))
			}
			b.Close()
			if kept := len(*b.buf) > 0; kept != read {
				t.Errorf("body was read: %t, its buffer is kept: %t; want the same", read, kept)
			}
		})
	}
}
