package amd64

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/acpi"
)

// The I/O APICs (Intel 82093AA datasheet) turn the interrupt lines of devices
// into messages to a CPU's local APIC. There may be several, each with its range
// of global system interrupts. This file is what can be said of them without the
// hardware; ioapic.go has that.

const (
	ioapicVersion = 0x01 // IOAPICVER: bits 16-23, the number of entries less one
	ioapicTable   = 0x10 // IOREDTBL: two registers for each entry

	redirMasked    = 1 << 16
	redirLevel     = 1 << 15
	redirActiveLow = 1 << 13
	redirDelivery  = 7 << 8 // delivery mode; 0: fixed. Bit 11 clear: physical destination
	redirSMI       = 2 << 8 // the firmware's
	redirNMI       = 4 << 8
	redirMaxEntry  = 240 - 1 // IOREDTBL ends with the register numbers
)

// ioapicRegisters are one controller's registers.
type ioapicRegisters interface {
	read(register uint32) uint32
	write(register, v uint32)
}

// ioapic is one controller.
type ioapic struct {
	ioapicRegisters
	base    uint32 // first global system interrupt
	entries uint32
}

// openIOAPIC masks all entries of a controller, but for those by which its firmware
// has itself called. ok is false if there is none.
func openIOAPIC(r ioapicRegisters, base uint32) (c ioapic, ok bool) {
	v := r.read(ioapicVersion)
	if v == 0xffff_ffff || v == 0 { // nobody answers
		return c, false
	}
	c = ioapic{r, base, v>>16&0xff + 1}
	if c.entries-1 > redirMaxEntry || base+c.entries < base {
		return c, false
	}
	for i := range c.entries {
		if r.read(ioapicTable+2*i)&(redirMasked|redirDelivery) != redirSMI {
			c.set(i, redirMasked, 0)
		}
	}
	return c, true
}

// set writes an entry. It is masked while its halves do not fit each other.
func (c *ioapic) set(i, low, high uint32) {
	r := ioapicTable + 2*i
	c.write(r, redirMasked)
	c.write(r+1, high)
	c.write(r, low)
}

// redirect programs the entry of a global system interrupt, which then arrives
// at the CPU with the given id: as the vector, or, if that is 0, as a
// non-maskable interrupt. ENODEV: no controller has it; EINVAL: the eight bits of
// the destination cannot name the CPU, or the vector is none.
func redirect(list []ioapic, o acpi.Override, vector uint8, apicID uint32) error {
	if apicID >= firstX2ID || vector != 0 && vector < 32 {
		return unix.EINVAL
	}
	low := uint32(vector)
	if vector == 0 {
		low = redirNMI // always an edge
	} else if o.Level {
		low |= redirLevel
	}
	if o.ActiveLow {
		low |= redirActiveLow
	}
	for i := range list {
		c := &list[i]
		if o.GSI < c.base || o.GSI-c.base >= c.entries {
			continue
		}
		c.set(o.GSI-c.base, low, apicID<<24)
		return nil
	}
	return unix.ENODEV
}
