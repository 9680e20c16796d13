package main

import "testing"

// TestImageFlags: no memory of the image has more rights than the segments in it
// need, and what is no part of it is ordinary memory.
func TestImageFlags(t *testing.T) {
	const (
		mib  = 1 << 20
		read = present | noExec
		run  = present
		data = present | writable | noExec
	)
	// As the linker lays it out: code, constants, data, with a hole of some pages.
	segs := []segment{
		{16 * mib, 18*mib + 100, segmentExec},
		{18*mib + 0x1000, 20*mib - 5, 0},
		{20 * mib, 20*mib + 0x1800, segmentWrite},
		{21 * mib, 22 * mib, segmentWrite},
	}
	for _, c := range []struct {
		name       string
		start, end uint64
		want       uint64
	}{
		{"code", 16 * mib, 16*mib + pageSize, run},
		{"2 MiB of code", 16 * mib, 18 * mib, run},
		{"the last page of code", 18 * mib, 18*mib + pageSize, run},
		{"constants", 18*mib + 0x1000, 18*mib + 0x2000, read},
		{"the last page of constants", 20*mib - pageSize, 20 * mib, read},
		{"2 MiB of code and constants", 18 * mib, 20 * mib, run},
		{"data", 20 * mib, 20*mib + pageSize, data},
		{"the last page of data", 20*mib + pageSize, 20*mib + 2*pageSize, data},
		{"between", 20*mib + 2*pageSize, 20*mib + 3*pageSize, data},
		{"data and what is between", 20 * mib, 22 * mib, data},
		{"before the image", 14 * mib, 16 * mib, data},
		{"behind it", 22 * mib, 24 * mib, data},
	} {
		if got := imageFlags(segs, c.start, c.end, noExec); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
		// A CPU without the bit must not see it.
		if got := imageFlags(segs, c.start, c.end, 0); got != c.want&^noExec {
			t.Errorf("%s, without NX: %#x, want %#x", c.name, got, c.want&^uint64(noExec))
		}
	}
}
