package keymap

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Limits of a map.
const (
	Columns   = 256
	Keys      = 256
	MaxString = 511 // bytes of a function key's string

	maxDepth = 8         // of includes
	maxText  = 256 << 10 // bytes of all files together
)

const (
	modShift   = 1
	modControl = 4
	modAlt     = 8
)

// Map is a keyboard map.
type Map struct {
	// Columns are the columns that there are; nil: none. A column's keys that
	// the file said nothing about are Void, and not Set.
	Columns [Columns]*Column
	Strings map[byte]string // by the function key's number, from 0 on
}

// Column is the keys with one set of modifiers.
type Column struct {
	Symbols [Keys]Symbol
	Set     [Keys]bool
}

// Errors are the lines of a file that made no sense, "file:line: what".
type Errors []string

// Error returns the first, and how many more there are.
func (e Errors) Error() string {
	if len(e) > 1 {
		return fmt.Sprintf("%s (and %d more)", e[0], len(e)-1)
	}
	return e[0]
}

// parser is the state of Parse.
type parser struct {
	m        *Map
	open     func(name string) (string, error)
	defined  [Columns]bool
	declared bool // a keymaps line was seen
	meta     bool // alt_is_meta
	constant map[int]Symbol
	text     int // bytes so far
	errs     Errors
	file     string
	line     int
}

// Parse reads a map. name is for messages; open returns the text of a file that
// an include line names. What makes no sense is left out and reported: the error
// is nil or an Errors, and the map is there in any case.
func Parse(name, text string, open func(name string) (string, error)) (*Map, error) {
	p := &parser{m: &Map{Strings: map[byte]string{}}, open: open, constant: map[int]Symbol{}}
	p.read(name, text, 0)
	p.fillConstants()
	if len(p.errs) > 0 {
		return p.m, p.errs
	}
	return p.m, nil
}

func (p *parser) fail(format string, a ...any) {
	p.errs = append(p.errs, fmt.Sprintf("%s:%d: ", p.file, p.line)+fmt.Sprintf(format, a...))
}

// read takes the lines of one file.
func (p *parser) read(name, text string, depth int) {
	file, line := p.file, p.line
	defer func() { p.file, p.line = file, line }()
	p.file, p.line = name, 0
	if p.text += len(text); p.text > maxText {
		p.fail("too much text")
		return
	}
	logical := ""
	for physical := range strings.Lines(text) {
		p.line++
		physical = strings.TrimRight(physical, "\r\n")
		if rest, ok := strings.CutSuffix(physical, "\\"); ok {
			logical += rest + " "
			continue
		}
		words, err := split(logical + physical)
		logical = ""
		if err != nil {
			p.fail("%v", err)
			continue
		}
		if len(words) > 0 {
			p.statement(words, depth)
		}
	}
	if words, err := split(logical); err == nil && len(words) > 0 {
		p.statement(words, depth)
	}
}

var (
	errQuote  = errors.New("a quote is not closed")
	errEscape = errors.New("a \\ that stands for nothing")
)

// split cuts a line into words, without its comment. A quoted string is a word
// that begins with a quote, its escapes resolved; "=" and "," are words.
func split(line string) (words []string, err error) {
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case c == '#' || c == '!':
			return words, nil
		case c == ' ' || c == '\t':
			i++
		case c == '=' || c == ',':
			words = append(words, line[i:i+1])
			i++
		case c == '"' || c == '\'':
			s, n, err := unquote(line[i:])
			if err != nil {
				return nil, err
			}
			words = append(words, `"`+s)
			i += n
		default:
			n := strings.IndexAny(line[i:], " \t=,\"'#!")
			if n < 0 {
				n = len(line) - i
			}
			words = append(words, line[i:i+n])
			i += n
		}
	}
	return words, nil
}

// unquote reads a quoted string and returns it and its length in the source.
func unquote(s string) (text string, n int, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == s[0]:
			return b.String(), i + 1, nil
		case c != '\\':
			b.WriteByte(c)
			continue
		}
		if i++; i == len(s) {
			break
		}
		switch c := s[i]; {
		case c == 'n':
			b.WriteByte('\n')
		case c >= '0' && c <= '7':
			v, end := 0, min(i+3, len(s))
			for ; i < end && s[i] >= '0' && s[i] <= '7'; i++ {
				v = v*8 + int(s[i]-'0')
			}
			i--
			if v > 0xff {
				return "", 0, errEscape
			}
			b.WriteByte(byte(v))
		case c == '\\' || c == '"' || c == '\'':
			b.WriteByte(c)
		default:
			return "", 0, errEscape
		}
	}
	return "", 0, errQuote
}

// statement does one line.
func (p *parser) statement(w []string, depth int) {
	switch strings.ToLower(w[0]) {
	case "keymaps":
		p.keymaps(w[1:])
	case "include":
		p.include(w[1:], depth)
	case "charset":
		if len(w) != 2 {
			p.fail("charset wants a name")
		}
	case "alt_is_meta":
		p.meta = true
	case "altgr_is_alt": // of no effect without other lines that use it
	case "compose":
	case "strings":
		if strings.Join(w[1:], " ") != "as usual" {
			p.fail("strings as what?")
			return
		}
		p.usualStrings()
	case "string":
		p.string(w[1:])
	default:
		p.keycode(w)
	}
}

// keymaps is a list of numbers and ranges.
func (p *parser) keymaps(w []string) {
	p.declared = true
	for _, r := range strings.Split(strings.Join(w, ""), ",") {
		first, last, isRange := strings.Cut(r, "-")
		if !isRange {
			last = first
		}
		a, err1 := strconv.ParseUint(first, 0, 8)
		b, err2 := strconv.ParseUint(last, 0, 8)
		if err1 != nil || err2 != nil || a > b {
			p.fail("%q is no range of columns", r)
			continue
		}
		for ; a <= b; a++ {
			p.define(int(a))
		}
	}
}

func (p *parser) define(column int) {
	p.defined[column] = true
	p.column(column)
}

// column returns a column, making it if need be.
func (p *parser) column(n int) *Column {
	if p.m.Columns[n] == nil {
		c := new(Column)
		for i := range c.Symbols {
			c.Symbols[i] = Void
		}
		p.m.Columns[n] = c
	}
	return p.m.Columns[n]
}

func (p *parser) include(w []string, depth int) {
	if len(w) != 1 || !strings.HasPrefix(w[0], `"`) {
		p.fail("include wants a file's name in quotes")
		return
	}
	if depth == maxDepth {
		p.fail("includes are too deep")
		return
	}
	name := w[0][1:]
	if p.open == nil {
		p.fail("%s: there are no other files here", name)
		return
	}
	text, err := p.open(name)
	if err != nil {
		p.fail("%v", err)
		return
	}
	p.read(name, text, depth+1)
}

// string is "F1 = "text"".
func (p *parser) string(w []string) {
	if len(w) != 3 || w[1] != "=" || !strings.HasPrefix(w[2], `"`) {
		p.fail("a string is: string F1 = \"text\"")
		return
	}
	s, ok := parseSymbol(w[0])
	if !ok || s.kind() != 1 {
		p.fail("%q is no function key", w[0])
		return
	}
	text := w[2][1:]
	if len(text) > MaxString || strings.IndexByte(text, 0) >= 0 {
		p.fail("the string is too long, or has a zero in it")
		return
	}
	p.m.Strings[s.value()] = text
}

// usualStrings are those of a terminal of the type linux (terminfo(5)).
func (p *parser) usualStrings() {
	for i, s := range [...]string{
		"[A", "[B", "[C", "[D", "[E", "17~", "18~", "19~", "20~", "21~", "23~", "24~", "25~", "26~", "28~", "29~",
		"31~", "32~", "33~", "34~", "1~", "2~", "3~", "4~", "5~", "6~", "M", 29: "P",
	} {
		if s != "" {
			p.m.Strings[byte(i)] = "\x1b[" + s
		}
	}
}

// modifierNames are the words before keycode, with their columns.
var modifierNames = map[string]int{
	"plain": 0, "shift": 1, "altgr": 2, "control": 4, "alt": 8,
	"shiftl": 16, "shiftr": 32, "ctrll": 64, "ctrlr": 128,
}

// keycode is "[modifiers] keycode N = symbols".
func (p *parser) keycode(w []string) {
	column, single := 0, false
	for ; len(w) > 0 && !strings.EqualFold(w[0], "keycode"); w = w[1:] {
		bit, ok := modifierNames[strings.ToLower(w[0])]
		if !ok {
			p.fail("%q means nothing here", w[0])
			return
		}
		column, single = column|bit, true
	}
	if len(w) < 3 || w[2] != "=" {
		p.fail("a key is: keycode 30 = a")
		return
	}
	n, err := strconv.ParseUint(w[1], 0, 16)
	if err != nil || n == 0 || n >= Keys {
		p.fail("%q is no key's number", w[1])
		return
	}
	var list []Symbol
	for _, word := range w[3:] {
		s, ok := parseSymbol(word)
		if !ok {
			p.fail("no symbol is called %q", word)
			s = Void
		}
		list = append(list, s)
	}
	switch {
	case single && len(list) != 1:
		p.fail("one column has one symbol")
	case single:
		p.add(column, int(n), list[0])
	default:
		p.fill(int(n), list)
	}
}

// fill gives a key the symbols of a line without modifiers: one for each column
// that there is.
func (p *parser) fill(key int, list []Symbol) {
	if len(list) == 1 {
		p.constant[key] = list[0]
	} else {
		delete(p.constant, key)
	}
	if !p.declared {
		for i := range min(len(list), Columns) {
			p.define(i)
		}
	}
	i := 0
	for c := range p.defined {
		if !p.defined[c] {
			continue
		}
		switch {
		case i < len(list):
			p.add(c, key, list[i])
		case len(list) != 1:
			p.add(c, key, Void)
		}
		i++
	}
	if i < len(list) {
		p.fail("%d symbols for %d columns", len(list), i)
	}
}

// add sets one symbol, and with alt_is_meta its Meta form beside Alt.
func (p *parser) add(column, key int, s Symbol) {
	if !p.defined[column] {
		if p.declared {
			p.fail("column %d is not among the keymaps", column)
			return
		}
		p.define(column)
	}
	c := p.column(column)
	if p.meta && s == Void && c.Set[key] {
		return // the Meta form that is there already
	}
	c.Symbols[key], c.Set[key] = s, true
	if other := column | modAlt; p.meta && other != column && p.defined[other] &&
		!p.column(other).Set[key] && (s.kind() == kindLatin || s.kind() == kindLetter) && s.value() < 0x80 {
		p.add(other, key, symbol(kindMeta, s.value()))
	}
}

// fillConstants gives the keys of lines with one symbol that symbol in all
// columns, or what goes with it if it is a letter, where nothing else was said.
func (p *parser) fillConstants() {
	for key := range Keys {
		s, ok := p.constant[key]
		if !ok {
			continue
		}
		for column := range p.defined {
			if p.defined[column] && !p.column(column).Set[key] {
				p.add(column, key, derive(s, column))
			}
		}
	}
}

// derive is what a symbol becomes in another column: only letters change.
func derive(s Symbol, column int) Symbol {
	v := s.value()
	letter := v >= 'a' && v <= 'z' || v >= 'A' && v <= 'Z'
	if !letter || s.kind() != kindLetter && s.kind() != kindLatin {
		return s
	}
	switch {
	case column&modControl != 0:
		s = symbol(kindLatin, v&0x1f)
	case column&modShift != 0:
		s ^= 0x20
	}
	if column&modAlt != 0 {
		s = symbol(kindMeta, s.value())
	}
	return s
}
