//go:build tamarix

package amd64

import "sync/atomic"

// Non-maskable interrupts. The kernel sends them to stop other CPUs; one that it
// has not sent comes from hardware that has something to complain of, or from a
// person's button. It is told at once, on the way on which a dying kernel speaks,
// and then put into the log by a goroutine, and the kernel goes on.
//
// A handler of a non-maskable interrupt may have interrupted anything, so it
// touches no lock: it leaves a note and sends its own CPU an ordinary interrupt.

// nmi is the note. vector is 0 as long as nobody reads it; last holds the reason in
// its lowest byte and the CPU's index above. Atomic.
var nmi struct {
	vector uint32
	last   uint64
}

// System control port B of the ISA bus tells of two reasons.
const (
	portB        = 0x61
	portBSERR    = 1 << 7
	portBIOCHK   = 1 << 6
	portBKeep    = 0xf
	portBNoSERR  = 1 << 2 // clears the reason, and keeps it from coming
	portBNoIOCHK = 1 << 3
)

// unknownNMI tells of a non-maskable interrupt on c that nobody expects.
func unknownNMI(c *percpu, f *trapFrame) {
	reason := inb(portB)
	off := uint8(0)
	if reason&portBSERR != 0 {
		off |= portBNoSERR
	}
	if reason&portBIOCHK != 0 {
		off |= portBNoIOCHK
	}
	if off != 0 {
		// For good: a device that is broken would have nothing else run.
		outb(portB, reason&portBKeep|off)
	}
	earlyPrint("\n")
	earlyPrint(nmiReason(reason))
	earlyPrint(": ")
	register("port61", uint64(reason))
	register("cpu", uint64(c.index))
	register("rip", f.IP)
	earlyPrint("going on\n")
	if v := atomic.LoadUint32(&nmi.vector); v != 0 {
		atomic.StoreUint64(&nmi.last, uint64(c.index)<<8|uint64(reason))
		sendSelf(uint8(v))
	}
}

func nmiReason(reason uint8) string {
	switch {
	case reason&portBSERR != 0:
		return "non-maskable interrupt, PCI system error"
	case reason&portBIOCHK != 0:
		return "non-maskable interrupt, I/O check"
	}
	return "non-maskable interrupt, reason unknown"
}

// WatchNMI lets warn tell of non-maskable interrupts from now on. It is called
// once, at start-up.
func WatchNMI(warn func(format string, a ...any)) {
	q, err := NewIRQ("non-maskable interrupts, to be told", func(uintptr) bool { return true }, 0)
	if err != nil {
		return
	}
	atomic.StoreUint32(&nmi.vector, uint32(q.vector))
	go func() {
		for {
			q.Wait()
			n := atomic.LoadUint64(&nmi.last)
			warn("%s, on CPU %d", nmiReason(uint8(n)), n>>8)
		}
	}()
}
