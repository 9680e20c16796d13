package amd64

// Pages and the user half of the address space (Intel SDM vol. 3A, 4.5).
const (
	PageShift = 12
	PageSize  = 1 << PageShift

	// UserTop is the first address users may not map. The last canonical
	// page below 2^47 stays unmapped for ever: a SYSCALL as its last
	// instruction would make SYSRET return to a non-canonical address and
	// fault in ring 0 with the user's stack.
	UserTop = 0x7fff_ffff_f000
)
