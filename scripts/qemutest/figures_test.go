package qemutest

import (
	"path/filepath"
	"runtime"
	"testing"

	"tamarix/scripts/bench/measure"
	"tamarix/scripts/image"
	"tamarix/scripts/qemu"
)

// limits are promises about single rows, whatever the figures say.
var limits = map[string]float64{"null_call": 200, "anon_fault": 1200, "futex_rt": 4000}

// TestFigures counts the instructions of the hot paths and holds them to the
// committed figures. A row that seems to have grown gets two more rounds of
// boots, of which the best counts.
func TestFigures(t *testing.T) {
	root := needQEMU(t)
	figures, err := measure.LoadFigures(filepath.Join(root, measure.FiguresFile))
	if err != nil {
		t.Fatal(err)
	}
	version, err := qemu.Version()
	if err != nil {
		t.Fatal(err)
	}
	allowed := figures.Allowed(runtime.Version(), version)
	if allowed > 0.05 {
		t.Logf("The figures are of %s and QEMU %s, here are %s and %s: %.0f %% are allowed.",
			figures.Go, figures.QEMU, runtime.Version(), version, 100*allowed)
	}
	initrd := archive(t, root, "bench", func(m *image.Image) error { return m.Bench(root) })
	counts := map[string][]float64{}
	const rounds = 3
	for round := range rounds {
		more, err := measure.CountInstructions(tamarix(t, root), initrd, round)
		if err != nil {
			t.Fatal(err)
		}
		for row, c := range more {
			counts[row] = append(counts[row], c...)
		}
		changes, err := figures.Compare(counts)
		if err != nil {
			t.Fatal(err)
		}
		last, bad := round == rounds-1, false
		for _, c := range changes {
			grown := c.Growth() > allowed
			over := limits[c.Row] > 0 && c.Now > limits[c.Row]
			if grown || over {
				bad = true
				if !last {
					t.Logf("%s: %.1f instructions, the figure is %.1f: once more", c.Row, c.Now, c.Instructions)
				}
			}
			if grown && last {
				t.Errorf("%s takes %.1f instructions, %.1f %% more than the figure of %.1f. If that has to be: make bench-figures",
					c.Row, c.Now, 100*c.Growth(), c.Instructions)
			}
			if over && last {
				t.Errorf("%s takes %.1f instructions; %.0f are the limit", c.Row, c.Now, limits[c.Row])
			}
		}
		if bad && !last {
			continue
		}
		for _, c := range changes {
			remark := ""
			if c.Growth() < -0.05 {
				remark = ", better: make bench-figures keeps it so"
			}
			t.Logf("%-14s %11.1f instructions, %+.1f %%%s", c.Row, c.Now, 100*c.Growth(), remark)
		}
		return
	}
}
