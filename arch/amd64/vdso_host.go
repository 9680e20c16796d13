//go:build !tamarix

package amd64

// clockData is what the data page of the vDSO says on the host: use the calls.
func clockData() vdsoData { return vdsoData{wall: WallOffset()} }
