package amd64

// MaxProfileRate is the most samples a second that a CPU takes.
const MaxProfileRate = 20_000

// ProfileKind says what a sample has interrupted.
type ProfileKind uint8

const (
	ProfileIdle ProfileKind = iota
	ProfileUser
	ProfileKernel
)

// ProfileSample is what a CPU was doing when its timer interrupt came.
type ProfileSample struct {
	Kind ProfileKind
	CPU  int
	Late int64 // ns from the moment that was meant: interrupts were off, or QEMU's host was busy

	// Words, of a kernel sample: the instruction pointer; the two words on top
	// of the stack, 0 where they cannot be return addresses; the return
	// addresses that the frame pointers lead to. Where the instruction belongs
	// to a function without a frame, or stands in a prologue, the frame pointer
	// is still the caller's, and one of the words on top of the stack is the
	// return address that lacks.
	//
	// Of a user sample: the context's label, 16 bytes padded with zeros.
	Words []uint64
}

// SetLabel names the program that the context runs, for profiles: at most 15 bytes
// of name. Owner only; Clone copies it.
func (u *UserContext) SetLabel(name string) {
	var w [2]uint64
	for i := range min(len(name), 15) {
		w[i/8] |= uint64(name[i]) << (i % 8 * 8)
	}
	u.label = w
}
