// Package measure runs the benchmark program of scripts/bench/guest as process 1
// of a kernel in QEMU and makes figures of what it says.
//
// # What the program says
//
// On the console, a line each:
//
//	READY                            process 1's first instruction
//	MEM total free                   sysinfo(2) right after it, KiB
//	BEGIN n                          so many rows follow
//	START name                       the row that runs now
//	ROW name ops batches min median max
//	                                 operations in a batch, batches, ns per operation
//	SKIP name reason                 the kernel cannot do this yet
//	FAIL name reason                 wrong results, or the time limit
//	DONE
//
// Under QEMU's -icount shift=0 a nanosecond of the guest is an instruction, so
// the same lines serve both modes.
//
// # From samples to figures
//
// One row of one boot is a Sample. A Set is all samples of a run; it is kept as
// TSV, and everything that is shown (tables, the report, the README) is computed
// from it, so it can be shown again without measuring again.
package measure
