package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
)

// numbered writes targets as "number:target".
func numbered(l *List) (all []string) {
	for n, target := range l.Lines() {
		all = append(all, fmt.Sprintf("%d:%s", n, target))
	}
	return all
}

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
		{"any bytes", "\x00\n\xff\xfe\na\x00b\x1b", []string{"1:\x00", "2:\xff\xfe", "3:a\x00b\x1b"}, ""},
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
			if len(line) > MaxLine {
				return // TestList has those
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
