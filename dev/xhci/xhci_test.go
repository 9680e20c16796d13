package xhci

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/dma"
	"tamarix/dev/kbd"
	"tamarix/dev/usb"
)

// fakeKeys notes what keyboards do: "+1-1" attached, "30" down, "-30" up, "-1-1"
// detached.
type fakeKeys struct {
	mu    sync.Mutex // guards the rest
	notes []string
	live  map[kbd.Device]bool
}

func (f *fakeKeys) note(format string, a ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, a...))
}

func (f *fakeKeys) Attach(d kbd.Device) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live[d] = true
	f.note("+%s", strings.TrimPrefix(d.Name(), "usb "))
}

func (f *fakeKeys) Detach(d kbd.Device) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.live, d)
	f.note("-%s", strings.TrimPrefix(d.Name(), "usb "))
}

func (f *fakeKeys) Key(d kbd.Device, code kbd.Code, down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.live[d] {
		f.note("detached!")
	}
	if down {
		f.note("%d", code)
	} else {
		f.note("-%d", code)
	}
}

// setLEDs sets the lights of all keyboards.
func (f *fakeKeys) setLEDs(l kbd.LEDs) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for d := range f.live {
		d.SetLEDs(l)
	}
}

// machine is a controller of the model with the driver on it.
type machine struct {
	*sim
	t     *testing.T
	keys  *fakeKeys
	done  chan struct{}
	ended chan struct{}
	quiet bool
	taken int

	mu2     sync.Mutex // guards devices
	devices []string
}

// run starts the driver.
func run(t *testing.T, m *sim) *machine {
	return runOn(t, m, m.mem)
}

func runOn(t *testing.T, m *sim, mem dma.Allocator) *machine {
	x := &machine{
		sim: m, t: t, keys: &fakeKeys{live: map[kbd.Device]bool{}},
		done: make(chan struct{}), ended: make(chan struct{}),
	}
	go func() {
		defer close(x.ended)
		Run(Config{
			Name: "test", Number: 1, Registers: m, Memory: mem, Keys: x.keys, Interrupt: m.interrupt, Done: x.done,
			Quiet: func() { x.quiet = true },
			Taken: func() {
				if x.taken++; m.Read32(simExt)&legacyFirmware != 0 {
					t.Error("the firmware has the controller still")
				}
			},
			Changed: func(d usb.Info, connected bool) {
				x.mu2.Lock()
				defer x.mu2.Unlock()
				if connected {
					x.devices = append(x.devices, d.Name+" "+d.Driver)
				} else {
					x.devices = slices.DeleteFunc(x.devices, func(s string) bool { return strings.HasPrefix(s, d.Name+" ") })
				}
			},
		})
	}()
	return x
}

// settle lets the driver do what there is to do.
func (x *machine) settle() {
	time.Sleep(20 * time.Second)
	synctest.Wait()
}

// expect checks what the keyboards did since the last call.
func (x *machine) expect(want ...string) {
	x.t.Helper()
	synctest.Wait()
	x.keys.mu.Lock()
	got := x.keys.notes
	x.keys.notes = nil
	x.keys.mu.Unlock()
	if !slices.Equal(got, want) {
		x.t.Errorf("keys: %q, want %q", got, want)
	}
}

// connected checks which devices are known.
func (x *machine) connected(want ...string) {
	x.t.Helper()
	x.mu2.Lock()
	defer x.mu2.Unlock()
	got := slices.Sorted(slices.Values(x.devices))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		x.t.Errorf("devices: %q, want %q", got, want)
	}
}

// stop ends the driver, which must give all memory back.
func (x *machine) stop() {
	x.t.Helper()
	close(x.done)
	<-x.ended
	synctest.Wait()
	if n := x.mem.Pages(); n != 0 || !x.quiet {
		x.t.Errorf("%d pages are left, quiet %v", n, x.quiet)
	}
	x.connected()
}

// logged returns how many records since a number contain a text.
func logged(since uint64, text string) (n int) {
	for {
		r, next, ok := klog.Read(since)
		if !ok {
			return n
		}
		if strings.Contains(r.Text, text) {
			n++
		}
		since = next
	}
}

func TestKeyboard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 4, 2)
		k := newKeyboard(usb.Low)
		m.plug(2, k)
		x := run(t, m)
		x.settle()
		x.expect("+1-2")
		x.connected("1-2 keyboard")
		if k.configured != 1 || k.protocol != 0 {
			t.Errorf("configuration %d, protocol %d", k.configured, k.protocol)
		}
		m.send(k, 0x02, 0, 4, 0, 0, 0, 0, 0)
		m.send(k, 0x02, 0, 4, 5, 0, 0, 0, 0)
		m.send(k, 0, 0, 1, 1, 1, 1, 1, 1) // too many keys: only Shift is known to be up
		m.send(k, 0, 0, 5, 0, 0, 0, 0, 0)
		m.send(k, 0, 0, 0, 0, 0, 0, 0, 0)
		x.expect("42", "30", "48", "-42", "-30", "-48")
		x.keys.setLEDs(kbd.NumLock | kbd.CapsLock)
		synctest.Wait()
		if !slices.Equal(k.lights, []byte{3}) {
			t.Errorf("lights %v", k.lights)
		}
		x.stop()
		x.expect("-1-2")
	})
}

// The ring of an endpoint has 255 entries and one that leads to the first.
func TestManyReports(t *testing.T) {
	for _, wide := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := newSim(t, 2, 0)
			if wide {
				m.wide, m.context, m.mem = true, 64, dma.NewArena(0x12_3456_7000, 0)
			}
			k := newKeyboard(usb.High)
			m.plug(1, k)
			x := run(t, m)
			x.settle()
			x.expect("+1-1")
			for range 700 {
				m.send(k, 0, 0, 4)
				m.send(k, 0, 0, 0)
				x.expect("30", "-30")
			}
			// Control transfers wrap too: three entries each.
			for i := range 300 {
				x.keys.setLEDs(kbd.LEDs(i) % 8)
				synctest.Wait()
			}
			if len(k.lights) != 300 {
				t.Errorf("%d times lights", len(k.lights))
			}
			x.stop()
		})
	}
}

func TestAddressesBelow4G(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		m.mem = dma.NewArena(0x1_0000_0000, 0) // all of it out of reach
		x := run(t, m)
		<-x.ended
		if m.starts != 0 {
			t.Errorf("started %d times", m.starts)
		}
	})
}

// halves is memory on both sides of 4 GiB.
type halves struct{ low, high *dma.Arena }

func (h halves) Alloc(size int, limit uint64) (*dma.Memory, error) {
	if limit != 0 {
		return h.low.Alloc(size, limit)
	}
	return h.high.Alloc(size, 0)
}

// A controller that claims to reach all of memory is not relied upon where there
// is memory that it reaches in any case.
func TestPrefersLowMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		m.wide = true // and knows m.mem alone
		k := newKeyboard(usb.Full)
		m.plug(1, k)
		x := runOn(t, m, halves{m.mem, dma.NewArena(0x1_0000_0000, 0)})
		x.settle()
		m.send(k, 0, 0, 4)
		x.expect("+1-1", "30")
		x.stop()
	})
}

func TestHubs(t *testing.T) {
	for _, speed := range []usb.Speed{usb.Full, usb.High} {
		synctest.Test(t, func(t *testing.T) {
			m := newSim(t, 4, 0)
			hub, inner := newHub(speed, 4), newHub(usb.Full, 7)
			early, late := newKeyboard(usb.Low), newKeyboard(usb.Full)
			hub.plug(3, early)
			m.plug(1, hub)
			x := run(t, m)
			x.settle()
			x.expect("+1-1.3")
			hub.plug(2, inner)
			x.settle()
			inner.plug(7, late)
			x.settle()
			x.expect("+1-1.2.7")
			x.connected("1-1 hub", "1-1.2 hub", "1-1.2.7 keyboard", "1-1.3 keyboard")
			m.send(late, 0, 0, 4)
			synctest.Wait()
			m.send(early, 0, 0, 5)
			synctest.Wait()
			// Unplugged while a key is held, and plugged in again.
			hub.unplug(3)
			x.settle()
			x.expect("30", "48", "-1-1.3")
			hub.plug(3, early)
			x.settle()
			m.send(early, 0, 0, 6)
			x.expect("+1-1.3", "46")
			// The outer hub goes, with all behind it.
			m.unplug(1)
			x.settle()
			x.connected()
			x.keys.mu.Lock()
			slices.Sort(x.keys.notes)
			x.keys.mu.Unlock()
			x.expect("-1-1.2.7", "-1-1.3")
			m.plug(2, hub)
			x.settle()
			x.connected("1-2 hub", "1-2.2 hub", "1-2.2.7 keyboard", "1-2.3 keyboard")
			x.stop()
		})
	}
}

// Six hubs in a row are one more than there may be.
func TestTooManyHubs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 1, 0)
		top := newHub(usb.High, 2)
		for h, i := top, 0; i < 5; i++ {
			next := newHub(usb.High, 2)
			h.plug(1, next)
			if i == 3 {
				next.plug(2, newKeyboard(usb.Low))
			}
			h = next
		}
		m.plug(1, top)
		x := run(t, m)
		x.settle()
		x.expect("+1-1.1.1.1.1.2")
		x.connected("1-1 hub", "1-1.1 hub", "1-1.1.1 hub", "1-1.1.1.1 hub", "1-1.1.1.1.1 hub", "1-1.1.1.1.1.1 ", "1-1.1.1.1.1.2 keyboard")
		x.stop()
	})
}

func TestUnplugWithKeysDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 2, 0)
		k := newKeyboard(usb.Full)
		x := run(t, m)
		for range 3 { // the order in which a user does it
			m.plug(2, k)
			x.settle()
			m.send(k, 0, 0, 4)
			synctest.Wait()
			m.unplug(2)
			x.settle()
			x.expect("+1-2", "30", "-1-2")
		}
		x.stop()
	})
}

// A storage device and a mouse are named and left alone; a device with several
// interfaces gives the keyboards among them.
func TestOtherDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSim(t, 4, 1)
		mouse := newKeyboard(usb.Low)
		mouse.config = slices.Clone(mouse.config)
		mouse.config[9+7] = 2 // protocol
		disk := &simDevice{
			speed: usb.Super, packet: 512, device: deviceDescriptor(0, 9),
			config: configDescriptor([]byte{9, 4, 0, 0, 2, 8, 6, 80, 0, 7, 5, 0x81, 2, 0, 4, 0, 6, 0x30, 15, 0, 0, 0, 7, 5, 2, 2, 0, 4, 0}),
		}
		combo := newKeyboard(usb.Full)
		vendor := []byte{9, 4, 1, 0, 1, 0xff, 0, 0, 0, 7, 5, 0x82, 3, 64, 0, 1}
		combo.config = configDescriptor(vendor, keyboardInterface(2, 3), keyboardInterface(4, 5))
		m.plug(1, mouse)
		m.plug(2, combo)
		m.plug(5, disk)
		x := run(t, m)
		x.settle()
		x.expect("+1-2", "+1-2")
		x.connected("1-1 ", "1-2 keyboard", "1-5 ")
		if mouse.configured != 0 || disk.configured != 0 {
			t.Error("a device that is not driven was configured")
		}
		x.stop()
	})
}
