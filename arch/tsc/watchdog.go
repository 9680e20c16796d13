package tsc

// Watchdog compares the time stamp counter with a reference over the time between
// two checks. The zero value knows nothing yet: its first check only remembers.
type Watchdog struct {
	Hz  uint64     // of the time stamp counter
	Ref *Reference // of known frequency

	last Sample
	have bool
}

// Verdict is what a check says.
type Verdict uint8

const (
	Fine   Verdict = iota
	Unsure         // the reading was disturbed, or too long ago for this reference
	Wrong          // they differ by more than delays and inexact figures explain
)

const (
	// watchMargin is allowed for delays between two readings, in ns.
	watchMargin = 1_000_000
	// watchShare: what else is allowed is this fraction of the time. Frequencies
	// are measured to a few hundred millionths.
	watchShare = 400
)

// Check compares what the two counters say has passed since the last check that was
// Fine, and returns by how many ns the time stamp counter is ahead. After Wrong the
// next check compares with the same old reading: ask again before you act.
func (w *Watchdog) Check(s Sample) (v Verdict, ahead int64) {
	if w.Hz == 0 || w.Ref == nil || !w.Ref.valid() {
		return Unsure, 0
	}
	if scale(s.Width, 1_000_000_000, w.Hz) > watchMargin/2 {
		return Unsure, 0
	}
	if !w.have {
		w.last, w.have = s, true
		return Unsure, 0
	}
	ticks := s.TSC - w.last.TSC
	if ticks > 1<<62 { // it has gone back
		return Wrong, -int64(min(scale(-ticks, 1_000_000_000, w.Hz), 1<<62))
	}
	passed := min(scale(ticks, 1_000_000_000, w.Hz), 1<<62)
	ref := min(scale((s.Count-w.last.Count)&w.Ref.mask(), 1_000_000_000, w.Ref.Hz), 1<<62)
	ahead = int64(passed - ref)
	allowed := watchMargin + passed/watchShare
	if p := w.Ref.period(); p < 1<<62 {
		if allowed > p/4 {
			// So long ago that what is allowed says nothing any more. Begin anew.
			w.last = s
			return Unsure, 0
		}
		// It may have come round any number of times: compare what is left.
		ahead %= int64(p)
		if ahead > int64(p/2) {
			ahead -= int64(p)
		} else if ahead < -int64(p/2) {
			ahead += int64(p)
		}
	}
	if ahead > int64(allowed) || ahead < -int64(allowed) {
		return Wrong, ahead
	}
	w.last = s
	return Fine, ahead
}

// Forget makes the next check only remember.
func (w *Watchdog) Forget() { w.have = false }

// Since returns how many ns have passed since the last check that was Fine by the
// reference, which must not have come round since; false if there was none.
func (w *Watchdog) Since(s Sample) (tscThen uint64, ns uint64, ok bool) {
	if !w.have || w.Ref == nil || !w.Ref.valid() {
		return 0, 0, false
	}
	return w.last.TSC, scale((s.Count-w.last.Count)&w.Ref.mask(), 1_000_000_000, w.Ref.Hz), true
}
