package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/checker/examples/cli"
)

// maxFile is how many bytes of a file are read; one with more is no document.
const maxFile = 16 << 20

// parsers say which files of a folder count, and how they are read.
var parsers = map[string]func([]byte) []link{
	".md": markdownLinks, ".markdown": markdownLinks,
	".html": htmlLinks, ".htm": htmlLinks, ".xhtml": htmlLinks,
}

// skippedFolders are full of files that others wrote.
var skippedFolders = []string{".git", "node_modules"}

// find returns the files that paths stand for, each once, in order.
func find(paths []string) (files []string, err error) {
	seen := make(map[string]bool)
	add := func(name string) {
		if name = filepath.Clean(name); !seen[name] {
			seen[name] = true
			files = append(files, name)
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			add(path)
			continue
		}
		before := len(files)
		err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && name != path && slices.Contains(skippedFolders, d.Name()):
				return filepath.SkipDir
			case d.Type().IsRegular() && parsers[strings.ToLower(filepath.Ext(name))] != nil:
				add(name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s has no Markdown and no HTML files", path)
		}
	}
	return files, nil
}

// listed returns the paths that a file lists.
func listed(ctx context.Context, name string, stdin io.Reader) ([]string, error) {
	in := stdin
	if name != "-" {
		f, err := cli.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	var paths []string
	list := cli.NewList(in)
	err := cli.Until(ctx, func() error {
		for _, line := range list.Lines() { // a path may have spaces
			paths = append(paths, line)
		}
		return list.Err()
	})
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(paths) == 0:
		return nil, fmt.Errorf("%s: there are no paths in it", name)
	}
	return paths, nil
}

// read returns the links of a file, or why ctx has ended: a Markdown parser takes minutes
// for some files that were made for that, and cannot be told to stop.
func read(ctx context.Context, name string) ([]link, error) {
	var links []link
	err := cli.Until(ctx, func() (err error) {
		links, err = linksOf(name)
		return err
	})
	if err != nil {
		return nil, err // links may still be written to
	}
	return links, nil
}

func linksOf(name string) ([]link, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if err := readable(text); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	parser := parsers[strings.ToLower(filepath.Ext(name))]
	if parser == nil {
		parser = markdownLinks // plain text is Markdown with little in it
	}
	links := parser(bytes.TrimPrefix(text, []byte("\ufeff")))
	for i := range links {
		links[i].File = filepath.ToSlash(name)
	}
	return links, nil
}

func readable(text []byte) error {
	switch {
	case len(text) > maxFile:
		return fmt.Errorf("it has more than %d MiB, which no document has", maxFile>>20)
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return errors.New("it is in UTF-16: save it as UTF-8")
	case bytes.IndexByte(text, 0) >= 0:
		return errors.New("it is a binary file, not Markdown or HTML")
	}
	return nil
}
