package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// serve starts sites and returns their addresses.
func serve(t *testing.T, addrs ...string) (hosts []string) {
	t.Helper()
	for _, addr := range addrs {
		l, err := net.Listen("tcp", addr)
		switch {
		case err != nil && os.Getenv("CI") == "true":
			t.Fatalf("all of 127.0.0.0/8 must be local: %v", err)
		case err != nil: // not all systems have more than 127.0.0.1
			t.Skipf("all of 127.0.0.0/8 must be local: %v", err)
		}
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		srv.Listener.Close()
		srv.Listener = l
		srv.Start()
		t.Cleanup(srv.Close)
		hosts = append(hosts, l.Addr().String())
	}
	return hosts
}

// indexesOf returns the lines of which an output has results.
func indexesOf(t *testing.T, name string) (indexes []int) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for text := range bytes.Lines(data) {
		var r struct {
			Index  int
			Target string
			Status string
		}
		if err := json.Unmarshal(text, &r); err != nil || !strings.HasSuffix(r.Target, fmt.Sprint("/", r.Index)) || r.Status != "online" {
			t.Errorf("%v: %s", err, text)
		}
		indexes = append(indexes, r.Index)
	}
	return indexes
}

// All shares together have each target once, with the number of its line, also
// when each was ended in the middle of a line and goes on.
func TestShares(t *testing.T) {
	const n = 300
	hosts := serve(t, "127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0", "127.0.0.4:0", "127.0.0.5:0")
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf("http://%s/%d", hosts[i%len(hosts)], i))
	}
	dir := t.TempDir()
	list := filepath.Join(dir, "list")
	lines[7], lines[8] = "", "# not a target"
	if err := os.WriteFile(list, []byte("\ufeff"+strings.Join(lines, "\r\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	var all []int
	shares := 0
	for i := range 4 {
		out := filepath.Join(dir, fmt.Sprint(i))
		args := []string{"-shard", fmt.Sprintf("%d/4", i), "-f", list, "-o", out}
		if err := run(t.Context(), args, io.Discard); err != nil {
			t.Fatal(err)
		}
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Error("an output was overwritten")
		}
		if data, err := os.ReadFile(out); err == nil {
			os.WriteFile(out, data[:len(data)*2/3], 0o644)
		}
		if err := run(t.Context(), append(args, "-resume"), io.Discard); err != nil {
			t.Fatal(err)
		}
		indexes := indexesOf(t, out)
		all = append(all, indexes...)
		if len(indexes) > 0 {
			shares++
		}
	}
	if shares < 2 {
		t.Error("all is in one share")
	}
	slices.Sort(all)
	if len(all) != n-2 || len(slices.Compact(all)) != n-2 {
		t.Errorf("%d results; want %d, of different lines", len(all), n-2)
	}
}

func TestShareFlag(t *testing.T) {
	for text, want := range map[string]bool{
		"0/1": true, "15/16": true, "16/16": false, "-1/4": false, "1": false, "": false, "1/0": false, "1/4x": false, "a/b": false,
	} {
		if err := new(share).Set(text); (err == nil) != want {
			t.Errorf("Set(%q) = %v; want it accepted: %v", text, err, want)
		}
	}
}

// However a host is written, its targets are in one share.
func TestHost(t *testing.T) {
	for target, host := range map[string]string{
		"HTTPS://u@A.example.:80/x@y": "a.example", "a.example?x": "a.example", "http://[::1]:80/": "[::1]", "http://BÜCHER.example/": "xn--bcher-kva.example",
	} {
		for i := range uint32(64) {
			if s := (share{i, 64}); s.has(target) != s.has(host) {
				t.Errorf("%q and %q are in two shares", target, host)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long")
	if err := os.WriteFile(long, bytes.Repeat([]byte("x"), 1<<17), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"", "-f /no/such", "-f /dev/null x", "-shard 4/4", "-nonsense", "-f " + long + " -o " + dir + "/out"} {
		if err := run(t.Context(), strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s: no error", args)
		}
	}
}
