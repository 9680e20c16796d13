package xhci

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/dma"
	"tamarix/dev/kbd"
	"tamarix/dev/usb"
)

// What goes wrong: devices, controllers, firmware.

func TestEndpointErrors(t *testing.T) {
	for _, code := range []int{codeStall, codeTransact, codeBabble, codeSplit} {
		synctest.Test(t, func(t *testing.T) {
			m := newSim(t, 2, 0)
			k := newKeyboard(usb.Full)
			m.plug(1, k)
			x := run(t, m)
			x.settle()
			for range 30 { // never so often in a row that it is given up
				m.send(k, 0, 0, 4)
				m.failure(k, code)
				x.settle()
				m.send(k, 0, 0, 5)
				m.send(k, 0, 0, 0)
				synctest.Wait()
			}
			want := []string{"+1-1"}
			for range 30 {
				want = append(want, "30", "-30", "48", "-48")
			}
			x.expect(want...)
			x.stop()
		})
	}
}

// An endpoint that always fails is left alone, and the keyboard beside it works.
func TestEndpointAlwaysFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := klog.Next()
		m := newSim(t, 2, 0)
		bad, good := newKeyboard(usb.Full), newKeyboard(usb.Full)
		m.plug(1, bad)
		m.plug(2, good)
		x := run(t, m)
		x.settle()
		for range 100 {
			m.failure(bad, codeTransact)
		}
		x.settle()
		m.send(good, 0, 0, 4)
		x.expect("+1-1", "+1-2", "30")
		if n := logged(from, "given up"); n != 1 {
			t.Errorf("given up %d times", n)
		}
		x.stop()
	})
}

// Requests that a keyboard need not know, and what it may do with them.
func TestRefusedRequests(t *testing.T) {
	for _, garbled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := newSim(t, 2, 0)
			k := newKeyboard(usb.Low)
			k.refused = map[uint8]bool{10: true, 11: true}
			if garbled {
				k.refused, k.garbled = nil, k.refused
			}
			k.texts = nil
			m.plug(1, k)
			x := run(t, m)
			x.settle()
			m.send(k, 0, 0, 4)
			x.expect("+1-1", "30")
			x.stop()
		})
	}
}

// A device that is closed has no memory left; whoever comes late is told so.
func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 1, 0)
		h, err := readHardware(m)
		if err != nil {
			t.Fatal(err)
		}
		c := &controller{
			hardware: h, cfg: Config{Name: "test", Memory: m.mem, Interrupt: m.interrupt, Done: make(chan struct{})},
			kick: make(chan struct{}, 1), dead: make(chan struct{}),
		}
		if err := errors.Join(c.reset(), c.start()); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.loop()
		}()
		m.plug(1, newKeyboard(usb.Full))
		f, err := c.Open(usb.Location{Port: 1, Speed: usb.Full})
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		e := usb.Endpoint{Address: 0x81, Kind: usb.EndpointInterrupt, MaxPacket: 8, Interval: 10}
		_, err = f.Control(usb.Setup{Type: 0x80, Length: 2}, make([]byte, 2), time.Second)
		for name, err := range map[string]error{
			"Control": err, "SetMaxPacket": f.SetMaxPacket(64), "SetHub": f.SetHub(4, 0),
			"Listen": f.Listen(e, func([]byte, error) {}),
		} {
			if !errors.Is(err, usb.ErrGone) {
				t.Errorf("%s: %v", name, err)
			}
		}
		f.Close()
		c.fail(errDone)
		<-ended
		c.halt()
		if n := m.mem.Pages(); n != 0 {
			t.Errorf("%d pages are left", n)
		}
	})
}

// Behind a high-speed hub, what was refused once is not refused for ever: the hub
// is told to forget it.
func TestRefusedBehindHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		outer, inner := newHub(usb.High, 4), newHub(usb.Full, 4)
		near, far := newKeyboard(usb.Low), newKeyboard(usb.Full)
		near.refused = map[uint8]bool{10: true, 11: true}
		far.refused = near.refused
		near.texts, far.texts = nil, nil
		outer.plug(2, near)
		outer.plug(3, inner)
		inner.plug(4, far)
		m.plug(1, outer)
		x := run(t, m)
		x.settle()
		m.send(near, 0, 0, 4)
		synctest.Wait()
		m.send(far, 0, 0, 5)
		x.expect("+1-1.2", "+1-1.3.4", "30", "48")
		x.keys.setLEDs(kbd.CapsLock)
		synctest.Wait()
		if len(near.lights) != 1 || len(far.lights) != 1 {
			t.Errorf("lights %v and %v", near.lights, far.lights)
		}
		x.stop()
	})
}

// Devices that do not work are tried a few times and then left alone until they
// are unplugged; others work meanwhile and afterwards.
func TestBrokenDevices(t *testing.T) {
	broken := map[string]func(d *simDevice){
		"no address":        func(d *simDevice) { d.mute = true },
		"no answer":         func(d *simDevice) { d.stuck = true },
		"refuses":           func(d *simDevice) { d.refused = map[uint8]bool{6: true} },
		"no configuration":  func(d *simDevice) { d.refused = map[uint8]bool{9: true} },
		"empty descriptor":  func(d *simDevice) { d.device = nil },
		"odd packet size":   func(d *simDevice) { d.device = deviceDescriptor(0, 7) },
		"short descriptor":  func(d *simDevice) { d.device = d.device[:17] },
		"no interface":      func(d *simDevice) { d.config = configDescriptor() },
		"wrong type":        func(d *simDevice) { d.config = d.device },
		"hub without ports": func(d *simDevice) { *d = *newHub(usb.Full, 0) },
		"hub without endpoint": func(d *simDevice) {
			*d = *newHub(usb.Full, 2)
			d.config = configDescriptor([]byte{9, 4, 0, 0, 0, 9, 0, 0, 0})
		},
	}
	for name, breakIt := range broken {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from := klog.Next()
				m := newSim(t, 4, 0)
				bad, good, later := newKeyboard(usb.Full), newKeyboard(usb.Full), newKeyboard(usb.Low)
				breakIt(bad)
				m.plug(1, bad)
				m.plug(2, good)
				x := run(t, m)
				x.settle()
				x.settle()
				m.plug(3, later)
				x.settle()
				m.send(good, 0, 0, 4)
				x.expect("+1-2", "+1-3", "30")
				x.connected("1-2 keyboard", "1-3 keyboard")
				if n := logged(from, "left alone until it is unplugged"); n != 1 {
					t.Errorf("left alone %d times", n)
				}
				m.unplug(1)
				x.settle()
				m.plug(1, newKeyboard(usb.Full))
				x.settle()
				x.expect("+1-1")
				x.stop()
			})
		})
	}
}

// A connection that comes and goes by itself does not keep the driver busy.
func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		k := newKeyboard(usb.Full)
		m.plug(1, k)
		x := run(t, m)
		for range 50 {
			time.Sleep(time.Second)
			m.mu.Lock()
			m.ports[1].status = m.ports[1].status&^portEnabled | portCSC
			m.portEvent(1)
			m.mu.Unlock()
		}
		x.settle()
		x.connected()
		requests := k.requests
		if requests > 200 {
			t.Errorf("%d requests", requests)
		}
		m.unplug(1)
		x.settle()
		m.plug(1, k)
		x.settle()
		x.connected("1-1 keyboard")
		x.stop()
	})
}

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

// Ports without power are switched on.
func TestPortPower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 1)
		m.unpowered = true
		m.plug(2, newKeyboard(usb.Full))
		x := run(t, m)
		x.settle()
		x.expect("+1-2")
		x.stop()
	})
}

// A SuperSpeed port whose link does not come up gets a warm reset.
func TestWarmReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 1)
		x := run(t, m)
		x.settle()
		d := &simDevice{speed: usb.Super, packet: 512, device: deviceDescriptor(0, 9), config: configDescriptor([]byte{9, 4, 0, 0, 0, 8, 6, 80, 0})}
		m.plug(3, d)
		m.mu.Lock()
		m.ports[3].status &^= portEnabled
		m.mu.Unlock()
		x.settle()
		x.connected("1-3 ")
		x.stop()
	})
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
