package pci

import "fmt"

// Address says where a function of a device is.
type Address struct {
	Segment uint16
	Bus     uint8
	Slot    uint8 // 0 to 31
	Func    uint8 // 0 to 7
}

// String returns the address as Linux writes it: 0000:00:1f.2.
func (a Address) String() string {
	return fmt.Sprintf("%04x:%02x:%02x.%d", a.Segment, a.Bus, a.Slot, a.Func)
}

// Root is a bus where a scan begins.
type Root struct {
	Segment uint16
	Bus     uint8
}

// Access reaches configuration space. Registers are 32 bits wide, offsets are
// multiples of 4. What does not exist reads as all ones.
type Access interface {
	Read(a Address, off uint16) uint32
	Write(a Address, off uint16, v uint32)
	// Size returns how many bytes of a function's space can be reached: 256,
	// or 4096 with PCI Express.
	Size(a Address) int
	// Roots returns the first bus of each segment.
	Roots() []Root
}

// Registers of configuration space (PCI 6.1).
const (
	regID        = 0x00 // vendor, device
	regCommand   = 0x04 // command; status in the upper half, its bits cleared by writing 1
	regClass     = 0x08 // revision, class code
	regHeader    = 0x0c // header type in bits 16 to 23
	regBAR0      = 0x10
	regBuses     = 0x18 // of a bridge: primary, secondary, subordinate bus
	regSubsystem = 0x2c
	regCapsPtr   = 0x34
	regInterrupt = 0x3c // line, pin

	commandIO       = 1 << 0
	commandMemory   = 1 << 1
	commandMaster   = 1 << 2
	commandNoINTx   = 1 << 10
	statusCapList   = 1 << (16 + 4)
	headerMulti     = 0x80
	headerDevice    = 0
	headerBridge    = 1
	headerCardBus   = 2
	commandMask     = 0xffff
	classHostBridge = 0x0600
)
