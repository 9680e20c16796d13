package amd64

import "sync/atomic"

// wallOffset is what Nanotime lacks to be nanoseconds since 1970.
var wallOffset atomic.Int64

// WallOffset returns the wall clock's distance from Nanotime, in ns.
func WallOffset() int64 { return wallOffset.Load() }

// CoarseTime returns Nanotime as of the last tick: CLOCK_MONOTONIC_COARSE.
func CoarseTime() int64 { return coarseTime() }

// CoarseWall returns the wall clock in nanoseconds since 1970 as of the last
// tick: for time stamps, which need no better one and must cost next to nothing.
// CLOCK_REALTIME is never behind it.
func CoarseWall() int64 { return coarseTime() + wallOffset.Load() }
