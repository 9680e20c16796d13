// Package mmio is how drivers reach a device's registers in memory: as
// [Registers], which a test puts a model of the device behind. The machine's own
// are a [Region], an uncached window of the physical address space.
//
// An access outside of a region reaches nothing: what is read has all bits set,
// as from a device that is gone. So an offset that a broken device told its
// driver can do no harm.
package mmio

// Registers are a device's registers. Accesses are 32 bits wide, little-endian
// and take effect in program order; any goroutine may make them.
type Registers interface {
	// Read32 reads the register at an offset, a multiple of 4.
	Read32(off uint32) uint32
	// Write32 writes it.
	Write32(off, v uint32)
	// Size returns how many bytes of registers there are.
	Size() uint32
}
