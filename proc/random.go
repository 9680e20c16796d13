package proc

import (
	"encoding/binary"
	"math/rand/v2"
)

// RandomizeVASpace is /proc/sys/kernel/randomize_va_space: 0 off (the
// "norandmaps" parameter), 1 stack, mmap and programs, 2 brk too.
var RandomizeVASpace = 2

// FillRandom fills p with unpredictable bytes. The source is the runtime's own
// ChaCha8 generators, one per kernel thread, which reseed themselves and start
// from the processor's entropy by way of AT_RANDOM.
func FillRandom(p []byte) {
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, rand.Uint64())
		p = p[8:]
	}
	for i := range p {
		p[i] = byte(rand.Uint32())
	}
}

func randomPages(bits uint) uint64 { return (rand.Uint64() & (1<<bits - 1)) << 12 }
