package measure

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Figures are instructions per operation, by row: what make test holds the kernel
// to. They are committed (FiguresFile) and measured anew when the kernel got
// better, or worse for a reason.
//
// QEMU counts the instructions and derives the guest's clocks from the count, and
// its random numbers come from a seed: a boot of the same kernel repeats to the
// digit, on any machine, however busy. Where the code lies does not matter
// either. What does vary a little is how a row falls together with the kernel's
// garbage collection and timer, and that moves with any change of the kernel;
// so several boots with different seeds are taken, and the least count of all
// their batches is held against the middle one of the committed boots.
type Figures struct {
	Go, QEMU string // versions they were measured with
	Rows     []Figure
}

// A Figure is one row's.
type Figure struct {
	Row          string
	Instructions float64
}

// FiguresFile is where the figures are in the tree.
const FiguresFile = "scripts/bench/figures.tsv"

// figureRows are the rows that are watched: all that the others are made of.
var figureRows = []string{
	"null_call", "clock_call", "read_zero", "write_null", "open_close", "stat", "create_unlink",
	"pipe_rt", "futex_rt", "fork_exit", "fork_exec", "thread", "anon_fault", "cow_fault", "file_fault",
	"mmap_touched", "signal", "shell_pipe",
}

// FigureBoots is how many boots a measurement of figures takes.
const FigureBoots = 3

// CountInstructions boots the kernel FigureBoots times. Rounds are numbered from
// 0; each has seeds of its own. It returns each row's least count in each boot.
func CountInstructions(kernel, initrd string, round int) (map[string][]float64, error) {
	counts := map[string][]float64{}
	for i := range FigureBoots {
		b := Boot{
			Name: Tamarix, Kernel: kernel, Initrd: initrd, Mode: Instructions, CPUs: 1, Mem: "512M",
			Append: "ICOUNT=1 BATCHES=10 LIMIT=300 ROWS=" + strings.Join(figureRows, ","),
			Limit:  10 * time.Minute,
			Seed:   1 + round*FigureBoots + i,
		}
		r, err := b.Run(nil)
		if err != nil {
			return nil, err
		}
		for _, x := range r.Samples {
			if x.Note != "" {
				return nil, fmt.Errorf("%s: %s", x.Row, x.Note)
			}
			counts[x.Row] = append(counts[x.Row], x.Min)
		}
	}
	for _, row := range figureRows {
		if len(counts[row]) != FigureBoots {
			return nil, fmt.Errorf("%s: %d of %d boots have measured it", row, len(counts[row]), FigureBoots)
		}
	}
	return counts, nil
}

// NewFigures makes figures of counts.
func NewFigures(counts map[string][]float64, goVersion, qemuVersion string) *Figures {
	f := &Figures{Go: goVersion, QEMU: qemuVersion}
	for _, row := range figureRows {
		f.Rows = append(f.Rows, Figure{row, Median(counts[row])})
	}
	return f
}

// A Change is how a row has moved against the committed figure.
type Change struct {
	Figure
	Now float64 // least count of all
}

// Growth is 0.05 for five per cent more.
func (c Change) Growth() float64 { return c.Now/c.Instructions - 1 }

// Compare holds counts against the figures.
func (f *Figures) Compare(counts map[string][]float64) (changes []Change, err error) {
	for _, x := range f.Rows {
		if len(counts[x.Row]) == 0 {
			return nil, fmt.Errorf("%s: not measured; %s lists what is", x.Row, FiguresFile)
		}
		changes = append(changes, Change{x, slices.Min(counts[x.Row])})
	}
	return changes, nil
}

// Allowed is by how much a row may grow. Another compiler makes other code, and
// another QEMU has another machine; then only large steps say something.
func (f *Figures) Allowed(goVersion, qemuVersion string) float64 {
	if minor(f.Go) == minor(goVersion) && minor(f.QEMU) == minor(qemuVersion) {
		return 0.05
	}
	return 0.20
}

// minor cuts a version behind its second number.
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(len(parts), 2)], ".")
}

// Save writes the figures as TSV.
func (f *Figures) Save(file string) error {
	var b strings.Builder
	b.WriteString("# Instructions per operation, as make bench-figures has measured them. make test\n" +
		"# fails when a row takes over 5 % more.\n")
	fmt.Fprintf(&b, "go\t%s\nqemu\t%s\n", f.Go, f.QEMU)
	for _, x := range f.Rows {
		fmt.Fprintf(&b, "%s\t%.1f\n", x.Row, x.Instructions)
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// LoadFigures reads what Save has written.
func LoadFigures(file string) (*Figures, error) {
	f := &Figures{}
	return f, tsv(file, 2, func(n int, fields []string) error {
		switch fields[0] {
		case "go":
			f.Go = fields[1]
		case "qemu":
			f.QEMU = fields[1]
		default:
			v, err := strconv.ParseFloat(fields[1], 64)
			if err == nil && v <= 0 {
				err = fmt.Errorf("%s instructions", fields[1])
			}
			if err != nil {
				return err
			}
			f.Rows = append(f.Rows, Figure{fields[0], v})
		}
		return nil
	})
}
