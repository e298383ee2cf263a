package checker_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"example.com/checker"
)

// serverEnv makes the test binary a web server, so that what is measured is the
// client's alone.
const serverEnv = "CHECKER_TEST_SERVER"

func TestMain(m *testing.M) {
	switch os.Getenv(serverEnv) {
	case "":
		os.Exit(m.Run())
	case "weak":
		serve(weak)
	default:
		serve(plain)
	}
}

// serve prints a line, which is its port and what else listen says, and answers
// every connection until standard input ends.
func serve(listen func() (l net.Listener, more string, err error)) {
	l, more, err := listen()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port, more)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				var buf [1024]byte
				if _, err := c.Read(buf[:]); err == nil {
					io.WriteString(c, "HTTP/1.1 200 OK\r\nServer: test\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
				}
			}()
		}
	}()
	io.Copy(io.Discard, os.Stdin)
}

func plain() (net.Listener, string, error) {
	l, err := net.Listen("tcp", "0.0.0.0:0")
	return l, "", err
}

// startServer starts a server in a process of its own and returns its port and
// what else it says.
func startServer(tb testing.TB, kind string, env ...string) (port, more string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), serverEnv+"="+kind), env...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	port, more, _ = strings.Cut(strings.TrimSpace(line), " ")
	return port, more
}

// hosts yields n URLs of distinct hosts on loopback.
func hosts(n int, port string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(fmt.Sprintf("http://127.%d.%d.%d:%s/", 1+i>>16&0x7f, i>>8&0xff, i&0xff, port)) {
				return
			}
		}
	}
}

// BenchmarkHEAD compares a check of a plain-HTTP site with the same request by
// net/http without keep-alive, 100 at once.
func BenchmarkHEAD(b *testing.B) {
	port, _ := startServer(b, "plain")
	b.Run("checker", func(b *testing.B) {
		c, err := checker.New()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		b.ResetTimer()
		for r := range c.Stream(b.Context(), hosts(b.N, port)) {
			if !r.Online() {
				b.Fatal(r)
			}
		}
	})
	b.Run("nethttp", func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		b.ReportAllocs()
		b.ResetTimer()
		var failed atomic.Int64
		var g errgroup.Group
		g.SetLimit(100)
		for u := range hosts(b.N, port) {
			g.Go(func() error {
				req, _ := http.NewRequestWithContext(b.Context(), http.MethodHead, u, nil)
				resp, err := client.Do(req)
				if err != nil {
					failed.Add(1)
					return nil
				}
				return resp.Body.Close()
			})
		}
		if err := g.Wait(); err != nil || failed.Load() > 0 {
			b.Fatal(err, failed.Load())
		}
	})
}

// BenchmarkCheck is a single check, with nothing beside it.
func BenchmarkCheck(b *testing.B) {
	port, _ := startServer(b, "plain")
	c, err := checker.New()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := c.Check(context.Background(), "http://127.0.0.1:"+port); !r.Online() {
			b.Fatal(r)
		}
	}
}
