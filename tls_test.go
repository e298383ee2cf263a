package checker_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// Chain tells of all certificates that were sent, in that order, whether they are good or
// not; Expires is the earliest end.
func TestChain(t *testing.T) {
	day := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	begin := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	named := func(cn string, end time.Time) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject, c.NotAfter = pkix.Name{CommonName: cn}, end }
	}
	ca := hostile.NewCA(t)
	sub, root := ca.Intermediate(named("sub", day(2080))), ca.Certificate()
	leaf := checker.Cert{Subject: "CN=leaf", Issuer: "CN=sub", NotBefore: begin, NotAfter: day(2090)}
	above := checker.Cert{Subject: "CN=sub", Issuer: "CN=test root", NotBefore: begin, NotAfter: day(2080)}
	top := checker.Cert{Subject: "CN=test root", Issuer: "CN=test root", NotBefore: begin, NotAfter: root.NotAfter}
	spec := func(change func(*hostile.Cert)) hostile.Cert {
		c := hostile.Cert{CommonName: "leaf", Names: []string{"site.test"}, NotAfter: day(2090), Via: sub}
		change(&c)
		return c
	}
	for _, test := range []struct {
		name  string
		spec  hostile.Cert
		chain []checker.Cert
		end   time.Time
		cause checker.Cause
	}{
		{"good", spec(func(*hostile.Cert) {}), []checker.Cert{leaf, above}, day(2080), ""},
		{"with the root", spec(func(c *hostile.Cert) { c.With = [][]byte{root.Raw} }), []checker.Cert{leaf, above, top}, day(2080), ""},
		{"the root alone beside it", spec(func(c *hostile.Cert) { c.Omit, c.With = true, [][]byte{root.Raw} }), []checker.Cert{leaf, top}, day(2090), checker.CauseIncompleteChain},
		{"incomplete", spec(func(c *hostile.Cert) { c.Omit = true }), []checker.Cert{leaf}, day(2090), checker.CauseIncompleteChain},
		{"another host", spec(func(c *hostile.Cert) { c.Names = nil }), []checker.Cert{leaf, above}, day(2080), checker.CauseWrongHost},
		{
			"a name for a terminal", spec(func(c *hostile.Cert) { c.CommonName = "\x1b[2J\n" }),
			[]checker.Cert{{Subject: `CN=\x1b[2J\n`, Issuer: "CN=sub", NotBefore: begin, NotAfter: day(2090)}, above}, day(2080), "",
		},
		{
			"expired", spec(func(c *hostile.Cert) { c.NotAfter = day(1999) }),
			[]checker.Cert{{Subject: "CN=leaf", Issuer: "CN=sub", NotBefore: begin, NotAfter: day(1999)}, above}, day(1999), checker.CauseExpired,
		},
	} {
		s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(ca.Config(test.spec), hostile.Respond(hostile.OK)))
		c := faults.NewChecker(t, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}))
		r := c.Check(t.Context(), s.URLS())
		var back checker.Result
		data, err := json.Marshal(r)
		if err != nil || json.Unmarshal(data, &back) != nil {
			t.Fatalf("%s: Marshal = %s, %v", test.name, data, err)
		}
		for what, r := range map[string]checker.Result{"found": r, "read back": back} {
			if r.TLS == nil || !slices.Equal(r.TLS.Chain, test.chain) || !r.TLS.Expires().Equal(test.end) || r.Cause() != test.cause {
				t.Errorf("%s, %s: TLS = %+v, Expires() = %v, %v; want %+v, %v, %q", test.name, what, r.TLS, r.TLS.Expires(), r.Err, test.chain, test.end, test.cause)
			}
		}
	}
	var none *checker.TLS
	if got := none.Expires(); !got.IsZero() {
		t.Errorf("Expires of no TLS = %v; want the zero time", got)
	}
}

// T2: what is wrong with a certificate is told apart, in a line, in JSON and by what is
// read back from that.
func TestCertificateFaultsReadBack(t *testing.T) {
	ca := hostile.NewCA(t)
	site := []string{"site.test"}
	yesterday := time.Now().AddDate(0, 0, -1)
	conf := func(spec hostile.Cert) *tls.Config { return ca.Config(spec) }
	said := make(map[[2]string]string)
	for name, test := range map[string]struct {
		conf  *tls.Config
		cause checker.Cause
	}{
		"expired yesterday":        {conf(hostile.Cert{Names: site, NotAfter: yesterday}), checker.CauseExpired},
		"for another host":         {conf(hostile.Cert{Names: []string{"other.test"}}), checker.CauseWrongHost},
		"self-signed":              {hostile.SelfSigned(t, site...), checker.CauseSelfSigned},
		"without its intermediate": {conf(hostile.Cert{Names: site, Via: ca.Intermediate(nil), Omit: true}), checker.CauseIncompleteChain},
		"an expired intermediate": {
			conf(hostile.Cert{Names: site, Via: ca.Intermediate(func(c *x509.Certificate) { c.NotAfter = yesterday })}), checker.CauseExpired,
		},
		"SHA-1":        {conf(hostile.Cert{Names: site, Algorithm: x509.ECDSAWithSHA1}), checker.CauseWeak},
		"unparsable":   {&tls.Config{Certificates: []tls.Certificate{ca.Unparsable("site.test")["a negative serial"]}}, checker.CauseUnparsable},
		"an authority": {hostile.NewCA(t).Config(hostile.Cert{Names: site}), checker.CauseUnknownAuthority},
	} {
		s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(test.conf, hostile.Respond(hostile.OK)))
		c := faults.NewChecker(t, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}))
		r := c.Check(t.Context(), s.URLS())
		data, err := json.Marshal(r)
		var back checker.Result
		if err := errors.Join(err, json.Unmarshal(data, &back)); err != nil {
			t.Fatal(err)
		}
		e, _ := errors.AsType[*checker.Error](r.Err)
		if e == nil || !errors.Is(back.Err, test.cause) || !errors.Is(back.Err, checker.ReasonCertificate) || back.Cause() != r.Cause() || r.String() != back.String() {
			t.Errorf("%s: %v, read back %v (%q); want %q", name, r, back, back.Cause(), test.cause)
			continue
		}
		if !strings.Contains(r.String(), e.Message()) || !strings.Contains(string(data), `"cause":"`+string(test.cause)+`"`) {
			t.Errorf("%s: String() = %q, in JSON %s; want %q", name, r, data, e.Message())
		}
		pair := [2]string{string(test.cause), e.Message()}
		if other, ok := said[pair]; ok {
			t.Errorf("%s is told as %s is: %q", name, other, pair)
		}
		said[pair] = name
	}
}

// What is in a certificate is fit for a terminal, its host names among it.
func TestCertificateNamesArePrintable(t *testing.T) {
	ca := hostile.NewCA(t)
	change := func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "\x1b[2J.test") }
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(ca.Config(hostile.Cert{Names: []string{"site.test"}, Change: change}), hostile.Respond(hostile.OK)))
	c := faults.NewChecker(t, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}))
	r := c.Check(t.Context(), s.URLS())
	if want := []string{"site.test", `\x1b[2J.test`}; r.TLS == nil || !slices.Equal(r.TLS.DNSNames, want) {
		t.Errorf("Check() = %v, with %+v; want the names %q", r, r.TLS, want)
	}
}

// A certificate that crypto/tls keeps for others is not what a caller gets.
func TestResultOwnsItsNames(t *testing.T) {
	ca := hostile.NewCA(t)
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(ca.Config(hostile.Cert{Names: []string{"site.test"}}), hostile.Respond(hostile.OK)))
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}))
	for range 2 {
		r := c.Check(t.Context(), s.URLS())
		if !r.Online() || !slices.Equal(r.TLS.DNSNames, []string{"site.test"}) {
			t.Fatalf("Check(%q) = %v, %v; want Online", s.URLS(), r, r.TLS)
		}
		r.TLS.DNSNames[0] = "mine"
	}
}

// A certificate may say anything of when it ends; its site must not keep the
// Results from being written.
func TestYearTenThousand(t *testing.T) {
	for _, end := range []time.Time{time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -7*3600)), time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 7*3600))} {
		r := checker.Result{Start: end, TLS: &checker.TLS{NotBefore: end, NotAfter: end}}
		var back checker.Result
		data, err := json.Marshal(r)
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		if d := back.TLS.NotAfter.Sub(end).Abs(); err != nil || d > 7*time.Hour {
			t.Errorf("%v became %s, %v", end, data, err)
		}
	}
}
