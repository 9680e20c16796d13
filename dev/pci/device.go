package pci

import "fmt"

// Device is one function of a PCI device. What is exported was read by the scan
// and does not change.
type Device struct {
	Address
	Vendor, ID       uint16
	SubVendor, SubID uint16 // 0 for a bridge
	Class            uint32 // class, subclass, programming interface: 0x0c0330 is xHCI
	Revision         uint8
	HeaderType       uint8 // 0 device, 1 PCI bridge, 2 CardBus bridge
	Secondary        uint8 // the bus behind a bridge
	Pin              uint8 // interrupt pin: 1 is INTA#, 0 none
	Line             uint8 // what the firmware wrote down as its interrupt
	BARs             [6]BAR
	Capabilities     []Capability

	access Access
}

// BAR is a base address register (PCI 6.2.5.1), as the firmware has set it.
// The second half of a 64-bit one is left zero.
type BAR struct {
	Address  uint64 // physical, or a port; 0: not there or not set up
	IO       bool   // ports instead of memory
	Wide     bool   // 64-bit: it uses the register behind it too
	Prefetch bool
}

// Capability is an entry of the capability list (PCI 6.7).
type Capability struct {
	ID     uint8
	Offset uint8
}

// Capability identifiers (PCI Code and ID Assignment Specification 1.11, 2).
const (
	CapPower   = 0x01
	CapMSI     = 0x05
	CapExpress = 0x10
	CapMSIX    = 0x11
)

// String returns address, identifiers and class, as for a log.
func (d *Device) String() string {
	return fmt.Sprintf("%v %04x:%04x class %06x", d.Address, d.Vendor, d.ID, d.Class)
}

// Config reads configuration space from an offset on, as
// /sys/bus/pci/devices/*/config does. It returns how many bytes there were.
func (d *Device) Config(p []byte, off int) int {
	n := 0
	for size := d.access.Size(d.Address); n < len(p) && off >= 0 && off < size; n, off = n+1, off+1 {
		p[n] = byte(d.access.Read(d.Address, uint16(off&^3)) >> (off & 3 * 8))
	}
	return n
}

// ReadConfig reads a word of the device's own registers in configuration space, at
// an offset that is a multiple of 4.
func (d *Device) ReadConfig(off uint16) uint32 { return d.read(off) }

// WriteConfig writes it.
func (d *Device) WriteConfig(off uint16, v uint32) { d.write(off, v) }

// ConfigSize returns how many bytes Config can read.
func (d *Device) ConfigSize() int { return d.access.Size(d.Address) }

// Find returns the first capability with an identifier.
func (d *Device) Find(id uint8) (Capability, bool) {
	for _, c := range d.Capabilities {
		if c.ID == id {
			return c, true
		}
	}
	return Capability{}, false
}

func (d *Device) read(off uint16) uint32     { return d.access.Read(d.Address, off) }
func (d *Device) write(off uint16, v uint32) { d.access.Write(d.Address, off, v) }

// Present reports whether the device still answers.
func (d *Device) Present() bool { return d.read(regID) == uint32(d.ID)<<16|uint32(d.Vendor) }

// readDevice reads what a function says about itself; nil if there is none.
func readDevice(access Access, a Address) *Device {
	d := &Device{Address: a, access: access}
	id := d.read(regID)
	if d.Vendor, d.ID = uint16(id), uint16(id>>16); d.Vendor == 0xffff || d.Vendor == 0 {
		return nil
	}
	class := d.read(regClass)
	d.Revision, d.Class = uint8(class), class>>8
	d.HeaderType = uint8(d.read(regHeader)>>16) &^ headerMulti
	pin := d.read(regInterrupt)
	d.Line, d.Pin = uint8(pin), uint8(pin>>8)
	bars := 0
	switch d.HeaderType {
	case headerDevice:
		bars = 6
		sub := d.read(regSubsystem)
		d.SubVendor, d.SubID = uint16(sub), uint16(sub>>16)
	case headerBridge:
		bars = 2
		d.Secondary = uint8(d.read(regBuses) >> 8)
	case headerCardBus:
		bars = 1
		d.Secondary = uint8(d.read(regBuses) >> 8)
	}
	for i := 0; i < bars; i++ {
		d.BARs[i] = d.readBAR(i, bars)
		if d.BARs[i].Wide {
			i++
		}
	}
	d.Capabilities = readCapabilities(d.HeaderType, d.read)
	return d
}

// multifunction reports whether the header says that there are functions 1 to 7.
func (d *Device) multifunction() bool { return d.read(regHeader)>>16&headerMulti != 0 }

func (d *Device) readBAR(i, n int) BAR {
	v := d.read(regBAR0 + uint16(i)*4)
	if v == 0xffff_ffff {
		return BAR{} // no device sets all bits: the registers cannot be read
	}
	if v&1 != 0 {
		return BAR{Address: uint64(v &^ 3), IO: true}
	}
	b := BAR{Address: uint64(v &^ 15), Prefetch: v&8 != 0}
	if v>>1&3 == 2 && i+1 < n {
		b.Wide = true
		b.Address |= uint64(d.read(regBAR0+uint16(i+1)*4)) << 32
	}
	return b
}

// maxCapabilities is how many entries of four bytes fit behind the header.
const maxCapabilities = (256 - 64) / 4

// readCapabilities walks the capability list. An entry that lies in the header,
// or that was there already, ends it.
func readCapabilities(header uint8, read func(off uint16) uint32) (list []Capability) {
	if read(regCommand)&statusCapList == 0 {
		return nil
	}
	at := uint16(regCapsPtr)
	if header == headerCardBus {
		at = 0x14
	}
	off := uint8(read(at)) &^ 3
	var seen [256 / 4]bool
	for off >= 0x40 && !seen[off/4] && len(list) < maxCapabilities {
		seen[off/4] = true
		v := read(uint16(off))
		if v == 0xffff_ffff {
			break
		}
		list = append(list, Capability{ID: uint8(v), Offset: off})
		off = uint8(v>>8) &^ 3
	}
	return list
}
