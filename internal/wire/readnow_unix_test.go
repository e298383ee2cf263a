//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// fileConn is a connection that is no socket.
type fileConn struct {
	net.Conn
	f *os.File
}

func (c fileConn) SyscallConn() (syscall.RawConn, error) { return c.f.SyscallConn() }

// What a socket holds is read without waiting, and what is none is told.
func TestReadNow(t *testing.T) {
	here, there := tcpPair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	b := make([]byte, 9)
	for _, tt := range []struct {
		name  string
		nc    net.Conn
		there func()
		b     []byte
		want  string
		ok    bool
		err   error
	}{
		{"nothing", here, func() {}, b, "", true, syscall.EAGAIN},
		{"no room", here, func() {}, nil, "", false, nil},
		{"an answer", here, func() { io.WriteString(there, "answer") }, b, "answer", true, nil},
		{"the end", here, func() { there.Close() }, b, "", true, io.EOF},
		{"a pipe", fileConn{f: r}, func() { w.WriteString("answer") }, b, "", false, syscall.ENOTSOCK},
		{"no descriptor", plainConn{here}, func() {}, b, "", false, nil},
	} {
		tt.there()
		n, ok, err := readNow(tt.nc, tt.b)
		for end := time.Now().Add(5 * time.Second); err == syscall.EAGAIN && tt.err != err && time.Now().Before(end); {
			n, ok, err = readNow(tt.nc, tt.b) // until it has come, which nothing tells
		}
		if string(b[:n]) != tt.want || ok != tt.ok || !errors.Is(err, tt.err) {
			t.Errorf("readNow() of %s = %q, %t, %v; want %q, %t, %v", tt.name, b[:n], ok, err, tt.want, tt.ok, tt.err)
		}
	}
}
