package tsc

// Frequency is what was found out.
type Frequency struct {
	Hz        uint64
	By        By
	Reference int  // measured against which; -1: not measured
	Confirmed bool // two sources agree
	Doubtful  bool // two sources differ, and this is only the likelier one
}

// GuessHz is assumed on a machine that neither says nor can measure how fast its
// counter runs.
const GuessHz = 1_000_000_000

// Agree reports whether two frequencies differ by no more than a hundredth.
func Agree(a, b uint64) bool {
	d := a - b
	if a < b {
		d = b - a
	}
	return d <= min(a, b)/100
}

// Choose says what to believe. results are in the order of trust.
//
// An exact figure of the CPU's own stands, unless two measurements agree that it
// is wrong. Next comes what was measured, best against two references that agree;
// one measurement alone must not contradict the CPU's nominal figure, as on Linux.
func Choose(d Declared, results []Result) Frequency {
	one, confirmed, differ := pick(results)
	declared := Frequency{Hz: d.Hz, By: d.By, Reference: -1}
	switch {
	case d.Hz == 0 && one < 0:
		return Frequency{Hz: GuessHz, By: ByGuess, Reference: -1, Doubtful: true}
	case d.Hz == 0:
		return Frequency{results[one].Hz, ByMeasuring, one, confirmed, differ}
	case one < 0:
		return declared
	}
	measured := Frequency{results[one].Hz, ByMeasuring, one, confirmed, false}
	if Agree(d.Hz, measured.Hz) {
		measured.Confirmed, declared.Confirmed = true, true
		if d.Exact {
			return declared
		}
		return measured
	}
	if confirmed {
		return measured
	}
	declared.Doubtful = true
	return declared
}

// pick returns the first result that another one confirms, or that other one if it
// is the more exact of the two, else the first that there is; -1: none. differ says
// that there are two and they do not agree.
func pick(results []Result) (one int, confirmed, differ bool) {
	one = -1
	for i := range results {
		if results[i].Hz == 0 {
			continue
		}
		for j := i + 1; j < len(results); j++ {
			if results[j].Hz == 0 {
				continue
			}
			if Agree(results[i].Hz, results[j].Hz) {
				if results[j].Error < results[i].Error {
					i = j
				}
				return i, true, false
			}
			differ = true
		}
		if one < 0 {
			one = i
		}
	}
	return one, false, differ
}
