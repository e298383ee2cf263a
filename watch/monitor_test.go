package watch_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/checkertest"
	"example.com/checker/internal/bubble"
)

// TestMonitor is the test of the monitor in example_tracker_test.go as its author would
// write it: two of its twenty sites do not stay as they are.
func TestMonitor(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var sites, told []string
		network := checkertest.NewNetwork()
		network.Handle("hook.test", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			told = append(told, string(body))
		}))
		for i := range 20 {
			sites = append(sites, fmt.Sprintf("https://s%d.test/", i))
			network.Handle(sites[i], nil)
		}
		time.AfterFunc(4*time.Minute, func() { network.Fail("s7.test", checker.CauseExpired) })
		time.AfterFunc(8*time.Minute, func() { network.Handle("s7.test", nil) })
		time.AfterFunc(8*time.Minute, func() { network.Fail("s8.test", checker.CauseServFail) }) // no news of the site
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
		defer cancel()
		err := monitor(ctx, time.Minute, sites, network.Client(), "http://hook.test/", network.Option())
		const offline, online = `{"reason":"certificate","site":"https://s7.test/","state":{"status":"offline","since":"2000-01-01T00:04:29.7Z","last":"offline","seen":"2000-01-01T00:05:29.7Z"}}`,
			`{"reason":"","site":"https://s7.test/","state":{"status":"online","since":"2000-01-01T00:08:29.7Z","last":"online","seen":"2000-01-01T00:08:29.7Z"}}`
		if want := []string{offline, online}; err != nil || !slices.Equal(told, want) {
			t.Errorf("monitor = %v, and told %q; want %q", err, told, want)
		}
	})
}

// Both are short, which is what they are there to show.
func TestMonitorIsShort(t *testing.T) {
	for name, want := range map[string]struct {
		file string
		less int
	}{"monitor": {"example_tracker_test.go", 40}, "TestMonitor": {"monitor_test.go", 30}} {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, want.file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		fn := slices.IndexFunc(f.Decls, func(d ast.Decl) bool { fn, ok := d.(*ast.FuncDecl); return ok && fn.Name.Name == name })
		if fn < 0 {
			t.Fatalf("%s has no %s", want.file, name)
		}
		if n := fset.Position(f.Decls[fn].End()).Line - fset.Position(f.Decls[fn].Pos()).Line + 1; n >= want.less {
			t.Errorf("%s has %d lines; want less than %d", name, n, want.less)
		}
	}
}
