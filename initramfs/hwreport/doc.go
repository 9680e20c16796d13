// Package hwreport is the program of that name: it prints one text that says what
// machine this is and what the kernel has found in it, fit to be pasted into a
// report of a fault.
//
// It reads files of /proc and /sys, and the kernel's log by syslog(2). Where Linux
// has a file it reads that one, so it runs on Linux too and the two can be compared;
// what Linux has no file for comes from /proc/tamarix/hardware. What cannot be read
// is said not to be available, and why: a report with a hole is still a report.
// Serial numbers are left out.
package hwreport
