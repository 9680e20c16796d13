// Mkguest makes the initial RAM file system of the guest tests (scripts/guest).
//
//	go run ./scripts/mkguest [-o out/guest.cpio.gz]
package main

import (
	"flag"
	"fmt"
	"os"

	"tamarix/scripts/image"
)

func main() {
	out := flag.String("o", "out/guest.cpio.gz", "the archive to write")
	flag.Parse()
	root, err := image.Root()
	if err == nil {
		var m image.Image
		if err = m.Guest(root); err == nil {
			err = m.Write(*out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mkguest:", err)
		os.Exit(1)
	}
}
