// Package qemu boots kernels in QEMU, reads what they say on the serial line,
// and types at them.
//
// A VM's Send types and its Expect waits for what the machine shows. The VM
// answers the questions that programs ask a terminal (cursor position, colours),
// as a real one would. A machine that says nothing for too long is asked for its
// registers (QMP, info registers -a); those and the end of its log go into the
// error.
package qemu
