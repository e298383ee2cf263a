package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// chunks decodes a body in chunks (RFC 9112, section 7.1) that browsers or curl decode.
//
// It stands in for net/http's reader, which refuses what could smuggle a request past
// a proxy: lines that end in LF alone, a space before an extension, long extensions.
// Nothing follows on this connection, and no browser minds.
type chunks struct {
	r    *bufio.Reader
	left int64 // of the chunk
	some bool  // there was a chunk, whose end is still to be read
	err  error // from now on
}

func newChunks(r io.Reader) *chunks {
	// What is no data is bounded too: 15 bytes for each of the data, of which a chunk
	// of one byte takes five.
	return &chunks{r: bufio.NewReader(io.LimitReader(r, 16*MaxBody))}
}

// Read implements io.Reader. There are no trailers for anybody to see, so that the
// body ends with the line of its last chunk.
func (c *chunks) Read(p []byte) (n int, err error) {
	if c.left == 0 && c.err == nil {
		c.err = unended(c.next())
		if c.err == nil && c.left == 0 {
			c.err = io.EOF
		}
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err = c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, unended(err)
}

// unended returns err, which comes before the last chunk.
func unended(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next reads the end of a chunk, if there was one, and the line that begins another.
func (c *chunks) next() error {
	if c.some {
		if err := c.end(); err != nil {
			return err
		}
	}
	c.some = true
	behind, err := c.size()
	if err != nil {
		return err
	}
	// Behind the number curl passes over anything, and Chromium over extensions. Of a
	// 0x10 only the 0 would be read, which is the end, and neither gets on with that.
	if c.left == 0 && !strings.ContainsRune(" \t;\r\n", rune(behind)) {
		return fmt.Errorf("malformed chunk size: %q behind a 0", behind)
	}
	for behind != '\n' {
		if _, err := c.r.ReadSlice('\n'); err != bufio.ErrBufferFull {
			return err
		}
	}
	return nil
}

// size reads the size of a chunk and the byte behind it.
func (c *chunks) size() (behind byte, err error) {
	const hex = "0123456789abcdefABCDEF"
	for first := true; ; first = false {
		b, err := c.r.ReadByte()
		if err != nil {
			return 0, err
		}
		i := strings.IndexByte(hex, b)
		switch {
		case i < 0 && first:
			return 0, fmt.Errorf("malformed chunk size: %q in place of a digit", b)
		case i < 0:
			return b, nil
		case i >= 16:
			i -= 6
		}
		if c.left >= 1<<59 {
			return 0, errors.New("malformed chunk size: 2^63 or more")
		}
		c.left = c.left<<4 | int64(i)
	}
}

// end reads the end of a chunk's data.
func (c *chunks) end() error {
	b, err := c.r.ReadByte()
	if err == nil && b == '\r' {
		b, err = c.r.ReadByte()
	}
	if err == nil && b != '\n' {
		err = fmt.Errorf("malformed chunk: %q in place of its end", b)
	}
	return err
}
