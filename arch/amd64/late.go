//go:build tamarix

package amd64

import "sync/atomic"

// xsaveCPUs counts the CPUs that have enabled XSAVE. Atomic.
var xsaveCPUs uint32

// init runs once the Go runtime has looked at the CPU: from here on users may
// have the state that the kernel must not touch.
func init() {
	xsaveInit()
	for i := range NumCPU() {
		c := cpuByIndex(i)
		atomic.OrUint32(&c.requests, requestEnableXSAVE)
		sendIPIAnywhere(c.apicID, vectorRequest)
	}
	for atomic.LoadUint32(&xsaveCPUs) < uint32(NumCPU()) {
		pause()
	}
}
