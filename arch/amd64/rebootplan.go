package amd64

// The ways to reset the machine, by the letters of the command line's reboot=.
const (
	rebootACPI     = 'a'
	rebootKeyboard = 'k'
	rebootPCI      = 'p'
	rebootTriple   = 't'
)

// rebootOrder is what is tried without a reboot= on the command line.
const rebootOrder = "akpt"

// plan is how to reboot: in which order, and whether the memory test of a cold
// start is to be left out.
type plan struct {
	ways [len(rebootOrder)]byte
	warm bool
}

// rebootPlan reads "reboot=" words, whose letters are Linux's (kernel-parameters,
// reboot=): a, k, p or t is the way to begin with, w or c a warm or a cold start,
// the last of each counting. What follows a letter up to a comma is not looked
// at, nor are letters for what there is not here (b, e, f, s).
func rebootPlan(line []byte) plan {
	var p plan
	first := byte(0)
	const word = "reboot="
	for i := 0; i+len(word) <= len(line); i++ {
		if i > 0 && line[i-1] > ' ' || string(line[i:i+len(word)]) != word {
			continue
		}
		start := true
		for _, c := range line[i+len(word):] {
			if c <= ' ' {
				break
			}
			if start {
				switch c {
				case rebootACPI, rebootKeyboard, rebootPCI, rebootTriple:
					first = c
				case 'w':
					p.warm = true
				case 'c', 'h':
					p.warm = false
				}
			}
			start = c == ','
		}
	}
	n := 0
	if first != 0 {
		p.ways[0], n = first, 1
	}
	for i := range len(rebootOrder) {
		if c := rebootOrder[i]; c != first {
			p.ways[n] = c
			n++
		}
	}
	return p
}
