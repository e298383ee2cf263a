package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // SQLite without cgo
)

// The tables have what the page shows and no more, so the file stays small
// however long the program runs. A tracker is JSON of package watch. Times are
// milliseconds since 1970, durations are microseconds.
//
// Each schema goes on from the one before; user_version says how many there are.
var schemas = []string{`
CREATE TABLE state (
	target TEXT PRIMARY KEY, tracker TEXT NOT NULL,
	fault_at INTEGER NOT NULL, fault_reason TEXT NOT NULL, fault_text TEXT NOT NULL,
	expires INTEGER NOT NULL
) STRICT;
CREATE TABLE sample (
	target TEXT NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL, latency INTEGER NOT NULL,
	PRIMARY KEY (target, at)
) STRICT, WITHOUT ROWID;
`, `
CREATE TABLE incident (
	target TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER NOT NULL,
	reason TEXT NOT NULL, cause TEXT NOT NULL, text TEXT NOT NULL,
	PRIMARY KEY (target, began)
) STRICT, WITHOUT ROWID;
`, `
CREATE TABLE message (
	number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL
) STRICT;
`}

const firstVersion = 2 // of the first schema

// openStore opens the database in a file and makes it if it is not there; the
// file "" stands for none.
func openStore(file string) (*store, error) {
	if file == "" {
		return nil, nil
	}
	dsn := "file:" + (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=synchronous(NORMAL)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer
	if err := migrate(db); err != nil {
		return nil, fmt.Errorf("%s: %w", file, errors.Join(err, db.Close()))
	}
	return &store{db: db}, nil
}

// migrate makes the tables, unless they are there. It writes nothing to a
// database that is not ours.
//
// The write-ahead log makes commits cheap: they are not synced one by one, and
// a power cut may lose the last few verdicts but not the file.
func migrate(db *sql.DB) error {
	var version, tables int
	if err := db.QueryRow(`PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return err
	}
	known := 0
	if version >= firstVersion {
		known = version - firstVersion + 1
	}
	if known > len(schemas) || known == 0 && (version != 0 || tables != 0) {
		return errors.New("a database of another program, or of another version of this one")
	}
	statements := "PRAGMA journal_mode = WAL;"
	if known < len(schemas) {
		statements += "BEGIN;" + strings.Join(schemas[known:], "") +
			fmt.Sprintf("PRAGMA user_version = %d; COMMIT;", firstVersion+len(schemas)-1)
	}
	_, err := db.Exec(statements)
	return err
}
