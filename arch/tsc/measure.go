package tsc

// Reference is a counter of known frequency, against which the time stamp counter
// is measured. It counts up and wraps round.
type Reference struct {
	Name string
	Hz   uint64
	Bits uint // of the counter, 1 to 64
	Read func() uint64
}

// valid reports whether r can be used at all.
func (r *Reference) valid() bool { return r.Hz != 0 && r.Bits >= 1 && r.Bits <= 64 && r.Read != nil }

// mask has a one for each bit of the counter.
func (r *Reference) mask() uint64 { return ^uint64(0) >> (64 - r.Bits) }

// period is after how many ns the counter has come round; the greatest number if
// that is more.
func (r *Reference) period() uint64 {
	if r.Bits == 64 {
		return ^uint64(0)
	}
	return scale(r.mask()+1, 1_000_000_000, r.Hz)
}

// Sample is a reading of a reference and of the time stamp counter at the same
// moment, as nearly as that was possible.
type Sample struct {
	Count uint64
	TSC   uint64 // in the middle of the time that the reading took
	Width uint64 // that time, in ticks of the TSC
}

// sampleTries is how often a reading is tried. Whatever delays the processor
// between two instructions (a system management interrupt, a busy host below a
// virtual machine) shows as a long reading; the shortest of a few wins.
const sampleTries = 8

// Sample reads r and the counter.
func (r *Reference) Sample(tsc func() uint64) (s Sample) {
	s.Width = ^uint64(0)
	for range sampleTries {
		before := tsc()
		count := r.Read() & r.mask()
		if w := tsc() - before; w < s.Width {
			s = Sample{count, before + w/2, w}
		}
	}
	return s
}

// Result is what measuring against one reference has given.
type Result struct {
	Hz    uint64 // 0: nothing
	Error uint64 // the most that Hz can be wrong by reading delays, in parts per million
}

// MaxReferences is the most that [Measure] takes.
const MaxReferences = 4

const (
	goodError = 300    // ppm: no need to try again
	mostError = 20_000 // ppm: worse is no result

	attempts        = 60        // to get any result
	attemptsForMore = 10        // to get a good one
	shortest        = 1_000_000 // ns; no shorter time is measured

	fastHz = 10_000_000_000
)

// Measure finds the frequency of the time stamp counter against each of refs, all
// in the same ns nanoseconds, or in half of the time that a reference takes to come
// round. It tries again where the processor was kept from reading, for shorter
// times if need be, and keeps for each reference the result with the smallest error.
func Measure(tsc func() uint64, refs []Reference, ns uint64) (best [MaxReferences]Result) {
	refs = refs[:min(len(refs), MaxReferences)]
	var dead [MaxReferences]bool
	for n := range attempts {
		once := measure(tsc, refs, ns, &dead)
		done, some := true, true
		for i := range refs {
			if r := once[i]; r.Hz != 0 && (best[i].Hz == 0 || r.Error < best[i].Error) {
				best[i] = r
			}
			if refs[i].valid() && !dead[i] && (best[i].Hz == 0 || best[i].Error > goodError) {
				done = false
				some = some && best[i].Hz != 0
			}
		}
		if done || some && n >= attemptsForMore {
			break
		}
		// A host that is so busy leaves a shorter time alone sooner.
		if !some && n&1 != 0 {
			ns = max(ns/2, shortest)
		}
	}
	return best
}

// measure is one attempt at Measure. Those of refs that are dead are left out; one
// that does not count becomes so, since waiting for it takes long.
func measure(tsc func() uint64, refs []Reference, ns uint64, dead *[MaxReferences]bool) (out [MaxReferences]Result) {
	var first [MaxReferences]Sample
	var last, gap [MaxReferences]uint64
	var ended, moved [MaxReferences]bool
	open := 0
	for i := range refs {
		if refs[i].valid() && !dead[i] {
			first[i] = refs[i].Sample(tsc)
			last[i] = first[i].TSC
			open++
		} else {
			ended[i] = true
		}
	}
	// A counter that has not moved on by ns when the fastest TSC there may be has,
	// runs not at all or far too slowly.
	limit := scale(ns, fastHz, 1_000_000_000)
	for n := 0; n < 1<<22 && open > 0; n++ {
		for i := range refs {
			r := &refs[i]
			if ended[i] {
				continue
			}
			count, now := r.Read(), tsc()
			gap[i], last[i] = max(gap[i], now-last[i]), now
			moved[i] = moved[i] || (count-first[i].Count)&r.mask() != 0
			if (count-first[i].Count)&r.mask() < scale(min(ns, r.period()/2), r.Hz, 1_000_000_000) {
				if now-first[i].TSC > limit {
					ended[i], dead[i] = true, !moved[i]
					open--
				}
				continue
			}
			ended[i] = true
			open--
			s := r.Sample(tsc)
			gap[i] = max(gap[i], s.TSC-last[i])
			// A timer that comes round within a second may have done so unseen, in
			// gaps between two readings. Since what is measured is no more than half
			// of its way round, such a gap is a third of all the time, or more.
			if r.period() < 1_000_000_000 && gap[i] > (s.TSC-first[i].TSC)/4 {
				continue
			}
			out[i] = rate(r, first[i], s)
		}
	}
	return out
}

// rate returns the frequency that two samples of r give.
func rate(r *Reference, a, b Sample) Result {
	ticks, count := b.TSC-a.TSC, (b.Count-a.Count)&r.mask()
	if ticks == 0 || ticks > 1<<62 || count == 0 {
		return Result{}
	}
	e := scale(a.Width/2+b.Width/2, 1_000_000, ticks) + scale(1, 1_000_000, count)
	hz := scale(ticks, r.Hz, count)
	if e > mostError || hz < minHz || hz > maxHz {
		return Result{}
	}
	return Result{hz, e}
}

// Counts reports whether r moves on at all, for a machine whose time stamp counter
// does not.
func (r *Reference) Counts() bool {
	if !r.valid() {
		return false
	}
	first := r.Read() & r.mask()
	for range 1 << 16 {
		if r.Read()&r.mask() != first {
			return true
		}
	}
	return false
}
