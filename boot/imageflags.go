package main

// Page-table entry bits, Intel SDM volume 3A, 4.5.
const (
	present  = 1 << 0
	writable = 1 << 1
	noExec   = 1 << 63

	pageSize = 4096
)

// Of elf.h, as the image's own program headers use it.
const (
	segmentExec  = 1 // PF_X
	segmentWrite = 2 // PF_W
)

// segment is a loaded part of the kernel's image, in physical addresses.
type segment struct {
	start, end uint64
	prot       uint32 // segmentWrite, segmentExec
}

// imageFlags returns how the memory from start to end is to be mapped: with the
// rights that the segments in it need, and writable where there is none.
func imageFlags(segs []segment, start, end, nx uint64) uint64 {
	f, covered := present|nx, start
	for _, s := range segs { // they are in order
		if start >= s.end || end <= s.start {
			continue
		}
		if s.start&^(pageSize-1) > covered {
			break
		}
		covered = (s.end + pageSize - 1) &^ (pageSize - 1)
		if s.prot&segmentWrite != 0 {
			f |= writable
		}
		if s.prot&segmentExec != 0 {
			f &^= nx
		}
	}
	if covered < end {
		f |= writable // memory that is no part of the image
	}
	return f
}
