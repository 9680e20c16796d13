//go:build tamarix

package amd64

// CurrentCPU returns the number of the CPU that the caller runs on, which may be
// another one by the time it looks at the answer (getcpu(2)).
func CurrentCPU() int {
	flags := pin()
	n := int(thisCPU().index)
	unpin(flags)
	return n
}
