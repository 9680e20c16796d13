// Package tsc decides how fast the time stamp counter runs and whether it can be
// the clock: what the CPU says of itself (cpuid.go), measuring against counters of
// known frequency (measure.go), what to believe when these differ (choose.go), and
// the two checks that find out when a counter that was believed goes wrong: of one
// CPU's counter against another's (warp.go), and of the counter against a timer of
// the chipset from time to time (watchdog.go).
//
// It is arithmetic on numbers that others read: no register is touched here. So
// the tests can feed it counters that jump, wrap and stand still. Most of it runs
// before the Go runtime does: nothing allocates or panics, and whatever firmware
// or CPU say is taken for a claim, never for a divisor.
//
// References are to Intel's Software Developer's Manual (SDM) and, for what is a
// matter of judgement, to what Linux does (arch/x86/kernel/tsc.c).
package tsc
