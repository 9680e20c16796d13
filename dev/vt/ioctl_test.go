package vt

import (
	"bytes"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

func TestQueries(t *testing.T) {
	m := newPC(t)
	f1, h1 := m.open(1)
	m.open(3)
	m.c.Switch(3)
	for _, c := range []struct {
		name string
		cmd  uint32
		want []byte
	}{
		{"VT_OPENQRY", vtOpenQry, []byte{2, 0, 0, 0}},
		{"VT_GETSTATE", vtGetState, []byte{3, 0, 0, 0, 1 | 1<<1 | 1<<3, 0}},
		{"VT_GETMODE", vtGetMode, make([]byte, 8)},
		{"KDGKBTYPE", kdGKBType, []byte{2}},
		{"KDGETMODE", kdGetMode, make([]byte, 4)},
		{"GIO_CMAP", gioCmap, []byte{0, 0, 0, 0xaa, 0, 0, 0, 0xaa, 0, 0xaa, 0x55, 0}},
	} {
		if _, err := m.ioctl(1, c.cmd, bytes.Repeat([]byte{0xee}, 48)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := m.got(len(c.want)); !bytes.Equal(got, c.want) {
			t.Errorf("%s: % x, want % x", c.name, got, c.want)
		}
		if _, err := m.c.vts[0].Ioctl(m.ctx, c.cmd, 0x10); err != unix.EFAULT {
			t.Errorf("%s with a bad address: %v", c.name, err)
		}
	}
	m.open(2)
	m.open(4)
	if m.ioctl(1, vtOpenQry, nil); !bytes.Equal(m.got(4), []byte{0xff, 0xff, 0xff, 0xff}) {
		t.Errorf("VT_OPENQRY when all are in use: % x", m.got(4))
	}
	f1.Release(h1)
	if m.ioctl(1, vtOpenQry, nil); !bytes.Equal(m.got(4), []byte{1, 0, 0, 0}) {
		t.Errorf("VT_OPENQRY when one was closed: % x", m.got(4))
	}
}

func TestErrors(t *testing.T) {
	m := newPC(t)
	root := m.ctx.Cred
	user := fs.UserCred(1000, 1000)
	for _, c := range []struct {
		name string
		cmd  uint32
		arg  uint64
		root unix.Errno
		user unix.Errno // without the terminal
		own  unix.Errno // with it
	}{
		{"VT_ACTIVATE 0", vtActivate, 0, unix.ENXIO, unix.EPERM, unix.ENXIO},
		{"VT_ACTIVATE 5", vtActivate, Count + 1, unix.ENXIO, unix.EPERM, unix.ENXIO},
		{"VT_ACTIVATE 1", vtActivate, 1, 0, unix.EPERM, 0},
		{"VT_WAITACTIVE 1", vtWaitActive, 1, 0, unix.EPERM, 0},
		{"VT_WAITACTIVE 9", vtWaitActive, 9, unix.ENXIO, unix.EPERM, unix.ENXIO},
		{"VT_SETMODE", vtSetMode, 0x10, unix.EFAULT, unix.EPERM, unix.EFAULT},
		{"VT_RELDISP", vtRelDisp, 1, unix.EINVAL, unix.EPERM, unix.EINVAL},
		{"VT_DISALLOCATE 9", vtDisallocate, 9, unix.ENXIO, unix.ENXIO, unix.ENXIO},
		{"VT_DISALLOCATE 1", vtDisallocate, 1, unix.EBUSY, unix.EBUSY, unix.EBUSY},
		{"VT_DISALLOCATE 0", vtDisallocate, 0, 0, 0, 0},
		{"VT_LOCKSWITCH", vtLockSwitch, 0, 0, unix.EPERM, unix.EPERM},
		{"VT_UNLOCKSWITCH", vtUnlock, 0, 0, unix.EPERM, unix.EPERM},
		{"KDSETMODE 4", kdSetMode, 4, unix.EINVAL, unix.EPERM, unix.EINVAL},
		{"KDSETMODE KD_TEXT0", kdSetMode, kdText0, 0, unix.EPERM, 0},
		{"KDADDIO 80", kdAddIO, 0x80, unix.EINVAL, unix.EINVAL, unix.EINVAL},
		{"KDADDIO 3c0", kdAddIO, 0x3c0, unix.ENXIO, unix.ENXIO, unix.ENXIO},
		{"KDENABIO", kdEnabIO, 0, unix.ENXIO, unix.ENXIO, unix.ENXIO},
		{"KDMAPDISP", kdMapDisp, 0, unix.EINVAL, unix.EINVAL, unix.EINVAL},
		{"KDFONTOP", kdFontOp, 0x10, unix.ENOSYS, unix.ENOSYS, unix.ENOSYS},
		{"PIO_CMAP", pioCmap, 0x10, unix.EFAULT, unix.EPERM, unix.EFAULT},
		{"VT_RESIZE", vtResize, 0x10, unix.EFAULT, unix.EPERM, unix.EFAULT},
		{"TIOCLINUX", unix.TIOCLINUX, 0x10, unix.EFAULT, unix.EPERM, unix.EFAULT},
		{"VT_SENDSIG", vtSendSig, 0, unix.ENOTTY, unix.ENOTTY, unix.ENOTTY},
		{"what there is not", 0x56ff, 0, unix.ENOTTY, unix.ENOTTY, unix.ENOTTY},
	} {
		check := func(who string, err error, want unix.Errno) {
			t.Helper()
			if want == 0 && err != nil || want != 0 && err != want {
				t.Errorf("%s as %s: %v, want %v", c.name, who, err, want)
			}
		}
		m.jobs.on, m.ctx.Cred = nil, root
		check("root", m.value(1, c.cmd, c.arg), c.root)
		m.ctx.Cred = user
		check("user", m.value(1, c.cmd, c.arg), c.user)
		m.jobs.on = m.tty[0]
		check("user on the terminal", m.value(1, c.cmd, c.arg), c.own)
	}
}

func TestResizeRequests(t *testing.T) {
	m := newPC(t)
	for _, c := range []struct {
		cmd  uint32
		in   []byte
		want error
	}{
		{vtResize, []byte{5, 0, 20, 0, 0, 0}, nil},
		{vtResize, []byte{0, 0, 0, 0, 0, 0}, nil},
		{vtResize, []byte{50, 0, 20, 0, 0, 0}, unix.EINVAL},
		{vtResizeX, []byte{5, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil},
		{vtResizeX, []byte{5, 0, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0}, unix.EINVAL},
	} {
		if _, err := m.ioctl(1, c.cmd, c.in); err != c.want {
			t.Errorf("%#x % x: %v, want %v", c.cmd, c.in, err, c.want)
		}
	}
}

// TestOwnerOfATerminal: what a display server does (VT_PROCESS).
func TestOwnerOfATerminal(t *testing.T) {
	m := newPC(t)
	m.write(1, "first")
	m.write(2, "second")
	mode := []byte{modeOwner, 0, byte(unix.SIGUSR1), 0, byte(unix.SIGUSR2), 0, 7, 7}
	if _, err := m.ioctl(1, vtSetMode, mode); err != nil {
		t.Fatal(err)
	}
	if m.ioctl(1, vtGetMode, nil); !bytes.Equal(m.got(8), append(mode[:6:6], 0, 0)) {
		t.Errorf("VT_GETMODE: % x", m.got(8))
	}
	sent := func(want ...unix.Signal) {
		t.Helper()
		if got := m.process.take(); !slices.Equal(got, want) {
			t.Errorf("sent %v, want %v", got, want)
		}
	}

	m.c.Switch(2)
	sent(unix.SIGUSR1)
	m.wants("first")
	if err := m.value(1, vtRelDisp, 0); err != nil { // no
		t.Fatal(err)
	}
	m.wants("first")
	if err := m.value(1, vtRelDisp, 1); err != unix.EINVAL {
		t.Errorf("VT_RELDISP that nobody asked for: %v", err)
	}
	m.c.Switch(2)
	sent(unix.SIGUSR1)
	if err := m.value(1, vtRelDisp, 1); err != nil {
		t.Fatal(err)
	}
	m.wants("second")
	sent()
	m.c.Switch(1)
	sent(unix.SIGUSR2)
	if err := m.value(1, vtRelDisp, ackAcquired); err != nil {
		t.Errorf("VT_ACKACQ: %v", err)
	}
	m.wants("first")

	// When it is gone the terminal is anybody's.
	m.value(1, kdSetMode, kdGraphics)
	m.process.gone = true
	m.c.Switch(2)
	m.wants("second")
	m.c.Switch(1)
	m.wants("first")
	if m.ioctl(1, kdGetMode, nil); m.got(1)[0] != kdText {
		t.Error("still in graphics mode")
	}

	for _, bad := range [][]byte{{2, 0, 0, 0, 0, 0, 0, 0}, {1, 0, 65, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0xff, 0xff, 0, 0}} {
		if _, err := m.ioctl(1, vtSetMode, bad); err != unix.EINVAL {
			t.Errorf("VT_SETMODE % x: %v", bad, err)
		}
	}
}

// TestHangUpEndsGraphics: a program that has set graphics mode and died without a
// word, with nobody named to be asked, does not keep the screen for ever.
func TestHangUpEndsGraphics(t *testing.T) {
	m := newPC(t)
	m.write(1, "first")
	m.write(2, "second")
	m.wants("first")
	m.value(1, kdSetMode, kdGraphics)
	m.c.Switch(2)
	m.tty[0].HangUp()
	m.write(1, " again")
	m.wants("first again")
	m.c.Switch(2)
	m.wants("second")

	m.ioctl(2, vtSetMode, []byte{modeOwner, 0, byte(unix.SIGUSR1), 0, 0, 0, 0, 0})
	m.c.Switch(1)
	m.tty[1].HangUp()
	m.wants("second")
	m.c.Switch(1)
	m.wants("first again")
}

func TestWaitActive(t *testing.T) {
	m := newPC(t)
	done := make(chan error)
	go func() {
		m.ctx.Thread.Bind()
		done <- m.value(1, vtWaitActive, 2)
	}()
	m.c.Switch(3)
	select {
	case err := <-done:
		t.Fatalf("came back too early: %v", err)
	default:
	}
	m.c.Switch(2)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLockSwitch(t *testing.T) {
	m := newPC(t)
	m.write(2, "second")
	m.value(1, vtLockSwitch, 0)
	m.c.Switch(2)
	m.wants("")
	m.value(1, vtUnlock, 0)
	m.c.Switch(2)
	m.wants("second")
}

func TestDisallocate(t *testing.T) {
	m := newPC(t)
	m.write(2, "second")
	m.write(3, "third")
	ops, f := m.open(3)
	if err := m.value(1, vtDisallocate, 3); err != unix.EBUSY {
		t.Errorf("an open terminal: %v", err)
	}
	if err := m.value(1, vtDisallocate, 2); err != nil {
		t.Error(err)
	}
	m.c.Switch(2)
	m.wants("")
	m.c.Switch(3)
	m.wants("third")
	m.value(2, kdSetMode, kdGraphics)
	m.ioctl(2, vtSetMode, []byte{modeOwner, 0, 0, 0, 0, 0, 0, 0})
	m.value(1, vtDisallocate, 2)
	m.ioctl(2, kdGetMode, nil)
	if m.got(1)[0] != kdText {
		t.Error("a new terminal is in graphics mode")
	}
	m.ioctl(2, vtGetMode, nil)
	if m.got(1)[0] != modeAuto {
		t.Error("a new terminal has an owner")
	}
	m.c.Switch(1)
	ops.Release(f)
	m.value(1, vtDisallocate, 0)
	m.c.Switch(3)
	m.wants("")
}

func TestPalette(t *testing.T) {
	m := newPC(t)
	colors := make([]byte, 48)
	for i := range colors {
		colors[i] = byte(i)
	}
	m.write(1, "\x1b[31mx")
	if _, err := m.ioctl(1, pioCmap, colors); err != nil {
		t.Fatal(err)
	}
	m.lines()
	if got := m.display.Cells[0][0].Fg; got != 0x030405 {
		t.Errorf("red is %06x", got)
	}
	for _, reset := range []string{"\x1bc", "\x1b]R"} {
		m.write(1, "\x1b]P1ffffff"+reset+"\x1b[H\x1b[31mx")
		m.lines()
		if got := m.display.Cells[0][0].Fg; got != 0x030405 {
			t.Errorf("red is %06x after %q", got, reset)
		}
	}
	if m.ioctl(2, gioCmap, make([]byte, 48)); !bytes.Equal(m.got(48), colors) {
		t.Error("GIO_CMAP gives something else")
	}
	m.c.Switch(2)
	m.write(2, "\x1b[31mx")
	m.lines()
	if got := m.display.Cells[0][0].Fg; got != 0x030405 {
		t.Errorf("red is %06x on a terminal that was made later", got)
	}
}

func TestTioclinux(t *testing.T) {
	m := newPC(t)
	m.c.Switch(3)
	if n, err := m.ioctl(1, unix.TIOCLINUX, []byte{tioclFront}); n != 2 || err != nil {
		t.Errorf("the foreground: %d, %v", n, err)
	}
	if _, err := m.ioctl(1, unix.TIOCLINUX, []byte{tioclRedirect, 2}); err != nil {
		t.Error(err)
	}
	if n, err := m.ioctl(1, unix.TIOCLINUX, []byte{tioclGetRedirect}); n != 2 || err != nil {
		t.Errorf("the log goes to %d, %v", n, err)
	}
	m.c.Log(0, []byte("log"))
	m.wants("")
	m.c.Switch(2)
	m.wants("log")
	m.write(2, "\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\x1b[?1000h")
	if _, err := m.ioctl(1, unix.TIOCLINUX, []byte{tioclScroll, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff}); err != nil {
		t.Error(err)
	}
	m.wants("log|1|2|3|4")
	if m.ioctl(2, unix.TIOCLINUX, []byte{tioclMouse}); m.got(1)[0] != 2 {
		t.Error("mouse reporting is not seen")
	}
	if m.ioctl(2, unix.TIOCLINUX, []byte{tioclShiftState}); m.got(1)[0] != 0 {
		t.Error("a modifier is held on no keyboard")
	}
	for _, sub := range []byte{2, 3, 99} {
		if _, err := m.ioctl(1, unix.TIOCLINUX, []byte{sub}); err != unix.EINVAL {
			t.Errorf("subcode %d: %v", sub, err)
		}
	}
	if _, err := m.ioctl(1, unix.TIOCLINUX, []byte{tioclRedirect, 9}); err != unix.EINVAL {
		t.Errorf("the log on a terminal that does not exist: %v", err)
	}
}
