package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/emulator"
	"example.com/checker/internal/hook"
)

// tcpPair returns both ends of a connection.
func tcpPair(t *testing.T) (here, there net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if here, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if there, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

// plainConn hides that a connection is a socket.
type plainConn struct{ net.Conn }

// soon is how late the end of a timeout may be noticed, or has to be, for what has come to
// be read.
func soon() time.Duration {
	if readNowUnknown {
		return 2 * idleDelay * time.Millisecond
	}
	return 0
}

// R6: what has come is read when the timeout is over, if that is why reading fails.
func TestReadAfterTimeout(t *testing.T) {
	says := func(c net.Conn) { io.WriteString(c, "answer") }
	for _, tt := range []struct {
		name  string
		there func(net.Conn)
		wrap  bool
		late  time.Duration // how late the end of the timeout is noticed; below 0 if it is not over
		want  string
		err   error
		read  int32 // of what was read before, since the timeout
	}{
		{"an answer", says, false, soon(), "answer", os.ErrDeadlineExceeded, 0},
		{"an answer, and the end", func(c net.Conn) { says(c); c.Close() }, false, soon(), "answer", io.EOF, 0},
		{"nothing", func(net.Conn) {}, false, time.Hour, "", os.ErrDeadlineExceeded, 0},
		{"the caller's end", says, false, -1, "", os.ErrDeadlineExceeded, 0},
		{"a connection that is no socket, noticed in time", says, true, 19 * ms, "", os.ErrDeadlineExceeded, 0},
		{"a connection that is no socket, noticed late", says, true, 20 * ms, "answer", os.ErrDeadlineExceeded, 0},
		{"a connection that is no socket, noticed a month late", says, true, 31 * 24 * time.Hour, "answer", os.ErrDeadlineExceeded, 0},
		{"an answer behind nearly a whole head", says, false, soon(), "answer", os.ErrDeadlineExceeded, MaxHead - 1},
		{"an answer behind a whole head", says, false, soon(), "", os.ErrDeadlineExceeded, MaxHead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			here, there := tcpPair(t)
			tt.there(there)
			time.Sleep(5 * ms) // until it has come, which nothing tells
			s := socket{Conn: here, late: tt.read}
			if tt.wrap {
				s.Conn = plainConn{here}
			}
			here.SetDeadline(longAgo)
			if tt.late >= 0 {
				s.timeOut(tt.late)
			}
			got, err := io.ReadAll(&s)
			if tt.err == io.EOF {
				tt.err = nil
			}
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("read of a socket = %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
			if turn := s.turn.Load() > 0; turn != (tt.want != "") {
				t.Errorf("that it was this side's turn is noted: %t; want it if there was something to read", turn)
			}
		})
	}
}

// A connection may give nothing for a while, though not for ever, and gives nothing to who
// asks for nothing.
func TestReadNothing(t *testing.T) {
	for _, tt := range []struct {
		nothing int // reads of it, before the answer
		want    string
		err     error
	}{{0, "answer", nil}, {maxEmpty, "answer", nil}, {maxEmpty + 1, "", io.ErrNoProgress}} {
		reads := 0
		s := socket{Conn: readerConn{r: readerFunc(func(b []byte) (int, error) {
			if reads++; reads <= tt.nothing {
				return 0, nil
			}
			return copy(b, "answer"), nil
		})}}
		b := make([]byte, 9)
		n, err := s.Read(b)
		_, own := errors.AsType[*hook.Error](err)
		if string(b[:n]) != tt.want || !errors.Is(err, tt.err) || own != (tt.err != nil) {
			t.Errorf("Read after nothing %d times = %q, %v; want %q, %v as this side's", tt.nothing, b[:n], err, tt.want, tt.err)
		}
		reads = 0
		if n, err := s.Read(nil); n != 0 || err != nil || reads != 1 {
			t.Errorf("Read into nothing = %d, %v after %d reads; want 0 and nil after one", n, err, reads)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// How long an answer lay there before it was read tells whose turn it was.
func TestTurn(t *testing.T) {
	if dial.SinceReceivedUnknown {
		t.Log("this system does not tell when a peer last sent something")
	}
	const lay = 60 * time.Millisecond
	for _, test := range []struct {
		name string
		act  func(s *socket) error
	}{
		{"read", func(s *socket) error { _, err := io.ReadFull(s, make([]byte, 8)); return err }},
		{"write", func(s *socket) error { s.shaking = true; _, err := s.Write(make([]byte, 8)); return err }},
	} {
		t.Run(test.name, func(t *testing.T) {
			here, there := tcpPair(t)
			if _, err := io.WriteString(there, "part"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(lay) // this is the fault
			s := socket{Conn: here}
			s.timeOut(soon())
			here.SetDeadline(longAgo)
			if err := test.act(&s); err == nil {
				t.Fatal("there was no error after the timeout")
			}
			idle := time.Duration(s.turn.Load() - 1)
			if idle < 0 || idle < lay/2 && !dial.SinceReceivedUnknown {
				emulator.Skip(t, emulator.QEMU, "no more than four bytes of TCP_INFO")
				t.Errorf("the peer was idle for %v; want %v or so", idle, lay)
			}
		})
	}
}

// What this side took before it wrote is told of a timeout, as long as the peer has not
// sent anything since.
func TestLateness(t *testing.T) {
	const took, silent = 80 * time.Millisecond, 40 * time.Millisecond
	for _, test := range []struct {
		name   string
		spoken bool // the peer, after this side wrote
		after  bool // it spoke when there had been nothing to read any more
		want   time.Duration
	}{{"late", false, false, took}, {"answered since", true, false, 0}, {"answered too late", false, true, took}} {
		t.Run(test.name, func(t *testing.T) {
			if dial.SinceReceivedUnknown {
				test.want = 0
			}
			begun := time.Now()
			here, there := tcpPair(t)
			ctx, cancel := context.WithDeadlineCause(t.Context(), begun.Add(took+silent), ErrTimeout)
			defer cancel()
			c := newConn(ctx, here)
			defer c.drop()
			time.Sleep(took) // this is the fault
			wrote := time.Now()
			if test.spoken {
				io.WriteString(there, "part")
				io.ReadFull(c, make([]byte, 4))
			}
			<-ctx.Done()
			if test.after {
				for c.raw.over.Load() == 0 {
					runtime.Gosched()
				}
				if n, err := c.Read(make([]byte, 4)); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("read %d bytes after the timeout: %v", n, err)
				}
				io.WriteString(there, "part")
				time.Sleep(kernelTick) // until it is here
			}
			var late time.Duration
			if e, ok := c.why(ctx, wrote, nil).(*dial.LateError); ok {
				late = e.Took
			}
			const tick = 20 * time.Millisecond // of the kernel's clock, and more
			if test.want > 0 && late == 0 {
				emulator.Skip(t, emulator.QEMU, "no more than four bytes of TCP_INFO")
			}
			if most := wrote.Sub(begun) + tick; late < test.want-tick || late > most || test.want == 0 && late != 0 {
				t.Errorf("it took this side %v; want %v, and at most %v", late, test.want, most)
			}
		})
	}
}

// A peer that never stops sending cannot keep an exchange beyond its timeout.
func TestFloodAfterTimeout(t *testing.T) {
	here, there := tcpPair(t)
	sent := make(chan struct{}, 1)
	go func() {
		for b := make([]byte, 64<<10); ; {
			if _, err := there.Write(b); err != nil {
				return
			}
			select {
			case sent <- struct{}{}:
			default:
			}
		}
	}()
	<-sent // there is something to read when the time is over
	ctx, cancel := context.WithDeadlineCause(t.Context(), time.Now().Add(20*time.Millisecond), ErrTimeout)
	defer cancel()
	c := newConn(ctx, here)
	for c.raw.over.Load() == 0 {
		runtime.Gosched()
	}
	n, err := io.Copy(io.Discard, c)
	if !errors.Is(err, os.ErrDeadlineExceeded) || c.raw.late > 2*MaxHead {
		t.Errorf("read %d bytes, %d of them after the timeout: %v; want at most %d", n, c.raw.late, err, 2*MaxHead)
	}
	if err, ok := c.why(ctx, time.Time{}, err).(*dial.TurnError); !readNowUnknown && (!ok || !errors.Is(err, ErrTimeout)) {
		t.Errorf("the error is %v; want one that says that it was this side's turn", err)
	}
}
