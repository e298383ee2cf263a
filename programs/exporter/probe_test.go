package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestProbe(t *testing.T) {
	w := newWeb(t)
	base, stop := start(t, "-probe", "-allow-private")
	for _, test := range []struct {
		target  string
		want    map[string]string
		missing []string
	}{
		{w.up, map[string]string{"probe_success": "1", "probe_http_status_code": "200", `probe_verdict{reason="",status="online"}`: "1",
			"probe_http_version": "1.1", "probe_ip_protocol": "4", "probe_http_ssl": "0", "probe_http_redirects": "0"},
			[]string{"probe_ssl_earliest_cert_expiry", `probe_tls_version_info{version="TLS 1.3"}`}},
		{w.moved, map[string]string{"probe_success": "1", "probe_http_redirects": "1", "probe_http_status_code": "200"}, nil},
		{w.busy, map[string]string{"probe_success": "0", "probe_http_status_code": "503", `probe_verdict{reason="rejected",status="offline"}`: "1"}, nil},
		{w.selfSigned, map[string]string{"probe_success": "0", "probe_http_status_code": "0", `probe_verdict{reason="certificate",status="offline"}`: "1",
			"probe_ssl_earliest_cert_expiry": "3.6e+09", "probe_ssl_earliest_cert_not_before": "0", `probe_tls_version_info{version="TLS 1.3"}`: "1",
			`probe_tls_cipher_info{cipher="TLS_AES_128_GCM_SHA256"}`: "1"}, []string{"probe_http_version"}},
		{refused, map[string]string{"probe_success": "0", `probe_verdict{reason="refused",status="offline"}`: "1"}, []string{"probe_ip_protocol"}},
		{"ftp://x", map[string]string{`probe_verdict{reason="invalid",status="unknown"}`: "1"}, []string{"probe_success"}},
	} {
		got := get(t, base+"probe?target="+url.QueryEscape(test.target))
		for name, want := range test.want {
			if got[name] != want {
				t.Errorf("/probe of %s: %s = %q; want %q", test.target, name, got[name], want)
			}
		}
		for _, name := range test.missing {
			if v, ok := got[name]; ok {
				t.Errorf("/probe of %s: %s = %s; want none", test.target, name, v)
			}
		}
		for _, phase := range []string{"resolve", "connect", "tls", "processing"} {
			if _, ok := got[fmt.Sprintf("probe_http_duration_seconds{phase=%q}", phase)]; !ok {
				t.Errorf("/probe of %s: there is no phase %s", test.target, phase)
			}
		}
	}
	if resp, err := http.Get(base + "probe"); err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("/probe without a target: %v, %v; want status 400", resp, err)
	}
	stop()
}

// Without -allow-private, /probe asks the public Internet only, and without
// -probe there is none.
func TestProbeIsSafe(t *testing.T) {
	w := newWeb(t)
	base, stop := start(t, "-probe")
	if got := get(t, base+"probe?target="+w.up); got[`probe_verdict{reason="blocked",status="unknown"}`] != "1" || got["probe_success"] != "" {
		t.Errorf("/probe of loopback: %v; want blocked", got)
	}
	stop()
	base, stop = start(t, "-f", list(t, w.up))
	if resp, err := http.Get(base + "probe?target=" + w.up); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("/probe without -probe: %v, %v; want status 404", resp, err)
	}
	stop()
}

// A probe too many is refused, and not queued.
func TestProbeIsBounded(t *testing.T) {
	p, err := newProber(true, successes())
	if err != nil {
		t.Fatal(err)
	}
	for range maxProbes {
		p.slots <- struct{}{}
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/probe?target="+refused, nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("probe %d at once: status %d; want 503", maxProbes+1, w.Code)
	}
}
