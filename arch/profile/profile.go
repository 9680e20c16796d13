package profile

import (
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
)

// DefaultRate is how many samples a second to take when nothing else is said.
const DefaultRate = 1000

const (
	// drainEvery is short enough that no ring fills up between two drains.
	drainEvery = 20 * time.Millisecond

	// maxStacks bounds the different stacks that are kept.
	maxStacks = 1 << 16
)

// kinds are the names of arch.ProfileKind in the text.
var kinds = [...]string{arch.ProfileIdle: "idle", arch.ProfileUser: "user", arch.ProfileKernel: "kernel"}

// profile is what has been counted.
type profile struct {
	mu      sync.Mutex    // guards the rest
	running chan struct{} // closed at the end; nil when none is being taken
	rate    int           // 0: there has never been one
	began   int64         // arch.Nanotime
	ns      int64         // how long it took, of a finished one
	lost    uint64
	stacks  map[string]*uint64 // counts, by kind and words
	key     []byte             // room for the key of one sample
	samples [len(kinds)]int64
	late    [len(kinds)]int64 // sums
}

// state is the one profile there is: being taken, or the last one.
var state profile

// Start forgets the last profile and begins a new one, with rate samples a second
// on each CPU.
func Start(rate int) error {
	s := &state
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return unix.EBUSY
	}
	if err := arch.ProfileStart(rate); err != nil {
		return err
	}
	s.rate, s.began, s.ns, s.lost = rate, arch.Nanotime(), 0, 0
	s.samples, s.late = [len(kinds)]int64{}, [len(kinds)]int64{}
	s.stacks = make(map[string]*uint64, 256)
	s.running = make(chan struct{})
	go s.collect(s.running)
	return nil
}

// Stop ends the profile that is being taken.
func Stop() error {
	s := &state
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return unix.EINVAL
	}
	arch.ProfileStop()
	s.ns = arch.Nanotime() - s.began
	s.drainLocked()
	close(s.running)
	s.running = nil
	return nil
}

// collect empties the rings until the profile that end belongs to has ended.
func (s *profile) collect(end chan struct{}) {
	t := time.NewTicker(drainEvery)
	defer t.Stop()
	for {
		select {
		case <-end:
			return
		case <-t.C:
			s.mu.Lock()
			if s.running == end {
				s.drainLocked()
			}
			s.mu.Unlock()
		}
	}
}

// drainLocked counts the samples that are in the rings.
//   - s.mu is held.
func (s *profile) drainLocked() { s.lost = arch.ProfileDrain(s.count) }

// count counts one sample. Stacks that find no room count as one of their kind
// without words.
func (s *profile) count(p *arch.ProfileSample) {
	s.samples[p.Kind]++
	s.late[p.Kind] += p.Late
	s.key = append(s.key[:0], byte(p.Kind))
	for i := range p.Words {
		s.key = append(s.key, (*[8]byte)(unsafe.Pointer(&p.Words[i]))[:]...)
	}
	n := s.stacks[string(s.key)]
	if n == nil {
		if len(s.stacks) >= maxStacks {
			s.key = s.key[:1]
		}
		if n = s.stacks[string(s.key)]; n == nil {
			n = new(uint64)
			s.stacks[string(s.key)] = n
		}
	}
	*n++
}
