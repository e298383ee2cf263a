//go:build linux

package e2e_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
)

// Very many names that nobody may keep leave nothing behind: no goroutines, no
// descriptors, no memory; and while they are asked for, no ID is in use twice on one
// port.
func TestManyNames(t *testing.T) {
	if testing.Short() {
		t.Skip("takes up to a minute: run it without -short")
	}
	needRoot(t)
	needTool(t, "ip", "iproute2")
	attr := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	process{attr: attr}.run(t, func(t *testing.T) {
		const names, few, bound = 200_000, 20_000, 45 * time.Second // whichever comes first: a busy machine does less
		sh(t, "ip link set lo up")
		etc(t, map[string]string{"resolv.conf": "nameserver 127.0.0.1\noptions timeout:2\n", "hosts": ""})
		server := serveForgotten(t)
		refuse := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
		c := sane(t, checker.WithTimeout(20*second), checker.WithDialContext(refuse))
		c.Check(t.Context(), "http://first.test/")

		goroutines, descriptors := runtime.NumGoroutine(), openFiles(t)
		start := time.Now()
		targets := func(yield func(string) bool) {
			for i := range names {
				if time.Since(start) > bound || !yield(fmt.Sprintf("http://n%d.test/", i)) {
					return
				}
			}
		}
		var heaps []int64
		done := 0
		for r := range c.Stream(t.Context(), targets) {
			if done < 3 || r.Reason() != checker.ReasonRefused {
				wantResult(t, r, checker.ReasonRefused, checker.PhaseConnect)
			}
			if done++; done%few == 0 {
				heaps = append(heaps, heapInUse())
			}
		}
		took := time.Since(start)
		for range 100 { // what ends, ends soon
			if runtime.NumGoroutine() <= goroutines && openFiles(t) <= descriptors {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Logf("%d names in %v: %d questions from %d ports, %d asked again, at most %d at once; heap %v KiB; goroutines %d, then %d; descriptors %d, then %d",
			done, took.Round(time.Millisecond), server.questions, len(server.ports), server.again, server.most, heaps, goroutines, runtime.NumGoroutine(), descriptors, openFiles(t))
		if done < 2*few {
			t.Fatalf("%d names in %v; want at least %d, to compare", done, took, 2*few)
		}
		if n := runtime.NumGoroutine(); n > goroutines {
			t.Errorf("%d goroutines; want %d as before", n, goroutines)
		}
		if n := openFiles(t); n > descriptors {
			t.Errorf("%d descriptors; want %d as before", n, descriptors)
		}
		if first, last := heaps[0], heaps[len(heaps)-1]; last > first+4<<10 {
			t.Errorf("the heap grew from %d to %d KiB; want it flat", first, last)
		}
		server.mu.Lock()
		defer server.mu.Unlock()
		if server.clashes > 0 {
			t.Errorf("%d questions had the port and the ID of another one that was not answered yet", server.clashes)
		}
	})
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc >> 10)
}

// A forgotten is a nameserver that lets every name be kept for no time. It holds
// questions back until there is none that has not been read, or there are many, so
// that some are outstanding together.
type forgotten struct {
	mu sync.Mutex // held while a datagram is looked at

	waiting                         map[asking]string // the questions that are not answered
	held                            []datagram
	ports                           map[uint16]bool
	questions, clashes, again, most int
}

// An asking is what an answer is told by.
type asking struct{ port, id uint16 }

type datagram struct {
	from netip.AddrPort
	asking
	answer []byte
}

func serveForgotten(t *testing.T) *forgotten {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:53")))
	if err != nil {
		t.Fatal(err)
	}
	s := &forgotten{waiting: make(map[asking]string), ports: make(map[uint16]bool)}
	var wg sync.WaitGroup
	wg.Go(func() { s.serve(conn) })
	t.Cleanup(func() {
		conn.Close()
		wg.Wait()
	})
	return s
}

func (s *forgotten) serve(conn *net.UDPConn) {
	buf := make([]byte, 512)
	for {
		if len(s.held) > 0 {
			conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		} else {
			conn.SetReadDeadline(time.Time{})
		}
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil && n > 16:
			s.take(buf[:n], from)
		case len(s.held) == 0:
			return
		}
		if err != nil || len(s.held) >= 64 {
			s.flush(conn)
		}
	}
}

// take holds a question back.
func (s *forgotten) take(b []byte, from netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := asking{from.Port(), binary.BigEndian.Uint16(b)}
	s.questions++
	s.ports[key.port] = true
	question := string(b[12:])
	switch other, ok := s.waiting[key]; {
	case ok && other == question:
		s.again++
	case ok:
		s.clashes++
	}
	s.waiting[key] = question
	s.most = max(s.most, len(s.waiting))
	s.held = append(s.held, datagram{from, key, forgottenAnswer(b)})
}

// flush answers all that is held back, the last one first. What the client has in its
// hands is no longer outstanding, so that is noted before.
func (s *forgotten) flush(conn *net.UDPConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.held) > 0 {
		d := s.held[len(s.held)-1]
		s.held = s.held[:len(s.held)-1]
		delete(s.waiting, d.asking)
		conn.WriteToUDPAddrPort(d.answer, d.from)
	}
}

// forgottenAnswer has an address for a question of type A, to be kept for no time,
// and nothing for others. The question has to be the whole of b.
func forgottenAnswer(b []byte) []byte {
	answer := append([]byte{b[0], b[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, b[12:]...)
	if b[len(b)-3] == 1 { // the type; the class follows
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 80)
	}
	return answer
}
