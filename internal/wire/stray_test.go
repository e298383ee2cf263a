package wire

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"testing"
)

// A script is a connection whose peer says what r has, whatever it is told.
type script struct {
	net.Conn
	r    bytes.Reader
	read int // bytes
}

func (s *script) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.read += n
	return n, err
}

// records cuts a stream of handshake messages into records, of sizes in turn.
func records(stream, sizes []byte) (out []byte) {
	for i := 0; len(stream) > 0; i++ {
		n := len(stream)
		if len(sizes) > 0 {
			n = min(n, int(sizes[i%len(sizes)]))
		}
		n = min(n, maxRecord)
		if n == 0 && i >= len(sizes) {
			n = 1 // so that there is an end
		}
		out = append(out, recordHandshake, 3, 3, byte(n>>8), byte(n))
		out, stream = append(out, stream[:n]...), stream[n:]
	}
	return out
}

// messagesOf returns what is in records.
func messagesOf(records []byte) (stream []byte) {
	for rest := records; len(rest) > 0; {
		n := 5 + int(rest[3])<<8 + int(rest[4])
		stream, rest = append(stream, rest[5:n]...), rest[n:]
	}
	return stream
}

// certificates is a Certificate message.
func certificates(ders ...[]byte) []byte {
	var list []byte
	for _, der := range ders {
		list = append(append(list, put24(len(der))...), der...)
	}
	m := append([]byte{messageCertificate}, put24(3+len(list))...)
	return append(append(m, put24(len(list))...), list...)
}

// entries returns what is in a Certificate message, and whether it is whole.
func entries(m []byte) (ders [][]byte, ok bool) {
	if len(m) < 7 || uint24(m[4:]) != len(m)-7 {
		return nil, false
	}
	for rest := m[7:]; len(rest) > 0; {
		if len(rest) < 3 || len(rest) < 3+uint24(rest) {
			return ders, false
		}
		n := 3 + uint24(rest)
		ders, rest = append(ders, rest[3:n]), rest[n:]
	}
	return ders, true
}

// prunedOf returns what is to become of a stream of messages, and the error behind it.
func prunedOf(stream []byte) (out []byte, want error) {
	for len(stream) >= 4 && 4+uint24(stream[1:]) <= len(stream) {
		m := stream[:4+uint24(stream[1:])]
		stream = stream[len(m):]
		if m[0] != messageCertificate {
			out = append(out, m...)
			continue
		}
		ders, ok := entries(m)
		var kept [][]byte
		for _, der := range ders {
			if _, err := x509.ParseCertificate(der); err == nil {
				kept = append(kept, der)
			} else if len(kept) == 0 {
				return out, &UnparsableError{Err: err}
			}
		}
		if !ok {
			return out, errPruner
		}
		if len(kept) == len(ders) {
			return out, errNoStrays
		}
		out = append(out, certificates(kept...)...)
	}
	if len(stream) >= 4 && 4+uint24(stream[1:]) > maxHandshake {
		return out, errPruner
	}
	return out, io.EOF
}

// FuzzPruner checks that a pruner takes out of any handshake what cannot be parsed,
// and nothing else, however it is cut into records.
func FuzzPruner(f *testing.F) {
	srv := httptest.NewTLSServer(nil)
	srv.Close()
	good, bad := srv.Certificate().Raw, []byte("garbage")
	hello := append([]byte{messageServerHello, 0, 0, 38, 3, 3}, make([]byte, 36)...)
	done := []byte{14, 0, 0, 0}
	for _, certs := range [][][]byte{{}, {good}, {bad}, {good, bad}, {good, good, bad, good, bad}, {bad, good}, {good, nil}} {
		stream := append(append(bytes.Clone(hello), certificates(certs...)...), done...)
		f.Add(stream, []byte{})
		f.Add(stream, []byte{1, 255, 3})
		f.Add(stream[:len(stream)-9], []byte{7})
	}
	f.Add([]byte{messageCertificate, 0, 0, 4, 0, 0, 0, 0}, []byte{})
	f.Add([]byte{messageCertificate, 255, 255, 255, 0}, []byte{0, 1})
	f.Add([]byte{messageCertificate, 0, 0, 7, 0, 0, 4, 0, 0, 9, 0}, []byte{}) // an entry that is longer than the list
	f.Fuzz(func(t *testing.T, stream, sizes []byte) {
		raw := records(stream, sizes)
		s := &script{r: *bytes.NewReader(raw)}
		out, err := io.ReadAll(&pruner{Conn: s})
		got := messagesOf(out)
		want, why := prunedOf(stream)
		if err == nil {
			err = io.EOF
		}
		if !bytes.HasPrefix(want, got) || err == io.EOF && len(got) != len(want) {
			t.Errorf("pruner makes %x of %x; want %x, or what it begins with", got, stream, want)
		}
		if slices.Contains(sizes, 0) && err == errPruner {
			return // an empty record
		}
		_, leaf := errors.AsType[*UnparsableError](why)
		if _, ok := errors.AsType[*UnparsableError](err); ok != leaf || !leaf && !errors.Is(err, why) {
			t.Errorf("pruner reads %x in records of %d: %v; want %v", stream, sizes, err, why)
		}
	})
}

// What a server sends is read no further than it has to be, and without an end is
// not read for ever.
func TestPrunerEnds(t *testing.T) {
	hello := []byte{recordHandshake, 3, 3, 0, 4, 14, 0, 0, 0}
	for _, test := range []struct {
		name string
		raw  []byte
	}{
		{"empty records", []byte{recordHandshake, 3, 3, 0, 0}},
		{"messages", hello},
		{"a message of 16 MiB", []byte{recordHandshake, 3, 3, 0, 4, messageCertificate, 255, 255, 255}},
	} {
		const much = 4 << 20
		s := &script{r: *bytes.NewReader(bytes.Repeat(test.raw, much/len(test.raw)))}
		if _, err := io.Copy(io.Discard, &pruner{Conn: s}); err == nil || s.read >= much-len(test.raw) {
			t.Errorf("%s: %v after %d bytes; want an error before the end", test.name, err, s.read)
		}
	}
}

// What follows the handshake is passed on as it is.
func TestPrunerAfterTheHandshake(t *testing.T) {
	p := &pruner{Conn: &script{r: *bytes.NewReader([]byte("records"))}, done: true}
	p.ready.WriteString("Finished, ")
	if got, err := io.ReadAll(p); string(got) != "Finished, records" || err != nil {
		t.Errorf("after the handshake a pruner reads %q, %v; want all there is", got, err)
	}
}

// A handshake is kept up to maxHandshake: a message may be as long as that, and once there
// is more nothing follows.
func TestPrunerBound(t *testing.T) {
	message := func(n int) []byte { return slices.Concat([]byte{12}, put24(n), make([]byte, n)) }
	whole, done := message(maxHandshake-4), message(0)
	for _, test := range []struct {
		name     string
		messages [][]byte
		passed   int
		err      error
	}{
		{"a message as long as may be", [][]byte{whole}, maxHandshake, nil},
		{"a message that is longer", [][]byte{message(maxHandshake - 3)}, 0, errPruner},
		{"another message", [][]byte{whole, done}, maxHandshake + 4, nil},
		{"two others", [][]byte{whole, done, done}, maxHandshake + 4, errPruner},
	} {
		var raw []byte
		for _, m := range test.messages {
			raw = append(raw, records(m, nil)...)
		}
		out, err := io.ReadAll(&pruner{Conn: &script{r: *bytes.NewReader(raw)}})
		if got := len(messagesOf(out)); got != test.passed || err != test.err {
			t.Errorf("%s: %d bytes pass, %v; want %d, %v", test.name, got, err, test.passed, test.err)
		}
	}
}

// The cipher suite stands behind the session, and is believed only if it has come whole.
func TestAgreedSuite(t *testing.T) {
	const suite = 0xc02f
	for _, session := range []int{0, 1, 32, 255} {
		m := slices.Concat([]byte{messageServerHello, 0, 0, 0, 3, 3}, make([]byte, 32), []byte{byte(session)}, make([]byte, session), []byte{suite >> 8, suite & 255, 0})
		for n := range m {
			if got, ok := agreedSuite(m[:n]); ok != (n >= len(m)-1) || ok && got != suite {
				t.Errorf("agreedSuite() of %d bytes, %d of them a session = %#x, %t; want %#x from %d on", n, session, got, ok, suite, len(m)-1)
			}
		}
		m[0] = messageClientHello
		if got, ok := agreedSuite(m); ok {
			t.Errorf("agreedSuite() of a ClientHello = %#x; want none", got)
		}
	}
}
