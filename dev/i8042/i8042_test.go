package i8042

import (
	"fmt"
	"testing"
	"time"

	"tamarix/dev/kbd"
)

func TestStart(t *testing.T) {
	for _, c := range []struct {
		name string
		pc   *fakePC
		o    Options
		err  error
		want string // typed by "a" on port 1 and "b" on port 2 (scan codes of set 2 there)
	}{
		{"keyboard and mouse", &fakePC{second: true, dev: [2]*fakeDevice{atKeyboard(), mouse()}}, Options{}, nil, "a"},
		{"one port", &fakePC{dev: [2]*fakeDevice{atKeyboard()}}, Options{}, nil, "a"},
		{"two keyboards", &fakePC{second: true, dev: [2]*fakeDevice{atKeyboard(), {id: []byte{0xab, 0x83}}}}, Options{}, nil, "ab"},
		{"keyboard on the second port", &fakePC{second: true, dev: [2]*fakeDevice{nil, {id: []byte{0xab, 0x83}}}}, Options{}, nil, "ab"},
		{"AT keyboard without identity", &fakePC{dev: [2]*fakeDevice{{}}}, Options{}, nil, "a"},
		{"with reset", &fakePC{dev: [2]*fakeDevice{atKeyboard()}}, Options{Reset: true}, nil, "a"},
		{"mouse on the first port", &fakePC{dev: [2]*fakeDevice{mouse()}}, Options{}, nil, ""},
		{"pointing device without identity", &fakePC{second: true, dev: [2]*fakeDevice{atKeyboard(), {}}}, Options{}, nil, "a"},
		{"second port's test acknowledged", &fakePC{portTest: 0xfa, second: true, dev: [2]*fakeDevice{atKeyboard(), {id: []byte{0xab, 0x83}}}}, Options{}, nil, "ab"},
		{"somebody types", &fakePC{typist: true, second: true, dev: [2]*fakeDevice{atKeyboard(), {id: []byte{0xab, 0x83}}}}, Options{}, nil, "ab"},
		{"nobody there yet", &fakePC{second: true}, Options{}, nil, "a"},
		{"nokbd", &fakePC{second: true, dev: [2]*fakeDevice{atKeyboard(), {id: []byte{0xab, 0x83}}}}, Options{NoKeyboard: true}, nil, "b"},
		{"noaux", &fakePC{second: true, dev: [2]*fakeDevice{atKeyboard(), {id: []byte{0xab, 0x83}}}}, Options{NoAuxiliary: true}, nil, "a"},
		{"absent", &fakePC{absent: true}, Options{}, ErrAbsent, ""},
		{"deaf", &fakePC{stuckIn: true}, Options{}, ErrStuck, ""},
		{"babbling", &fakePC{stuckOut: true}, Options{}, ErrAbsent, ""},
		{"mute", &fakePC{noOutput: true}, Options{}, ErrStuck, ""},
		{"self-test fails", &fakePC{selfTest: 0xfc, dev: [2]*fakeDevice{atKeyboard()}}, Options{}, nil, "a"},
		{"interface test fails", &fakePC{portTest: 1, second: true, dev: [2]*fakeDevice{atKeyboard(), mouse()}}, Options{}, nil, "a"},
		{"slow", &fakePC{late: 90 * time.Millisecond, dev: [2]*fakeDevice{atKeyboard()}}, Options{}, nil, "a"},
		{"silent keyboard", &fakePC{dev: [2]*fakeDevice{{silent: true}}}, Options{}, nil, "a"},
		{"two bytes wanted again", &fakePC{dev: [2]*fakeDevice{{id: []byte{0xab, 0x41}, resend: 2}}}, Options{}, nil, "a"},
		{"the first byte is lost", &fakePC{dev: [2]*fakeDevice{{id: []byte{0xab, 0x41}, noAck: 1}}}, Options{}, nil, "a"},
		{"keys between the answers", &fakePC{dev: [2]*fakeDevice{{id: []byte{0xab, 0x41}, chatter: 0x9e}}}, Options{}, nil, "a"},
		{"junk in the buffer", &fakePC{out: []fakeByte{{b: 0x55}, {b: 0xaa, aux: true}, {b: 0}}, dev: [2]*fakeDevice{atKeyboard()}}, Options{}, nil, "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pc := c.pc
			d := newDesk(pc, c.o)
			if err := d.c.Start(); err != c.err {
				t.Fatalf("Start: %v, want %v", err, c.err)
			}
			if took := pc.Now(); took > 10*time.Second {
				t.Errorf("Start took %v", took)
			}
			pc.mu.Lock()
			on := pc.config
			pc.mu.Unlock()
			if on&configFirstIRQ != 0 {
				d.send(false, 0x1e, 0x9e)
			}
			if on&configSecondIRQ != 0 {
				d.send(true, 0x32, 0xf0, 0x32)
			}
			if got := d.text(); got != c.want {
				t.Errorf("typed %q, want %q", got, c.want)
			}
		})
	}
}

// A mouse is left disabled, and its port's clock held.
func TestMouseIsOff(t *testing.T) {
	pc := &fakePC{second: true, dev: [2]*fakeDevice{atKeyboard(), mouse()}}
	pc.dev[1].enabled = true
	d := newDesk(pc, Options{})
	if err := d.c.Start(); err != nil {
		t.Fatal(err)
	}
	if pc.dev[1].enabled || pc.config&configSecondOff == 0 || pc.config&configSecondIRQ != 0 {
		t.Errorf("the mouse is on: enabled %v, configuration %#02x", pc.dev[1].enabled, pc.config)
	}
	if !pc.dev[0].enabled || pc.config&(configFirstOff|configFirstIRQ) != configFirstIRQ {
		t.Errorf("the keyboard is off: enabled %v, configuration %#02x", pc.dev[0].enabled, pc.config)
	}
}

func TestWithoutTranslation(t *testing.T) {
	for _, c := range []struct {
		pc *fakePC
		o  Options
	}{
		{&fakePC{noConfig: true, dev: [2]*fakeDevice{atKeyboard()}}, Options{}},
		{&fakePC{dev: [2]*fakeDevice{atKeyboard()}}, Options{Direct: true}},
	} {
		d := newDesk(c.pc, c.o)
		if err := d.c.Start(); err != nil {
			t.Fatal(err)
		}
		d.send(false, 0x12, 0x1c, 0xf0, 0x1c, 0xf0, 0x12, 0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75)
		if got := d.text(); got != "Aa\x1b[A" {
			t.Errorf("typed %q, want %q", got, "Aa\x1b[A")
		}
	}
}

// The lights and the repeat reach the device while keys come in, and survive
// lost and repeated answers.
func TestLights(t *testing.T) {
	for _, lost := range []int{0, 1} {
		t.Run(fmt.Sprintf("%d lost", lost), func(t *testing.T) {
			pc := &fakePC{dev: [2]*fakeDevice{atKeyboard()}}
			k := pc.dev[0]
			k.repeat = 0xff
			d := newDesk(pc, Options{})
			if err := d.c.Start(); err != nil {
				t.Fatal(err)
			}
			if !d.until(func() bool { return k.repeat == typematic(250*time.Millisecond, 33*time.Millisecond) }) {
				t.Fatalf("the repeat is %#02x", k.repeat)
			}
			pc.mu.Lock()
			k.noAck, k.resend, k.chatter = lost, 1, 0x1e
			pc.mu.Unlock()
			d.send(false, 0x3a, 0xba, 0x9e) // Caps Lock
			if lost > 0 {
				// That attempt was given up; the next change makes another one.
				if !d.until(func() bool { return k.noAck == 0 }) {
					t.Fatal("nothing was sent")
				}
				d.tty.SetLock(kbd.NumLock, true)
			}
			if !d.until(func() bool { return k.leds&4 != 0 }) {
				t.Errorf("lights %03b", k.leds)
			}
		})
	}
}

// A keyboard that waits for the argument of a command sends no keys: it is told
// to go on.
func TestLostArgument(t *testing.T) {
	pc := &fakePC{dev: [2]*fakeDevice{atKeyboard()}}
	k := pc.dev[0]
	k.repeat = 0xff
	d := newDesk(pc, Options{})
	if err := d.c.Start(); err != nil {
		t.Fatal(err)
	}
	if !d.until(func() bool { return k.repeat == typematic(250*time.Millisecond, 33*time.Millisecond) }) {
		t.Fatalf("the repeat is %#02x", k.repeat)
	}
	pc.mu.Lock()
	k.noArg, k.enabled = 1, false
	pc.mu.Unlock()
	d.tty.SetLock(kbd.CapsLock, true)
	if !d.until(func() bool { return k.noArg == 0 && k.pending == 0 && k.enabled }) {
		t.Errorf("the keyboard waits: command %#02x, enabled %v", k.pending, k.enabled)
	}
}

// A keyboard that is plugged in while we run says that its self-test has passed.
func TestPluggedInLater(t *testing.T) {
	pc := &fakePC{}
	d := newDesk(pc, Options{})
	if err := d.c.Start(); err != nil {
		t.Fatal(err)
	}
	d.tty.SetLock(kbd.CapsLock, true)
	k := atKeyboard()
	pc.mu.Lock()
	pc.dev[0] = k
	pc.mu.Unlock()
	d.send(false, answerBATGood)
	if !d.until(func() bool { return k.enabled && k.leds == 4 }) {
		t.Fatalf("enabled %v, lights %03b", k.enabled, k.leds)
	}
	// The same byte is left Shift's release when that is held.
	d.send(false, 0x2a, 0x1e, 0x9e, 0xaa, 0x1e, 0x9e)
	if got := d.text(); got != "aA" {
		t.Errorf("typed %q, want %q", got, "aA")
	}
}

// What was held on a keyboard that was pulled out is not held on the next one.
func TestPluggedInAgain(t *testing.T) {
	pc := &fakePC{dev: [2]*fakeDevice{atKeyboard()}}
	d := newDesk(pc, Options{})
	if err := d.c.Start(); err != nil {
		t.Fatal(err)
	}
	d.send(false, 0x1d, 0x1e) // Control and A go down
	d.send(false, answerBATGood)
	d.send(false, 0x1e, 0x9e)
	if got := d.text(); got != "\x01a" {
		t.Errorf("typed %q, want %q", got, "\x01a")
	}
	if got := d.keys.Names(); len(got) != 1 {
		t.Errorf("keyboards %q", got)
	}
}

// A key that was on its way when the ports were switched off is not the
// controller's configuration.
func TestKeyInsteadOfConfiguration(t *testing.T) {
	pc := &fakePC{config: configFirstIRQ | configTranslate | 1<<2, stray: []byte{0x1c}, dev: [2]*fakeDevice{atKeyboard()}}
	d := newDesk(pc, Options{NoTest: true})
	if err := d.c.Start(); err != nil {
		t.Fatal(err)
	}
	pc.mu.Lock()
	got := pc.config
	pc.mu.Unlock()
	if want := byte(configFirstIRQ | configTranslate | configSecondOff | 1<<2); got != want {
		t.Errorf("configuration %#02x, want %#02x", got, want)
	}
	d.send(false, 0x1e, 0x9e)
	if got := d.text(); got != "a" {
		t.Errorf("typed %q", got)
	}
}

func TestTypematic(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		delay, period time.Duration
		want          byte
	}{
		{250 * ms, 33 * ms, 0x00},
		{500 * ms, 92 * ms, 0x2b}, // IBM's default, 10.9 a second
		{time.Second, 500 * ms, 0x7f},
		{0, 0, 0x00},
		{time.Hour, time.Hour, 0x7f},
	} {
		if got := typematic(c.delay, c.period); got != c.want {
			t.Errorf("typematic(%v, %v) = %#02x, want %#02x", c.delay, c.period, got, c.want)
		}
	}
}
