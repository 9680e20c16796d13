//go:build tamarix

package main

import "tamarix/kernel"

// main is where the Go runtime arrives once arch/amd64 has started it.
func main() { kernel.Main(&boot) }
