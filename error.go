package checker

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Error says why a check did not end with Online, in which phase it ended
// and for which URL. It wraps the underlying error, if there is one.
//
// Its text is one printable line of at most 512 bytes. It names the class of
// the failure and what the site itself published, such as the URL of a redirect
// or the names in a certificate. Where the lookup failed, it says which of this
// machine's nameservers said what, and the names that the search list made of the
// target's. It holds no userinfo, and no other address or host name. So it can be
// shown to whoever asked for the check, if they may know this machine's nameservers
// and search list. What the operator needs beyond that (the address that the policy
// refused, what a resolver given by [WithResolver] said) is in Err.
//
// An Error is immutable; it may be shared between goroutines. The zero Error has
// no reason, and stands for none. An Error that a caller makes tells its
// Reason and Cause only, since Err may say what a stranger must not hear. Without a
// Reason it has that of its Cause, and a Cause that belongs to another Reason is none.
type Error struct {
	Phase  Phase  // where the check ended
	Reason Reason // why
	Cause  Cause  // what of it; "" where the Reason says all, or no more is known
	URL    string // without userinfo; "" if the target names none
	Err    error  // what went wrong underneath; may be nil

	detail string // what Message says beyond the sentence of Reason and Cause
	text   string // all of Error, of an Error out of JSON
	status Status // of a Reason out of JSON that is not known here
}

const (
	maxShown    = 512 // bytes of an error's text
	maxShownURL = 200 // bytes of a URL in it

	maxShownPhase = 20 // bytes of a phase, which a caller may have made up
)

// Error describes the failure in one line. The wording may change.
func (e *Error) Error() string {
	if e.text != "" {
		return clean(e.text, maxShown)
	}
	before := e.before()
	return before + e.message(maxShown-len(before))
}

// Message is Error without the URL, for where Result.URL is shown already. Beside the
// target alone it may mislead, since a redirect may have led elsewhere.
func (e *Error) Message() string {
	if e.text != "" {
		return strings.TrimPrefix(clean(e.text, maxShown), e.before())
	}
	return e.message(maxShown)
}

// before is the beginning of Error that Message leaves out.
func (e *Error) before() string {
	if e.URL == "" {
		return ""
	}
	return clean(e.URL, maxShownURL) + ": "
}

func (e *Error) message(limit int) string {
	reason, c := e.why()
	cause := causes[c]
	text, detail := cmp.Or(cause.text, reasons[reason].text), cmp.Or(e.detail, cause.advise(""))
	if text == "" {
		text = fmt.Sprintf("unknown reason %q", string(reason))
	}
	if reason == ReasonTimeout {
		text += " (" + clean(string(e.Phase), maxShownPhase) + ")"
	}
	if detail != "" {
		text += ": " + detail
	}
	return clean(text, limit)
}

// why returns the Reason and the Cause of e, which belong together also in an Error that a
// caller made. Nothing is known of those that a later version of the package has added.
func (e *Error) why() (Reason, Cause) {
	own, known := causes[e.Cause]
	_, knownReason := reasons[e.Reason]
	switch {
	case known && e.Reason == "":
		return own.reason, e.Cause
	case known && knownReason && e.Reason != own.reason:
		return e.Reason, ""
	}
	return e.Reason, e.Cause
}

// advise returns what is known of a fault, or the detail, and what to do about it.
func (m causeMeaning) advise(known string) string {
	known = cmp.Or(known, m.detail)
	if m.mend == "" {
		return known
	}
	return clean(known, maxKnown) + "; " + m.mend
}

const maxKnown = 200 // bytes of what is known, so that what to do about it is never cut off

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is e's Reason or its Cause. No Error is the zero Reason, or
// the zero Cause.
func (e *Error) Is(target error) bool {
	reason, cause := e.why()
	switch target := target.(type) {
	case Reason:
		return target == reason && target != ""
	case Cause:
		return target == cause && target != ""
	}
	return false
}

// Timeout reports whether the site did not answer in time, as the method of
// the same name of [net.Error] does.
func (e *Error) Timeout() bool { return e.Reason == ReasonTimeout }

// A hint is an error that knows its Cause and tells the user what to mend. The zero
// hint is none.
type hint struct {
	cause Cause
	text  string
}

func (h hint) Error() string { return h.text }

// clean returns s as at most limit printable bytes: what is not printable is
// escaped as in a Go string, and what is too long ends in "…". Text from a
// server must not reach a terminal or a log as it is.
func clean(s string, limit int) string {
	if len(s) <= limit && printable(s) {
		return s
	}
	const ellipsis = "…"
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		piece := s[:n]
		if !unicode.IsPrint(r) || r == utf8.RuneError && n == 1 {
			q := strconv.QuoteToASCII(piece)
			piece = q[1 : len(q)-1]
		}
		if b.Len()+len(piece)+len(ellipsis) > limit {
			b.WriteString(ellipsis)
			break
		}
		b.WriteString(piece)
		s = s[n:]
	}
	return b.String()
}

func printable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// errorOf returns the *Error that err wraps, or that of the Cause or the Reason that it
// wraps, which are errors by themselves; nil for none.
func errorOf(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if c, ok := errors.AsType[Cause](err); ok {
		return &Error{Reason: causes[c].reason, Cause: c}
	}
	if r, ok := errors.AsType[Reason](err); ok {
		return &Error{Reason: r}
	}
	return nil
}

// verdict returns the Status that e stands for.
func (e *Error) verdict() Status {
	reason, _ := e.why()
	return cmp.Or(e.status, reason.Status())
}

func reasonOf(err error) Reason {
	if e := errorOf(err); e != nil {
		reason, _ := e.why()
		return reason
	}
	return ""
}

// textOf returns what an error of a Result says. A caller's own may say anything, or nothing.
func textOf(err error) string { return clean(cmp.Or(err.Error(), "an error without a text"), maxShown) }
