package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// found writes links as "line:column URL".
func found(links []link) (all []string) {
	for _, l := range links {
		all = append(all, fmt.Sprintf("%d:%d %s", l.Line, l.Column, l.URL))
	}
	return all
}

func TestMarkdown(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"inline", "a [b](http://h/x \"t\") c", []string{"1:3 http://h/x"}},
		{"inline over lines", "a [b\nc](\nhttp://h/x\n) d", []string{"1:3 http://h/x"}},
		{"angle brackets", "[b](<http://h/a b(>)", []string{"1:1 http://h/a b("}},
		{"parentheses", "[b](http://h/a_(b)) [c](http://h/\\))", []string{"1:1 http://h/a_(b)", "1:21 http://h/)"}},
		{"entities", "[b](http://h/?a=1&amp;b=2&#38;c)", []string{"1:1 http://h/?a=1&b=2&c"}},
		{"after what is not ASCII", "äöü 😀 [b](http://h/)", []string{"1:7 http://h/"}},
		{"image", "![b](http://h/i.png)", []string{"1:1 http://h/i.png"}},
		{"image in a link", "[![b](http://h/i.png)](http://h/)", []string{"1:1 http://h/", "1:2 http://h/i.png"}},
		{"autolink", "a <http://h/x> b", []string{"1:4 http://h/x"}},
		{"bare", "see http://h.example/x, (https://h.example/y). *http://127.0.0.1:80/z* www.h.example/w", []string{
			"1:5 http://h.example/x", "1:26 https://h.example/y", "1:49 http://127.0.0.1:80/z", "1:72 http://www.h.example/w"}},
		{"bare at the beginning", "http://localhost/\nhttps://bücher.example/ü", []string{"1:1 http://localhost/", "2:1 https://bücher.example/ü"}},
		{"reference", "[a][r] [r] [r][]\n\n[r]: http://h/r \"t\"", []string{"3:1 http://h/r"}},
		{"reference that is not used", "a\n\n  [r]: <http://h/r>", []string{"3:3 http://h/r"}},
		{"no link", "`http://h/` \\[a](http) [a] http:// [a](b.md) [a](#b) [a](mailto:a@b) <mailto:a@b> a@b.example [a](ftp://h/)", nil},
		{"code", "```\nhttp://h/\n```\n\n    http://h/\n\n~~~ http://h/\n~~~", nil},
		{"list and quotation", "1. a\n\n   > [b](http://h/)", []string{"3:6 http://h/"}},
		{"table", "| a |\n|---|\n| [b](http://h/x) |\n| http://h.example/y |", []string{"3:3 http://h/x", "4:3 http://h.example/y"}},
		{"footnote", "a[^1]\n\n[^1]: [b](http://h/)", []string{"3:7 http://h/"}},
		{"heading", "# a [b](http://h/1)\n\n[c](http://h/2)\n---\n", []string{"1:5 http://h/1", "3:1 http://h/2"}},
		{"HTML among text", "a <a href=\"http://h/x\">b</a> <b>c</b>", []string{"1:12 http://h/x"}},
		{"HTML over lines in a quotation", "> a <a\n> href='http://h/x'>b</a>", []string{"2:9 http://h/x"}},
		{"HTML block", "a\n\n<p>\n<img src=http://h/i.png>\n</p>\n\nb", []string{"4:10 http://h/i.png"}},
		{"HTML block in a list", "- a\n\n  <p>\n  <img alt=ä src=\"http://h/i.png\">", []string{"4:19 http://h/i.png"}},
		{"comment", "<!-- http://h/ <a href=\"http://h/\"> -->\n\n<!--\n[a](http://h/)\n-->", nil},
		{"CRLF", "a\r\n\r\n[b](http://h/)\r\n<http://h/x>\r\n", []string{"3:1 http://h/", "4:2 http://h/x"}},
		{"no scheme", "[b](//h/x)", []string{"1:1 https://h/x"}},
		{"upper case", "[b](HTTP://H/X)", []string{"1:1 HTTP://H/X"}},
	} {
		if got := found(markdownLinks([]byte(test.text))); !slices.Equal(got, test.want) {
			t.Errorf("%s: links of %q:\n%q; want\n%q", test.name, test.text, got, test.want)
		}
	}
}

func TestHTML(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"quoted", `<a href="http://h/x">a</a>`, []string{"1:10 http://h/x"}},
		{"single quotes", "<p>\n<A\n CLASS=x HREF = 'http://h/x'>a</a>", []string{"3:18 http://h/x"}},
		{"without quotes", "<a href=http://h/x>a</a><a href=http://h/y class=z>", []string{"1:9 http://h/x", "1:33 http://h/y"}},
		{"a slash at the end", `<img src=http://h/x/><img src="http://h/y"/>`, []string{"1:10 http://h/x/", "1:32 http://h/y"}},
		{"entities", `<a href="http://h/?a=1&amp;b=2&copy">`, []string{"1:10 http://h/?a=1&b=2©"}},
		{"white space", "<a href=\" \nhttp://h/x\ny \">", []string{"1:10 http://h/xy"}},
		{"odd attributes", `<a = "x" disabled/href=http://h/x =y='>' href>`, []string{"1:24 http://h/x"}},
		{"twice", `<a href="http://h/1" href="http://h/2">`, []string{"1:10 http://h/1"}},
		{"after one that is twice", `<img alt=a alt=b src="http://h/x">`, []string{"1:23 http://h/x"}},
		{"images", `<img src="http://h/0" srcset="http://h/1 1x, http://h/2,3 2x,http://h/4, /5">`, []string{
			"1:11 http://h/0", "1:31 http://h/1", "1:46 http://h/2,3", "1:62 http://h/4"}},
		{"embedded", `<script src="http://h/1"></script><link rel=stylesheet href="http://h/2"><iframe src="http://h/3"></iframe><video poster="http://h/4">`,
			[]string{"1:14 http://h/1", "1:62 http://h/2", "1:87 http://h/3", "1:123 http://h/4"}},
		{"hosts alone", `<link rel="preconnect" href="http://h/"><link rel="DNS-Prefetch" href="http://h/">`, nil},
		{"what is sent to", `<form action="http://h/"></form>`, nil},
		{"what is no tag", "<script>var a = '<a href=\"http://h/\">'</script><!-- <a href=\"http://h/\"> --><textarea><a href=\"http://h/\"></textarea>", nil},
		{"without scripts", `<noscript><img src="http://h/x"></noscript>`, []string{"1:21 http://h/x"}},
		{"relative", `<a href="x">`, nil},
		{"relative to a base", `<base href="https://h/a/"><a href="x?y#z"><a href="#z"><a href="//i/"><a href="mailto:x">`, []string{"1:36 https://h/a/x?y#z", "1:65 https://i/"}},
		{"relative to a base on disk", `<base href="/a/"><a href="x">`, nil},
		{"refresh", `<meta http-equiv="Refresh" content="5; URL='http://h/x'"><meta name=a content="1;url=http://h/">`, []string{"1:37 http://h/x"}},
		{"torn", `<a href="http://h/x">a</a><a href="http://h/y`, []string{"1:10 http://h/x"}},
	} {
		if got := found(htmlLinks([]byte(test.text))); !slices.Equal(got, test.want) {
			t.Errorf("%s: links of %q:\n%q; want\n%q", test.name, test.text, got, test.want)
		}
	}
}

// Whatever a file has, a link stands in it, and where it says.
func FuzzLinks(f *testing.F) {
	for _, s := range []string{
		"[a](http://h/ 'b') ![c][d]\n\n[d]: <http://h/>", "<a\nhref=http://h/>", "> <p\n> id=http://h/\n> src='http://h/'", "http://h.example/&amp;",
		"<img srcset='http://h/ 1x,http://i/'>", "\t- <div>\n\t\t<a href=\"http://h/\">\n", "<base href='http://h/'><a href=x>", "[^1]: http://h/\n\na[^1]", "\ufeff<http://h/>", "<a =\x00= href=//h>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		for _, links := range [][]link{markdownLinks([]byte(text)), htmlLinks([]byte(text))} {
			for _, l := range links {
				if l.Line < 1 || l.Line > len(lines) || l.Column < 1 || l.Column > len([]rune(lines[l.Line-1]))+1 || !isHTTP(l.URL) {
					t.Errorf("links of %q: %+v, which is not there", text, l)
				}
			}
		}
	})
}

func TestReserved(t *testing.T) {
	for target, want := range map[string]bool{
		"http://example.org/": true, "https://www.example.com:8080/x": true, "http://shop.example/": true, "http://a.TEST./": true, "http://x.invalid": true,
		"http://example.org.uk/": false, "http://myexample.com/": false, "http://127.0.0.1/": false, "http://localhost/": false, "http://example.de/": false, "http://[::1]/": false, "http://%zz/": false,
	} {
		if got := isReserved(target); got != want {
			t.Errorf("isReserved(%q) = %v; want %v", target, got, want)
		}
	}
}
