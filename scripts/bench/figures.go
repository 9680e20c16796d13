package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"tamarix/scripts/bench/measure"
	"tamarix/scripts/image"
	"tamarix/scripts/qemu"
)

// writeFigures measures the rows that make test watches, shows how they have
// moved, and writes them down.
func writeFigures(root string) error {
	initrd := filepath.Join(root, "out", "bench", "figures.cpio.gz")
	var m image.Image
	if err := m.Bench(root); err != nil {
		return err
	}
	if err := m.Write(initrd); err != nil {
		return err
	}
	defer os.Remove(initrd)
	version, err := qemu.Version()
	if err != nil {
		return err
	}
	fmt.Printf("counting instructions in %d boots ...\n", measure.FigureBoots)
	counts, err := measure.CountInstructions(filepath.Join(root, "out", "tamarix.elf"), initrd, 0)
	if err != nil {
		return err
	}
	file := filepath.Join(root, measure.FiguresFile)
	before := map[string]float64{}
	if old, err := measure.LoadFigures(file); err == nil {
		for _, f := range old.Rows {
			before[f.Row] = f.Instructions
		}
	}
	f := measure.NewFigures(counts, runtime.Version(), version)
	for _, x := range f.Rows {
		if was := before[x.Row]; was > 0 {
			fmt.Printf("%-16s %12.1f  before: %12.1f  %+.1f %%\n", x.Row, x.Instructions, was, 100*(x.Instructions/was-1))
		} else {
			fmt.Printf("%-16s %12.1f\n", x.Row, x.Instructions)
		}
	}
	return f.Save(file)
}
