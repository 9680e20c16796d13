package proc

import (
	"encoding/binary"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// sampleELF returns headers of a small position-independent program: two
// segments and an interpreter.
func sampleELF() (head, progs []byte) {
	le := binary.LittleEndian
	h := make([]byte, elfHeaderSize)
	copy(h, "\x7fELF\x02\x01\x01")
	le.PutUint16(h[16:], 3)  // ET_DYN
	le.PutUint16(h[18:], 62) // EM_X86_64
	le.PutUint64(h[24:], 0x1000)
	le.PutUint64(h[32:], 64)
	le.PutUint16(h[54:], elfProgSize)
	le.PutUint16(h[56:], 3)
	add := func(kind, flags uint32, off, addr, fileLen, memLen uint64) {
		p := make([]byte, elfProgSize)
		le.PutUint32(p, kind)
		le.PutUint32(p[4:], flags)
		le.PutUint64(p[8:], off)
		le.PutUint64(p[16:], addr)
		le.PutUint64(p[32:], fileLen)
		le.PutUint64(p[40:], memLen)
		progs = append(progs, p...)
	}
	add(3, 4, 0x200, 0x200, 20, 20)             // PT_INTERP
	add(1, 5, 0, 0, 0x1800, 0x1800)             // PT_LOAD, text
	add(1, 6, 0x1800, 0x2800, 0x100, 0x100+100) // PT_LOAD, data and bss
	return h, progs
}

func TestParseELF(t *testing.T) {
	h, p := sampleELF()
	m, err := parseELF(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.parsePrograms(p, 0x2000); err != nil {
		t.Fatal(err)
	}
	if !m.Dynamic || m.Entry != 0x1000 || len(m.Segments) != 2 || m.Low != 0 || m.High != 0x3000 ||
		m.PhdrAddr != 64 || m.InterpOff != 0x200 || m.InterpLen != 20 {
		t.Errorf("got %+v", m)
	}
	if s := m.Segments[1]; s.Prot != unix.PROT_READ|unix.PROT_WRITE || s.FileLen != 0x100 || s.MemLen != 0x164 {
		t.Errorf("data segment: %+v", s)
	}
}

func TestHostileELF(t *testing.T) {
	le := binary.LittleEndian
	tests := []struct {
		name string
		edit func(h, p []byte)
	}{
		{"magic", func(h, p []byte) { h[0] = 'X' }},
		{"32 bits", func(h, p []byte) { h[4] = 1 }},
		{"big endian", func(h, p []byte) { h[5] = 2 }},
		{"relocatable", func(h, p []byte) { le.PutUint16(h[16:], 1) }},
		{"other machine", func(h, p []byte) { le.PutUint16(h[18:], 183) }},
		{"program header size", func(h, p []byte) { le.PutUint16(h[54:], 32) }},
		{"no program headers", func(h, p []byte) { le.PutUint16(h[56:], 0) }},
		{"too many program headers", func(h, p []byte) { le.PutUint16(h[56:], 65535) }},
		{"headers beyond all", func(h, p []byte) { le.PutUint64(h[32:], 1<<63) }},
		{"interpreter beyond end of file", func(h, p []byte) { le.PutUint64(p[8:], 1<<40) }},
		{"interpreter too long", func(h, p []byte) { le.PutUint64(p[32:], 1<<20) }},
		{"interpreter empty", func(h, p []byte) { le.PutUint64(p[32:], 1) }},
		{"file length above memory length", func(h, p []byte) { le.PutUint64(p[56+40:], 1) }},
		{"offset absurd", func(h, p []byte) { le.PutUint64(p[56+8:], 1<<63) }},
		{"length wraps", func(h, p []byte) { le.PutUint64(p[56+32:], ^uint64(0)); le.PutUint64(p[56+40:], ^uint64(0)) }},
		{"address in the kernel", func(h, p []byte) { le.PutUint64(p[56+16:], 0xffff800000000000) }},
		{"memory reaches the kernel", func(h, p []byte) { le.PutUint64(p[112+40:], 1<<47) }},
		{"offset and address disagree", func(h, p []byte) { le.PutUint64(p[112+16:], 0x2801) }},
		{"nothing to load", func(h, p []byte) { le.PutUint32(p[56:], 4); le.PutUint32(p[112:], 4) }},
		{"fixed at page zero", func(h, p []byte) { le.PutUint16(h[16:], 2) }},
	}
	for _, tt := range tests {
		h, p := sampleELF()
		tt.edit(h, p)
		m, err := parseELF(h)
		if err == nil {
			err = m.parsePrograms(p, 0x2000)
		}
		if err != unix.ENOEXEC {
			t.Errorf("%s: got %v, want ENOEXEC", tt.name, err)
		}
	}
	for n := range elfHeaderSize {
		h, _ := sampleELF()
		if _, err := parseELF(h[:n]); err != unix.ENOEXEC {
			t.Fatalf("truncated to %d bytes: %v", n, err)
		}
	}
}

func TestParseOwnExecutable(t *testing.T) {
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip(err)
	}
	m, err := parseELF(b)
	if err != nil {
		t.Fatal(err)
	}
	off, n := m.headerSpan()
	if err := m.parsePrograms(b[off:off+int64(n)], uint64(len(b))); err != nil {
		t.Fatal(err)
	}
	if len(m.Segments) < 2 || m.ExecStack {
		t.Errorf("got %+v", m)
	}
}

func FuzzELF(f *testing.F) {
	h, p := sampleELF()
	f.Add(h, p, uint64(0x2000))
	f.Fuzz(func(t *testing.T, h, p []byte, size uint64) {
		m, err := parseELF(h)
		if err != nil || m.parsePrograms(p, size) != nil {
			return
		}
		for _, s := range m.Segments {
			if s.FileLen > s.MemLen || int64(s.Off+s.FileLen) < 0 || s.Addr < m.Low || s.Addr+s.MemLen > m.High {
				t.Errorf("accepted %+v", s)
			}
		}
	})
}

func TestParseScript(t *testing.T) {
	long := "#!/" + string(make([]byte, 0))
	for len(long) < headSize {
		long += "x"
	}
	tests := []struct {
		head, interp, arg string
		ok                bool
	}{
		{"#!/bin/sh\necho", "/bin/sh", "", true},
		{"#! /bin/sh -e\n", "/bin/sh", "-e", true},
		{"#!\t /bin/awk  -f  x \t\nrest", "/bin/awk", "-f  x", true},
		{"#!/bin/sh", "/bin/sh", "", true},
		{"#!\n", "", "", false},
		{"#!   \n/bin/sh", "", "", false},
		{"#!", "", "", false},
		{"#", "", "", false},
		{"", "", "", false},
		{"\x7fELF", "", "", false},
		{long, "", "", false},
		{"#!/bin/a " + long[10:], "/bin/a", long[10:], true},
		{"#!/bin/sh\x00junk", "/bin/sh", "", true},
	}
	for _, tt := range tests {
		head := []byte(tt.head)
		head = head[:min(len(head), headSize)]
		interp, arg, err := parseScript(head)
		if (err == nil) != tt.ok || interp != tt.interp || tt.ok && len(tt.arg) < 200 && arg != tt.arg {
			t.Errorf("%.30q: %q %q %v", tt.head, interp, arg, err)
		}
	}
}

// parseELF returns what parseHeader makes of h.
func parseELF(h []byte) (*elfImage, error) {
	m := new(elfImage)
	if err := m.parseHeader(h); err != nil {
		return nil, err
	}
	return m, nil
}
