package acpi

// Memory gives access to physical memory. Bytes returns n bytes at a physical
// address, or nil if that memory cannot be read.
type Memory interface {
	Bytes(addr, n uint64) []byte
}

// Error is a reason to leave out a table. It is a constant string, so that it
// exists before the Go runtime does.
type Error string

func (e Error) Error() string { return string(e) }

const (
	ErrNoRSDP   Error = "no root pointer"
	ErrChecksum Error = "bad checksum"
	ErrLength   Error = "bad length"
	ErrUnread   Error = "lies outside readable memory"
)

// Problem is a table that was left out, and why.
type Problem struct {
	Signature [4]byte
	Address   uint64
	Reason    Error
}

const (
	maxTables   = 64
	maxProblems = 16
	maxTable    = 8 << 20 // no table is larger
	headerSize  = 36      // 5.2.6: the header that all tables share
)

// Tables is the list of a machine's ACPI tables. The zero value is a machine
// without ACPI.
type Tables struct {
	Revision uint8 // of the root pointer: 0 for ACPI 1.0, else 2

	mem       Memory
	list      [maxTables][]byte
	n         int
	problems  [maxProblems]Problem
	nProblems int
}

// Problems returns the tables that had to be left out.
func (t *Tables) Problems() []Problem { return t.problems[:t.nProblems] }

func (t *Tables) problem(sig [4]byte, addr uint64, why Error) {
	if t.nProblems < maxProblems {
		t.problems[t.nProblems] = Problem{sig, addr, why}
		t.nProblems++
	}
}

// Open finds the tables that the root pointer at physical address rsdp leads
// to. With rsdp 0 and no copy of it, it searches where a BIOS puts it.
func (t *Tables) Open(rsdp uint64, copy []byte, m Memory) error {
	t.mem = m
	root := copy
	if len(root) < 20 {
		if rsdp == 0 {
			rsdp = searchRSDP(m)
		}
		if rsdp == 0 {
			return ErrNoRSDP
		}
		if root = m.Bytes(rsdp, 36); root == nil {
			root = m.Bytes(rsdp, 20)
		}
	}
	if len(root) < 20 || string(root[:8]) != "RSD PTR " {
		return ErrNoRSDP
	}
	if sum(root[:20]) != 0 {
		return ErrChecksum
	}
	// 5.2.5.3: the extended pointer counts if its own checksum is right.
	t.Revision = root[15]
	if t.Revision >= 2 && len(root) >= 36 && sum(root[:36]) == 0 && le64(root, 24) != 0 {
		if x := t.load(le64(root, 24)); x != nil && string(x[:4]) == "XSDT" {
			for o := headerSize; o+8 <= len(x); o += 8 {
				t.add(le64(x, o))
			}
			return nil
		}
	}
	x := t.load(uint64(le32(root, 16)))
	if x == nil || string(x[:4]) != "RSDT" {
		return ErrNoRSDP
	}
	for o := headerSize; o+4 <= len(x); o += 4 {
		t.add(uint64(le32(x, o)))
	}
	return nil
}

// searchRSDP looks for the root pointer in the BIOS's read-only memory and in
// the first KiB of the extended BIOS data area (5.2.5.1).
func searchRSDP(m Memory) uint64 {
	ebda := uint64(0)
	if p := m.Bytes(0x40e, 2); p != nil {
		ebda = uint64(le16(p, 0)) << 4
	}
	for _, area := range [...][2]uint64{{ebda, 1024}, {0xe0000, 0x20000}} {
		if area[0] == 0 {
			continue
		}
		p := m.Bytes(area[0], area[1])
		for o := 0; o+20 <= len(p); o += 16 {
			if string(p[o:o+8]) == "RSD PTR " && sum(p[o:o+20]) == 0 {
				return area[0] + uint64(o)
			}
		}
	}
	return 0
}

func (t *Tables) add(addr uint64) {
	if addr == 0 {
		return
	}
	p := t.load(addr)
	if p == nil {
		return
	}
	if t.n == maxTables {
		t.problem([4]byte(p[:4]), addr, "too many tables")
		return
	}
	t.list[t.n] = p
	t.n++
}

// load returns the whole table at a physical address, checked, or nil.
func (t *Tables) load(addr uint64) []byte {
	h := t.mem.Bytes(addr, headerSize)
	if h == nil {
		t.problem([4]byte{'?', '?', '?', '?'}, addr, ErrUnread)
		return nil
	}
	sig := [4]byte(h[:4])
	n := uint64(le32(h, 4))
	if n < headerSize || n > maxTable {
		t.problem(sig, addr, ErrLength)
		return nil
	}
	p := t.mem.Bytes(addr, n)
	if p == nil {
		t.problem(sig, addr, ErrUnread)
		return nil
	}
	if sum(p) != 0 {
		t.problem(sig, addr, ErrChecksum)
		return nil
	}
	return p
}

// Find returns the first table with the given signature, or nil. The table is
// as long as its header says, and at least a header.
func (t *Tables) Find(signature string) []byte {
	for _, p := range t.list[:t.n] {
		if string(p[:4]) == signature {
			return p
		}
	}
	return nil
}

// Each calls f for each table, in the firmware's order.
func (t *Tables) Each(f func(table []byte)) {
	for _, p := range t.list[:t.n] {
		f(p)
	}
}

// sum adds up bytes; a good table's sum is 0.
func sum(p []byte) (s byte) {
	for _, c := range p {
		s += c
	}
	return s
}

func le16(p []byte, o int) uint16 { return uint16(p[o]) | uint16(p[o+1])<<8 }
func le32(p []byte, o int) uint32 { return uint32(le16(p, o)) | uint32(le16(p, o+2))<<16 }
func le64(p []byte, o int) uint64 { return uint64(le32(p, o)) | uint64(le32(p, o+4))<<32 }
