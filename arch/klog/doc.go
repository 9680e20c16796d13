// Package klog is the kernel log: a ring of records with sequence numbers, time
// stamps and levels, mirrored to the console and read by dmesg.
package klog
