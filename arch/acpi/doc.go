// Package acpi reads the few ACPI tables that a kernel needs before it can have
// an interpreter, and never will have: which processors and interrupt
// controllers there are (MADT), how to power off and reset (FADT and the \_S5
// object of the DSDT), and where the HPET and the PCI Express configuration
// space (MCFG) are.
//
// The path: [Tables.Open] finds the root pointer (root.go) and from it the list
// of tables (tables.go); a table's Parse reads it. What cannot be told without
// running the firmware's byte code is not told: how PCI interrupt lines are
// wired, batteries, buttons that are no fixed hardware.
//
// Nothing here allocates or panics, so that it may run before the Go runtime
// does, and everything ends: what a table may make us do is bounded by
// constants. Firmware tables are input like any other: a length, a checksum or
// an offset that does not fit makes the table, or the entry, be left out, and a
// note of it be kept in [Tables.Problems] or in the Ignored field of what was
// parsed.
//
// References are to the ACPI specification 6.5.
package acpi
