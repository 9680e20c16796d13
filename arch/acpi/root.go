package acpi

const (
	rootSize1 = 20 // the root pointer of ACPI 1.0
	rootSize2 = 36 // and since 2.0
)

// Open finds the tables that the root pointer leads to. copy is what the loader
// handed over of it, rsdp its physical address, 0 if unknown; where neither is
// any good, Open searches where a BIOS puts it. The error says why there are no
// tables at all.
func (t *Tables) Open(rsdp uint64, copy []byte, m Memory) error {
	t.mem, t.n, t.nProblems = m, 0, 0
	var why error = ErrNoRSDP // constants only: they need no heap
	try := func(root []byte) bool {
		err := t.openRoot(root)
		if err != ErrNoRSDP {
			why = err // says more than the first
		}
		return err == nil
	}
	if try(copy) || rsdp != 0 && try(t.root(rsdp)) {
		return nil
	}
	// 5.2.5.1: on 16-byte boundaries in the first KiB of the extended BIOS
	// data area, whose segment is at 0x40e, and in the BIOS's memory.
	ebda := uint64(0)
	if p := m.Bytes(0x40e, 2); len(p) >= 2 {
		ebda = uint64(le16(p, 0)) << 4
	}
	for _, area := range [...][2]uint64{{ebda, 1 << 10}, {0xe0000, 0x20000}} {
		if area[0] < 0x400 {
			continue
		}
		for o := uint64(0); o < area[1]; o += 16 {
			p := m.Bytes(area[0]+o, 8)
			if string(p) == "RSD PTR " && try(t.root(area[0]+o)) {
				return nil
			}
		}
	}
	return why
}

// root returns the root pointer at a physical address, or what of it there is.
func (t *Tables) root(addr uint64) []byte {
	if p := t.mem.Bytes(addr, rootSize2); p != nil {
		return p
	}
	return t.mem.Bytes(addr, rootSize1)
}

// openRoot lists the tables of a root pointer (5.2.5.3): those of the XSDT, or,
// where that is missing or bad, those of the RSDT. The error says why
// neither could be read.
func (t *Tables) openRoot(root []byte) error {
	if len(root) < rootSize1 || string(root[:8]) != "RSD PTR " {
		return ErrNoRSDP
	}
	if sum(root[:rootSize1]) != 0 {
		t.problem([4]byte{'R', 'S', 'D', 'P'}, 0, ErrChecksum)
		return ErrChecksum
	}
	t.Revision = root[15]
	if t.Revision >= 2 && len(root) >= rootSize2 {
		if sum(root[:rootSize2]) != 0 {
			t.problem([4]byte{'R', 'S', 'D', 'P'}, 0, ErrChecksum)
		} else if t.openList(le64(root, 24), "XSDT", 8) {
			return nil
		}
	}
	if t.openList(uint64(le32(root, 16)), "RSDT", 4) {
		return nil
	}
	return ErrNoRoot
}

// openList lists the tables of the XSDT or RSDT at a physical address, whose
// entries have so many bytes. It reports false if there is no such table.
func (t *Tables) openList(addr uint64, sig string, size int) bool {
	if addr == 0 {
		return false
	}
	x := t.load(addr)
	if x == nil {
		return false
	}
	if string(x[:4]) != sig {
		t.problem([4]byte(x[:4]), addr, ErrKind)
		return false
	}
	t.rootAddr, t.rootLen = addr, uint64(len(x))
	for n, o := 0, headerSize; o+size <= len(x); n, o = n+1, o+size {
		a := uint64(le32(x, o))
		if size == 8 {
			a = le64(x, o)
		}
		if n == maxEntries {
			t.problem([4]byte(x[:4]), addr, ErrTooMany)
			break
		}
		t.add(a)
	}
	return true
}
