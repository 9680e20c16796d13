//go:build tamarix

package main

import (
	_ "unsafe"

	_ "github.com/usbarmory/tamago/amd64" // cpuinit, the entry point
)

// What TamaGo's cpuinit takes its stack from, and what its package refers to.
// Nothing runs on that stack: the start-up code sets its own.

//go:linkname ramSize runtime/goos.RamSize
var ramSize uint = 1 << 20

//go:linkname nanotime runtime/goos.Nanotime
func nanotime() int64 { return 0 }

//go:linkname hwinit1 runtime/goos.Hwinit1
func hwinit1() {}

//go:linkname printk runtime/goos.Printk
func printk(c byte) {}
