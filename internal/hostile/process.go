package hostile

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"example.com/checker/internal/emulator"
)

// processEnv makes a test binary one of the processes that StartPlain and
// StartWeak start.
const processEnv = "CHECKER_TEST_SERVER"

// Main runs a package's tests, or is the server that one of them has started,
// and ends the process. TestMain calls it in packages that start servers.
func Main(m interface{ Run() int }) {
	listen := map[string]func() (net.Listener, string, error){"plain": plain, "weak": weak}[os.Getenv(processEnv)]
	if listen == nil {
		os.Exit(m.Run())
	}
	if err := serveProcess(listen, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// StartPlain starts a server of plain HTTP in a process of its own, so that
// what is measured is the client's alone, and returns its port on all of
// 127.0.0.0/8. It ends with the test.
func StartPlain(tb TB) (port string) {
	tb.Helper()
	port, _ = start(tb, "plain")
	return port
}

// StartWeak starts a server with a certificate whose key is too short to trust.
// A process that can make one takes it as well, so the server is another
// process. It returns its address and the certificate as roots.
func StartWeak(tb TB) (addr string, roots *x509.CertPool) {
	tb.Helper()
	port, text := start(tb, "weak")
	der, err1 := base64.StdEncoding.DecodeString(text)
	cert, err2 := x509.ParseCertificate(der)
	if err := errors.Join(err1, err2); err != nil {
		tb.Fatalf("certificate of a server: %v", err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(cert)
	return "127.0.0.1:" + port, roots
}

// start starts a server and returns its port and what else it says.
func start(tb TB, kind string) (port, more string) {
	tb.Helper()
	emulator.Skip(tb, emulator.QEMU, "the kernel runs no program of this machine by itself")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), processEnv+"="+kind)
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		tb.Fatalf("start a server: %v", err)
	}
	tb.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		tb.Fatalf("start a server: %v", err)
	}
	port, more, _ = strings.Cut(strings.TrimSpace(line), " ")
	return port, more
}

// serveProcess writes a line, which is its port and what else listen says, and
// answers every connection until stdin ends.
func serveProcess(listen func() (l net.Listener, more string, err error), stdin io.Reader, stdout io.Writer) error {
	l, more, err := listen()
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, l.Addr().(*net.TCPAddr).Port, more)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerPlain(c)
		}
	}()
	io.Copy(io.Discard, stdin)
	return l.Close()
}

func answerPlain(c net.Conn) {
	defer c.Close()
	var buf [1024]byte
	if _, err := c.Read(buf[:]); err == nil {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nServer: test\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
	}
}

func plain() (net.Listener, string, error) {
	l, err := net.Listen("tcp", "0.0.0.0:0")
	return l, "", err
}

// weak listens with a certificate whose key is too short, and returns that.
func weak() (net.Listener, string, error) {
	os.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 768)
	if err != nil {
		return nil, "", err
	}
	spec := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, spec, spec, key.Public(), key)
	if err != nil {
		return nil, "", err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	return l, base64.StdEncoding.EncodeToString(der), err
}
