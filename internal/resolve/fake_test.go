package resolve

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A query is a question as a fake nameserver has it.
type query struct {
	dnsmessage.Message
	raw  []byte
	udp  bool
	edns bool
	n    int // of its kind, from 1
}

func (q *query) name() string {
	return lower(strings.TrimSuffix(q.Questions[0].Name.String(), "."))
}

// A reply makes the messages that answer a question.
type reply func(q *query) [][]byte

// A fake is a nameserver on UDP and TCP, which says nothing to a name that it does
// not know, but for "*".
type fake struct {
	addr netip.AddrPort

	mu      sync.Mutex
	names   map[string]reply
	queries []string // such as "A a.test"
	ports   map[string]int
}

func serve(t testing.TB, names map[string]reply) *fake {
	t.Helper()
	f := &fake{names: names, ports: make(map[string]int)}
	var udp net.PacketConn
	var tcp net.Listener
	var err error
	for range 20 {
		if udp, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if tcp, err = net.Listen("tcp", udp.LocalAddr().String()); err == nil {
			break
		}
		udp.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	f.addr = netip.MustParseAddrPort(udp.LocalAddr().String())
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, b := range f.answer(append([]byte(nil), buf[:n]...), from.String(), true) {
				udp.WriteTo(b, from)
			}
		}
	})
	wg.Go(func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(10 * time.Second))
				for {
					var size [2]byte
					if _, err := io.ReadFull(conn, size[:]); err != nil {
						return
					}
					b := make([]byte, binary.BigEndian.Uint16(size[:]))
					if _, err := io.ReadFull(conn, b); err != nil {
						return
					}
					for _, b := range f.answer(b, conn.RemoteAddr().String(), false) {
						if b == nil {
							return
						}
						conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		udp.Close()
		tcp.Close()
		wg.Wait()
	})
	return f
}

func (f *fake) answer(raw []byte, from string, udp bool) [][]byte {
	q := &query{raw: raw, udp: udp}
	if q.Unpack(raw) != nil || len(q.Questions) != 1 {
		return nil
	}
	q.edns = len(q.Additionals) > 0
	f.mu.Lock()
	kind := strings.TrimPrefix(q.Questions[0].Type.String(), "Type") + " " + q.name()
	if !udp {
		kind += " tcp"
	}
	if q.edns {
		kind += " edns"
	}
	f.queries = append(f.queries, kind)
	for _, k := range f.queries {
		if k == kind {
			q.n++
		}
	}
	f.ports[from]++
	r := f.names[q.name()]
	if r == nil {
		r = f.names["*"]
	}
	f.mu.Unlock()
	if r == nil {
		return nil
	}
	return r(q)
}

// asked returns what was asked, in order, and forgets it.
func (f *fake) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := f.queries
	f.queries = nil
	return q
}

// from returns how many questions came from which ports.
func (f *fake) from() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.ports)
}

func pack(m dnsmessage.Message) [][]byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return [][]byte{b}
}

func (q *query) header(code dnsmessage.RCode) dnsmessage.Message {
	h := dnsmessage.Header{ID: q.ID, Response: true, RecursionDesired: true, RecursionAvailable: true, RCode: code}
	return dnsmessage.Message{Header: h, Questions: q.Questions}
}

func code(c dnsmessage.RCode) reply { return func(q *query) [][]byte { return pack(q.header(c)) } }

var (
	nodata   = code(dnsmessage.RCodeSuccess)
	nxdomain = code(dnsmessage.RCodeNameError)
	servfail = code(dnsmessage.RCodeServerFailure)
	refused  = code(dnsmessage.RCodeRefused)
	notimp   = code(dnsmessage.RCodeNotImplemented)
	formerr  = code(dnsmessage.RCodeFormatError)
)

func silent(*query) [][]byte { return nil }

func lame(q *query) [][]byte {
	m := q.header(0)
	m.RecursionAvailable = false
	return pack(m)
}

// addrs answers with those addresses that the question's type fits, behind the
// aliases that stand before them.
func addrs(all ...string) reply {
	return func(q *query) [][]byte { return pack(q.with(all...)) }
}

func (q *query) with(all ...string) dnsmessage.Message {
	m := q.header(0)
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

// per answers the two families differently.
func per(a, aaaa reply) reply {
	return func(q *query) [][]byte {
		if q.Questions[0].Type == dnsmessage.TypeA {
			return a(q)
		}
		return aaaa(q)
	}
}

// seq answers the n-th question of a kind by the n-th reply, and all further ones by the last.
func seq(all ...reply) reply {
	return func(q *query) [][]byte { return all[min(q.n, len(all))-1](q) }
}

// overTCP cuts answers over UDP.
func overTCP(r reply) reply {
	return func(q *query) [][]byte {
		if !q.udp {
			return r(q)
		}
		m := q.header(0)
		m.Truncated = true
		return pack(m)
	}
}

// A world is what a resolver finds: files, and nameservers 127.0.0.1, .2, .3.
type world struct {
	resolv, hosts, nsswitch string
	servers                 []*fake
}

func (w world) config(t testing.TB) Config {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if text == "" {
			return path
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	resolv := w.resolv
	for i := range w.servers {
		resolv += fmt.Sprintf("\nnameserver 127.0.0.%d\n", i+1)
	}
	return Config{
		Hosts: write("hosts", w.hosts), ResolvConf: write("resolv.conf", resolv), NSSwitch: write("nsswitch.conf", w.nsswitch), Run: dir,
		Server: func(a netip.Addr) netip.AddrPort { return w.servers[a.As4()[3]-1].addr },
	}
}

func (w world) resolver(t testing.TB) *Resolver {
	t.Helper()
	r := New(w.config(t))
	t.Cleanup(r.Close)
	return r
}

// look looks name up and returns the answers for IPv4 and for IPv6.
func look(t testing.TB, r *Resolver, name string) (a4, a6 Answer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return lookIn(ctx, t, r, name)
}

func lookIn(ctx context.Context, t testing.TB, r *Resolver, name string) (a4, a6 Answer) {
	t.Helper()
	n := 0
	r.Lookup(ctx, name, func(a Answer) {
		if n++; a.Family == IP4 {
			a4 = a
		} else {
			a6 = a
		}
		if (len(a.Addrs) > 0) != (a.Err == nil) {
			t.Errorf("Lookup(%q) settled %v", name, a)
		}
	})
	if n != 2 || a4.Family != IP4 || a6.Family != IP6 {
		t.Errorf("Lookup(%q) settled %d families: %v, %v; want both, each once", name, n, a4, a6)
	}
	return a4, a6
}

// say returns an answer as a short text: its addresses or its kind.
func say(a Answer) string {
	if a.Err != nil {
		return a.Err.Kind.String()
	}
	s := make([]string, len(a.Addrs))
	for i, addr := range a.Addrs {
		s[i] = addr.String()
	}
	return strings.Join(s, " ")
}
