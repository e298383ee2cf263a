package main

import (
	"bytes"
	"regexp"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// gfm parses Markdown as GitHub reads it. What goldmark takes for a URL without brackets
// has a top-level domain of small letters, which leaves out addresses, localhost and
// all that is not ASCII; GitHub's ends with white space or "<".
var gfm = goldmark.New(goldmark.WithExtensions(
	extension.NewLinkify(extension.WithLinkifyURLRegexp(regexp.MustCompile(`^https?://[^\s<]+`))),
	extension.Table, extension.Strikethrough, extension.TaskList, extension.Footnote,
)).Parser()

// markdownLinks returns the links of a file in Markdown: inline ones, images, autolinks
// with and without angle brackets, definitions of references, and what HTML has among
// it. A definition counts once and where it stands, used or not: there the URL is to be
// changed.
func markdownLinks(source []byte) []link {
	var links []foundURL
	add := func(offset int, url []byte) {
		if url, ok := absolute(nil, string(url)); ok && offset >= 0 {
			links = append(links, foundURL{offset, url})
		}
	}
	root := gfm.Parse(text.NewReader(source))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // ours returns none
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			if n.Reference == nil {
				add(n.Pos(), unescape(n.Destination))
			}
		case *ast.Image:
			if n.Reference == nil {
				add(n.Pos(), unescape(n.Destination))
			}
		case *ast.LinkReferenceDefinition:
			add(n.Pos(), unescape(n.Destination))
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkURL {
				add(at(source, n.Pos(), n.Label(source)), n.URL(source))
			}
		case *ast.RawHTML:
			links = append(links, inner(source, n.Segments.Sliced(0, n.Segments.Len()))...)
		case *ast.HTMLBlock:
			segments := n.Lines().Sliced(0, n.Lines().Len())
			if n.HasClosure() {
				segments = append(segments, n.ClosureLine)
			}
			links = append(links, inner(source, segments)...)
		}
		return ast.WalkContinue, nil
	})
	return place(source, links)
}

// unescape returns the destination of a link as it is meant.
func unescape(destination []byte) []byte {
	return util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(destination)))
}

// at returns where a label begins that the parser has found from an offset on: it counts
// the character before one.
func at(source []byte, offset int, label []byte) int {
	if offset < 0 {
		return offset
	}
	return offset + max(0, bytes.Index(source[offset:], label))
}

// inner returns the links of HTML in Markdown, which is in pieces where a quotation or a
// list item has something before each line.
func inner(source []byte, segments []text.Segment) (links []foundURL) {
	var html []byte
	for _, g := range segments {
		html = append(html, g.Value(source)...)
	}
	for _, found := range scanHTML(html) {
		offset := found.offset
		for _, g := range segments {
			n := len(g.Value(source))
			if offset < n {
				links = append(links, foundURL{g.Start + max(0, offset-g.Padding), found.url})
				break
			}
			offset -= n
		}
	}
	return links
}
