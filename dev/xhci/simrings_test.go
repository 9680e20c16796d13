package xhci

import "tamarix/dev/usb"

// The rings of the model: commands and transfers.

// doorbell handles what is on a ring.
//   - m.mu is held.
func (m *sim) doorbell(slot, target int) {
	if m.cmd&commandRun == 0 || m.deaf {
		return
	}
	if slot == 0 {
		m.running = true
		for range ringEntries {
			t := m.loadTRB(m.commandAt)
			if t.control&trbCycle != m.commandCycle || m.wedged {
				return
			}
			if m.hangs != 0 && (m.hangs == t.kind() || m.hangs < 0) {
				m.hangs = -1
				return
			}
			at := m.commandAt
			m.commandAt += trbSize
			if t.kind() == trbLink {
				m.commandAt = t.param
				if t.control&flagToggle != 0 {
					m.commandCycle ^= trbCycle
				}
				continue
			}
			id, code := m.command(t)
			m.event(trb{at, uint32(code) << 24, trbCommandEv<<trbTypeShift | uint32(id)<<slotShift})
		}
		m.t.Error("the command ring has no end")
		return
	}
	if e := m.slots[slot].endpoints[target]; e != nil && (e.state == epStateStopped || e.state == epStateRunning) {
		m.setState(slot, target, epStateRunning)
		m.transfers(slot, target)
	}
}

func (m *sim) setState(slot, dci int, state uint32) {
	s := &m.slots[slot]
	s.endpoints[dci].state = state
	m.store32(s.output+uint64(dci*m.context), state)
}

// command carries out a command.
func (m *sim) command(t trb) (id, code int) {
	id = t.slot()
	if t.kind() == trbNoOp {
		return 0, codeSuccess
	}
	if t.kind() == trbEnableSlot {
		for id = 1; id <= simSlots; id++ {
			if !m.slots[id].enabled {
				m.slots[id] = simSlot{enabled: true}
				return id, codeSuccess
			}
		}
		return 0, codeNoSlots
	}
	if id == 0 || id > simSlots || !m.slots[id].enabled {
		m.t.Errorf("command %d for slot %d, which is not enabled", t.kind(), id)
		return id, 11
	}
	s := &m.slots[id]
	dci := t.endpoint()
	switch t.kind() {
	case trbDisableSlot:
		for n := range m.slots {
			if o := &m.slots[n]; o.device != nil && o.context[2]&0xff == uint32(id) {
				m.t.Errorf("slot %d is disabled, slot %d is reached through it", id, n)
			}
		}
		if s.device != nil {
			s.device.slot = 0
		}
		m.slots[id] = simSlot{}
	case trbAddress:
		return id, m.address(id, t.param)
	case trbEvaluate:
		s.endpoints[1].packet = int(m.load32(t.param+uint64(2*m.context)+4) >> epPacketShift)
	case trbConfigure:
		return id, m.configure(id, t.param)
	case trbResetEP, trbStopEP, trbSetDequeue:
		e := s.endpoints[dci]
		if e == nil {
			return id, 12
		}
		want := map[int]uint32{trbResetEP: epStateHalted, trbStopEP: epStateRunning, trbSetDequeue: epStateStopped}[t.kind()]
		if e.state != want {
			return id, 19
		}
		if t.kind() == trbSetDequeue {
			e.dequeue, e.cycle = t.param&^15, uint32(t.param)&1
		}
		m.setState(id, dci, epStateStopped)
	default:
		m.t.Errorf("command %d", t.kind())
		return id, 5
	}
	return id, codeSuccess
}

// address gives the device an address that a slot context leads to.
func (m *sim) address(id int, input uint64) int {
	s := &m.slots[id]
	s.output = m.load64(m.dcbaap + uint64(id*8))
	if m.load32(input+4) != 3 {
		m.t.Errorf("Address Device adds %#x", m.load32(input+4))
	}
	for w := range s.context {
		s.context[w] = m.load32(input + uint64(m.context+w*4))
	}
	d := m.find(s.context)
	if d == nil || !d.ready || d.mute {
		return codeTransact
	}
	if speedID(d.speed) != s.context[0]>>slotSpeedShift&15 {
		m.t.Errorf("speed %d for a device of %v Mbit/s", s.context[0]>>slotSpeedShift&15, d.speed)
	}
	m.checkTT(d, s.context)
	s.device, d.slot, d.ready = d, id, false
	m.addEndpoint(id, 1, input)
	for w, v := range s.context {
		if w == 3 {
			v = uint32(id) | 2<<27 // address, Addressed
		}
		m.store32(s.output+uint64(w*4), v)
	}
	return codeSuccess
}

// checkTT checks the fields about the translator against where the device is.
func (m *sim) checkTT(d *simDevice, context [4]uint32) {
	want := uint32(0)
	if hub, port := d.translator(); hub != nil {
		want = uint32(hub.slot) | uint32(port)<<slotTTPortShift
	}
	if context[2]&0xffff != want {
		m.t.Errorf("translator %#x, want %#x", context[2]&0xffff, want)
	}
}

func (m *sim) addEndpoint(id, dci int, input uint64) {
	s := &m.slots[id]
	at := input + uint64((dci+1)*m.context)
	w1, ring := m.load32(at+4), m.load64(at+8)
	s.endpoints[dci] = &simEndpoint{
		dequeue: ring &^ 15, cycle: uint32(ring) & 1, kind: w1 >> epTypeShift & 7, packet: int(w1 >> epPacketShift),
	}
	for w := range 5 {
		m.store32(s.output+uint64(dci*m.context+w*4), m.load32(at+uint64(w*4)))
	}
	m.setState(id, dci, epStateRunning)
}

func (m *sim) configure(id int, input uint64) int {
	s := &m.slots[id]
	add := m.load32(input + 4)
	if add&1 == 0 {
		m.t.Error("Configure Endpoint without the slot context")
	}
	last := 1
	for dci := 2; dci < 32; dci++ {
		if add>>dci&1 != 0 {
			m.addEndpoint(id, dci, input)
		}
		if s.endpoints[dci] != nil {
			last = dci
		}
	}
	w0 := m.load32(input + uint64(m.context))
	if int(w0>>slotEntriesShift) < last {
		m.t.Errorf("%d context entries, endpoint %d", w0>>slotEntriesShift, last)
	}
	for w := range 3 {
		m.store32(s.output+uint64(w*4), m.load32(input+uint64(m.context+w*4)))
	}
	return codeSuccess
}

// find returns the device that a slot context leads to.
func (m *sim) find(context [4]uint32) *simDevice {
	n := int(context[1] >> slotPortShift & 0xff)
	if n == 0 || n >= len(m.ports) {
		return nil
	}
	d := m.ports[n].device
	for route := context[0] & 0xfffff; route != 0 && d != nil; route >>= 4 {
		if d.hub == nil || int(route&15) >= len(d.hub) {
			return nil
		}
		d = d.hub[route&15].device
	}
	return d
}

// transfers handles what is on an endpoint's ring.
func (m *sim) transfers(id, dci int) {
	s := &m.slots[id]
	e := s.endpoints[dci]
	var setup usb.Setup
	var data []byte
	var dataAt uint64
	refuse := func(at uint64, code int) {
		if dci == 1 && s.device != nil {
			if hub, _ := s.device.translator(); hub != nil {
				hub.stale[uint16(id)<<4], hub.stale[uint16(id)<<4|1<<15] = true, true
			}
		}
		m.event(trb{at, uint32(code) << 24, trbTransferEv<<trbTypeShift | uint32(dci)<<endpointShift | uint32(id)<<slotShift})
		m.setState(id, dci, epStateHalted)
	}
	for e.state == epStateRunning {
		t := m.loadTRB(e.dequeue)
		if t.control&trbCycle != e.cycle {
			return
		}
		at := e.dequeue
		d := m.find(s.context)
		if d != s.device || d == nil || d.mute {
			if d != nil && d.mute {
				return // nothing comes
			}
			refuse(at, codeTransact)
			return
		}
		if dci > 1 && t.kind() == trbNormal && len(d.reports) == 0 {
			return // asked again and again
		}
		e.dequeue += trbSize
		done := func(code, left int) {
			m.event(trb{at, uint32(code)<<24 | uint32(left), trbTransferEv<<trbTypeShift | uint32(dci)<<endpointShift | uint32(id)<<slotShift})
		}
		switch t.kind() {
		case trbLink:
			e.dequeue = t.param
			if t.control&flagToggle != 0 {
				e.cycle ^= trbCycle
			}
		case trbSetup:
			p := t.param
			setup = usb.Setup{Type: uint8(p), Request: uint8(p >> 8), Value: uint16(p >> 16), Index: uint16(p >> 32), Length: uint16(p >> 48)}
			data, dataAt = nil, 0
			if t.status != 8 || t.control&flagImmediate == 0 {
				m.t.Error("setup stage")
			}
			if d.stuck {
				return
			}
			if hub, _ := d.translator(); hub != nil && (hub.stale[uint16(id)<<4] || hub.stale[uint16(id)<<4|1<<15]) {
				refuse(at, codeStall) // the old answer
				return
			}
		case trbData, trbStatus:
			n := int(t.status & 0x1ffff)
			if t.kind() == trbData {
				mem, off := m.mem.At(t.param, n)
				if mem == nil || n != int(setup.Length) || n == 0 || (t.control&flagIn != 0) != setup.In() {
					m.t.Errorf("data stage: %d bytes at %#x", n, t.param)
					return
				}
				dataAt = t.param
				if !setup.In() {
					data = append(data, mem.Bytes()[off:off+n]...)
					break
				}
			} else if setup.In() && setup.Length > 0 {
				done(codeSuccess, 0)
				break
			}
			if d.answers == nil && e.packet != d.packet && e.packet != defaultPacket(d.speed) {
				m.t.Errorf("packets of %d bytes, the device has %d", e.packet, d.packet)
			}
			answer, code := d.request(setup, data)
			if code != codeSuccess {
				refuse(at, code)
				return
			}
			if t.kind() == trbData {
				answer = answer[:min(n, len(answer))]
				mem, off := m.mem.At(dataAt, n)
				copy(mem.Bytes()[off:], answer)
				if len(answer) < n {
					done(codeShort, n-len(answer))
				}
			} else {
				done(codeSuccess, 0)
			}
		case trbNormal:
			r := d.reports[0]
			d.reports = d.reports[1:]
			if r.code != codeSuccess {
				refuse(at, r.code)
				return
			}
			size := int(t.status & 0x1ffff)
			mem, off := m.mem.At(t.param, size)
			if mem == nil {
				m.t.Errorf("buffer at %#x", t.param)
				return
			}
			n := copy(mem.Bytes()[off:off+size], r.data)
			if n < size {
				done(codeShort, size-n)
			} else {
				done(codeSuccess, 0)
			}
		default:
			m.t.Errorf("TRB %d on a transfer ring", t.kind())
			return
		}
	}
}
