// Package profile collects the samples that the CPUs' timer interrupts take of
// the kernel while the profiler runs, and writes them as text.
//
// # From the interrupt to the picture
//
// Package arch/amd64 takes the samples: [Start] gives each CPU's timer a second
// deadline, at which the interrupt notes in a ring of the CPU's own what it has
// interrupted (a kernel call chain, ring 3, the idle loop). A goroutine here
// empties the rings every few milliseconds and counts equal stacks. The text
// that [Write] makes is what /proc/tamarix/profile shows; scripts/profile turns
// it, with the symbols in out/tamarix.debug, into a file for go tool pprof.
//
// # The text
//
// One item a line: a name, then numbers. Addresses are hexadecimal, all others
// decimal.
//
//	tamarix-profile 1               format
//	rate 1000                       samples a second and CPU
//	ns 4012345678                   how long, by the wall clock
//	cpus 2
//	lost 0                          samples that found their ring full
//	late user 800 kernel 1200 ...   mean delay of the interrupts, ns
//	idle 310                        samples of CPUs without work
//	user 1204 sh                    samples in ring 3, by command name
//	kernel 17 IP TOP TOP RET RET …  samples with this stack, see arch.ProfileSample
//	end
//
// [HeapText], for /proc/tamarix/heap, is of the same kind: who allocates from the
// kernel's heap, by Go's own heap profile. It is off until [SetHeapRate].
//
// # What a sample cannot show
//
// An interrupt waits while interrupts are off: in trap context (the calls of the
// kernel's own Go runtime), in user copies, in pinned sections and on the last
// steps into ring 3. Such a sample is taken at the first instruction after that.
// It belongs to the function that turned interrupts on again, or, for the way
// out to ring 3, to the user program. The kernel's goroutines run with
// interrupts on, so what is shifted is a few dozen instructions each time, or a
// page being copied; the mean delay of the samples tells how much. An NMI from a
// performance counter would do better; QEMU has none.
//
// Call chains are those of frame pointers. Assembly that switches stacks ends
// them: what the Go scheduler does in between two goroutines begins at
// runtime.mcall.
//
// # Locks
//
// state.mu guards everything here; nothing but the heap is below it.
package profile
