package xhci

import (
	"testing"
	"testing/synctest"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/dma"
	"tamarix/dev/usb"
)

// What goes wrong with controllers and firmware.

func TestFirmwareHandoff(t *testing.T) {
	for _, stubborn := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			from := klog.Next()
			m := newSim(t, 1, 0)
			m.stubborn = stubborn
			x := run(t, m)
			x.settle()
			if m.legacy&legacyFirmware != 0 || m.legacy&legacySystem == 0 || m.control&legacyEnables != 0 {
				t.Errorf("legacy support %#x, %#x", m.legacy, m.control)
			}
			if n := logged(from, "does not let go"); (n == 1) != stubborn {
				t.Errorf("%d complaints", n)
			}
			x.stop()
			if x.taken != 1 {
				t.Errorf("taken %d times", x.taken)
			}
		})
	}
}

// A controller that fails is started again, and finds its devices again.
func TestControllerError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		k := newKeyboard(usb.Full)
		m.plug(1, k)
		x := run(t, m)
		x.settle()
		crash := func() {
			m.mu.Lock()
			m.status |= statusHostErr | statusHalted
			m.cmd &^= commandRun
			m.interrupt <- struct{}{}
			m.mu.Unlock()
			x.settle()
		}
		crash()
		m.send(k, 0, 0, 4)
		x.expect("+1-1", "-1-1", "+1-1", "30")
		for range restarts {
			crash()
		}
		<-x.ended
		if !x.quiet || m.starts != restarts+1 || m.mem.Pages() != 0 {
			t.Errorf("quiet %v, started %d times, %d pages left", x.quiet, m.starts, m.mem.Pages())
		}
	})
}

// A controller that does not answer commands is given up in the end.
func TestDeafController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		m.plug(1, newKeyboard(usb.Full))
		m.deaf = true
		x := run(t, m)
		<-x.ended
		if m.starts != restarts+1 || !x.quiet || m.mem.Pages() != 0 {
			t.Errorf("started %d times, quiet %v, %d pages left", m.starts, x.quiet, m.mem.Pages())
		}
		x.connected()
	})
}

// The same after it has worked: the transfer and the command under way end.
func TestControllerStopsAnswering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		k := newKeyboard(usb.Full)
		m.plug(1, k)
		x := run(t, m)
		x.settle()
		m.mu.Lock()
		m.wedged = true
		m.mu.Unlock()
		m.unplug(1)
		x.settle()
		x.expect("+1-1", "-1-1")
		m.mu.Lock()
		m.wedged = false
		m.mu.Unlock()
		m.plug(2, k)
		time.Sleep(time.Minute)
		x.expect("+1-2")
		x.stop()
	})
}

// A command that hangs is aborted, and the ring goes on behind it, wherever in
// memory it is.
func TestCommandHangs(t *testing.T) {
	for _, kind := range []int{trbEnableSlot, trbAddress, trbConfigure, trbDisableSlot} {
		synctest.Test(t, func(t *testing.T) {
			m := newSim(t, 2, 0)
			m.wide, m.mem = true, dma.NewArena(0x12_3456_7000, 0)
			k := newKeyboard(usb.High)
			m.hangs = kind
			m.plug(1, k)
			x := run(t, m)
			x.settle()
			if kind == trbDisableSlot {
				m.unplug(1)
				x.settle()
				m.plug(1, k)
				x.settle()
			}
			x.settle()
			m.send(k, 0, 0, 4)
			synctest.Wait()
			x.keys.mu.Lock()
			notes := x.keys.notes
			x.keys.mu.Unlock()
			if len(notes) < 2 || notes[len(notes)-1] != "30" {
				t.Errorf("command %d: keys %q", kind, notes)
			}
			if m.starts != 1 {
				t.Errorf("command %d: started %d times", kind, m.starts)
			}
			x.stop()
		})
	}
}

// A controller that is gone reads as all ones.
func TestControllerGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		m.plug(1, newKeyboard(usb.Full))
		x := run(t, m)
		x.settle()
		m.mu.Lock()
		m.status = 0xffff_ffff
		m.interrupt <- struct{}{}
		m.mu.Unlock()
		<-x.ended
		x.expect("+1-1", "-1-1")
	})
}

// A controller that fails or disappears tells nobody: the driver looks by itself.
func TestControllerDiesInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		k := newKeyboard(usb.Full)
		m.plug(1, k)
		x := run(t, m)
		x.settle()
		m.mu.Lock()
		m.status |= statusHostErr | statusHalted
		m.cmd &^= commandRun
		m.mu.Unlock()
		x.settle()
		m.send(k, 0, 0, 4)
		x.expect("+1-1", "-1-1", "+1-1", "30")
		m.mu.Lock()
		m.status = 0xffff_ffff
		m.mu.Unlock()
		<-x.ended
		x.expect("-1-1")
	})
}

// Interrupts that stop coming while nothing but keys is under way.
func TestInterruptsStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := klog.Next()
		m := newSim(t, 2, 0)
		k := newKeyboard(usb.Full)
		m.plug(1, k)
		x := run(t, m)
		x.settle()
		// One that is lost alone costs a moment, and no more.
		m.mu.Lock()
		m.silent = true
		m.mu.Unlock()
		m.send(k, 0, 0, 4)
		time.Sleep(watchTime)
		x.expect("+1-1", "30")
		m.mu.Lock()
		m.silent = false
		m.mu.Unlock()
		m.send(k, 0, 0, 0)
		x.expect("-30")
		if n := logged(from, "polling instead"); n != 0 {
			t.Errorf("polling for one lost interrupt")
		}
		m.mu.Lock()
		m.silent = true
		m.mu.Unlock()
		for range missedLimit {
			m.send(k, 0, 0, 4)
			time.Sleep(watchTime)
			m.send(k, 0, 0, 0)
			time.Sleep(watchTime)
		}
		m.send(k, 0, 0, 5)
		time.Sleep(pollTime)
		x.expect("30", "-30", "30", "-30", "48")
		if n := logged(from, "polling instead"); n != 1 {
			t.Errorf("said %d times that it polls", n)
		}
		x.stop()
	})
}

// Without interrupts, or when they get lost, the driver looks by itself.
func TestNoInterrupts(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := newSim(t, 2, 0)
			k := newKeyboard(usb.Full)
			m.plug(1, k)
			m.silent = true
			if !lost {
				m.interrupt = nil
			}
			x := run(t, m)
			x.settle()
			m.send(k, 0, 0, 4)
			time.Sleep(pollTime)
			x.expect("+1-1", "30")
			x.stop()
		})
	}
}

// Memory runs out at each point in turn: nothing is lost, nothing is left over.
func TestNoMemory(t *testing.T) {
	for pages := range 24 {
		synctest.Test(t, func(t *testing.T) {
			m := newSim(t, 2, 0)
			m.mem = dma.NewArena(0x10_0000, pages*dma.PageSize)
			m.plug(1, newHub(usb.High, 2))
			m.plug(2, newKeyboard(usb.Full))
			x := run(t, m)
			x.settle()
			select {
			case <-x.ended:
			default:
				close(x.done)
				<-x.ended
			}
			if n := m.mem.Pages(); n != 0 {
				t.Errorf("of %d pages %d are left", pages, n)
			}
		})
	}
}
