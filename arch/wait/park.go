//go:build !race

package wait

import (
	"unsafe"
)

// The two ends of the Go scheduler's own sleep. The runtime keeps both open to
// linkname; nothing else hands a goroutine to the scheduler's next slot at so
// small a price.

//go:linkname gopark runtime.gopark
func gopark(unlockf func(unsafe.Pointer, unsafe.Pointer) bool, lock unsafe.Pointer, reason uint8, traceReason uint8, skip int)

//go:linkname goready runtime.goready
func goready(g unsafe.Pointer, skip int)

// waitReasonSleep is what a traceback shows for a parked task (runtime2.go).
const waitReasonSleep = 14

// parking remembers the goroutine that sleeps.
type parking struct {
	g unsafe.Pointer // set by commitPark before state becomes parked, read after it was
}

func (p *parking) bind() {}

func (p *parking) sleep(t *Thread) {
	gopark(commitPark, unsafe.Pointer(t), waitReasonSleep, 0, 1)
}

// commitPark runs on the scheduler's stack when g no longer runs. It refuses
// the sleep when a Wake came in between.
func commitPark(g, lock unsafe.Pointer) bool {
	t := (*Thread)(lock)
	if t.park.g != g {
		t.park.g = g
	}
	return t.state.CompareAndSwap(idle, parked)
}

func (p *parking) ready() { goready(p.g, 1) }
