package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // SQLite without cgo

	"example.com/checker"
	"example.com/checker/watch"
)

// The tables have what the page shows and no more, so the file stays small
// however long the program runs. A tracker is JSON of package watch. Times are
// milliseconds since 1970, durations are microseconds.
const schema = `
CREATE TABLE state (
	target TEXT PRIMARY KEY, tracker TEXT NOT NULL,
	fault_at INTEGER NOT NULL, fault_reason TEXT NOT NULL, fault_text TEXT NOT NULL,
	expires INTEGER NOT NULL
) STRICT;
CREATE TABLE sample (
	target TEXT NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL, latency INTEGER NOT NULL,
	PRIMARY KEY (target, at)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
`

// A store keeps the history of sites in a database. A nil store keeps nothing.
// A site that leaves the list keeps its rows, in case that it comes back.
type store struct{ db *sql.DB }

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
	return &store{db}, nil
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
	if version != 2 && (version != 0 || tables != 0) {
		return errors.New("a database of another program, or of another version of this one")
	}
	statements := "PRAGMA journal_mode = WAL;"
	if version == 0 {
		statements += "BEGIN;" + schema + "COMMIT;"
	}
	_, err := db.Exec(statements)
	return err
}

func (s *store) close() error {
	if s == nil {
		return nil
	}
	return s.db.Close()
}

// A record is what a verdict changes in the database.
type record struct {
	target  string
	tracker watch.Tracker // read before the next verdict comes in
	fault   verdict
	newest  verdict
	oldest  time.Time // samples before it are forgotten
}

// save stores a record, as a whole or not at all.
func (s *store) save(r record) error {
	if s == nil {
		return nil
	}
	tracker, err := json.Marshal(r.tracker)
	if err != nil {
		return err
	}
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{`INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?, ?)`, []any{r.target, string(tracker),
			millis(r.fault.at), string(r.fault.reason), r.fault.text, millis(r.newest.expires)}},
		{`INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?)`, []any{r.target, millis(r.newest.at),
			string(r.newest.status), r.newest.latency.Microseconds()}},
		{`DELETE FROM sample WHERE target = ? AND at < ?`, []any{r.target, millis(r.oldest)}},
	} {
		if _, err := tx.Exec(step.sql, step.args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// restore gives the sites of a board the history that is stored of them.
func (s *store) restore(b *board) error {
	if s == nil {
		return nil
	}
	var errs []error
	b.each(func(_ int, site *site) {
		errs = append(errs, s.state(site), s.samples(site))
	})
	return errors.Join(errs...)
}

func (s *store) state(site *site) error {
	var tracker, reason string
	var at, expires int64
	err := s.db.QueryRow(`SELECT tracker, fault_at, fault_reason, fault_text, expires FROM state WHERE target = ?`,
		site.target).Scan(&tracker, &at, &reason, &site.fault.text, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	site.expires = moment(expires)
	site.fault.at, site.fault.reason = moment(at), checker.Reason(reason)
	site.fault.status = site.fault.reason.Status()
	return json.Unmarshal([]byte(tracker), &site.tracker)
}

func (s *store) samples(site *site) error {
	return s.query(`SELECT at, status, latency FROM sample WHERE target = ? ORDER BY at`, site.target, func(rows *sql.Rows) error {
		var at, latency int64
		var status string
		err := rows.Scan(&at, &status, &latency)
		site.samples = append(site.samples, verdict{
			at:      moment(at),
			status:  checker.Status(status),
			latency: time.Duration(latency) * time.Microsecond,
		})
		site.samples = site.samples[max(0, len(site.samples)-kept):]
		return err
	})
}

// query calls scan with each row that is stored of a target.
func (s *store) query(query, target string, scan func(*sql.Rows) error) error {
	rows, err := s.db.Query(query, target)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what went wrong
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// millis is the stored form of a time, 0 for the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// moment is the time that millis stored.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
