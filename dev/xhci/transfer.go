package xhci

import (
	"errors"
	"fmt"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/dma"
	"tamarix/dev/usb"
)

// listenBuffers is how many transfers of an interrupt endpoint are under way, so
// that none of its reports waits for the driver.
const listenBuffers = 4

// endpoint is an endpoint that is used. Its fields are guarded by slot.mu, apart
// from those that do not change.
type endpoint struct {
	s    *slot
	dci  int
	ring *ring

	wait *request // a control transfer under way

	// Of an endpoint that is listened to.
	listen  func(data []byte, err error)
	size    int // of one buffer
	buffer  *dma.Memory
	waiting []uint64 // TRBs under way, the oldest first; TRB n uses buffer first+n
	first   int
	failed  bool // until Resume
}

// request is a control transfer under way.
type request struct {
	data, status uint64 // TRBs; data 0: there is none
	setup        uint64
	left         int // of the data, that did not come or go
	result       chan error
}

// Control implements [usb.Function].
func (s *slot) Control(setup usb.Setup, data []byte, limit time.Duration) (int, error) {
	if len(data) != int(setup.Length) || len(data) > usb.MaxTransfer {
		return 0, fmt.Errorf("a transfer of %d bytes", len(data))
	}
	s.control.Lock()
	defer s.control.Unlock()
	if !setup.In() {
		copy(s.data.Bytes(), data)
	}
	r, err := s.submit(setup)
	if err != nil {
		return 0, err
	}
	err = s.finish(r, limit)
	if err != nil {
		return 0, err
	}
	n := len(data) - min(r.left, len(data))
	if setup.In() {
		copy(data[:n], s.data.Bytes())
	}
	return n, nil
}

// submit puts a request on endpoint 0's ring (4.11.2.2): up to three stages.
func (s *slot) submit(setup usb.Setup) (*request, error) {
	b := setup.Bytes()
	packet := uint64(0)
	for i, v := range b {
		packet |= uint64(v) << (8 * i)
	}
	kind, dataDir, statusDir := uint32(0), uint32(0), uint32(flagIn)
	if setup.Length > 0 {
		kind = setupOut
		if setup.In() {
			kind, dataDir, statusDir = setupIn, flagIn, 0
		}
	}
	list := []trb{{param: packet, status: 8, control: trbSetup<<trbTypeShift | flagImmediate | kind}}
	if setup.Length > 0 {
		list = append(list, trb{
			param: s.data.Phys(0), status: uint32(setup.Length),
			control: trbData<<trbTypeShift | flagShort | dataDir,
		})
	}
	list = append(list, trb{control: trbStatus<<trbTypeShift | flagInterrupt | statusDir})

	r := &request{result: make(chan error, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil, usb.ErrGone
	}
	e := s.endpoints[1]
	where := e.ring.push(list...)
	r.setup, r.status = where[0], where[len(where)-1]
	if len(where) == 3 {
		r.data = where[1]
	}
	e.wait = r
	s.c.ring(s.id, 1)
	return r, nil
}

// finish waits for the end of a request. After an error, endpoint 0 is made fit
// for the next one.
//   - s.control is held.
func (s *slot) finish(r *request, limit time.Duration) error {
	kick := time.NewTimer(min(kickTime, limit/2))
	defer kick.Stop()
	end := time.NewTimer(limit)
	defer end.Stop()
	var err error
	for waiting := true; waiting; {
		select {
		case err = <-r.result:
			waiting = false
		case <-kick.C:
			s.c.look()
		case <-end.C:
			err, waiting = usb.ErrTimeout, false
		}
	}
	if err == nil || errors.Is(err, usb.ErrGone) {
		return err
	}
	s.mu.Lock()
	s.endpoints[1].wait = nil
	s.mu.Unlock()
	if e := s.clear(s.endpoints[1]); e != nil && !errors.Is(e, usb.ErrGone) {
		klog.Debugf("%s: xHCI: slot %d: endpoint 0: %v", s.c.cfg.Name, s.id, e)
	}
	s.clearTT()
	return err
}

// ttTime is how long a hub may take to clear its translator's buffer.
const ttTime = time.Second

// clearTT has the hub that translates for a device forget a control transfer that
// ended badly (USB 11.17.5): else it may give the old answer to the next one.
//   - s.control is held.
func (s *slot) clearTT() {
	tt, ok := s.at.TT.(*slot)
	if !ok {
		return
	}
	address := uint8(s.output.Load32(12)) // as the controller gave it (6.2.2)
	for _, in := range []bool{false, true} {
		if _, err := tt.Control(usb.ClearTTBuffer(address, in), nil, ttTime); err != nil {
			klog.Debugf("%s: xHCI: slot %d: its hub's translator: %v", s.c.cfg.Name, s.id, err)
			return
		}
	}
}

// clear brings an endpoint to rest and has it go on, at the next doorbell, with
// what will be put on its ring from now on (4.6.8, 4.6.9, 4.6.10).
//   - s.control is held.
func (s *slot) clear(e *endpoint) error {
	for range 3 {
		var err error
		switch s.state(e.dci) {
		case epStateRunning:
			err = s.endpointCommand(trbStopEP, e.dci, 0)
		case epStateHalted:
			err = s.endpointCommand(trbResetEP, e.dci, 0)
		case epStateStopped, epStateError:
			s.mu.Lock()
			at := e.ring.at()
			s.mu.Unlock()
			return s.endpointCommand(trbSetDequeue, e.dci, at)
		default:
			return errors.New("the endpoint is disabled")
		}
		// The state may have changed between the look and the command.
		if code := codeError(0); err != nil && !errors.As(err, &code) {
			return err
		}
	}
	return errors.New("the endpoint does not come to rest")
}

// Listen implements [usb.Function].
func (s *slot) Listen(e usb.Endpoint, f func(data []byte, err error)) error {
	if !e.In() || e.Kind != usb.EndpointInterrupt {
		return errors.New("not an interrupt endpoint that gives data")
	}
	s.control.Lock()
	defer s.control.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	dci := index(e)
	if s.endpoints[dci] != nil {
		return errors.New("the endpoint is used twice")
	}
	size := e.MaxPacket * (e.Burst + 1)
	ring, err := s.c.allocate(dma.PageSize)
	if err != nil {
		return err
	}
	// A buffer does not cross 64 KiB (6.4.1): all of them together are smaller.
	buffer, err := s.c.allocate(size * listenBuffers)
	if err != nil {
		ring.Free()
		return err
	}
	ep := &endpoint{s: s, dci: dci, ring: newRing(ring), listen: f, size: size, buffer: buffer}
	s.in.begin(1<<0 | 1<<dci)
	s.keepSlot()
	entries := max(int(s.output.Load32(0)>>slotEntriesShift), dci)
	s.in.set(0, 0, s.output.Load32(0)&^(uint32(slotEntriesMask))|uint32(entries)<<slotEntriesShift)
	s.in.setRing(dci, epTypeInterruptIn, interval(e, s.at.Speed), uint32(e.Burst), uint32(e.MaxPacket), ep.ring.at())
	if err := s.inputCommand(trbConfigure); err != nil {
		ring.Free()
		buffer.Free()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoints[dci] = ep
	if s.gone {
		return usb.ErrGone
	}
	ep.fill()
	return nil
}

// fill puts all buffers on the ring.
//   - s.mu is held.
func (e *endpoint) fill() {
	e.waiting, e.first, e.failed = nil, 0, false
	for i := range listenBuffers {
		e.queue(i)
	}
	e.s.c.ring(e.s.id, e.dci)
}

// queue puts a buffer on the ring.
//   - s.mu is held.
func (e *endpoint) queue(i int) {
	e.waiting = append(e.waiting, e.ring.push(trb{
		param: e.buffer.Phys(i * e.size), status: uint32(e.size),
		control: trbNormal<<trbTypeShift | flagInterrupt | flagShort,
	})...)
}

// Resume implements [usb.Function].
func (s *slot) Resume(e usb.Endpoint) error {
	s.control.Lock()
	defer s.control.Unlock()
	ep := s.endpoints[index(e)]
	if ep == nil || ep.listen == nil {
		return errors.New("nobody listens")
	}
	if err := s.open(); err != nil {
		return err
	}
	if err := s.clear(ep); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return usb.ErrGone
	}
	ep.fill()
	return nil
}

// event takes the event that ends a transfer, or a stage of one. It runs on the
// controller's goroutine.
func (s *slot) event(t trb) {
	s.mu.Lock()
	e := s.endpoints[t.endpoint()]
	if e == nil || s.gone {
		s.mu.Unlock()
		return
	}
	if e.listen == nil {
		e.controlEvent(t)
		s.mu.Unlock()
		return
	}
	data, err, ok := e.listenEvent(t)
	s.mu.Unlock()
	if ok {
		e.listen(data, err)
	}
}

// controlEvent takes an event of endpoint 0.
//   - s.mu is held.
func (e *endpoint) controlEvent(t trb) {
	r := e.wait
	if r == nil || t.param != r.setup && t.param != r.data && t.param != r.status {
		return // of a request that was given up
	}
	var err error
	switch code := t.code(); code {
	case codeStopped, codeStopLen, codeStopShort:
		return
	case codeSuccess, codeShort:
		if t.param == r.data {
			r.left = int(t.status & 0xff_ffff)
		}
		if t.param != r.status {
			return // the status stage follows
		}
	default:
		err = codeError(code)
	}
	e.wait = nil
	r.result <- err
}

// listenEvent takes an event of an endpoint that is listened to. It returns what
// to tell the listener, if anything.
//   - s.mu is held.
func (e *endpoint) listenEvent(t trb) (data []byte, err error, ok bool) {
	code := t.code()
	switch code {
	case codeStopped, codeStopLen, codeStopShort:
		return nil, nil, false
	}
	if e.failed {
		return nil, nil, false
	}
	if code != codeSuccess && code != codeShort {
		e.failed = true
		return nil, codeError(code), true
	}
	if len(e.waiting) == 0 || t.param != e.waiting[0] {
		klog.Debugf("%s: xHCI: slot %d: an event for a transfer that is not under way", e.s.c.cfg.Name, e.s.id)
		return nil, nil, false
	}
	i := e.first
	n := e.size - min(int(t.status&0xff_ffff), e.size)
	data = make([]byte, n)
	copy(data, e.buffer.Bytes()[i*e.size:])
	e.waiting = e.waiting[1:]
	e.first = (e.first + 1) % listenBuffers
	e.queue(i)
	e.s.c.ring(e.s.id, e.dci)
	return data, nil, true
}

// abort ends what is under way with ErrGone.
func (e *endpoint) abort() {
	e.s.mu.Lock()
	r, listen, failed := e.wait, e.listen, e.failed
	e.wait, e.failed = nil, true
	e.s.mu.Unlock()
	if r != nil {
		r.result <- usb.ErrGone
	}
	if listen != nil && !failed {
		listen(nil, usb.ErrGone)
	}
}
