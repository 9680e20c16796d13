// Package klog is the kernel log: records with sequence numbers, time stamps and
// levels in a ring of fixed size, mirrored to the console and read by dmesg and
// through /dev/kmsg.
//
// Any goroutine may log at any time. Code that runs without a goroutine
// (interrupt handlers, early start-up) does not log; it leaves a note where a
// goroutine finds it.
//
// The path of a record: Printf formats, the ring's mutex is held while the
// record is copied in, then the record goes to the console if it is important
// enough, then whoever waits for records is told. The ring's mutex is a leaf in
// the lock order; console and notification run without it.
package klog
