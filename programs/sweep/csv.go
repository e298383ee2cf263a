package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"

	"example.com/checker"
)

// columns are what a line of CSV has, by the names that it has in the JSON of a Result,
// of which it is made: what lies deeper is named with a dot. A test holds them against
// that JSON.
var columns = []struct {
	name string
	raw  bool // a number, or JSON text; else it is a string
}{
	{"index", true}, {"target", false}, {"url", false}, {"status", false}, {"reason", false}, {"cause", false}, {"phase", false},
	{"error", false}, {"status_code", true}, {"method", false}, {"proto", false}, {"addr", false}, {"hops", true},
	{"attempts", true},
	{"tls.version", false}, {"tls.cipher_suite", false}, {"tls.subject", false}, {"tls.issuer", false},
	{"tls.dns_names", true}, {"tls.not_before", false}, {"tls.not_after", false}, {"tls.chain", true},
	{"start", false},
	{"timing.wait_ms", true}, {"timing.dns_ms", true}, {"timing.connect_ms", true}, {"timing.tls_ms", true},
	{"timing.first_byte_ms", true}, {"timing.total_ms", true},
}

var csvHeader = func() string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ",")
}()

// object is JSON whose values are not looked at yet.
type object map[string]json.RawMessage

// flatten returns the values of JSON by the names of columns.
func flatten(data []byte) (object, error) {
	var all object
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for name, value := range all {
		if value[0] != '{' {
			continue
		}
		delete(all, name)
		var inner object
		if err := json.Unmarshal(value, &inner); err != nil {
			return nil, err
		}
		for deeper, value := range inner {
			all[name+"."+deeper] = value
		}
	}
	return all, nil
}

func encodeCSV(r checker.Result) ([]byte, error) {
	data, err := r.MarshalJSON()
	if err != nil {
		return nil, err
	}
	values, err := flatten(data)
	if err != nil {
		return nil, err
	}
	cells := make([]string, len(columns))
	for i, c := range columns {
		switch value := values[c.name]; {
		case value == nil:
		case c.raw:
			cells[i] = string(value)
		default:
			if err := json.Unmarshal(value, &cells[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			cells[i] = inert(cells[i])
		}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err = w.Write(cells)
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// formula are the beginnings of what a spreadsheet takes for a formula.
const formula = "=+-@"

// inert returns s so that neither a spreadsheet nor a terminal obeys it.
func inert(s string) string {
	s = printable(s)
	if s != "" && strings.IndexByte(formula, s[0]) >= 0 {
		return "'" + s
	}
	return s
}

func decodeCSV(line []byte) (r checker.Result, err error) {
	cells, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err != nil || len(cells) != len(columns) {
		return r, errForeign
	}
	all, inner := make(object), make(map[string]object)
	for i, c := range columns {
		if cells[i] == "" {
			continue
		}
		value := json.RawMessage(cells[i])
		if !c.raw {
			if value, err = json.Marshal(strings.TrimPrefix(cells[i], "'")); err != nil {
				return r, err
			}
		}
		outer, deeper, nested := strings.Cut(c.name, ".")
		if !nested {
			all[c.name] = value
			continue
		}
		if inner[outer] == nil {
			inner[outer] = make(object)
		}
		inner[outer][deeper] = value
	}
	for name, values := range inner {
		if all[name], err = json.Marshal(values); err != nil {
			return r, errForeign
		}
	}
	data, err := json.Marshal(all)
	if err != nil || r.UnmarshalJSON(data) != nil {
		return r, errForeign
	}
	return r, nil
}
