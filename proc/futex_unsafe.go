package proc

import (
	"unsafe"

	"tamarix/mm"
)

// ownerHash returns a number that differs between the owners of keys: the
// address of the object, which never moves.
func ownerHash(k *mm.Key) uint64 {
	type iface struct{ kind, data uintptr }
	return uint64((*iface)(unsafe.Pointer(&k.Owner)).data >> 6)
}
