//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// zone is the domain of all names here.
const zone = "bench.test"

// nameserver returns the address of the i-th nameserver. Its port is 53, since
// resolv.conf has no room for another one, and on an address of its own it is not
// in the way of a resolver of this machine.
func nameserver(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 53, 0, byte(1 + i)}) }

// serveDNS is the process of the nameservers: they know the IPv4 address of each
// h0.bench.test, h1.bench.test and so on, and of no other name. It reads from in
// after which delay each is to answer, tells their addresses, and ends when in
// does.
func serveDNS(in io.Reader, tell func(any) error) error {
	var delays []time.Duration
	if err := readLine(in, &delays); err != nil {
		return err
	}
	failed := make(chan error, len(delays))
	var addrs []netip.Addr
	for i, delay := range delays {
		addr := nameserver(i)
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 53)))
		if err != nil {
			return err
		}
		if err := widen(c); err != nil {
			return err
		}
		addrs = append(addrs, addr)
		go func() { failed <- answerDNS(c, delay) }()
	}
	if err := tell(addrs); err != nil {
		return err
	}
	return untilEnd(in, failed)
}

// widen makes room for a question of every check at once: one that is lost is
// asked again after five seconds, and that would be measured instead. Where only
// less is to be had, there will be less.
func widen(c *net.UDPConn) error {
	const room = 32 << 20
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) != nil {
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, room)
		}
	})
}

// A held answer is one that is sent later.
type heldAnswer struct {
	msg  []byte
	to   netip.AddrPort
	when time.Time
}

// answerDNS answers all queries, each after the delay. One that cannot be read
// gets no answer.
func answerDNS(c *net.UDPConn, delay time.Duration) error {
	held := make(chan heldAnswer, 1<<16)
	go func() {
		for a := range held {
			time.Sleep(time.Until(a.when))
			c.WriteToUDPAddrPort(a.msg, a.to) // a lost answer is asked for again
		}
	}()
	defer close(held)
	var in, out [512]byte
	for {
		n, from, err := c.ReadFromUDPAddrPort(in[:])
		if err != nil {
			return err
		}
		msg, err := reply(out[:0], in[:n])
		switch {
		case err != nil:
		case delay == 0:
			c.WriteToUDPAddrPort(msg, from)
		default:
			held <- heldAnswer{append([]byte(nil), msg...), from, time.Now().Add(delay)}
		}
	}
}

// reply appends the answer to a query.
func reply(b, query []byte) ([]byte, error) {
	var p dnsmessage.Parser
	head, err := p.Start(query)
	if err != nil {
		return nil, err
	}
	q, err := p.Question()
	if err != nil {
		return nil, err
	}
	var i int
	known := strings.HasSuffix(q.Name.String(), "."+zone+".")
	if _, err := fmt.Sscanf(q.Name.String(), "h%d.", &i); err != nil || !known {
		head.RCode = dnsmessage.RCodeNameError
	}
	head.Response, head.Authoritative = true, true
	out := dnsmessage.NewBuilder(b, head)
	out.StartQuestions()
	out.Question(q)
	out.StartAnswers()
	if head.RCode == dnsmessage.RCodeSuccess && q.Type == dnsmessage.TypeA {
		out.AResource(dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
			dnsmessage.AResource{A: loopback(i).As4()})
	}
	return out.Finish()
}
