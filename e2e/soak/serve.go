package main

import (
	"context"
	"io"
	"net"
	"time"

	"example.com/checker/internal/hostile"
)

// An answer is what a site does once it has a request.
type answer = func(context.Context, net.Conn, request)

func write(conn net.Conn, raw string) { io.WriteString(conn, raw) }

func say(raw string) answer {
	return func(_ context.Context, conn net.Conn, _ request) { write(conn, raw) }
}

func silence(ctx context.Context, conn net.Conn, _ request) { hostile.Silent()(ctx, conn) }

func hangUp(ctx context.Context, conn net.Conn, _ request) { hostile.Reset()(ctx, conn) }

// The functions below return how a kind serves its connections.

// raw serves without reading a request.
func raw(h hostile.Handler) func(*fleet) hostile.Handler {
	return func(*fleet) hostile.Handler { return h }
}

func says(raw string) func(*fleet) hostile.Handler {
	return func(f *fleet) hostile.Handler { return f.asked(say(raw)) }
}

// saysOneOf answers with one of several status lines, each site always with the
// same.
func saysOneOf(lines []string) func(*fleet) hostile.Handler {
	return func(f *fleet) hostile.Handler {
		return f.asked(func(_ context.Context, conn net.Conn, r request) {
			write(conn, lines[r.index%len(lines)]+"\r\nContent-Length: 0\r\n\r\n")
		})
	}
}

func byMethod(head, get answer) func(*fleet) hostile.Handler {
	return func(f *fleet) hostile.Handler {
		return f.asked(func(ctx context.Context, conn net.Conn, r request) {
			if r.method == "HEAD" {
				head(ctx, conn, r)
			} else {
				get(ctx, conn, r)
			}
		})
	}
}

// slowly answers after a while.
func slowly(d time.Duration, raw string) func(*fleet) hostile.Handler {
	return func(f *fleet) hostile.Handler {
		return f.asked(func(ctx context.Context, conn net.Conn, _ request) {
			if wait(ctx, d) {
				write(conn, raw)
			}
		})
	}
}

// trickle answers a byte at a time.
func trickle(raw string, every time.Duration) func(*fleet) hostile.Handler {
	return func(f *fleet) hostile.Handler {
		return f.asked(func(ctx context.Context, conn net.Conn, _ request) {
			for i := range raw {
				if _, err := io.WriteString(conn, raw[i:i+1]); err != nil || !wait(ctx, every) {
					return
				}
			}
		})
	}
}

// secured answers well behind a handshake with one of the fleet's certificates.
func secured(config string) func(*fleet) hostile.Handler {
	return func(f *fleet) hostile.Handler {
		return hostile.TLS(f.configs[config], f.asked(say(hostile.OK)))
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
