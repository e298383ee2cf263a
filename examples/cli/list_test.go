package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
)

// numbered writes lines as "number:line".
func numbered(l *List) (all []string) {
	for n, line := range l.Lines() {
		all = append(all, fmt.Sprintf("%d:%s", n, line))
	}
	return all
}

// refusals are the beginnings of the errors about what is no text.
const (
	utf16  = "not a text file in UTF-8 but in UTF-16: save it as UTF-8"
	binary = "not a text file in UTF-8 but a binary one, or in another encoding"
)

func TestList(t *testing.T) {
	full, over := strings.Repeat("x", MaxLine), strings.Repeat("x", MaxLine+1)
	for _, test := range []struct {
		name, text string
		want       []string
		err        string
	}{
		{"nothing", "", nil, ""},
		{"lines", "a\nb\n", []string{"1:a", "2:b"}, ""},
		{"no end", "a\nb", []string{"1:a", "2:b"}, ""},
		{"CRLF", "a\r\n\r\nb\r\n", []string{"1:a", "3:b"}, ""},
		{"CRLF without an end", "a\r\nb\r", []string{"1:a", "2:b"}, ""},
		{"lone CR", "a\rb\nc", []string{"1:a\rb", "2:c"}, ""},
		{"blank lines", "\n \t\n\na\n\n \r\n", []string{"4:a"}, ""},
		{"white space", " \ta b \t\n\u00a0c\u3000\n", []string{"1:a b", "2:c"}, ""},
		{"comments", "#a\n # b\na#c\n##\n", []string{"3:a#c"}, ""},
		{"BOM", "\ufeffa\n\ufeffb\n", []string{"1:a", "2:\ufeffb"}, ""},
		{"BOM and comment", "\ufeff# a\nb", []string{"2:b"}, ""},
		{"BOM and blank", "\ufeff\r\nb", []string{"2:b"}, ""},
		{"BOM alone", "\ufeff", nil, ""},
		{"half a BOM", "\xef\xbba", []string{"1:\xef\xbba"}, ""},
		{"any bytes but NUL", "\x01\n\xfe\xfd\na\xffb\x1b", []string{"1:\x01", "2:\xfe\xfd", "3:a\xffb\x1b"}, ""},
		{"Latin-1 in a comment", "# sites of M\xfcller and S\xf6hne, since 1904 in K\xf6ln am Rhein\na.example\n", []string{"2:a.example"}, ""},
		{"UTF-16", "\xff\xfea\x00\n\x00", nil, utf16},
		{"UTF-16, the other way round", "\xfe\xff\x00a\x00\n", nil, utf16},
		{"UTF-16 without a mark", "a\x00.\x00b\x00\n\x00", nil, utf16},
		{"UTF-16 without a mark, the other way round", "\x00a\x00.\x00b\x00\n", nil, utf16},
		{"a full line", full + "\n" + full + "\r\n" + full, []string{"1:" + full, "2:" + full, "3:" + full}, ""},
		{"an over-long line", "a\n\n" + over + "\nb", []string{"1:a"}, "line 3 is longer than 65536 bytes"},
		{"an over-long line with CRLF", over + "\r\nb", nil, "line 1 is longer than 65536 bytes"},
		{"an over-long last line", "a\n" + over, []string{"1:a"}, "line 2 is longer than 65536 bytes"},
		{"an over-long comment", "a\n#" + strings.Repeat(full, 9) + "\nb", []string{"1:a"}, "line 2 is longer than 65536 bytes"},
		{"over-long white space", "a\n" + strings.Repeat(" ", MaxLine) + "b\n", []string{"1:a"}, "line 2 is longer than 65536 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"at once":      strings.NewReader(test.text),
				"by bytes":     iotest.OneByteReader(strings.NewReader(test.text)),
				"EOF together": iotest.DataErrReader(strings.NewReader(test.text)),
			} {
				l := NewList(r)
				if got := numbered(l); !slices.Equal(got, test.want) {
					t.Errorf("%s: Lines yields %.200q; want %.200q", name, got, test.want)
				}
				if err := l.Err(); err == nil && test.err != "" || err != nil && err.Error() != test.err {
					t.Errorf("%s: Err() = %v; want %q", name, err, test.err)
				}
				if again := numbered(l); again != nil {
					t.Errorf("%s: a second loop yields %.200q", name, again)
				}
			}
		})
	}
}

// A heading is a comment to those who do not ask for groups.
func TestListGroups(t *testing.T) {
	const text = "a\n#b\n##\n##c\n### d\ne\n##  The shop \r\n\n# f\ng G\nh\n \t## #i\nj\n## \nk\n"
	l := NewList(strings.NewReader(text))
	if err := l.Begin(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for s := range l.Sites() {
		got = append(got, s.Target+":"+s.Group)
	}
	if want := []string{"a:", "e:", "g:The shop", "h:The shop", "j:#i", "k:#i"}; !slices.Equal(got, want) {
		t.Errorf("Sites yields %q; want %q", got, want)
	}
	l = NewList(strings.NewReader("## A\na\n"))
	if err := l.Begin(); err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Collect(l.Sites()), []Site{{2, "a", "", "A"}}; !slices.Equal(got, want) {
		t.Errorf("after Begin Sites yields %v; want %v", got, want)
	}
}

// What had been read before an error counts, but for the line that it broke off.
func TestListError(t *testing.T) {
	broken := errors.New("broken")
	l := NewList(io.MultiReader(strings.NewReader("a\nb\nhttp://c.exam"), iotest.ErrReader(broken)))
	if got, want := numbered(l), []string{"1:a", "2:b"}; !slices.Equal(got, want) || l.Err() != broken {
		t.Errorf("Lines yields %q and Err() = %v; want %q and %v", got, l.Err(), want, broken)
	}
}

// A loop goes on where the one before was left.
func TestListBreak(t *testing.T) {
	l := NewList(strings.NewReader("a\n\nb\nc\nd"))
	for range l.Lines() {
		break
	}
	for n, target := range l.Lines() {
		if n != 3 || target != "b" {
			t.Errorf("the second loop begins with %d:%s; want 3:b", n, target)
		}
		break
	}
	if got := slices.Collect(l.Targets()); !slices.Equal(got, []string{"c", "d"}) {
		t.Errorf("Targets yields %q; want the rest", got)
	}
}

// A line is there as soon as it is written, as on a terminal, and nothing is
// asked for once the text has ended.
func TestListStreams(t *testing.T) {
	r, w := io.Pipe()
	written, ended := make(chan string), false
	go func() {
		for text := range written {
			io.WriteString(w, text)
		}
		w.Close()
	}()
	reader := readFunc(func(p []byte) (int, error) {
		if ended {
			t.Error("read again after the end")
		}
		n, err := r.Read(p)
		ended = err != nil
		return n, err
	})
	written <- "a\nb"
	for _, target := range NewList(reader).Lines() {
		if target == "a" {
			written <- "c" // from now on "bc" is on its way
			close(written)
		}
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// A list of any length is read with the memory of one line.
func TestListMemory(t *testing.T) {
	allocs := testing.AllocsPerRun(1, func() {
		for n, target := range NewList(io.LimitReader(endless{}, 1<<20)).Lines() {
			t.Fatalf("line %d is %q; want none", n, target)
		}
	})
	if allocs > 10 {
		t.Errorf("%.0f allocations for half a million comments; want few", allocs)
	}
}

// endless is a text of empty comments.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "#\n"[i%2]
	}
	return len(p), nil
}

// FuzzList compares with rules that are as simple as memory is large.
func FuzzList(f *testing.F) {
	for _, s := range []string{"", "a\r\n#b\n\n c ", "\ufeff\ufeffa", "\r\r\n\n\x00", "a\n\r", " \ufeffa", "\ufeff#\n\xef\xbb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want []string
		for i, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
			if len(line) > MaxLine || checkText([]byte(text)) != nil {
				return // TestList and TestBinary have those
			}
			if line = strings.TrimFunc(line, unicode.IsSpace); line != "" && !strings.HasPrefix(line, "#") {
				want = append(want, fmt.Sprintf("%d:%s", i+1, line))
			}
		}
		l := NewList(iotest.HalfReader(strings.NewReader(text)))
		if got := numbered(l); !slices.Equal(got, want) || l.Err() != nil {
			t.Errorf("Lines of %q yields %q, %v; want %q", text, got, l.Err(), want)
		}
	})
}

// BenchmarkList measures beside bufio.Scanner, which does nothing for a line but
// find it.
func BenchmarkList(b *testing.B) {
	text := bytes.Repeat([]byte("https://www.example.com/some/path?q=1\r\n"), 1000)
	b.Run("List", func(b *testing.B) {
		for b.Loop() {
			for range NewList(bytes.NewReader(text)).Lines() {
			}
		}
	})
	b.Run("Scanner", func(b *testing.B) {
		for b.Loop() {
			for sc := bufio.NewScanner(bytes.NewReader(text)); sc.Scan(); {
				_ = sc.Text()
			}
		}
	})
}

// A line is a target and a name.
func TestSites(t *testing.T) {
	text := "a\n\nhttps://b/ \t The  shop \n# c\nc\tname\n d\n"
	want := []Site{{1, "a", "", ""}, {3, "https://b/", "The  shop", ""}, {5, "c", "name", ""}, {6, "d", "", ""}}
	if got := slices.Collect(NewList(strings.NewReader(text)).Sites()); !slices.Equal(got, want) {
		t.Errorf("Sites of %q yields %v; want %v", text, got, want)
	}
	if got := slices.Collect(NewList(strings.NewReader(text)).Targets()); !slices.Equal(got, []string{"a", "https://b/", "c", "d"}) {
		t.Errorf("Targets of %q yields %q; want no names", text, got)
	}
}

// Other kinds of files are known by their first block, before a line of theirs is
// taken for a target, and by a NUL wherever it is.
func TestBinary(t *testing.T) {
	noise := make([]byte, 4096)
	random := rand.NewChaCha8([32]byte{})
	random.Read(noise)
	for i := range noise {
		noise[i] |= 1 // no NUL
	}
	for name, text := range map[string]string{
		"a picture":     "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
		"an archive":    "\x1f\x8b\x08\x00\x00\x00\x00\x00",
		"noise":         string(noise),
		"zeros":         strings.Repeat("\x00", 1<<20),
		"Shift JIS":     strings.Repeat("\x83\x54\x83\x43\x83\x67\n", 20),
		"text, then it": "a.example\nb.example\n\x00\x00",
	} {
		l := NewList(strings.NewReader(text))
		if got := numbered(l); got != nil || l.Err() == nil || !strings.HasPrefix(l.Err().Error(), binary) {
			t.Errorf("%s: Lines yields %.80q and Err() = %v; want none, and that it is %q", name, got, l.Err(), binary)
		}
	}
	l := NewList(io.MultiReader(strings.NewReader("a\nb\n"), strings.NewReader("c\x00\n")))
	got := numbered(l)
	if want := "line 3 has a NUL: it is " + binary; !slices.Equal(got, []string{"1:a", "2:b"}) || l.Err() == nil || l.Err().Error() != want {
		t.Errorf("Lines yields %q and Err() = %v; want two, and %q", got, l.Err(), want)
	}
}

// Begin loses nothing, and tells what there is no list in.
func TestBegin(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
		err  string
	}{
		{"\n# a\nb\nc", []string{"3:b", "4:c"}, ""},
		{"", nil, "there are no sites in it"},
		{"# a\n\n", nil, "there are no sites in it"},
		{"a.b\x00", nil, binary},
		{strings.Repeat("x", 1<<17), nil, "line 1 is longer than 65536 bytes"},
	} {
		l := NewList(strings.NewReader(test.text))
		if err := l.Begin(); err == nil && test.err != "" || err != nil && err.Error() != test.err {
			t.Errorf("Begin of %.20q = %v; want %q", test.text, err, test.err)
		}
		if got := numbered(l); !slices.Equal(got, test.want) {
			t.Errorf("Lines of %.20q yields %q; want %q", test.text, got, test.want)
		}
	}
}
