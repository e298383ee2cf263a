package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // SQLite without cgo

	"example.com/checker"
)

// The tables have what the page shows and no more, so the file stays small
// however long the program runs. Times are milliseconds, an hour is a number
// of hours, both since 1970; durations are microseconds.
const schema = `
CREATE TABLE state (
	target TEXT PRIMARY KEY, status TEXT NOT NULL, since INTEGER NOT NULL,
	fault_at INTEGER NOT NULL, fault_reason TEXT NOT NULL, fault_text TEXT NOT NULL,
	expires INTEGER NOT NULL
) STRICT;
CREATE TABLE sample (
	target TEXT NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL, latency INTEGER NOT NULL,
	PRIMARY KEY (target, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE hour (
	target TEXT NOT NULL, hour INTEGER NOT NULL, online INTEGER NOT NULL, offline INTEGER NOT NULL,
	PRIMARY KEY (target, hour)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
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
	if version != 1 && (version != 0 || tables != 0) {
		return errors.New("a database of another program, or of a newer version of this one")
	}
	statements := "PRAGMA journal_mode = WAL;"
	if version == 0 {
		statements += "BEGIN;" + schema + "COMMIT;"
	}
	_, err := db.Exec(statements)
	return err
}

func (s *store) close() {
	if s != nil {
		_ = s.db.Close() // each verdict has been committed
	}
}

// A record is what a verdict changes in the database.
type record struct {
	target string
	status checker.Status
	since  time.Time
	fault  verdict
	newest verdict
	oldest time.Time // samples before it are forgotten
	tally  tally
}

// save stores a record, as a whole or not at all.
func (s *store) save(r record) error {
	if s == nil {
		return nil
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
		{`INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?, ?, ?)`, []any{r.target, string(r.status), millis(r.since),
			millis(r.fault.at), string(r.fault.reason), r.fault.text, millis(r.newest.expires)}},
		{`INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?)`, []any{r.target, millis(r.newest.at),
			string(r.newest.status), r.newest.latency.Microseconds()}},
		{`DELETE FROM sample WHERE target = ? AND at < ?`, []any{r.target, millis(r.oldest)}},
		{`INSERT OR REPLACE INTO hour VALUES (?, ?, ?, ?)`, []any{r.target, r.tally.hour, r.tally.online, r.tally.offline}},
		{`DELETE FROM hour WHERE target = ? AND hour <= ?`, []any{r.target, r.tally.hour - week}},
	} {
		if _, err := tx.Exec(step.sql, step.args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// restore gives the sites of a board the history that is stored of them.
func (s *store) restore(b *board, now time.Time) error {
	if s == nil {
		return nil
	}
	var errs []error
	b.each(func(_ int, site *site) {
		errs = append(errs, s.state(site), s.samples(site), s.hours(site, now))
	})
	return errors.Join(errs...)
}

func (s *store) state(site *site) error {
	var status, reason string
	var since, at, expires int64
	err := s.db.QueryRow(`SELECT status, since, fault_at, fault_reason, fault_text, expires FROM state WHERE target = ?`,
		site.target).Scan(&status, &since, &at, &reason, &site.fault.text, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	site.status, site.since, site.expires = checker.Status(status), moment(since), moment(expires)
	site.fault.at, site.fault.reason = moment(at), checker.Reason(reason)
	site.fault.status = site.fault.reason.Status()
	return err
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

func (s *store) hours(site *site, now time.Time) error {
	newest := now.Unix() / 3600
	return s.query(`SELECT hour, online, offline FROM hour WHERE target = ?`, site.target, func(rows *sql.Rows) error {
		var t tally
		err := rows.Scan(&t.hour, &t.online, &t.offline)
		if t.hour <= newest && t.hour > newest-week {
			*site.place(t.hour) = t
		}
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
