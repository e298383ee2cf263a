package resolve

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker/internal/hostile"
	"example.com/checker/internal/resolve/dnstest"
)

// unused returns an address on which nobody listens.
func unused(t *testing.T) netip.AddrPort {
	t.Helper()
	c := hostile.ListenUDP(t, "127.0.0.1:0")
	defer c.Close()
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// O8: a server that cannot do EDNS is asked without, and once that helped, always.
func TestEDNS(t *testing.T) {
	good := addrs("192.0.2.1", "2001:db8::1")
	garbage := func(q *query) [][]byte {
		return [][]byte{append(dnstest.Pack(q.Header(0))[0][:headerLen], 0xff)}
	}
	version := func(q *query) [][]byte {
		m := q.Header(0)
		var h dnsmessage.ResourceHeader
		h.SetEDNS0(512, 16, false)
		m.Additionals = append(m.Additionals, dnsmessage.Resource{Header: h, Body: &dnsmessage.OPTResource{}})
		return dnstest.Pack(m)
	}
	for name, edns := range map[string]reply{
		"FORMERR": dnstest.FormErr, "FORMERR without the question": dnstest.Bare(dnstest.FormErr), "NOTIMP": dnstest.NotImp, "silence": silent, "garbage": garbage, "another version": version,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := dnstest.Serve(t, zone{"*": dnstest.EDNS(edns, good)})
			r := world{resolv: "options edns0 timeout:1 attempts:1", servers: []*dnstest.Server{f}}.resolver(t)
			for range 2 {
				a4, a6 := look(t, r, "a.test")
				if say(a4) != "192.0.2.1" || say(a6) != "2001:db8::1" {
					t.Errorf("Lookup = %v, %v; want the addresses", a4, a6)
				}
			}
			want := "A a.test edns, AAAA a.test edns, A a.test, AAAA a.test, A a.test, AAAA a.test"
			if got := strings.Join(f.Asked(), ", "); got != want {
				t.Errorf("asked %s; want %s", got, want)
			}
		})
	}
	for name, n := range map[string]int{"the answer behind the OPT record": 2, "more than is kept behind the OPT record": maxAddrs + 1} {
		t.Run(name, func(t *testing.T) {
			var all []string
			for i := range n {
				all = append(all, fmt.Sprintf("192.0.2.%d", i), fmt.Sprintf("2001:db8::%d", i+1))
			}
			f := dnstest.Serve(t, zone{"*": func(q *query) [][]byte {
				m := q.With(all...)
				m.Answers, m.Additionals = q.Additionals, m.Answers
				return dnstest.Pack(m)
			}})
			r := world{resolv: "options edns0", servers: []*dnstest.Server{f}}.resolver(t)
			a4, a6 := look(t, r, "a.test")
			if len(a4.Addrs) != min(n, maxAddrs) || len(a6.Addrs) != min(n, maxAddrs) || a4.Addrs[0] != netip.MustParseAddr(all[0]) || len(f.Asked()) != 2 {
				t.Errorf("Lookup = %v, %v by %d questions; want %d addresses each by two", a4, a6, len(f.Asked()), min(n, maxAddrs))
			}
		})
	}
}

// Only the answer to the question counts, however many others come first.
func TestForged(t *testing.T) {
	forge := func(q *query) [][]byte {
		var all [][]byte
		add := func(change func(*dnsmessage.Message)) {
			m := q.With("127.0.0.66", "::66")
			change(&m)
			all = append(all, dnstest.Pack(m)...)
		}
		for i := range 40 {
			add(func(m *dnsmessage.Message) { m.ID += uint16(1+i) ^ 0x5555 })
		}
		add(func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("other.test.") })
		add(func(m *dnsmessage.Message) {
			m.Questions = []dnsmessage.Question{{Name: q.Questions[0].Name, Type: dnsmessage.TypeMX, Class: dnsmessage.ClassINET}}
		})
		add(func(m *dnsmessage.Message) {
			m.Questions = []dnsmessage.Question{{Name: q.Questions[0].Name, Type: q.Questions[0].Type, Class: dnsmessage.ClassCHAOS}}
		})
		add(func(m *dnsmessage.Message) { m.Response = false })
		add(func(m *dnsmessage.Message) { m.Questions = nil })
		add(func(m *dnsmessage.Message) { m.Questions = append(m.Questions[:1:1], m.Questions...) })
		all = append(all, []byte{}, []byte{1}, q.Raw)
		return all
	}
	f := dnstest.Serve(t, zone{"*": dnstest.After(forge, addrs("192.0.2.1", "2001:db8::1"))})
	r := world{servers: []*dnstest.Server{f}}.resolver(t)
	for range 50 {
		if a4, a6 := look(t, r, "a.test"); say(a4) != "192.0.2.1" || say(a6) != "2001:db8::1" {
			t.Fatalf("Lookup = %v, %v; want the addresses", say(a4), say(a6))
		}
	}
}

// What cannot be read fails at once, and is not waited for.
func TestMalformed(t *testing.T) {
	after := func(b ...byte) reply { return func(q *query) [][]byte { return [][]byte{append(q.Raw[:2:2], b...)} } }
	cut := func(q *query) [][]byte {
		b := addrs("192.0.2.1", "2001:db8::1")(q)[0]
		return [][]byte{b[:len(b)-1]}
	}
	for name, r := range map[string]reply{
		"short header":     after(0x80),
		"compression loop": after(0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1),
		"record overrun":   cut,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{resolv: "options attempts:1", servers: []*dnstest.Server{dnstest.Serve(t, zone{"*": r})}}
			began := time.Now()
			a4, a6 := look(t, w.resolver(t), "a.test.")
			if why(a4).Kind != Malformed || why(a6).Kind != Malformed || time.Since(began) > 2*time.Second {
				t.Errorf("Lookup = %v, %v after %v; want malformed at once", a4.Err, a6.Err, time.Since(began))
			}
		})
	}
}

// The family that is known first is told first; what the end of the context leaves
// open is the resolver's silence, with what was heard before.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	w := world{servers: []*dnstest.Server{
		dnstest.Serve(t, zone{"*": servfail}),
		dnstest.Serve(t, zone{"*": per(addrs("192.0.2.1"), silent)}),
	}}
	r := w.resolver(t)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	var got []Answer
	r.Lookup(ctx, "a.test", func(a Answer) {
		got = append(got, a)
		cancel(cause)
	})
	if len(got) != 2 || say(got[0]) != "192.0.2.1" || got[1].Err == nil {
		t.Fatalf("Lookup settled %v; want the address, then an error", got)
	}
	e := why(got[1])
	if !errors.Is(e, cause) || len(e.Failures) != 2 || e.Failures[0].Kind != ServFail || e.Failures[1].Kind != Silent {
		t.Errorf("the error is %v, %v; want that of the context after a SERVFAIL and silence", e, e.Failures)
	}

	w = world{servers: []*dnstest.Server{dnstest.Serve(t, zone{"*": silent})}}
	r = w.resolver(t)
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	began := time.Now()
	a4, _ := lookIn(ctx, t, r, "a.test")
	if why(a4).Kind != Silent || !errors.Is(a4.Err, context.DeadlineExceeded) || time.Since(began) > time.Second {
		t.Errorf("Lookup = %v after %v; want silence at the end of the context", a4.Err, time.Since(began))
	}
	if n := len(w.servers[0].Asked()); n != 2 {
		t.Errorf("%d questions were sent; want 2", n)
	}
	ctx, stop = context.WithCancel(t.Context())
	stop()
	if a4, _ = lookIn(ctx, t, r, "a.test"); why(a4).Kind != Silent || !errors.Is(a4.Err, context.Canceled) {
		t.Errorf("Lookup in a context that is over = %v; want its end", a4.Err)
	}
}

// A thousand forged answers cost no more than to read them.
func TestManyForged(t *testing.T) {
	c := hostile.ListenUDP(t, "127.0.0.1:0")
	var wg sync.WaitGroup
	defer wg.Wait()
	defer c.Close()
	wg.Go(func() {
		buf := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			q := &query{Raw: append([]byte(nil), buf[:n]...), UDP: true}
			if q.Unpack(q.Raw) != nil {
				return
			}
			for i := range 1000 {
				m := q.With("127.0.0.66", "::66")
				m.ID ^= 1 << (i % 16)
				c.WriteTo(dnstest.Pack(m)[0], from)
				if i%50 == 0 {
					time.Sleep(time.Millisecond) // there is only so much room in a socket
				}
			}
			c.WriteTo(addrs("192.0.2.1")(q)[0], from)
		}
	})
	server := &dnstest.Server{Addr: netip.MustParseAddrPort(c.LocalAddr().String())}
	r := world{resolv: "options no-aaaa", servers: []*dnstest.Server{server}}.resolver(t)
	if a4, _ := look(t, r, "a.test"); say(a4) != "192.0.2.1" {
		t.Errorf("Lookup = %v; want the address", a4)
	}
}

// Addresses may be kept for as long as the shortest-lived record on the way to them.
func TestTTL(t *testing.T) {
	r := world{hosts: "192.0.2.7 here.test", servers: []*dnstest.Server{dnstest.Serve(t, zone{
		"a.test": func(q *query) [][]byte {
			m := q.With("b.test", "c.test", "192.0.2.1")
			m.Answers[1].Header.TTL = 7
			return dnstest.Pack(m)
		},
		"zero.test": func(q *query) [][]byte {
			m := q.With("192.0.2.1", "192.0.2.2")
			if len(m.Answers) > 1 {
				m.Answers[1].Header.TTL = 0
			}
			return dnstest.Pack(m)
		},
		"one.test": func(q *query) [][]byte {
			m := q.With("192.0.2.1", "192.0.2.2")
			if len(m.Answers) > 0 {
				m.Answers[0].Header.TTL = 0
			}
			return dnstest.Pack(m)
		},
		"long.test": func(q *query) [][]byte {
			m := q.With("192.0.2.1")
			if len(m.Answers) > 0 {
				m.Answers[0].Header.TTL = 1<<31 - 1
			}
			return dnstest.Pack(m)
		},
		"huge.test": func(q *query) [][]byte {
			m := q.With("192.0.2.1")
			if len(m.Answers) > 0 {
				m.Answers[0].Header.TTL = 1 << 31
			}
			return dnstest.Pack(m)
		},
	})}}.resolver(t)
	for name, want := range map[string]time.Duration{
		"a.test": 7 * time.Second, "zero.test": 0, "one.test": 0, "long.test": (1<<31 - 1) * time.Second, "huge.test": 0, "here.test": 0,
	} {
		if a4, a6 := look(t, r, name); len(a4.Addrs) == 0 || a4.TTL != want || a6.TTL != 0 {
			t.Errorf("Lookup(%q) = %v, %v; want a TTL of %v", name, a4, a6, want)
		}
	}
}

// A message without a question is an answer only of a server that refuses, and then it has
// nothing else.
func TestAnswersWithoutQuestion(t *testing.T) {
	var q question
	setName(&q.name, "a.test")
	q.typ = dnsmessage.TypeA
	q.pack(7)
	for _, tt := range []struct {
		id    uint16
		code  dnsmessage.RCode
		extra string
		want  bool
	}{
		{7, dnsmessage.RCodeServerFailure, "", true},
		{7, dnsmessage.RCodeRefused, "", true},
		{7, dnsmessage.RCodeFormatError, "", true},
		{7, dnsmessage.RCodeSuccess, "", false},
		{7, dnsmessage.RCodeNameError, "", false},
		{7, dnsmessage.RCodeServerFailure, "x", false},
		{8, dnsmessage.RCodeServerFailure, "", false},
	} {
		b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: tt.id, Response: true, RCode: tt.code})
		msg, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if got := q.answers(append(msg, tt.extra...)); got != tt.want {
			t.Errorf("answers() of a header with ID %d and %v, and %q, to ID 7 = %t; want %t", tt.id, tt.code, tt.extra, got, tt.want)
		}
	}
}
