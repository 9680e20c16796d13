package kernel

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The garbage collector's pace. What a cycle costs depends on what is live, and
// that is little in a kernel whose users' memory is not on its heap: less than a
// megabyte of objects for some dozen processes. With Go's defaults a cycle comes
// with every few megabytes allocated, in a loop of forks every few hundred
// processes, and takes 5 % of the time. So the heap may grow by gcRoom before the
// next one, as long as what is live is less than that; a bigger heap doubles, as
// with the defaults. GOGC alone cannot say this: it is set anew when a cycle has
// shown another amount of live memory.

const (
	gcRoomMin   = 4 << 20 // what the defaults come to: GOGC's least heap
	gcRoomMax   = 64 << 20
	gcRoomShare = 16 // of the machine's memory, one part in so many
)

// gcRoom is how much may be allocated before a cycle, on a machine with ram bytes
// of memory.
func gcRoom(ram uint64) uint64 { return min(max(ram/gcRoomShare, gcRoomMin), gcRoomMax) }

// gcPercent returns the GOGC that makes the next cycle begin when room bytes have
// been allocated, or as many as are live. The runtime begins it when the heap
// reaches
//
//	max(live + (live+roots)*GOGC/100, 4 MiB*GOGC/100)
//
// where roots are the stacks and the program's variables.
func gcPercent(live, roots, room uint64) int {
	goal := live + max(live, room)
	return int(max(100, min((goal-live)*100/max(live+roots, 1), goal*100/gcRoomMin)))
}

// paceGC sets the pace now and after every cycle.
func paceGC(ram uint64) {
	p := &gcPacer{room: gcRoom(ram), percent: 100}
	for i, name := range [...]string{"/gc/heap/live:bytes", "/gc/scan/stack:bytes", "/gc/scan/globals:bytes"} {
		p.samples[i].Name = name
	}
	p.adjust()
}

// gcPacer belongs to whoever runs adjust: start-up, then the runtime's goroutine
// for finalizers.
type gcPacer struct {
	room    uint64
	percent int
	samples [3]metrics.Sample
}

// gcSign is garbage that says when a cycle has been. It is no tiny block: those
// are collected in company.
type gcSign struct {
	pacer *gcPacer
	_     [2]uint64
}

// adjust sets GOGC if it is off by more than a quarter: setting it stops the
// world for a moment.
func (p *gcPacer) adjust() {
	metrics.Read(p.samples[:])
	live, roots := p.samples[0].Value.Uint64(), p.samples[1].Value.Uint64()+p.samples[2].Value.Uint64()
	if n := gcPercent(live, roots, p.room); n > p.percent*5/4 || n < p.percent*4/5 {
		debug.SetGCPercent(n)
		p.percent = n
	}
	runtime.SetFinalizer(&gcSign{pacer: p}, func(s *gcSign) { s.pacer.adjust() })
}
