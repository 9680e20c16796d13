package proc

import (
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// stackMemory stands for the new address space: bytes below top.
type stackMemory struct {
	top uint64
	mem []byte
	n   int // writes
}

func (m *stackMemory) WriteRemote(addr uint64, p []byte) (int, error) {
	if addr+uint64(len(p)) > m.top || addr < m.top-uint64(len(m.mem)) {
		return 0, unix.EFAULT
	}
	m.n++
	return copy(m.mem[uint64(len(m.mem))-(m.top-addr):], p), nil
}

func (m *stackMemory) at(addr uint64, n int) []byte {
	i := uint64(len(m.mem)) - (m.top - addr)
	return m.mem[i : i+uint64(n)]
}

func TestStackBuilder(t *testing.T) {
	m := &stackMemory{top: 0x7fff_0000_0000, mem: make([]byte, 1<<20)}
	b := &stackBuilder{mem: m, sp: m.top, from: m.top, low: m.top - 1<<19}
	var want []string
	var addrs []uint64
	for i := range 3000 {
		s := strings.Repeat(string(rune('a'+i%26)), i*7%173)
		if i == 1500 {
			if err := b.skip(4097); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.pushString(s); err != nil {
			t.Fatal(err)
		}
		want, addrs = append(want, s+"\x00"), append(addrs, b.sp)
	}
	big := strings.Repeat("B", 3*4096+5)
	if err := b.push(big); err != nil {
		t.Fatal(err)
	}
	want, addrs = append(want, big), append(addrs, b.sp)
	if err := b.flush(); err != nil {
		t.Fatal(err)
	}
	for i, s := range want {
		if got := string(m.at(addrs[i], len(s))); got != s {
			t.Fatalf("string %d at %#x: got %.20q, want %.20q", i, addrs[i], got, s)
		}
	}
	if pages := int(m.top-b.sp) / 4096; m.n > pages+4 {
		t.Errorf("%d writes for %d pages", m.n, pages)
	}
	if err := b.push(strings.Repeat("x", 1<<19)); err != unix.E2BIG {
		t.Errorf("beyond the limit: %v, want E2BIG", err)
	}
}

func TestArgLimit(t *testing.T) {
	tests := []struct {
		stack      uint64
		argc, envc int
		want       uint64
		err        error
	}{
		{8 << 20, 1, 0, 2<<20 - 8, nil},
		{unix.RLIM_INFINITY, 0, 0, 6<<20 - 8, nil},
		{4096, 1, 1, 131072 - 16, nil},
		{4096, 131072 / 8, 0, 0, unix.E2BIG},
	}
	for _, tt := range tests {
		got, err := argLimit(tt.stack, tt.argc, tt.envc)
		if got != tt.want || err != tt.err {
			t.Errorf("argLimit(%d, %d, %d) = %d, %v; want %d, %v", tt.stack, tt.argc, tt.envc, got, err, tt.want, tt.err)
		}
	}
}

func TestArgWords(t *testing.T) {
	block, auxv := argWords(nil, []uint64{10, 20}, []uint64{30}, []auxEntry{{atPagesz, 4096}, {atNull, 0}})
	want := []uint64{2, 10, 20, 0, 30, 0, atPagesz, 4096, 0, 0}
	if len(block) != 8*len(want) || len(auxv) != 32 {
		t.Fatalf("%d bytes, %d of auxv", len(block), len(auxv))
	}
	for i, w := range want {
		if got := binary.LittleEndian.Uint64(block[8*i:]); got != w {
			t.Errorf("word %d: %d, want %d", i, got, w)
		}
	}
}
