package dnstest

import (
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// Replies of a resolver.
var (
	NoData   = Code(dnsmessage.RCodeSuccess)
	NXDomain = Code(dnsmessage.RCodeNameError)
	ServFail = Code(dnsmessage.RCodeServerFailure)
	Refused  = Code(dnsmessage.RCodeRefused)
	NotImp   = Code(dnsmessage.RCodeNotImplemented)
	FormErr  = Code(dnsmessage.RCodeFormatError)
)

// Code answers with a code and nothing else.
func Code(c dnsmessage.RCode) Reply { return func(q *Query) [][]byte { return Pack(q.Header(c)) } }

// Silent does not answer.
func Silent(*Query) [][]byte { return nil }

// Lame answers as a server that neither knows the name nor asks others.
func Lame(q *Query) [][]byte {
	m := q.Header(dnsmessage.RCodeSuccess)
	m.RecursionAvailable = false
	return Pack(m)
}

// Hangup closes a connection without an answer.
func Hangup(*Query) [][]byte { return [][]byte{nil} }

// Bare is r without all that follows the header.
func Bare(r Reply) Reply {
	return func(q *Query) [][]byte {
		all := r(q)
		for i, b := range all {
			all[i] = append(b[:4:4], make([]byte, 8)...)
		}
		return all
	}
}

// Addrs answers with those addresses that the question's type fits, behind the
// aliases that stand before them.
func Addrs(all ...string) Reply { return func(q *Query) [][]byte { return Pack(q.With(all...)) } }

// Per answers the families differently.
func Per(a, aaaa Reply) Reply {
	return func(q *Query) [][]byte {
		if q.Questions[0].Type == dnsmessage.TypeA {
			return a(q)
		}
		return aaaa(q)
	}
}

// Seq answers the n-th question of a kind by the n-th reply, and all further ones
// by the last.
func Seq(all ...Reply) Reply {
	return func(q *Query) [][]byte { return all[min(q.N, len(all))-1](q) }
}

// Cut answers by r over TCP, and says so over UDP.
func Cut(r Reply) Reply {
	return func(q *Query) [][]byte {
		if !q.UDP {
			return r(q)
		}
		m := q.Header(dnsmessage.RCodeSuccess)
		m.Truncated = true
		return Pack(m)
	}
}

// EDNS answers questions with EDNS by edns, and others by plain.
func EDNS(edns, plain Reply) Reply {
	return func(q *Query) [][]byte {
		if q.EDNS {
			return edns(q)
		}
		return plain(q)
	}
}

// After answers by bytes that stand before what r answers.
func After(before func(q *Query) [][]byte, r Reply) Reply {
	return func(q *Query) [][]byte { return append(before(q), r(q)...) }
}

// Pack returns a message as it is sent.
func Pack(m dnsmessage.Message) [][]byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return [][]byte{b}
}

// Header returns an answer to the question that has no records.
func (q *Query) Header(code dnsmessage.RCode) dnsmessage.Message {
	h := dnsmessage.Header{ID: q.ID, Response: true, RecursionDesired: true, RecursionAvailable: true, RCode: code}
	return dnsmessage.Message{Header: h, Questions: append([]dnsmessage.Question(nil), q.Questions...)}
}

// With returns an answer as Addrs gives it. Its records may be kept for 60
// seconds, and each for one more than that before it.
func (q *Query) With(all ...string) dnsmessage.Message {
	m := q.Header(dnsmessage.RCodeSuccess)
	name := q.Questions[0].Name
	for i, s := range all {
		h := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: uint32(60 + i)}
		a, err := netip.ParseAddr(s)
		switch {
		case err != nil:
			name = dnsmessage.MustNewName(s + ".")
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.CNAMEResource{CNAME: name}})
		case a.Is4() && q.Questions[0].Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
		case a.Is6() && q.Questions[0].Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return m
}

// Or is r, or other if there is no r.
func (r Reply) Or(other Reply) Reply {
	if r == nil {
		return other
	}
	return r
}
