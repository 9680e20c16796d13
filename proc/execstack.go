package proc

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
)

// The top of a new program's stack, as execve(2) leaves it (System V ABI AMD64,
// 3.4.1; fs/exec.c and fs/binfmt_elf.c). From high to low addresses: an empty
// word, the file name, the environment strings, the argument strings, a random
// gap, the platform's name, 16 random bytes, padding, the auxiliary vector, the
// two pointer arrays, and argc, where the stack pointer points: 16-byte aligned.

const (
	maxArgString  = 32 * arch.PageSize // MAX_ARG_STRLEN, UAPI linux/binfmts.h
	minArgSpace   = 32 * arch.PageSize // ARG_MAX, which every program may use
	maxArgSpace   = 6 << 20            // three quarters of the default stack limit
	pointerSize   = 8
	platformName  = "x86_64\x00"
	stackRandMask = 8192 - 1 // arch_align_stack
)

// remoteWriter is memory that can be written without being current.
type remoteWriter interface {
	WriteRemote(addr uint64, p []byte) (int, error)
}

// stackBuilder pushes bytes onto a stack that grows down in foreign memory,
// a page at a time.
type stackBuilder struct {
	mem  remoteWriter
	sp   uint64 // what has been pushed begins here
	low  uint64 // pushing below is E2BIG
	from uint64 // buf holds what has been pushed from here up to the page's end
	buf  [arch.PageSize]byte
}

// push copies s below what is there.
func (b *stackBuilder) push(s string) error {
	if b.sp < b.low || uint64(len(s)) > b.sp-b.low {
		return unix.E2BIG
	}
	for len(s) > 0 {
		in := b.sp & (arch.PageSize - 1) // bytes of the page below sp
		if in == 0 {
			if err := b.flush(); err != nil {
				return err
			}
			in = arch.PageSize
		}
		n := min(uint64(len(s)), in)
		copy(b.buf[in-n:in], s[uint64(len(s))-n:])
		s = s[:uint64(len(s))-n]
		b.sp -= n
	}
	return nil
}

// pushString pushes s and a zero byte.
func (b *stackBuilder) pushString(s string) error {
	if err := b.push("\x00"); err != nil {
		return err
	}
	return b.push(s)
}

// skip leaves n bytes, of a stack that is new, as they are: zero.
func (b *stackBuilder) skip(n uint64) error {
	if in := b.sp & (arch.PageSize - 1); n < in {
		clear(b.buf[in-n : in]) // they may go out with what is around them
		b.sp -= n
		return nil
	}
	if err := b.flush(); err != nil {
		return err
	}
	b.sp -= n
	b.from = b.sp
	return nil
}

// flush writes out the page that is being filled.
func (b *stackBuilder) flush() error {
	if b.sp == b.from {
		return nil
	}
	at := b.sp & (arch.PageSize - 1)
	end := uint64(arch.PageSize)
	if b.from&^(arch.PageSize-1) == b.sp&^(arch.PageSize-1) && b.from&(arch.PageSize-1) != 0 {
		end = b.from & (arch.PageSize - 1)
	}
	if _, err := b.mem.WriteRemote(b.sp, b.buf[at:end]); err != nil {
		return unix.ENOMEM
	}
	b.from = b.sp
	return nil
}

// argLimit returns how many bytes argument and environment strings may take,
// their pointers deducted: E2BIG if nothing is left (execve(2), "Limits on size
// of arguments and environment").
func argLimit(stackLimit uint64, argc, envc int) (uint64, error) {
	limit := max(min(stackLimit/4, maxArgSpace), minArgSpace)
	pointers := uint64(max(argc, 1)+envc) * pointerSize
	if limit <= pointers {
		return 0, unix.E2BIG
	}
	return limit - pointers, nil
}

// auxEntry is one pair of the auxiliary vector (getauxval(3)).
type auxEntry struct{ Key, Value uint64 }

// Keys of the auxiliary vector (UAPI linux/auxvec.h, asm/auxvec.h).
const (
	atNull        = 0
	atPhdr        = 3
	atPhent       = 4
	atPhnum       = 5
	atPagesz      = 6
	atBase        = 7
	atFlags       = 8
	atEntry       = 9
	atUID         = 11
	atEUID        = 12
	atGID         = 13
	atEGID        = 14
	atPlatform    = 15
	atHWCAP       = 16
	atClkTck      = 17
	atSecure      = 23
	atRandom      = 25
	atHWCAP2      = 26
	atExecFn      = 31
	atSysinfoEHDR = 33
	atMinSigStkSz = 51
)

// argWords returns the block from argc to the end of the auxiliary vector,
// in room if that is enough, and the part of it that is the auxiliary vector.
func argWords(room []byte, args, env []uint64, aux []auxEntry) (block []byte, auxv []byte) {
	le := binary.LittleEndian
	n := 1 + len(args) + 1 + len(env) + 1 + 2*len(aux)
	block = slices.Grow(room[:0], n*pointerSize)
	block = le.AppendUint64(block, uint64(len(args)))
	for _, p := range args {
		block = le.AppendUint64(block, p)
	}
	block = le.AppendUint64(block, 0)
	for _, p := range env {
		block = le.AppendUint64(block, p)
	}
	block = le.AppendUint64(block, 0)
	start := len(block)
	for _, a := range aux {
		block = le.AppendUint64(block, a.Key)
		block = le.AppendUint64(block, a.Value)
	}
	return block, block[start:]
}
