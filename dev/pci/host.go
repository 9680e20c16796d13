//go:build !tamarix

package pci

import "tamarix/dev/mmio"

// MapMemory is the machine's [Mapper]; a host's program has none.
func MapMemory(phys uint64, size uint32) (mmio.Registers, error) { return mmio.Map(phys, size) }

// Machine returns the way to this machine's configuration space: for a host's
// program, one on which nothing can be found.
func Machine() Access { return nowhere{} }

// Describe returns how configuration space is reached, for the log.
func Describe(Access) string { return "no configuration space" }

type nowhere struct{}

func (nowhere) Read(Address, uint16) uint32   { return 0xffff_ffff }
func (nowhere) Write(Address, uint16, uint32) {}
func (nowhere) Size(Address) int              { return 256 }
func (nowhere) Roots() []Root                 { return nil }
