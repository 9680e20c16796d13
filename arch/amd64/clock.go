package amd64

import "sync/atomic"

// wallOffset is what Nanotime lacks to be nanoseconds since 1970.
var wallOffset atomic.Int64

// WallOffset returns the wall clock's distance from Nanotime, in ns.
func WallOffset() int64 { return wallOffset.Load() }
