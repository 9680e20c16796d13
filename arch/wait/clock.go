package wait

import _ "unsafe" // for go:linkname

// Never is the deadline that does not come.
const Never int64 = -1

//go:linkname nanotime runtime.nanotime
func nanotime() int64

// Now returns the monotonic clock in nanoseconds, the base of all deadlines of
// this package. On the machine its zero is the start of the clock source.
func Now() int64 { return nanotime() }
