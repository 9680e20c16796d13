//go:build tamarix

package amd64

import (
	"sync"
	"sync/atomic"

	"github.com/usbarmory/tamago/soc/intel/uart"
)

// serialRing is how many received bytes wait for a reader at most: a third of a
// second at 115200 baud.
const serialRing = 4096

// SerialPort is a 16550 UART. Received bytes come by interrupt into a ring,
// which Read empties; Write waits for the transmitter.
type SerialPort struct {
	port uint16
	hw   uart.UART // TamaGo's driver, for set-up
	irq  *IRQ

	absent bool // there is no such UART; set by init

	// The ring. The interrupt handler alone moves head, readers alone move
	// tail, under rmu; both only grow.
	head, tail atomic.Uint32
	ring       [serialRing]byte
	overruns   atomic.Uint32 // bytes that found the ring full

	rmu sync.Mutex // one reader at a time; held while asleep
	wmu sync.Mutex // keeps the bytes of one Write together; before regs

	// regs keeps the interrupt handler from the receiver while the divisor
	// is shown in its place. Taken with interrupts off.
	regs spinlock
	baud int // what the divisor says; under wmu
}

var (
	serialOnce sync.Once
	serialCOM1 = SerialPort{port: com1}
)

// Serial returns the first serial port, COM1, set up on first use. It may not
// exist in the machine: then Read never returns and what is written is lost.
func Serial() *SerialPort {
	serialOnce.Do(serialCOM1.init)
	return &serialCOM1
}

func (s *SerialPort) init() {
	// Where there is no UART, nothing drives the bus and all bits read as one;
	// a real one keeps what is written to the scratch register.
	outb(s.port+uartScratch, 0x5a)
	if inb(s.port+uartScratch) != 0x5a {
		s.absent = true
		return
	}
	outb(s.port+uartIER, 0)
	s.SetBaud(115200)
	outb(s.port+uartFCR, fcrEnable)
	s.hw = uart.UART{Index: 1, Base: s.port, DTR: true, RTS: true}
	s.hw.Init()
	outb(s.port+uartMCR, mcrReady)
	q, err := NewIRQ("ttyS0", serialInterrupt, 0)
	if err != nil {
		return
	}
	s.irq = q
	if RouteISA(4, q) != nil {
		s.irq = nil
		return
	}
	// A byte that came before would keep the line up, and the edge away.
	inb(s.port + uartMSR)
	outb(s.port+uartIER, ierReceive)
	for n := 0; n < 256 && inb(s.port+uartLSR)&lsrData != 0; n++ {
		inb(s.port + uartData)
	}
}

// Present reports whether the machine has this port.
func (s *SerialPort) Present() bool { return !s.absent }

// serialInterrupt empties the receiver into the ring. It runs in interrupt
// context.
func serialInterrupt(uintptr) bool {
	s := &serialCOM1
	got := false
	lock(&s.regs)
	// The line is edge-triggered: leave only when nothing is pending.
	for n := 0; n < 256 && inb(s.port+uartIIR)&iirNone == 0; n++ {
		for m := 0; m < 256 && inb(s.port+uartLSR)&lsrData != 0; m++ {
			c := inb(s.port + uartData)
			h := s.head.Load()
			if h-s.tail.Load() == serialRing {
				s.overruns.Add(1)
				continue
			}
			s.ring[h%serialRing] = c
			s.head.Store(h + 1)
			got = true
		}
		inb(s.port + uartMSR)
	}
	unlock(&s.regs)
	return got
}

// Read waits until at least one byte has been received, and returns what there
// is, at most len(p) bytes. The error is always nil.
func (s *SerialPort) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.rmu.Lock()
	defer s.rmu.Unlock()
	if s.irq == nil {
		select {}
	}
	for {
		t, h := s.tail.Load(), s.head.Load()
		n := 0
		for t != h && n < len(p) {
			p[n] = s.ring[t%serialRing]
			t++
			n++
		}
		s.tail.Store(t)
		if n > 0 {
			return n, nil
		}
		s.irq.Wait()
	}
}

// Write sends p and returns when the last byte is in the transmitter. The error
// is always nil.
func (s *SerialPort) Write(p []byte) (int, error) {
	if s.absent {
		return len(p), nil
	}
	s.wmu.Lock()
	for _, c := range p {
		for n := 0; n < 1<<16 && inb(s.port+uartLSR)&lsrEmpty == 0; n++ {
			pause()
		}
		outb(s.port+uartData, c)
	}
	s.wmu.Unlock()
	return len(p), nil
}

// Overruns returns how many received bytes were lost because nobody read.
func (s *SerialPort) Overruns() uint32 { return s.overruns.Load() }

// SetBaud sets the line to the given speed, 8 data bits, no parity, one stop
// bit. Speeds that the clock of 115200 Hz cannot be divided to are rounded.
func (s *SerialPort) SetBaud(baud int) {
	if baud <= 0 || baud > 115200 {
		baud = 115200
	}
	divisor := (115200 + baud/2) / baud
	if divisor > 0xffff {
		divisor = 0xffff
	}
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if baud == s.baud {
		return
	}
	s.baud = baud
	for n := 0; n < 1<<16 && inb(s.port+uartLSR)&lsrIdle == 0; n++ {
		pause() // the last character is still on its way at the old speed
	}
	flags := pin()
	lock(&s.regs)
	ier := inb(s.port + uartIER)
	outb(s.port+uartLCR, lcr8N1|lcrDLAB)
	outb(s.port+uartData, uint8(divisor))
	outb(s.port+uartIER, uint8(divisor>>8))
	outb(s.port+uartLCR, lcr8N1)
	outb(s.port+uartIER, ier)
	unlock(&s.regs)
	unpin(flags)
}

// SetBreak holds the line at zero, or no longer.
func (s *SerialPort) SetBreak(on bool) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	lcr := uint8(lcr8N1)
	if on {
		lcr |= lcrBreak
	}
	outb(s.port+uartLCR, lcr)
}
