package i8042

import (
	"sync"
	"testing"
	"time"

	"tamarix/dev/kbd"
)

// oracle is a controller that answers with whatever it is given, status bytes
// and data in turn; when that is used up, it is silent.
type oracle struct {
	mu      sync.Mutex
	answers []byte
	now     time.Duration
}

func (m *oracle) next(end byte) byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.answers) == 0 {
		return end
	}
	b := m.answers[0]
	m.answers = m.answers[1:]
	return b
}

func (m *oracle) Now() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *oracle) Sleep(d time.Duration) {
	m.mu.Lock()
	m.now += d
	m.mu.Unlock()
}

func (m *oracle) After(time.Duration) <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}

func (m *oracle) Status() byte          { return m.next(0) }
func (m *oracle) Read() byte            { return m.next(0xff) }
func (m *oracle) Command(byte)          {}
func (m *oracle) Write(byte)            {}
func (m *oracle) Interrupts(bool) error { return nil }

// FuzzStart: whatever a controller and its devices say, finding out ends within
// bounds, and so does what they send afterwards. A keyboard is one that said so.
func FuzzStart(f *testing.F) {
	good := []byte{0x14, 0x14, 0x14, 0x14, 0x14, 0x14, 0x15, 0x47, 0x14, 0x15, 0x55, 0x14, 0x14, 0x14, 0x15, 0x65}
	f.Add(good, []byte{0x1e, 0x9e})
	f.Add([]byte{0xff, 0xff}, []byte{})
	f.Add([]byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, []byte{0xaa, 0xfa, 0xfe})
	f.Fuzz(func(t *testing.T, answers, bytes []byte) {
		m := &oracle{answers: answers}
		keys := kbd.New(idle{})
		c := New(m, func() *kbd.Keyboards { return keys }, Options{})
		err := c.Start()
		// Each wait has its bound, and there are so many of them at most, besides
		// what each byte of an answer may cost.
		if took, limit := m.Now(), 30*time.Second+time.Duration(len(answers))*resetTime; took > limit {
			t.Fatalf("Start took %v", took)
		}
		if err != nil && err != ErrAbsent && err != ErrStuck {
			t.Fatalf("Start: %v", err)
		}
		if err != nil && len(keys.Names()) != 0 {
			t.Fatalf("%v, but keyboards: %v", err, keys.Names())
		}
		if err == nil {
			for i, b := range bytes {
				c.Receive(statusOutput|byte(i)&1<<5, b)
			}
		}
		if n := len(keys.Names()); n > len(c.ports) {
			t.Fatalf("%d keyboards on two ports", n)
		}
		for i := range c.ports {
			close(c.ports[i].kick) // ends the goroutine that sends commands
		}
	})
}
