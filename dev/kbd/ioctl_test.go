package kbd

import (
	"bytes"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

func TestMain(m *testing.M) {
	arch.InitHost(64 << 20)
	os.Exit(m.Run())
}

// caller is a process with a page of memory.
type caller struct {
	*desk
	ctx  *fs.Context
	addr uint64
}

func newCaller(t *testing.T) *caller {
	as, err := mm.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(as.Unref)
	l := as.Layout()
	l.MmapBase = 0x7fff00000000
	as.SetLayout(l)
	c := &caller{desk: newDesk(t)}
	c.addr, err = as.Mmap(mm.MmapRequest{Len: 4096, Prot: unix.PROT_READ | unix.PROT_WRITE, Flags: unix.MAP_PRIVATE | unix.MAP_ANONYMOUS})
	if err != nil {
		t.Fatal(err)
	}
	c.ctx = &fs.Context{Cred: fs.RootCred(), Thread: new(wait.Thread), AS: as, PID: 42}
	c.ctx.Thread.Bind()
	return c
}

// ask makes a request with in in memory and returns n bytes of what is there after it.
func (c *caller) ask(cmd uint32, in []byte, n int) ([]byte, error) {
	c.t.Helper()
	if err := c.ctx.AS.CopyOut(c.addr, in); err != nil {
		c.t.Fatal(err)
	}
	_, err := c.tty.Ioctl(c.ctx, true, cmd, c.addr)
	out := make([]byte, n)
	if e := c.ctx.AS.CopyIn(out, c.addr); e != nil {
		c.t.Fatal(e)
	}
	return out, err
}

// value makes a request whose argument is a number.
func (c *caller) value(cmd uint32, v uint64) error {
	_, err := c.tty.Ioctl(c.ctx, true, cmd, v)
	return err
}

// wants makes a request and compares what it leaves in memory.
func (c *caller) wants(what string, cmd uint32, in, want []byte) {
	c.t.Helper()
	got, err := c.ask(cmd, in, len(want))
	if err != nil || !bytes.Equal(got, want) {
		c.t.Errorf("%s: % x, %v, want % x", what, got, err, want)
	}
}

func (c *caller) fails(what string, err, want error) {
	c.t.Helper()
	if err != want {
		c.t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestModeRequests(t *testing.T) {
	c := newCaller(t)
	c.wants("KDGKBTYPE", kdgkbtype, nil, []byte{2})
	c.wants("KDGKBMODE", kdgkbmode, nil, []byte{byte(modeUnicode), 0, 0, 0})
	c.fails("KDSKBMODE K_MEDIUMRAW", c.value(kdskbmode, 2), nil)
	c.press(KeyA)
	c.want("\x1e\x9e")
	c.fails("KDSKBMODE 5", c.value(kdskbmode, 5), unix.EINVAL)
	c.fails("KDSKBMODE K_UNICODE", c.value(kdskbmode, 3), nil)
	c.wants("KDGKBMETA", kdgkbmeta, nil, []byte{metaEscape, 0, 0, 0})
	c.fails("KDSKBMETA", c.value(kdskbmeta, metaBit), nil)
	c.wants("KDGKBMETA", kdgkbmeta, nil, []byte{metaBit, 0, 0, 0})
	c.fails("KDSKBMETA 5", c.value(kdskbmeta, 5), unix.EINVAL)
	c.fails("an unknown request", c.value(0x4bff, 0), unix.ENOTTY)
}

func TestLEDRequests(t *testing.T) {
	c := newCaller(t)
	c.fails("KDSKBLED", c.value(kdskbled, uint64(CapsLock|NumLock<<4)), nil)
	c.wants("KDGKBLED", kdgkbled, nil, []byte{byte(CapsLock | NumLock<<4)})
	c.wants("KDGETLED", kdgetled, nil, []byte{byte(CapsLock)})
	c.press(KeyA)
	c.want("A")
	c.tty.Reset()
	c.wants("KDGKBLED", kdgkbled, nil, []byte{byte(NumLock | NumLock<<4)})
	c.fails("KDSKBLED 8", c.value(kdskbled, 8), unix.EINVAL)
	c.fails("KDSETLED", c.value(kdsetled, uint64(ScrollLock)), nil)
	if c.kb.leds != ScrollLock {
		t.Errorf("lights %03b, want Scroll Lock's alone", c.kb.leds)
	}
	c.press(KeyNumLock) // off, and the lights stay what the program wants
	if c.kb.leds != ScrollLock {
		t.Errorf("lights %03b, want Scroll Lock's alone", c.kb.leds)
	}
	c.fails("KDSETLED 8", c.value(kdsetled, 8), nil)
	if c.kb.leds != 0 {
		t.Errorf("lights %03b, want the locks' again, none", c.kb.leds)
	}
}

func TestKeyMapRequests(t *testing.T) {
	c := newCaller(t)
	c.wants("KDGKBENT", kdgkbent, []byte{0, 30, 0, 0}, []byte{0, 30, 'a', kindLetter})
	c.wants("KDGKBENT of no column", kdgkbent, []byte{99, 0, 0, 0}, []byte{99, 0, specNoSuchMap, kindSpec})
	c.wants("KDSKBENT", kdskbent, []byte{0, 30, 0xac, 0xd0}, []byte{0, 30, 0xac, 0xd0})
	c.press(KeyA)
	c.want("€")
	_, err := c.ask(kdskbent, []byte{0, 30, 0x20, kindPad}, 0)
	c.fails("KDSKBENT of no symbol", err, unix.EINVAL)

	s := make([]byte, 1+maxString)
	copy(s, "\x00hello")
	c.wants("KDSKBSENT", kdskbsent, s, []byte("\x00hello\x00"))
	c.wants("KDGKBSENT", kdgkbsent, []byte{0}, []byte("\x00hello\x00"))
	c.press(KeyF1)
	c.want("hello")
	for i := range s {
		s[i] = 'x'
	}
	_, err = c.ask(kdskbsent, s, 0)
	c.fails("KDSKBSENT without an end", err, unix.EINVAL)

	c.ctx.Cred = &fs.Cred{UID: 1, EUID: 1, SUID: 1, FSUID: 1}
	_, err = c.ask(kdskbent, []byte{0, 30, 'a', 0}, 0)
	c.fails("KDSKBENT without the capability", err, unix.EPERM)
	_, err = c.ask(kdskbsent, []byte("\x00x\x00"), 0)
	c.fails("KDSKBSENT without the capability", err, unix.EPERM)
	c.wants("KDGKBENT without the capability", kdgkbent, []byte{0, 48, 0, 0}, []byte{0, 48, 'b', kindLetter})
}

func TestRepeatRequest(t *testing.T) {
	c := newCaller(t)
	kb := &typematic{}
	c.k.Attach(kb)
	c.wants("KDKBDREP that only asks", kdkbdrep, make([]byte, 8), []byte{250, 0, 0, 0, 33, 0, 0, 0})
	c.wants("KDKBDREP", kdkbdrep, []byte{0xf4, 1, 0, 0, 50, 0, 0, 0}, []byte{0xf4, 1, 0, 0, 50, 0, 0, 0})
	if kb.delay != 500*time.Millisecond || kb.period != 50*time.Millisecond {
		t.Errorf("the keyboard repeats after %v every %v", kb.delay, kb.period)
	}
	c.wants("KDKBDREP of negative numbers", kdkbdrep, []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x80}, []byte{0xf4, 1, 0, 0, 50, 0, 0, 0})
	c.wants("KDKBDREP out of bounds", kdkbdrep, []byte{1, 0, 0, 0, 1, 0, 0, 0}, []byte{10, 0, 0, 0, 5, 0, 0, 0})
}

func TestSoundRequests(t *testing.T) {
	c := newCaller(t)
	s := &speaker{}
	c.k.SetSpeaker(s)
	c.fails("KIOCSOUND", c.value(kiocsound, 1193), nil)
	c.clock.pass(time.Hour)
	if s.hertz != 1000 {
		t.Errorf("%d Hz, want 1000", s.hertz)
	}
	c.fails("KIOCSOUND off", c.value(kiocsound, 0), nil)
	if s.hertz != 0 {
		t.Errorf("%d Hz, want silence", s.hertz)
	}
	c.fails("KDMKTONE", c.value(kdmktone, 100<<16|1193), nil)
	c.clock.pass(99 * time.Millisecond)
	if s.hertz != 1000 {
		t.Errorf("%d Hz, want 1000", s.hertz)
	}
	c.clock.pass(time.Millisecond)
	if s.hertz != 0 {
		t.Errorf("%d Hz, want silence after 100 ms", s.hertz)
	}
}

func TestKeyboardSignal(t *testing.T) {
	c := newCaller(t)
	c.press(KeyLeftAlt, KeyUp)
	c.wantDone()
	c.fails("KDSIGACCEPT", c.value(kdsigaccept, uint64(unix.SIGWINCH)), nil)
	c.fails("KDSIGACCEPT SIGKILL", c.value(kdsigaccept, uint64(unix.SIGKILL)), unix.EINVAL)
	c.press(KeyLeftAlt, KeyUp)
	c.wantDone("signal 42 28")
}

// What needs the permission is refused without it, and what does not is not.
func TestPermitted(t *testing.T) {
	c := newCaller(t)
	for _, cmd := range []uint32{kiocsound, kdmktone, kdskbmode, kdskbmeta, kdsetled, kdskbled, kdkbdrep, kdsigaccept} {
		if _, err := c.tty.Ioctl(c.ctx, false, cmd, c.addr); err != unix.EPERM {
			t.Errorf("%#x: %v, want EPERM", cmd, err)
		}
	}
	for _, cmd := range []uint32{kdgkbtype, kdgkbmode, kdgkbmeta, kdgetled, kdgkbled, kdgkbent, kdgkbsent} {
		if _, err := c.tty.Ioctl(c.ctx, false, cmd, c.addr); err != nil {
			t.Errorf("%#x: %v", cmd, err)
		}
		if _, err := c.tty.Ioctl(c.ctx, false, cmd, 0x10); err != unix.EFAULT {
			t.Errorf("%#x with a bad address: %v, want EFAULT", cmd, err)
		}
	}
}
