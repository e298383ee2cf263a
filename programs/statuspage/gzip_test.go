package main

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTakesGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "identity": false, "br, deflate": false, "gzipx": false,
		"gzip": true, "br, GZIP": true, "deflate,gzip;q=0.5": true, "gzip ; q=1": true,
		"gzip;q=0": false, "gzip; q=0.000": false, "*": false,
	} {
		if got := takesGzip(accept); got != want {
			t.Errorf("takesGzip(%q) = %t; want %t", accept, got, want)
		}
	}
}

// An answer is the same compressed, and one without a body stays without.
func TestCompressed(t *testing.T) {
	b := listed("a.example A +\n")
	srv := httptest.NewServer(newServer(options{}, b))
	t.Cleanup(srv.Close)
	ask := func(method, path, coding, part string) (*http.Response, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", coding)
		if part != "" {
			req.Header.Set("Range", part)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body := io.Reader(resp.Body)
		if resp.Header.Get("Content-Encoding") == "gzip" && method == http.MethodGet {
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(text)
	}
	for path, want := range map[string]string{"/assets/style.css": "gzip", "/assets/page.js": "gzip", "/nowhere": "", "/sites/x": ""} {
		_, plain := ask(http.MethodGet, path, "identity", "")
		resp, text := ask(http.MethodGet, path, "gzip", "")
		if got := resp.Header.Get("Content-Encoding"); got != want || text != plain || resp.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("GET %s is coded as %q and varies with %q, and is the same: %t; want %q", path, got, resp.Header.Get("Vary"), text == plain, want)
		}
	}
	if resp, text := ask(http.MethodHead, "/", "gzip", ""); resp.StatusCode != http.StatusOK || text != "" {
		t.Errorf("HEAD / = %d %q", resp.StatusCode, text)
	}
	if resp, text := ask(http.MethodGet, "/assets/page.js", "gzip", "bytes=0-1"); resp.StatusCode != http.StatusPartialContent || text != "//" {
		t.Errorf("GET of the first two bytes = %d %q", resp.StatusCode, text)
	}
}

// A stream that is compressed comes at once all the same.
func TestCompressedEvents(t *testing.T) {
	b := listed("a.example A +\n")
	srv := httptest.NewServer(newServer(options{}, b))
	t.Cleanup(srv.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	until := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("the stream ended with %v before %q", lines.Err(), want)
	}
	until(`id="ended"`)
	offline(b, 0)
	until("The site is offline")
	until(`id="ended"`)
}
