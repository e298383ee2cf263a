//go:build linux

package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/miekg/dns"

	"example.com/checker/internal/resolve"
)

// BenchmarkLookup looks names up by themselves, in both families over UDP: by our
// resolver, by that of package net and, as one would without either, by a client of
// package dns, which does not read any file, knows no second server, and asks on
// one connection for one family after the other. The nameserver is in this
// process, and what it allocates is counted with each of them.
func BenchmarkLookup(b *testing.B) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	go answerDNS(c, 0)
	server := c.LocalAddr().(*net.UDPAddr).AddrPort()
	for _, one := range []struct {
		name   string
		lookup func(ctx context.Context, name string) (found int, err error)
	}{
		{"checker", lookupOurs(b, server)},
		{"net", lookupNet(server)},
		{"miekg-dns", lookupDNS(server)},
	} {
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				name := "h" + strconv.Itoa(i%10_000) + "." + zone + "."
				if n, err := one.lookup(b.Context(), name); n != 1 || err != nil {
					b.Fatalf("%s: lookup(%q) = %d addresses, %v; want 1", one.name, name, n, err)
				}
				i++
			}
		})
	}
}

// lookupOurs looks up as a Checker does within a batch.
func lookupOurs(b *testing.B, server netip.AddrPort) func(context.Context, string) (int, error) {
	dir := b.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
		return path
	}
	r := resolve.New(resolve.Config{
		Hosts:      file("hosts", "127.0.0.1 localhost\n"),
		ResolvConf: file("resolv.conf", "nameserver "+server.Addr().String()+"\n"),
		NSSwitch:   file("nsswitch.conf", "hosts: files dns\n"),
		Run:        dir,
		Server:     func(netip.Addr) netip.AddrPort { return server },
	})
	r.Begin()
	b.Cleanup(r.End)
	return func(ctx context.Context, name string) (found int, err error) {
		r.Lookup(ctx, name, func(a resolve.Answer) {
			found += len(a.Addrs)
			if a.Family == resolve.IP4 {
				err = a.Err
			}
		})
		return found, err
	}
}

func lookupNet(server netip.AddrPort) func(context.Context, string) (int, error) {
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.String())
	}}
	return func(ctx context.Context, name string) (int, error) {
		addrs, err := r.LookupNetIP(ctx, "ip", name)
		return len(addrs), err
	}
}

func lookupDNS(server netip.AddrPort) func(context.Context, string) (int, error) {
	c := new(dns.Client)
	return func(ctx context.Context, name string) (found int, err error) {
		conn, err := c.DialContext(ctx, server.String())
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		for _, typ := range []uint16{dns.TypeA, dns.TypeAAAA} {
			m := new(dns.Msg).SetQuestion(name, typ)
			m.SetEdns0(1232, false)
			in, _, err := c.ExchangeWithConnContext(ctx, m, conn)
			if err != nil {
				return found, err
			}
			found += len(in.Answer)
		}
		return found, nil
	}
}
