package devfs

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// Minor numbers of the memory devices (Documentation/admin-guide/devices.txt of
// Linux); their major is 1 (MEM_MAJOR, linux/major.h).
const (
	memMajor = 1

	nullMinor    = 3
	zeroMinor    = 5
	fullMinor    = 7
	randomMinor  = 8
	urandomMinor = 9
	kmsgMinor    = 11
)

// null is /dev/null, and what the other memory devices have in common.
type null struct{ fs.BaseOps }

// Read implements fs.FileOps: the end of the file.
func (*null) Read(*fs.Context, *fs.File, *mm.Iter, *int64) (int, error) { return 0, nil }

// Write implements fs.FileOps: everything disappears.
func (*null) Write(_ *fs.Context, _ *fs.File, it *mm.Iter, _ *int64) (int, error) {
	n := it.Len()
	it.Advance(n)
	return n, nil
}

// Seek implements fs.FileOps: the position is always 0.
func (*null) Seek(*fs.Context, *fs.File, int64, int) (int64, error) { return 0, nil }

// zero is /dev/zero.
type zero struct{ null }

// Read implements fs.FileOps.
func (*zero) Read(ctx *fs.Context, _ *fs.File, it *mm.Iter, _ *int64) (int, error) {
	if it.Len() <= fillStep {
		n, err := it.Zero(it.Len())
		if n > 0 {
			err = nil
		}
		return n, err
	}
	return fill(ctx, it, func(it *mm.Iter, n int) (int, error) { return it.Zero(n) })
}

// Mmap implements fs.FileOps: no object, which is anonymous memory.
func (*zero) Mmap(*fs.Context, *fs.File, *fs.MmapRequest) (*mm.Object, error) { return nil, nil }

// full is /dev/full: zeros to read, no room to write.
type full struct{ zero }

// Write implements fs.FileOps.
func (*full) Write(_ *fs.Context, _ *fs.File, it *mm.Iter, _ *int64) (int, error) {
	if it.Len() == 0 {
		return 0, nil
	}
	return 0, unix.ENOSPC
}

// Mmap implements fs.FileOps.
func (*full) Mmap(*fs.Context, *fs.File, *fs.MmapRequest) (*mm.Object, error) {
	return nil, unix.ENODEV
}

// fillStep is how much fill does between two looks at the signals.
const fillStep = 64 << 10

// fill fills it by steps of put. A fatal signal ends a long read early.
func fill(ctx *fs.Context, it *mm.Iter, put func(*mm.Iter, int) (int, error)) (int, error) {
	total := 0
	for it.Len() > 0 {
		n, err := put(it, min(it.Len(), fillStep))
		total += n
		if err != nil || n == 0 {
			if total > 0 {
				return total, nil
			}
			return 0, err
		}
		if ctx.Thread.Killed() {
			break
		}
	}
	return total, nil
}
