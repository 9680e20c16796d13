package xhci

import (
	"testing"
	"testing/synctest"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/usb"
)

// What goes wrong with ports, the controller's and those of hubs.

// A device that comes back between the look at a hub's port and the clearing of
// what changed there is found: the hub says nothing more of it.
func TestHubPortChangesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		hub, k := newHub(usb.High, 4), newKeyboard(usb.Low)
		hub.plug(3, k)
		m.plug(1, hub)
		x := run(t, m)
		x.settle()
		m.mu.Lock()
		hub.looked = func(n int) {
			if n == 3 {
				hub.hub[3].device, hub.looked = k, nil
				hub.connect(3)
			}
		}
		m.mu.Unlock()
		hub.unplug(3)
		x.settle()
		m.send(k, 0, 0, 4)
		x.expect("+1-1.3", "-1-1.3", "+1-1.3", "30")
		x.stop()
	})
}

// A plug that bounces for longer than anybody waits is looked at again.
func TestHubPortBounces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		hub, k := newHub(usb.High, 4), newKeyboard(usb.Low)
		m.plug(1, hub)
		x := run(t, m)
		x.settle()
		end := time.Now().Add(2 * time.Second)
		m.mu.Lock()
		hub.looked = func(n int) {
			if n == 3 && time.Now().Before(end) {
				hub.hub[3].change |= 1
			}
		}
		m.mu.Unlock()
		hub.plug(3, k)
		x.settle()
		x.expect("+1-1.3")
		x.stop()
	})
}

// Over-current of a port, and of a hub as a whole, takes the power. It comes back
// afterwards, and the devices with it.
func TestOverCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := klog.Next()
		m := newSim(t, 2, 0)
		hub, k, behind := newHub(usb.High, 4), newKeyboard(usb.Low), newKeyboard(usb.Full)
		hub.plug(3, behind)
		m.plug(1, hub)
		m.plug(2, k)
		x := run(t, m)
		x.settle()
		x.connected("1-1 hub", "1-1.3 keyboard", "1-2 keyboard")
		m.overCurrent(2, true)
		hub.overCurrent(true)
		x.settle()
		x.connected("1-1 hub")
		m.overCurrent(2, false)
		hub.overCurrent(false)
		x.settle()
		x.connected("1-1 hub", "1-1.3 keyboard", "1-2 keyboard")
		m.mu.Lock()
		if hub.own.change != 0 {
			t.Errorf("the hub still says %#x of itself", hub.own.change)
		}
		m.mu.Unlock()
		if n := logged(from, "too much current"); n != 2 {
			t.Errorf("%d warnings", n)
		}
		// A short circuit does not keep the driver busy.
		powered := func() int {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.ports[2].powered
		}
		before := powered()
		for range 10 {
			m.overCurrent(2, true)
			time.Sleep(500 * time.Millisecond)
			m.overCurrent(2, false)
			time.Sleep(500 * time.Millisecond)
		}
		if n := powered() - before; n != 3 {
			t.Errorf("powered %d times", n)
		}
		x.stop()
	})
}

// A SuperSpeed device that fails at first has an address then: it is reset before
// it gets another one.
func TestSuperSpeedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 0, 1)
		d := &simDevice{
			speed: usb.Super, packet: 512, device: deviceDescriptor(0, 9),
			config: configDescriptor([]byte{9, 4, 0, 0, 0, 8, 6, 80, 0}), failures: 1,
		}
		m.plug(1, d)
		x := run(t, m)
		x.settle()
		x.connected("1-1 ")
		x.stop()
	})
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
