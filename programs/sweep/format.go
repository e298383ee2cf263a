package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"example.com/checker"
)

// A format writes results as lines and reads them back, with as much as a
// summary needs: -resume counts what an earlier run found.
type format struct {
	header  string // the first line
	opening string // what the first line begins with
	encode  func(checker.Result) ([]byte, error)
	decode  func(line []byte) (checker.Result, error)
}

var formats = map[string]format{
	"jsonl": {"", `{"index":`, checker.Result.MarshalJSON, decodeJSON},
	"csv":   {csvHeader + "\n", csvHeader, encodeCSV, decodeCSV},
	"text":  {"", "", encodeText, decodeText},
}

var errForeign = errors.New("this is no line that sweep wrote in that format")

func decodeJSON(line []byte) (r checker.Result, err error) {
	if !bytes.HasPrefix(line, []byte(`{"index":`)) {
		return r, errForeign
	}
	err = r.UnmarshalJSON(line)
	return r, err
}

// encodeText writes columns for eyes and for awk: index, status, the status
// code or the reason, time, and the site with what is wrong.
func encodeText(r checker.Result) ([]byte, error) {
	why, site := strconv.Itoa(r.StatusCode), checker.Redact(r.Target)
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		why = string(e.Reason)
		site += "  " + e.Message()
	}
	return fmt.Appendf(nil, "%8d  %-7s  %-11s  %9.1f ms  %s", r.Index, r.Status(), why, millis(r.Timing.Total), site), nil
}

func decodeText(line []byte) (r checker.Result, err error) {
	f := strings.Fields(string(line))
	if len(f) < 6 || f[4] != "ms" {
		return r, errForeign
	}
	r.Target = f[5]
	code, reason := f[2], ""
	if f[1] != string(checker.Online) {
		code, reason = "0", f[2]
	}
	return r, fill(&r, f[0], f[1], reason, code, f[3])
}

// fill sets what all formats have and reports errForeign if it does not agree.
func fill(r *checker.Result, index, status, reason, code, ms string) error {
	var errs [3]error
	var total float64
	r.Index, errs[0] = strconv.Atoi(index)
	r.StatusCode, errs[1] = strconv.Atoi(code)
	total, errs[2] = strconv.ParseFloat(ms, 64)
	r.Timing.Total = time.Duration(total * float64(time.Millisecond))
	if reason != "" {
		r.Err = &checker.Error{Reason: checker.Reason(reason)}
	}
	if errors.Join(errs[:]...) != nil || string(r.Status()) != status {
		return errForeign
	}
	return nil
}

// printable returns s, quoted if it has what a terminal might obey.
func printable(s string) string {
	for _, c := range s {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			return strconv.QuoteToGraphic(s)
		}
	}
	return s
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
