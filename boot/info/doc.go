// Package info reads what the boot loader hands over: the memory map, the
// command line, the modules (the initramfs), the ACPI root pointer and the
// framebuffer.
//
// Two loaders are understood: a PVH loader, which is what "qemu -kernel" is for
// an ELF file with a Xen note, and Multiboot2, which GRUB speaks under BIOS and
// UEFI. [Parse] turns either into one [Boot].
//
// The code runs before the Go runtime does: there is no heap, no package
// initialisation and nobody to catch a panic. So it keeps everything in fixed
// arrays inside Boot, returns constant errors, and checks every address and
// count that it reads. It runs the same on a host, where the tests feed it
// hostile input.
package info
