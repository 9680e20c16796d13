//go:build tamarix

package amd64

// clockData is what the data page of the vDSO says: the parameters of Nanotime, or
// that the calls are to be used since the TSC is not the clock.
//   - vdsoPage.mu is held, which keeps the clock from being switched.
func clockData() vdsoData {
	d := vdsoData{base: tscBase, mult: tscMult, wall: WallOffset()}
	if slowNow == 0 {
		d.flags |= vdsoHasClock
	}
	if hasRDTSCP {
		d.flags |= vdsoHasCPU
	}
	return d
}
