package xhci

import (
	"testing"
	"testing/synctest"

	"tamarix/dev/usb"
)

// conversation writes down answers of a device for FuzzDevice: a length, and so
// many bytes.
func conversation(speed usb.Speed, answers ...[]byte) []byte {
	p := []byte{byte(speed - 1)}
	for _, a := range answers {
		p = append(append(p, byte(len(a))), a...)
	}
	return p
}

// FuzzDevice connects a device that says what it likes: to each request, and as
// reports. The driver comes to an end with it, a keyboard beside it works, all
// memory is given back.
func FuzzDevice(f *testing.F) {
	k := newKeyboard(usb.Low)
	language := []byte{4, 3, 9, 4}
	name := []byte{6, 3, 'A', 0, 'B', 0}
	f.Add(conversation(usb.Low, k.device[:8], k.device, k.config[:9], k.config, language, name, name,
		nil, nil, nil, []byte{0, 0, 4}, []byte{1, 1, 1, 1, 1, 1, 1, 1}, nil, []byte{0xff}))
	h := newHub(usb.High, 4)
	port := []byte{1, 1, 1, 0}
	f.Add(conversation(usb.High, h.device[:8], h.device, h.config[:9], h.config, language, name, name, nil,
		[]byte{9, 0x29, 2, 0x20, 0, 10, 0, 0, 0xff}, nil, nil, port, nil, port, port, port, port, port, port, []byte{3, 0, 16, 0}))
	f.Add([]byte{2, 0xff, 0xfe, 18})
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) == 0 || len(p) > 4096 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			m := newSim(t, 4, 0)
			good := newKeyboard(usb.Full)
			d := newKeyboard([]usb.Speed{usb.Low, usb.Full, usb.High}[p[0]%3])
			rest := p[1:]
			next := func() ([]byte, int) {
				if len(rest) == 0 {
					return nil, codeStall
				}
				n := int(rest[0])
				rest = rest[1:]
				switch n {
				case 0xff:
					return nil, codeStall
				case 0xfe:
					return nil, codeTransact
				}
				n = min(n, len(rest))
				a := rest[:n]
				rest = rest[n:]
				return a, codeSuccess
			}
			d.answers = func(s usb.Setup) ([]byte, int) { return next() }
			m.plug(1, d)
			m.plug(2, good)
			x := run(t, m)
			x.settle()
			for range 16 {
				m.mu.Lock()
				data, code := next()
				d.sendLocked(simReport{data, code})
				m.mu.Unlock()
				synctest.Wait()
			}
			x.settle()
			x.keys.mu.Lock()
			x.keys.notes = nil
			x.keys.mu.Unlock()
			m.send(good, 0, 0, 4)
			x.expect("30")
			m.unplug(1)
			x.settle()
			x.connected("1-2 keyboard")
			x.stop()
			for _, n := range x.keys.notes {
				if n == "detached!" {
					t.Error("a key of a keyboard that is not attached")
				}
			}
		})
	})
}
