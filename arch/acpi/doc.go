// Package acpi reads the few ACPI tables that a kernel needs before it can have
// an interpreter, and never will have: which processors and interrupt
// controllers there are (MADT), how to power off and reset (FADT and the \_S5
// object of the DSDT), and where the HPET is.
//
// Nothing here allocates or panics, so that it may run before the Go runtime
// does. Firmware tables are input like any other: a length, a checksum or an
// offset that does not fit makes the table, or the entry, be left out, and a
// note of it be kept in [Tables.Problems].
//
// References are to the ACPI specification 6.5.
package acpi
