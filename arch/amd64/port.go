//go:build tamarix

package amd64

// The I/O ports, for drivers. Each is one IN or OUT instruction: no lock, any
// context. Who shares a port pair (an index and a data register) brings the lock.

// In8 reads a byte from a port.
func In8(port uint16) uint8 { return inb(port) }

// In16 reads 16 bits from a port.
func In16(port uint16) uint16 { return inw(port) }

// In32 reads 32 bits from a port.
func In32(port uint16) uint32 { return inl(port) }

// Out8 writes a byte to a port.
func Out8(port uint16, v uint8) { outb(port, v) }

// Out16 writes 16 bits to a port.
func Out16(port uint16, v uint16) { outw(port, v) }

// Out32 writes 32 bits to a port.
func Out32(port uint16, v uint32) { outl(port, v) }
