package profile

import (
	"fmt"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Where the kernel's heap is allocated: Go's own heap profile. It is off until
// somebody asks for it, before the first allocation if possible.
func init() { runtime.MemProfileRate = 0 }

// SetHeapRate makes Go's runtime note the call chain of an allocation in every
// rate bytes, on average; 1: of each, 0: of none.
func SetHeapRate(rate int) error {
	if rate < 0 || rate > 1<<30 {
		return unix.EINVAL
	}
	runtime.MemProfileRate = rate
	return nil
}

// HeapText returns what was noted so far, as text: a line for each call chain,
// "alloc", then how many objects were allocated and how many bytes, how many
// objects and bytes of these are free again, and return addresses.
func HeapText() []byte {
	// The runtime shows what has been allocated two cycles ago.
	runtime.GC()
	runtime.GC()
	n, _ := runtime.MemProfile(nil, true)
	records := make([]runtime.MemProfileRecord, n+64)
	n, ok := runtime.MemProfile(records, true)
	if !ok {
		n = 0
	}
	b := fmt.Appendf(nil, "tamarix-heap 1\nrate %d\n", runtime.MemProfileRate)
	for i := range records[:n] {
		r := &records[i]
		b = fmt.Appendf(b, "alloc %d %d %d %d", r.AllocObjects, r.AllocBytes, r.FreeObjects, r.FreeBytes)
		for _, pc := range r.Stack() {
			b = strconv.AppendUint(append(b, ' '), uint64(pc), 16)
		}
		b = append(b, '\n')
	}
	return append(b, "end\n"...)
}
