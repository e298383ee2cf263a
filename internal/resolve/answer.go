package resolve

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// An answer is what a nameserver says of one family of a name.
type answer struct {
	code dnsmessage.RCode
	any  bool          // there are records, if only aliases
	sink bool          // the unspecified address is among them
	ttl  time.Duration // the least of all; negative if there is none
	n    int
	buf  [maxAddrs]netip.Addr
}

func (a *answer) addrs() []netip.Addr { return a.buf[:a.n] }

// read reads an answer to q and returns 0 if it is to be believed, and otherwise
// why it is not, or cut. A message that filled its buffer may have been longer.
func (a *answer) read(msg []byte, q *question, filled bool) Kind {
	*a = answer{ttl: -1}
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil {
		return Malformed
	}
	if _, err = p.Question(); err != nil && !done(err) || p.SkipAllQuestions() != nil {
		return Malformed
	}
	a.code = h.RCode
	empty := binary.BigEndian.Uint16(msg[6:]) == 0
	switch {
	case h.RCode != dnsmessage.RCodeSuccess && h.RCode != dnsmessage.RCodeNameError:
		return kindOf(h.RCode)
	case h.RCode == dnsmessage.RCodeSuccess && empty && !h.Authoritative && !h.RecursionAvailable:
		// What a server says that was asked for a zone that it does not have, and
		// that does not ask others: see also what the GNU C library calls next_ns.
		return Lame
	case h.Truncated:
		return cut
	case h.RCode == dnsmessage.RCodeNameError:
		return 0
	}
	switch err := a.records(&p, q); {
	case err == nil || a.n == maxAddrs:
		return 0
	case errors.Is(err, errVersion):
		return NotImplemented
	case filled:
		return cut
	}
	return Malformed
}

// kindOf returns the kind of an answer with a code of failure.
func kindOf(code dnsmessage.RCode) Kind {
	switch code {
	case dnsmessage.RCodeFormatError:
		return FormatError
	case dnsmessage.RCodeServerFailure:
		return ServFail
	case dnsmessage.RCodeNotImplemented:
		return NotImplemented
	case dnsmessage.RCodeRefused:
		return Refused
	}
	return OtherCode
}

var errVersion = errors.New("the server does not speak this version of EDNS")

// done reports whether err is the end of a section.
func done(err error) bool { return errors.Is(err, dnsmessage.ErrSectionDone) }

// records reads the records of a message up to the last address that is kept. An
// alias, whosever it is, is the name that counts from there on, as for the GNU C
// library: each record is looked at once, so that loops end.
func (a *answer) records(p *dnsmessage.Parser, q *question) error {
	name := q.name
	misplaced := false
	for a.n < maxAddrs {
		h, err := p.AnswerHeader()
		switch {
		case done(err):
			if !misplaced && a.any {
				return nil
			}
			return a.additional(p, q, &name, misplaced)
		case err != nil:
			return err
		case h.Type == dnsmessage.TypeOPT:
			misplaced = true
			err = p.SkipAnswer()
		default:
			a.any = true
			if ok, takeErr := a.take(p, &h, q, &name); ok {
				err = takeErr
			} else {
				err = p.SkipAnswer()
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// take takes a record that is of use and reports whether it was.
func (a *answer) take(p *dnsmessage.Parser, h *dnsmessage.ResourceHeader, q *question, name *dnsmessage.Name) (bool, error) {
	if h.Class != dnsmessage.ClassINET || h.Type != dnsmessage.TypeCNAME && h.Type != q.typ {
		return false, nil
	}
	ttl := time.Duration(h.TTL) * time.Second
	if h.TTL > 1<<31-1 { // RFC 2181, section 8
		ttl = 0
	}
	if a.ttl < 0 || ttl < a.ttl {
		a.ttl = ttl
	}
	switch {
	case h.Type == dnsmessage.TypeCNAME:
		r, err := p.CNAMEResource()
		*name = r.CNAME
		return true, err
	case !sameName(&h.Name, name):
		return false, nil
	case h.Type == dnsmessage.TypeA && h.Length == 4:
		r, err := p.AResource()
		a.add(netip.AddrFrom4(r.A), err)
		return true, err
	case h.Type == dnsmessage.TypeAAAA && h.Length == 16:
		r, err := p.AAAAResource()
		a.add(netip.AddrFrom16(r.AAAA).Unmap(), err)
		return true, err
	}
	return false, nil
}

func (a *answer) add(addr netip.Addr, err error) {
	switch {
	case err != nil:
	case addr.IsUnspecified():
		a.sink = true
	default:
		a.buf[a.n] = addr
		a.n++
	}
}

// additional looks at what stands behind the answers: there may be the word that
// the server does not speak EDNS as we do, and, where a server took its own OPT
// record for an answer, the answers. What cannot be read there is nobody's loss.
func (a *answer) additional(p *dnsmessage.Parser, q *question, name *dnsmessage.Name, misplaced bool) error {
	if p.SkipAllAuthorities() != nil {
		return nil
	}
	for a.n < maxAddrs {
		h, err := p.AdditionalHeader()
		if err != nil {
			return nil
		}
		if h.Type == dnsmessage.TypeOPT && h.ExtendedRCode(a.code) != a.code {
			return errVersion
		}
		ok := false
		if misplaced && h.Type != dnsmessage.TypeOPT {
			a.any = true
			ok, err = a.take(p, &h, q, name)
		}
		if !ok {
			err = p.SkipAdditional()
		}
		if err != nil {
			return nil
		}
	}
	return nil
}
