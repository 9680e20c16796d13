package symtab

import "unsafe"

// Table is a program's table of functions and lines.
type Table struct {
	Data []byte  // from runtime.pclntab up to runtime.epclntab
	Text uintptr // where the program's code begins, runtime.text
}

// The header: a magic number, two zeros, the smallest instruction, the size of a
// pointer, then words.
const (
	magic120 = 0xfffffff1

	headerFuncs = 8  // how many functions there are
	headerNames = 32 // offsets from the header: the names,
	headerUnits = 40 // the files of each compilation unit,
	headerFiles = 48 // the names of files,
	headerPC    = 56 // values by address,
	headerTable = 64 // and the functions
	headerSize  = 72
)

// Fields of a function's entry, four bytes each.
const (
	funcEntry = 0
	funcName  = 4
	funcFile  = 20
	funcLine  = 24
	funcUnit  = 32
)

// Position is where an address is in the source.
type Position struct {
	Func, File string
	Line       int
}

// Find returns the position of the instruction at pc. What the table does not
// tell is empty; ok is false if it knows no function there. Where a function has
// been inlined, Func is the one that it was inlined into.
func (t *Table) Find(pc uintptr) (p Position, ok bool) {
	if t.u32(0) != magic120 || len(t.Data) < headerSize || t.Data[7] != 8 || pc < t.Text || pc-t.Text > 1<<31 {
		return p, false
	}
	at := uint32(pc - t.Text)
	table := t.u64(headerTable)
	// Pairs of the offset of the code and that of the entry, in order; after
	// the last function its end.
	low, high := uint64(0), t.u64(headerFuncs)
	if high > uint64(len(t.Data))/8 {
		return p, false
	}
	for low < high {
		if m := (low + high) / 2; t.u32(table+8*m) <= at {
			low = m + 1
		} else {
			high = m
		}
	}
	if low == 0 || at >= t.u32(table+8*low) {
		return p, false
	}
	f := table + uint64(t.u32(table+8*(low-1)+4))
	p.Func = t.text(t.u64(headerNames) + uint64(t.u32(f+funcName)))
	start := t.u32(f + funcEntry)
	if line := t.value(t.u32(f+funcLine), start, at); line > 0 {
		p.Line = int(line)
	}
	if file := t.value(t.u32(f+funcFile), start, at); file >= 0 {
		name := t.u32(t.u64(headerUnits) + 4*(uint64(t.u32(f+funcUnit))+uint64(file)))
		if name != ^uint32(0) {
			p.File = t.text(t.u64(headerFiles) + uint64(name))
		}
	}
	return p, p.Func != ""
}

// value returns what a list says of the code at at: pairs of a change of the
// value and of the address up to which it holds, from start on. -1: nothing.
func (t *Table) value(list, start, at uint32) int32 {
	if list == 0 {
		return -1
	}
	p := t.u64(headerPC) + uint64(list)
	v, pc := int32(-1), start
	for first := true; ; first = false {
		change, n := t.varint(p)
		if n == 0 || change == 0 && !first {
			return -1
		}
		p += n
		step, n := t.varint(p)
		if n == 0 {
			return -1
		}
		p += n
		if change&1 != 0 {
			v += int32(^(change >> 1))
		} else {
			v += int32(change >> 1)
		}
		pc += step * uint32(t.Data[6]) // the smallest instruction
		if at < pc {
			return v
		}
	}
}

// varint reads a number of seven bits a byte and returns its length; 0: there is
// none.
func (t *Table) varint(at uint64) (v uint32, n uint64) {
	for shift := 0; shift < 35; shift += 7 {
		if at+n < at || at+n >= uint64(len(t.Data)) {
			return 0, 0
		}
		b := t.Data[at+n]
		n++
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return v, n
		}
	}
	return 0, 0
}

func (t *Table) u32(at uint64) uint32 {
	if uint64(len(t.Data)) < 4 || at > uint64(len(t.Data))-4 {
		return 0
	}
	d := t.Data[at : at+4]
	return uint32(d[0]) | uint32(d[1])<<8 | uint32(d[2])<<16 | uint32(d[3])<<24
}

func (t *Table) u64(at uint64) uint64 {
	if at > 1<<62 {
		return 0
	}
	return uint64(t.u32(at)) | uint64(t.u32(at+4))<<32
}

// text returns the string at at, which ends with a zero.
func (t *Table) text(at uint64) string {
	if at >= uint64(len(t.Data)) {
		return ""
	}
	d := t.Data[at:]
	for n := range d {
		if d[n] == 0 {
			return unsafe.String(&d[0], n)
		}
	}
	return ""
}
