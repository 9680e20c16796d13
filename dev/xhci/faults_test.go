package xhci

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/kbd"
	"tamarix/dev/usb"
)

// What goes wrong with devices.

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
