package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"example.com/checker"
	"example.com/checker/watch"
)

// A store keeps the history of sites in a database. A nil store keeps nothing.
// A site that leaves the list keeps its rows, in case that it comes back. One goroutine
// may save at a time, and any may read messages and forget them.
type store struct {
	db       *sql.DB
	owed     []step        // of what happens once, which could not be stored when it did
	messages chan struct{} // has something if there may be new ones; nil if none are to be stored
}

// A step is a statement.
type step struct {
	sql  string
	args []any
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
	turned  *incident // that has begun or ended; nil if none has
	message message   // of that
}

// save stores a record, as a whole or not at all. What is told once is then stored with
// the next record; for the rest, the next one of the site does as well.
func (s *store) save(r record) error {
	if s == nil {
		return nil
	}
	tracker, err := json.Marshal(r.tracker)
	if err != nil {
		return err
	}
	state := step{`INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?, ?)`, []any{r.target, string(tracker),
		millis(r.fault.at), string(r.fault.reason), r.fault.text, millis(r.newest.expires)}}
	if r.turned != nil { // told once, so it is stored with the state that it is told of
		s.owed = append(append(s.owed, state), r.once()...)
		if s.messages != nil {
			s.owed = append(s.owed, r.message.steps()...)
		}
	}
	err = s.commit(append(slices.Clone(s.owed), state,
		step{`INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?)`, []any{r.target, millis(r.newest.at),
			string(r.newest.status), r.newest.latency.Microseconds()}},
		step{`DELETE FROM sample WHERE target = ? AND at < ?`, []any{r.target, millis(r.oldest)}}))
	if err != nil {
		return err
	}
	if len(s.owed) > 0 && s.messages != nil {
		select {
		case s.messages <- struct{}{}:
		default: // the reader will look anyway
		}
	}
	s.owed = nil
	return nil
}

// once returns the steps for what a record has that no later one has.
func (r record) once() []step {
	x := r.turned
	return []step{
		{`INSERT OR REPLACE INTO incident VALUES (?, ?, ?, ?, ?, ?)`,
			[]any{r.target, millis(x.began), millis(x.ended), string(x.reason), string(x.cause), x.text}},
		{`DELETE FROM incident WHERE target = ?1 AND began NOT IN (SELECT began FROM incident WHERE target = ?1 ORDER BY began DESC LIMIT ?2)`,
			[]any{r.target, keptIncidents}},
	}
}

// commit does all of the steps or none.
func (s *store) commit(steps []step) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for _, step := range steps {
		if _, err := tx.Exec(step.sql, step.args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// oldestMessage returns the message that has waited for longest; number is 0 if there is
// none.
func (s *store) oldestMessage() (number int64, body []byte, err error) {
	err = s.db.QueryRow(`SELECT number, body FROM message ORDER BY number LIMIT 1`).Scan(&number, &body)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return number, body, err
}

func (s *store) forgetMessage(number int64) error {
	_, err := s.db.Exec(`DELETE FROM message WHERE number = ?`, number)
	return err
}

// restore gives the sites of a board the history that is stored of them.
func (s *store) restore(b *board) error {
	if s == nil {
		return nil
	}
	var errs []error
	b.each(func(_ int, site *site) {
		errs = append(errs, s.state(site), s.samples(site), s.incidents(site))
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

func (s *store) incidents(site *site) error {
	return s.query(`SELECT began, ended, reason, cause, text FROM incident WHERE target = ? ORDER BY began`, site.target, func(rows *sql.Rows) error {
		var began, ended int64
		var reason, cause string
		var x incident
		err := rows.Scan(&began, &ended, &reason, &cause, &x.text)
		x.began, x.ended, x.reason, x.cause = moment(began), moment(ended), checker.Reason(reason), checker.Cause(cause)
		site.incidents = append(site.incidents, x)
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
	return time.UnixMilli(ms).UTC()
}
