package hostile

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// An Answer is how a DNS server treats a question.
type Answer struct {
	rcode dnsmessage.RCode
	addrs []netip.Addr
	cname string
	drop  bool
	cut   bool   // truncated over UDP
	noTCP bool   // TCP closes at once
	raw   []byte // in place of all that follows the ID
	noise bool   // forged answers first
	delay time.Duration
	types []dnsmessage.Type // nil: all
	once  bool              // used up by one question
}

// Addrs answers with those of the addresses that the question's type fits.
func Addrs(addrs ...string) Answer {
	var a Answer
	for _, s := range addrs {
		a.addrs = append(a.addrs, netip.MustParseAddr(s))
	}
	return a
}

// NoData answers that the name has no address of that type.
func NoData() Answer { return Answer{} }

// RCode answers with a response code.
func RCode(code dnsmessage.RCode) Answer { return Answer{rcode: code} }

// NXDomain answers that the name does not exist.
func NXDomain() Answer { return RCode(dnsmessage.RCodeNameError) }

// ServFail answers that the server failed.
func ServFail() Answer { return RCode(dnsmessage.RCodeServerFailure) }

// Drop never answers.
func Drop() Answer { return Answer{drop: true} }

// Raw answers with bytes that follow the question's ID.
func Raw(b []byte) Answer { return Answer{raw: b} }

// CNAME answers with an alias, whose addresses are answered along with it.
func CNAME(name string, addrs ...string) Answer {
	a := Addrs(addrs...)
	a.cname = name
	return a
}

// For limits an answer to questions of these types.
func (a Answer) For(types ...dnsmessage.Type) Answer { a.types = types; return a }

// Once makes an answer good for one question; the next one follows it.
func (a Answer) Once() Answer { a.once = true; return a }

// After delays an answer.
func (a Answer) After(d time.Duration) Answer { a.delay = d; return a }

// Truncated makes an answer come whole over TCP only, or not at all.
func (a Answer) Truncated(tcp bool) Answer { a.cut, a.noTCP = true, !tcp; return a }

// Noisy sends forged answers first: of another ID, and to another question.
func (a Answer) Noisy() Answer { a.noise = true; return a }

// A DNS is a server on UDP and TCP.
type DNS struct {
	udp net.PacketConn
	tcp net.Listener

	mu      sync.Mutex
	names   map[string][]Answer
	queries map[string]int
	silent  bool
}

// ServeDNS starts a server on loopback until the test is over. It answers
// NXDOMAIN to what it does not know.
func ServeDNS(tb TB) *DNS {
	tb.Helper()
	d := &DNS{names: make(map[string][]Answer), queries: make(map[string]int)}
	var err error
	for range 10 { // both protocols on one port
		d.udp = ListenUDP(tb, "127.0.0.1:0")
		if d.tcp, err = net.Listen("tcp", d.udp.LocalAddr().String()); err == nil {
			break
		}
		d.udp.Close()
	}
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	var wg sync.WaitGroup
	wg.Go(d.serveUDP)
	wg.Go(func() { d.serveTCP(&wg) })
	tb.Cleanup(func() {
		d.udp.Close()
		d.tcp.Close()
		wg.Wait()
	})
	return d
}

// Set says how questions for a name are answered: by the first of the answers
// that fits the question's type.
func (d *DNS) Set(name string, answers ...Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[name] = answers
}

// Silence makes the server stop answering, or answer again.
func (d *DNS) Silence(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.silent = on
}

// Queries returns how many questions there were for a name.
func (d *DNS) Queries(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queries[name]
}

// Addr returns the address of the server.
func (d *DNS) Addr() string { return d.udp.LocalAddr().String() }

// Resolver returns a resolver that asks the server.
func (d *DNS) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, d.Addr())
	}}
}

func (d *DNS) serveUDP() {
	var wg sync.WaitGroup
	defer wg.Wait()
	buf := make([]byte, 64<<10)
	for {
		n, from, err := d.udp.ReadFrom(buf)
		if err != nil {
			return
		}
		for _, reply := range d.reply(append([]byte(nil), buf[:n]...), true) {
			if reply.delay == 0 {
				d.udp.WriteTo(reply.b, from)
				continue
			}
			wg.Go(func() {
				time.Sleep(reply.delay)
				d.udp.WriteTo(reply.b, from)
			})
		}
	}
}

func (d *DNS) serveTCP(wg *sync.WaitGroup) {
	for {
		conn, err := d.tcp.Accept()
		if err != nil {
			return
		}
		wg.Go(func() {
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			var size [2]byte
			if _, err := io.ReadFull(conn, size[:]); err != nil {
				return
			}
			b := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(conn, b); err != nil {
				return
			}
			for _, reply := range d.reply(b, false) {
				conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply.b))), reply.b...))
			}
		})
	}
}

type reply struct {
	b     []byte
	delay time.Duration
}

// reply returns what is sent in answer to a query.
func (d *DNS) reply(query []byte, udp bool) []reply {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	a := d.choose(strings.ToLower(strings.TrimSuffix(q.Name.String(), ".")), q.Type)
	switch {
	case a.drop, a.noTCP && !udp:
		return nil
	case a.raw != nil:
		return []reply{{append(query[:2:2], a.raw...), a.delay}}
	}
	var out []reply
	if a.noise {
		forged := m.Header
		forged.ID++
		out = append(out, reply{pack(forged, q, Addrs("127.0.0.66"), false), 0})
		other := q
		other.Name = dnsmessage.MustNewName("other.test.")
		out = append(out, reply{pack(m.Header, other, Addrs("127.0.0.66"), false), 0})
	}
	return append(out, reply{pack(m.Header, q, a, a.cut && udp), a.delay})
}

// choose counts a question and returns its answer.
func (d *DNS) choose(name string, typ dnsmessage.Type) Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queries[name]++
	if d.silent {
		return Drop()
	}
	for i, a := range d.names[name] {
		if a.types != nil && !contains(a.types, typ) {
			continue
		}
		if a.once {
			rest := append([]Answer(nil), d.names[name][:i]...)
			d.names[name] = append(rest, d.names[name][i+1:]...)
		}
		return a
	}
	if _, known := d.names[name]; known {
		return NoData()
	}
	return NXDomain()
}

func contains(types []dnsmessage.Type, typ dnsmessage.Type) bool {
	for _, t := range types {
		if t == typ {
			return true
		}
	}
	return false
}

func pack(h dnsmessage.Header, q dnsmessage.Question, a Answer, cut bool) []byte {
	m := dnsmessage.Message{Header: h, Questions: []dnsmessage.Question{q}}
	m.Response, m.RecursionAvailable, m.RCode = true, true, a.rcode
	if m.Truncated = cut; cut {
		b, _ := m.Pack()
		return b
	}
	name := q.Name
	if a.cname != "" {
		alias := dnsmessage.MustNewName(a.cname + ".")
		m.Answers = append(m.Answers, resource(name, &dnsmessage.CNAMEResource{CNAME: alias}))
		name = alias
	}
	for _, addr := range a.addrs {
		switch {
		case addr.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, resource(name, &dnsmessage.AResource{A: addr.As4()}))
		case addr.Is6() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, resource(name, &dnsmessage.AAAAResource{AAAA: addr.As16()}))
		}
	}
	if len(m.Answers) == 0 && (a.rcode == dnsmessage.RCodeSuccess || a.rcode == dnsmessage.RCodeNameError) {
		m.Authorities = append(m.Authorities, resource(dnsmessage.MustNewName("."), &dnsmessage.SOAResource{
			NS: dnsmessage.MustNewName("ns.test."), MBox: dnsmessage.MustNewName("mail.test."), MinTTL: 1,
		}))
	}
	b, _ := m.Pack()
	return b
}

func resource(name dnsmessage.Name, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 1}, Body: body}
}
