//go:build tamarix

package amd64

import "unsafe"

// Single instructions, in instr_amd64.s. None of them moves a stack.

func inb(port uint16) uint8
func inw(port uint16) uint16
func inl(port uint16) uint32
func outb(port uint16, v uint8)
func outw(port uint16, v uint16)
func outl(port uint16, v uint32)

func rdtsc() uint64
func rdmsr(msr uint32) uint64
func wrmsr(msr uint32, v uint64)
func cpuid(leaf, sub uint32) (a, b, c, d uint32)
func xsetbv(v uint64)

func readCR0() uint64
func readCR2() uint64
func readCR3() uint64
func readCR4() uint64
func writeCR0(v uint64)
func writeCR3(v uint64)
func writeCR4(v uint64)
func invlpg(va uint64)
func fence() // MFENCE and LFENCE: what was stored can be seen, before anything else
func wbinvd()

func loadGDT(p unsafe.Pointer) // and reloads CS, SS and the data segments
func loadIDT(p unsafe.Pointer)
func loadTR(selector uint16)

func pause()
func writeBack() // this CPU's caches, to memory
func halt()      // with interrupts off: only an NMI ends it
func enableIRQ() // STI
func disableIRQ()

// pin keeps the caller on its CPU: it turns interrupts off and returns what
// unpin needs to undo that. In between only nosplit functions may be called,
// and nothing that blocks: a stack that grows, or a goroutine that is
// preempted, would come back elsewhere.
func pin() uintptr
func unpin(flags uintptr)

// thisCPU returns the area of the CPU that runs the caller, who is pinned or
// in trap context.
func thisCPU() *percpu

func zeroPage(p unsafe.Pointer)
func copyPage(dst, src unsafe.Pointer)

// Addresses of assembly routines.
func pcSyscallEntry() uint64
func pcTrapEntry() uint64
func pcFatalEntry() uint64
func pcUserReturn() uint64
func pcIdle() uint64
func pcAPEntry() uint64
func userCopyRange() (lo, hi, fixup uint64)
