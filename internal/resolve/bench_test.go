package resolve

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker/internal/hostile"
	"example.com/checker/internal/resolve/dnstest"
)

// echo is a nameserver that costs little: it answers every question with one
// address that is a constant.
func echo(b testing.TB) string {
	b.Helper()
	c := hostile.ListenUDP(b, "127.0.0.1:0")
	b.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			end := headerLen
			for end < n && buf[end] != 0 {
				end++
			}
			end += 5
			size := 4
			if dnsmessage.Type(binary.BigEndian.Uint16(buf[end-4:])) == dnsmessage.TypeAAAA {
				size = 16
			}
			buf[2], buf[3] = 0x81, 0x80
			copy(buf[4:], []byte{0, 1, 0, 1, 0, 0, 0, 0})
			msg := append(buf[:end], 0xc0, headerLen, buf[end-4], buf[end-3], 0, 1, 0, 0, 0, 60, 0, byte(size))
			for range size {
				msg = append(msg, 32)
			}
			c.WriteToUDPAddrPort(msg, from)
		}
	}()
	return c.LocalAddr().String()
}

// BenchmarkLookup looks one name up in both families, over UDP.
func BenchmarkLookup(b *testing.B) {
	server := echo(b)
	ours := func(b *testing.B) *Resolver {
		f := &dnstest.Server{Addr: netip.MustParseAddrPort(server)}
		return world{servers: []*dnstest.Server{f}}.resolver(b)
	}
	net := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	names := make([]string, 1024) // lookups of one name at once are one for package net
	for i := range names {
		names[i] = fmt.Sprintf("www%d.example.com.", i)
	}
	var turn atomic.Uint32
	next := func() string { return names[turn.Add(1)%uint32(len(names))] }
	b.Run("resolve", func(b *testing.B) {
		r := ours(b)
		b.ReportAllocs()
		for b.Loop() {
			r.Lookup(ctx, "www.example.com", func(a Answer) {
				if a.Err != nil {
					b.Fatal(a.Err)
				}
			})
		}
	})
	b.Run("net", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := net.LookupNetIP(ctx, "ip", "www.example.com."); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("resolve parallel", func(b *testing.B) {
		r := ours(b)
		b.ReportAllocs()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				r.Lookup(ctx, next(), func(Answer) {})
			}
		})
	})
	b.Run("net parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				net.LookupNetIP(ctx, "ip", next())
			}
		})
	})
}

// A lookup of both families on a used socket costs less than one allocation a
// record would.
func TestAllocations(t *testing.T) {
	const most = 12
	f := &dnstest.Server{Addr: netip.MustParseAddrPort(echo(t))}
	r := world{servers: []*dnstest.Server{f}}.resolver(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := testing.AllocsPerRun(200, func() { r.Lookup(ctx, "www.example.com", func(Answer) {}) })
	if n > most {
		t.Errorf("a lookup makes %v allocations; want at most %d", n, most)
	}
}
