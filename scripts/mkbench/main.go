// Mkbench makes the initial RAM file system of the benchmark (scripts/bench).
//
//	go run ./scripts/mkbench [-o out/bench.cpio.gz]
package main

import (
	"flag"
	"fmt"
	"os"

	"tamarix/scripts/image"
)

func main() {
	out := flag.String("o", "out/bench.cpio.gz", "the archive to write")
	flag.Parse()
	root, err := image.Root()
	if err == nil {
		var m image.Image
		if err = m.Bench(root); err == nil {
			err = m.Write(*out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mkbench:", err)
		os.Exit(1)
	}
}
