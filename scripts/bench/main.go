// Bench measures Tamarix side by side with Linux: Debian's kernel and ours boot
// alternately in the same QEMU with the same program as process 1
// (scripts/bench/guest), and what an operation costs is compared.
//
//	go run ./scripts/bench            everything: about 20 minutes
//	  -n 7                            boots of each kernel for wall time
//	  -rows fork_exit,pipe_rt         some rows only; -rows=-untar all but some
//	  -parts instructions,wall        some parts only: start, instructions, wall, scaling, build
//	  -quick                          one short boot of each kind: a look, not a measurement
//	go run ./scripts/bench -show      shows the last run again
//	  -readme                         and writes its table into README.md
//	go run ./scripts/bench -figures   measures and writes the figures that
//	                                  make test holds the kernel to
//
// Results go to out/bench: report.html for people, table.tsv and scaling.tsv,
// samples.tsv and facts.tsv for programs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"tamarix/scripts/bench/measure"
	"tamarix/scripts/bench/report"
	"tamarix/scripts/image"
)

// options are what the command line says.
type options struct {
	n             int
	ms            int
	rows          string
	parts         string
	quick         bool
	out           string
	show, figures bool
	readme        bool
}

func main() {
	var o options
	flag.IntVar(&o.n, "n", 7, "boots of each kernel for wall time")
	flag.IntVar(&o.ms, "ms", 60, "length of a batch of operations in wall time, `milliseconds`")
	flag.StringVar(&o.rows, "rows", "", "`names` of rows to measure, with commas; -name leaves one out")
	flag.StringVar(&o.parts, "parts", "", "what to measure: "+strings.Join(allParts, ",")+"; of some rows instructions,wall")
	flag.BoolVar(&o.quick, "quick", false, "one short boot of each kind")
	flag.StringVar(&o.out, "out", "out/bench", "`directory` of the results")
	flag.BoolVar(&o.show, "show", false, "measure nothing, show the last results")
	flag.BoolVar(&o.readme, "readme", false, "write the table into README.md")
	flag.BoolVar(&o.figures, "figures", false, "write scripts/bench/figures.tsv, which make test compares with")
	flag.Parse()
	root, err := image.Root()
	if err == nil {
		err = os.Chdir(root)
	}
	if err == nil {
		err = run(root, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(root string, o options) error {
	if o.figures {
		return writeFigures(root)
	}
	var set *measure.Set
	var err error
	if o.show {
		set, err = measure.Load(o.out)
	} else {
		set, err = measured(root, o)
	}
	if set == nil {
		return err
	}
	if e := report.Text(os.Stdout, set); e != nil {
		err = errors.Join(err, e)
	}
	if e := report.Files(o.out, set); e != nil {
		return errors.Join(err, e)
	}
	fmt.Printf("\nThe report: %s\n", filepath.Join(o.out, "report.html"))
	if o.readme {
		err = errors.Join(err, report.UpdateReadme("README.md", set))
	}
	return err
}

// measured makes what is to be booted and measures. A part that fails does not
// take away what the others have given.
func measured(root string, o options) (*measure.Set, error) {
	parts := allParts
	switch {
	case o.parts != "":
		parts = strings.Split(o.parts, ",")
	case o.rows != "":
		parts = []string{partInstructions, partWall}
	}
	for _, p := range parts {
		if !strings.Contains(","+strings.Join(allParts, ",")+",", ","+p+",") {
			return nil, fmt.Errorf("part %q: there are %s", p, strings.Join(allParts, ", "))
		}
	}
	deps := exec.Command("scripts/deps.sh", "test")
	deps.Stdout, deps.Stderr = os.Stderr, os.Stderr
	if err := deps.Run(); err != nil {
		return nil, fmt.Errorf("scripts/deps.sh: %w", err)
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return nil, err
	}
	s, err := newSession(root, o, parts)
	if err != nil {
		return nil, err
	}
	err = s.measure()
	s.finish()
	return s.set, errors.Join(err, s.set.Save(o.out))
}
