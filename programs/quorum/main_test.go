package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

func TestDecide(t *testing.T) {
	const on, off, unknown = checker.Online, checker.Offline, checker.Unknown
	for _, test := range []struct {
		votes []checker.Status
		least int
		want  checker.Status
	}{
		{[]checker.Status{on, on, on}, 2, on},
		{[]checker.Status{on, on, off}, 2, on},
		{[]checker.Status{on, off, off}, 2, off},
		{[]checker.Status{off, off, unknown}, 2, off},
		{[]checker.Status{on, off, unknown}, 2, unknown},      // one against one
		{[]checker.Status{off, unknown, unknown}, 2, unknown}, // one is no quorum
		{[]checker.Status{off, unknown, unknown}, 1, off},     // unless it was asked for
		{[]checker.Status{on, off, unknown}, 1, unknown},      // and then still one against one
		{[]checker.Status{unknown, unknown, unknown}, 1, unknown},
		{[]checker.Status{on, "", ""}, 2, unknown}, // no result is no vote
		{[]checker.Status{off, off, on, on}, 2, unknown},
		{[]checker.Status{off, off, off, on}, 3, off},
		{[]checker.Status{off, off, on, unknown}, 3, unknown},
		{nil, 1, unknown},
	} {
		var votes []vote
		for _, s := range test.votes {
			votes = append(votes, vote{status: s})
		}
		if got := decide(votes, test.least); got != test.want {
			t.Errorf("decide(%q, %d) = %v; want %v", test.votes, test.least, got, test.want)
		}
	}
}

const three = `online	example.org	online: fra 200, nyc 200, sfo 200
offline	shop.example	online: sfo 503; offline: fra refused, nyc timeout	dissent
unknown	api.example	offline: fra refused; unknown: nyc dns, sfo local
online	blog.example	online: fra 200, nyc 200; unknown: sfo no result
`

func TestRun(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const up = `{"target":"http://me:xxxxx@a.example/","status":"online","status_code":200,"attempts":1,"timing":{}}` + "\n"
	const dead = `{"target":"a.example","status":"offline","reason":"refused","phase":"connect","error":"x","status_code":0,"timing":{}}` + "\n"
	const dumb = `{"target":"a.example","status":"unknown","reason":"dns","phase":"dns","error":"x","status_code":0,"timing":{}}` + "\n"
	fra, nyc, sfo := "testdata/fra.jsonl", "testdata/nyc.jsonl", "testdata/sfo.jsonl"
	for _, test := range []struct {
		args   []string
		want   string // on standard output
		err    string // is in the text of the error
		status int
	}{
		{[]string{fra, nyc, sfo}, three, "", 1},
		{[]string{"-min", "3", "-fail", fra, nyc, sfo}, "unknown\tshop.example\t", "", 3},
		{[]string{"-min", "3", fra, nyc, sfo}, "unknown\tshop.example\t", "", 0},
		{[]string{"a=" + fra, "b=" + fra}, "offline\tshop.example\toffline: a refused, b refused\n", "", 1},
		{[]string{"a=" + file("up", "\n"+up), "b=" + file("up2", up)}, "online\thttp://xxxxx@a.example/\tonline: a 200, b 200\n", "", 0},
		{[]string{"a=" + file("again", dead+dumb), "b=" + file("dumb", dumb)}, "unknown\ta.example\tunknown: a dns, b dns\n", "", 0},
		{[]string{"-h"}, "Usage: quorum", "", 0},
		{nil, "", "want the files of two places", 2},
		{[]string{fra}, "", "want the files of two places", 2},
		{[]string{"-min", "4", fra, nyc, sfo}, "", "-min 4 is not from 1 to the number of places, 3", 2},
		{[]string{"-x"}, "", "-x", 2},
		{[]string{fra, filepath.Join(dir, "none")}, "", "none: no such file", 2},
		{[]string{fra, dir}, "", "is a directory", 2},
		{[]string{fra, file("empty", "")}, "", "empty: it is empty", 2},
		{[]string{fra, fra}, "", `there is another place "fra"; say NAME=FILE`, 2},
		{[]string{fra, file("torn", up+up[:40])}, "", "torn: line 2 is no result", 2},
		{[]string{fra, file("contrary", `{"target":"a","status":"online","status_code":0}`)}, "", "contrary: line 1 is no result", 2},
		{[]string{fra, file("utf16", "\xff\xfe{\x00")}, "", "utf16: line 1 is no result", 2},
		{[]string{fra, file("long", up+strings.Repeat("x", maxLine+1))}, "", "long: line 2 is longer than", 2},
	} {
		var out, said strings.Builder
		err := run(test.args, &out, &said)
		status, text := cli.Status(err), ""
		if status == cli.Misused {
			text = err.Error()
		}
		if status != test.status || !strings.Contains(out.String(), test.want) || !strings.Contains(text, test.err) || (text == "") != (test.err == "") {
			t.Errorf("quorum %q = %d, %q and wrote\n%s; want %d, %q and\n%s", test.args, status, text, out.String(), test.status, test.err, test.want)
		}
	}
}

func TestSummary(t *testing.T) {
	const want = "%d online, %d offline, %d unknown; 1 with dissent"
	files := []string{"testdata/fra.jsonl", "testdata/nyc.jsonl", "testdata/sfo.jsonl"}
	var out, said strings.Builder
	if err := run(files, &out, &said); err == nil || err.Error() != fmt.Sprintf(want, 2, 1, 1) || said.Len() > 0 {
		t.Errorf("quorum returned %v and said %q; want the numbers, once", err, &said)
	}
	if err := run(append(files, "-min", "3"), &out, &said); err != nil || said.String() != "quorum: "+fmt.Sprintf(want, 1, 0, 3)+"\n" {
		t.Errorf("quorum -min 3 returned %v and said %q; want the numbers, once", err, &said)
	}
}

// A full disk is no verdict.
func TestWriteFails(t *testing.T) {
	full, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0) // which cannot be written to
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var said strings.Builder
	for _, args := range [][]string{{"testdata/fra.jsonl", "testdata/nyc.jsonl"}, {"-h"}} {
		if err := run(args, full, &said); cli.Status(err) != cli.Misused {
			t.Errorf("quorum %q to a file that takes nothing = %v; want why, and status %d", args, err, cli.Misused)
		}
	}
}
