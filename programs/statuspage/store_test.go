package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/checker"
)

func open(t *testing.T, file string) *store {
	t.Helper()
	db, err := openStore(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.close() })
	return db
}

// What a program had stored is what the next one begins with.
func TestStore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a name with ? and % in it.db")
	db := open(t, file)
	b := newBoard([]*site{parseSite("up.example"), parseSite("down.example"), parseSite("new.example")})
	now := time.Now().Truncate(time.Millisecond)
	end := now.Add(time.Hour)
	for i := range 3 * kept {
		at := now.Add(time.Duration(i-3*kept) * 10 * time.Minute)
		records := []record{
			b.record(0, verdict{at: at, status: checker.Online, latency: time.Duration(i) * time.Millisecond, expires: end}),
			b.record(1, verdict{at: at, status: checker.Offline, reason: checker.ReasonRefused, text: "it's refused"}),
		}
		for _, r := range records {
			if err := db.save(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = db.close()

	again := newBoard([]*site{parseSite("up.example"), parseSite("down.example"), parseSite("other.example")})
	db = open(t, file)
	if err := db.restore(again); err != nil {
		t.Fatal(err)
	}
	for i := range b.sites {
		got, want := newSiteReport(again.sites[i], now), newSiteReport(b.sites[i], now)
		want.Name, want.Target, want.Page = got.Name, got.Target, got.Page
		if !reflect.DeepEqual(got, want) {
			t.Errorf("site %d came back as\n%+v; want\n%+v", i, got, want)
		}
		if got, want := newSpark(again.sites[i].samples), newSpark(b.sites[i].samples); got != want {
			t.Errorf("the samples of site %d came back as\n%v; want\n%v", i, got, want)
		}
	}
	var samples, bytes int
	if err := db.db.QueryRow(`SELECT (SELECT count(*) FROM sample), (SELECT max(length(tracker)) FROM state)`).Scan(&samples, &bytes); err != nil {
		t.Fatal(err)
	}
	if samples != 2*kept || bytes > 1000 {
		t.Errorf("%d samples and up to %d bytes of a tracker are stored of 2 sites; want %d and few", samples, bytes, 2*kept)
	}
}

// A database of an earlier version gets the tables that it lacks, once.
func TestStoreEarlier(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(schemas[0] + fmt.Sprint("PRAGMA user_version = ", firstVersion)); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	for range 2 {
		db := open(t, file)
		if number, _, err := db.oldestMessage(); number != 0 || err != nil {
			t.Errorf("the messages begin with %d, %v; want none", number, err)
		}
		_ = db.close()
	}
}

// A file that is not ours is left alone.
func TestStoreForeign(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "sites.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("example.org\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign, newer := filepath.Join(dir, "foreign.db"), filepath.Join(dir, "newer.db")
	for file, statement := range map[string]string{foreign: `CREATE TABLE x (y)`, newer: `PRAGMA user_version = 99`} {
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
		_ = db.Close()
	}
	for file, want := range map[string]string{
		text:                              "file is not a database",
		foreign:                           "a database of another program",
		newer:                             "another version",
		filepath.Join(dir, "no", "where"): "unable to open database file",
	} {
		before, _ := os.ReadFile(file)
		_, err := openStore(file)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), file) {
			t.Errorf("openStore(%q) = %v; want the name and %q", file, err, want)
		}
		if after, _ := os.ReadFile(file); string(after) != string(before) {
			t.Errorf("openStore(%q) changed the file", file)
		}
	}
}
