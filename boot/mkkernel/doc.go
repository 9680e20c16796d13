// Mkkernel makes the linker's output bootable.
//
//	mkkernel IN OUT
//
// IN is a Go ELF file linked at info.TextBase with the entry point cpuinit. OUT
// is the same program with, in its first page, what loaders look for: program
// headers with physical addresses, a Xen note for PVH, a Multiboot2 header, and
// the 32-bit stub where both enter. Symbols and debugging information stay
// behind in IN, which is what a debugger gets.
package main
