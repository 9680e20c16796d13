//go:build tamarix

package amd64

// clockData is what the data page of the vDSO says: the parameters of Nanotime.
func clockData() vdsoData {
	d := vdsoData{flags: vdsoHasClock, base: tscBase, mult: tscMult, wall: WallOffset()}
	if hasRDTSCP {
		d.flags |= vdsoHasCPU
	}
	return d
}
