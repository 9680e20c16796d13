package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropCache has the system forget what it keeps of a block device, so that what
// is read comes from the stick. It needs root; without it, taking the stick out
// and in again does the same.
func dropCache(f *os.File) {
	f.Sync()
	unix.IoctlSetInt(int(f.Fd()), unix.BLKFLSBUF, 0)
	unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
