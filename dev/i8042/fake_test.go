package i8042

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/dev/kbd"
)

// fakePC is a controller with two ports. Time passes by sleeping. With
// interrupts on, what its devices send goes to the driver at once.
type fakePC struct {
	mu       sync.Mutex
	now      time.Duration
	config   byte
	second   bool // there is a second port
	dev      [2]*fakeDevice
	out      []fakeByte // what waits to be read
	expect   byte       // the command that waits for data
	irq      [2]bool
	delivery chan fakeByte

	// Faults.
	absent   bool // nobody drives the bus
	noOutput bool // commands are never answered
	stuckIn  bool // the input buffer never empties
	stuckOut bool // the output buffer never empties
	selfTest byte // 0: passes
	portTest byte
	noConfig bool // the translation bit does not stick
	noise    []byte
	typist   bool          // somebody types, on the first port, while the driver starts
	stray    []byte        // comes before the first answer
	late     time.Duration // every answer comes so late
	outputAt time.Duration
	sleeps   int
}

type fakeByte struct {
	b    byte
	aux  bool
	mark chan struct{} // not a byte: closed when all before it have been taken
}

// fakeDevice is what is plugged in.
type fakeDevice struct {
	id      []byte
	silent  bool // answers nothing
	resend  int  // so many bytes are asked for again
	noAck   int  // so many bytes are not answered
	noArg   int  // so many bytes behind a command are lost
	chatter byte // sent before each answer, if not 0
	enabled bool
	leds    byte
	repeat  byte
	pending byte // command that waits for its argument
	resets  int
}

func (f *fakePC) Now() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fakePC) Sleep(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now += d
	f.sleeps++
}

func (f *fakePC) After(d time.Duration) <-chan time.Time {
	return time.After(4 * d) // the only real time: for answers that never come
}

func (f *fakePC) Status() byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := byte(0x14)
	switch {
	case f.absent:
		return 0xff
	case f.stuckOut:
		s |= statusOutput
	case len(f.out) > 0 && f.now >= f.outputAt:
		s |= statusOutput
		if f.out[0].aux {
			s |= statusAuxiliary
		}
	}
	if f.stuckIn {
		s |= statusInput
	}
	return s
}

func (f *fakePC) Read() byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.absent || f.stuckOut || len(f.out) == 0 {
		return 0xff
	}
	b := f.out[0].b
	f.out = f.out[1:]
	return b
}

// put makes a byte readable, or has it taken by interrupt.
func (f *fakePC) put(b byte, aux bool) {
	i := 0
	bit := byte(configFirstIRQ)
	if aux {
		i, bit = 1, configSecondIRQ
	}
	if f.irq[i] && f.config&bit != 0 {
		f.delivery <- fakeByte{b: b, aux: aux}
		return
	}
	f.out = append(f.out, fakeByte{b: b, aux: aux})
	f.outputAt = f.now + f.late
}

func (f *fakePC) Command(b byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.absent || f.stuckIn || f.noOutput {
		return
	}
	for _, n := range f.noise {
		f.put(n, false)
	}
	f.expect = 0
	switch b {
	case cmdReadConfig:
		if f.typist && f.config&configFirstOff == 0 {
			f.put(0x1c, false)
		}
		for _, n := range f.stray {
			f.put(n, false)
		}
		f.stray = nil
		f.put(f.config, false)
	case cmdWriteConfig, cmdToSecond:
		f.expect = b
	case cmdDisableFirst:
		f.config |= configFirstOff
	case cmdEnableFirst:
		f.config &^= configFirstOff
	case cmdDisableSecond:
		if f.second {
			f.config |= configSecondOff
		}
	case cmdEnableSecond:
		if f.second {
			f.config &^= configSecondOff
		}
	case cmdTest:
		if f.selfTest != 0 {
			f.put(f.selfTest, false)
		} else {
			f.put(testPassed, false)
		}
		f.config = configFirstOff | configTranslate
		if f.second {
			f.config |= configSecondOff
		}
	case cmdTestFirst, cmdTestSecond:
		f.put(f.portTest, false)
	}
}

func (f *fakePC) Write(b byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.absent || f.stuckIn || f.noOutput {
		return
	}
	e := f.expect
	f.expect = 0
	switch e {
	case cmdWriteConfig:
		if f.noConfig {
			b &^= configTranslate
		}
		f.config = b
	case cmdToSecond:
		f.toDevice(1, b)
	default:
		f.toDevice(0, b)
	}
}

// toDevice is a byte for a keyboard or mouse.
func (f *fakePC) toDevice(i int, b byte) {
	d := f.dev[i]
	off := byte(configFirstOff)
	if i == 1 {
		off = configSecondOff
	}
	if d == nil || d.silent || f.config&off != 0 {
		return
	}
	if d.noAck > 0 || d.noArg > 0 && d.pending != 0 {
		d.noAck, d.noArg = max(d.noAck-1, 0), max(d.noArg-1, 0)
		return
	}
	if d.chatter != 0 {
		f.put(d.chatter, i == 1)
	}
	if d.resend > 0 {
		d.resend--
		f.put(answerResend, i == 1)
		return
	}
	f.put(answerAck, i == 1)
	switch p := d.pending; {
	case b >= kbdSetLEDs: // a command, whatever was expected
		d.pending = 0
	case p == kbdSetLEDs:
		d.leds, d.pending = b, 0
		return
	case p == kbdSetRepeat:
		d.repeat, d.pending = b, 0
		return
	}
	switch b {
	case kbdSetLEDs, kbdSetRepeat:
		d.pending = b
	case kbdEnable:
		d.enabled = true
	case kbdDisable:
		d.enabled = false
	case kbdIdentify:
		for _, n := range d.id {
			f.put(n, i == 1)
		}
	case kbdReset:
		d.resets++
		d.enabled, d.leds = true, 0
		f.put(answerBATGood, i == 1)
	}
}

func (f *fakePC) Interrupts(aux bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := 0
	if aux {
		i = 1
	}
	f.irq[i] = true
	return nil
}

// desk is a machine with what comes of its keys.
type desk struct {
	pc   *fakePC
	c    *Controller
	keys *kbd.Keyboards
	tty  *kbd.Terminal

	mu    sync.Mutex
	typed []byte
}

func newDesk(pc *fakePC, o Options) *desk {
	d := &desk{pc: pc, keys: kbd.New(idle{})}
	d.tty = d.keys.NewTerminal(func(p []byte) {
		d.mu.Lock()
		d.typed = append(d.typed, p...)
		d.mu.Unlock()
	})
	d.keys.SetForeground(d.tty)
	pc.delivery = make(chan fakeByte, 256)
	d.c = New(pc, func() *kbd.Keyboards { return d.keys }, o)
	go func() { // the interrupt's goroutine
		for b := range pc.delivery {
			if b.mark != nil {
				close(b.mark)
				continue
			}
			s := byte(statusOutput)
			if b.aux {
				s |= statusAuxiliary
			}
			d.c.Receive(s, b.b)
		}
	}()
	return d
}

// send has a device send bytes.
func (d *desk) send(aux bool, p ...byte) {
	d.pc.mu.Lock()
	defer d.pc.mu.Unlock()
	for _, b := range p {
		d.pc.put(b, aux)
	}
}

// text returns what was typed.
func (d *desk) text() string {
	mark := make(chan struct{})
	d.pc.delivery <- fakeByte{mark: mark}
	<-mark
	d.mu.Lock()
	defer d.mu.Unlock()
	return string(slices.Clone(d.typed))
}

// until waits for something that another goroutine does.
func (d *desk) until(f func() bool) bool {
	for range 20000 {
		d.pc.mu.Lock()
		ok := f()
		d.pc.mu.Unlock()
		if ok {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

func atKeyboard() *fakeDevice { return &fakeDevice{id: []byte{0xab, 0x41}} }
func mouse() *fakeDevice      { return &fakeDevice{id: []byte{0x00}} }

// idle is a machine that does nothing that keys ask of it.
type idle struct{}

func (idle) CtrlAltDel()                     {}
func (idle) SysRqEnabled() bool              { return true }
func (idle) SysRq(byte)                      {}
func (idle) Show(byte)                       {}
func (idle) SecureAttention()                {}
func (idle) Signal(int32, unix.Signal) error { return nil }
