package inittab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// An Action says when an entry's process is started and whether init waits for
// its end (inittab(5) of sysvinit; the comment at the top of busybox's
// init.c).
type Action uint8

// The actions.
const (
	// InitDefault names the runlevel to enter after boot; it has no process.
	InitDefault Action = iota
	// SysInit runs at boot before all others; init waits for it.
	SysInit
	// Boot runs at boot after SysInit, whatever the runlevel; not waited for.
	Boot
	// BootWait is Boot, waited for.
	BootWait
	// Wait runs once when its runlevel is entered; init waits for it.
	Wait
	// Once runs once when its runlevel is entered.
	Once
	// Respawn is started again whenever it ends, while in its runlevel.
	Respawn
	// AskFirst is Respawn that starts only after Enter was pressed (busybox).
	AskFirst
	// OnDemand runs when its level (a, b or c) is asked for; the runlevel stays.
	OnDemand
	// CtrlAltDel runs when init gets SIGINT: the three keys were pressed.
	CtrlAltDel
	// KbRequest runs when init gets SIGWINCH.
	KbRequest
	// PowerFail runs when init gets SIGPWR; PowerWait likewise, waited for.
	PowerFail
	PowerWait
	// Shutdown runs, waited for, before the machine stops (busybox).
	Shutdown
	// Restart is what init executes in its own place on SIGQUIT (busybox).
	Restart
	// Off does nothing.
	Off
)

var names = [...]string{
	InitDefault: "initdefault", SysInit: "sysinit", Boot: "boot", BootWait: "bootwait",
	Wait: "wait", Once: "once", Respawn: "respawn", AskFirst: "askfirst",
	OnDemand: "ondemand", CtrlAltDel: "ctrlaltdel", KbRequest: "kbrequest",
	PowerFail: "powerfail", PowerWait: "powerwait", Shutdown: "shutdown",
	Restart: "restart", Off: "off",
}

// String is the action as it stands in the file.
func (a Action) String() string {
	if int(a) < len(names) {
		return names[a]
	}
	return fmt.Sprintf("Action(%d)", a)
}

// Waits tells whether init waits for the end of the process before it goes on.
func (a Action) Waits() bool {
	switch a {
	case SysInit, BootWait, Wait, PowerWait, Shutdown:
		return true
	}
	return false
}

// Levels is a set of runlevels.
type Levels uint16

// allLevels are the characters a runlevel field may hold; the place of a
// character is its bit in Levels.
const allLevels = "0123456789Sabc"

// Level is the set of the one level c, or 0 when c names none. A lower-case s
// means S; the on-demand levels may be written in upper case.
func Level(c byte) Levels {
	switch {
	case c == 's':
		c = 'S'
	case c >= 'A' && c <= 'C':
		c += 'a' - 'A'
	}
	if i := strings.IndexByte(allLevels, c); i >= 0 {
		return 1 << i
	}
	return 0
}

// Has tells whether the level c is in l.
func (l Levels) Has(c byte) bool { return l&Level(c) != 0 }

// String lists the levels.
func (l Levels) String() string {
	var b strings.Builder
	for i := range len(allLevels) {
		if l&(1<<i) != 0 {
			b.WriteByte(allLevels[i])
		}
	}
	return b.String()
}

// numbered are the levels an empty field stands for.
const numbered Levels = 1<<10 - 1

// An Entry is one line.
type Entry struct {
	ID      string
	Levels  Levels
	Action  Action
	Process string // without the leading + and -
	Login   bool   // the process field began with -
	Line    int    // in the file, from 1
}

// Key tells whether two entries, of an old and a new table, are the same
// process: a change of any field makes another.
func (e Entry) Key() Entry { e.Line = 0; return e }

// A Table is the content of an inittab.
type Table struct {
	Entries []Entry // all but initdefault, in the file's order
	Default byte    // the level of the initdefault line; 0: there is none
}

// maxLine bounds a line: longer than any command that can be meant.
const maxLine = 8192

// Parse reads a table. What is wrong with it is returned as one error for each
// line, each of the form "file:line: what"; the rest of the table is good.
// A read error ends the table early and is the last of the errors.
func Parse(r io.Reader, file string) (t Table, problems []error) {
	seen := map[string]int{} // id → line
	br := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, tooLong, err := readLine(br)
		bad := func(format string, a ...any) {
			problems = append(problems, fmt.Errorf("%s:%d: %s", file, n, fmt.Sprintf(format, a...)))
		}
		if tooLong {
			bad("line longer than %d bytes", maxLine)
		} else if e, ok, perr := parseLine(line, n); perr != nil {
			bad("%v", perr)
		} else if ok {
			first, dup := seen[e.ID]
			switch {
			case dup && e.ID != "" && e.Action != InitDefault:
				bad("id %q stands in line %d already", e.ID, first)
			case e.Action != InitDefault:
				seen[e.ID] = n
				t.Entries = append(t.Entries, e)
			case t.Default != 0:
				bad("a second initdefault")
			default:
				t.Default = e.Levels.String()[0]
			}
		}
		if err == io.EOF {
			return t, problems
		} else if err != nil {
			bad("%v", err)
			return t, problems
		}
	}
}

// readLine reads up to the next newline, which it drops. Of a line that is too
// long it keeps nothing.
func readLine(br *bufio.Reader) (line string, tooLong bool, err error) {
	var b []byte
	for {
		part, err := br.ReadSlice('\n')
		if len(b)+len(part) > maxLine {
			b, tooLong = nil, true
		}
		if !tooLong {
			b = append(b, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return strings.TrimRight(string(b), "\r\n"), tooLong, err
	}
}

// parseLine parses one line; ok is false for an empty line or a comment.
func parseLine(line string, n int) (e Entry, ok bool, err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return e, false, nil
	}
	if strings.IndexByte(line, 0) >= 0 {
		return e, false, errors.New("a NUL byte in the line")
	}
	f := strings.SplitN(line, ":", 4)
	if len(f) < 4 {
		return e, false, fmt.Errorf("%d fields where id:runlevels:action:process are wanted", len(f))
	}
	e = Entry{ID: strings.TrimSpace(f[0]), Process: strings.TrimSpace(f[3]), Line: n}
	if strings.ContainsAny(e.ID, " \t/") {
		return e, false, fmt.Errorf("id %q holds a blank or a slash", e.ID)
	}
	for _, c := range []byte(strings.TrimSpace(f[1])) {
		l := Level(c)
		if l == 0 {
			return e, false, fmt.Errorf("no runlevel is called %q", c)
		}
		e.Levels |= l
	}
	if e.Action, err = action(strings.TrimSpace(f[2])); err != nil {
		return e, false, err
	}
	return e, true, e.check()
}

// check makes sure that the fields fit together, and completes them.
func (e *Entry) check() error {
	if e.Action == InitDefault {
		if n := len(e.Levels.String()); n != 1 || e.Levels&(numbered|Level('S')) == 0 {
			return errors.New("initdefault wants exactly one runlevel of 0-9 and S")
		}
		return nil
	}
	switch {
	case e.Levels == 0 && e.Action == OnDemand:
		return errors.New("ondemand wants a level of a, b, c")
	case e.Levels == 0:
		e.Levels = numbered
	}
	e.Process = strings.TrimSpace(strings.TrimPrefix(e.Process, "+"))
	if p, ok := strings.CutPrefix(e.Process, "-"); ok {
		e.Process, e.Login = strings.TrimSpace(p), true
	}
	if e.Process == "" && e.Action != Off {
		return fmt.Errorf("%s without a process", e.Action)
	}
	return nil
}

// action looks a name up. System V's names for what has no meaning here
// (there is one kind of power failure) are taken for their nearest.
func action(name string) (Action, error) {
	for i, n := range names {
		if n == name {
			return Action(i), nil
		}
	}
	switch name {
	case "powerfailnow":
		return PowerFail, nil
	case "powerokwait":
		return Off, nil
	}
	return 0, fmt.Errorf("no action is called %q", name)
}

// ReadFile parses the file of that name; err tells why it could not be opened.
func ReadFile(name string) (t Table, problems []error, err error) {
	f, err := os.Open(name)
	if err != nil {
		return t, nil, err
	}
	defer f.Close()
	t, problems = Parse(f, name)
	return t, problems, nil
}
