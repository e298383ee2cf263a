package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// A proc is a process of the program.
type proc struct {
	*exec.Cmd
	log  *logBuffer
	done chan struct{} // closed when it has ended
}

// start starts the program. It is killed at the end of the test.
func start(t testing.TB, env []string, args ...string) *proc {
	t.Helper()
	p := &proc{Cmd: exec.Command(os.Args[0], args...), log: &logBuffer{}, done: make(chan struct{})}
	p.Env = append(append(os.Environ(), childEnv+"=1"), env...)
	p.Stdout, p.Stderr = p.log, p.log
	if err := p.Start(); err != nil {
		t.Fatalf("start %v: %v", args, err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		p.Wait()
		close(p.done)
	})
	t.Cleanup(func() {
		p.Process.Kill()
		wg.Wait()
		if t.Failed() && p.log.String() != "" {
			t.Logf("%v: %.2000s", args[0], p.log)
		}
	})
	return p
}

// wait waits for the end of a process.
func (p *proc) wait(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("%v does not end:\n%s", p.Args[1:], p.log)
	}
}

// kill is kill -9.
func (p *proc) kill() {
	p.Process.Kill()
	<-p.done
}

// A logBuffer is what a process printed.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// eventually waits for something to be so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v: not %s", patience, what)
		}
	}
}

const testToken = "a token of tests"

// serve starts a server in the test's process and returns its URL.
func serve(t *testing.T) string {
	t.Helper()
	e, err := startEngine(quiet(), &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, Authorization: testToken, StoreDir: t.TempDir(),
	}, nats.Token(testToken))
	if err != nil {
		t.Fatalf("start a server: %v", err)
	}
	t.Cleanup(e.close)
	return e.srv.ClientURL()
}

// freeAddr returns an address that was free a moment ago.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// work starts a worker that calls itself agent.
func work(t *testing.T, url, agent string, rate float64, env ...string) *proc {
	t.Helper()
	return start(t, env, "work", "-nats", url, "-token", testToken,
		"-header", "User-Agent: "+agent, "-hands", "4", "-host-rate", fmt.Sprint(rate))
}

// checkResults fails the test unless DIR/results.jsonl has the lines 0 to n-1,
// each once and in order, and each with this status.
func checkResults(t *testing.T, dir string, n int, status string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "results.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for text := range strings.Lines(string(data)) {
		var r record
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatalf("line %d of the results: %v", i, err)
		}
		if r.Index != i || r.Status != status {
			t.Errorf("line %d of the results has index %d and is %s; want %s: %s", i, r.Index, r.Status, status, r.Error)
		}
		i++
	}
	if i != n {
		t.Errorf("there are %d results; want %d", i, n)
	}
}

// exitCode returns the exit status of a process that has ended.
func (p *proc) exitCode() int { return p.ProcessState.ExitCode() }
