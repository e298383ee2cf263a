package resolve

import (
	"encoding/binary"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	maxAddrs = 8   // kept of one family
	maxName  = 253 // RFC 1035, section 2.3.4, without the dot at the end
	maxLabel = 63

	// udpSize is what a server may send over UDP if it is asked by EDNS: what
	// passes everywhere unfragmented, and 4 KiB if it sends more unasked.
	udpSize = 1232
	bufSize = 4 << 10
)

// cut is the kind of an answer that has to be asked for again over TCP. It is
// nothing that a caller sees.
const cut Kind = 255

// A question is one that is asked of nameservers: the same, with the same ID, as
// often as it takes.
type question struct {
	id    uint16
	name  dnsmessage.Name
	typ   dnsmessage.Type
	plain []byte // the message, without EDNS and
	edns  []byte // with it; a piece of buf as plain is
	buf   [2 * (headerLen + maxName + 2 + 4 + optLen)]byte
}

const (
	headerLen = 12
	optLen    = 11
)

// setName makes a name of DNS of name, which has no dot at its end. Any bytes
// will do, if only the lengths are those of RFC 1035.
func setName(n *dnsmessage.Name, name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabel {
			return false
		}
	}
	n.Length = uint8(copy(n.Data[:], name))
	n.Data[n.Length] = '.'
	n.Length++
	return true
}

// pack makes the messages of a question that has a name, under a new ID. Asking
// again with the same one gives a forger no second chance that he would not have
// by waiting, and a late answer to the first try is as good as one to the second.
func (q *question) pack(id uint16) {
	q.id = id
	half := len(q.buf) / 2
	q.plain = q.message(q.buf[:0:half], false)
	q.edns = q.message(q.buf[half:half], true)
}

// bytes returns the message.
func (q *question) bytes(edns bool) []byte {
	if edns {
		return q.edns
	}
	return q.plain
}

func (q *question) message(buf []byte, edns bool) []byte {
	b := dnsmessage.NewBuilder(buf, dnsmessage.Header{ID: q.id, RecursionDesired: true})
	// None of these can fail on a name that setName has made.
	_ = b.StartQuestions()
	_ = b.Question(dnsmessage.Question{Name: q.name, Type: q.typ, Class: dnsmessage.ClassINET})
	if edns {
		var h dnsmessage.ResourceHeader
		_ = h.SetEDNS0(udpSize, dnsmessage.RCodeSuccess, false)
		_ = b.StartAdditionals()
		_ = b.OPTResource(h, dnsmessage.OPTResource{})
	}
	msg, _ := b.Finish()
	return msg
}

// answers reports whether msg is meant as an answer to q: by its ID, and by its
// question if that can be read. A server that refuses may leave the question
// out.
func (q *question) answers(msg []byte) bool {
	const response = 1 << 7
	if len(msg) < 3 || binary.BigEndian.Uint16(msg) != q.id || msg[2]&response == 0 {
		return false
	}
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil {
		return true
	}
	asked, err := p.Question()
	switch {
	case err == nil:
		return asked.Type == q.typ && asked.Class == dnsmessage.ClassINET && sameName(&asked.Name, &q.name) &&
			done(p.SkipQuestion())
	case done(err):
		return len(msg) == headerLen && h.RCode != dnsmessage.RCodeSuccess && h.RCode != dnsmessage.RCodeNameError
	}
	return true
}

// sameName compares as DNS does: bytes, but for the case of the letters of ASCII.
func sameName(a, b *dnsmessage.Name) bool {
	if a.Length != b.Length {
		return false
	}
	for i := range int(a.Length) {
		if fold(a.Data[i]) != fold(b.Data[i]) {
			return false
		}
	}
	return true
}

func fold(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
