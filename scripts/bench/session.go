package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"tamarix/scripts/bench/measure"
	"tamarix/scripts/image"
)

// The parts of a run, in their order.
const (
	partBuild        = "build"
	partStart        = "start"
	partInstructions = "instructions"
	partWall         = "wall"
	partScaling      = "scaling"
)

var allParts = []string{partBuild, partStart, partInstructions, partWall, partScaling}

// A session is one run of the benchmark.
type session struct {
	root    string
	options options
	parts   []string
	kernels map[string]string // by name in the samples
	full    string            // archive of the benchmark program with all it uses
	small   string            // with nothing else
	set     *measure.Set
	started time.Time
	bar     *progress
}

// A step is some boots at once: one where time is measured, both kernels where
// instructions are counted, which a busy host does not change.
type step struct {
	what  string
	boots []boot
	cost  float64 // seconds it takes about, on an idle machine
}

type boot struct {
	measure.Boot
	number  int // of its kind, from 1
	outside bool
}

func newSession(root string, o options, parts []string) (*session, error) {
	s := &session{root: root, options: o, parts: parts, set: &measure.Set{}, started: time.Now()}
	if o.quick {
		s.options.n, s.options.ms = 1, 15
	}
	s.facts()
	linux, err := image.DebianKernel(root)
	if err != nil {
		return nil, err
	}
	if err := s.build(slices.Contains(parts, partBuild)); err != nil {
		return nil, err
	}
	s.kernels = map[string]string{measure.Linux: linux, measure.Tamarix: filepath.Join(root, "out", "tamarix.elf")}
	s.full, s.small = filepath.Join(o.out, "bench.cpio.gz"), filepath.Join(o.out, "start.cpio.gz")
	for _, a := range []struct {
		file string
		fill func(*image.Image, string) error
	}{{s.full, (*image.Image).Bench}, {s.small, (*image.Image).BenchBoot}} {
		var m image.Image
		if err := a.fill(&m, root); err != nil {
			return nil, err
		}
		if err := m.Write(a.file); err != nil {
			return nil, err
		}
	}
	return s, s.images()
}

// both are the kernels in the order of the table.
var both = []string{measure.Linux, measure.Tamarix}

// boot is a machine with the defaults of this run.
func (s *session) boot(kernel, mode string, cpus int, rows string) boot {
	params := "LIMIT=" + strconv.Itoa(rowLimit)
	if rows != "" {
		params += " ROWS=" + rows
	}
	if mode == measure.Instructions {
		params += " ICOUNT=1"
	} else {
		ms := s.options.ms
		if rows == scaling {
			ms *= 4 // several CPUs that wait for each other are less regular
		}
		params += fmt.Sprintf(" MS=%d", ms)
	}
	return boot{number: 1, Boot: measure.Boot{
		Name: kernel, Kernel: s.kernels[kernel], Initrd: s.full, Mode: mode, CPUs: cpus, Mem: "512M",
		Append: params, Limit: 10 * time.Minute,
	}}
}

const (
	rowLimit = 90 // seconds a row may take
	none     = "none"
	fork1g   = "big.fork_1g"
	scaling  = "scale."
)

// plan lists what is to be booted.
func (s *session) plan() (steps []step) {
	// turn adds a boot of each kernel; every other time the second goes first.
	turn := func(what string, i, n int, cost [2]float64, make func(kernel string) boot) {
		for j := range both {
			k := (i + j) % 2
			b := make(both[k])
			b.number = i + 1
			steps = append(steps, step{fmt.Sprintf("%s, %d of %d, %s", what, i+1, n, title(both[k])), []boot{b}, cost[k]})
		}
	}
	alternate := func(what string, n int, cost [2]float64, make func(kernel string) boot) {
		for i := range n {
			turn(what, i, n, cost, make)
		}
	}
	n, rows := s.options.n, s.options.rows
	quick := 1.0
	if s.options.quick {
		quick = 0.5
	}
	big := wanted(rows, fork1g)
	if !wanted(rows, none) { // only rows that are named; the controls are always wanted
		rows += ",control."
	}
	few := min(n, 3)
	for _, p := range allParts {
		if !slices.Contains(s.parts, p) {
			continue
		}
		switch p {
		case partStart:
			alternate("start", n, [2]float64{6, 0.5}, func(k string) boot {
				b := s.boot(k, measure.Wall, 1, none)
				b.Initrd, b.outside = s.small, true
				return b
			})
		case partInstructions:
			two := step{what: "instructions", cost: 90}
			for _, k := range both {
				two.boots = append(two.boots, s.boot(k, measure.Instructions, 1, rows))
			}
			steps = append(steps, two)
			if big {
				two := step{what: "instructions, fork of 1 GiB", cost: 30}
				for _, k := range both {
					b := s.boot(k, measure.Instructions, 1, fork1g)
					b.Mem = "2G"
					two.boots = append(two.boots, b)
				}
				steps = append(steps, two)
			}
		case partWall:
			alternate("wall time", n, [2]float64{40 * quick, 25 * quick}, func(k string) boot {
				return s.boot(k, measure.Wall, 1, rows)
			})
			if big {
				alternate("wall time, fork of 1 GiB", few, [2]float64{15, 8}, func(k string) boot {
					b := s.boot(k, measure.Wall, 1, fork1g)
					b.Mem = "2G"
					return b
				})
			}
		case partScaling:
			// The numbers of CPUs take turns too: they are compared with each other.
			for i := range few {
				for _, cpus := range []int{1, 2, 4} {
					turn(fmt.Sprintf("scaling, CPUs: %d", cpus), i, few, [2]float64{16 * quick, 11 * quick}, func(k string) boot {
						return s.boot(k, measure.Wall, cpus, scaling)
					})
				}
			}
		}
	}
	return steps
}

// measure takes all steps.
func (s *session) measure() error {
	steps := s.plan()
	s.bar = newProgress(steps)
	defer s.bar.end()
	var errs []error
	for i, st := range steps {
		s.bar.begin(i)
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, b := range st.boots {
			wg.Go(func() {
				r, err := b.Run(s.bar.heard)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					errs = append(errs, err)
					s.bar.say("%v", err)
				}
				if r != nil {
					s.keep(b, r)
				}
			})
		}
		wg.Wait()
		s.bar.finish(i)
		// What is there is there, should the run be broken off.
		if err := s.set.Save(s.options.out); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// keep takes over what a boot has given.
func (s *session) keep(b boot, r *measure.Result) {
	for _, x := range r.Samples {
		x.Boot = b.number
		if x.Note != "" {
			s.bar.say("%s, %s, %s: %s", title(b.Name), b.Mode, x.Row, x.Note)
		}
		s.set.Samples = append(s.set.Samples, x)
	}
	if b.outside && r.Ready > 0 && r.Total > 0 {
		const machine = 512 << 20
		s.outside(b.Name, b.number, measure.Start, float64(r.Ready.Nanoseconds()))
		s.outside(b.Name, b.number, measure.RAM, float64(machine-r.Free<<10))
	}
}

// outside records a figure that the benchmark program has no part in.
func (s *session) outside(kernel string, number int, row string, value float64) {
	s.set.Samples = append(s.set.Samples, measure.Sample{
		Kernel: kernel, Mode: measure.Wall, CPUs: 1, Boot: number, Row: row,
		Ops: 1, Batches: 1, Min: value, Median: value, Max: value,
	})
}

// title is a kernel's name as people write it.
func title(kernel string) string {
	if kernel == measure.Linux {
		return "Linux"
	}
	return "Tamarix"
}

// finish adds what is known only at the end.
func (s *session) finish() {
	s.fact("Duration", time.Since(s.started).Round(time.Second).String())
	os.Remove(s.full)
	os.Remove(s.small)
}
