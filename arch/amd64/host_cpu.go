//go:build !tamarix

package amd64

// CurrentCPU returns 0: a host build has one CPU.
func CurrentCPU() int { return 0 }
