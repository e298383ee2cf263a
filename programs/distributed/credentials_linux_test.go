package main

import (
	"net"
	"strings"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// A server that asks for certificates serves those who have one, by TLS, and nobody
// else.
func TestTLS(t *testing.T) {
	t.Parallel()
	const n = 8
	s := newTargets(t, "127.25.0", 2, 0)
	dir, other, addr := newCA(t), newCA(t), freeAddr(t)
	srv := start(t, nil, "server", "-listen", addr, "-store", t.TempDir(),
		"-ca", dir+"/ca.pem", "-cert", dir+"/cert.pem", "-key", dir+"/key.pem")
	eventually(t, "serving", func() bool { return strings.Contains(srv.log.String(), "serving at tls://"+addr) })

	list := writeList(t, s.urls(n)...)
	flags := func(dir string) []string {
		return []string{"-nats", "tls://" + addr, "-ca", dir + "/ca.pem", "-cert", dir + "/cert.pem", "-key", dir + "/key.pem"}
	}
	for name, test := range map[string]struct {
		flags []string
		want  string
	}{
		"no certificate":      {flags(dir)[:4], "-cert and -key who asks"},
		"one of another CA":   {append(flags(dir)[:4], flags(other)[4:]...), "-cert and -key who asks"},
		"another CA believed": {flags(other), "certificate signed by unknown authority"},
		"no CA":               {flags(dir)[:2], "certificate signed by unknown authority"},
	} {
		if out, err := command(t, append([]string{"publish", "-f", list}, test.flags...)...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("publish with %s = %v, %s; want %q", name, err, out, test.want)
		}
	}
	out := t.TempDir()
	p := start(t, nil, append([]string{"run", "-f", list, "-o", out, "-workers", "1", "-host-rate", "0"}, flags(dir)...)...)
	p.wait(t)
	if p.exitCode() != 0 {
		t.Errorf("run ended with %d:\n%s", p.exitCode(), p.log)
	}
	checkResults(t, out, n, "online")
}

// serveAs starts a server for a user of its options, and returns its URL.
func serveAs(t *testing.T, o *server.Options, opts ...nats.Option) string {
	t.Helper()
	o.Host, o.Port, o.StoreDir = "127.0.0.1", server.RANDOM_PORT, t.TempDir()
	e, err := startEngine(quiet(), o, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	return e.srv.ClientURL()
}

func newKey(t *testing.T, make func() (nkeys.KeyPair, error)) (key nkeys.KeyPair, public string, seed []byte) {
	t.Helper()
	key, err := make()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = key.PublicKey(); err != nil {
		t.Fatal(err)
	}
	if seed, err = key.Seed(); err != nil {
		t.Fatal(err)
	}
	return key, public, seed
}

// letsIn fails the test unless a server lets in who has the flags, and nobody else.
func letsIn(t *testing.T, url string, flags ...string) {
	t.Helper()
	list := writeList(t, "a.test")
	publish := []string{"publish", "-f", list, "-nats", url}
	if _, err := command(t, publish...); err == nil || !strings.Contains(err.Error(), "does not let this client in") {
		t.Errorf("publish without %s = %v; want it refused", flags[0], err)
	}
	mustRun(t, append(publish, flags...)...)
}

func TestNKey(t *testing.T) {
	_, public, seed := newKey(t, nkeys.CreateUser)
	dir := writeFiles(t, map[string][]byte{"seed": seed})
	in, err := nats.NkeyOptionFromSeed(dir + "/seed")
	if err != nil {
		t.Fatal(err)
	}
	url := serveAs(t, &server.Options{Nkeys: []*server.NkeyUser{{Nkey: public}}}, in)
	letsIn(t, url, "-nkey", dir+"/seed")
}

func TestCreds(t *testing.T) {
	operator, operatorKey, _ := newKey(t, nkeys.CreateOperator)
	account, accountKey, _ := newKey(t, nkeys.CreateAccount)
	_, system, _ := newKey(t, nkeys.CreateAccount)
	_, userKey, seed := newKey(t, nkeys.CreateUser)
	encode := func(c interface {
		Encode(nkeys.KeyPair) (string, error)
	}, by nkeys.KeyPair) string {
		text, err := c.Encode(by)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	claims := jwt.NewAccountClaims(accountKey)
	claims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
	creds, err := jwt.FormatUserConfig(encode(jwt.NewUserClaims(userKey), account), seed)
	if err != nil {
		t.Fatal(err)
	}
	dir := writeFiles(t, map[string][]byte{"user.creds": creds})
	accounts := &server.MemAccResolver{}
	for _, c := range []*jwt.AccountClaims{claims, jwt.NewAccountClaims(system)} {
		if err := accounts.Store(c.Subject, encode(c, operator)); err != nil {
			t.Fatal(err)
		}
	}
	url := serveAs(t, &server.Options{
		TrustedOperators: []*jwt.OperatorClaims{jwt.NewOperatorClaims(operatorKey)}, AccountResolver: accounts, SystemAccount: system,
	}, nats.UserCredentials(dir+"/user.creds"))
	letsIn(t, url, "-creds", dir+"/user.creds")
}

// What is wrong with files of credentials is said at once.
func TestCredentialRefusals(t *testing.T) {
	dir := newCA(t)
	list := writeList(t, "example.org")
	for _, test := range []struct{ args, want string }{
		{"-ca " + dir + "/ca.pem", "say with -nats where they are"},
		{"-nats tls://127.0.0.1:1 -cert " + dir + "/cert.pem", "-cert and -key go together"},
		{"-nats tls://127.0.0.1:1 -cert " + dir + "/ca.pem -key " + dir + "/key.pem", "does not match public key"},
		{"-nats tls://127.0.0.1:1 -ca " + dir + "/key.pem", "no certificate in PEM"},
		{"-nats tls://127.0.0.1:1 -ca /no/such/file", "-ca: open /no/such/file"},
		{"-nats tls://127.0.0.1:1 -creds /no/such/file", "-creds: stat /no/such/file"},
		{"-nats tls://127.0.0.1:1 -nkey " + dir + "/key.pem", "-nkey"},
	} {
		if _, err := command(t, strings.Fields("publish -f "+list+" "+test.args)...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("publish %s = %v; want %q", test.args, err, test.want)
		}
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, test := range []struct{ args, want string }{
		{"-listen 127.0.0.1:0 -ca " + dir + "/ca.pem", "give -cert and -key"},
		{"-listen " + busy.Addr().String(), "address already in use"},
	} {
		if _, err := command(t, strings.Fields("server -store "+t.TempDir()+" "+test.args)...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("server %s = %v; want %q", test.args, err, test.want)
		}
	}
}
