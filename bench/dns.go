//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is the domain of all names here.
const zone = "bench.test"

// serveDNS is the process of the DNS server: it knows the IPv4 address of each
// h0.bench.test, h1.bench.test and so on, and of no other name. It ends when in
// does.
func serveDNS(in io.Reader, tell func(any) error) error {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	if err := tell(c.LocalAddr().String()); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- answerDNS(c) }()
	return untilEnd(in, failed)
}

// answerDNS answers all queries. One that cannot be read gets no answer.
func answerDNS(c *net.UDPConn) error {
	var in, out [512]byte
	for {
		n, from, err := c.ReadFromUDPAddrPort(in[:])
		if err != nil {
			return err
		}
		if msg, err := reply(out[:0], in[:n]); err == nil {
			c.WriteToUDPAddrPort(msg, from) // a lost answer is asked for again
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
