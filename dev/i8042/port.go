package i8042

import (
	"sync"
	"sync/atomic"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/kbd"
)

// port is one of the controller's ports with the device on it. It is the
// [kbd.Device] of its keyboard.
type port struct {
	c   *Controller
	aux bool // the second port

	// Owned by Start, then by the goroutine that calls Receive.
	decoder   Decoder
	present   bool // a keyboard answered, or sent something
	attached  bool
	listening bool
	shift     bool // left Shift is held: its break is no "self-test passed"

	// waiting is set while an answer is expected; answers then carries it.
	waiting atomic.Bool
	answers chan byte

	kick chan struct{} // wakes the goroutine that sends commands

	mu     sync.Mutex // guards what is wanted of the device
	leds   kbd.LEDs
	repeat byte // argument of kbdSetRepeat
	renew  bool // the device is a new one: set it up
}

func (p *port) init(c *Controller, aux bool) {
	p.c, p.aux = c, aux
	p.decoder.Set2 = aux // only the first port's codes are translated
	p.answers = make(chan byte, 4)
	p.kick = make(chan struct{}, 1)
}

// Name implements [kbd.Device].
func (p *port) Name() string {
	if p.aux {
		return "AT keyboard on the second PS/2 port"
	}
	return "AT keyboard"
}

// SetLEDs implements [kbd.Device].
func (p *port) SetLEDs(l kbd.LEDs) {
	p.mu.Lock()
	p.leds = l
	p.mu.Unlock()
	p.wake()
}

// SetRepeat implements [kbd.Repeater].
func (p *port) SetRepeat(delay, period time.Duration) {
	p.mu.Lock()
	p.repeat = typematic(delay, period)
	p.mu.Unlock()
	p.wake()
}

func (p *port) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// typematic is the argument of kbdSetRepeat nearest to what is wanted: the delay
// in steps of 250 ms, the period as (8 + bits 0-2) << (bits 3-4) times 1/240 s.
func typematic(delay, period time.Duration) byte {
	d := min(max((delay+125*time.Millisecond)/(250*time.Millisecond), 1), 4) - 1
	best, nearest := byte(0), time.Duration(-1)
	for r := range byte(32) {
		t := time.Duration(8+r&7) << (r >> 3) * time.Second / 240
		if off := (t - period).Abs(); nearest < 0 || off < nearest {
			best, nearest = r, off
		}
	}
	return byte(d)<<5 | best
}

// find looks what is on the port and sets up a keyboard, by polling, with both
// ports' interrupts off. The port is left speaking if it is to be listened to.
// Precondition: Controller.mu held.
func (p *port) find() {
	c := p.c
	if c.enable(p.aux, true) != nil {
		return
	}
	p.listening = true
	if c.o.Reset {
		p.reset()
	}
	id, ok := p.identify()
	if !ok && !c.o.Reset {
		p.reset()
		id, ok = p.identify()
	}
	n := portNumber(p.aux)
	switch {
	case !ok:
		klog.Debugf("i8042: port %d: nobody answers", n)
		// A mouse port without a mouse is no place to wait for keyboards.
		p.listening = !p.aux
		if p.listening {
			p.command(kbdEnable) // it may have heard the first command alone
		}
	case !p.isKeyboard(id):
		klog.Infof("i8042: port %d: a device that is no keyboard (%x), not used", n, id)
		p.listening = false
	default:
		p.present = true
		klog.Infof("i8042: port %d: a keyboard (%x), scan codes of set %d", n, id, p.set())
		p.command(kbdEnable)
	}
	if !p.listening {
		c.enable(p.aux, false)
	}
}

// set is the number of the scan code set that arrives.
func (p *port) set() int {
	if p.decoder.Set2 {
		return 2
	}
	return 1
}

// reset resets the device and waits for its self-test, by polling.
func (p *port) reset() {
	if p.command(kbdReset) != nil {
		return
	}
	for range strayBytes {
		b, err := p.answer(resetTime)
		if err != nil || b == answerBATGood {
			break
		}
		if b == answerBATBad {
			klog.Warnf("i8042: port %d: the device fails its self-test", portNumber(p.aux))
			break
		}
	}
	p.c.m.Sleep(time.Millisecond)
	p.c.flush() // a mouse sends its identity too
}

// identify switches the device off and asks what it is: no bytes for an AT
// keyboard, two for a PS/2 keyboard, one for a mouse.
func (p *port) identify() (id []byte, ok bool) {
	if p.command(kbdDisable) != nil || p.command(kbdIdentify) != nil {
		return nil, false
	}
	for range 2 {
		b, err := p.answer(identityTime)
		if err != nil {
			break
		}
		id = append(id, b)
	}
	return id, true
}

// isKeyboard tells a keyboard's identity from a mouse's (0, 3, 4) and others'.
// First bytes other than 0xab are those of terminals' keyboards that Linux knows. AT
// keyboards, which have none, were made for the first port alone: what says nothing
// on the second one may be a pointing device, whose motions are not to be taken for
// keys.
func (p *port) isKeyboard(id []byte) bool {
	if len(id) == 0 {
		return !p.aux
	}
	switch id[0] {
	case 0xab, 0xac, 0x2b, 0x5d, 0x60, 0x47:
		return true
	}
	return false
}

// command sends bytes to the device and waits for each to be acknowledged. What
// the device wants to have again it gets again. Precondition: Controller.mu held.
func (p *port) command(bytes ...byte) error {
	p.waiting.Store(true)
	defer p.waiting.Store(false)
	for _, b := range bytes {
		if err := p.send(b); err != nil {
			return err
		}
	}
	return nil
}

func (p *port) send(b byte) error {
	for range resends {
		for len(p.answers) > 0 {
			<-p.answers // of a command that was given up
		}
		if p.aux {
			if err := p.c.command(cmdToSecond); err != nil {
				return err
			}
		}
		if err := p.c.write(b); err != nil {
			return err
		}
		a, err := p.acknowledge()
		if err != nil {
			return err
		}
		if a == answerAck {
			return nil
		}
	}
	return errTime
}

// acknowledge waits for the answer to a byte, and passes over keys that were on
// their way.
func (p *port) acknowledge() (byte, error) {
	for range strayBytes {
		a, err := p.answer(answerTime)
		if err != nil || a == answerAck || a == answerResend {
			return a, err
		}
	}
	return 0, errTime
}

// answer waits for a byte of the device: from the data register until interrupts
// are on, then from who takes them.
func (p *port) answer(patience time.Duration) (byte, error) {
	if p.c.running.Load() {
		select {
		case b := <-p.answers:
			return b, nil
		case <-p.c.m.After(patience):
			return 0, errTime
		}
	}
	for range strayBytes {
		b, aux, err := p.c.read(patience)
		if err != nil {
			return 0, err
		}
		if aux == p.aux {
			return b, nil
		}
	}
	return 0, errTime
}

// listen switches the port's interrupt on, starts what serves it, and attaches
// its keyboard. Precondition: Controller.mu held.
func (p *port) listen() {
	if !p.listening {
		return
	}
	c := p.c
	if err := c.m.Interrupts(p.aux); err != nil {
		klog.Warnf("i8042: port %d: no interrupt: %v", portNumber(p.aux), err)
		c.enable(p.aux, false)
		return
	}
	bit := byte(configFirstIRQ)
	if p.aux {
		bit = configSecondIRQ
	}
	if p.present {
		p.attach()
	}
	c.running.Store(true)
	c.setConfig(c.config | bit)
}

// attach makes the keyboard one of the machine's, and starts the goroutine that
// sends it commands.
func (p *port) attach() {
	p.attached = true
	go p.serve()
	p.c.keys().Attach(p)
}

// receive takes a byte that came by interrupt.
func (p *port) receive(b byte) {
	if p.waiting.Load() && (b == answerAck || b == answerResend) {
		select {
		case p.answers <- b:
		default:
		}
		return
	}
	if b == answerBATGood && p.decoder.Idle() && !p.shift {
		// It was plugged in, or lost its power: it knows no settings, and keys
		// that were held are not any more.
		p.mu.Lock()
		p.renew = true
		p.mu.Unlock()
		if p.attached {
			p.c.keys().Detach(p)
			p.c.keys().Attach(p)
		} else {
			p.attach()
		}
		p.wake()
		return
	}
	p.decoder.Feed(b, p.key)
}

// key is called by the decoder.
func (p *port) key(code kbd.Code, down bool) {
	if code == kbd.KeyLeftShift {
		p.shift = down
	}
	if !p.attached {
		if !down {
			return // it may be an answer that nobody waits for any more
		}
		p.attach()
	}
	p.c.keys().Key(p, code, down)
}

// serve sends the device what is wanted of it, for ever.
func (p *port) serve() {
	leds, repeat := kbd.LEDs(0xff), byte(0xff) // what it has been told: nothing
	for range p.kick {
		p.mu.Lock()
		wantLEDs, wantRepeat, renew := p.leds, p.repeat, p.renew
		p.renew = false
		p.mu.Unlock()
		p.c.mu.Lock()
		if renew {
			leds, repeat = 0xff, 0xff
		}
		if wantLEDs != leds {
			if p.command(kbdSetLEDs, byte(wantLEDs)) == nil {
				leds = wantLEDs
			} else {
				renew = true
			}
		}
		if wantRepeat != repeat {
			if p.command(kbdSetRepeat, wantRepeat) == nil {
				repeat = wantRepeat
			} else {
				renew = true
			}
		}
		// A device that missed the argument of a command still waits for it, and
		// sends no keys meanwhile: another command ends that.
		if renew {
			p.command(kbdEnable)
		}
		p.c.mu.Unlock()
	}
}
