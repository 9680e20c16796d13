package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"tamarix/boot/info"
)

// linked makes an ELF file as the linker leaves it: text and data, and the
// symbols that the stub needs, but for the one named missing.
func linked(base uint64, missing string) []byte {
	le := binary.LittleEndian
	var strs bytes.Buffer
	strs.WriteByte(0)
	syms := make([]byte, 24)
	for i, name := range []string{"cpuinit", "main.bootRegisters", "main.lowMemory"} {
		if name == missing {
			continue
		}
		s := make([]byte, 24)
		le.PutUint32(s, uint32(strs.Len()))
		s[4], s[6] = 0x11, 1
		le.PutUint64(s[8:], base+0x1000+uint64(i)*0x100)
		syms = append(syms, s...)
		strs.WriteString(name + "\x00")
	}
	f := make([]byte, 0x3000)
	copy(f, "\x7fELF\x02\x01\x01")
	le.PutUint16(f[16:], 2)
	le.PutUint16(f[18:], 62)
	le.PutUint32(f[20:], 1)
	le.PutUint64(f[24:], base+0x1000)
	le.PutUint64(f[32:], 64)
	le.PutUint16(f[52:], 64)
	le.PutUint16(f[54:], 56)
	le.PutUint16(f[56:], 2)
	le.PutUint16(f[58:], 64)
	le.PutUint16(f[60:], 4)
	prog := func(i int, flags elf.ProgFlag, off, filesz, memsz uint64) {
		var b bytes.Buffer
		binary.Write(&b, le, elf.Prog64{Type: 1, Flags: uint32(flags), Off: off, Vaddr: base + off, Paddr: base + off, Filesz: filesz, Memsz: memsz, Align: 4096})
		copy(f[64+56*i:], b.Bytes())
	}
	prog(0, elf.PF_R|elf.PF_X, 0, 0x2000, 0x2000)
	prog(1, elf.PF_R|elf.PF_W, 0x2000, 0x1000, 0x5000)
	names := "\x00.text\x00.symtab\x00.strtab\x00"
	symAt := len(f)
	f = append(f, syms...)
	strAt := len(f)
	f = append(f, strs.Bytes()...)
	nameAt := len(f)
	f = append(f, names...)
	for len(f)%8 != 0 {
		f = append(f, 0)
	}
	le.PutUint64(f[40:], uint64(len(f)))
	le.PutUint16(f[62:], 3)
	var b bytes.Buffer
	for _, s := range []elf.Section64{
		{},
		{Name: 1, Type: 1, Addr: base + 0x1000, Off: 0x1000, Size: 0x1000},
		{Name: 7, Type: 2, Off: uint64(symAt), Size: uint64(len(syms)), Link: 3, Entsize: 24},
		{Name: 15, Type: 3, Off: uint64(strAt), Size: uint64(nameAt + len(names) - strAt)},
	} {
		binary.Write(&b, le, s)
	}
	le.PutUint16(f[62:], 3)
	return append(f, b.Bytes()...)
}

func TestConvert(t *testing.T) {
	image, err := convert(linked(info.ImageBase, ""))
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	if f.Entry < info.ImageBase || f.Entry >= info.TextBase {
		t.Errorf("entry %#x is not in the first page", f.Entry)
	}
	var note []byte
	for _, p := range f.Progs {
		if p.Paddr != p.Vaddr-info.DirectMap {
			t.Errorf("segment at %#x has physical address %#x", p.Vaddr, p.Paddr)
		}
		if p.Type == elf.PT_NOTE {
			note = make([]byte, p.Filesz)
			p.ReadAt(note, 0)
		}
	}
	if len(note) != 24 || note[8] != noteXen || binary.LittleEndian.Uint64(note[16:]) != f.Entry-info.DirectMap {
		t.Errorf("PVH note % x", note)
	}
	head := image[:min(len(image), 32<<10)]
	at := bytes.Index(head, []byte{0xd6, 0x50, 0x52, 0xe8})
	if at < 0 || at%8 != 0 {
		t.Fatalf("Multiboot2 header at %d", at)
	}
	sum := uint32(0)
	for i := range 4 {
		sum += binary.LittleEndian.Uint32(image[at+4*i:])
	}
	if sum != 0 {
		t.Error("the Multiboot2 header's checksum is wrong")
	}
	if len(image) != 0x3000 {
		t.Errorf("%d bytes: symbols were kept", len(image))
	}
}

func TestWrongInputIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"no ELF file", make([]byte, 100), "bad magic"},
		{"wrong base", linked(0x400000, ""), "is not where the kernel belongs"},
		{"no stub memory", linked(info.ImageBase, "main.lowMemory"), "no symbol main.lowMemory"},
	} {
		if _, err := convert(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestStubJumps checks that the short jumps of the stub lead to the beginning
// of an instruction, which the comments of makeStub promise.
func TestStubJumps(t *testing.T) {
	code := makeStub(stubAddresses{cpuinit: 0x1111111, registers: 0x2222220, lowMemory: 0x3333330})
	if !bytes.HasSuffix(code, []byte{0xb8, 0x11, 0x11, 0x11, 0x01, 0xff, 0xe0}) {
		t.Errorf("the end is not a jump to cpuinit: % x", code)
	}
	done := bytes.Index(code, []byte{0x31, 0xc0, 0x0f, 0x22, 0xe0})
	mmio := bytes.Index(code, []byte{0x25, 0x00, 0xf0, 0xff, 0xff})
	for _, j := range []struct{ at, to int }{
		{bytes.Index(code, []byte{0xa9, 0, 8, 0, 0}) + 5, done},
		{bytes.Index(code, []byte{0xa9, 0, 4, 0, 0}) + 5, mmio},
		{bytes.IndexByte(code, 0xeb), done},
	} {
		if got := j.at + 2 + int(int8(code[j.at+1])); got != j.to {
			t.Errorf("jump at %d goes to %d, want %d", j.at, got, j.to)
		}
	}
}
