package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"sort"
)

// frameRule says how far above the stack pointer a function's frame ends, from an
// address on: 8 where there is nothing between it and the return address.
type frameRule struct {
	addr  uint64
	above int64
}

// moveFrame is MOVQ SP, BP: behind PUSHQ BP, the end of a frame's making.
var moveFrame = []byte{0x48, 0x89, 0xe5}

// chain returns the addresses of the code that a kernel stack's sample has found
// running, callers after callees, each within the instruction concerned.
func (s *symbols) chain(words []uint64) []uint64 {
	if len(words) < 3 {
		return nil
	}
	pc, top := words[0], words[1:3]
	pcs := []uint64{pc}
	add := func(ret uint64) {
		if ret != 0 {
			pcs = append(pcs, ret-1)
		}
	}
	// The frame pointer is the caller's where this function's frame is not
	// complete. The return address is then the word on top of the stack, or
	// the one below the caller's frame pointer.
	switch above := s.above(pc); {
	case above == 8:
		add(top[0])
	case above == 16 && bytes.HasPrefix(s.code[pc-s.low:], moveFrame):
		add(top[1])
	}
	for _, ret := range words[3:] {
		add(ret)
	}
	return pcs
}

// above returns the rule at pc; 0 if there is none.
func (s *symbols) above(pc uint64) int64 {
	if pc < s.low || pc >= s.high {
		return 0
	}
	i := sort.Search(len(s.frames), func(i int) bool { return s.frames[i].addr > pc }) - 1
	if i < 0 {
		return 0
	}
	return s.frames[i].above
}

// Instructions of .debug_frame (DWARF 5, 7.24), those that Go's linker uses.
const (
	cfaNop             = 0x00
	cfaAdvance1        = 0x02
	cfaAdvance2        = 0x03
	cfaAdvance4        = 0x04
	cfaSameValue       = 0x08
	cfaDefine          = 0x0c
	cfaDefineOffset    = 0x0e
	cfaDefineOffsetSF  = 0x13
	cfaAdvance         = 0x40 // and the distance in the low six bits
	cfaOffset          = 0x80 // and a register
	cfaRestore         = 0xc0 // and a register
	cfaOffsetExtended  = 0x05
	cfaOffsetExtendedS = 0x11
	cfaValOffset       = 0x14
)

var errFrames = errors.New("call frame information of a kind that Go does not make")

// readFrames reads .debug_frame.
func (s *symbols) readFrames(f *elf.File) error {
	section := f.Section(".debug_frame")
	if section == nil {
		return nil
	}
	data, err := section.Data()
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	var common struct{ data, start int64 } // the CIE's data alignment and first offset
	for len(data) >= 4 {
		n := le.Uint32(data)
		if n == 0xffffffff || uint64(n)+4 > uint64(len(data)) || n < 4 {
			return errFrames
		}
		entry := data[4 : 4+n]
		data = data[4+n:]
		if le.Uint32(entry) == 0xffffffff {
			// CIE: version, augmentation "", code and data alignment, return register.
			b := reader{entry[4:]}
			b.byte()
			if b.byte() != 0 || b.unsigned() != 1 {
				return errFrames
			}
			common.data = b.signed()
			b.unsigned()
			common.start = 8
			if err := b.rules(0, common.data, func(_ uint64, above int64) { common.start = above }); err != nil {
				return err
			}
			continue
		}
		if len(entry) < 20 {
			return errFrames
		}
		low, size := le.Uint64(entry[4:]), le.Uint64(entry[12:])
		s.frames = append(s.frames, frameRule{low, common.start})
		b := reader{entry[20:]}
		if err := b.rules(low, common.data, func(at uint64, above int64) {
			s.frames = append(s.frames, frameRule{at, above})
		}); err != nil {
			return err
		}
		s.frames = append(s.frames, frameRule{low + size, 0})
	}
	sort.SliceStable(s.frames, func(i, j int) bool { return s.frames[i].addr < s.frames[j].addr })
	return nil
}

// reader takes numbers off the front of a byte slice; zeros behind its end.
type reader struct{ b []byte }

func (r *reader) byte() (v byte) {
	if len(r.b) > 0 {
		v, r.b = r.b[0], r.b[1:]
	}
	return v
}

func (r *reader) fixed(n int) (v uint64) {
	for i := range n {
		v |= uint64(r.byte()) << (8 * i)
	}
	return v
}

func (r *reader) unsigned() (v uint64) {
	for shift := 0; ; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b&0x80 == 0 || shift > 63 {
			return v
		}
	}
}

func (r *reader) signed() (v int64) {
	for shift := 0; ; {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		shift += 7
		if b&0x80 == 0 || shift > 63 {
			if b&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

// rules carries out the instructions for the function at pc and reports each new
// distance between the stack pointer and the end of the frame.
func (r *reader) rules(pc uint64, align int64, rule func(at uint64, above int64)) error {
	for len(r.b) > 0 {
		switch op := r.byte(); op {
		case cfaNop:
		case cfaAdvance1:
			pc += r.fixed(1)
		case cfaAdvance2:
			pc += r.fixed(2)
		case cfaAdvance4:
			pc += r.fixed(4)
		case cfaDefine:
			r.unsigned()
			rule(pc, int64(r.unsigned()))
		case cfaDefineOffset:
			rule(pc, int64(r.unsigned()))
		case cfaDefineOffsetSF:
			rule(pc, r.signed()*align)
		case cfaSameValue:
			r.unsigned()
		case cfaOffsetExtended, cfaValOffset:
			r.unsigned()
			r.unsigned()
		case cfaOffsetExtendedS:
			r.unsigned()
			r.signed()
		default:
			switch op & 0xc0 {
			case cfaAdvance:
				pc += uint64(op & 0x3f)
			case cfaOffset:
				r.unsigned()
			case cfaRestore:
			default:
				return errFrames
			}
		}
	}
	return nil
}
