package fs

import "sync/atomic"

// IOCounts is what a task has read and written by system calls (/proc/PID/io).
// Only the task's own goroutine adds; anyone may load. The words are plain, and
// accessed by functions of sync/atomic, so that a Context may be copied.
type IOCounts struct {
	readBytes, readCalls   uint64
	writeBytes, writeCalls uint64
}

// Load returns the counts: bytes and calls read, bytes and calls written.
func (c *IOCounts) Load() (readBytes, readCalls, writeBytes, writeCalls uint64) {
	return atomic.LoadUint64(&c.readBytes), atomic.LoadUint64(&c.readCalls),
		atomic.LoadUint64(&c.writeBytes), atomic.LoadUint64(&c.writeCalls)
}

// countRead books one call that moved n bytes. There is one writer, so no locked
// addition is needed.
func (c *IOCounts) countRead(n int) {
	atomic.StoreUint64(&c.readCalls, c.readCalls+1)
	if n > 0 {
		atomic.StoreUint64(&c.readBytes, c.readBytes+uint64(n))
	}
}

// countWrite is countRead for writing.
func (c *IOCounts) countWrite(n int) {
	atomic.StoreUint64(&c.writeCalls, c.writeCalls+1)
	if n > 0 {
		atomic.StoreUint64(&c.writeBytes, c.writeBytes+uint64(n))
	}
}
