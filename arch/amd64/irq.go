//go:build tamarix

package amd64

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// IRQ is an interrupt that a driver's goroutine waits for. Its handler runs in
// interrupt context and does no more than quieten the device; Wait then
// returns, and the work is ordinary Go.
type IRQ struct {
	name    string
	vector  uint8
	handler func(arg uintptr) bool
	arg     uintptr
	event   int      // index in events
	file    *os.File // reads the event by way of the runtime's network poller

	// wire is how it comes, for /proc/interrupts: wireNone, wireMessage, or
	// wireISA and the number of the ISA interrupt. Atomic.
	wire atomic.Uint32
}

const (
	wireNone uint32 = iota
	wireMessage
	wireISA
)

// irqs are the interrupts by vector. A slot is set once, before the device is
// told the vector; guarded by irqMutex for those who set.
var (
	irqMutex sync.Mutex
	irqs     [256]atomic.Pointer[IRQ]
	irqNext  = vectorFirstIRQ
)

// NewIRQ gives a driver a vector of its own. handler(arg) is called in
// interrupt context, interrupts off, on any CPU: it must not allocate, block,
// take a lock of Go's or write a pointer. It returns true to wake Wait.
func NewIRQ(name string, handler func(arg uintptr) bool, arg uintptr) (*IRQ, error) {
	irqMutex.Lock()
	defer irqMutex.Unlock()
	if irqNext > vectorLastIRQ {
		return nil, unix.ENOSPC
	}
	fd, _, e := unix.RawSyscall(unix.SYS_EVENTFD2, 0, unix.EFD_NONBLOCK, 0)
	if e != 0 {
		return nil, e
	}
	q := &IRQ{name: name, vector: uint8(irqNext), handler: handler, arg: arg, event: int(fd) - eventBase}
	q.file = os.NewFile(fd, name)
	irqs[irqNext].Store(q)
	irqNext++
	return q, nil
}

// Vector returns the interrupt vector to program into the interrupt controller.
func (q *IRQ) Vector() uint8 { return q.vector }

// Message returns what a device writes, and where, to raise q on the boot
// processor: the address and data of its MSI capability or MSI-X table entry (SDM
// vol. 3A, 11.11). The trigger is an edge: nothing is to be acknowledged.
//
// Without an interrupt-remapping unit a message names its CPU by eight bits: where
// the boot processor's APIC id is 255 or more, it goes to the first CPU that has a
// smaller one, and, if there is none, nowhere: the address is 0.
func (q *IRQ) Message() (addr uint64, data uint32) {
	addr, ok := messageAddress(interruptCPU())
	if !ok {
		return 0, 0
	}
	q.wire.Store(wireMessage)
	return addr, uint32(q.vector)
}

// interruptCPU returns the APIC id of the CPU that device interrupts go to.
func interruptCPU() uint32 {
	for i := range NumCPU() {
		if id := cpuByIndex(i).apicID; id < firstX2ID {
			return id
		}
	}
	return cpuByIndex(0).apicID
}

// Wait sleeps until the handler has said that there is something to do since
// the last Wait.
func (q *IRQ) Wait() {
	var buf [8]byte
	q.file.Read(buf[:])
}

// SendSelf raises a vector on the CPU that runs the caller, for tests.
func SendSelf(vector uint8) {
	s := pin()
	sendSelf(vector)
	unpin(s)
}

// deviceInterrupt handles a driver's vector on c.
func deviceInterrupt(c *percpu, v uint8) {
	q := irqs[v].Load()
	if q == nil || !q.handler(q.arg) {
		return
	}
	lock(&sched.lock)
	raise(c, &events[q.event], 1, true)
	unlock(&sched.lock)
}

// InterruptCount is one line of /proc/interrupts.
type InterruptCount struct {
	Label  string // "4", "LOC"
	Chip   string // what a device's interrupt comes through; else ""
	Name   string
	PerCPU []uint64
}

// InterruptCounts returns the interrupts taken so far, by CPU: those of devices,
// then the CPUs' own under Linux's labels. What Linux has no label for, and has
// never come, is left out.
func InterruptCounts() []InterruptCount {
	var list, own []InterruptCount
	for v := vectorFirstIRQ; v <= vectorLastIRQ; v++ {
		q := irqs[v].Load()
		if q == nil {
			continue
		}
		n := InterruptCount{Label: strconv.Itoa(v), Chip: "none", Name: q.name, PerCPU: countVectors(v, v)}
		switch w := q.wire.Load(); {
		case w == wireMessage:
			n.Chip = "PCI-MSI"
		case w >= wireISA:
			o := madt.Route(uint8(w - wireISA))
			mode := "edge"
			if o.Level {
				mode = "fasteoi"
			}
			n.Label, n.Chip = strconv.Itoa(int(w-wireISA)), fmt.Sprintf("IO-APIC %d-%s", o.GSI, mode)
		}
		list = append(list, n)
	}
	for _, g := range [...]struct {
		label, name string
		first, last int
		always      bool
	}{
		{"NMI", "Non-maskable interrupts", 2, 2, true},
		{"LOC", "Local timer interrupts", vectorTimer, vectorTimer, true},
		{"SPU", "Spurious interrupts", vectorSpurious, vectorSpurious, true},
		{"RES", "Rescheduling and TLB shootdown interrupts", vectorRequest, vectorRequest, true},
		{"MCE", "Machine check exceptions", 18, 18, true},
		{"ERR", "Local APIC errors", vectorError, vectorError, true},
		{"PIC", "Spurious interrupts of the 8259", 32, vectorFirstIRQ - 1, false},
		{"EXC", "Exceptions in the kernel", 0, 31, false},
	} {
		n := InterruptCount{Label: g.label, Name: g.name, PerCPU: countVectors(g.first, g.last)}
		if g.always || slices.ContainsFunc(n.PerCPU, func(c uint64) bool { return c != 0 }) {
			own = append(own, n)
		}
	}
	nobody := InterruptCount{Label: "UNW", Name: "Interrupts that nobody wants", PerCPU: make([]uint64, NumCPU())}
	total := uint64(0)
	for v := vectorFirstIRQ; v < vectorError; v++ {
		if v == vectorTimer || v == vectorRequest || irqs[v].Load() != nil {
			continue
		}
		for i, c := range countVectors(v, v) {
			nobody.PerCPU[i] += c
			total += c
		}
	}
	if total != 0 {
		own = append(own, nobody)
	}
	return append(list, own...)
}

// countVectors adds up what came on the vectors from first to last, by CPU.
func countVectors(first, last int) []uint64 {
	list := make([]uint64, NumCPU())
	for i := range list {
		for v := first; v <= last; v++ {
			list[i] += uint64(atomic.LoadUint32(&cpuByIndex(i).counts[v]))
		}
	}
	return list
}
