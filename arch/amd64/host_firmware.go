//go:build !tamarix

package amd64

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/acpi"
)

// A host's program has no ports: what is read is what an empty bus gives.

// In8 reads a byte from a port.
func In8(port uint16) uint8 { return 0xff }

// In16 reads 16 bits from a port.
func In16(port uint16) uint16 { return 0xffff }

// In32 reads 32 bits from a port.
func In32(port uint16) uint32 { return 0xffff_ffff }

// Out8 writes a byte to a port.
func Out8(port uint16, v uint8) {}

// Out16 writes 16 bits to a port.
func Out16(port uint16, v uint16) {}

// Out32 writes 32 bits to a port.
func Out32(port uint16, v uint32) {}

// RouteISA lets an ISA interrupt arrive at q.
func RouteISA(irq uint8, q *IRQ) error { return unix.ENODEV }

// Message returns what a device writes, and where, to raise q.
func (q *IRQ) Message() (addr uint64, data uint32) { return 0xfee0_0000, 0 }

// ACPITable returns the first ACPI table with the given signature, or nil.
func ACPITable(signature string) []byte { return nil }

// EachACPITable calls f for each ACPI table: there is none.
func EachACPITable(f func(table []byte)) {}

// FADT returns what the table of that name says: there is none.
func FADT() (f acpi.FADT, ok bool) { return acpi.FADT{Has8042: true, LegacyDevices: true}, false }

// ConfigRegions returns where PCI Express configuration space is in memory.
func ConfigRegions() []acpi.ConfigRegion { return nil }
