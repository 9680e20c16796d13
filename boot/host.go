//go:build !tamarix

package main

import "os"

func main() {
	os.Stderr.WriteString("boot is the kernel's start; build it with \"make kernel\".\n")
	os.Exit(2)
}
