package proc

import (
	"debug/elf"
	"encoding/binary"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
)

// The part of exec that reads what may be hostile: a program file's headers
// (System V ABI, chapters 4 and 5; elf(5)). Nothing here touches memory or
// files, so all of it runs under host tests and fuzzing.

const (
	elfHeaderSize  = 64
	elfProgSize    = 56
	maxFileOffset  = 1 << 62
	maxProgHeaders = 65536 / elfProgSize // fs/binfmt_elf.c: load_elf_phdrs
)

// elfImage is a program file that can be mapped.
type elfImage struct {
	Dynamic  bool // ET_DYN: may be loaded anywhere
	Entry    uint64
	PhOff    uint64 // where the program headers lie in the file
	PhNum    int
	Segments []elfSegment // PT_LOAD, in the file's order

	InterpOff, InterpLen uint64 // PT_INTERP; InterpLen 0: none
	ExecStack            bool   // PT_GNU_STACK wants an executable stack
	PhdrAddr             uint64 // address of the program headers, before bias; 0: not loaded

	Low, High uint64 // the span of all segments, whole pages
}

// elfSegment is one PT_LOAD.
type elfSegment struct {
	Prot            int // PROT_*
	Off, Addr       uint64
	FileLen, MemLen uint64
}

func pageDown(v uint64) uint64 { return v &^ (arch.PageSize - 1) }
func pageUp(v uint64) uint64   { return (v + arch.PageSize - 1) &^ (arch.PageSize - 1) }

// parseHeader reads the file header: where the program headers are, and that this
// is a program for this machine at all. ENOEXEC if not. It keeps m's room for
// segments.
func (m *elfImage) parseHeader(h []byte) error {
	le := binary.LittleEndian
	if len(h) < elfHeaderSize || string(h[:4]) != elf.ELFMAG ||
		elf.Class(h[elf.EI_CLASS]) != elf.ELFCLASS64 || elf.Data(h[elf.EI_DATA]) != elf.ELFDATA2LSB {
		return unix.ENOEXEC
	}
	kind := elf.Type(le.Uint16(h[16:]))
	if kind != elf.ET_EXEC && kind != elf.ET_DYN || elf.Machine(le.Uint16(h[18:])) != elf.EM_X86_64 {
		return unix.ENOEXEC
	}
	*m = elfImage{Dynamic: kind == elf.ET_DYN, Entry: le.Uint64(h[24:]), PhOff: le.Uint64(h[32:]),
		PhNum: int(le.Uint16(h[56:])), Segments: m.Segments[:0]}
	if le.Uint16(h[54:]) != elfProgSize || m.PhNum < 1 || m.PhNum > maxProgHeaders ||
		m.PhOff > maxFileOffset {
		return unix.ENOEXEC
	}
	return nil
}

// headerSpan returns where in the file the program headers lie.
func (m *elfImage) headerSpan() (off int64, n int) {
	return int64(m.PhOff), m.PhNum * elfProgSize
}

// parsePrograms reads the program headers p of a file of size bytes. After it
// every segment is known to lie inside user space.
func (m *elfImage) parsePrograms(p []byte, size uint64) error {
	le := binary.LittleEndian
	if len(p) < m.PhNum*elfProgSize {
		return unix.ENOEXEC
	}
	m.Low = ^uint64(0)
	for ; len(p) >= elfProgSize; p = p[elfProgSize:] {
		flags := le.Uint32(p[4:])
		off, addr := le.Uint64(p[8:]), le.Uint64(p[16:])
		fileLen, memLen := le.Uint64(p[32:]), le.Uint64(p[40:])
		switch elf.ProgType(le.Uint32(p)) {
		case elf.PT_INTERP:
			if m.InterpLen != 0 {
				continue // the first one counts
			}
			if fileLen < 2 || fileLen > unix.PathMax || off > size || fileLen > size-off {
				return unix.ENOEXEC
			}
			m.InterpOff, m.InterpLen = off, fileLen
		case elf.PT_GNU_STACK:
			m.ExecStack = elf.ProgFlag(flags)&elf.PF_X != 0
		case elf.PT_LOAD:
			if memLen == 0 {
				continue
			}
			// What lies beyond the end of the file is mapped all the same: SIGBUS
			// when the program reaches it, as on Linux.
			if fileLen > memLen || off > maxFileOffset || addr >= arch.UserTop || memLen > arch.UserTop-addr ||
				fileLen != 0 && (off^addr)&(arch.PageSize-1) != 0 {
				return unix.ENOEXEC
			}
			m.Segments = append(m.Segments, elfSegment{Prot: elfProt(elf.ProgFlag(flags)), Off: off, Addr: addr,
				FileLen: fileLen, MemLen: memLen})
			m.Low = min(m.Low, pageDown(addr))
			m.High = max(m.High, pageUp(addr+memLen))
			if m.PhdrAddr == 0 && off <= m.PhOff && m.PhOff-off < fileLen {
				m.PhdrAddr = m.PhOff - off + addr
			}
		}
	}
	if len(m.Segments) == 0 || m.High > arch.UserTop || !m.Dynamic && m.Low < arch.PageSize {
		return unix.ENOEXEC
	}
	return nil
}

func elfProt(f elf.ProgFlag) (prot int) {
	if f&elf.PF_R != 0 {
		prot |= unix.PROT_READ
	}
	if f&elf.PF_W != 0 {
		prot |= unix.PROT_WRITE
	}
	if f&elf.PF_X != 0 {
		prot |= unix.PROT_EXEC
	}
	return prot
}
