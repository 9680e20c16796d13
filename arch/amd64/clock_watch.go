//go:build tamarix

package amd64

import (
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/arch/tsc"
)

// What can happen to the clock once the machine runs: it is compared with the
// chipset's counters now and then, it turns out to be wrong and is replaced, or
// somebody wants another one. All of it happens on goroutines, under vdsoPage.mu.

// watchdogs compare the TSC with the HPET and the power management timer. Under
// vdsoPage.mu.
var watchdogs [2]tsc.Watchdog

// WatchClock compares the time stamp counter with the chipset's counters, if it is
// the clock and is to be watched. Once every few seconds is enough; it takes some
// microseconds. If it has gone wrong, another clock is used from then on, and the
// message says so; otherwise it is "".
func WatchClock() (message string) {
	vdsoPage.mu.Lock()
	defer vdsoPage.mu.Unlock()
	k := &clocks
	if k.noWatch || k.tscBad != "" || k.current() != clockTSC {
		return ""
	}
	for range 3 {
		verdict, ahead, against := k.compare()
		if verdict != tsc.Wrong {
			if verdict == tsc.Fine {
				k.watched++
				k.watchSeen = ahead
			}
			return ""
		}
		message = fmt.Sprintf("clocks: the time stamp counter is %d us ahead of the %s: not used any more", ahead/1000, against)
	}
	k.tscBad = "it disagreed with the " + k.watchers()
	k.have[clockTSC] = false
	k.why = k.reason(k.best())
	floor := k.floor()
	k.switchLocked(k.best(), floor)
	return message + "; the clock is " + clockNames[k.current()]
}

// watchers names what the TSC is compared with.
func (k *clockState) watchers() string {
	var names []string
	for i := range watchdogs {
		if k.have[clockHPET+i] {
			names = append(names, references[i].Name)
		}
	}
	return strings.Join(names, " and the ")
}

// compare takes one reading. The TSC is wrong only if it disagrees with every
// counter there is: else it is that counter which is wrong.
//   - vdsoPage.mu is held.
func (k *clockState) compare() (verdict tsc.Verdict, ahead int64, against string) {
	verdict = tsc.Unsure
	for i := range watchdogs {
		if !k.have[clockHPET+i] {
			continue
		}
		w := &watchdogs[i]
		w.Hz, w.Ref = tscHz, &references[i]
		v, a := w.Check(sampleHere(w.Ref))
		switch {
		case v == tsc.Fine:
			return v, a, references[i].Name
		case v == tsc.Wrong && verdict != tsc.Wrong:
			verdict, ahead, against = v, a, references[i].Name
		}
	}
	return verdict, ahead, against
}

// sampleHere reads a reference and the TSC on the one CPU that it runs on.
func sampleHere(r *tsc.Reference) tsc.Sample {
	for range 5 {
		before := currentCPUNumber()
		s := r.Sample(rdtsc)
		if currentCPUNumber() == before {
			return s
		}
	}
	return tsc.Sample{Width: ^uint64(0) >> 1}
}

func currentCPUNumber() uint32 {
	s := pin()
	i := thisCPU().index
	unpin(s)
	return i
}

// clockAhead is how far the farthest CPU's clock was ahead of what clockAsked was;
// clockAnswers counts those that have answered. Atomic.
var (
	clockAsked   int64
	clockAhead   int64
	clockAnswers uint32
)

// answerClock is a CPU's answer to requestClock.
//
//go:nosplit
func answerClock() {
	d := Nanotime() - atomic.LoadInt64(&clockAsked)
	for {
		old := atomic.LoadInt64(&clockAhead)
		if d <= old || atomic.CompareAndSwapInt64(&clockAhead, old, d) {
			break
		}
	}
	atomic.AddUint32(&clockAnswers, 1)
}

// floor returns a time that no CPU has reached yet by a TSC that has gone wrong,
// and that is not before the true time, as far as the watchdogs know it.
//   - vdsoPage.mu is held.
func (k *clockState) floor() int64 {
	start := Nanotime()
	atomic.StoreInt64(&clockAsked, start)
	atomic.StoreInt64(&clockAhead, 0)
	atomic.StoreUint32(&clockAnswers, 0)
	n := NumCPU()
	for i := range n {
		c := cpuByIndex(i)
		atomic.OrUint32(&c.requests, requestClock)
		sendIPIAnywhere(c.apicID, vectorRequest)
	}
	for atomic.LoadUint32(&clockAnswers) < uint32(n) {
		pause()
	}
	floor := Nanotime() + atomic.LoadInt64(&clockAhead)
	for i := range watchdogs {
		if !k.have[clockHPET+i] {
			continue
		}
		w := &watchdogs[i]
		if then, passed, ok := w.Since(w.Ref.Sample(rdtsc)); ok {
			return max(floor, int64(mulShift(then-tscBase, tscMult)+passed))
		}
	}
	return floor
}

// switchLocked makes c the clock, at floor or later.
//   - vdsoPage.mu is held.
func (k *clockState) switchLocked(c int, floor int64) {
	if c == k.current() {
		return
	}
	d := vdsoPage.data.Load()
	if d != nil && k.current() == clockTSC {
		// Users first: who has read the TSC after this asks again.
		n := clockData()
		n.flags &^= vdsoHasClock
		d.update(n)
	}
	s := pin()
	k.use(c, floor)
	unpin(s)
	if d != nil {
		d.update(clockData())
	}
	// The boot CPU ticks from now on, even when it is idle.
	if c != clockTSC {
		sendIPIAnywhere(cpuByIndex(0).apicID, vectorTimer)
	}
}

// ClockSources returns the names of the clocks that can be used, the best first,
// and which one is.
func ClockSources() (names []string, current string) {
	vdsoPage.mu.Lock()
	defer vdsoPage.mu.Unlock()
	k := &clocks
	for i, name := range clockNames {
		if k.have[i] && (i != clockTSC || k.tscBad == "") {
			names = append(names, name)
		}
	}
	return names, clockNames[k.current()]
}

// SetClockSource makes the clock of that name the one: EINVAL if ClockSources does
// not have it.
func SetClockSource(name string) error {
	vdsoPage.mu.Lock()
	defer vdsoPage.mu.Unlock()
	k := &clocks
	for i := range clockNames {
		if clockNames[i] != name || !k.have[i] || i == clockTSC && k.tscBad != "" {
			continue
		}
		if i != k.current() {
			k.switchLocked(i, 0)
			k.why = "it was asked for"
			for j := range watchdogs {
				watchdogs[j].Forget()
			}
		}
		return nil
	}
	return unix.EINVAL
}

// ClockReport describes the clocks, line by line: "name: what is known of it".
func ClockReport() string {
	vdsoPage.mu.Lock()
	defer vdsoPage.mu.Unlock()
	k := &clocks
	d := &k.declared
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	line("clock: %s, because %s", clockNames[k.current()], k.why)
	line("tsc: %d Hz, by %s", tscHz, k.source())
	switch {
	case k.chosen.Doubtful:
		line("tsc frequency: sources differ")
	case k.chosen.Confirmed:
		line("tsc frequency: two sources agree")
	}
	if d.Hz != 0 {
		line("candidate: %d Hz by %s", d.Hz, d.By)
	}
	for i := range references {
		switch r := k.results[i]; {
		case references[i].Hz == 0:
		case r.Hz == 0:
			line("candidate: none by the %s: nothing could be measured", references[i].Name)
		default:
			line("candidate: %d Hz by the %s (%d Hz), to %d ppm", r.Hz, references[i].Name, references[i].Hz, r.Error)
		}
	}
	yes := map[bool]string{true: "yes", false: "no"}
	line("tsc invariant: %s; adjustable: %s; hypervisor: %s", yes[d.Invariant], yes[d.Adjust], yes[d.Hypervisor])
	if k.tscBad != "" {
		line("tsc unstable: %s", k.tscBad)
	}
	line("tsc of the CPUs: %d compared, worst difference %d ticks, %d adjusted", k.checked, k.warp, k.adjusted)
	if k.noWatch {
		line("watchdog: off")
	} else {
		line("watchdog: %s; %d checks, last difference %d ns", k.watchers(), k.watched, k.watchSeen)
	}
	if hpetRegs != 0 {
		line("hpet: at %#x, period %d fs", firmware.hpet.Address, hpetPeriod)
	}
	if pmTimer != 0 {
		line("acpi_pm: at %#x, %d bits", firmware.fadt.PMTimer.Addr, 64-slowPM.shift)
	}
	line("local APIC timer: %d Hz, by %s", apicHz, k.apicHow)
	return b.String()
}
