package proc

import (
	"sync/atomic"
	"time"

	"tamarix/arch/wait"
)

// The load average (proc(5), /proc/loadavg): the number of tasks that run or
// want to, averaged over one, five and fifteen minutes with exponential decay,
// sampled every five seconds as Linux does (kernel/sched/loadavg.c).

const (
	loadShift    = 11 // bits behind the point
	loadOne      = 1 << loadShift
	loadInterval = 5 * time.Second
)

// loadDecay is exp(-5s/1min), exp(-5s/5min), exp(-5s/15min) with 11 bits.
var loadDecay = [3]uint64{1884, 2014, 2037}

var loads [3]atomic.Uint64

// LoadAverage returns the three averages as fixed-point numbers with 11 bits
// behind the point.
func LoadAverage() (l [3]uint64) {
	for i := range l {
		l[i] = loads[i].Load()
	}
	return l
}

// sampleLoad puts a sample of n running tasks into the averages.
func sampleLoad(n uint64) {
	for i := range loads {
		old := loads[i].Load()
		v := old*loadDecay[i] + n*loadOne*(loadOne-loadDecay[i])
		if n*loadOne >= old {
			v += loadOne - 1
		}
		loads[i].Store(v / loadOne)
	}
}

// StartLoadAverage samples the load from now on, and calls also each time: what else
// is to be looked at every few seconds needs no timer of its own.
func StartLoadAverage(also func()) {
	var t *wait.Timer
	t = wait.AfterFunc(loadInterval, func() {
		running, _ := TaskCounts()
		sampleLoad(uint64(running))
		also()
		t.Reset(loadInterval)
	})
}

// TaskCounts returns how many tasks run or are ready to, and how many there are.
func TaskCounts() (running, total int) {
	for g := NextGroup(1); g != nil; g = NextGroup(g.PID + 1) {
		g.sig.mu.Lock()
		for _, t := range g.threads {
			total++
			if !t.Thread.Asleep() && !t.sig.stopped {
				running++
			}
		}
		g.sig.mu.Unlock()
	}
	return running, total
}
