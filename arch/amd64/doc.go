// Package amd64 is the machine: all that knows what an x86-64 CPU is, and the
// host under the kernel's own Go runtime. Nearly everything unsafe of the kernel
// is here; what is exported is narrow: frames, page tables, user contexts, user
// copies, interrupts, clocks, CPUs.
//
// # The two clients
//
// The kernel is an ordinary linux/amd64 Go program. Its runtime's SYSCALL
// instructions, executed in ring 0, land in syscallEntry like those of users;
// the sign of the return address tells them apart. The runtime's forty or so
// calls are carried out by hostSyscall: what the runtime calls a thread is a
// [kthread], multiplexed on the CPUs by kthread.go; what it calls memory is the
// demand-zero kernel heap of kmap.go; its signals (SIGURG to preempt, faults to
// panic) are made by hostsignal.go, its network poller by hostpoll.go.
//
// User programs run by [EnterUser], called by the goroutine that is their
// thread. It returns with the reason: a system call, a page fault, another
// exception, an interrupt, a kick.
//
// # The path of a trap
//
// From ring 3 (user_amd64.s): the registers go straight into the UserContext
// that percpu.user names. System calls and exceptions return to the goroutine
// at once, as EnterUser's return; an interrupt is handled first, on the CPU's
// handler stack, and then the thread goes on at EnterUser's end by way of
// resume. So no thread is ever switched out with a ring-3 frame, and whatever
// is due for the thread (a signal, another thread's turn) happens in ring 0.
// One call is answered before any of this, clock_gettime (clockcall_amd64.s).
//
// From ring 0 (entry_amd64.s): the registers go into the current kthread, the
// handler runs on the handler stack with interrupts off, resume restores
// whatever thread is then current. The handler may fault on kernel heap
// (nestedTrap), on nothing else. Every gate uses an IST stack, because a
// goroutine's stack has no room to spare, and leaves it at once, so that one
// stack per CPU serves all but NMI, double fault and machine check.
//
// Trap context has a g of its own without a stack bound: no allocation, no
// write barrier, no Go lock, no stack growth. TestTrapCode proves it on the
// machine code.
//
// # Pinned code
//
// A goroutine may move to another CPU between almost any two instructions.
// Per-CPU data is therefore touched in assembly or between pin and unpin, which
// turn interrupts off; in between only nosplit functions are called.
//
// # Whose registers are in the CPU
//
// The kernel uses SSE only (AVX is hidden from its runtime), so that a user's
// wider state can stay in the CPU while the kernel works. XMM0-15 and MXCSR are
// saved at each entry; the rest of the XSAVE state and the GS base belong to
// percpu.owner and move when another context takes the CPU, or by an interrupt
// when the context has moved to another CPU (dropExtended).
//
// CR3 is written only when the next user context, or user copy, belongs to
// another address space. percpu.root says what is loaded; flush.go explains why
// that is enough for TLB shootdown, and leaveRoot for freeing a root. User
// copies run with interrupts off, a page at a time, so a root is in use nowhere
// but where percpu.root says. A CPU that goes idle keeps its root but gives away
// its owner's state, and others do not wait for its TLB (idle.go).
//
// # The clock
//
// Nanotime is the time stamp counter, scaled, with an assembly way of its own for
// the runtime, for users' system calls and for the vDSO. At boot the counter is
// measured against what the chipset has (clock_counters.go, clock_init.go, package
// arch/tsc) and compared between the CPUs (clock_sync.go); later a look at it every
// few seconds is enough (clock_watch.go). Should it be no good, the HPET or the
// power management timer becomes the clock, at any moment and without a step back:
// clock_source.go tells how.
//
// # Firmware and interrupts
//
// What the ACPI tables say is read once, at boot (firmware.go, package arch/acpi);
// a table that is no good is left out, and the machine goes on without what it
// tells. The local APICs run in x2APIC mode where something demands it, else by
// registers in memory (apic_mode.go); all CPUs the same. Device interrupts come by
// an I/O APIC's entry (redirect.go, ioapic.go) or by a message that the device
// writes ([IRQ.Message]), all to one CPU, which has an APIC id below 255: there is
// no interrupt remapping. PCI's own lines are not offered: how they are wired can
// only be told by running the firmware's byte code.
//
// Other CPUs are started one after the other (smp.go), from a page below 1 MiB that
// the memory map has free (trampoline.go). Who does not come in time is sent back
// to waiting, told of, and left out.
//
// # The screen
//
// It has three users, one after the other (screen.go). The start prints on it,
// from [ScreenInit] on: first where the first page tables map the framebuffer,
// uncached, then, from screenMap on, where it stays mapped write-combining, in
// the windows (pat.go). Whoever calls [Screen], the virtual terminals, has it next
// and shows EarlyScreenText again. At the end it belongs to the report of what
// went wrong (emergency.go), and others' drawing is ignored.
//
// There are three ways to the report: fatal, which goes on with a stack of its own
// and shows a backtrace that needs nothing of the Go runtime (backtrace.go); the
// text of a crash that the runtime writes to its standard error, known by its
// first words (crashText); and [PanicScreen], for a kernel that is still sound
// enough to say that it cannot go on. All of it goes to the serial port too, and
// there whole.
//
// # Profiles
//
// While the profiler runs, each CPU's timer has a second deadline, percpu.sampleAt.
// The interrupt then writes what it has interrupted, with the call chain that the
// frame pointers give, into a ring of the CPU (profile.go). It reads nothing that
// could fault, and a program in ring 3 goes straight back there: the kernel
// schedules as without the profiler. Package arch/profile says what the samples
// mean.
//
// # Locks
//
// Spinlocks, taken with interrupts off; who spins serves the other CPUs'
// requests meanwhile. In this order:
//
//	leaveLock              one root at a time is left
//	  printLock            two threads' output kept apart
//	    sched.lock         kernel threads: run queue, timers, futexes, events
//	      buddy.lock       the frame allocator's lists
//	        percpu.flushLock   what a CPU is to forget; holders never wait
//
// The page tables of the kernel need no lock: tables are added by
// compare-and-swap and never freed.
//
// # The host build
//
// Without the build tag tamarix, frames come from an arena ([InitHost]), user
// copies walk the tables in software, and there is one CPU; everything above
// can then be tested as an ordinary program.
package amd64
