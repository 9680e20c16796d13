package info

import (
	"encoding/binary"
	"testing"
)

// check fails t if anything that b promises about memory does not hold. raw is
// what the loader told, if the test knows.
func check(t *testing.T, b *Boot, raw []Region) {
	t.Helper()
	c := *b // Carve changes it
	b = &c
	last := uint64(0)
	for i, r := range b.Memory() {
		if r.Start >= r.End || i > 0 && r.Start < last {
			t.Fatalf("region %d, %#x-%#x, is empty or not in order", i, r.Start, r.End)
		}
		last = r.End
	}
	runs, after, end := 0, uint64(0), b.Top(MaxMemory)
	for {
		s, e, ok := b.NextFree(after)
		if !ok {
			break
		}
		if runs++; runs > maxRegions+maxReserved {
			t.Fatal("NextFree does not come to an end")
		}
		if s < after || e <= s || s%PageSize != 0 || e%PageSize != 0 || e > MaxMemory {
			t.Fatalf("free %#x-%#x after %#x", s, e, after)
		}
		if !b.HasMemory(s, s+PageSize) || !b.HasMemory(e-PageSize, e) || e > end {
			t.Fatalf("free %#x-%#x is no memory", s, e)
		}
		if !usable(b, s, e) {
			t.Fatalf("free %#x-%#x is not all usable", s, e)
		}
		for _, o := range b.ReservedRanges() {
			if o.Start < e && s < o.End {
				t.Fatalf("free %#x-%#x and reserved %#x-%#x", s, e, o.Start, o.End)
			}
		}
		for _, o := range raw {
			if o.Kind != Usable && o.Start < o.End && o.Start < e && s < o.End {
				t.Fatalf("free %#x-%#x and %s %#x-%#x", s, e, o.Kind, o.Start, o.End)
			}
		}
		after = e
	}
	for _, limit := range []uint64{0, 1 << 20, 4 << 30, MaxMemory} {
		top := b.Top(limit)
		if top > limit {
			t.Fatalf("top %#x above %#x", top, limit)
		}
		if top > 1<<20 && top < limit && (!b.HasMemory(top-1, top) || b.HasMemory(top, limit)) {
			t.Fatalf("top %#x is not the end of memory below %#x", top, limit)
		}
	}
	if b.UsableTop() > MaxMemory || b.UsableSize() > b.UsableTop() {
		t.Fatalf("%#x bytes usable below %#x", b.UsableSize(), b.UsableTop())
	}
	records := *b
	if a, top, err := records.CarveRecords(8); err == nil {
		if top != records.UsableTop() || top/PageSize*8 > 0 && !usable(&records, a, a+top/PageSize*8) {
			t.Fatalf("records at %#x, up to %#x", a, top)
		}
	}
	for _, size := range []uint64{1, 1 << 20} {
		before := len(b.ReservedRanges())
		a, err := b.Carve(size, 4<<30)
		if err != nil {
			continue
		}
		if a == 0 || a%PageSize != 0 || a+size > 4<<30 || !usable(b, a, a+size) {
			t.Fatalf("Carve gave %#x", a)
		}
		if n := len(b.ReservedRanges()); n < before || n > maxReserved {
			t.Fatalf("%d ranges reserved", n)
		}
	}
	if f := b.Framebuffer; f.Kind != NoFramebuffer && (!f.valid() || f.Address+f.Size() < f.Address) {
		t.Fatalf("framebuffer %+v", f)
	}
	if len(b.CommandLine()) > maxCommand || b.RSDPLen > len(b.RSDPCopy) || len(b.Modules()) > maxModules {
		t.Fatal("a length out of range")
	}
	for _, m := range b.Modules() {
		if m.End < m.Start {
			t.Fatalf("module %#x-%#x", m.Start, m.End)
		}
	}
}

// usable reports whether one usable region holds all from s to e.
func usable(b *Boot, s, e uint64) bool {
	for _, r := range b.Memory() {
		if r.Kind == Usable && r.Start <= s && e <= r.End {
			return true
		}
	}
	return false
}

// regionsOf makes regions of a fuzzer's bytes: kind, position and length in small
// numbers, so that they meet.
func regionsOf(data []byte) (list []Region) {
	kinds := []Kind{Usable, Usable, Usable, Reserved, ACPIReclaim, ACPINVS, Unusable, Runtime}
	shifts := []uint{0, 9, 12, 12, 21, 30, 32, 44}
	for ; len(data) >= 6; data = data[6:] {
		shift := shifts[data[1]%8]
		start := uint64(binary.LittleEndian.Uint16(data[2:])) << shift
		end := start + uint64(binary.LittleEndian.Uint16(data[4:]))<<shifts[data[1]>>4%8]
		if end < start {
			end = ^uint64(0)
		}
		list = append(list, Region{Range{start, end}, kinds[data[0]%8]})
	}
	return list
}

func FuzzRegions(f *testing.F) {
	f.Add([]byte{0, 2, 0, 0, 160, 0, 3, 2, 159, 0, 1, 0, 0, 2, 0, 1, 0, 255}, uint64(0))
	f.Add([]byte{0, 4, 0, 0, 255, 255, 7, 4, 3, 0, 1, 0, 5, 4, 3, 0, 9, 0}, uint64(1<<30))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		raw := regionsOf(data)
		var b Boot
		for _, r := range raw {
			b.add(r.Start, r.End-r.Start, r.Kind)
		}
		b.normalise()
		b.clip(MaxMemory, Beyond)
		check(t, &b, raw)
		if b.Dropped > 0 {
			return
		}
		// At any address the map says what the regions said.
		for _, r := range raw {
			for _, a := range []uint64{r.Start, r.End, r.Start + (r.End-r.Start)/2, seed} {
				want, covered := Kind(0), false
				for _, o := range raw {
					if o.Start <= a && a < o.End && (!covered || o.Kind.rank() > want.rank()) {
						want, covered = o.Kind, true
					}
				}
				if covered && want == Usable && a >= MaxMemory {
					want = Beyond
				}
				if got, ok := b.kindAt(a); ok != covered || got != want {
					t.Fatalf("at %#x: %v %v, want %v %v", a, got, ok, want, covered)
				}
			}
		}
		// What is cut out is gone, the rest stays.
		before := b.UsableSize()
		low, high := seed%MaxMemory, seed%MaxMemory+seed>>40
		inside := uint64(0)
		for _, r := range b.Memory() {
			if s, e := max(r.Start, low), min(r.End, high); r.Kind == Usable && s < e {
				inside += e - s
			}
		}
		b.Exclude(low, high, Bad)
		check(t, &b, append(raw, Region{Range{low, high}, Bad}))
		if b.Dropped == 0 && b.UsableSize() != before-inside {
			t.Fatalf("%#x-%#x cut out: %#x bytes usable, then %#x", low, high, before, b.UsableSize())
		}
	})
}

func FuzzMultiboot2(f *testing.F) {
	f.Add(tagged(tag(mbCommandLine, []byte("mem=16M quiet\x00")), tag(mbModule, []byte{0, 0, 0x20, 0, 0, 0, 0x30, 0, 'x', 0}), memoryMap(pc...)))
	f.Add(tagged(memoryMap(pc...), efiMap(48, efi{efiConventional, 0, 160}, efi{efiRuntimeData, 0x8000, 2}), tag(mbRSDP2, make([]byte, 36))))
	f.Add(tagged(tag(mbBootServices, nil), efiMap(40, efi{efiBootData, 0x100000, 1 << 20}), framebuffer(1, 1280, 800, 32, 5120)))
	f.Add(tagged(tag(mbBasicMemory, []byte{0x80, 2, 0, 0, 0, 0, 1, 0}), framebuffer(2, 80, 25, 0, 160), tag(mbLoaderName, []byte("GRUB 2.06\x00"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := make(image, 8, 8+len(data))
		m = append(m, data...)
		var b Boot
		if err := Parse(&b, magicMultiboot2, 8, m); err != nil {
			return
		}
		check(t, &b, nil)
	})
}

func FuzzPVH(f *testing.F) {
	f.Add([]byte(pvh("console=ttyS0 mem=1G", pc, Range{0x1ff00123, 0x1ff80456})[0x100:0x1100]), uint32(0))
	f.Add([]byte(pvh("", pc)[0x100:0x1100]), uint32(64))
	f.Fuzz(func(t *testing.T, data []byte, at uint32) {
		m := make(image, 0x100, 0x100+len(data))
		m = append(m, data...)
		var b Boot
		if err := Parse(&b, 0, 0x100+at%8, m); err != nil {
			return
		}
		check(t, &b, nil)
	})
}

func FuzzEFIMap(f *testing.F) {
	f.Add(efiMap(48, efi{efiConventional, 0x100000, 1 << 16}, efi{efiRuntimeCode, 0x200000, 1})[8:], true, false)
	f.Add(efiMap(40, efi{efiBootData, 0, 160}, efi{efiACPINVS, 0x4000, 1})[8:], false, true)
	f.Fuzz(func(t *testing.T, body []byte, ordinary, services bool) {
		var b Boot
		has := tags{memoryMap: ordinary, efiMap: true, bootServices: services}
		if ordinary {
			b.add(0, MaxMemory, Usable)
		}
		parseEFIMap(&b, tag(mbEFIMap, body), &has)
		b.normalise()
		b.clip(MaxMemory, Beyond)
		// What UEFI keeps is never free.
		var kept []Region
		if size := entrySize(tag(mbEFIMap, body), efiDescriptor); size > 0 {
			for off := 8; off+size <= len(body); off += size {
				start, pages := le64(body, off+8), le64(body, off+24)
				k := le32(body, off)
				if (k >= efiRuntimeCode && k != efiConventional || le64(body, off+32)&efiRuntime != 0) &&
					pages > 0 && pages < 1<<40 && start+pages<<12 > start {
					kept = append(kept, Region{Range{start, start + pages<<12}, Reserved})
				}
			}
		}
		check(t, &b, kept)
	})
}

func FuzzSize(f *testing.F) {
	for _, s := range []string{"0", "64M", "0x1000", "010k", "1T", "18446744073709551615", "x", "0x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := ParseSize([]byte(s))
		if !ok && v != 0 {
			t.Errorf("ParseSize(%q) = %d, not ok", s, v)
		}
		if w, k := ParseSize([]byte(s + "k")); ok && k && s[len(s)-1] <= '9' && w != v<<10 {
			t.Errorf("ParseSize(%q) = %d, with k %d", s, v, w)
		}
	})
}

func FuzzOption(f *testing.F) {
	f.Add("maxcpus=1 quiet -- maxcpus=3", "maxcpus")
	f.Add(`a="b c" a=`, "a")
	f.Fuzz(func(t *testing.T, line, name string) {
		var b Boot
		b.SetCommandLine([]byte(line))
		v, ok := b.Option(name)
		if len(v) > len(b.CommandLine()) || !ok && len(v) > 0 {
			t.Errorf("Option(%q) of %q = %q, %v", name, line, v, ok)
		}
	})
}
