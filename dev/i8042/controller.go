package i8042

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/kbd"
)

// Machine is the controller's registers and the clock. Its methods are called by
// several goroutines at once.
type Machine interface {
	Status() byte              // reads port 0x64
	Read() byte                // reads port 0x60
	Command(b byte)            // writes port 0x64
	Write(b byte)              // writes port 0x60
	Now() time.Duration        // since whenever
	Sleep(time.Duration)       // waits, at least so long
	Interrupts(aux bool) error // has the interrupt of one port call Receive from now on
	After(time.Duration) <-chan time.Time
}

// Options are the words of the command line that begin with "i8042." (Linux
// Documentation/admin-guide/kernel-parameters.txt).
type Options struct {
	NoKeyboard  bool // nokbd: leave the first port alone
	NoAuxiliary bool // noaux: leave the second port alone
	Reset       bool // reset: reset the devices too
	NoTest      bool // reset=0: leave out the controller's self-test
	Direct      bool // direct: scan codes without translation
}

// Errors of Start.
var (
	ErrAbsent = errors.New("no controller")
	ErrStuck  = errors.New("the controller does not take commands")
)

// Controller is one keyboard controller. Make it with New.
type Controller struct {
	m    Machine
	keys func() *kbd.Keyboards
	o    Options

	mu     sync.Mutex // see the package comment
	config byte       // the configuration byte as written last

	// running is set when interrupts take the bytes away: answers then come
	// through the ports' channels instead of the data register.
	running atomic.Bool

	ports [2]port
}

// New makes the driver of a controller. keys gives the keyboards; it is called
// when there is one to attach.
func New(m Machine, keys func() *kbd.Keyboards, o Options) *Controller {
	c := &Controller{m: m, keys: keys, o: o}
	for i := range c.ports {
		c.ports[i].init(c, i == 1)
	}
	return c
}

// Start looks for the controller and its keyboards and sets them going. It takes
// up to a few seconds where devices do not answer. It returns ErrAbsent,
// ErrStuck, or nil.
func (c *Controller) Start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.find(); err != nil {
		return err
	}
	if !c.o.NoTest {
		klog.Infof("i8042: self-test of the controller")
		c.selfTest()
	}
	if err := c.configure(); err != nil {
		return err
	}
	first := !c.o.NoKeyboard && c.testPort(false)
	second := !c.o.NoAuxiliary && c.hasSecond() && c.testPort(true)
	for i, there := range [...]bool{first, second} {
		if there {
			klog.Infof("i8042: port %d: looking for a device", i+1)
			c.ports[i].find()
		}
	}
	c.flush()
	for i := range c.ports {
		c.ports[i].listen()
	}
	return nil
}

// find reports whether there is a controller at all, with its ports off and its
// buffer empty.
func (c *Controller) find() error {
	if c.m.Status() == noController {
		// A controller that is busy could look like this for a moment.
		c.m.Sleep(time.Millisecond)
		if c.m.Status() == noController {
			return ErrAbsent
		}
	}
	if !c.flush() {
		return ErrAbsent // its output never runs dry
	}
	if c.command(cmdDisableFirst) != nil || c.command(cmdDisableSecond) != nil {
		return ErrStuck
	}
	c.flush()
	config, err := c.readConfig()
	if err != nil {
		return ErrStuck
	}
	c.config = config
	return nil
}

// readConfig reads the configuration byte until it is the same twice: the first
// may be a key that was on its way when the ports were switched off.
func (c *Controller) readConfig() (byte, error) {
	last, err := c.ask(cmdReadConfig, replyTime)
	for range configReads {
		if err != nil {
			break
		}
		before := last
		c.m.Sleep(pollInterval)
		c.flush() // the answer that came behind it
		if last, err = c.ask(cmdReadConfig, replyTime); last == before {
			break
		}
	}
	return last, err
}

// selfTest runs the controller's test. Its failure is no reason to give up:
// there are controllers that serve a keyboard all the same, and imitations.
func (c *Controller) selfTest() {
	var b byte
	var err error
	for range selfTestTries {
		if b, err = c.ask(cmdTest, selfTestTime); err == nil && b == testPassed {
			return
		}
		c.m.Sleep(50 * time.Millisecond)
		c.flush()
	}
	if err != nil {
		klog.Warnf("i8042: the controller's self-test has no result")
	} else {
		klog.Warnf("i8042: the controller's self-test: %#02x instead of %#02x", b, testPassed)
	}
}

// configure writes the configuration byte: no interrupts yet, translation as it
// is wanted, and looks whether it was taken. Both ports are off until find, so that
// no key is read for an answer of the controller.
func (c *Controller) configure() error {
	want := c.config &^ (configFirstIRQ | configSecondIRQ | configTranslate)
	want |= configFirstOff | configSecondOff
	if !c.o.Direct {
		want |= configTranslate
	}
	if err := c.setConfig(want); err != nil {
		return ErrStuck
	}
	if got, err := c.ask(cmdReadConfig, replyTime); err == nil {
		c.ports[0].decoder.Set2 = got&configTranslate == 0
		c.config = c.config&^configTranslate | got&configTranslate
	}
	return nil
}

// hasSecond finds out whether the controller has a second port: only then the
// configuration shows its clock going on and off.
func (c *Controller) hasSecond() bool {
	if c.command(cmdEnableSecond) != nil {
		return false
	}
	on, err := c.ask(cmdReadConfig, replyTime)
	if err != nil || on&configSecondOff != 0 {
		return false
	}
	if c.command(cmdDisableSecond) != nil {
		return false
	}
	off, err := c.ask(cmdReadConfig, replyTime)
	return err == nil && off&configSecondOff != 0
}

// testPort tests the lines of a port and reports whether it is worth a try.
func (c *Controller) testPort(aux bool) bool {
	cmd := byte(cmdTestFirst)
	if aux {
		cmd = cmdTestSecond
	}
	b, err := c.ask(cmd, replyTime)
	switch {
	case err != nil:
		klog.Debugf("i8042: port %d: no result of its test", portNumber(aux))
	case b != interfacePassed:
		klog.Infof("i8042: port %d: its test says %#02x", portNumber(aux), b)
	}
	// The first port is tried whatever the test says: imitations have none. For
	// the second there are controllers that acknowledge the command instead.
	return !aux || err == nil && (b == interfacePassed || b == answerAck)
}

// enable lets a port's device speak, or not.
func (c *Controller) enable(aux, on bool) error {
	cmd := byte(cmdEnableFirst)
	bit := byte(configFirstOff)
	switch {
	case aux && on:
		cmd, bit = cmdEnableSecond, configSecondOff
	case aux:
		cmd, bit = cmdDisableSecond, configSecondOff
	case !on:
		cmd = cmdDisableFirst
	}
	if on {
		c.config &^= bit
	} else {
		c.config |= bit
	}
	return c.command(cmd)
}

// setConfig writes the configuration byte.
func (c *Controller) setConfig(b byte) error {
	if err := c.command(cmdWriteConfig); err != nil {
		return err
	}
	if err := c.write(b); err != nil {
		return err
	}
	c.config = b
	return nil
}

// errTime is the end of patience: it never leaves the package.
var errTime = errors.New("no answer")

// ready waits until the controller takes a byte.
func (c *Controller) ready() error {
	for end := c.m.Now() + inputTime; c.m.Status()&statusInput != 0; c.m.Sleep(pollInterval) {
		if c.m.Now() >= end {
			return errTime
		}
	}
	return nil
}

// command writes a command to the controller.
func (c *Controller) command(b byte) error {
	if err := c.ready(); err != nil {
		return err
	}
	c.m.Command(b)
	return nil
}

// write writes a byte of data.
func (c *Controller) write(b byte) error {
	if err := c.ready(); err != nil {
		return err
	}
	c.m.Write(b)
	return nil
}

// read waits for a byte, and says which port it is of.
func (c *Controller) read(patience time.Duration) (b byte, aux bool, err error) {
	for end := c.m.Now() + patience; ; c.m.Sleep(pollInterval) {
		late := c.m.Now() >= end // before the look, which may itself take long
		if s := c.m.Status(); s&statusOutput != 0 {
			return c.m.Read(), s&statusAuxiliary != 0, nil
		}
		if late {
			return 0, false, errTime
		}
	}
}

// ask gives the controller a command and reads its answer.
func (c *Controller) ask(cmd byte, patience time.Duration) (byte, error) {
	if err := c.command(cmd); err != nil {
		return 0, err
	}
	b, _, err := c.read(patience)
	return b, err
}

// flush throws away what waits to be read, and reports whether that has an end.
func (c *Controller) flush() bool {
	for range flushed {
		if c.m.Status()&statusOutput == 0 {
			return true
		}
		c.m.Read()
		c.m.Sleep(pollInterval)
	}
	return c.m.Status()&statusOutput == 0
}

// Receive takes a byte that the interrupt handler has read, with the status that
// went before it.
func (c *Controller) Receive(status, b byte) {
	p := &c.ports[0]
	if status&statusAuxiliary != 0 {
		p = &c.ports[1]
	}
	if status&(statusTimeout|statusParity) == statusParity {
		return // damaged on the line; IBM's keyboards send no more of it
	}
	p.receive(b)
}

func portNumber(aux bool) int {
	if aux {
		return 2
	}
	return 1
}
