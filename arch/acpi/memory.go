package acpi

import "unsafe"

// Window is physical memory seen through a linear map: address 0 is at Base,
// and everything below Limit is mapped.
type Window struct {
	Base  unsafe.Pointer
	Limit uint64
}

// Bytes implements [Memory].
func (w *Window) Bytes(addr, n uint64) []byte {
	if addr >= w.Limit || n > w.Limit-addr {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Add(w.Base, uintptr(addr))), n)
}
