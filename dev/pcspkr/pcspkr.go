// Package pcspkr drives the PC's speaker: channel 2 of the interval timer (Intel
// 8254 datasheet) makes a square wave, and two bits of port 0x61 let it count
// and let it be heard.
//
// The kernel uses the same channel to measure other clocks, at start-up only and
// before anything rings.
package pcspkr

import "sync"

const (
	channel2 = 0x42
	control  = 0x43
	gates    = 0x61

	// Channel 2, low byte then high byte, mode 3 (square wave), binary.
	squareWave = 2<<6 | 3<<4 | 3<<1

	gateTimer   = 1 << 0
	gateSpeaker = 1 << 1
	gatesKept   = 0x0f // the upper half is status, and is not to be written back

	clock = 1193182 // Hz
)

// Ports is access to the I/O ports.
type Ports struct {
	In  func(port uint16) uint8
	Out func(port uint16, v uint8)
}

// Speaker is the speaker. Its methods may be called from any goroutine.
type Speaker struct {
	mu sync.Mutex // keeps the bytes of one change together; a leaf
	p  Ports
}

// New returns the speaker behind p.
func New(p Ports) *Speaker { return &Speaker{p: p} }

// Tone sounds so many hertz until the next Tone, 0 for silence. What the timer
// cannot divide its clock to (below 19 Hz) is silence too.
func (s *Speaker) Tone(hertz int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	if hertz > 0 {
		count = clock / hertz
	}
	g := s.p.In(gates) & gatesKept
	if count < 1 || count > 0xffff {
		s.p.Out(gates, g&^(gateTimer|gateSpeaker))
		return
	}
	s.p.Out(control, squareWave)
	s.p.Out(channel2, uint8(count))
	s.p.Out(channel2, uint8(count>>8))
	s.p.Out(gates, g|gateTimer|gateSpeaker)
}
