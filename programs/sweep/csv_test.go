package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"example.com/checker"
)

// full is a Result of which nothing is empty, but for Err.
func full() checker.Result {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ms := 1500 * time.Microsecond
	return checker.Result{
		Index: 7, Target: "h, \"x\"", URL: "https://h/", StatusCode: 200, Method: "HEAD", Proto: "HTTP/1.1",
		Addr: netip.MustParseAddrPort("[::1]:443"), Hops: []checker.Hop{{URL: "http://h/", StatusCode: 301}}, Attempts: 2,
		TLS: &checker.TLS{
			Version: "TLS 1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", Subject: "CN=h,O=\"x\"", Issuer: "CN=i",
			DNSNames: []string{"h", "*.h"}, NotBefore: at, NotAfter: at.AddDate(1, 0, 0),
			Chain: []checker.Cert{{Subject: "CN=h", Issuer: "CN=i", NotBefore: at, NotAfter: at.AddDate(1, 0, 0)}},
		},
		Start: at, Timing: checker.Timing{Wait: ms, DNS: ms, Connect: ms, TLS: ms, FirstByte: ms, Total: ms},
	}
}

// CSV has all that the JSON has, by the same names, and nothing else.
func TestColumns(t *testing.T) {
	want := make(map[string]bool)
	failed := full()
	failed.Err = &checker.Error{Reason: checker.ReasonRejected, Cause: checker.CauseStatus, Phase: checker.PhaseJudge}
	for _, r := range []checker.Result{full(), failed} {
		data, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		values, err := flatten(data)
		if err != nil {
			t.Fatal(err)
		}
		for name := range values {
			want[name] = true
		}
	}
	var got []string
	for _, c := range columns {
		got = append(got, c.name)
	}
	slices.Sort(got)
	if want := slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
		t.Errorf("columns %q; want %q", got, want)
	}
}

// What CSV says of a Result is what JSON says.
func TestCSVIsJSON(t *testing.T) {
	failed := full()
	failed.Err, failed.StatusCode = &checker.Error{Reason: checker.ReasonReset, Phase: checker.PhaseResponse, URL: "https://h/"}, 0
	for _, r := range []checker.Result{full(), failed, {}, {Target: "-1", Err: checker.ReasonInvalid}, {Target: "=1+2", Err: checker.ReasonInvalid}} {
		line, err := encodeCSV(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeCSV(line)
		if err != nil {
			t.Errorf("decodeCSV(%q) = %v", line, err)
			continue
		}
		want, _ := json.Marshal(r)
		if got, _ := json.Marshal(back); !bytes.Equal(got, want) {
			t.Errorf("%s\nreads back as\n%s; want\n%s", line, got, want)
		}
	}
}
