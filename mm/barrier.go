package mm

import "golang.org/x/sys/unix"

// RegisterBarrier declares that the process will use Barrier
// (membarrier(2), MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED).
func (as *AddressSpace) RegisterBarrier() { as.barrier.Store(true) }

// Barrier returns when every CPU that runs a thread of this address space has
// passed a full memory barrier (MEMBARRIER_CMD_PRIVATE_EXPEDITED): a flush of
// the TLB interrupts them all and waits for them. EPERM if not registered.
func (as *AddressSpace) Barrier() error {
	if !as.barrier.Load() {
		return unix.EPERM
	}
	as.pt.FlushPage(minAddr)
	return nil
}
