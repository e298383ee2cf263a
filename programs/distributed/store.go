package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// A store is a directory of results: a file for each chunk, which is complete
// or not there. The first results of a chunk win, and of chunks that share
// lines the first chunk.
type store struct{ dir string }

// A piece is a file of a store.
type piece struct {
	id    string // of the chunk
	lines int
	path  string
}

// open makes the directory and locks it, for it has no other defence against
// two who write.
func (s store) open() (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(s.dir, "lock"))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("%s is in use by another process", s.dir), err)
	}
	return func() { _ = lock.Unlock() }, nil
}

// folder returns where the chunks go that are, or are halves of, the one with
// this id: about a thousand to a directory.
func (s store) folder(id string) (string, error) {
	run, p, n, ok := splitID(id)
	if !ok {
		return "", fmt.Errorf("%q is no chunk", id)
	}
	return filepath.Join(s.dir, "chunks", run, fmt.Sprintf("%04d", p), fmt.Sprintf("%06x", n>>10)), nil
}

// find returns the pieces that have lines in common with a chunk, in the order
// of their lines.
func (s store) find(id string) ([]piece, error) {
	dir, err := s.folder(id)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var found []piece
	for _, e := range entries {
		if p, ok := parsePiece(filepath.Join(dir, e.Name())); ok && related(p.id, id) {
			found = append(found, p)
		}
	}
	return found, nil // sorted by name, as ReadDir does; "l" comes before "r"
}

const pieceExt = ".jsonl"

// parsePiece reads "<id>.<lines>.jsonl".
func parsePiece(path string) (piece, bool) {
	name, ok := strings.CutSuffix(filepath.Base(path), pieceExt)
	id, count, found := strings.Cut(name, ".")
	n, err := strconv.Atoi(count)
	return piece{id, n, path}, ok && found && err == nil
}

// put keeps the results of a chunk, unless there are some of any of its lines
// already. When it returns they are on the disk.
func (s store) put(id string, lines int, data []byte) (first bool, err error) {
	dir, err := s.folder(id)
	if err != nil {
		return false, err
	}
	there, err := s.find(id)
	if err != nil || len(there) > 0 {
		return false, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return false, err
	}
	name := filepath.Join(dir, fmt.Sprintf("%s.%d%s", id, lines, pieceExt))
	return true, writeFile(name, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}

// writeFile writes a file so that it is there as a whole or not at all, also
// after a loss of power.
func writeFile(name string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(name))
}

// latest has results.jsonl lead to a run's results. It is a link, and a file of that
// name is somebody else's.
func (s store) latest(name string) error {
	link := filepath.Join(s.dir, "results.jsonl")
	if info, err := os.Lstat(link); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return fmt.Errorf("%s is no link to results of this program, and was left as it is", link)
	}
	tmp := link + ".tmp"
	_ = os.Remove(tmp) // of an audit that died
	if err := os.Symlink(filepath.Base(name), tmp); err != nil {
		return err
	}
	return os.Rename(tmp, link)
}

// syncDir makes a rename last. Not all systems can, and those see to it
// themselves.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}

// lines counts the results that the store has of a run.
func (s store) lines(run string) (n int, err error) {
	root := filepath.Join(s.dir, "chunks", run)
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case strings.HasPrefix(e.Name(), ".tmp-"):
			return os.Remove(path) // of a collector that died
		}
		if p, ok := parsePiece(path); ok && !e.IsDir() {
			n += p.lines
		}
		return nil
	})
	return n, err
}

// missing returns the chunks to check again so that the store has all of c:
// itself, or the halves that are not there of one that was split.
func (s store) missing(c chunk) ([]chunk, error) {
	there, err := s.find(c.id)
	if err != nil {
		return nil, err
	}
	return missingOf(c, there), nil
}

func missingOf(c chunk, there []piece) []chunk {
	if slices.ContainsFunc(there, func(p piece) bool { return strings.HasPrefix(c.id, p.id) }) {
		return nil
	}
	if !slices.ContainsFunc(there, func(p piece) bool { return strings.HasPrefix(p.id, c.id) }) {
		return []chunk{c}
	}
	if len(c.lines) < 2 {
		return nil
	}
	l, r := c.halves()
	return append(missingOf(l, there), missingOf(r, there)...)
}
