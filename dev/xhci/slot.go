package xhci

import (
	"fmt"
	"sync"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/dma"
	"tamarix/dev/usb"
)

// addressTime is what a device gets after it was given an address (USB 9.2.6.3: 2 ms).
const addressTime = 10 * time.Millisecond

// slot is a device as the controller knows it.
type slot struct {
	c  *controller
	id int
	at usb.Location

	// Immutable; the memory is exchanged with the controller.
	output *dma.Memory // the device context
	in     input       // guarded by control
	data   *dma.Memory // of control transfers; guarded by control

	// control lets one request or change of contexts be under way at a time.
	control sync.Mutex
	packet  int // of endpoint 0

	mu        sync.Mutex // guards what follows
	endpoints [32]*endpoint
	gone      bool // no more transfers: unplugged, closed, or the controller failed
	closed    bool
}

// Open implements [usb.Host]: Enable Slot and Address Device (4.3).
func (c *controller) Open(l usb.Location) (usb.Function, error) {
	if speedID(l.Speed) == 0 || len(l.Route) > 5 {
		return nil, fmt.Errorf("a device of %v speed behind %d hubs", l.Speed, len(l.Route))
	}
	kind := uint32(0)
	if p := c.protocolOf(l.Port); p != nil {
		kind = uint32(p.slotType)
	}
	r, err := c.command(trb{control: trbEnableSlot<<trbTypeShift | kind<<16})
	if err != nil {
		return nil, fmt.Errorf("enable slot: %w", err)
	}
	s := &slot{c: c, id: r.slot(), at: l}
	if s.id == 0 || s.id > c.slots {
		return nil, fmt.Errorf("enable slot: slot %d", s.id)
	}
	if err := s.prepare(); err != nil {
		s.Close()
		return nil, err
	}
	c.mu.Lock()
	c.table[s.id] = s
	c.mu.Unlock()
	if err := s.address(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// prepare makes what a slot needs in memory.
func (s *slot) prepare() (err error) {
	var mem, ring *dma.Memory
	for _, m := range []**dma.Memory{&s.output, &mem, &s.data, &ring} {
		if *m, err = s.c.allocate(dma.PageSize); err != nil {
			s.in.mem = mem
			return err
		}
	}
	s.in = input{mem, s.c.context}
	s.endpoints[1] = &endpoint{s: s, dci: 1, ring: newRing(ring)}
	s.c.contexts.Store64(s.id*8, s.output.Phys(0))
	return nil
}

// setSlot writes the slot context for a device with contexts up to entries.
func (s *slot) setSlot(entries int) {
	l := s.at
	s.in.set(0, 0, routeString(l.Route)|speedID(l.Speed)<<slotSpeedShift|uint32(entries)<<slotEntriesShift)
	s.in.set(0, 1, uint32(l.Port)<<slotPortShift)
	if tt, ok := l.TT.(*slot); ok {
		s.in.set(0, 2, uint32(tt.id)|uint32(l.TTPort)<<slotTTPortShift)
	}
}

// address gives the device its address.
func (s *slot) address() error {
	s.control.Lock()
	defer s.control.Unlock()
	s.packet = defaultPacket(s.at.Speed)
	s.in.begin(1<<0 | 1<<1)
	s.setSlot(1)
	s.in.setRing(1, epTypeControl, 0, 0, uint32(s.packet), s.endpoints[1].ring.at())
	if err := s.inputCommand(trbAddress); err != nil {
		return err
	}
	klog.Debugf("%s: xHCI: slot %d: %v Mbit/s on port %d, route %05x, address %d", s.c.cfg.Name, s.id,
		s.at.Speed, s.at.Port, routeString(s.at.Route), s.output.Load32(12)&0xff)
	time.Sleep(addressTime)
	return nil
}

// open reports whether the slot may still be used: ErrGone if not.
//   - s.control is held, so that Close has not freed the slot's memory, nor will it.
func (s *slot) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return usb.ErrGone
	}
	return nil
}

// inputCommand does a command that has the input context as its parameter.
//   - s.control is held.
func (s *slot) inputCommand(kind int) error {
	_, err := s.c.command(trb{
		param:   s.in.mem.Phys(0),
		control: uint32(kind)<<trbTypeShift | uint32(s.id)<<slotShift,
	})
	return err
}

// SetMaxPacket implements [usb.Function].
func (s *slot) SetMaxPacket(n int) error {
	s.control.Lock()
	defer s.control.Unlock()
	if err := s.open(); err != nil || n == s.packet {
		return err
	}
	s.in.begin(1 << 1)
	s.in.setRing(1, epTypeControl, 0, 0, uint32(n), 0)
	if err := s.inputCommand(trbEvaluate); err != nil {
		return err
	}
	s.packet = n
	return nil
}

// keepSlot puts the controller's slot context into the input context, as its
// next state.
func (s *slot) keepSlot() {
	for w := range 3 {
		s.in.set(0, w, s.output.Load32(w*4))
	}
}

// SetHub implements [usb.Function].
func (s *slot) SetHub(ports, thinkTime int) error {
	s.control.Lock()
	defer s.control.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	s.in.begin(1 << 0)
	s.keepSlot()
	s.in.set(0, 0, s.output.Load32(0)|slotHub)
	s.in.set(0, 1, s.output.Load32(4)&^(0xff<<slotPortsShift)|uint32(ports)<<slotPortsShift)
	if s.at.Speed == usb.High {
		s.in.set(0, 2, s.output.Load32(8)&^(3<<slotThinkShift)|uint32(thinkTime)<<slotThinkShift)
	}
	return s.inputCommand(trbConfigure)
}

// abort ends all transfers, and lets none begin.
func (s *slot) abort() {
	s.mu.Lock()
	s.gone = true
	endpoints := s.endpoints
	s.mu.Unlock()
	for _, e := range endpoints {
		if e != nil {
			e.abort()
		}
	}
}

// Close implements [usb.Function].
func (s *slot) Close() {
	s.abort()
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return
	}
	s.control.Lock() // whoever is in a request leaves soon
	defer s.control.Unlock()
	for dci, e := range s.endpoints {
		if dci > 0 && e != nil && s.state(dci) == epStateRunning {
			s.endpointCommand(trbStopEP, dci, 0)
		}
	}
	_, err := s.c.command(trb{control: trbDisableSlot<<trbTypeShift | uint32(s.id)<<slotShift})
	memory := []*dma.Memory{s.output, s.in.mem, s.data}
	for _, e := range s.endpoints {
		if e != nil {
			memory = append(memory, e.ring.mem, e.buffer)
		}
	}
	s.c.mu.Lock()
	if s.c.table[s.id] == s {
		s.c.table[s.id] = nil
	}
	if err != nil {
		s.c.leftover = append(s.c.leftover, memory...)
		memory = nil
	}
	s.c.mu.Unlock()
	if err != nil {
		return // the controller may know the slot still
	}
	s.c.contexts.Store64(s.id*8, 0)
	for _, m := range memory {
		m.Free()
	}
}

// state returns an endpoint's state as the controller sees it.
func (s *slot) state(dci int) uint32 {
	if s.output == nil {
		return 0
	}
	return s.output.Load32(dci*s.c.context) & epStateMask
}

// endpointCommand does a command about an endpoint.
func (s *slot) endpointCommand(kind, dci int, param uint64) error {
	_, err := s.c.command(trb{
		param:   param,
		control: uint32(kind)<<trbTypeShift | uint32(s.id)<<slotShift | uint32(dci)<<endpointShift,
	})
	return err
}
