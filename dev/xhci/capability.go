package xhci

import (
	"errors"

	"tamarix/dev/mmio"
	"tamarix/dev/usb"
)

// Extended capabilities (7).
const (
	extLegacy   = 1
	extProtocol = 2

	// maxExtended ends a list that leads in a circle.
	maxExtended = 256
)

// protocol says what kind some of the ports are (7.2).
type protocol struct {
	major       uint8 // 2 or 3
	first, last int   // ports
	slotType    uint8
	speeds      [16]usb.Speed // by the speed id of a port
}

var (
	errNoDevice = errors.New("the controller does not answer")
	errLayout   = errors.New("the controller's registers make no sense")
	errPageSize = errors.New("the controller uses no pages of 4 KiB to 64 KiB")
)

// readHardware reads what a controller says about itself.
func readHardware(r mmio.Registers) (*hardware, error) {
	v := r.Read32(capLength)
	if v == 0xffff_ffff {
		return nil, errNoDevice
	}
	s1, s2, p1 := r.Read32(capStructure1), r.Read32(capStructure2), r.Read32(capParams1)
	h := &hardware{
		regs: r, op: v & 0xff, version: uint16(v >> 16),
		run: r.Read32(capRuntime) &^ 31, doorbells: r.Read32(capDoorbells) &^ 3,
		slots: int(s1 & 0xff), ports: int(s1 >> 24),
		scratch: int(s2>>21&31<<5 | s2>>27),
		wide:    p1&paramAC64 != 0, context: 32, power: p1&paramPortPower != 0,
	}
	if p1&paramContext64 != 0 {
		h.context = 64
	}
	size := r.Size()
	fits := func(off, n uint32) bool { return off >= 0x20 && off <= size && n <= size-off }
	if h.op&3 != 0 || h.slots == 0 || h.ports == 0 || !fits(h.op, opPorts+uint32(h.ports)*16) ||
		!fits(h.run, runDequeue+8) || !fits(h.doorbells, uint32(h.slots+1)*4) {
		return nil, errLayout
	}
	// Bit n stands for pages of 2^(12+n) bytes.
	pages := h.readOp(opPageSize) & 0xffff
	for n := 0; n <= 4 && h.pageSize == 0; n++ {
		if pages>>n&1 != 0 {
			h.pageSize = 4096 << n
		}
	}
	if h.pageSize == 0 {
		return nil, errPageSize
	}
	h.readExtended(p1 >> 16 << 2)
	return h, nil
}

// readExtended walks the list of extended capabilities.
func (h *hardware) readExtended(off uint32) {
	size := h.regs.Size()
	for n := 0; n < maxExtended && off >= 0x20 && off <= size-4; n++ {
		v := h.regs.Read32(off)
		if v == 0xffff_ffff {
			return
		}
		switch v & 0xff {
		case extLegacy:
			if h.legacy == 0 {
				h.legacy = off
			}
		case extProtocol:
			if p, ok := h.readProtocol(off, v); ok && len(h.protocols) < 32 {
				h.protocols = append(h.protocols, p)
			}
		}
		next := v >> 8 & 0xff << 2
		if next == 0 {
			return
		}
		off += next
	}
}

// readProtocol reads a supported protocol capability.
func (h *hardware) readProtocol(off, v uint32) (p protocol, ok bool) {
	ports := h.regs.Read32(off + 8)
	p = protocol{major: uint8(v >> 24), first: int(ports & 0xff), slotType: uint8(h.regs.Read32(off+12) & 31)}
	p.last = p.first + int(ports>>8&0xff) - 1
	if h.regs.Read32(off+4) != 0x20425355 || p.major < 2 || p.major > 3 || // "USB "
		p.first == 0 || p.last < p.first || p.last > h.ports {
		return p, false
	}
	// What the ids are unless the controller says otherwise (table 7-13). A table
	// of its own that leaves out an id which a port then shows is a mistake.
	p.speeds = [16]usb.Speed{1: usb.Full, 2: usb.Low, 3: usb.High, 4: usb.Super, 5: usb.SuperPlus, 6: usb.SuperPlus, 7: usb.SuperPlus}
	for i := range ports >> 28 {
		id := h.regs.Read32(off + 16 + i*4)
		if id == 0xffff_ffff {
			return p, false
		}
		if s := speedOf(id); s != usb.UnknownSpeed {
			p.speeds[id&15] = s
		}
	}
	return p, true
}

// speedOf returns the speed of a protocol speed id (table 7-12): a mantissa, and an
// exponent for bits, Kb, Mb or Gb a second.
func speedOf(id uint32) usb.Speed {
	rate := uint64(id >> 16)
	for range id >> 4 & 3 {
		rate *= 1000
	}
	switch {
	case rate == 0:
		return usb.UnknownSpeed
	case rate <= 1_500_000:
		return usb.Low
	case rate <= 12_000_000:
		return usb.Full
	case rate <= 480_000_000:
		return usb.High
	case rate <= 5_000_000_000:
		return usb.Super
	}
	return usb.SuperPlus
}

// protocolOf returns the protocol of a port; nil if nothing says.
func (h *hardware) protocolOf(port int) *protocol {
	for i := range h.protocols {
		if p := &h.protocols[i]; p.first <= port && port <= p.last {
			return p
		}
	}
	return nil
}

// speed returns what a port's speed id means.
func (h *hardware) speed(port int, id uint32) usb.Speed {
	if p := h.protocolOf(port); p != nil {
		return p.speeds[id&15]
	}
	return [16]usb.Speed{1: usb.Full, 2: usb.Low, 3: usb.High, 4: usb.Super, 5: usb.SuperPlus}[id&15]
}

// super reports whether a port is for SuperSpeed devices.
func (h *hardware) super(port int) bool {
	p := h.protocolOf(port)
	return p != nil && p.major == 3
}
