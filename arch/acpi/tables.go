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
	ErrNoRoot   Error = "neither a good XSDT nor a good RSDT"
	ErrChecksum Error = "bad checksum"
	ErrLength   Error = "bad length"
	ErrUnread   Error = "lies outside readable memory"
	ErrKind     Error = "not the table that belongs here"
	ErrTwice    Error = "is listed twice"
	ErrOverlap  Error = "overlaps another table"
	ErrSecond   Error = "is the second of its kind"
	ErrTooMany  Error = "too many tables"
	ErrContent  Error = "its content makes no sense"
)

// Problem is a table that was left out, and why.
type Problem struct {
	Signature [4]byte
	Address   uint64 // physical; 0 where that is not known
	Reason    Error
}

const (
	maxTables   = 64
	maxEntries  = 128 // of an XSDT, good or bad
	maxProblems = 32
	maxTable    = 8 << 20 // no table is larger
	headerSize  = 36      // 5.2.6: the header that all tables share
)

// Tables is the list of a machine's ACPI tables. The zero value is a machine
// without ACPI.
type Tables struct {
	Revision uint8 // of the root pointer: 0 for ACPI 1.0, else 2
	Dropped  int   // problems that found no room

	mem               Memory
	rootAddr, rootLen uint64 // the XSDT or RSDT
	list              [maxTables]listed
	n                 int
	problems          [maxProblems]Problem
	nProblems         int
}

type listed struct {
	addr  uint64
	table []byte
}

// Problems returns the tables that had to be left out.
func (t *Tables) Problems() []Problem { return t.problems[:t.nProblems] }

func (t *Tables) problem(sig [4]byte, addr uint64, why Error) {
	p := Problem{sig, addr, why}
	for _, have := range t.Problems() {
		if have == p {
			return
		}
	}
	if t.nProblems == maxProblems {
		t.Dropped++
		return
	}
	t.problems[t.nProblems] = p
	t.nProblems++
}

// Refuse notes that the content of a table is of no use.
func (t *Tables) Refuse(table []byte) {
	if len(table) < headerSize {
		return
	}
	for _, l := range t.list[:t.n] {
		if &l.table[0] == &table[0] {
			t.problem([4]byte(table[:4]), l.addr, ErrContent)
		}
	}
}

// single are the tables of which a machine has one: the first one counts.
var single = [...]string{"APIC", "FACP", "MCFG", "DSDT", "FACS"}

// add takes the table at addr into the list, unless something is wrong with it.
func (t *Tables) add(addr uint64) {
	if addr == 0 {
		return
	}
	unknown := [4]byte{'?', '?', '?', '?'}
	if addr == t.rootAddr {
		t.problem(unknown, addr, ErrTwice)
		return
	}
	for _, l := range t.list[:t.n] {
		if l.addr == addr {
			t.problem([4]byte(l.table[:4]), addr, ErrTwice)
			return
		}
	}
	p := t.load(addr)
	if p == nil {
		return
	}
	sig := [4]byte(p[:4])
	if t.overlaps(addr, uint64(len(p))) {
		t.problem(sig, addr, ErrOverlap)
		return
	}
	for _, s := range single {
		if s == string(p[:4]) && t.Find(s) != nil {
			t.problem(sig, addr, ErrSecond)
			return
		}
	}
	if t.n == maxTables {
		t.problem(sig, addr, ErrTooMany)
		return
	}
	t.list[t.n] = listed{addr, p}
	t.n++
}

func (t *Tables) overlaps(addr, n uint64) bool {
	if addr < t.rootAddr+t.rootLen && t.rootAddr < addr+n {
		return true
	}
	for _, l := range t.list[:t.n] {
		if addr < l.addr+uint64(len(l.table)) && l.addr < addr+n {
			return true
		}
	}
	return false
}

// load returns the whole table at a physical address, checked, or nil.
func (t *Tables) load(addr uint64) []byte {
	h := t.mem.Bytes(addr, headerSize)
	if len(h) < headerSize {
		t.problem([4]byte{'?', '?', '?', '?'}, addr, ErrUnread)
		return nil
	}
	sig := [4]byte(h[:4])
	n := uint64(le32(h, 4))
	if n < headerSize || n > maxTable || addr+n < addr {
		t.problem(sig, addr, ErrLength)
		return nil
	}
	p := t.mem.Bytes(addr, n)
	if uint64(len(p)) < n {
		t.problem(sig, addr, ErrUnread)
		return nil
	}
	if sum(p) != 0 {
		t.problem(sig, addr, ErrChecksum)
		return nil
	}
	return p
}

// Table returns the table at a physical address, for those that no list holds,
// but the FADT: DSDT and FACS. nil if it is not good, or has another signature.
func (t *Tables) Table(addr uint64, signature string) []byte {
	if t.mem == nil || addr == 0 {
		return nil
	}
	if signature == "FACS" { // 5.2.10: it has no checksum
		h := t.mem.Bytes(addr, headerSize)
		if len(h) < headerSize || string(h[:4]) != signature || le32(h, 4) < headerSize || le32(h, 4) > 1<<12 {
			return nil
		}
		return t.mem.Bytes(addr, uint64(le32(h, 4)))
	}
	p := t.load(addr)
	if p != nil && string(p[:4]) != signature {
		t.problem([4]byte(p[:4]), addr, ErrKind)
		return nil
	}
	return p
}

// Find returns the first table with the given signature, or nil. The table is
// as long as its header says, and at least a header.
func (t *Tables) Find(signature string) []byte {
	for _, l := range t.list[:t.n] {
		if string(l.table[:4]) == signature {
			return l.table
		}
	}
	return nil
}

// Each calls f for each table, in the firmware's order.
func (t *Tables) Each(f func(table []byte)) {
	for _, l := range t.list[:t.n] {
		f(l.table)
	}
}

// Address returns the physical address of a table that Find or Each gave, or 0.
func (t *Tables) Address(table []byte) uint64 {
	for _, l := range t.list[:t.n] {
		if len(table) > 0 && &l.table[0] == &table[0] {
			return l.addr
		}
	}
	return 0
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
