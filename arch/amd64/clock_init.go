//go:build tamarix

package amd64

import "tamarix/arch/tsc"

// The clocks there are, by Linux's names.
const (
	clockTSC = iota
	clockHPET
	clockPM
	clockCount
)

var clockNames = [clockCount]string{"tsc", "hpet", "acpi_pm"}

// clockState is what was found out at boot. Set before the Go runtime starts; what
// changes later is said to.
type clockState struct {
	declared tsc.Declared
	results  [tsc.MaxReferences]tsc.Result
	chosen   tsc.Frequency

	have     [clockCount]bool
	tscBad   string // why the TSC is not to be the clock; "": it is good. Under vdsoPage.mu
	reliable bool   // "tsc=reliable": no check
	noWatch  bool   // "tsc=nowatchdog", or nothing to compare with
	wanted   int    // "clocksource="; -1: not said
	why      string // of the choice. Under vdsoPage.mu

	adjusted  int    // CPUs whose IA32_TSC_ADJUST was not the boot CPU's
	warp      uint64 // the worst that CPUs' counters differed by, in ticks
	checked   int    // CPUs compared with the boot CPU
	apicHow   string // how apicHz was found
	watchSeen int64  // what the last check of the watchdog said, in ns; under vdsoPage.mu
	watched   int    // checks that were fine; likewise
}

var clocks clockState

// Measuring takes so long, in ns. A virtual machine's time is not worth more, one
// that starts on a real machine once a day should keep it to some millionths.
const (
	measureTime     = 10_000_000
	measureTimeReal = 50_000_000
)

// clockInit finds the counters there are, the frequency of the time stamp counter,
// and the clock. It runs on the boot CPU before the Go runtime does, and before the
// other CPUs do.
func clockInit() {
	k := &clocks
	k.declared = tsc.Declare(cpuid)
	d := &k.declared
	k.readOptions()
	findReferences()
	length := uint64(measureTimeReal)
	if d.Hypervisor || d.Exact {
		length = measureTime
	}
	startStep("clocks: measuring the time stamp counter")
	n := 0
	for i := range references {
		if references[i].Hz != 0 {
			n = i + 1
		}
	}
	k.results = tsc.Measure(rdtsc, references[:n], length)
	var trusted [len(refTrust)]tsc.Result
	for i, ref := range refTrust {
		trusted[i] = k.results[ref]
	}
	k.chosen = tsc.Choose(*d, trusted[:])
	if i := k.chosen.Reference; i >= 0 {
		k.chosen.Reference = refTrust[i]
	}
	for i := range n {
		if references[i].Hz != 0 && k.results[i].Hz == 0 {
			var l line
			l.str("clocks: against the ").str(references[i].Name).str(" nothing could be measured").note(stepWarning)
		}
	}
	k.have = [clockCount]bool{true, k.results[refHPET].Hz != 0, k.results[refPM].Hz != 0}
	if k.chosen.By == tsc.ByGuess {
		// It is the TSC that does not count, if one of the others does.
		k.have[clockHPET], k.have[clockPM] = references[refHPET].Counts(), references[refPM].Counts()
		if k.have[clockHPET] || k.have[clockPM] {
			k.tscBad = "it cannot be measured"
		}
	}
	if k.tscBad == "" && !k.reliable && !d.Steady() && (k.have[clockHPET] || k.have[clockPM]) {
		k.tscBad = "its rate follows the CPU's"
	}
	startClock(k.chosen.Hz, tscBase)
	k.report()
	k.choose()
}

// readOptions reads "tsc=", "clocksource=" and the like from the command line.
func (k *clockState) readOptions() {
	switch v, _ := bootInfo.Option("tsc"); string(v) {
	case "unstable":
		k.tscBad = "the command line says so"
	case "reliable":
		k.reliable = true
	case "nowatchdog":
		k.noWatch = true
	}
	k.wanted = -1
	if v, ok := bootInfo.Option("clocksource"); ok {
		for i, name := range clockNames {
			if string(v) == name {
				k.wanted = i
			}
		}
		if k.wanted < 0 {
			var l line
			l.str("clocks: clocksource=").bytes(v).str(": there is no such clock").note(stepWarning)
		}
	}
}

// report names the candidates for the frequency, and which one it is.
func (k *clockState) report() {
	d := &k.declared
	if d.Hz != 0 {
		var l line
		l.str("clocks: time stamp counter at ").mhz(d.Hz).str(" by ").str(d.By.String()).note(stepInfo)
	}
	for i := range references {
		if r := k.results[i]; r.Hz != 0 {
			var l line
			l.str("clocks: time stamp counter at ").mhz(r.Hz).str(" by the ").str(references[i].Name).
				str(", to ").dec(r.Error).str(" ppm").note(stepInfo)
		}
	}
	var l line
	l.str("clocks: time stamp counter taken to run at ").mhz(k.chosen.Hz).str(", by ").str(k.source())
	switch {
	case k.chosen.By == tsc.ByGuess:
		l.str(": there is nothing to measure it with").note(stepWarning)
	case k.chosen.Doubtful:
		l.str("; sources differ").note(stepWarning)
	default:
		l.note(stepInfo)
	}
}

// source says where the chosen frequency comes from.
func (k *clockState) source() string {
	if k.chosen.By == tsc.ByMeasuring && k.chosen.Reference >= 0 {
		return references[k.chosen.Reference].Name
	}
	return k.chosen.By.String()
}

// best returns the best clock there is.
func (k *clockState) best() int {
	switch {
	case k.tscBad == "":
		return clockTSC
	case k.have[clockHPET]:
		return clockHPET
	case k.have[clockPM]:
		return clockPM
	}
	return clockTSC
}

// choose makes the best clock the clock, or the one that the command line wants.
//   - Only one CPU runs.
func (k *clockState) choose() {
	c := k.best()
	switch {
	case k.wanted >= 0 && !k.have[k.wanted]:
		var l line
		l.str("clocks: clocksource=").str(clockNames[k.wanted]).str(": the machine has none that works").note(stepWarning)
	case k.wanted == clockTSC && k.tscBad != "" && c != clockTSC:
		startStep("clocks: clocksource=tsc: it is unstable")
	case k.wanted >= 0:
		c = k.wanted
		k.why = "the command line wants it"
	}
	if k.why == "" {
		k.why = k.reason(c)
	}
	if c != clockTSC {
		k.use(c, 0)
	}
	var l line
	l.str("clocks: the clock is ").str(clockNames[c]).str(": ").str(k.why).note(stepInfo)
	k.noWatch = k.noWatch || k.reliable || !k.have[clockHPET] && !k.have[clockPM]
}

// reason says why c is the clock.
func (k *clockState) reason(c int) string {
	switch {
	case c != clockTSC:
		return "the time stamp counter is no good"
	case k.tscBad != "":
		return "it is no good, but there is nothing else"
	case k.reliable:
		return "the command line calls it reliable"
	case k.declared.Invariant:
		return "the CPU calls it invariant"
	case k.have[clockHPET] || k.have[clockPM]:
		return "not invariant, but no sleep state that could stop it is used; it is watched"
	}
	return "not invariant, and there is nothing to compare it with"
}

// use makes c the clock.
//   - Interrupts are off, and only one CPU switches at a time.
//
//go:nosplit
func (k *clockState) use(c int, floor int64) {
	switch c {
	case clockTSC:
		useTSC()
	case clockHPET:
		useSlow(&slowHPET, floor)
	case clockPM:
		useSlow(&slowPM, floor)
	}
}

// current returns the clock.
func (k *clockState) current() int {
	switch slowClock() {
	case nil:
		return clockTSC
	case &slowHPET:
		return clockHPET
	}
	return clockPM
}
