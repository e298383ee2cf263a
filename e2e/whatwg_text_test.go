//go:build linux

package e2e_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"
)

// A randomText is a target or a Location, and what it was made of.
type randomText struct {
	text, base string

	scheme   string // as it is written, with its colon and slashes
	userinfo string // with its at sign
	host     string
	port     string // with its colon
	rest     string // path, query and fragment
	settled  bool   // a host beyond ASCII has no character but such as were always mapped alike
}

func (r *randomText) ascii() bool {
	return strings.IndexFunc(r.host, func(c rune) bool { return c >= utf8.RuneSelf }) < 0
}

// one returns one of all.
func one(rnd *rand.Rand, all []string) string { return all[rnd.IntN(len(all))] }

// mostly returns the first of all nine times in ten.
func mostly(rnd *rand.Rand, all ...string) string {
	if rnd.IntN(10) > 0 {
		return all[0]
	}
	return one(rnd, all[1:])
}

func several(rnd *rand.Rand, max int, f func() string) string {
	var b strings.Builder
	for range rnd.IntN(max + 1) {
		b.WriteString(f())
	}
	return b.String()
}

func newTarget(rnd *rand.Rand) randomText {
	r := randomText{scheme: one(rnd, []string{"http://", "https://", "", mostly(rnd, "HTTP://", "hTTps://", "http:", "http:/", "http:///", "https:\\\\", "ftp://", "ws://", "//", "http:\\/", "h\ttp://")})}
	r.authority(rnd)
	r.rest = randomRest(rnd, mostly(rnd, "/", "", "\\", "?", "#"))
	r.text = mostly(rnd, "", " ", "\t", "\ufeff", "\n ") + r.scheme + r.userinfo + r.host + r.port + r.rest + mostly(rnd, "", " ", "\r\n", "\t")
	return r
}

// bases are what redirects, as targets have it.
var bases = []string{"http://h.test/", "http://h.test/a/b?q", "https://h.test:8443/a/b/", "https://127.0.0.1/100%/a|b?x'", "http://[::1]/%2e%2e%2e//x"}

func newLocation(rnd *rand.Rand) randomText {
	r := randomText{base: one(rnd, bases)}
	if rnd.IntN(2) == 0 {
		r.scheme = mostly(rnd, one(rnd, []string{"http://", "https://", "//"}), "HTTP://", "\\\\", "/\\", "\\/", "///", "//\\/", "http:", "https:", "http:/", "https:\\", "http:\\\\", "https:///", "ht\ttp://", "/\t/", "ftp://", "javascript:", "1http://", "\ufeffhttp://")
		r.authority(rnd)
		r.rest = randomRest(rnd, mostly(rnd, "/", "", "\\", "?", "#"))
	} else {
		r.rest = randomRest(rnd, one(rnd, []string{"/", "\\", "./", "../", "..\\", "?", "#", one(rnd, segments) + "/", mostly(rnd, "a", "")}))
	}
	if i := rnd.IntN(len(r.rest) + 1); rnd.IntN(5) == 0 {
		r.rest = r.rest[:i] + one(rnd, []string{"\t", "\x01", "\x7f", "\xfc", "\xc3", "\xed\xa0\x80", "\x1b"}) + r.rest[i:]
	}
	r.text = mostly(rnd, "", " ", "\t", "\x01") + r.scheme + r.userinfo + r.host + r.port + r.rest + mostly(rnd, "", " ", "\t", "\x1f")
	return r
}

func (r *randomText) authority(rnd *rand.Rand) {
	r.userinfo = mostly(rnd, "", "u@", "u:p@", "@", ":@", "a@b@", "u:p%2f@", "u\\@", "ü:€@", "u:p/@", "good.test:80@", "%40@")
	r.host, r.settled = randomHost(rnd)
	r.port = mostly(rnd, "", ":", ":80", ":443", ":8080", ":0", ":65535", ":65536", ":065535", ":00080", ":+80", ":8x", ": 80", ":８0", ":80:80", ":-1")
}

var (
	// Letters of names that are registered, mapped alike since IDNA2008.
	settledLetters = []string{"a", "b", "z", "E", "0", "7", "ü", "É", "ß", "ς", "Σ", "я", "Ж", "中", "文", "の", "ガ", "한", "ｗ", "９", "ﬁ", "Å", "e\u0301", "💩"}
	settledRTL     = []string{"א", "ש", "ת", "ب", "ع", "ي"}
	// What versions of Unicode, or programs, differ about, and what no name has.
	unsettledLetters = []string{"ẞ", "İ", "ı", "\u200d", "\u200c", "\u00ad", "\u2060", "⒈", "℀", "≠", "\u0301", "\ufffd", "\U0001FAE9", "\U000323B0", "Ӏ", "\u1806", "¨", "٠", "\U0002F868", "ᲊ", "꙱", "．", "\ufeff", "\u202e", "％", "／", "？", "＃", "＠", "：", "℆"}
	signs            = []string{"!", "$", "&", "'", "(", ")", "*", "+", ",", ";", "=", "~", "`", "{", "}", "\"", "<", ">", "^", "|", " ", "[", "]", "\x7f", "\x01", "\t", "\n"}
	numbers          = []string{"0", "1", "10", "127", "255", "256", "01", "0x7f", "0x", "08", "1e2", "4294967295", "4294967296", "0377"}
)

func letters(rnd *rand.Rand, max int, all []string) string {
	return one(rnd, all) + several(rnd, max, func() string { return one(rnd, all) })
}

// randomLabel returns a label of ASCII.
func randomLabel(rnd *rand.Rand) string {
	const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	label := make([]byte, 1+rnd.IntN(8))
	for i := range label {
		label[i] = chars[rnd.IntN(len(chars))]
	}
	switch rnd.IntN(40) {
	case 0:
		return "xn--" + string(label)
	case 1:
		return one(rnd, knownALabels)
	case 2:
		return strings.Repeat(string(label), 64/len(label)+rnd.IntN(2))
	case 3:
		return ""
	}
	return string(label)
}

var knownALabels = []string{"xn--bcher-kva", "XN--BCHER-KVA", "xn--", "xn--a", "xn--zca", "xn--ls8h", "xn--mgbh0fb"}

func isRandomALabel(label string) bool {
	return strings.HasPrefix(label, "xn--") && !slices.Contains(knownALabels, label)
}

// randomHost returns a host; settled is for one beyond ASCII.
func randomHost(rnd *rand.Rand) (host string, settled bool) {
	var labels []string
	add := func(n int, f func() string) {
		for range n {
			labels = append(labels, f())
		}
	}
	ascii := func() string { return randomLabel(rnd) }
	switch rnd.IntN(16) {
	default:
		add(1+rnd.IntN(3), ascii)
		labels = append(labels, one(rnd, []string{"test", "TEST", "example", "onion", "x", "test", "com", "net", "0"}))
	case 6, 7, 8:
		settled = true
		add(1+rnd.IntN(2), func() string { return letters(rnd, 5, settledLetters) })
		labels = append(labels, "test")
	case 9:
		settled = true
		labels = []string{letters(rnd, 5, settledRTL), mostly(rnd, "test", "א")}
	case 10:
		add(1+rnd.IntN(2), func() string {
			return letters(rnd, 3, append(unsettledLetters, settledLetters...)) + letters(rnd, 1, append(settledRTL, ascii(), "क्"))
		})
	case 11:
		add(1+rnd.IntN(5), func() string { return one(rnd, numbers) })
	case 12:
		add(4, func() string { return one(rnd, numbers[:5]) })
	case 13:
		return "[" + randomIPv6(rnd) + "]", false
	case 14:
		labels = []string{ascii() + one(rnd, signs) + ascii(), "test"}
	case 15:
		return one(rnd, []string{"", ".", "a..b.test", "%41.test", "h%2ftest", "[::1%25lo]", "[v1.x]", "[1.2.3.4]", "::1", "x.onion", "1.2.3.4.", "localhost", "h\\p", "straẞe.test", "xn--pİx.test", "localhost.xn--", strings.Repeat("a.", 127), strings.Repeat("ü", 60) + ".test"}), false
	}
	dot := mostly(rnd, ".", "。", "．", "｡")
	if dot != "." && slices.ContainsFunc(labels, isRandomALabel) {
		dot = "." // Node knows fewer characters than the older of the two Unicodes
	}
	return strings.Join(labels, dot) + mostly(rnd, "", "."), settled
}

func randomIPv6(rnd *rand.Rand) string {
	group := func() string {
		return one(rnd, []string{"0", "0", "1", "ffff", "FFFF", "7f00", "0db8", "00001", "g"}) + ":"
	}
	return several(rnd, 7, group) + mostly(rnd, ":", "", "::") + several(rnd, 4, group) + mostly(rnd, "1", "", ":", "127.0.0.1", "1.2.3", "0")
}

var segments = []string{
	"a", "b.html", ".", "..", "...", "%2e", "%2E.", ".%2e", "%2e%2E", "%2e%2e%2e", ".a", "..a", "a..", "%2", "%", "%zz", "%41", "%c3", "100%", "é", "中", "💩",
	" ", "a b", "\"", "<", ">", "`", "{", "}", "|", "^", "'", "!", "$&*+,;=", "(", ")", "[", "]", "@", ":", "~user", "http:", "C:", "C|", "%00", "%0a", "%2f", "%5c", "\ufeff", "e\u0301",
}

// randomRest returns what follows an authority, with what its path begins with.
func randomRest(rnd *rand.Rand, begin string) string {
	segment := func() string {
		return several(rnd, 2, func() string { return one(rnd, segments) }) + mostly(rnd, "/", "\\", "//", "/\\", "?", "&", "#")
	}
	if begin == "" {
		return ""
	}
	return begin + several(rnd, 5, segment) + mostly(rnd, "", "?q=a'b", "?", "#", "#f", "?q#f", "?a?b", "?%zz", "?ü|^`{}\\\"<>")
}
