package main

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// htmlLinks returns the links of a file in HTML.
func htmlLinks(source []byte) []link { return place(source, scanHTML(source)) }

// A foundURL is an absolute URL, and where it begins, or what it belongs to.
type foundURL struct {
	offset int
	url    string
}

// linking are the attributes that hold a URL, by element. A form's action is not among
// them: it is to be sent something.
var linking = map[string][]string{
	"a": {"href"}, "area": {"href"}, "link": {"href"},
	"img": {"src", "srcset"}, "source": {"src", "srcset"}, "input": {"src"},
	"audio": {"src"}, "video": {"src", "poster"}, "track": {"src"},
	"iframe": {"src"}, "frame": {"src"}, "embed": {"src"}, "object": {"data"}, "script": {"src"},
	"blockquote": {"cite"}, "q": {"cite"}, "del": {"cite"}, "ins": {"cite"},
}

// scanHTML returns the links of a text in HTML. It reads tags as they come: a file, or a
// piece of HTML in Markdown, need not be a whole document.
func scanHTML(text []byte) (all []foundURL) {
	var base *url.URL
	z := html.NewTokenizer(bytes.NewReader(text))
	for offset := 0; ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			return all
		}
		begin := offset
		offset += len(z.Raw())
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		raw := text[begin:offset] // what Raw returns does not outlive the next call
		t := readTag(z, raw)
		if t.name == "noscript" {
			z.NextIsNotRawText() // which it is where scripts run
		}
		if t.name == "base" && base == nil {
			base, _ = url.Parse(t.get("href"))
		}
		for _, u := range t.urls() {
			if abs, ok := absolute(base, u.url); ok {
				all = append(all, foundURL{begin + u.offset, abs})
			}
		}
	}
}

// A tag is a start tag.
type tag struct {
	name  string
	attrs []attr
}

type attr struct {
	key, value string
	offset     int // of the value, in the tag
}

func readTag(z *html.Tokenizer, raw []byte) (t tag) {
	offsets := attrOffsets(raw)
	name, more := z.TagName()
	t.name = string(name)
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		t.attrs = append(t.attrs, attr{string(key), string(value), offsets[string(key)]})
	}
	return t
}

// attrOffsets returns where the values of a tag's attributes begin, or their names where
// they have none, by name: the tokenizer does not tell. It goes by section 13.2.5 of the
// HTML standard, as the tokenizer does, and like that it takes the first of two.
func attrOffsets(raw []byte) map[string]int {
	offsets := make(map[string]int)
	const space = " \t\n\f\r"
	skip := func(i int, set string) int {
		for i < len(raw) && strings.IndexByte(set, raw[i]) >= 0 {
			i++
		}
		return i
	}
	until := func(i int, set string) int {
		for i < len(raw) && strings.IndexByte(set, raw[i]) < 0 {
			i++
		}
		return i
	}
	for i := until(0, space+"/>"); ; {
		if i = skip(i, space+"/"); i >= len(raw) || raw[i] == '>' {
			return offsets
		}
		begin := i
		i = until(i+1, space+"/>=") // a name may begin with "="
		key := strings.ToLower(string(raw[begin:i]))
		if after := skip(i, space); after < len(raw) && raw[after] == '=' {
			i = skip(after+1, space)
			begin = i
			if i < len(raw) && (raw[i] == '"' || raw[i] == '\'') {
				begin = i + 1
				i = until(begin, string(raw[i])) + 1
			} else {
				i = until(i, space+">")
			}
		}
		if _, again := offsets[key]; !again {
			offsets[key] = begin
		}
	}
}

func (t tag) get(key string) string {
	i := slices.IndexFunc(t.attrs, func(a attr) bool { return a.key == key })
	if i < 0 {
		return ""
	}
	return t.attrs[i].value
}

// urls returns what a tag has in the attributes that link.
func (t tag) urls() (all []foundURL) {
	if t.name == "meta" && strings.EqualFold(t.get("http-equiv"), "refresh") {
		return t.refresh()
	}
	rel := strings.Fields(strings.ToLower(t.get("rel")))
	if t.name == "link" && (slices.Contains(rel, "preconnect") || slices.Contains(rel, "dns-prefetch")) {
		return nil // a host, and no page of it
	}
	for _, a := range t.attrs {
		switch {
		case !slices.Contains(linking[t.name], a.key):
		case a.key == "srcset":
			for _, u := range srcset(a.value) {
				all = append(all, foundURL{a.offset + max(0, strings.Index(a.value, u)), u})
			}
		default:
			all = append(all, foundURL{a.offset, a.value})
		}
	}
	return all
}

// refresh returns where a page leads by itself: "5; url=https://…".
func (t tag) refresh() []foundURL {
	for _, a := range t.attrs {
		_, after, ok := strings.Cut(a.value, ";")
		if key, target, found := strings.Cut(after, "="); a.key == "content" && ok && found && strings.EqualFold(strings.TrimSpace(key), "url") {
			return []foundURL{{a.offset, strings.Trim(strings.TrimSpace(target), `'"`)}}
		}
	}
	return nil
}

// srcset returns the URLs of a list of images: each ends with white space, or with a
// comma, and may be followed by its width.
func srcset(value string) (urls []string) {
	for value != "" {
		value = strings.TrimLeft(value, " \t\n\f\r,")
		end := strings.IndexAny(value, " \t\n\f\r")
		if end < 0 {
			end = len(value)
		}
		u := value[:end]
		value = value[end:]
		if trimmed := strings.TrimRight(u, ","); trimmed != u {
			u = trimmed
		} else {
			_, value, _ = strings.Cut(value, ",")
		}
		if u != "" {
			urls = append(urls, u)
		}
	}
	return urls
}
