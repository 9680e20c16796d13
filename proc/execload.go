package proc

import (
	"bytes"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/fs"
	"tamarix/mm"
)

// Bits of randomness in the layout of a new address space, in pages
// (arch/x86/mm/mmap.c, asm/elf.h).
const (
	mmapRandomBits  = 28
	stackRandomBits = 22
	brkRandomBits   = 13 // 32 MiB

	stackInitial = 33 * arch.PageSize // what a new stack has mapped below its arguments
	minMmapGap   = 128 << 20
	maxMmapGap   = arch.UserTop / 6 * 5
	guardGap     = 256 * arch.PageSize
)

// dynamicBase is where position-independent programs that have an interpreter go
// (ELF_ET_DYN_BASE: two thirds of user space).
const dynamicBase = (arch.UserTop + arch.PageSize) / 3 * 2 &^ (arch.PageSize - 1)

// load builds the new address space: segments, interpreter, stack.
func (p *program) load() error {
	as, err := mm.New()
	if err != nil {
		return err
	}
	p.as = as
	t := p.t
	p.noRandom = t.personality&PerAddrNoRandomize != 0 && !p.secure || RandomizeVASpace == 0
	as.SetLimits(t.Group.memoryLimits())
	p.placeAreas()
	as.SetLayout(p.layout)

	if err := p.loadProgram(); err != nil {
		return err
	}
	vdso, err := MapVDSO(as)
	if err != nil {
		return err
	}
	if err := p.buildStack(vdso); err != nil {
		return err
	}
	as.SetLayout(p.layout)
	return nil
}

// placeAreas decides where the stack and the mmap area begin.
func (p *program) placeAreas() {
	p.stackTop = arch.UserTop
	random := uint64(0)
	gap := uint64(guardGap)
	if !p.noRandom {
		p.stackTop -= randomPages(stackRandomBits)
		random = randomPages(mmapRandomBits)
		gap += 1<<stackRandomBits<<arch.PageShift + arch.PageSize
	}
	stack := p.t.Group.Limit(unix.RLIMIT_STACK)
	if stack+gap > stack {
		gap += stack
	} else {
		gap = ^uint64(0)
	}
	gap = min(max(gap, minMmapGap), maxMmapGap)
	p.layout.MmapBase = pageUp(arch.UserTop - gap - random)
}

func (p *program) loadProgram() error {
	m := &p.image
	interp, err := p.openInterp()
	if err != nil {
		return err
	}
	if interp != nil {
		defer interp.Unref()
	}
	want := uint64(0)
	if m.Dynamic && interp != nil {
		want = dynamicBase
		if !p.noRandom {
			want += randomPages(mmapRandomBits)
		}
	}
	if p.bias, err = p.mapImage(p.file, m, want); err != nil {
		return err
	}
	p.entry = m.Entry + p.bias
	if interp != nil {
		at, err := p.mapImage(interp, &p.interp, 0)
		if err != nil {
			return err
		}
		p.interpAt = at + p.interp.Low
		p.entry = p.interp.Entry + at
	}
	if p.entry >= arch.UserTop {
		return unix.ENOEXEC
	}
	p.setLayout()
	return nil
}

// setLayout notes where code, data and brk are.
func (p *program) setLayout() {
	l := &p.layout
	l.StartCode = ^uint64(0)
	for _, s := range p.image.Segments {
		at := s.Addr + p.bias
		if s.Prot&unix.PROT_EXEC != 0 {
			l.StartCode = min(l.StartCode, at)
			l.EndCode = max(l.EndCode, at+s.FileLen)
		}
		l.StartData = max(l.StartData, at)
		l.EndData = max(l.EndData, at+s.FileLen)
	}
	if l.StartCode == ^uint64(0) {
		l.StartCode = p.image.Low + p.bias
	}
	brk := p.image.High + p.bias
	if p.image.Dynamic && p.interpAt == 0 && !p.noRandom {
		brk = dynamicBase // a static position-independent program lies among the mappings
	}
	if !p.noRandom && RandomizeVASpace > 1 {
		brk += randomPages(brkRandomBits)
	}
	l.StartBrk = brk
}

// openInterp opens the ELF interpreter that the program names and reads its
// headers: ELIBBAD for one that is none itself.
func (p *program) openInterp() (*fs.File, error) {
	m := &p.image
	if m.InterpLen == 0 {
		return nil, nil
	}
	ctx := &p.t.fsctx
	p.text = slices.Grow(p.text[:0], int(m.InterpLen))
	path := p.text[:m.InterpLen]
	if n, err := ctx.ReadAt(p.file, path, int64(m.InterpOff)); err != nil || n < len(path) || path[n-1] != 0 {
		return nil, unix.ENOEXEC
	}
	f, err := ctx.OpenExec(unix.AT_FDCWD, cString(path), 0)
	if err != nil {
		return nil, err
	}
	n, err := ctx.ReadAt(f, p.head[:], 0)
	if err == nil {
		err = p.readImage(&p.interp, f, p.head[:n])
	}
	if err != nil {
		f.Unref()
		if err == unix.ENOEXEC {
			err = unix.ELIBBAD
		}
		return nil, err
	}
	return f, nil
}

func cString(p []byte) string {
	for i, c := range p {
		if c == 0 {
			return string(p[:i])
		}
	}
	return string(p)
}

// mapImage maps m's segments from f and returns what is to be added to their
// addresses. want is where a position-independent image should go, 0: anywhere.
func (p *program) mapImage(f *fs.File, m *elfImage, want uint64) (bias uint64, err error) {
	if m.Dynamic {
		at, err := p.as.Mmap(mm.MmapRequest{Addr: want, Len: m.High - m.Low, Flags: unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_NORESERVE})
		if err != nil {
			return 0, err
		}
		if err := p.as.Munmap(at, m.High-m.Low); err != nil {
			return 0, err
		}
		bias = at - m.Low
	}
	for i := range m.Segments {
		if err := p.mapSegment(f, &m.Segments[i], bias); err != nil {
			return 0, err
		}
	}
	return bias, nil
}

func (p *program) mapSegment(f *fs.File, s *elfSegment, bias uint64) error {
	addr := s.Addr + bias
	start, end := pageDown(addr), pageUp(addr+s.MemLen)
	fileEnd := start
	if s.FileLen != 0 {
		in := addr - start
		n := pageUp(in + s.FileLen)
		req := &p.mapping
		*req = fs.MmapRequest{Offset: int64(s.Off - in), Len: n, Prot: s.Prot}
		obj, maxProt, err := p.t.fsctx.Mmap(f, req)
		if err != nil {
			return err
		}
		_, err = p.as.Mmap(mm.MmapRequest{Addr: start, Len: n, Prot: s.Prot, Flags: unix.MAP_PRIVATE | unix.MAP_FIXED,
			Object: obj, Offset: uint64(req.Offset), Backing: f, MaxProt: maxProt})
		if err != nil {
			return err
		}
		fileEnd = start + n
		// The rest of the last page belongs to the zero-filled part, to the page's
		// end: the dynamic linker takes what lies beyond the segment for zeros too.
		if tail := addr + s.FileLen; s.MemLen > s.FileLen && s.Prot&unix.PROT_WRITE != 0 && tail&(arch.PageSize-1) != 0 {
			if _, err := p.as.WriteRemote(tail, zeroes[:fileEnd-tail]); err != nil {
				return unix.ENOMEM
			}
		}
	}
	if end > fileEnd {
		_, err := p.as.Mmap(mm.MmapRequest{Addr: fileEnd, Len: end - fileEnd, Prot: s.Prot,
			Flags: unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED})
		if err != nil {
			return err
		}
	}
	return nil
}

var zeroes [arch.PageSize]byte

// buildStack maps the stack and puts arguments, environment and auxiliary vector
// on it.
func (p *program) buildStack(vdso uint64) error {
	t := p.t
	limit := t.Group.Limit(unix.RLIMIT_STACK)
	room, err := argLimit(limit, len(p.args), len(p.env))
	if err != nil {
		return err
	}
	prot := unix.PROT_READ | unix.PROT_WRITE
	if p.image.ExecStack {
		prot |= unix.PROT_EXEC
	}
	_, err = p.as.Mmap(mm.MmapRequest{Addr: p.stackTop - stackInitial, Len: stackInitial, Prot: prot,
		Flags: unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_GROWSDOWN | unix.MAP_STACK | unix.MAP_FIXED_NOREPLACE,
		Name:  "[stack]"})
	if err != nil {
		return unix.ENOMEM
	}
	b := &p.stack
	b.mem, b.sp, b.low, b.from = p.as, p.stackTop, 0, p.stackTop
	if err := b.push("\x00\x00\x00\x00\x00\x00\x00\x00"); err != nil {
		return err
	}
	b.low = b.sp - room
	if err := b.pushString(p.name); err != nil {
		return err
	}
	name := b.sp
	p.layout.EnvEnd = b.sp
	if p.envAt, err = p.pushAll(p.envAt, p.env); err != nil {
		return err
	}
	p.layout.EnvStart = b.sp
	if p.argsAt, err = p.pushAll(p.argsAt, p.args); err != nil {
		return err
	}
	p.layout.ArgStart, p.layout.ArgEnd = b.sp, p.layout.EnvStart

	b.low = 0
	gap := b.sp & 15
	if !p.noRandom {
		gap += randomPages(13) >> arch.PageShift & stackRandMask &^ 15
	}
	if err := b.skip(gap); err != nil {
		return err
	}
	if err := b.push(platformName); err != nil {
		return err
	}
	platform := b.sp
	seed := p.words[:16]
	FillRandom(seed)
	if err := b.push(text(seed)); err != nil {
		return err
	}
	p.aux = p.auxv(p.aux[:0], name, platform, b.sp, vdso)
	block, auxv := argWords(p.block, p.argsAt, p.envAt, p.aux)
	p.block = block
	p.layout.Auxv = slices.Clone(auxv)
	sp := (b.sp - uint64(len(block))) &^ 15
	if err := b.skip(b.sp - uint64(len(block)) - sp); err != nil {
		return err
	}
	if err := b.push(text(block)); err != nil {
		return err
	}
	if err := b.flush(); err != nil {
		return err
	}
	p.sp, p.layout.StartStack = b.sp, b.sp
	return nil
}

// text returns p as a string, for as long as p stays the same.
func text(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// pushAll pushes strings, the last first, and returns their addresses, in room
// if that is enough.
func (p *program) pushAll(room []uint64, list []argument) ([]uint64, error) {
	at := slices.Grow(room[:0], len(list))[:len(list)]
	for i := len(list) - 1; i >= 0; i-- {
		s := list[i].text
		if list[i].addr != 0 {
			var err error
			if s, err = p.argument(list[i].addr); err != nil {
				return nil, err
			}
		}
		if err := p.stack.pushString(s); err != nil {
			return nil, err
		}
		at[i] = p.stack.sp
	}
	return at, nil
}

// argument returns the caller's string at addr, which is valid until the next
// call: E2BIG if it is too long.
func (p *program) argument(addr uint64) (string, error) {
	const chunk = 128
	p.text = p.text[:0]
	for len(p.text) < maxArgString {
		// Never across a page border at once: what lies behind may not exist.
		at := addr + uint64(len(p.text))
		n := min(maxArgString-len(p.text), arch.PageSize-int(at&(arch.PageSize-1)), chunk)
		p.text = slices.Grow(p.text, n)
		part := p.text[len(p.text):][:n]
		if err := p.t.AS.CopyIn(part, at); err != nil {
			return "", err
		}
		if z := bytes.IndexByte(part, 0); z >= 0 {
			return text(p.text[:len(p.text)+z]), nil
		}
		p.text = p.text[:len(p.text)+n]
	}
	return "", unix.E2BIG
}

// auxv appends to a what the kernel tells the program about itself and the machine,
// in Linux's order (create_elf_tables).
func (p *program) auxv(a []auxEntry, name, platform, random, vdso uint64) []auxEntry {
	c := p.cred
	secure := uint64(0)
	if p.secure {
		secure = 1
	}
	if vdso != 0 {
		a = append(a, auxEntry{atSysinfoEHDR, vdso})
	}
	phdr := p.image.PhdrAddr
	if phdr != 0 {
		phdr += p.bias
	}
	return append(a,
		auxEntry{atMinSigStkSz, uint64(arch.SignalStackMin())},
		auxEntry{atHWCAP, arch.HWCAP()},
		auxEntry{atPagesz, arch.PageSize},
		auxEntry{atClkTck, 100},
		auxEntry{atPhdr, phdr},
		auxEntry{atPhent, elfProgSize},
		auxEntry{atPhnum, uint64(p.image.PhNum)},
		auxEntry{atBase, p.interpAt},
		auxEntry{atFlags, 0},
		auxEntry{atEntry, p.image.Entry + p.bias},
		auxEntry{atUID, uint64(c.UID)},
		auxEntry{atEUID, uint64(c.EUID)},
		auxEntry{atGID, uint64(c.GID)},
		auxEntry{atEGID, uint64(c.EGID)},
		auxEntry{atSecure, secure},
		auxEntry{atRandom, random},
		auxEntry{atHWCAP2, 0},
		auxEntry{atExecFn, name},
		auxEntry{atPlatform, platform},
		auxEntry{atNull, 0},
	)
}
