package xhci

import (
	"math/bits"

	"tamarix/dev/dma"
	"tamarix/dev/usb"
)

// Slot context (6.2.2), endpoint context (6.2.3): fields of their words.
const (
	slotSpeedShift   = 20
	slotHub          = 1 << 26
	slotEntriesShift = 27
	slotEntriesMask  = 31 << slotEntriesShift
	slotPortShift    = 16 // word 1: port of the controller
	slotPortsShift   = 24 // word 1: ports of a hub
	slotTTPortShift  = 8  // word 2
	slotThinkShift   = 16 // word 2

	epStateMask     = 7
	epStateRunning  = 1
	epStateHalted   = 2
	epStateStopped  = 3
	epStateError    = 4
	epIntervalShift = 16
	epTypeShift     = 3 // word 1
	epBurstShift    = 8
	epPacketShift   = 16
	epErrors        = 3 << 1 // three attempts before an error

	epTypeControl     = 4
	epTypeInterruptIn = 7
)

// index returns the number of an endpoint's context and doorbell target (4.5.1,
// DCI): two for each number, data to the host behind.
func index(e usb.Endpoint) int {
	n := e.Number() * 2
	if e.In() {
		n++
	}
	return n
}

// interval returns what an interrupt endpoint's context says about how often it is
// asked: 2^n times 125 µs (6.2.3.6). Devices of low and full speed count in ms,
// others give an exponent.
func interval(e usb.Endpoint, s usb.Speed) uint32 {
	if s <= usb.Full {
		ms := max(int(e.Interval), 1)
		return uint32(min(max(bits.Len(uint(ms*8))-1, 3), 10))
	}
	return uint32(min(max(int(e.Interval), 1), 16) - 1)
}

// routeString returns the ports of the hubs on the way to a device, four bits each
// (USB 3.1, 8.9).
func routeString(route []uint8) (s uint32) {
	for i, port := range route {
		if i < 5 {
			s |= uint32(min(port, 15)) << (4 * i)
		}
	}
	return s
}

// speedID returns the speed as a slot context has it.
func speedID(s usb.Speed) uint32 {
	return [...]uint32{usb.Full: 1, usb.Low: 2, usb.High: 3, usb.Super: 4, usb.SuperPlus: 5}[s]
}

// defaultPacket is the size of endpoint 0's packets before the device has said it:
// the smallest that it can have.
func defaultPacket(s usb.Speed) int {
	switch {
	case s >= usb.Super:
		return 512
	case s == usb.High:
		return 64
	}
	return 8
}

// input is an input context (6.2.5): which contexts a command is about, and
// those, behind one another.
type input struct {
	mem  *dma.Memory
	size int // of a context
}

// begin clears it for contexts whose bits are in add.
func (i input) begin(add uint32) {
	i.mem.Zero(0, 33*i.size)
	i.mem.Store32(4, add)
}

// set writes a word of context n: 0 is the slot's.
func (i input) set(n, word int, v uint32) { i.mem.Store32((n+1)*i.size+word*4, v) }

// setRing writes an endpoint's context.
func (i input) setRing(n int, kind, interval, burst, packet uint32, dequeue uint64) {
	payload := packet * (burst + 1) // per interval
	average := payload
	if kind == epTypeControl {
		payload, average = 0, 8 // 4.14.1.1
	}
	i.set(n, 0, interval<<epIntervalShift|payload>>16<<24)
	i.set(n, 1, packet<<epPacketShift|burst<<epBurstShift|kind<<epTypeShift|epErrors)
	i.set(n, 2, uint32(dequeue))
	i.set(n, 3, uint32(dequeue>>32))
	i.set(n, 4, payload<<16|average)
}
