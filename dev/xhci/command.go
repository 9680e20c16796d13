package xhci

import (
	"errors"
	"fmt"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/usb"
)

// How long a command may take. Address Device talks to the device; the rest is
// the controller's own work. After kickTime without an answer the event ring is looked at
// even without an interrupt.
const (
	kickTime    = 500 * time.Millisecond
	commandTime = 5 * time.Second
	abortTime   = 5 * time.Second // 4.6.1.2
)

// pendingCommand is the command under way.
type pendingCommand struct {
	where    uint64   // physical address of its TRB
	result   chan trb // holds one
	aborting bool     // guarded by controller.mu
}

// codeError is a completion code that is not success.
type codeError int

// Error names the code as 6.4.5 does.
func (e codeError) Error() string {
	names := map[codeError]string{
		2: "data buffer error", codeBabble: "babble", codeTransact: "transaction error", 5: "TRB error",
		codeStall: "stall", codeResources: "no resources", codeBandwidth: "no bandwidth", codeNoSlots: "no slots",
		11: "slot not enabled", 12: "endpoint not enabled", 17: "parameter error",
		19: "context state error", codeAborted: "aborted", codeSplit: "split transaction error",
	}
	if n := names[e]; n != "" {
		return n
	}
	return fmt.Sprintf("completion code %d", int(e))
}

// Unwrap tells what package usb makes of it.
func (e codeError) Unwrap() error {
	switch e {
	case codeStall:
		return usb.ErrStall
	case codeTransact, codeBabble, codeSplit, codeAborted:
		return usb.ErrIO
	}
	return nil
}

var errNoAnswer = errors.New("a command is never answered")

// command has the controller carry out a command and returns its completion
// event. A code other than success is a codeError; all other errors mean that the
// controller has failed.
func (c *controller) command(t trb) (trb, error) {
	c.commandMutex.Lock()
	defer c.commandMutex.Unlock()
	p := &pendingCommand{result: make(chan trb, 1)}
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return trb{}, usb.ErrGone
	}
	p.where = c.commands.push(t)[0]
	c.pending = p
	c.mu.Unlock()
	c.ring(0, 0)

	r, err := c.await(p, commandTime)
	if errors.Is(err, errNoAnswer) {
		// 4.6.1.2: the command is aborted; its event comes, or one that says
		// that the ring has stopped.
		klog.Warnf("%s: xHCI: command %d takes too long; aborted", c.cfg.Name, t.kind())
		c.mu.Lock()
		p.aborting = true
		c.mu.Unlock()
		// The controller may stop the ring between the two halves of the write
		// and take the second one for where the ring goes on: so both are that
		// place, behind the command. While the ring runs it ignores it (5.4.5).
		c.write64(c.op+opRing, c.commands.at()|ringAbort)
		if r, err = c.await(p, abortTime); err == nil && !c.wait(opRing, ringRunning, 0, abortTime) {
			err = errNoAnswer
		}
		if err != nil {
			c.fail(err)
			return r, err
		}
		// The ring goes on behind the command when its doorbell rings.
	}
	if err != nil {
		return r, err
	}
	if r.code() != codeSuccess {
		return r, codeError(r.code())
	}
	return r, nil
}

// await waits for the end of a command.
func (c *controller) await(p *pendingCommand, limit time.Duration) (trb, error) {
	kick := time.NewTimer(kickTime)
	defer kick.Stop()
	end := time.NewTimer(limit)
	defer end.Stop()
	for {
		select {
		case r := <-p.result:
			return r, nil
		case <-c.dead:
			return trb{}, usb.ErrGone
		case <-kick.C:
			c.look()
		case <-end.C:
			return trb{}, errNoAnswer
		}
	}
}

// look has the event ring looked at without an interrupt.
func (c *controller) look() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// commandEvent takes the event that ends a command.
func (c *controller) commandEvent(t trb) {
	c.mu.Lock()
	p := c.pending
	ours := p != nil && (t.param == p.where || p.aborting && t.code() == codeRingStop)
	if ours {
		c.pending = nil
	}
	c.mu.Unlock()
	if !ours {
		if t.code() == codeRingStop {
			return // after an abort
		}
		klog.Debugf("%s: xHCI: an event for command %#x, which is not under way", c.cfg.Name, t.param)
		return
	}
	if t.code() == codeRingStop {
		t.status = codeAborted << 24
	}
	select {
	case p.result <- t:
	default:
	}
}
