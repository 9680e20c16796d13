//go:build tamarix

package amd64

// The upper half. Each region begins at a PML4 slot of its own (512 GiB).
// All top-level entries of the upper half are made once, at boot, and every
// user root copies them: no later kernel mapping needs propagating.
const (
	// directMapBase is where physical address 0 is mapped; the kernel's
	// image lies at its own place inside the direct map.
	directMapBase = 0xffff_8000_0000_0000

	// kernel heap: what the Go runtime gets from mmap. Demand-zero.
	heapBase = 0xffff_c000_0000_0000
	heapEnd  = 0xffff_c200_0000_0000 // 2 TiB, four slots

	// windows: device registers, kernel stacks with guard pages.
	windowBase = 0xffff_e000_0000_0000
	windowEnd  = 0xffff_e080_0000_0000 // one slot
)
