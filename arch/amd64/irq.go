//go:build tamarix

package amd64

import (
	"os"
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
}

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
	Vector uint8
	Name   string
	PerCPU []uint64
}

// InterruptCounts returns the interrupts taken so far, by vector and CPU.
func InterruptCounts() []InterruptCount {
	var list []InterruptCount
	for v := range 256 {
		n := InterruptCount{Vector: uint8(v)}
		total := uint64(0)
		for i := range NumCPU() {
			k := uint64(atomic.LoadUint32(&cpuByIndex(i).counts[v]))
			n.PerCPU = append(n.PerCPU, k)
			total += k
		}
		name, always := vectorName(v)
		if q := irqs[v].Load(); q != nil {
			name, always = q.name, true
		}
		if total == 0 && !always {
			continue
		}
		n.Name = name
		list = append(list, n)
	}
	return list
}

// vectorName says what a vector that no driver has is for, and whether it is worth
// a line even if it has never come.
func vectorName(v int) (name string, always bool) {
	switch {
	case v == 2:
		return "Non-maskable interrupts", true
	case v == 18:
		return "Machine check exceptions", true
	case v < 32:
		return "Exceptions", false
	case v < vectorFirstIRQ:
		return "Spurious interrupts of the 8259", false
	case v == vectorTimer:
		return "Local timer interrupts", true
	case v == vectorRequest:
		return "Rescheduling and TLB shootdown interrupts", true
	case v == vectorError:
		return "Local APIC errors", true
	case v == vectorSpurious:
		return "Spurious interrupts of the local APIC", true
	}
	return "Interrupts that nobody wants", false
}
