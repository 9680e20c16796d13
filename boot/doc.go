// Boot is the kernel's first code and its main package: from the loader's jump
// to [tamarix/kernel.Main].
//
// The path of a start:
//
//  1. The loader (QEMU by PVH, GRUB by Multiboot2) puts the image at 16 MiB and
//     jumps, in 32-bit mode, to a stub in the image's first page. boot/mkkernel
//     wrote it there; it saves what the next step destroys.
//  2. TamaGo's cpuinit enters 64-bit mode and jumps to _rt0_tamago_start
//     (entry_amd64.s), which makes page tables, moves to the upper half and
//     calls early on a stack of its own.
//  3. early parses the boot information (package boot/info), finds the screen, on
//     which it can say from then on what goes wrong, and turns the first page
//     tables into the ones that stay (paging.go).
//  4. arch/amd64's earlyStart sets up the CPU and starts the Go runtime, which
//     calls main, which calls kernel.Main.
//
// Up to step 4 there is no Go runtime. The code there must not allocate, must
// not rely on package initialisation, and must check instead of panic.
//
// # Address space
//
// The image is linked where it lies in the direct map: 0xffff_8000_0000_0000
// plus its physical address. Text is readable and executable, constants are
// readable, everything else is writable and not executable. The lower half is
// empty; so address 0 faults.
package main
