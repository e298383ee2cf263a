//go:build linux

package e2e_test

import (
	"fmt"
	"slices"
	"strings"
)

// A headRow is all that a server says before it closes the connection.
type headRow struct {
	name string
	raw  string
}

// headRows returns what browsers, curl and the library are asked to read. Kinds
// have a number of the catalogue of faults.
func headRows() []headRow {
	return slices.Concat(byteRows(), statusRows(), fieldRows(), framingRows(), lineRows(), sizeRows())
}

// The rest of a good response, and what ends its head.
const (
	eoh     = "\r\n\r\n"
	restRow = "\r\nServer: x" + eoh + "<p>here"
)

// places are where one byte may matter: all is set where each of the 256 does, and
// elsewhere it is the lines and signs that a reader may take for something.
var places = []struct {
	all       bool
	name, raw string
}{
	{true, "N1 %q in a value", "HTTP/1.1 200 OK\r\nA: b%cc"},
	{false, "N1 %q in a cookie", "HTTP/1.1 200 OK\r\nSet-Cookie: v=a%cb; path=/"},
	{false, "N1 %q ends a value", "HTTP/1.1 200 OK\r\nA: b%c"},
	{true, "N2 %q in a name", "HTTP/1.1 200 OK\r\nA%cB: c"},
	{false, "N2 %q begins a name", "HTTP/1.1 200 OK\r\n%cA: c"},
	{false, "N2 %q before the colon", "HTTP/1.1 200 OK\r\nA%c: c"},
	{false, "N3 %q in place of the colon", "HTTP/1.1 200 OK\r\nA%cc"},
	{true, "N6 %q in a reason phrase", "HTTP/1.1 200 O%cK"},
	{false, "N6 %q behind the status", "HTTP/1.1 200%cOK"},
	{true, "N6 %q before the status", "HTTP/1.1%c200 OK"},
	{false, "N6 %q and a space before the status", "HTTP/1.1%c 200 OK"},
	{false, "N6 a space and %q before the status", "HTTP/1.1 %c200 OK"},
	{false, "N6 %q in the version", "HTTP/1%c1 200 OK"},
	{false, "N6 %q is the minor version", "HTTP/1.%c 200 OK"},
	{false, "N6 %q is the major version", "HTTP/%c.1 200 OK"},
	{false, "N6 %q in place of the slash", "HTTP%c1.1 200 OK"},
	{false, "N6 %q in the status", "HTTP/1.1 2%c0 OK"},
	{false, "N7 %q before the status line", "%cHTTP/1.1 200 OK"},
}

// byteRows have a byte in every place where one could matter.
func byteRows() (rows []headRow) {
	const some = "\x00\x01\x07\b\t\n\v\f\r\x1b\x1f \"#$%()*+,-./059:;=>?@AHZ[\\]_az{|}~\x7f\x80\x85\xa0\xc3\xff"
	for _, p := range places {
		for c := range 256 {
			b := string([]byte{byte(c)})
			if p.all || strings.Contains(some, b) {
				rows = append(rows, headRow{fmt.Sprintf(p.name, b), strings.Replace(p.raw, "%c", b, 1) + restRow})
			}
		}
	}
	return rows
}

// named returns a row for each of all, put in the place of % and named by it.
func named(name, raw string, all ...string) (rows []headRow) {
	for _, text := range all {
		rows = append(rows, headRow{fmt.Sprintf("%s %.60q", name, text), strings.Replace(raw, "%", text, 1)})
	}
	return rows
}

// statusRows are about status lines: versions, numbers, and what other protocols say.
func statusRows() []headRow {
	return slices.Concat(
		named("N6", "%"+restRow,
			"HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.2 200 OK", "HTTP/1.10 200 OK", "HTTP/1.100 200 OK", "HTTP/11 200 OK",
			"HTTP/2.0 200 OK", "HTTP/2 200", "HTTP/2 404 ", "HTTP/3 200", "HTTP/3.0 200 OK", "HTTP/9.9 200 OK", "HTTP/10.0 200 OK", "HTTP/0.9 200 OK",
			"http/1.1 200 OK", "Http/1.1 200 OK", "hTTp/1.1 200 ok", "HTTP/ 200 OK", "HTTP/1 200 OK", "HTTP/1. 200 OK", "HTTP/.1 200 OK", "HTTP/01.1 200 OK",
			"HTTP/1.01 200 OK", "HTTP 200 OK", "HTTP 404", "HTTP200 OK", "HTTP/A.B 200 OK", "HTTP/-1.1 200 OK", "HTTPS/1.1 200 OK", "HTTP/1.1/ 200 OK", "HTTP//1.1 200 OK",
			"HTTP/1.1  200  OK", "HTTP/1.1\t200\tOK", "HTTP/1.1 \t 200 \t OK", "HTTP/1.1 200OK", "HTTP/1.1 404Not Found", "HTTP/1.1 200-OK", "HTTP/1.1 200.1 OK",
			"HTTP/1.1 200, OK", "HTTP/1.1 200;x", "HTTP/1.1200 OK", "HTTP/1.1, 200 OK", "HTTP/1.1 : 200 OK", "HTTP/1.1\u00a0200 OK", "HTTP/1.1 200 \xff\xfe", "HTTP/1.1 200 \u2713",
			"HTTP/1.1 200 OK HTTP/1.1 200 OK", "HTTP/1.1 404 <html><body>", "HTTP /1.1 200 OK", "HTTP / 1.1 200 OK",
			"ICY 200 OK", "icy 200 OK", "Icy 200 OK", "ICY 404 Not Found", "ICY  200 OK", "ICY\t200 OK", "ICY 200OK", "ICY 200", "ICY/1.0 200 OK"),
		named("N9", "%"+restRow,
			"HTTP/1.1 abc", "HTTP/1.1 abc OK", "HTTP/1.1 OK", "HTTP/1.1 OK 200", "HTTP/1.1 -12 OK", "HTTP/1.1 -200 OK", "HTTP/1.1 +200 OK", "HTTP/1.1 \"200\" OK", "HTTP/1.1 0x200 OK",
			"HTTP/1.1 \u0662\u0660\u0660 OK", "HTTP/1.1 x200 OK", "HTTP/1.1 \u00a0200 OK", "HTTP/2 abc", "HTTP abc", "http", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1\t", "HTTP/1.1 . OK", "HTTP/1.1 2OO OK",
			"HTTP/1.1 2e2 OK", "HTTP/1.1 twohundred OK", "HTTP/abc", "HTTP", "ICY abc", "ICY", "ICY OK"),
		named("N9 protocol", "%\r\n",
			"220 mail ESMTP", "220 ProFTPD Server ready.", "200 OK", "+OK POP3 ready", "* OK [CAPABILITY IMAP4rev1] ready", "SSH-2.0-OpenSSH_9.6", "@RSYNCD: 31.0", "RFB 003.008",
			"RTSP/1.0 200 OK\r\nCSeq: 1\r\n", "SIP/2.0 200 OK\r\nVia: x\r\n", "-ERR unknown command 'HEAD'", "ERROR", "Status: 200 OK\r\nServer: x\r\n", "SHOUTCAST 200 OK\r\n", "AMQP\x00\x00\x09\x01",
			"\x15\x03\x01\x00\x02\x02\x50", "J\x00\x00\x00\x0a8.0.36\x00", "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64", "\x00\x00\x00\x04\x00\x00\x00\x00\x00",
			"<html>here</html>", "<!DOCTYPE html><p>here", "<?xml version=\"1.0\"?><a/>", "{\"a\":1}", "here", "GET / HTTP/1.1\r\nHost: x\r\n", "HEAD / HTTP/1.1\r\nHost: x\r\n"),
		named("E5", "HTTP/1.1 % OK"+restRow, "0", "1", "20", "000", "001", "020", "099", "0200", "1000", "1999", "2000", "20000", "200200", "999999999999999999999"),
		named("E6", "HTTP/1.1 % x"+restRow,
			"200", "201", "202", "203", "206", "207", "226", "299", "300", "301", "302", "304", "306", "399", "400", "401", "402", "403", "404", "405", "406", "407", "408", "409", "410",
			"416", "418", "421", "425", "429", "431", "451", "499", "500", "501", "502", "503", "504", "505", "511", "520", "530", "599", "600", "666", "799", "800", "999"),
		named("E17", "HTTP/1.1 % x\r\nServer: x"+eoh, "204", "205", "304", "200", "404"),
		named("E17 body", "HTTP/1.1 % x\r\nContent-Length: 4"+eoh+"body", "204", "205", "304"),
	)
}

// fieldRows are about the lines of fields.
func fieldRows() []headRow {
	return slices.Concat(
		named("N2", "HTTP/1.1 200 OK\r\n%"+restRow,
			"X Y: z", "X[0]: y", "[X]: y", "(X): y", "X@Y: z", "\"X\": y", "X/Y: z", "{X}: y", "X,Y: z", "X;Y: z", "X=Y: z", "<meta>: y", ": y", ":", "::", ": :", "X : y", "X\t: y", "X  : y",
			" X: y", "\tX: y", "  X: y", " \t", " ", "\t", "\u00dc: y", "\xff: y", "\ufeffX: y", "X\u2019s: y", "X\x01: y", "X\x7f: y", "X\r: y", "Content-Length : 6", "Transfer-Encoding : chunked", " Content-Length: 6"),
		named("N3", "HTTP/1.1 200 OK\r\n%"+restRow,
			"Content-Disposition = inline", "X", "no colon here", "X=y", "X y", "<br />", "Warning - x in y on line 5", "HTTP/1.1 200 OK", "Set-Cookie", "-----", "{}", "=", "\u00dc", "\xff\xfe", "Content-Length 6", "Transfer-Encoding chunked", "\x01", "OK\r\nOK\r\nOK"),
		named("E9", "HTTP/1.1 200 OK\r\n%"+restRow,
			"X: y\r\n z", "X: y\r\n\tz", "X:\r\n y", "X: y\r\n \r\n\t", "X: y\r\n z: w", "X\r\n : y", "Content-Length:\r\n 7", "Content-Length: 7\r\n ", "X: y\r\n \x01", "X: y\r\n \x00", "X: y\n z", "X: y\r\n\x0bz", "X: y\r\n\rz"),
		named("E25", "HTTP/1.1 200 OK\r\n%"+restRow,
			"Set-Cookie: a=\xff\xfe", "Set-Cookie: a="+strings.Repeat("b", 30<<10), "Set-Cookie:", "Set-Cookie: =", "Content-Type: \x01", "Content-Type: ;;;", "Date: never", "Connection: \x02", "Connection: what", "Location: /\x01",
			"Location: a\r\nLocation: b", "Content-Disposition: inline\r\nContent-Disposition: attachment", "Content-Disposition: attachment", "Content-Type: application/octet-stream", "Content-Type: text/plain", "Content-Type: what",
			"Content-Encoding: gzip", "Content-Encoding: br", "Content-Encoding: what", "Content-Encoding:", "Upgrade: h2c\r\nConnection: Upgrade", "Trailer: X", "Vary: *", "Keep-Alive: x", "Content-Range: bytes 0-1/2", "WWW-Authenticate: Basic", "X-Frame-Options: deny"),
	)
}

// framingRows are about the end of the body.
func framingRows() []headRow {
	ok, old := "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n"
	lengths := []string{
		"7", "07", "00000000000000000000000007", "7, 7", "7,7", "7 , 7", "7,7,7", "7, 8", "8, 7", "7,", ",7", ",", "7 bytes", "7bytes", "7abc", "7 7", "7;", "7.0", "0x7", "7_0", "1e1", "\"7\"", "'7'", "", " ", "\t", "abc",
		"-1", "-7", "+7", "--7", "\u0667", "7\x01", "\x017", "7\x0b", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "99999999999999999999999", "10737418240", "0", "3", "100", "7\r\nContent-Length: 7", "7\r\ncontent-length: 7",
		"7\r\nContent-Length: 8", "8\r\nContent-Length: 7", "7\r\nContent-Length: 07", "7\r\nContent-Length: 7, 7", "7\r\nContent-Length: 7, 8", "7\r\nContent-Length:", "\r\nContent-Length: 7", "7\r\nContent-Length: abc", "abc\r\nContent-Length: 7",
		"7\r\nContent-Length: -1", "-1\r\nContent-Length: 7", "-1\r\nContent-Length: -2", "abc\r\nContent-Length: def", "\r\nContent-Length:", "7 bytes\r\nContent-Length: 8 bytes", "7\r\nContent-Length: 8 bytes", "+7\r\nContent-Length: 7", "0\r\nContent-Length: 7",
		"7\r\nContent-Length: 9223372036854775808", "9223372036854775808\r\nContent-Length: 9223372036854775809",
	}
	codings := []string{
		"chunked", "CHUNKED", "Chunked", "chunked ", "identity", "", " ", "chunked, chunked", "chunked,chunked", "chunked\r\nTransfer-Encoding: chunked", "gzip, chunked", "gzip,chunked", "chunked, gzip", "gzip", "deflate", "compress", "br", "what", "chunked;q=1", "chunked; x=y", "\"chunked\"",
		"chunked,", ",chunked", "x-chunked", "xchunked", "chunkedx", "chunked identity", "identity, chunked", "chunked, identity", "trailers", "\x0bchunked", "chunked\x01", "chun\x01ked", "gzip\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: gzip", "chunked\r\nTransfer-Encoding: identity", "identity\r\nTransfer-Encoding: chunked", "7",
	}
	const chunks = eoh + "7\r\n<p>here\r\n0\r\n\r\n"
	return slices.Concat(
		named("N4", ok+"Content-Length: %"+eoh+"<p>here", lengths...),
		named("N4 HTTP/1.0", old+"Content-Length: %"+eoh+"<p>here", lengths...),
		named("N4 beside chunked", ok+"Transfer-Encoding: chunked\r\nContent-Length: %"+chunks, lengths...),
		named("N4 304", "HTTP/1.1 304 x\r\nContent-Length: %"+eoh, lengths...),
		named("N4 204", "HTTP/1.1 204 x\r\nContent-Length: %"+eoh, "7", "7, 7", "7\r\nContent-Length: 8", "abc", "-1", ""),
		named("N4 404", "HTTP/1.1 404 x\r\nContent-Length: %"+eoh+"<p>here", "7", "7, 7", "7\r\nContent-Length: 8", "abc", "-1", ""),
		named("N5", ok+"Transfer-Encoding: %"+chunks, codings...),
		named("N5 plain body", ok+"Transfer-Encoding: %"+eoh+"<p>here", codings...),
		named("N5 and a length", ok+"Content-Length: 7\r\nTransfer-Encoding: %"+eoh+"<p>here", codings...),
		named("N8a HTTP/1.0", old+"Transfer-Encoding: %"+chunks, codings...),
		named("N8a 204", "HTTP/1.1 204 x\r\nTransfer-Encoding: %"+eoh, codings...),
		named("N8a 304", "HTTP/1.1 304 x\r\nTransfer-Encoding: %"+eoh, codings...),
		named("E15", ok+"Transfer-Encoding: chunked"+eoh+"%", "", "zz\r\n", "7", "7\r\n<p>", "7\r\n<p>here", "7\r\n<p>here\r\n", "fffffffffffffffff\r\n<p>", "-1\r\n", "0\r\n", "\r\n7\r\n<p>here\r\n0\r\n\r\n", "7;x=y\r\n<p>here\r\n0\r\n\r\n", "0\r\nA\x00\r\n\r\n"),
		named("E15 a chunk and", ok+"Transfer-Encoding: chunked"+eoh+"%", "7\n<p>here\n0\n\n", "7\r\n<p>here\n0\r\n\r\n", "7 \r\n<p>here\r\n0 \r\n\r\n", "7 ;x=y\r\n<p>here\r\n0\r\n\r\n", "7;a\rb\r\n<p>here\r\n0\r\n\r\n", "7;\x00\r\n<p>here\r\n0\r\n\r\n", "7\r\r\n<p>here\r\n0\r\n\r\n", "7 bytes\r\n<p>here\r\n0\r\n\r\n", "7xyz\r\n<p>here\r\n0\r\n\r\n",
			"000000007\r\n<p>here\r\n0\r\n\r\n", strings.Repeat("0", 40)+"7\r\n<p>here\r\n0\r\n\r\n", "0x7\r\n<p>here\r\n0\r\n\r\n", "+7\r\n<p>here\r\n0\r\n\r\n", "7\r\n<p>here\r\n0\r\nA: b\r\n\r\n", "7;"+strings.Repeat("x", 5000)+"\r\n<p>here\r\n0\r\n\r\n", strings.Repeat("1;"+strings.Repeat("x", 100)+"\r\nz\r\n", 500)+"0\r\n\r\n"),
	)
}

// lineRows are about the ends of lines and of the head, and about interim responses.
func lineRows() []headRow {
	const final = "HTTP/1.1 200 OK" + restRow
	return slices.Concat(
		named("N7", "%"+final,
			"\r\n", "\n", "\r", "\r\n\r\n", "\n\n", "\n\n\n", "\n\n\n\n", "\n\n\n\n\n", "\r\n\n", "\n\r\n\n", "\r\n\r\n\n", "\r\n\r\n\r\n", "\r\r\r\r", " ", "   ", "    ", "     ", "\t", " \r\n", "\r\n ", "\ufeff", "\ufeff\n", "abcd", "abcde", "x\r\n",
			"\x01", "\x00", "HTTP", "HTTPHTTP", "ICY", "junk\r\n", "junk junk\r\n", "\n200\n", "0\r\n\r\n", "7\r\n", "ab\r\n", "abc\r\n"),
		named("E9 line ends", "%",
			"HTTP/1.1 200 OK\nA: b\n\n<p>here", "HTTP/1.1 200 OK\nA: b\n\r\n<p>here", "HTTP/1.1 200 OK\r\nA: b\n\n<p>here", "HTTP/1.1 200 OK\r\nA: b\r\n\n<p>here", "HTTP/1.1 200 OK\rA: b\r\r<p>here", "HTTP/1.1 200 OK\rA: b\r\n\r\n<p>here",
			"HTTP/1.1 200 OK\r\r\nA: b\r\r\n\r\r\n<p>here", "HTTP/1.1 200 OK\r\r\nContent-Length: 7\r\r\n\r\r\n<p>here", "HTTP/1.1 200 OK\rContent-Length: 7\r\n\r\n<p>here", "HTTP/1.1 200 OK\rA: b\rContent-Length: 7\r\r<p>here", "HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n<p>here", "HTTP/1.1 200 OK\n\rA: b\n\r\n\r<p>here", "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n<p>here", "HTTP/1.1 200 OK\r\n\r<p>here", "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\n\r\n", "HTTP/1.1 200\n\n"),
		named("E12", "%",
			"H", "HT", "HTT", "HTTP", "HTTP/", "HTTP/1", "HTTP/1.", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 2", "HTTP/1.1 20", "HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200 ", "HTTP/1.1 200 O", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK\r\nA",
			"HTTP/1.1 200 OK\r\nA:", "HTTP/1.1 200 OK\r\nA: b", "HTTP/1.1 200 OK\r\nA: b\r", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r", "HTTP/1.1 200 OK\r\nA: b\x00", "HTTP/1.1 200 OK\r\n\r", "HTTP/1.1 200 OK\r\n<html>here</html>", "HTTP/1.1 200 OK\r\nA: b\r\n<html>", "HTTP/1.1 204 x\r\n", "HTTP/1.0 200 OK\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 5", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "HTTP/1.1 103 x\r\n", "HTTP/1.1 100", "HTTP/1.1 101 x\r\n", "\r\n", "\r\n\r\n", "\n", "\r", " ", "\x00", "\r\nHTTP/1.1 200 OK\r\n", "I", "IC", "ICY", "ICY ", "ICY 200", "ICY 200 OK\r\n", "HTTP/1.1 abc\r\n", "http/1.1 200", "HTTP/2 200", "HTTP/1.1 2000"),
		named("E18", "%"+final,
			"HTTP/1.1 100 Continue"+eoh, "HTTP/1.1 102 x"+eoh, "HTTP/1.1 103 Early Hints\r\nLink: </x>"+eoh, "HTTP/1.1 199 x"+eoh, "HTTP/1.1 100"+eoh, "HTTP/1.1 100 x\n\n", "HTTP/1.0 100 x"+eoh, "HTTP/2 103"+eoh, strings.Repeat("HTTP/1.1 103 x"+eoh, 2), strings.Repeat("HTTP/1.1 103 x"+eoh, 100),
			"HTTP/1.1 103 x\r\nno colon"+eoh, "HTTP/1.1 103 x\r\nA: \x01"+eoh, "HTTP/1.1 103 x\r\nA: \x00"+eoh, "HTTP/1.1 103 x\r\nContent-Length: 5"+eoh, "HTTP/1.1 103 x\r\nContent-Length: 5\r\nContent-Length: 6"+eoh, "HTTP/1.1 103 x\r\nTransfer-Encoding: what"+eoh, "HTTP/1.1 103 x"+eoh+"\r\n", "HTTP/1.1 103 x"+eoh+"\r\n\r\n",
			"HTTP/1.1 103 x"+eoh+"zzz", "HTTP/1.1 103 x"+eoh+"zzzzz", "\r\nHTTP/1.1 103 x"+eoh, "http/1.1 100 x"+eoh, "ICY 100 x"+eoh, "HTTP/1.1 101 x\r\nUpgrade: x"+eoh, "HTTP/1.1 101 x"+eoh),
		named("E18 only", "%", "HTTP/1.1 100 Continue"+eoh, "HTTP/1.1 103 x"+eoh, "HTTP/1.1 101 x\r\nUpgrade: x"+eoh, "HTTP/1.1 103 x"+eoh+"zzz", "HTTP/1.1 103 x"+eoh+"zzzzzzzzz\r\n\r\n", "HTTP/1.1 103 x"+eoh+"ICY 200 OK"+eoh, "HTTP/1.1 103 x"+eoh+"http/1.1 200 OK"+eoh),
	)
}

// sizeRows are about caps: 256 KiB is Chromium's and the library's.
func sizeRows() (rows []headRow) {
	add := func(name, raw string) { rows = append(rows, headRow{name, raw}) }
	head := func(n int, value string) string { // a head of n bytes
		return "HTTP/1.1 200 OK\r\n" + strings.Repeat(value, (n-21)/len(value)) + strings.Repeat("x", (n-21)%len(value)) + "\r\n" + "\r\n<p>here"
	}
	line := "A: " + strings.Repeat("x", 1000) + "\r\n"
	for _, n := range []int{63 << 10, 65 << 10, 70_000, 100_000, 200_000, 250_000, 262_143, 262_144, 262_145, 262_200, 270_000, 290_000, 310_000, 1 << 20} {
		add(fmt.Sprintf("N8 %d bytes in lines of 1 KB", n), head(n, line))
	}
	for _, n := range []int{8 << 10, 63 << 10, 70_000, 99_000, 110_000, 200_000, 262_000, 263_000} {
		add(fmt.Sprintf("N8 a value of %d bytes", n), "HTTP/1.1 200 OK\r\nA: "+strings.Repeat("x", n)+restRow)
		add(fmt.Sprintf("N8 a name of %d bytes", n), "HTTP/1.1 200 OK\r\n"+strings.Repeat("x", n)+": y"+restRow)
		add(fmt.Sprintf("N8 a reason phrase of %d bytes", n), "HTTP/1.1 200 "+strings.Repeat("x", n)+restRow)
		add(fmt.Sprintf("N8 a version of %d bytes", n), "HTTP/1."+strings.Repeat("1", n)+" 200 OK"+restRow)
		add(fmt.Sprintf("N8 %d spaces before the status", n), "HTTP/1.1"+strings.Repeat(" ", n)+"200 OK"+restRow)
	}
	for _, n := range []int{999, 1001, 1500, 5000, 20_000, 40_000, 60_000} {
		add(fmt.Sprintf("N8 %d short fields", n), "HTTP/1.1 200 OK"+strings.Repeat("\r\na:b", n)+eoh+"<p>here")
		add(fmt.Sprintf("N8 %d lines without a colon", n), "HTTP/1.1 200 OK"+strings.Repeat("\r\nab", n)+eoh+"<p>here")
		add(fmt.Sprintf("N8 %d folded lines", n), "HTTP/1.1 200 OK\r\nA: b"+strings.Repeat("\r\n a", n)+eoh+"<p>here")
	}
	for _, n := range []int{1000, 5000, 15_000, 20_000} {
		add(fmt.Sprintf("E18 %d times 103", n), strings.Repeat("HTTP/1.1 103 x"+eoh, n)+"HTTP/1.1 200 OK"+restRow)
	}
	add("N9 nothing", "")
	add("E16 a short body", "HTTP/1.1 200 OK\r\nContent-Length: 100"+eoh+"<p>here")
	add("E16 a long body", "HTTP/1.1 200 OK\r\nContent-Length: 3"+eoh+"<p>here")
	add("E21 two answers", "HTTP/1.1 200 OK\r\nContent-Length: 7"+eoh+"<p>hereHTTP/1.1 404 x"+eoh)
	return rows
}
