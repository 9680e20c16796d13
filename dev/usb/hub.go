package usb

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"tamarix/arch/klog"
)

// Times of a hub.
const (
	// A hub resets a port for 10 to 20 ms (USB 7.1.7.5, TDRST); it is asked
	// every portStep, for portLimit at most.
	portStep  = 10 * time.Millisecond
	portLimit = 500 * time.Millisecond

	// powerMargin is added to the time that a hub says its power takes.
	powerMargin = 20 * time.Millisecond

	// maxChanges is how often a port is read while it goes on changing.
	maxChanges = 8

	// maxHubErrors is how often in a row the status change endpoint may fail.
	maxHubErrors = 5
)

// deviceHub is a hub that is a device.
type deviceHub struct {
	*device
	desc   hubDescriptor
	ports  []port // [0] is not used
	change Endpoint
	closed atomic.Bool

	// failed holds one error of the status change endpoint; recover reads it.
	failed chan error
	done   chan struct{}
}

// useHub makes the device a hub.
func (d *device) useHub() (string, error) {
	if d.at.Speed >= Super {
		return "", nil
	}
	if d.depth >= maxDepth {
		klog.Warnf("%s: a hub behind %d hubs cannot be used", d.name, maxDepth)
		return "", nil
	}
	h := &deviceHub{device: d, failed: make(chan error, 1), done: make(chan struct{})}
	found := false
	for _, i := range d.config.Interfaces {
		// Setting 0 has one translator for all ports, which every hub can be.
		if i.Class == ClassHub && i.Alternate == 0 && !found {
			h.change, found = interruptIn(i)
		}
	}
	if !found {
		return "", errors.New("a hub that cannot tell of changes")
	}
	if err := d.configure(); err != nil {
		return "", err
	}
	var buf [71]byte // the longest that USB 11.23.2.1 allows
	n, err := d.fn.Control(Setup{
		Type: typeHubIn, Request: reqGetDescriptor, Value: descHub << 8, Length: uint16(len(buf)),
	}, buf[:], controlTime)
	if err != nil {
		return "", fmt.Errorf("hub descriptor: %w", err)
	}
	if h.desc, err = parseHub(buf[:n]); err != nil {
		return "", fmt.Errorf("hub descriptor: %w", err)
	}
	if err := d.fn.SetHub(h.desc.ports, h.desc.thinkTime); err != nil {
		return "", fmt.Errorf("hub: %w", err)
	}
	h.ports = make([]port, h.desc.ports+1)
	for n := 1; n <= h.desc.ports; n++ {
		if err := h.power(n); err != nil {
			return "", fmt.Errorf("port power: %w", err)
		}
	}
	time.Sleep(h.desc.powerGood + powerMargin)
	if err := d.fn.Listen(h.change, h.changed); err != nil {
		h.closed.Store(true)
		return "", fmt.Errorf("hub: %w", err)
	}
	d.drivers = append(d.drivers, h)
	return "hub", nil
}

// start looks at all ports.
func (h *deviceHub) start() {
	go h.recover()
	h.b.note(h, ^uint32(1))
}

// changed takes what the status change endpoint says. It runs on the controller's
// goroutine.
func (h *deviceHub) changed(data []byte, err error) {
	if err == nil {
		h.b.note(h, changedPorts(data, h.desc.ports))
		return
	}
	select {
	case h.failed <- err:
	default:
	}
}

// recover makes the endpoint go on after errors, not for ever.
func (h *deviceHub) recover() {
	last := time.Now()
	for errs := 0; ; {
		select {
		case <-h.done:
			return
		case err := <-h.failed:
			if time.Since(last) > calmTime {
				errs = 0
			}
			last = time.Now()
			if errors.Is(err, ErrGone) {
				return
			}
			if errs++; errs > maxHubErrors {
				klog.Errorf("%s: hub: %v, again and again; hot plug does not work behind it", h.device.name, err)
				return
			}
			if h.resume(h.change) == nil {
				h.b.note(h, ^uint32(1)) // what was missed
			}
		}
	}
}

// resume clears an endpoint's halt, in the device and in the controller.
func (d *device) resume(e Endpoint) error {
	if err := d.set(typeEndpointOut, reqClearFeature, featureEndpoint, uint16(e.Address)); err != nil && !errors.Is(err, ErrStall) {
		return err
	}
	return d.fn.Resume(e)
}

// stop implements driver: what is behind the hub goes with it.
func (h *deviceHub) stop() {
	h.closed.Store(true)
	close(h.done)
	for n := range h.ports {
		h.b.remove(h, n)
	}
}

func (h *deviceHub) count() int        { return len(h.ports) - 1 }
func (h *deviceHub) port(n int) *port  { return &h.ports[n] }
func (h *deviceHub) gone() bool        { return h.closed.Load() }
func (h *deviceHub) name(n int) string { return fmt.Sprintf("%s.%d", h.device.name, n) }
func (h *deviceHub) depth() int        { return h.device.depth + 1 }

// power implements hub.
func (h *deviceHub) power(n int) error {
	return h.set(typePortOut, reqSetFeature, featurePower, uint16(n))
}

// attend implements hub: it clears what the hub says of itself, which it would
// otherwise say again each time that it is asked (USB 11.12.4, 11.24.2.6). Over-
// current of the hub as a whole takes the power of all its ports.
func (h *deviceHub) attend() bool {
	var p [4]byte
	k, err := h.fn.Control(Setup{Type: typeHubIn, Request: reqGetStatus, Length: 4}, p[:], controlTime)
	if err != nil {
		return false
	}
	s, err := parseStatus(p[:k])
	if err != nil {
		return false
	}
	if s.status&hubOver != 0 {
		klog.Warnf("%s: hub: its ports draw too much current", h.device.name)
	}
	for f := range uint16(2) {
		if s.change>>f&1 != 0 {
			h.set(typeHubOut, reqClearFeature, f, 0)
		}
	}
	return true
}

// status implements hub: it asks the hub and clears each change that it names. It
// asks again until there is none: a change that came between the look and the
// clearing is lost to the status change endpoint.
func (h *deviceHub) status(n int) (PortStatus, error) {
	var s hubStatus
	changed := uint16(0)
	for range maxChanges {
		var err error
		if s, err = h.read(n); err != nil {
			return PortStatus{}, err
		}
		if s.change&portChanges == 0 {
			break
		}
		changed |= s.change
		for i := range uint16(5) {
			if s.change>>i&1 != 0 {
				if err := h.set(typePortOut, reqClearFeature, featureConnectionChange+i, uint16(n)); err != nil {
					return PortStatus{}, err
				}
			}
		}
	}
	return PortStatus{
		Connected:   s.status&statusConnected != 0,
		Enabled:     s.status&statusEnabled != 0,
		Changed:     changed&changeConnection != 0,
		OverCurrent: s.status&statusOver != 0,
		Off:         s.status&statusPower == 0,
		Speed:       s.speed(),
	}, nil
}

func (h *deviceHub) read(n int) (hubStatus, error) {
	var p [4]byte
	k, err := h.fn.Control(Setup{Type: typePortIn, Request: reqGetStatus, Index: uint16(n), Length: 4}, p[:], controlTime)
	if err != nil {
		return hubStatus{}, err
	}
	return parseStatus(p[:k])
}

// reset implements hub.
func (h *deviceHub) reset(n int) error {
	if err := h.set(typePortOut, reqSetFeature, featureReset, uint16(n)); err != nil {
		return err
	}
	for range int(portLimit / portStep) {
		time.Sleep(portStep)
		s, err := h.read(n)
		if err != nil {
			return err
		}
		if s.change&changeReset != 0 && s.status&statusReset == 0 {
			return h.set(typePortOut, reqClearFeature, featureResetChange, uint16(n))
		}
	}
	return ErrTimeout
}

// locate implements hub. A device of low or full speed is reached through the
// translator of the nearest high-speed hub, if there is one on the way.
func (h *deviceHub) locate(n int, s Speed) Location {
	l := Location{Port: h.at.Port, Speed: s}
	l.Route = append(append(l.Route, h.at.Route...), uint8(n))
	switch {
	case s >= High:
	case h.at.Speed == High:
		l.TT, l.TTPort = h.fn, n
	default:
		l.TT, l.TTPort = h.at.TT, h.at.TTPort
	}
	return l
}
