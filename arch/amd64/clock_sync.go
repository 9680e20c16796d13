//go:build tamarix

package amd64

import (
	"sync/atomic"

	"tamarix/arch/tsc"
)

// The time stamp counters of two CPUs count alike on all but broken machines, but
// firmware may have written to one of them, and boards with several sockets may
// have started them at different times. So each CPU that starts compares its
// counter with the boot CPU's, before it has read the clock for the first time:
// both read in turn, and neither may see a time before the other's. What differs by
// IA32_TSC_ADJUST is put right; what differs otherwise is put right by way of that
// register, if there is one; else the TSC is not the clock.

const msrTSCAdjust = 0x3b // IA32_TSC_ADJUST (SDM vol. 3B, 18.17.3)

const (
	syncTicksPerSecond = 500 // two CPUs compare for 2 ms
	syncRounds         = 4
)

// What the two CPUs do; syncPhase tells each where the other one is.
const (
	syncNone   uint32 = iota
	syncHere          // the new CPU waits for the boot CPU
	syncRun           // both read
	syncRead          // the new CPU has finished
	syncGood          // the new CPU may go on: the result is in
	syncAdjust        // the new CPU shall correct its counter, and wait again
	syncStop          // the new CPU cannot be used
)

var (
	syncPhase  uint32 // atomic
	syncWarp   tsc.Warp
	syncBehind uint64 // by how much the new CPU was behind; set with syncRead
	syncRound  int    // of the boot CPU
	bootAdjust uint64 // IA32_TSC_ADJUST of the boot CPU
)

// rdtscFenced is rdtsc, which is not executed before what comes before it.
func rdtscFenced() uint64

// syncWanted reports whether CPUs are to be compared.
func syncWanted() bool { return !clocks.reliable && clocks.tscBad == "" }

// syncStart readies the boot CPU for others to be compared with it.
func syncStart() {
	if clocks.declared.Adjust {
		bootAdjust = rdmsr(msrTSCAdjust)
	}
}

// syncNew is the new CPU's part. It returns when the clock may be read.
func syncNew() {
	k := &clocks
	if k.declared.Adjust && rdmsr(msrTSCAdjust) != bootAdjust {
		wrmsr(msrTSCAdjust, bootAdjust)
		k.adjusted++ // the boot CPU does nothing but wait for this one
	}
	if !syncWanted() {
		return
	}
	for {
		atomic.StoreUint32(&syncPhase, syncHere)
		for atomic.LoadUint32(&syncPhase) == syncHere {
			pause()
		}
		syncBehind, _ = syncWarp.Run(rdtscFenced, tscHz/syncTicksPerSecond)
		atomic.StoreUint32(&syncPhase, syncRead)
		for atomic.LoadUint32(&syncPhase) == syncRead {
			pause()
		}
		switch atomic.LoadUint32(&syncPhase) {
		case syncAdjust:
			by := syncBehind
			if by == 0 {
				by = -syncWarp.Max() // it is ahead: the boot CPU was behind
			}
			wrmsr(msrTSCAdjust, rdmsr(msrTSCAdjust)+by)
		case syncStop:
			for {
				disableIRQ()
				halt()
			}
		default:
			return
		}
	}
}

// syncServe is the boot CPU's part: it is called over and over while it waits for
// CPU index to come. It reports false if that one cannot be used.
func syncServe(index uint32) bool {
	if atomic.LoadUint32(&syncPhase) != syncHere {
		return true
	}
	k := &clocks
	syncWarp.Reset()
	atomic.StoreUint32(&syncPhase, syncRun)
	_, n := syncWarp.Run(rdtscFenced, tscHz/syncTicksPerSecond)
	for atomic.LoadUint32(&syncPhase) != syncRead {
		pause()
	}
	warp := syncWarp.Max()
	syncRound++
	switch {
	case warp == 0:
		k.checked++
		var l line
		l.str("clocks: CPU ").dec(uint64(index)).str(": time stamp counter in step, ").dec(uint64(n)).str(" readings").note(stepDebug)
	case k.declared.Adjust && syncRound < syncRounds:
		atomic.StoreUint32(&syncPhase, syncAdjust)
		return true
	default:
		k.checked++
		k.warp = max(k.warp, warp)
		var l line
		l.str("clocks: CPU ").dec(uint64(index)).str(": time stamp counter differs by ").dec(warp).str(" ticks from the boot CPU's")
		if !k.have[clockHPET] && !k.have[clockPM] {
			l.str(", and there is no other clock: not used").note(stepWarning)
			syncRound = 0
			atomic.StoreUint32(&syncPhase, syncStop)
			return false
		}
		l.note(stepWarning)
		k.tscBad = "the CPUs' counters differ"
		k.have[clockTSC] = false
		if k.current() == clockTSC {
			k.why = k.reason(k.best())
			k.use(k.best(), 0)
			var l line
			l.str("clocks: the clock is ").str(clockNames[k.current()]).str(": ").str(k.why).note(stepWarning)
		}
	}
	syncRound = 0
	atomic.StoreUint32(&syncPhase, syncGood)
	return true
}
