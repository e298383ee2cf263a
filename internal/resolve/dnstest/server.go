// Package dnstest has nameservers that answer as a test wants them to. It is for
// the tests of package resolve and for those that hold it beside other resolvers.
package dnstest

import (
	"encoding/binary"
	"io"
	"maps"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker/internal/hostile"
)

// A Query is a question as a nameserver has it.
type Query struct {
	dnsmessage.Message
	Raw  []byte
	UDP  bool
	EDNS bool
	N    int // how often there was one of its kind, from 1
}

// Name returns the name that is asked for, in lower case and without the last dot.
func (q *Query) Name() string {
	return lower(strings.TrimSuffix(q.Questions[0].Name.String(), "."))
}

// lower leaves bytes alone that are no letters of ASCII, which strings.ToLower
// does not.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// kind returns a text such as "AAAA a.test tcp edns".
func (q *Query) kind() string {
	s := strings.TrimPrefix(q.Questions[0].Type.String(), "Type") + " " + q.Name()
	if !q.UDP {
		s += " tcp"
	}
	if q.EDNS {
		s += " edns"
	}
	return s
}

// A Reply makes the messages that answer a question, none for silence. A nil
// message closes a connection.
type Reply func(q *Query) [][]byte

// A Zone says how names are answered, and by "*" how all others are. Without that
// they are met with silence.
type Zone map[string]Reply

// A Server is a nameserver on UDP and TCP.
type Server struct {
	Addr netip.AddrPort
	zone Zone
	udp  net.PacketConn
	tcp  net.Listener
	wg   sync.WaitGroup

	marks chan struct{}

	mu    sync.Mutex
	asked []string
	count map[string]int
	ports map[string]int
}

// Serve starts a nameserver on a port of loopback until the test is over.
func Serve(tb hostile.TB, zone Zone) *Server {
	tb.Helper()
	return ServeAt(tb, "127.0.0.1:0", zone)
}

// ServeAt starts a nameserver on an address until the test is over.
func ServeAt(tb hostile.TB, addr string, zone Zone) *Server {
	tb.Helper()
	s := &Server{zone: zone, marks: make(chan struct{}), count: make(map[string]int), ports: make(map[string]int)}
	var err error
	for range 20 { // both protocols on one port
		s.udp = hostile.ListenUDP(tb, addr)
		if s.tcp, err = net.Listen("tcp", s.udp.LocalAddr().String()); err == nil {
			break
		}
		s.udp.Close()
	}
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	s.Addr = netip.MustParseAddrPort(s.udp.LocalAddr().String())
	s.wg.Go(s.serveUDP)
	s.wg.Go(s.serveTCP)
	tb.Cleanup(func() {
		s.udp.Close()
		s.tcp.Close()
		s.wg.Wait()
	})
	return s
}

// Asked returns what was asked, in order, such as "A a.test" or "AAAA a.test tcp
// edns", and forgets it. Whoever asks over UDP and goes on without waiting has
// asked too.
func (s *Server) Asked() []string {
	s.catchUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked, s.count = nil, make(map[string]int)
	return asked
}

// catchUp waits until all is read that was sent over UDP before.
func (s *Server) catchUp() {
	conn, err := net.Dial("udp", s.Addr.String())
	if err != nil {
		return
	}
	defer conn.Close()
	if _, err := conn.Write([]byte{mark}); err != nil {
		return
	}
	select {
	case <-s.marks:
	case <-time.After(time.Second): // lost, or nobody reads any more
	}
}

// mark is a datagram that is no question.
const mark = '.'

// Ports returns how many questions came from which addresses.
func (s *Server) Ports() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.ports)
}

func (s *Server) serveUDP() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := s.udp.ReadFrom(buf)
		if err != nil {
			return
		}
		if n == 1 && buf[0] == mark {
			select {
			case s.marks <- struct{}{}:
			case <-time.After(time.Second): // nobody waits any more
			}
			continue
		}
		for _, b := range s.answer(append([]byte(nil), buf[:n]...), from.String(), true) {
			s.udp.WriteTo(b, from)
		}
	}
}

func (s *Server) serveTCP() {
	for {
		conn, err := s.tcp.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() {
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			for s.serveFrame(conn) {
			}
		})
	}
}

// serveFrame answers one question and reports whether further ones may follow.
func (s *Server) serveFrame(conn net.Conn) bool {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return false
	}
	b := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, b); err != nil {
		return false
	}
	for _, b := range s.answer(b, conn.RemoteAddr().String(), false) {
		if b == nil {
			return false
		}
		conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	}
	return true
}

func (s *Server) answer(raw []byte, from string, udp bool) [][]byte {
	q := &Query{Raw: raw, UDP: udp}
	if q.Unpack(raw) != nil || len(q.Questions) != 1 {
		return nil
	}
	q.EDNS = len(q.Additionals) > 0
	s.mu.Lock()
	kind := q.kind()
	s.asked = append(s.asked, kind)
	s.count[kind]++
	q.N = s.count[kind]
	s.ports[from]++
	s.mu.Unlock()
	r := s.zone[q.Name()]
	if r == nil {
		r = s.zone["*"]
	}
	if r == nil {
		return nil
	}
	return r(q)
}
