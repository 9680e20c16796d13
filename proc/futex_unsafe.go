package proc

import (
	"unsafe"

	"tamarix/mm"
)

// keyOwner is how an interface value that holds a pointer lies in memory.
type keyOwner struct{ kind, data uintptr }

// ownerHash returns a number that differs between the owners of keys: the
// address of the object, which never moves.
func ownerHash(k *mm.Key) uint64 {
	return uint64((*keyOwner)(unsafe.Pointer(&k.Owner)).data >> 6)
}

// sameKey is *a == *b. Owners are pointers, so their words can be compared.
func sameKey(a, b *mm.Key) bool {
	return a.Off == b.Off &&
		*(*keyOwner)(unsafe.Pointer(&a.Owner)) == *(*keyOwner)(unsafe.Pointer(&b.Owner))
}
