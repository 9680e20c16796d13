package measure

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Set is a run of the benchmark: what was measured, and under what
// circumstances.
type Set struct {
	Samples []Sample
	Facts   []Fact
}

// A Fact is a circumstance of a run, for the reader.
type Fact struct{ Name, Value string }

// Fact returns a circumstance by name, "" if it is not known.
func (s *Set) Fact(name string) string {
	for _, f := range s.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// samples are those of a row that have figures, in the order of the boots.
func (s *Set) samples(kernel, mode string, cpus int, row string) (found []Sample) {
	for _, x := range s.Samples {
		if x.Kernel == kernel && x.Mode == mode && x.CPUs == cpus && x.Row == row && x.Note == "" {
			found = append(found, x)
		}
	}
	return found
}

// Values are the medians of a row in the order of the boots.
func (s *Set) Values(kernel, mode string, cpus int, row string) (v []float64) {
	for _, x := range s.samples(kernel, mode, cpus, row) {
		v = append(v, x.Median)
	}
	return v
}

// Note is why a kernel has no figures for a row, "" if it has some or was not
// asked.
func (s *Set) Note(kernel, mode string, cpus int, row string) string {
	note := ""
	for _, x := range s.Samples {
		if x.Kernel == kernel && x.Mode == mode && x.CPUs == cpus && x.Row == row {
			if x.Note == "" {
				return ""
			}
			note = x.Note
		}
	}
	return note
}

// Ratio compares the kernels in a row. ok is false where one of them has no
// figures; what there is of the other is filled in.
func (s *Set) Ratio(mode string, cpus int, row string) (r Ratio, ok bool) {
	l, t := s.Values(Linux, mode, cpus, row), s.Values(Tamarix, mode, cpus, row)
	r = Ratio{Linux: Median(l), Tamarix: Median(t)}
	r.Value = r.Tamarix / r.Linux
	// Boots of one number were made one after the other: a host that slowed down
	// slowed both.
	byBoot := map[int]float64{}
	for _, x := range s.samples(Linux, mode, cpus, row) {
		byBoot[x.Boot] = x.Median
	}
	for _, x := range s.samples(Tamarix, mode, cpus, row) {
		linux, ok := byBoot[x.Boot]
		if !ok {
			continue
		}
		v := x.Median / linux
		if r.Pairs == 0 {
			r.Spread = Range{v, v}
		}
		r.Spread = Range{min(r.Spread.Low, v), max(r.Spread.High, v)}
		r.Pairs++
	}
	return r, len(l) > 0 && len(t) > 0
}

// Speedup is how much more four processes get done on that many CPUs than on one:
// the median of the boots, each compared with the one before it on one CPU.
func (s *Set) Speedup(kernel, row string, cpus int) (x float64, ok bool) {
	one := map[int]float64{}
	for _, x := range s.samples(kernel, Wall, 1, row) {
		one[x.Boot] = x.Median
	}
	var gains []float64
	for _, x := range s.samples(kernel, Wall, cpus, row) {
		if t, ok := one[x.Boot]; ok {
			gains = append(gains, t/x.Median)
		}
	}
	return Median(gains), len(gains) > 0
}

// Void says why the run proves nothing, a line each; nothing if it is good. The
// controls do not leave user mode, so they must be equal on both kernels.
func (s *Set) Void() (why []string) {
	for _, c := range Controls {
		for _, m := range []struct {
			mode      string
			tolerance float64
		}{{Wall, WallTolerance}, {Instructions, InstructionTolerance}} {
			r, ok := s.Ratio(m.mode, 1, c.Name)
			switch {
			case ok && !(math.Abs(r.Value-1) <= m.tolerance):
				why = append(why, fmt.Sprintf("%s, %s: Tamarix / Linux is %.3f, and the kernels have no part in it; within %.0f %% was wanted",
					c.Title, m.mode, r.Value, 100*m.tolerance))
			case !ok && s.has(m.mode):
				why = append(why, fmt.Sprintf("%s, %s: not measured on both kernels", c.Title, m.mode))
			}
		}
	}
	return why
}

// has tells whether rows of Rows were measured in a mode inside the machine.
func (s *Set) has(mode string) bool {
	return slices.ContainsFunc(s.Samples, func(x Sample) bool {
		return x.Mode == mode && x.CPUs == 1 && !strings.HasPrefix(x.Row, "outside.") && !strings.HasPrefix(x.Row, "scale.")
	})
}

// The files a Set is kept in.
const (
	samplesFile = "samples.tsv"
	factsFile   = "facts.tsv"
)

var header = []string{"kernel", "mode", "cpus", "boot", "row", "ops", "batches", "min", "median", "max", "note"}

// Save writes the samples and facts as TSV files in dir.
func (s *Set) Save(dir string) error {
	var b strings.Builder
	fmt.Fprintln(&b, strings.Join(header, "\t"))
	for _, x := range s.Samples {
		fmt.Fprintf(&b, "%s\t%s\t%d\t%d\t%s\t%d\t%d\t%.2f\t%.2f\t%.2f\t%s\n", x.Kernel, x.Mode, x.CPUs, x.Boot, x.Row,
			x.Ops, x.Batches, x.Min, x.Median, x.Max, clean(x.Note))
	}
	if err := os.WriteFile(filepath.Join(dir, samplesFile), []byte(b.String()), 0o644); err != nil {
		return err
	}
	b.Reset()
	for _, f := range s.Facts {
		fmt.Fprintf(&b, "%s\t%s\n", clean(f.Name), clean(f.Value))
	}
	return os.WriteFile(filepath.Join(dir, factsFile), []byte(b.String()), 0o644)
}

// clean makes s fit into a field.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s))
}

// Load reads what Save has written.
func Load(dir string) (*Set, error) {
	s := &Set{}
	err := tsv(filepath.Join(dir, samplesFile), len(header), func(n int, f []string) error {
		if n == 1 {
			return nil // the header
		}
		x := Sample{Kernel: f[0], Mode: f[1], Row: f[4], Note: f[10]}
		for i, p := range map[int]*int{2: &x.CPUs, 3: &x.Boot, 5: &x.Ops, 6: &x.Batches} {
			v, err := strconv.Atoi(f[i])
			if err != nil {
				return err
			}
			*p = v
		}
		for i, p := range map[int]*float64{7: &x.Min, 8: &x.Median, 9: &x.Max} {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				return err
			}
			*p = v
		}
		s.Samples = append(s.Samples, x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, tsv(filepath.Join(dir, factsFile), 2, func(n int, f []string) error {
		s.Facts = append(s.Facts, Fact{f[0], f[1]})
		return nil
	})
}

// tsv calls do with the fields of each line, numbered from 1. Lines that begin
// with # are remarks.
func tsv(file string, fields int, do func(n int, f []string) error) error {
	r, err := os.Open(file)
	if err != nil {
		return err
	}
	defer r.Close()
	return scan(r, file, fields, do)
}

func scan(r io.Reader, file string, fields int, do func(n int, f []string) error) error {
	in := bufio.NewScanner(r)
	for n := 1; in.Scan(); n++ {
		if strings.HasPrefix(in.Text(), "#") {
			continue
		}
		f := strings.Split(in.Text(), "\t")
		if len(f) != fields {
			return fmt.Errorf("%s:%d: %d fields, want %d", file, n, len(f), fields)
		}
		if err := do(n, f); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	return in.Err()
}
