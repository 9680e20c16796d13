package fs

import "sync/atomic"

// IOCounts is what a task has read and written by system calls (/proc/PID/io).
// Only the task's own goroutine adds; anyone may load.
type IOCounts struct {
	ReadBytes, ReadCalls   atomic.Uint64
	WriteBytes, WriteCalls atomic.Uint64
}

// countRead books one call that moved n bytes and passes its result on. There is
// one writer, so no locked instruction is needed.
func (c *IOCounts) countRead(n int, err error) (int, error) {
	c.ReadCalls.Store(c.ReadCalls.Load() + 1)
	if n > 0 {
		c.ReadBytes.Store(c.ReadBytes.Load() + uint64(n))
	}
	return n, err
}

// countWrite is countRead for writing.
func (c *IOCounts) countWrite(n int, err error) (int, error) {
	c.WriteCalls.Store(c.WriteCalls.Load() + 1)
	if n > 0 {
		c.WriteBytes.Store(c.WriteBytes.Load() + uint64(n))
	}
	return n, err
}
