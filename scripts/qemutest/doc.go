// Package qemutest tests kernels in QEMU by what they say on the serial line.
//
// The same initial RAM file systems are booted under Tamarix and under Debian's
// Linux kernel: the tests in them have to pass on both, which proves that what
// they expect is what Linux does.
//
// The tests boot machines only when TAMARIX_QEMU is set (make test sets it), so
// that a plain go test ./... stays quick. By name:
//
//	make test RUN=TestGuest/smp2/mm
//
// # How a guest's test cases are seen
//
// Process 1 of a test image is the program of scripts/guest. It prints one line
// for each case, "ok NAME", "skip NAME why" or "FAIL NAME why", and "DONE" when
// it is through; the harness makes each a subtest. The machines, and the person at
// the terminal, are package qemu's.
package qemutest
