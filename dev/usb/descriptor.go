package usb

import (
	"errors"
	"unicode/utf16"
)

// Descriptor types (USB 9.4, table 9-5; HID 7.1).
const (
	descDevice    = 1
	descConfig    = 2
	descString    = 3
	descInterface = 4
	descEndpoint  = 5
	descHub       = 0x29
)

// Classes (USB class codes).
const (
	ClassHID     = 3
	ClassStorage = 8
	ClassHub     = 9
)

// DeviceDescriptor is what a device says about itself (USB 9.6.1).
type DeviceDescriptor struct {
	USB                                 uint16 // binary coded: 0x0200
	Class, Subclass, Protocol           uint8
	MaxPacket                           int // of endpoint 0, in bytes
	Vendor, Product, Release            uint16
	manufacturer, product, serialNumber uint8 // indexes of strings; 0: none
	configs                             uint8
}

// Config is a configuration of a device (USB 9.6.3).
type Config struct {
	Value      uint8
	Interfaces []Interface
}

// Interface is an interface of a configuration, in one of its settings (USB 9.6.5).
type Interface struct {
	Number, Alternate         uint8
	Class, Subclass, Protocol uint8
	Endpoints                 []Endpoint
}

// Endpoint is an endpoint of an interface (USB 9.6.6).
type Endpoint struct {
	Address   uint8 // number in bits 0 to 3, bit 7: to the host
	Kind      uint8 // EndpointInterrupt and so on
	MaxPacket int   // bytes, 1 to 1024
	Burst     int   // further packets in a microframe, 0 to 2
	Interval  uint8 // as in the descriptor; what it counts depends on the speed
}

// Kinds of endpoints.
const (
	EndpointControl = iota
	EndpointIsochronous
	EndpointBulk
	EndpointInterrupt
)

// In reports whether data comes from the device.
func (e Endpoint) In() bool { return e.Address&0x80 != 0 }

// Number returns the endpoint's number, 1 to 15.
func (e Endpoint) Number() int { return int(e.Address & 15) }

var (
	errShort  = errors.New("a descriptor is too short")
	errType   = errors.New("a descriptor of another type")
	errPacket = errors.New("an impossible packet size")
	errEmpty  = errors.New("no interface")
)

// maxPacketOf returns the packet size of endpoint 0 that the first eight bytes of
// a device descriptor say (USB 5.5.3; USB 3.1, 9.6.1: a power of two there).
func maxPacketOf(p []byte, s Speed) (int, error) {
	if len(p) < 8 || p[0] < 8 {
		return 0, errShort
	}
	if p[1] != descDevice {
		return 0, errType
	}
	n := int(p[7])
	switch {
	case s >= Super && n == 9:
		return 512, nil
	case s == Low && n == 8, s == High && n == 64, s == Full && (n == 8 || n == 16 || n == 32 || n == 64):
		return n, nil
	}
	return 0, errPacket
}

// parseDevice reads a device descriptor.
func parseDevice(p []byte, s Speed) (d DeviceDescriptor, err error) {
	if len(p) < 18 || p[0] < 18 {
		return d, errShort
	}
	if d.MaxPacket, err = maxPacketOf(p, s); err != nil {
		return d, err
	}
	return DeviceDescriptor{
		USB:   le16(p[2:]),
		Class: p[4], Subclass: p[5], Protocol: p[6],
		MaxPacket: d.MaxPacket,
		Vendor:    le16(p[8:]), Product: le16(p[10:]), Release: le16(p[12:]),
		manufacturer: p[14], product: p[15], serialNumber: p[16],
		configs: p[17],
	}, nil
}

// configLength returns how long the whole configuration is that the first nine
// bytes of its descriptor announce, at most what a transfer can have.
func configLength(p []byte) (int, error) {
	if len(p) < 9 || p[0] < 9 {
		return 0, errShort
	}
	if p[1] != descConfig {
		return 0, errType
	}
	return min(max(int(le16(p[2:])), 9), maxTransfer), nil
}

// A configuration may have so many interfaces with their settings, and an
// interface so many endpoints; what is beyond is left out.
const (
	maxInterfaces = 64
	maxEndpoints  = 30
)

// parseConfig reads a configuration descriptor and what follows it: interfaces,
// endpoints, and class descriptors, which are skipped. A descriptor that cannot
// be ends the list; an endpoint that cannot be is left out.
func parseConfig(p []byte, s Speed) (Config, error) {
	n, err := configLength(p)
	if err != nil {
		return Config{}, err
	}
	c := Config{Value: p[5]}
	p = p[:min(n, len(p))]
	for p = p[min(int(p[0]), len(p)):]; len(p) >= 2; {
		n := int(p[0])
		if n < 2 || n > len(p) {
			break
		}
		d := p[:n]
		p = p[n:]
		switch {
		case d[1] == descInterface && n >= 9:
			if len(c.Interfaces) == maxInterfaces {
				return c, nil
			}
			c.Interfaces = append(c.Interfaces, Interface{
				Number: d[2], Alternate: d[3], Class: d[5], Subclass: d[6], Protocol: d[7],
			})
		case d[1] == descEndpoint && n >= 7 && len(c.Interfaces) > 0:
			i := &c.Interfaces[len(c.Interfaces)-1]
			if e, ok := parseEndpoint(d, s); ok && len(i.Endpoints) < maxEndpoints {
				i.Endpoints = append(i.Endpoints, e)
			}
		}
	}
	if len(c.Interfaces) == 0 {
		return c, errEmpty
	}
	return c, nil
}

// parseEndpoint reads an endpoint descriptor of at least seven bytes.
func parseEndpoint(d []byte, s Speed) (Endpoint, bool) {
	size := le16(d[4:])
	e := Endpoint{
		Address: d[2] & 0x8f, Kind: d[3] & 3, Interval: d[6],
		MaxPacket: int(size & 0x7ff), Burst: int(size >> 11 & 3),
	}
	limit := 1024 // USB 5.6.3, 5.7.3, 5.8.3
	switch {
	case s == Low:
		limit = 8
	case s == Full && e.Kind != EndpointIsochronous:
		limit = 64
	}
	if s != High || e.Kind == EndpointBulk {
		e.Burst = 0
	}
	// There are devices of low speed that name the sizes of faster ones, and
	// send what fits.
	e.MaxPacket = min(e.MaxPacket, limit)
	return e, e.Number() != 0 && e.MaxPacket > 0 && e.Burst < 3
}

// parseString reads a string descriptor (USB 9.6.7), without what a terminal
// would take for more than text.
func parseString(p []byte) string {
	if len(p) < 2 || p[1] != descString {
		return ""
	}
	p = p[2:max(2, min(int(p[0]), len(p)))]
	var u []uint16
	for ; len(p) >= 2; p = p[2:] {
		u = append(u, le16(p))
	}
	out := []rune{}
	for _, r := range utf16.Decode(u) {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffd {
			r = '?'
		}
		out = append(out, r)
	}
	for len(out) > 0 && out[len(out)-1] == ' ' {
		out = out[:len(out)-1]
	}
	return string(out)
}

func le16(p []byte) uint16 { return uint16(p[0]) | uint16(p[1])<<8 }
