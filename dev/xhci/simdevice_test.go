package xhci

import (
	"encoding/binary"
	"unicode/utf16"

	"tamarix/dev/usb"
)

// The devices of the model.

type simReport struct {
	data []byte
	code int
}

type simDevice struct {
	m       *sim
	speed   usb.Speed
	packet  int
	device  []byte
	config  []byte
	texts   []string
	refused map[uint8]bool                  // requests that are stalled
	garbled map[uint8]bool                  // requests that end in a transaction error
	mute    bool                            // answers nothing: transfers never end, no address
	stuck   bool                            // takes an address, then never ends a control transfer
	hub     []simHubPort                    // [0] is not used; nil: no hub
	answers func(s usb.Setup) ([]byte, int) // if set, answers all requests
	parent  *simDevice
	port    int

	ready      bool // was reset, has no address
	slot       int
	reports    []simReport
	lights     []byte
	configured uint8
	protocol   int
	requests   int
	failures   int             // so many requests are refused before it works
	own        simHubPort      // a hub's own status
	looked     func(n int)     // called after the status of a hub's port was read
	stale      map[uint16]bool // what a hub's translator has not forgotten, as it is asked to
}

type simHubPort struct {
	device         *simDevice
	status, change uint16
}

func (d *simDevice) reset() {
	d.ready, d.slot, d.configured, d.protocol = true, 0, 0, 1
	d.reports, d.stale = nil, map[uint16]bool{}
	for i := range d.hub {
		d.hub[i].status, d.hub[i].change = 0, 0
	}
}

func deviceDescriptor(class uint8, packet int) []byte {
	return []byte{18, 1, 0, 2, class, 0, 0, byte(packet), 0x27, 6, 1, 0, 0, 1, 1, 2, 0, 1}
}

func configDescriptor(interfaces ...[]byte) []byte {
	c := []byte{9, 2, 0, 0, byte(len(interfaces)), 1, 0, 0xa0, 50}
	for _, i := range interfaces {
		c = append(c, i...)
	}
	binary.LittleEndian.PutUint16(c[2:], uint16(len(c)))
	return c
}

// keyboardInterface has a HID descriptor before its endpoint, as real ones have.
func keyboardInterface(number, endpoint uint8) []byte {
	return []byte{
		9, 4, number, 0, 1, 3, 1, 1, 0,
		9, 0x21, 0x11, 1, 0, 1, 0x22, 63, 0,
		7, 5, 0x80 | endpoint, 3, 8, 0, 10,
	}
}

func newKeyboard(s usb.Speed) *simDevice {
	packet := map[usb.Speed]int{usb.Low: 8, usb.Full: 32, usb.High: 64}[s]
	return &simDevice{
		speed: s, packet: packet, device: deviceDescriptor(0, packet),
		config: configDescriptor(keyboardInterface(0, 1)), texts: []string{"Maker", "Keys"},
	}
}

func newHub(s usb.Speed, ports int) *simDevice {
	return &simDevice{
		speed: s, packet: 64, device: deviceDescriptor(9, 64), texts: []string{"Maker", "Hub"},
		config: configDescriptor([]byte{9, 4, 0, 0, 1, 9, 0, 0, 0, 7, 5, 0x81, 3, 1, 0, 12}),
		hub:    make([]simHubPort, ports+1),
	}
}

// request answers a control transfer.
//   - m.mu is held.
func (d *simDevice) request(s usb.Setup, data []byte) ([]byte, int) {
	d.requests++
	if d.answers != nil {
		return d.answers(s)
	}
	if d.failures > 0 {
		d.failures--
		return nil, codeStall
	}
	if d.refused[s.Request] {
		return nil, codeStall
	}
	if d.garbled[s.Request] {
		return nil, codeTransact
	}
	switch {
	case s.Type == 0x80 && s.Request == 6:
		switch s.Value >> 8 {
		case 1:
			return d.device, codeSuccess
		case 2:
			return d.config, codeSuccess
		case 3:
			n := int(s.Value & 0xff)
			if n == 0 {
				return []byte{4, 3, 9, 4}, codeSuccess
			}
			if n > len(d.texts) {
				return nil, codeStall
			}
			u := utf16.Encode([]rune(d.texts[n-1]))
			p := []byte{byte(2 + 2*len(u)), 3}
			for _, c := range u {
				p = append(p, byte(c), byte(c>>8))
			}
			return p, codeSuccess
		}
	case s.Type == 0 && s.Request == 9:
		d.configured = uint8(s.Value)
		return nil, codeSuccess
	case s.Type == 0x21 && s.Request == 9:
		d.lights = append(d.lights, data...)
		return nil, codeSuccess
	case s.Type == 0x21 && s.Request == 11:
		d.protocol = int(s.Value)
		return nil, codeSuccess
	case s.Type == 0x21 && s.Request == 10, s.Type == 2 && s.Request == 1:
		return nil, codeSuccess
	case d.hub != nil:
		return d.hubRequest(s)
	}
	return nil, codeStall
}

func (d *simDevice) hubRequest(s usb.Setup) ([]byte, int) {
	n := int(s.Index & 0xff)
	switch {
	case s.Type == 0xa0 && s.Request == 6:
		return []byte{9, 0x29, byte(len(d.hub) - 1), 0x20, 0, 10, 0, 0, 0xff}, codeSuccess
	case s.Type == 0xa0 && s.Request == 0:
		return []byte{byte(d.own.status), 0, byte(d.own.change), 0}, codeSuccess
	case s.Type == 0x20 && s.Request == 1:
		d.own.change &^= 1 << s.Value
		return nil, codeSuccess
	case n == 0 || n >= len(d.hub) || d.configured == 0:
		return nil, codeStall
	case s.Type == 0xa3 && s.Request == 0:
		p := &d.hub[n]
		answer := []byte{byte(p.status), byte(p.status >> 8), byte(p.change), byte(p.change >> 8)}
		if d.looked != nil {
			d.looked(n)
		}
		return answer, codeSuccess
	case s.Type == 0x23 && s.Request == 3:
		p := &d.hub[n]
		switch s.Value {
		case 8: // power
			p.status |= 1 << 8
			d.connect(n)
		case 4: // reset
			if p.device != nil {
				p.device.reset()
				p.status |= 1 << 1
				p.status &^= 3 << 9
				p.status |= map[usb.Speed]uint16{usb.Low: 1 << 9, usb.High: 1 << 10}[p.device.speed]
				p.change |= 1 << 4
			}
		}
		return nil, codeSuccess
	case s.Type == 0x23 && s.Request == 8: // translator's buffer; slots are addresses
		if n == 1 {
			delete(d.stale, s.Value)
		}
		return nil, codeSuccess
	case s.Type == 0x23 && s.Request == 1:
		if s.Value >= 16 {
			d.hub[n].change &^= 1 << (s.Value - 16)
		}
		return nil, codeSuccess
	}
	return nil, codeStall
}

func (d *simDevice) connect(n int) {
	p := &d.hub[n]
	if p.device != nil && p.status&(1<<8) != 0 && p.status&1 == 0 {
		p.status |= 1
		p.change |= 1
	}
}

// translator returns the hub that translates for a device, nil if none does.
func (d *simDevice) translator() (hub *simDevice, port int) {
	if d.speed > usb.Full {
		return nil, 0
	}
	for hub, port = d.parent, d.port; hub != nil && hub.speed != usb.High; {
		hub, port = hub.parent, hub.port
	}
	return hub, port
}

// join says that the device, and what is behind it, hangs on m.
func (d *simDevice) join(m *sim) {
	d.m = m
	for _, p := range d.hub {
		if p.device != nil {
			p.device.join(m)
		}
	}
}

// plug connects a device behind the hub.
func (d *simDevice) plug(n int, child *simDevice) {
	child.parent, child.port = d, n
	if d.m == nil {
		d.hub[n].device = child
		return
	}
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	child.join(d.m)
	d.hub[n].device = child
	d.connect(n)
	d.changed(n)
}

// unplug takes a device from the hub.
func (d *simDevice) unplug(n int) {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.hub[n].device = nil
	d.hub[n].status &^= 3
	d.hub[n].change |= 1
	d.changed(n)
}

// overCurrent takes the power of all ports of a hub and says why, or says that it
// is over.
func (d *simDevice) overCurrent(on bool) {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.own = simHubPort{change: 1 << 1}
	if on {
		d.own.status = 1 << 1
		for n := range d.hub {
			d.hub[n].change |= d.hub[n].status & 1
			d.hub[n].status = 0
		}
	}
	d.changed(0)
}

func (d *simDevice) changed(n int) { d.sendLocked(simReport{[]byte{1 << n}, codeSuccess}) }

// send queues a report, as if it had been typed.
func (m *sim) send(d *simDevice, data ...byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d.sendLocked(simReport{data, codeSuccess})
}

// failure queues an error of the interrupt endpoint.
func (m *sim) failure(d *simDevice, code int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d.sendLocked(simReport{nil, code})
}

func (d *simDevice) sendLocked(r simReport) {
	d.reports = append(d.reports, r)
	if d.slot == 0 {
		return
	}
	for dci, e := range d.m.slots[d.slot].endpoints {
		if dci > 1 && e != nil && e.state == epStateRunning {
			d.m.transfers(d.slot, dci)
		}
	}
}
