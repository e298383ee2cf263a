package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"net/netip"
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
	"csv":   {columns + "\n", columns, encodeCSV, decodeCSV},
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

const columns = "index,target,status,reason,status_code,total_ms,url,addr,attempts,cert_not_after,error"

func encodeCSV(r checker.Result) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	var addr, notAfter, text string
	if r.Addr != (netip.AddrPort{}) {
		addr = r.Addr.String()
	}
	if r.TLS != nil {
		notAfter = r.TLS.NotAfter.UTC().Format(time.RFC3339)
	}
	if r.Err != nil {
		text = r.Err.Error()
	}
	err := w.Write([]string{
		strconv.Itoa(r.Index), inert(checker.Redact(r.Target)), string(r.Status()), string(r.Reason()), strconv.Itoa(r.StatusCode),
		fmt.Sprintf("%.3f", millis(r.Timing.Total)), r.URL, addr, strconv.Itoa(r.Attempts), notAfter, inert(text),
	})
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// inert returns s so that a spreadsheet does not take it for a formula.
func inert(s string) string {
	s = printable(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

func decodeCSV(line []byte) (r checker.Result, err error) {
	f, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err != nil || len(f) != strings.Count(columns, ",")+1 {
		return r, errForeign
	}
	if f[9] != "" {
		r.TLS = new(checker.TLS)
		if r.TLS.NotAfter, err = time.Parse(time.RFC3339, f[9]); err != nil {
			return r, errForeign
		}
	}
	r.Target, r.URL = f[1], f[6]
	return r, fill(&r, f[0], f[2], f[3], f[4], f[5])
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
