// Package info reads what the boot loader hands over: the memory map, the
// command line, the modules (the initramfs), the ACPI root pointer and the
// framebuffer.
//
// Two loaders are understood: a PVH loader, which is what "qemu -kernel" is for
// an ELF file with a Xen note, and Multiboot2, which GRUB speaks under BIOS and
// UEFI. [Parse] turns either into one [Boot].
//
// # The memory map
//
// It is sorted and without overlaps. Where the loader's regions overlap, the
// one that forbids more counts, and of those under UEFI both maps are read, the
// ordinary one that the loader makes of UEFI's, and UEFI's own: memory is used
// only if neither is against it. What does not fit into the tables is not used.
// What is wrong is noted, and gets into the log when there is one
// ([Boot.Problems]).
//
// The code runs before the Go runtime does: there is no heap, no package
// initialisation and nobody to catch a panic. So it keeps everything in fixed
// arrays inside Boot, returns constant errors, and checks every address and
// count that it reads. It runs the same on a host, where the tests feed it
// hostile input.
package info
