package memtest

import (
	"encoding/binary"
	"slices"
	"testing"

	"tamarix/boot/info"
)

// flaky is memory from address 0 on with faults that show once the caches have
// been written back.
type flaky struct {
	words []uint64
	stuck map[uint64]uint64 // address of a word: bits that are always set
	alias uint64            // an address line that does not count; 0: none

	passes, steps, flushes int
	bad                    []info.Range
}

func (f *flaky) Words(start, end uint64) []uint64 { return f.words[start/8 : end/8] }
func (f *flaky) Pass(i, n int, p Pattern)         { f.passes++ }
func (f *flaky) Step()                            { f.steps++ }
func (f *flaky) Bad(start, end uint64)            { f.bad = append(f.bad, info.Range{Start: start, End: end}) }

func (f *flaky) Flush() {
	f.flushes++
	for a, bits := range f.stuck {
		f.words[a/8] |= bits
	}
	if f.alias != 0 {
		for i := range f.words {
			if a := uint64(i) * 8; a&f.alias == 0 {
				f.words[i] = f.words[(a|f.alias)/8]
			}
		}
	}
}

// machine makes a memory map of 4 MiB, with a hole, and memory for it.
func machine(t *testing.T, command string) (*info.Boot, *flaky) {
	t.Helper()
	le := binary.LittleEndian
	m := make(memory, 8)
	tag := func(kind uint32, body []byte) {
		m = le.AppendUint32(le.AppendUint32(m, kind), uint32(8+len(body)))
		m = append(m, body...)
		for len(m)%8 != 0 {
			m = append(m, 0)
		}
	}
	tag(1, append([]byte(command), 0))
	regions := le.AppendUint32(le.AppendUint32(nil, 24), 0)
	for _, r := range [][3]uint64{{0, 1 << 20, 1}, {1 << 20, 1 << 20, 2}, {2 << 20, 2 << 20, 1}} {
		for _, v := range r {
			regions = le.AppendUint64(regions, v)
		}
	}
	tag(6, regions)
	tag(0, nil)
	le.PutUint32(m, uint32(len(m)))
	b := new(info.Boot)
	if err := info.Parse(b, 0x36d76289, 0, m); err != nil {
		t.Fatal(err)
	}
	b.Reserve(0, 64<<10)
	return b, &flaky{words: make([]uint64, 4<<20/8)}
}

type memory []byte

func (m memory) Bytes(addr, n uint64) []byte {
	if addr > uint64(len(m)) || n > uint64(len(m))-addr {
		return nil
	}
	return m[addr : addr+n]
}

func TestGoodMemory(t *testing.T) {
	b, f := machine(t, "")
	f.words[0], f.words[(1<<20)/8] = 1234, 5678 // not free: left alone
	before := b.UsableSize()
	r := Run(b, f, 20)
	if r != (Result{20, 3<<20 - 64<<10, 0}) || len(f.bad) != 0 || b.UsableSize() != before {
		t.Errorf("%+v, bad %x", r, f.bad)
	}
	if f.passes != 20 || f.flushes != 20 || f.steps != 200 {
		t.Errorf("%d passes, %d flushes, %d steps", f.passes, f.flushes, f.steps)
	}
	if f.words[0] != 1234 || f.words[(1<<20)/8] != 5678 {
		t.Error("memory was written that is not free")
	}
}

// TestBadBits: pages with a bit that does not change are left out, and nothing
// else, whichever way the bit is stuck.
func TestBadBits(t *testing.T) {
	b, f := machine(t, "")
	f.stuck = map[uint64]uint64{
		0x10008:             1,       // the first free page
		0x280ff8:            1 << 63, // three near each other
		0x281000:            1 << 62,
		0x283000:            1,
		0x3fffff8 >> 4 &^ 7: 1 << 40,
	}
	r := Run(b, f, 2)
	want := []info.Range{{Start: 0x10000, End: 0x11000}, {Start: 0x280000, End: 0x284000}, {Start: 0x3ff000, End: 0x400000}}
	var got []info.Range
	for _, m := range b.Memory() {
		if m.Kind == info.Bad {
			got = append(got, m.Range)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("bad %x, want %x", got, want)
	}
	if r.Bad != 6*info.PageSize {
		t.Errorf("%d bytes bad", r.Bad)
	}
	for after := uint64(0); ; {
		s, e, ok := b.NextFree(after)
		if !ok {
			break
		}
		for a := range f.stuck {
			if s <= a && a < e {
				t.Errorf("%#x is free", a)
			}
		}
		after = e
	}
}

// TestAddressLine: two addresses that are one memory are found by the patterns
// that depend on the address.
func TestAddressLine(t *testing.T) {
	b, f := machine(t, "")
	f.alias = 1 << 15
	if r := Run(b, f, 4); r.Bad == 0 {
		t.Error("not found")
	}
}

// TestAllBad: memory that keeps nothing at all leaves nothing.
func TestAllBad(t *testing.T) {
	b, f := machine(t, "")
	f.stuck = map[uint64]uint64{}
	for a := uint64(0); a < 4<<20; a += info.PageSize {
		f.stuck[a] = 2
	}
	Run(b, f, 4)
	if s, e, ok := b.NextFree(0); ok {
		t.Errorf("%#x-%#x is free", s, e)
	}
}

func TestPasses(t *testing.T) {
	for _, c := range []struct {
		line string
		n    int
		ok   bool
	}{
		{"quiet", 0, true}, {"memtest=0", 0, true}, {"memtest=3", 3, true}, {"memtest", len(Patterns), true},
		{"memtest=x", 0, false}, {"memtest=-1", 0, false}, {"memtest=99999999999999999999", 0, false}, {"memtest=20000", maxPasses, true},
	} {
		b, _ := machine(t, c.line)
		if n, ok := Passes(b); n != c.n || ok != c.ok {
			t.Errorf("%q: %d, %v, want %d, %v", c.line, n, ok, c.n, c.ok)
		}
	}
}

// FuzzFaults: wherever the faults are, the pages with them are not free
// afterwards and the test comes to an end.
func FuzzFaults(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 255, 255}, uint8(2))
	f.Add([]byte{0, 16, 0, 17, 0, 48}, uint8(3))
	f.Fuzz(func(t *testing.T, where []byte, passes uint8) {
		b, m := machine(t, "")
		m.stuck = map[uint64]uint64{}
		for ; len(where) >= 2; where = where[2:] {
			m.stuck[uint64(binary.LittleEndian.Uint16(where))*64%(4<<20)] = 1
		}
		n := int(passes%3) + 2 // both of the first patterns: the bit is clear in one
		free := func(a uint64) bool {
			s, e, ok := b.NextFree(a &^ (info.PageSize - 1))
			return ok && s <= a && a < e
		}
		Run(b, m, n)
		for a := range m.stuck {
			if free(a) {
				t.Fatalf("%#x is free", a)
			}
		}
	})
}
