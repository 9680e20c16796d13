package symtab

import (
	"debug/elf"
	"debug/gosym"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"testing"
)

// own returns the test program's own table, and the same for debug/gosym.
func own(t testing.TB) (*Table, *gosym.Table) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(name)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	text, section := f.Section(".text"), f.Section(".gopclntab")
	if text == nil || section == nil {
		t.Skip("the program has no such sections")
	}
	data, err := section.Data()
	if err != nil {
		t.Fatal(err)
	}
	g, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err != nil {
		t.Fatal(err)
	}
	return &Table{Data: data, Text: uintptr(text.Addr)}, g
}

func TestFindAgreesWithGosym(t *testing.T) {
	table, g := own(t)
	r := rand.New(rand.NewPCG(1, 1))
	if len(g.Funcs) < 1000 {
		t.Fatalf("only %d functions", len(g.Funcs))
	}
	for i := range g.Funcs {
		f := &g.Funcs[i]
		if f.End <= f.Entry {
			continue
		}
		for _, pc := range []uint64{f.Entry, f.End - 1, f.Entry + r.Uint64N(f.End-f.Entry)} {
			file, line, _ := g.PCToLine(pc)
			p, ok := table.Find(uintptr(pc))
			if !ok || p.Func != f.Name || p.File != file || p.Line != max(line, 0) {
				t.Fatalf("%#x: %+v, %v; want %s %s:%d", pc, p, ok, f.Name, file, line)
			}
		}
	}
	for _, pc := range []uintptr{0, table.Text - 1, table.Text + 1<<30, ^uintptr(0)} {
		if p, ok := table.Find(pc); ok {
			t.Errorf("%#x is in %+v", pc, p)
		}
	}
	if n := testing.AllocsPerRun(10, func() { table.Find(uintptr(g.Funcs[100].Entry)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzFind: a table that has been overwritten tells nonsense, and no more.
func FuzzFind(f *testing.F) {
	table, g := own(f)
	fn := g.LookupFunc("tamarix/arch/symtab.(*Table).Find")
	if fn == nil {
		f.Fatal("no such function")
	}
	f.Add(uint32(headerFuncs), uint64(1<<63), uint64(0))
	f.Add(uint32(headerTable), ^uint64(0), uint64(8))
	f.Add(uint32(headerPC), uint64(len(table.Data)-1), uint64(16))
	data := append([]byte(nil), table.Data...)
	f.Fuzz(func(t *testing.T, at uint32, v, offset uint64) {
		at %= uint32(len(data) - 8)
		var old [8]byte
		copy(old[:], data[at:])
		binary.LittleEndian.PutUint64(data[at:], v)
		damaged := Table{Data: data[:len(data)-int(offset%64)], Text: table.Text}
		for _, pc := range []uintptr{uintptr(fn.Entry), uintptr(fn.Entry + offset%(fn.End-fn.Entry)), table.Text + uintptr(offset)} {
			if p, ok := damaged.Find(pc); ok && p.Func == "" || p.Line < 0 {
				t.Errorf("%#x: %+v", pc, p)
			}
		}
		copy(data[at:], old[:])
	})
}
