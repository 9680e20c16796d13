//go:build tamarix

package amd64

// The steps of start-up, from before there is a heap or a log. Each is written to
// the console at once, if the command line wants messages of its level there: when
// the machine hangs, the last line says where. All are kept, and go into the log
// when there is one (EarlySteps).

// Levels of steps, with syslog(2)'s numbers.
const (
	stepWarning = 4
	stepInfo    = 6
	stepDebug   = 7
)

// steps holds what was noted: for each a header of level, length and time, then
// the text. Written by the boot CPU before the Go runtime starts, read-only from
// then on.
var steps struct {
	text    [12 << 10]byte
	n       int
	lost    int
	console int // messages with a level below this one are printed; 0: not known yet
}

const stepHeader = 10

// line is a message that is being put together.
type line struct {
	text [200]byte
	n    int
}

// String returns the message; it is valid until more is appended.
func (l *line) String() string { return unsafeString(l.text[:l.n]) }

func (l *line) str(s string) *line {
	l.n += copy(l.text[l.n:], s)
	return l
}

func (l *line) bytes(p []byte) *line {
	for _, c := range p {
		if c < ' ' || c > '~' {
			c = '?'
		}
		if l.n < len(l.text) {
			l.text[l.n] = c
			l.n++
		}
	}
	return l
}

// dec appends a number.
func (l *line) dec(v uint64) *line { return l.digits(v, 10, 1) }

// hex appends a number with 0x.
func (l *line) hex(v uint64) *line { return l.str("0x").digits(v, 16, 1) }

// mhz appends a frequency, with the unit.
func (l *line) mhz(hz uint64) *line {
	return l.dec(hz/1_000_000).str(".").digits(hz/1000%1000, 10, 3).str(" MHz")
}

func (l *line) digits(v, base uint64, least int) *line {
	var b [20]byte
	i := len(b)
	for v != 0 || len(b)-i < least {
		i--
		b[i] = "0123456789abcdef"[v%base]
		v /= base
	}
	l.n += copy(l.text[l.n:], b[i:])
	return l
}

// startStep notes that a step of start-up begins, or what it has found.
func startStep(s string) {
	var l line
	l.str(s).note(stepInfo)
}

// note ends the message: it is kept and, if it is important enough, printed.
func (l *line) note(level int) {
	if steps.console == 0 {
		steps.console = consoleLevel()
	}
	now := int64(0)
	if tscMult != 0 {
		now = Nanotime()
	}
	if steps.n+stepHeader+l.n > len(steps.text) {
		steps.lost++
	} else {
		p := steps.text[steps.n:]
		p[0], p[1] = byte(level), byte(l.n)
		for i := range 8 {
			p[2+i] = byte(now >> (8 * i))
		}
		copy(p[stepHeader:], l.text[:l.n])
		steps.n += stepHeader + l.n
	}
	if level < steps.console {
		var t line
		t.str("[")
		for pad := uint64(10000); pad > 1 && uint64(now/1e9) < pad; pad /= 10 {
			t.str(" ")
		}
		t.dec(uint64(now/1e9)).str(".").digits(uint64(now/1000%1e6), 10, 6).str("] ")
		earlyPrint(t.String())
		earlyPrint(l.String())
		earlyPrint("\n")
	}
}

// consoleLevel returns which messages the command line wants on the console, as
// the kernel proper reads it later: loglevel=, quiet, debug; the last one counts.
func consoleLevel() int {
	level := 7
	words := bootInfo.CommandLine()
	for i := 0; i < len(words); {
		j := i
		for j < len(words) && words[j] > ' ' {
			j++
		}
		switch w := words[i:j]; {
		case string(w) == "--":
			return level
		case string(w) == "quiet":
			level = 4
		case string(w) == "debug":
			level = 10
		case len(w) > 9 && string(w[:9]) == "loglevel=":
			n := 0
			for _, c := range w[9:] {
				if c < '0' || c > '9' || n > 15 {
					n = 16
					break
				}
				n = n*10 + int(c-'0')
			}
			if n <= 15 {
				level = max(n, 1)
			}
		}
		i = j + 1
	}
	return level
}

// EarlySteps calls f for each step of start-up that was noted before there was a
// log: syslog(2)'s level, ns since boot, the text. lost is how many found no room.
func EarlySteps(f func(level uint8, at int64, text string)) (lost int) {
	for i := 0; i+stepHeader <= steps.n; {
		p := steps.text[i:]
		at := int64(0)
		for j := range 8 {
			at |= int64(p[2+j]) << (8 * j)
		}
		f(p[0], at, string(p[stepHeader:stepHeader+int(p[1])]))
		i += stepHeader + int(p[1])
	}
	return steps.lost
}
