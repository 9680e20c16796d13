package measure

import (
	"fmt"
	"strconv"
	"strings"
)

// Kernels by the names they have in samples.
const (
	Linux   = "linux"
	Tamarix = "tamarix"
)

// Modes of a sample.
const (
	Wall         = "wall"
	Instructions = "instructions"
)

// A Sample is one row of one boot.
type Sample struct {
	Kernel, Mode     string
	CPUs             int
	Boot             int // of this kernel, in this mode, with these CPUs; from 1
	Row              string
	Ops, Batches     int // operations in a batch
	Min, Median, Max float64
	Note             string // why there are no figures; "" if there are
}

// A Said is what one line of the program's output means.
type Said struct {
	Kind    string // READY, MEM, BEGIN, START, ROW, SKIP, FAIL, DONE; "" for any other line
	Name    string // of START, ROW, SKIP, FAIL
	Numbers []int  // of MEM and BEGIN
	Sample  Sample // of ROW, SKIP, FAIL: Row and the figures
}

// Parse reads one line. A line that begins as one of the program's and does not
// go on as one is an error.
func Parse(line string) (Said, error) {
	f := strings.Fields(line)
	if len(f) == 0 {
		return Said{}, nil
	}
	s := Said{Kind: f[0]}
	bad := fmt.Errorf("not a line of the benchmark program: %q", line)
	switch {
	case f[0] == "READY" || f[0] == "DONE":
	case f[0] == "MEM" || f[0] == "BEGIN":
		for _, x := range f[1:] {
			n, err := strconv.Atoi(x)
			if err != nil {
				return s, bad
			}
			s.Numbers = append(s.Numbers, n)
		}
		if want := map[string]int{"MEM": 2, "BEGIN": 1}[f[0]]; len(s.Numbers) != want {
			return s, bad
		}
	case f[0] == "START":
		if len(f) != 2 {
			return s, bad
		}
		s.Name = f[1]
	case f[0] == "ROW":
		if len(f) != 7 {
			return s, bad
		}
		s.Name, s.Sample.Row = f[1], f[1]
		var errs [5]error
		s.Sample.Ops, errs[0] = strconv.Atoi(f[2])
		s.Sample.Batches, errs[1] = strconv.Atoi(f[3])
		for i, p := range []*float64{&s.Sample.Min, &s.Sample.Median, &s.Sample.Max} {
			*p, errs[2+i] = strconv.ParseFloat(f[4+i], 64)
		}
		for _, err := range errs {
			if err != nil {
				return s, bad
			}
		}
	case f[0] == "SKIP" || f[0] == "FAIL":
		if len(f) < 2 {
			return s, bad
		}
		s.Name, s.Sample.Row = f[1], f[1]
		why := strings.Join(f[2:], " ")
		if f[0] == "FAIL" {
			why = "failed: " + why
		}
		s.Sample.Note = why
	default:
		return Said{}, nil
	}
	return s, nil
}
