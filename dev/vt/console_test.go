package vt

import (
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"tamarix/arch/screen"
	"tamarix/dev/kbd"
	"tamarix/mm"
)

func TestLogIsDrawn(t *testing.T) {
	m := newPC(t)
	m.c.Log(0, []byte("[ 0.000000] one\r\n[ 0.000001] two\r\n"))
	m.wants("[ 0.000000] one|[ 0.000001] two")
	if m.display.Row != 2 || !m.display.Shown {
		t.Errorf("cursor in row %d, shown %v", m.display.Row, m.display.Shown)
	}
}

// TestLogIsDrawnAtOnceWhileTheMachineStarts: what Log was given is seen when it
// returns, without any other goroutine.
func TestLogIsDrawnAtOnceWhileTheMachineStarts(t *testing.T) {
	m := newPC(t)
	for i := range 20 {
		line := string(rune('a'+i)) + " step"
		m.c.Log(0, []byte(line+"\r\n"))
		m.c.drawer.mu.Lock()
		if got := m.display.Line(min(i, 3)); got != line {
			t.Errorf("after %q the screen shows %q", line, got)
		}
		m.c.drawer.mu.Unlock()
	}
	m.c.Started()
	m.c.Log(0, []byte("later\r\n"))
	m.wants("r step|s step|t step|later")
}

func TestLogGoesToItsTerminal(t *testing.T) {
	m := newPC(t)
	m.c.Log(3, []byte("three\r\n"))
	m.wants("")
	m.c.Switch(3)
	m.c.Log(0, []byte("in front\r\n"))
	m.wants("three|in front")
	m.c.Switch(1)
	m.wants("")
}

// watched is a display that tells of each drawing.
type watched struct {
	*screen.Memory
	mu    sync.Mutex
	drawn chan struct{}
}

func (w *watched) Draw(col, row int, cells []screen.Cell) {
	w.mu.Lock()
	w.Memory.Draw(col, row, cells)
	w.mu.Unlock()
	w.drawn <- struct{}{}
}

// TestOutputReachesTheScreenByItself: without anybody calling Flush.
func TestOutputReachesTheScreenByItself(t *testing.T) {
	w := &watched{Memory: screen.NewMemory(20, 5), drawn: make(chan struct{}, 100)}
	c := New(w)
	c.Started()
	c.Log(0, []byte("hello\r\n"))
	c.vts[0].Write([]byte("world"))
	for got := ""; got != "hello|world"; {
		<-w.drawn
		w.mu.Lock()
		got = w.Line(0) + "|" + w.Line(1)
		w.mu.Unlock()
	}
}

func TestOnlyWhatChangesIsDrawn(t *testing.T) {
	m := newPC(t)
	m.write(1, "one\r\ntwo\r\nthree")
	m.lines()
	before := m.display.Drawn
	m.write(1, "\x1b[2;2Hx\x1b[3;1Hthree")
	m.wants("one|txo|three")
	if n := m.display.Drawn - before; n != 1 {
		t.Errorf("%d cells were drawn for one that changed", n)
	}
	before = m.display.Drawn
	m.write(1, "\x1b[5;5H\x1b[1;1H")
	m.lines()
	if n := m.display.Drawn - before; n != 0 {
		t.Errorf("%d cells were drawn for none that changed", n)
	}
}

// TestLongWrites: what one write has is one text, however it is cut for the emulator.
func TestLongWrites(t *testing.T) {
	m := newPC(t)
	for n := range 2*slice + 2 {
		m.write(1, "\x1b[2J"+strings.Repeat("\x1b[H", n/3)+strings.Repeat("\r", n%3)+"ä€\x1b[12;4H日\x1b[2;3H\x1b[31mx")
		m.wants("ä€|  x|||   日")
		m.write(1, "\x1bc")
	}
}

func TestTyping(t *testing.T) {
	m := newPC(t)
	ops, f := m.open(1)
	m.c.vts[0].input([]byte("ls\r"))
	buf := make([]byte, 10)
	it := mm.BytesIter(buf)
	n, err := ops.Read(m.ctx, f, &it, nil)
	if err != nil || string(buf[:n]) != "ls\n" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	m.sent(1)
	m.wants("ls")
}

func TestAnswersAreTyped(t *testing.T) {
	m := newPC(t)
	ops, f := m.open(1)
	m.c.vts[0].Write([]byte("\x1b[6n\n"))
	m.c.vts[0].input([]byte("\r"))
	buf := make([]byte, 20)
	it := mm.BytesIter(buf)
	n, err := ops.Read(m.ctx, f, &it, nil)
	if err != nil || string(buf[:n]) != "\x1b[1;1R\n" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}

func TestTypingLeavesTheHistory(t *testing.T) {
	m := newPC(t)
	m.open(1)
	m.write(1, "\x1b%G1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7")
	m.c.Scroll(-1)
	m.wants("1|2|3|4|5")
	m.c.Scroll(1)
	m.wants("3|4|5|6|7")
	m.c.Scroll(-1)
	m.c.vts[0].input([]byte("x"))
	m.sent(1)
	m.wants("3|4|5|6|7x")
}

func TestSwitching(t *testing.T) {
	m := newPC(t)
	m.write(1, "first")
	m.write(2, "second")
	m.write(4, "fourth")
	m.wants("first")
	m.c.Switch(2)
	m.wants("second")
	m.c.Cycle(1) // nobody has used the third
	m.wants("fourth")
	m.c.Cycle(1)
	m.wants("first")
	m.c.Cycle(-1)
	m.wants("fourth")
	m.c.Last()
	m.wants("first")
	m.c.Switch(0)
	m.c.Switch(5)
	m.c.Switch(-1)
	m.wants("first")
	m.write(1, "\x1b[12;2]")
	m.wants("second")
	m.write(2, "\x1b[15]")
	m.wants("first")
	if got := m.c.Foreground().Name(); got != "tty1" {
		t.Errorf("%s is in the foreground", got)
	}
}

func TestGraphicsIsLeftAlone(t *testing.T) {
	m := newPC(t)
	m.write(1, "text")
	m.wants("text")
	if err := m.value(1, kdSetMode, kdGraphics); err != nil {
		t.Fatal(err)
	}
	m.write(1, " more")
	m.write(2, "second")
	m.wants("text")
	m.c.Switch(2) // not while a program draws and nobody answers for it
	m.wants("text")
	m.display.Cells[0][0].Char = '#' // the program draws
	if err := m.value(1, kdSetMode, kdText); err != nil {
		t.Fatal(err)
	}
	m.wants("text more")
}

// TestGraphicsLeavesNothingBehind: also where nothing was to be drawn between the
// program's coming and its going.
func TestGraphicsLeavesNothingBehind(t *testing.T) {
	for name, leave := range map[string]func(m *pc){
		"back to text": func(m *pc) { m.value(1, kdSetMode, kdText) },
		"its owner let it go": func(m *pc) {
			m.c.Switch(2)
			m.value(1, vtRelDisp, 1)
		},
		"its owner is gone": func(m *pc) {
			m.process.mu.Lock()
			m.process.gone = true
			m.process.mu.Unlock()
			m.c.Switch(2)
		},
	} {
		m := newPC(t)
		m.c.Started()
		m.write(1, "text")
		m.write(2, "text")
		m.wants("text")
		m.c.drawer.mu.Lock() // so nothing is drawn
		m.ioctl(1, vtSetMode, []byte{modeOwner, 0, byte(unix.SIGUSR1), 0, byte(unix.SIGUSR2), 0, 0, 0})
		m.value(1, kdSetMode, kdGraphics)
		m.display.Cells[4][0].Char = '#'
		leave(m)
		m.c.drawer.mu.Unlock()
		if got := m.lines(); got != "text" {
			t.Errorf("%s: the screen shows %q", name, got)
		}
	}
}

func TestWindow(t *testing.T) {
	m := newPC(t)
	v := m.c.vts[0]
	if v.Resize(5, 20) != nil || v.Resize(6, 20) != unix.EINVAL {
		t.Error("a screen has one size")
	}
}

// modesSystem is a machine for keyboards.
type modesSystem struct{ kbd.System }

func TestKeyboardLearnsModes(t *testing.T) {
	m := newPC(t)
	keys := kbd.New(modesSystem{})
	v := m.c.vts[0]
	v.keys = keys.NewTerminal(v.input)
	for _, c := range []struct {
		in   string
		mode kbd.Mode
		want bool
	}{
		{"\x1b[?1h", kbd.ApplicationCursor, true},
		{"\x1b=", kbd.ApplicationKeypad, true},
		{"\x1b[20h", kbd.NewLine, true},
		{"\x1b[?8l", kbd.AutoRepeat, false},
		{"\x1bc", kbd.ApplicationCursor, false},
		{"", kbd.AutoRepeat, true},
		{"\x1b[?1h\x1bc\x1b[?1h", kbd.ApplicationCursor, true},
	} {
		m.write(1, c.in)
		if v.keys.Mode(c.mode) != c.want {
			t.Errorf("after %q mode %d is %v", c.in, c.mode, !c.want)
		}
	}
}

// lights is a keyboard.
type lights struct{ lit kbd.LEDs }

func (*lights) Name() string          { return "test" }
func (l *lights) SetLEDs(to kbd.LEDs) { l.lit = to }

func (modesSystem) SysRqEnabled() bool { return false }

// TestScrollLock: the key stops output, as ^S does, and its light shows both.
func TestScrollLock(t *testing.T) {
	m := newPC(t)
	keys, l := kbd.New(modesSystem{}), new(lights)
	for _, v := range m.c.vts {
		v.keys = keys.NewTerminal(v.input)
	}
	keys.SetForeground(m.c.vts[0].keys)
	keys.SetSink(m.c)
	keys.Attach(l)
	ops, f := m.open(1)
	press := func() {
		keys.Key(l, kbd.KeyScrollLock, true)
		keys.Key(l, kbd.KeyScrollLock, false)
	}
	write := func(s string) {
		t.Helper()
		it := mm.BytesIter([]byte(s))
		if _, err := ops.Write(m.ctx, f, &it, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name    string
		do      func()
		stopped bool
	}{
		{"Scroll Lock", press, true},
		{"Scroll Lock again", press, false},
		{"^S", func() { m.c.vts[0].input([]byte{'S' - '@'}) }, true},
		{"^Q", func() { m.c.vts[0].input([]byte{'Q' - '@'}) }, false},
		{"^S, once more", func() { m.c.vts[0].input([]byte{'S' - '@'}) }, true},
		{"Scroll Lock after ^S", press, false},
		{"Scroll Lock before ^Q", press, true},
		{"^Q after Scroll Lock", func() { m.c.vts[0].input([]byte{'Q' - '@'}) }, false},
	} {
		c.do()
		if lit := l.lit&kbd.ScrollLock != 0; lit != c.stopped {
			t.Errorf("%s: the light is on: %v", c.name, lit)
		}
		before := m.lines()
		write("x")
		if c.stopped {
			m.wants(before)
			continue
		}
		m.sent(1)
		if got := m.lines(); len(got) <= len(before) {
			t.Errorf("%s: nothing is written: %q", c.name, got)
		}
	}
	press()
	ops.Release(f)
	if l.lit != 0 {
		t.Error("the light is on when nobody has the terminal open any more")
	}
	press()
	if l.lit != 0 {
		t.Error("output is stopped that nobody can write")
	}
}
