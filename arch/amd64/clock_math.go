package amd64

import "math/bits"

// mulShift returns v*mult / 2^32.
//
//go:nosplit
func mulShift(v, mult uint64) uint64 {
	hi, lo := bits.Mul64(v, mult)
	return hi<<32 | lo>>32
}

// shiftDiv returns the least v for which mulShift(v, mult) is at least ns, for a
// mult that is not 0 and a ns below 2^63.
//
//go:nosplit
func shiftDiv(ns, mult uint64) uint64 {
	hi, lo := ns>>32, ns<<32
	if hi >= mult {
		return ^uint64(0)
	}
	q, r := bits.Div64(hi, lo, mult)
	if r != 0 {
		q++
	}
	return q
}
