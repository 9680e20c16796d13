package mm

import (
	"testing"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

func TestMmapErrors(t *testing.T) {
	as := newSpace(t)
	o := NewObject(nil)
	defer o.Unref()
	o.Truncate(4 * page)
	taken := mapAnon(t, as, 4)
	for _, c := range []struct {
		name string
		req  MmapRequest
		want error
	}{
		{"unaligned offset", MmapRequest{Len: page, Flags: unix.MAP_PRIVATE, Object: o, Offset: 1}, unix.EINVAL},
		{"empty", MmapRequest{Flags: anon}, unix.EINVAL},
		{"empty before bad type", MmapRequest{}, unix.EINVAL},
		{"length wraps", MmapRequest{Len: ^uint64(0), Flags: anon}, unix.ENOMEM},
		{"longer than user memory", MmapRequest{Len: 1 << 47, Flags: anon}, unix.ENOMEM},
		{"too long before bad type", MmapRequest{Len: 1 << 47}, unix.ENOMEM},
		{"offset overflows", MmapRequest{Len: 2 * page, Flags: unix.MAP_PRIVATE, Object: o, Offset: ^uint64(0) &^ (page - 1)}, unix.EOVERFLOW},
		{"no type", MmapRequest{Len: page, Flags: unix.MAP_ANONYMOUS}, unix.EINVAL},
		{"fixed unaligned", MmapRequest{Addr: 0x10001, Len: page, Flags: anon | unix.MAP_FIXED}, unix.EINVAL},
		{"fixed beyond the top", MmapRequest{Addr: arch.UserTop, Len: page, Flags: anon | unix.MAP_FIXED}, unix.ENOMEM},
		{"fixed at page zero", MmapRequest{Len: page, Flags: anon | unix.MAP_FIXED}, unix.EPERM},
		{"fixed, taken", MmapRequest{Addr: taken + page, Len: page, Flags: anon | unix.MAP_FIXED_NOREPLACE}, unix.EEXIST},
		{"file forbids", MmapRequest{Len: page, Flags: unix.MAP_SHARED, FileErr: unix.EACCES}, unix.EACCES},
		{"file forbids, but the length is worse", MmapRequest{Flags: unix.MAP_SHARED, FileErr: unix.EACCES}, unix.EINVAL},
		{"stack on a file", MmapRequest{Len: page, Flags: unix.MAP_PRIVATE | unix.MAP_GROWSDOWN, Object: o}, unix.EINVAL},
		{"shared stack", MmapRequest{Len: page, Flags: unix.MAP_SHARED | unix.MAP_ANONYMOUS | unix.MAP_GROWSDOWN}, unix.EINVAL},
		{"validate: unknown flag", MmapRequest{Len: page, Flags: unix.MAP_SHARED_VALIDATE | unix.MAP_SYNC, Object: o}, unix.EOPNOTSUPP},
		{"absurd size", MmapRequest{Len: 1 << 46, Prot: rw, Flags: anon}, unix.ENOMEM},
		{"huge pages", MmapRequest{Len: 2 << 20, Prot: rw, Flags: anon | unix.MAP_HUGETLB}, unix.ENOMEM},
	} {
		_, err := as.Mmap(c.req)
		wantErr(t, c.name, err, c.want)
	}
	// The same absurd size is fine if nobody ever is to pay for it.
	addr, err := as.Mmap(MmapRequest{Len: 1 << 46, Prot: rw, Flags: anon | unix.MAP_NORESERVE})
	if err != nil {
		t.Errorf("MAP_NORESERVE: %v", err)
	}
	wantErr(t, "munmap", as.Munmap(addr, 1<<46), nil)
	wantErr(t, "munmap unaligned", as.Munmap(addr+1, page), unix.EINVAL)
	wantErr(t, "munmap nothing", as.Munmap(addr, 0), unix.EINVAL)
	wantErr(t, "munmap too much", as.Munmap(page, 1<<47), unix.EINVAL)
	wantErr(t, "munmap a hole", as.Munmap(0x1000000, page), nil)
}

func TestMmapPlacement(t *testing.T) {
	as := newSpace(t)
	base := as.Layout().MmapBase
	a := mapAnon(t, as, 4)
	b := mapAnon(t, as, 2)
	if a != base-4*page || b != a-2*page {
		t.Errorf("mapped at %#x, %#x below %#x", a, b, base)
	}
	if n := as.Stats().VMAs; n != 1 {
		t.Errorf("%d VMAs, want the two merged", n)
	}
	if c := mustMap(t, as, MmapRequest{Addr: 0x123000, Len: page, Prot: ro, Flags: anon}); c != 0x123000 {
		t.Errorf("hint not taken: %#x", c)
	}
	if c := mustMap(t, as, MmapRequest{Addr: a, Len: page, Prot: ro, Flags: anon}); c != b-page {
		t.Errorf("hint that is taken leads to %#x", c)
	}
	if c := mustMap(t, as, MmapRequest{Len: page, Prot: ro, Flags: anon | unix.MAP_32BIT}); c>>31 != 0 {
		t.Errorf("MAP_32BIT gives %#x", c)
	}
	wantErr(t, "munmap", as.Munmap(a, page), nil)
	if c := mapAnon(t, as, 1); c != a {
		t.Errorf("hole not reused: %#x", c)
	}
	// A stack keeps its gap.
	s := mustMap(t, as, MmapRequest{Len: 4 * page, Prot: rw, Flags: anon | unix.MAP_GROWSDOWN})
	if c := mapAnon(t, as, 1); s-(c+page) < stackGuardGap {
		t.Errorf("mapped %#x bytes below a stack", s-c-page)
	}
}

func TestLimits(t *testing.T) {
	as := newSpace(t)
	mapAnon(t, as, 10)
	l := NoLimits
	l.AS = 20 * page
	as.SetLimits(l)
	_, err := as.Mmap(MmapRequest{Len: 11 * page, Prot: ro, Flags: anon})
	wantErr(t, "beyond RLIMIT_AS", err, unix.ENOMEM)
	l = NoLimits
	l.Data = 12 * page
	as.SetLimits(l)
	_, err = as.Mmap(MmapRequest{Len: 3 * page, Prot: rw, Flags: anon})
	wantErr(t, "beyond RLIMIT_DATA", err, unix.ENOMEM)
	addr := mustMap(t, as, MmapRequest{Len: 3 * page, Prot: ro, Flags: anon})
	wantErr(t, "mprotect beyond RLIMIT_DATA", as.Mprotect(addr, 3*page, rw), unix.ENOMEM)
	l = NoLimits
	l.Memlock = 2 * page
	as.SetLimits(l)
	wantErr(t, "beyond RLIMIT_MEMLOCK", as.Mlock(addr, 3*page, 0, nil), unix.ENOMEM)
	wantErr(t, "mlock", as.Mlock(addr, 2*page, 0, nil), nil)
	wantErr(t, "mlock again", as.Mlock(addr, 2*page, 0, nil), nil)
	_, err = as.Mmap(MmapRequest{Len: page, Prot: ro, Flags: anon | unix.MAP_LOCKED})
	wantErr(t, "MAP_LOCKED", err, unix.EAGAIN)
	l.Memlock = 0
	as.SetLimits(l)
	wantErr(t, "mlock without any limit left", as.Mlock(addr, page, 0, nil), unix.EPERM)
}

func TestTooManyVMAs(t *testing.T) {
	as := newSpace(t)
	addr := mustMap(t, as, MmapRequest{Len: 70000 * 2 * page, Prot: ro, Flags: anon | unix.MAP_NORESERVE})
	var err error
	for i := uint64(0); i < 70000 && err == nil; i++ {
		err = as.Munmap(addr+(2*i+1)*page, page)
	}
	wantErr(t, "munmap that splits", err, unix.ENOMEM)
	if n := as.Stats().VMAs; n != MaxMapCount {
		t.Errorf("%d VMAs, want %d", n, MaxMapCount)
	}
}

func TestMprotect(t *testing.T) {
	as := newSpace(t)
	a := mapAnon(t, as, 8)
	dirty(t, as, a, 8, 1)
	wantErr(t, "mprotect", as.Mprotect(a+2*page, 2*page, ro), nil)
	if n := as.Stats().VMAs; n != 3 {
		t.Errorf("%d VMAs, want 3", n)
	}
	if got := faultCode(as, a+2*page, arch.AccessWrite|arch.AccessPresent); got != segvAccerr {
		t.Errorf("write to read-only memory: %#x", got)
	}
	wantErr(t, "copy to read-only memory", as.CopyOut(a+2*page, []byte{1}), unix.EFAULT)
	expect(t, as, a, 8, 1)
	wantErr(t, "PROT_NONE", as.Mprotect(a, 8*page, unix.PROT_NONE), nil)
	wantErr(t, "copy from PROT_NONE memory", as.CopyIn(make([]byte, 1), a), unix.EFAULT)
	if rss := as.Stats().RSS(); rss != 8 {
		t.Errorf("%d pages resident under PROT_NONE, want 8", rss)
	}
	wantErr(t, "back", as.Mprotect(a, 8*page, rw), nil)
	expect(t, as, a, 8, 1)
	dirty(t, as, a, 8, 2)
	if s := as.Stats(); s.VMAs != 1 || s.COWClaims+s.COWCopies != 0 {
		t.Errorf("after all: %+v", s)
	}
	wantErr(t, "hole", as.Mprotect(a, 9*page, ro), unix.ENOMEM)
	wantErr(t, "unaligned", as.Mprotect(a+1, page, ro), unix.EINVAL)
	wantErr(t, "bad protection", as.Mprotect(a, page, 0x100), unix.EINVAL)
	wantErr(t, "nothing", as.Mprotect(a, 0, ro), nil)
	o := NewObject(nil)
	defer o.Unref()
	f := mustMap(t, as, MmapRequest{Len: page, Prot: ro, Flags: unix.MAP_SHARED, Object: o, MaxProt: ro})
	wantErr(t, "read-only file", as.Mprotect(f, page, rw), unix.EACCES)
}

func TestBrk(t *testing.T) {
	as := newSpace(t)
	start := as.Layout().StartBrk
	if got := as.Brk(0, nil); got != start {
		t.Errorf("brk(0) = %#x, want %#x", got, start)
	}
	if got := as.Brk(start+100, nil); got != start+100 {
		t.Errorf("brk = %#x", got)
	}
	wantErr(t, "write", as.Write32(start+50, 7), nil)
	if got := as.Brk(start+10*page, nil); got != start+10*page {
		t.Errorf("brk = %#x", got)
	}
	dirty(t, as, start, 10, 1)
	if n := as.Stats().VMAs; n != 1 {
		t.Errorf("heap is %d VMAs", n)
	}
	mustMap(t, as, MmapRequest{Addr: start + 12*page, Len: page, Prot: ro, Flags: anon | unix.MAP_FIXED})
	if got := as.Brk(start+13*page, nil); got != start+10*page {
		t.Errorf("brk into a mapping = %#x", got)
	}
	if got := as.Brk(start-1, nil); got != start+10*page {
		t.Errorf("brk below the start = %#x", got)
	}
	if got := as.Brk(start+page+1, nil); got != start+page+1 {
		t.Errorf("brk down = %#x", got)
	}
	if rss := as.Stats().RSS(); rss != 2 {
		t.Errorf("%d pages of heap, want 2", rss)
	}
	var name string
	as.EachVMA(false, func(v VMAInfo) {
		if v.Start == start {
			name = v.Name
		}
	})
	if name != "[heap]" {
		t.Errorf("the heap is called %q", name)
	}
}

func TestStackGrowth(t *testing.T) {
	as := newSpace(t)
	l := NoLimits
	l.Stack = 64 * page
	as.SetLimits(l)
	const top = 0x7ffff0000000
	mustMap(t, as, MmapRequest{Addr: top - 2*page, Len: 2 * page, Prot: rw, Flags: anon | unix.MAP_GROWSDOWN | unix.MAP_STACK | unix.MAP_FIXED})
	for _, c := range []struct {
		pages uint64
		want  int
	}{{3, 0}, {40, 0}, {64, 0}, {65, segvMaperr}, {63, 0}} {
		if got := faultCode(as, top-c.pages*page, arch.AccessWrite); got != c.want {
			t.Errorf("%d pages below the top: %#x, want %#x", c.pages, got, c.want)
		}
	}
	if s := as.Stats(); s.StackVM != 64 || s.TotalVM != 64 {
		t.Errorf("stack counts %d of %d pages", s.StackVM, s.TotalVM)
	}
	// The gap to what lies below.
	as.SetLimits(NoLimits)
	mustMap(t, as, MmapRequest{Addr: top - 400*page, Len: page, Prot: ro, Flags: anon | unix.MAP_FIXED})
	if got := faultCode(as, top-(399-256)*page, arch.AccessWrite); got != 0 {
		t.Errorf("just above the gap: %#x", got)
	}
	if got := faultCode(as, top-(399-255)*page, arch.AccessWrite); got != segvMaperr {
		t.Errorf("inside the gap: %#x", got)
	}
}

func TestFaultCodes(t *testing.T) {
	as := newSpace(t)
	a := mustMap(t, as, MmapRequest{Len: page, Prot: ro, Flags: anon})
	for _, c := range []struct {
		name string
		addr uint64
		acc  arch.Access
		want int
	}{
		{"null", 0, 0, segvMaperr},
		{"hole", 0x5000, 0, segvMaperr},
		{"beyond user memory", arch.UserTop, arch.AccessWrite, segvMaperr},
		{"kernel", 0xffff800000000000, 0, segvMaperr},
		{"not canonical", 1 << 50, 0, segvMaperr},
		{"read", a, 0, 0},
		{"write", a, arch.AccessWrite, segvAccerr},
		{"execute", a, arch.AccessExec, segvAccerr},
	} {
		if got := faultCode(as, c.addr, c.acc); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
	}
}

func TestMremap(t *testing.T) {
	as := newSpace(t)
	mustMap(t, as, MmapRequest{Len: page, Prot: ro, Flags: anon}) // no room to grow
	a := mapAnon(t, as, 8)
	dirty(t, as, a, 8, 1)

	got, err := as.Mremap(a, 8*page, 4*page, 0, 0, nil)
	if err != nil || got != a || as.Stats().RSS() != 4 {
		t.Fatalf("shrink: %#x, %v, %d pages", got, err, as.Stats().RSS())
	}
	got, err = as.Mremap(a, 4*page, 8*page, 0, 0, nil)
	if err != nil || got != a {
		t.Fatalf("grow in place: %#x, %v", got, err)
	}
	expect(t, as, a, 4, 1)
	expectZero(t, as, a+4*page, 4*page)
	dirty(t, as, a, 8, 1)
	rss := as.Stats().RSS()
	_, err = as.Mremap(a, 8*page, 16*page, 0, 0, nil)
	wantErr(t, "no room", err, unix.ENOMEM)
	b, err := as.Mremap(a, 8*page, 1000*page, unix.MREMAP_MAYMOVE, 0, nil)
	if err != nil || b == a {
		t.Fatalf("move: %#x, %v", b, err)
	}
	expect(t, as, b, 8, 1)
	if c := faultCode(as, a, 0); c != segvMaperr {
		t.Errorf("old place: %#x", c)
	}
	if now := as.Stats().RSS(); now != rss {
		t.Errorf("%d pages resident, want %d", now, rss)
	}
	c, err := as.Mremap(b, 8*page, 8*page, unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED, 0x40000000, nil)
	if err != nil || c != 0x40000000 {
		t.Fatalf("fixed: %#x, %v", c, err)
	}
	expect(t, as, c, 8, 1)
	d, err := as.Mremap(c, 8*page, 8*page, unix.MREMAP_MAYMOVE|unix.MREMAP_DONTUNMAP, 0, nil)
	if err != nil {
		t.Fatal("DONTUNMAP:", err)
	}
	expect(t, as, d, 8, 1)
	expectZero(t, as, c, 8*page)
	for _, e := range []struct {
		name           string
		addr, old, new uint64
		flags          int
		to             uint64
		want           error
	}{
		{"unaligned", d + 1, page, page, 0, 0, unix.EINVAL},
		{"no new length", d, page, 0, 0, 0, unix.EINVAL},
		{"fixed but not moving", d, page, page, unix.MREMAP_FIXED, 0x50000000, unix.EINVAL},
		{"unknown flag", d, page, page, 0x100, 0, unix.EINVAL},
		{"nothing there", 0x60000000, page, 2 * page, unix.MREMAP_MAYMOVE, 0, unix.EFAULT},
		{"more than is there", d, 9 * page, 10 * page, unix.MREMAP_MAYMOVE, 0, unix.EFAULT},
		{"overlap", d, 4 * page, 4 * page, unix.MREMAP_MAYMOVE | unix.MREMAP_FIXED, d + page, unix.EINVAL},
		{"duplicate private memory", d, 0, page, unix.MREMAP_MAYMOVE, 0, unix.EINVAL},
		{"absurd", d, page, 1 << 50, unix.MREMAP_MAYMOVE, 0, unix.EINVAL},
	} {
		_, err := as.Mremap(e.addr, e.old, e.new, e.flags, e.to, nil)
		wantErr(t, e.name, err, e.want)
	}
	s := mustMap(t, as, MmapRequest{Len: 2 * page, Prot: rw, Flags: unix.MAP_SHARED | unix.MAP_ANONYMOUS})
	dirty(t, as, s, 2, 7)
	s2, err := as.Mremap(s, 0, 2*page, unix.MREMAP_MAYMOVE, 0, nil)
	if err != nil {
		t.Fatal("duplicate shared memory:", err)
	}
	expect(t, as, s2, 2, 7)
	dirty(t, as, s2, 2, 9)
	expect(t, as, s, 2, 9)
}

func TestMadvise(t *testing.T) {
	as := newSpace(t)
	a := mapAnon(t, as, 8)
	for _, advice := range []int{unix.MADV_DONTNEED, unix.MADV_FREE} {
		dirty(t, as, a, 8, 1)
		before := arch.ReadFrameStats().Anon
		wantErr(t, "madvise", as.Madvise(a, 8*page, advice, nil), nil)
		if freed := before - arch.ReadFrameStats().Anon; freed != 8 {
			t.Errorf("advice %d freed %d pages", advice, freed)
		}
		expectZero(t, as, a, 8*page)
	}
	wantErr(t, "unknown advice", as.Madvise(a, page, 1234, nil), unix.EINVAL)
	wantErr(t, "unaligned", as.Madvise(a+1, page, unix.MADV_NORMAL, nil), unix.EINVAL)
	wantErr(t, "hole", as.Madvise(a, 9*page, unix.MADV_DONTNEED, nil), unix.ENOMEM)
	wantErr(t, "mlock", as.Mlock(a, page, 0, nil), nil)
	wantErr(t, "DONTNEED of locked memory", as.Madvise(a, page, unix.MADV_DONTNEED, nil), unix.EINVAL)
	wantErr(t, "populate", as.Madvise(a, 8*page, unix.MADV_POPULATE_WRITE, nil), nil)
	if rss := as.Stats().RSS(); rss != 8 {
		t.Errorf("%d pages populated", rss)
	}
	for _, advice := range []int{unix.MADV_RANDOM, unix.MADV_HUGEPAGE, unix.MADV_WILLNEED, unix.MADV_DONTDUMP, unix.MADV_COLD} {
		wantErr(t, "advice", as.Madvise(a+4*page, page, advice, nil), nil)
	}
	o := NewObject(nil)
	defer o.Unref()
	fill(t, o, 8, 1)
	f := mustMap(t, as, MmapRequest{Len: 8 * page, Prot: rw, Flags: unix.MAP_SHARED, Object: o})
	expect(t, as, f, 8, 1)
	wantErr(t, "MADV_REMOVE", as.Madvise(f+page, 2*page, unix.MADV_REMOVE, nil), nil)
	expectZero(t, as, f+page, 2*page)
	expect(t, as, f+3*page, 5, 4)
	wantErr(t, "MADV_FREE of a file", as.Madvise(f, page, unix.MADV_FREE, nil), unix.EINVAL)
}

func TestMincoreAndMlock(t *testing.T) {
	as := newSpace(t)
	a := mapAnon(t, as, 8)
	vec := mapAnon(t, as, 1)
	dirty(t, as, a+2*page, 3, 1)
	wantErr(t, "mincore", as.Mincore(a, 8*page, vec), nil)
	var got [8]byte
	as.CopyIn(got[:], vec)
	if want := [8]byte{2: 1, 3: 1, 4: 1}; got != want {
		t.Errorf("mincore says %v, want %v", got, want)
	}
	wantErr(t, "unaligned", as.Mincore(a+1, page, vec), unix.EINVAL)
	wantErr(t, "hole", as.Mincore(0x1000000, page, vec), unix.ENOMEM)
	wantErr(t, "bad vector", as.Mincore(a, page, 0x1000000), unix.EFAULT)

	wantErr(t, "mlock", as.Mlock(a+10, 8*page-10, 0, nil), nil)
	if s := as.Stats(); s.LockedVM != 8 || s.RSSAnon != 9 {
		t.Errorf("%d pages locked, %d resident", s.LockedVM, s.RSSAnon)
	}
	wantErr(t, "mlock of a hole", as.Mlock(0x1000000, page, 0, nil), unix.ENOMEM)
	wantErr(t, "munlock", as.Munlock(a, 4*page), nil)
	if s := as.Stats(); s.LockedVM != 4 {
		t.Errorf("%d pages locked", s.LockedVM)
	}
	wantErr(t, "mlockall", as.Mlockall(unix.MCL_CURRENT|unix.MCL_FUTURE, nil), nil)
	b := mapAnon(t, as, 4)
	if s := as.Stats(); s.LockedVM != 13 {
		t.Errorf("%d pages locked", s.LockedVM)
	}
	if !as.present(b, arch.AccessWrite) {
		t.Error("new memory not locked in")
	}
	wantErr(t, "munlockall", as.Munlockall(), nil)
	if s := as.Stats(); s.LockedVM != 0 {
		t.Errorf("%d pages locked", s.LockedVM)
	}
	wantErr(t, "mlockall of nothing", as.Mlockall(0, nil), unix.EINVAL)
	wantErr(t, "msync", as.Msync(a, page, unix.MS_SYNC), nil)
	wantErr(t, "msync both ways", as.Msync(a, page, unix.MS_SYNC|unix.MS_ASYNC), unix.EINVAL)
	wantErr(t, "msync of a hole", as.Msync(0x1000000, page, unix.MS_SYNC), unix.ENOMEM)
}
