package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const costFlags = "-c 64 -timeout 30s -host-rate 0"

// httpsSites serves sites on many addresses by TLS, each with a certificate of its own,
// and returns their port and the directory with the CA that they are of.
func httpsSites(b *testing.B) (port int, dir string) {
	b.Helper()
	ca := newAuthority(b)
	var mu sync.Mutex
	certs := make(map[string]*tls.Certificate)
	conf := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		addr := hello.Conn.LocalAddr().(*net.TCPAddr).IP
		if certs[addr.String()] == nil {
			c := ca.issue(b, addr)
			certs[addr.String()] = &c
		}
		return certs[addr.String()], nil
	}}
	l, err := tls.Listen("tcp4", "0.0.0.0:0", conf)
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{
		Handler:  http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	var wg sync.WaitGroup
	wg.Go(func() { srv.Serve(l) })
	b.Cleanup(func() {
		srv.Close()
		wg.Wait()
	})
	return l.Addr().(*net.TCPAddr).Port, writeFiles(b, map[string][]byte{"ca.pem": inPEM("CERTIFICATE", ca.cert.Raw)})
}

// BenchmarkEngine tells what the queue, the workers and the audit cost, beside what the
// checks of HTTPS sites cost by the library alone: CPU of all processes but the sites'.
func BenchmarkEngine(b *testing.B) {
	const hosts, lines = 4000, 20_000
	port, dir := httpsSites(b)
	var list strings.Builder
	for i := range lines {
		fmt.Fprintf(&list, "https://127.31.%d.%d:%d/%d\n", i%hosts/250, 1+i%hosts%250, port, i)
	}
	path := writeFiles(b, map[string][]byte{"list.txt": []byte(list.String())}) + "/list.txt"
	cost := func(env string, args ...string) time.Duration {
		p := start(b, []string{env, "SSL_CERT_FILE=" + dir + "/ca.pem"}, args...)
		<-p.done
		if p.exitCode() != 0 {
			b.Fatalf("%v ended with %d:\n%s", args, p.exitCode(), p.log)
		}
		return p.ProcessState.UserTime() + p.ProcessState.SystemTime() // and that of its children
	}
	cost(plainEnv + "=" + path) // has the sites make their certificates
	var alone, whole time.Duration
	n := 0
	for b.Loop() {
		alone += cost(plainEnv + "=" + path)
		whole += cost(childEnv+"=1", append([]string{"run", "-f", path, "-o", b.TempDir(), "-workers", "1", "-fail"}, strings.Fields(costFlags)...)...)
		n += lines
	}
	b.ReportMetric(float64(alone.Microseconds())/float64(n), "library-µs/check")
	b.ReportMetric(float64(whole.Microseconds())/float64(n), "run-µs/check")
	b.ReportMetric(100*float64(whole-alone)/float64(alone), "engine-%")
}
