package main

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"

	"example.com/checker"
)

// A judge says whether an answer is accepted.
type judge = func(*http.Response) error

// pages know of the pages that were fetched which of the wanted places they have. They
// may be used concurrently.
type pages struct {
	accept judge
	wanted map[string]bool // by id

	mu     sync.Mutex
	places map[string]map[string]bool // by the URL of a page, and the id; a page that was not read to its end is not there
}

func newPages(accept judge) *pages {
	return &pages{accept: accept, wanted: make(map[string]bool), places: make(map[string]map[string]bool)}
}

// want has the place of a link be looked for, and reports whether that needs its page.
func (p *pages) want(fragment string) bool {
	ids := idsOf(fragment)
	for _, id := range ids {
		p.wanted[id] = true
	}
	return len(ids) > 0
}

// judge accepts what accept does, and looks for places in HTML.
func (p *pages) judge(resp *http.Response) error {
	if err := p.accept(resp); err != nil || resp.Request.Method != http.MethodGet || len(p.wanted) == 0 {
		return err
	}
	contentType := resp.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || media != "text/html" && media != "application/xhtml+xml" || resp.Header.Get("Content-Encoding") != "" {
		return nil
	}
	found, whole := p.scan(resp.Body, contentType)
	p.mu.Lock()
	defer p.mu.Unlock()
	if whole {
		p.places[resp.Request.URL.String()] = found
	}
	return nil
}

// maxBody is how much of a body package checker lets a judge read.
const maxBody = 1 << 20

// scan returns which of the wanted places a body has, and whether it was read to its end.
func (p *pages) scan(body io.Reader, contentType string) (found map[string]bool, whole bool) {
	counted := &counter{r: body}
	decoded, err := charset.NewReader(counted, contentType)
	if err != nil {
		return nil, false
	}
	found = make(map[string]bool)
	z := html.NewTokenizer(decoded)
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return found, z.Err() == io.EOF && counted.n < maxBody
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		name, more := z.TagName()
		anchor := string(name) == "a"
		for more {
			var key, value []byte
			key, value, more = z.TagAttr()
			if k := string(key); (k == "id" || k == "name" && anchor) && p.wanted[string(value)] {
				found[string(value)] = true
			}
		}
	}
}

// A counter counts what is read.
type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// missing reports whether the page that a check came to is known not to have a place.
func (p *pages) missing(r checker.Result, fragment string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, read := p.places[r.URL]
	ids := idsOf(fragment)
	for _, id := range ids {
		if found[id] {
			return false
		}
	}
	return read && len(ids) > 0
}

// idsOf returns the ids that a fragment may mean: itself, and then decoded, as the HTML
// standard has it (section 7.4.6.4); and both as GitHub writes the ids of its users'
// headings. None are returned for what is no place of a page: its top, a piece of text
// to be found, and what only scripts read, such as #!/route or #L10-L20.
func idsOf(fragment string) []string {
	fragment, _, _ = strings.Cut(fragment, ":~:")
	if fragment == "" || strings.EqualFold(fragment, "top") || fragment[0] == '!' || fragment[0] == '/' || isLines(fragment) {
		return nil
	}
	ids := []string{fragment, "user-content-" + fragment}
	if decoded, err := url.PathUnescape(fragment); err == nil && decoded != fragment {
		ids = append(ids, decoded, "user-content-"+decoded)
	}
	return ids
}

// isLines reports whether a fragment names lines of a file, as forges do.
func isLines(fragment string) bool {
	for part := range strings.SplitSeq(fragment, "-") {
		digits, ok := strings.CutPrefix(part, "L")
		if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
			return false
		}
	}
	return true
}
