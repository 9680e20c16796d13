// Mkbench makes the initial RAM file system of the benchmark (scripts/bench).
//
//	go run ./scripts/mkbench [-boot] [-o out/bench.cpio.gz]
//
// With -boot only what process 1 needs to begin.
package main

import (
	"flag"
	"fmt"
	"os"

	"tamarix/scripts/image"
)

func main() {
	out := flag.String("o", "out/bench.cpio.gz", "the archive to write")
	boot := flag.Bool("boot", false, "only what process 1 needs to begin")
	flag.Parse()
	root, err := image.Root()
	if err == nil {
		var m image.Image
		add := m.Bench
		if *boot {
			add = m.BenchBoot
		}
		if err = add(root); err == nil {
			err = m.Write(*out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mkbench:", err)
		os.Exit(1)
	}
}
