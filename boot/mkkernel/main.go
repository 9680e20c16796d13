package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"tamarix/boot/info"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: mkkernel IN OUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "mkkernel:", err)
		os.Exit(1)
	}
}

func run(in, out string) error {
	file, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	image, err := convert(file)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	return os.WriteFile(out, image, 0o755)
}

const (
	ehdrSize = 64 // Elf64_Ehdr
	phdrSize = 56 // Elf64_Phdr
	pageSize = 4096
)

// convert returns the bootable image made of a linked kernel.
func convert(file []byte) ([]byte, error) {
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	symbols, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	physical := func(name string) (uint32, error) {
		for _, s := range symbols {
			if s.Name == name {
				return uint32(s.Value - info.DirectMap), nil
			}
		}
		return 0, fmt.Errorf("no symbol %s", name)
	}
	var at stubAddresses
	for name, p := range map[string]*uint32{
		"cpuinit":            &at.cpuinit,
		"main.bootRegisters": &at.registers,
		"main.lowMemory":     &at.lowMemory,
	} {
		if *p, err = physical(name); err != nil {
			return nil, err
		}
	}

	var loads []elf.Prog64
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Vaddr < info.ImageBase || p.Vaddr+p.Memsz > info.DirectMap+1<<32 {
			return nil, fmt.Errorf("segment at %#x is not where the kernel belongs", p.Vaddr)
		}
		loads = append(loads, elf.Prog64{
			Type: uint32(p.Type), Flags: uint32(p.Flags), Off: p.Off,
			Vaddr: p.Vaddr, Paddr: p.Vaddr - info.DirectMap,
			Filesz: p.Filesz, Memsz: p.Memsz, Align: pageSize,
		})
	}
	if len(loads) == 0 || loads[0].Vaddr != info.ImageBase || loads[0].Off != 0 {
		return nil, errors.New("the first segment does not begin with the ELF header at the image's base")
	}
	trimBSS(&loads[len(loads)-1], symbols)

	// The first page: ELF header, program headers, note, Multiboot2 header,
	// stub. The linker left it nearly empty.
	page := bytes.Clone(file[:ehdrSize])
	noteAt := align(ehdrSize+phdrSize*(len(loads)+1), 8)
	base := uint64(info.ImageBase - info.DirectMap)
	note := func(entry uint64) []byte {
		b := binary.LittleEndian.AppendUint32(nil, 4)    // name size
		b = binary.LittleEndian.AppendUint32(b, 8)       // value size
		b = binary.LittleEndian.AppendUint32(b, noteXen) // type
		b = append(b, "Xen\x00"...)
		return binary.LittleEndian.AppendUint64(b, entry)
	}
	headerAt := align(noteAt+len(note(0)), 8)
	header := multiboot2Header()
	stubAt := align(headerAt+len(header), 16)
	stub := makeStub(at)
	end := stubAt + len(stub)
	if room := sectionStart(f); end > room {
		return nil, fmt.Errorf("first page full: %d bytes of %d", end, room)
	}

	headers := append(loads, elf.Prog64{
		Type: uint32(elf.PT_NOTE), Flags: uint32(elf.PF_R), Off: uint64(noteAt),
		Vaddr: info.ImageBase + uint64(noteAt), Paddr: base + uint64(noteAt),
		Filesz: uint64(len(note(0))), Memsz: uint64(len(note(0))), Align: 4,
	})
	var h bytes.Buffer
	for _, p := range headers {
		binary.Write(&h, binary.LittleEndian, p)
	}
	put := func(off int, b []byte) {
		page = append(page, make([]byte, off-len(page))...)
		page = append(page, b...)
	}
	put(ehdrSize, h.Bytes())
	put(noteAt, note(base+uint64(stubAt)))
	put(headerAt, header)
	put(stubAt, stub)

	// GRUB wants a virtual entry point; PVH takes the physical one of the note.
	binary.LittleEndian.PutUint64(page[24:], info.ImageBase+uint64(stubAt)) // e_entry
	binary.LittleEndian.PutUint64(page[32:], ehdrSize)                      // e_phoff
	binary.LittleEndian.PutUint64(page[40:], 0)                             // e_shoff
	binary.LittleEndian.PutUint16(page[56:], uint16(len(headers)))          // e_phnum
	for off := 58; off < 64; off += 2 {                                     // e_shentsize, e_shnum, e_shstrndx
		binary.LittleEndian.PutUint16(page[off:], 0)
	}

	size := uint64(0)
	for _, p := range loads {
		size = max(size, p.Off+p.Filesz)
	}
	image := bytes.Clone(file[:size])
	copy(image, make([]byte, sectionStart(f)))
	copy(image, page)
	return image, nil
}

// noteXen is the note type that carries the PVH entry point, XEN_ELFNOTE_PHYS32_ENTRY
// in xen/interface/elfnote.h.
const noteXen = 18

// fipsMemory is 32 MiB of BSS that only the FIPS mode of Go's cryptography
// touches, and comes with any import of crypto.
const fipsMemory = "crypto/internal/fips140/drbg.memory"

// trimBSS cuts fipsMemory off the last segment if it is that segment's end.
func trimBSS(p *elf.Prog64, symbols []elf.Symbol) {
	for _, s := range symbols {
		if s.Name == fipsMemory && s.Value > p.Vaddr+p.Filesz && p.Vaddr+p.Memsz-(s.Value+s.Size) < pageSize {
			p.Memsz = s.Value - p.Vaddr
		}
	}
}

// sectionStart returns the file offset where the first section's contents begin.
func sectionStart(f *elf.File) int {
	start := uint64(pageSize)
	for _, s := range f.Sections {
		if s.Type != elf.SHT_NULL && s.Type != elf.SHT_NOBITS {
			start = min(start, s.Offset)
		}
	}
	return int(start)
}

func align(n, to int) int { return (n + to - 1) / to * to }

// multiboot2Header returns the header that GRUB searches for in the first
// 32 KiB (Multiboot2 specification 2.0, section 3.1).
func multiboot2Header() []byte {
	const magic = 0xe85250d6
	var tags []byte
	tag := func(kind, flags uint16, body ...uint32) {
		tags = binary.LittleEndian.AppendUint16(tags, kind)
		tags = binary.LittleEndian.AppendUint16(tags, flags)
		tags = binary.LittleEndian.AppendUint32(tags, uint32(8+4*len(body)))
		for _, v := range body {
			tags = binary.LittleEndian.AppendUint32(tags, v)
		}
		tags = append(tags, make([]byte, align(len(tags), 8)-len(tags))...)
	}
	tag(4, 1, 2)        // console flags, optional: text mode will do
	tag(5, 1, 0, 0, 32) // framebuffer, optional: any size, 32 bits per pixel
	tag(6, 0)           // modules page-aligned
	tag(0, 0)           // end
	size := uint32(16 + len(tags))
	var b []byte
	for _, v := range []uint32{magic, 0 /* i386 */, size, -(magic + size)} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, tags...)
}
