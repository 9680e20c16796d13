package mm

import (
	"fmt"
	"math/rand"
	"sync"
	"testing"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// each runs fn on n goroutines and waits for them.
func each(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() { defer wg.Done(); fn(i) }()
	}
	wg.Wait()
}

// Many threads touch the same fresh pages: each page is filled once.
func TestParallelFaults(t *testing.T) {
	const n = 500
	as := newSpace(t)
	addr := mapAnon(t, as, n)
	var u Usage
	each(8, func(i int) {
		for p := range n {
			va := addr + uint64((p*7+i)%n)*page
			acc := arch.Access(0)
			if (p+i)%3 != 0 {
				acc = arch.AccessWrite
			}
			if e := as.Fault(va, acc, &u); e != nil {
				t.Errorf("page %d: %+v", p, e)
			}
		}
	})
	s := as.Stats()
	if s.RSSAnon != n || s.ZeroFills != n || u.ZeroFills.Load() != n {
		t.Errorf("%d pages resident, %d filled, task counts %d; want %d", s.RSSAnon, s.ZeroFills, u.ZeroFills.Load(), n)
	}
	if u.MinorFaults.Load() != 8*n {
		t.Errorf("%d faults, want %d", u.MinorFaults.Load(), 8*n)
	}
}

// Many threads of parent and child write the same shared pages: every page is
// copied once and claimed once, whoever is first.
func TestParallelCopyOnWrite(t *testing.T) {
	const n = 300
	defer func(n int) { sharePages = n }(sharePages)
	for round := range 6 {
		sharePages = []int{64, 1000}[round%2]
		as := newSpace(t)
		addr := mapAnon(t, as, n)
		dirty(t, as, addr, n, 1)
		child := fork(t, as)
		each(8, func(i int) {
			s := []*AddressSpace{as, child}[i%2]
			for p := range n {
				va := addr + uint64((p*11+i)%n)*page
				if err := s.Write32(va+8, uint32(i%2)); err != nil {
					t.Error(err)
				}
			}
		})
		a, b := as.Stats(), child.Stats()
		if sum := a.COWCopies + b.COWCopies + a.COWClaims + b.COWClaims; sum != 2*n {
			t.Errorf("round %d: %d copies and claims, want %d", round, sum, 2*n)
		}
		if a.RSSAnon != n || b.RSSAnon != n {
			t.Errorf("round %d: %d and %d pages resident", round, a.RSSAnon, b.RSSAnon)
		}
		for p := range uint64(n) {
			for i, s := range []*AddressSpace{as, child} {
				if v, err := s.Read32(addr + p*page + 8); v != uint32(i) || err != nil {
					t.Fatalf("page %d of %d holds %d, %v", p, i, v, err)
				}
			}
		}
		expect(t, as, addr, n, 1)
		child.Unref()
	}
}

// Everything at once; afterwards every frame is back.
func TestParallelEverything(t *testing.T) {
	for _, share := range []int{1, 20, 1000} {
		parallelEverything(t, share)
	}
}

func parallelEverything(t *testing.T, share int) {
	defer func(n int) { sharePages = n }(sharePages)
	sharePages = share
	before := arch.ReadFrameStats()
	o := NewObject(nil)
	as, err := New()
	if err != nil {
		t.Fatal(err)
	}
	const base, n = 0x40000000, 200
	each(8, func(i int) {
		rng := rand.New(rand.NewSource(int64(i)))
		for range 1500 {
			addr := uint64(base + rng.Intn(n)*page)
			size := uint64(1+rng.Intn(20)) * page
			switch rng.Intn(12) {
			case 0:
				as.Mmap(MmapRequest{Addr: addr, Len: size, Prot: rw, Flags: anon | unix.MAP_FIXED})
			case 1:
				as.Mmap(MmapRequest{Addr: addr, Len: size, Prot: rw, Flags: unix.MAP_SHARED | unix.MAP_FIXED, Object: o})
			case 2:
				as.Mmap(MmapRequest{Addr: addr, Len: size, Prot: rw, Flags: unix.MAP_PRIVATE | unix.MAP_FIXED, Object: o})
			case 3:
				as.Munmap(addr, size)
			case 4:
				as.Mprotect(addr, size, []int{0, ro, rw}[rng.Intn(3)])
			case 5:
				as.Madvise(addr, size, unix.MADV_DONTNEED, nil)
			case 6:
				if c, err := as.Fork(); err == nil {
					for range 10 {
						c.Write32(base+uint64(rng.Intn(n))*page, 1)
					}
					c.Unref()
				}
			case 7:
				o.Truncate(int64(rng.Intn(n)) * page)
			case 8:
				it := UserIter(as, addr, int(size))
				o.WriteAt(&it, int64(rng.Intn(n/2))*page)
			case 9:
				it := UserIter(as, addr, int(size))
				o.ReadAt(&it, 0, o.Size())
			case 10:
				as.EachVMA(true, func(VMAInfo) {})
				as.ReadRemote(addr, make([]byte, 100))
				as.Mremap(addr, size, size, unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED, base+uint64(rng.Intn(n))*page, nil)
			default:
				as.Write32(addr, 1)
			}
		}
	})
	as.mu.Lock()
	checkTree(t, &as.vmas)
	(&modelSpace{as: as}).checkAccount(t, "at the end")
	as.mu.Unlock()
	as.Unref()
	if r := o.refs.Load(); r != 1 {
		t.Errorf("file has %d references left", r)
	}
	o.Unref()
	if after := arch.ReadFrameStats(); after != before {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestIter(t *testing.T) {
	as := newSpace(t)
	a := mapAnon(t, as, 3)
	segs := []Segment{{a, 10}, {0x1000000, 0}, {a + 2*page - 5, 10}, {a + 100, 3}}
	it := UserVecIter(as, segs)
	if it.Len() != 23 {
		t.Errorf("%d bytes", it.Len())
	}
	msg := []byte("the quick brown fox jumps")
	if n, err := it.CopyTo(msg); n != 23 || err != nil {
		t.Errorf("CopyTo: %d, %v", n, err)
	}
	it.Revert(20)
	got := make([]byte, 30)
	if n, err := it.CopyFrom(got); n != 20 || err != nil || string(got[:n]) != string(msg[3:23]) {
		t.Errorf("CopyFrom: %q, %v", got[:n], err)
	}
	it.Revert(23)
	it.Advance(12)
	if n, err := it.Zero(5); n != 5 || err != nil || it.Len() != 6 || it.Done() != 17 {
		t.Errorf("Zero: %d, %v, %d left, %d done", n, err, it.Len(), it.Done())
	}
	it = UserVecIter(as, []Segment{{a, 8}, {0x1000000, 8}})
	if n, err := it.CopyTo(msg[:16]); n != 8 || err != unix.EFAULT {
		t.Errorf("into nowhere: %d, %v", n, err)
	}
	if _, err := CheckSegments([]Segment{{0, 1 << 63}}); err != unix.EINVAL {
		t.Errorf("absurd length: %v", err)
	}
	big := []Segment{{0, 1 << 31}, {0, 1 << 31}}
	if n, err := CheckSegments(big); n != 0x7ffff000 || err != nil || big[1].Len != 0 {
		t.Errorf("long vector: %#x, %v", n, err)
	}
	buf := make([]byte, 4)
	it = BytesIter(buf)
	if n, _ := it.CopyTo(msg); n != 4 {
		t.Errorf("into bytes: %d", n)
	}
	if allocs := testing.AllocsPerRun(100, func() {
		it := UserIter(as, a, 2*page)
		it.CopyTo(msg)
	}); allocs != 0 {
		t.Errorf("%v allocations for a single buffer", allocs)
	}
}

func TestUserMemory(t *testing.T) {
	as := newSpace(t)
	a := mapAnon(t, as, 2)
	end := a + 2*page
	as.CopyOut(end-5, []byte("hello"))
	if _, err := as.CopyInString(end-5, 100); err != unix.EFAULT {
		t.Errorf("string that runs out of memory: %v", err)
	}
	as.CopyOut(a+10, []byte("hello\x00"))
	if s, err := as.CopyInString(a+10, 100); s != "hello" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	if _, err := as.CopyInString(a+10, 5); err != unix.ENAMETOOLONG {
		t.Errorf("long string: %v", err)
	}
	for _, off := range []uint64{0, 1, page - 2} {
		wantErr(t, "write", as.Write64(a+off, 0x1122334455667788), nil)
		if v, err := as.Read64(a + off); v != 0x1122334455667788 || err != nil {
			t.Errorf("read %#x, %v", v, err)
		}
		if v, err := as.Read32(a + off); v != 0x55667788 || err != nil {
			t.Errorf("read %#x, %v", v, err)
		}
	}
	wantErr(t, "beyond the top", as.CopyOut(arch.UserTop-1, []byte{1, 2}), unix.EFAULT)
	wantErr(t, "wrapping", as.Clear(^uint64(0)-5, 10), unix.EFAULT)
	wantErr(t, "kernel", as.CopyIn(make([]byte, 8), 0xffff800000000000), unix.EFAULT)
	as.Write32(a, 5)
	if cur, err := as.CAS32(a, 5, 6); cur != 5 || err != nil {
		t.Errorf("CAS: %d, %v", cur, err)
	}
	if cur, err := as.CAS32(a, 5, 7); cur != 6 || err != nil {
		t.Errorf("CAS: %d, %v", cur, err)
	}
}

func TestRemote(t *testing.T) {
	as := newSpace(t)
	a := mapAnon(t, as, 3)
	dirty(t, as, a, 3, 1)
	child := fork(t, as)
	if n, err := child.WriteRemote(a+page-3, []byte("remote")); n != 6 || err != nil {
		t.Errorf("WriteRemote: %d, %v", n, err)
	}
	buf := make([]byte, 6)
	if n, err := child.ReadRemote(a+page-3, buf); n != 6 || err != nil || string(buf) != "remote" {
		t.Errorf("ReadRemote: %q, %v", buf, err)
	}
	expect(t, as, a, 3, 1)
	if n, err := child.ReadRemote(a+3*page-4, buf); n != 4 || err != unix.EFAULT {
		t.Errorf("beyond the end: %d, %v", n, err)
	}
	as.Mprotect(a, 3*page, ro)
	if _, err := as.WriteRemote(a, buf); err != unix.EFAULT {
		t.Errorf("read-only memory: %v", err)
	}
	if n, err := as.ForceWrite(a, []byte("X")); n != 1 || err != nil {
		t.Errorf("ForceWrite: %d, %v", n, err)
	}
	var b [1]byte
	as.CopyIn(b[:], a)
	if b[0] != 'X' {
		t.Errorf("forced write not seen: %#x", b[0])
	}
	wantErr(t, "still read-only", as.CopyOut(a, buf), unix.EFAULT)
	child.CopyIn(b[:], a)
	if b[0] != 1 {
		t.Errorf("forced write reached the child: %#x", b[0])
	}
	child.Unref()
}

func TestFutexKey(t *testing.T) {
	as := newSpace(t)
	o := NewObject(nil)
	defer o.Unref()
	o.Truncate(4 * page)
	a := mapAnon(t, as, 1)
	m := mustMap(t, as, MmapRequest{Len: 2 * page, Prot: rw, Flags: unix.MAP_SHARED, Object: o, Offset: page})
	n := mustMap(t, as, MmapRequest{Len: 4 * page, Prot: rw, Flags: unix.MAP_SHARED, Object: o})
	child := fork(t, as)
	key := func(as *AddressSpace, addr uint64, shared bool) Key {
		k, err := as.FutexKey(addr, shared)
		if err != nil {
			t.Error(err)
		}
		return k
	}
	if key(as, m+8, true) != key(child, n+page+8, true) {
		t.Error("one word of a file, two keys")
	}
	if key(as, m+8, true) == key(as, m+12, true) || key(as, a, true) == key(child, a, true) || key(as, m, false) == key(child, m, false) {
		t.Error("two words, one key")
	}
	if key(as, a, true) != key(as, a, false) {
		t.Error("private memory: the flag changes the key")
	}
	_, err := as.FutexKey(a+1, false)
	wantErr(t, "unaligned", err, unix.EINVAL)
	_, err = as.FutexKey(0x1000000, true)
	wantErr(t, "not mapped", err, unix.EFAULT)
	_, err = as.FutexKey(1<<63, false)
	wantErr(t, "kernel address", err, unix.EFAULT)
	child.Unref()
}

// smaps is true to the page.
func TestMeasure(t *testing.T) {
	as := newSpace(t)
	a := mapAnon(t, as, 10)
	dirty(t, as, a, 6, 1)
	child := fork(t, as)
	dirty(t, child, a, 2, 1)
	var got []string
	child.EachVMA(true, func(v VMAInfo) {
		got = append(got, fmt.Sprint(v.RSS/page, v.PSS/page, v.PrivateDirty/page, v.SharedDirty/page, v.Anonymous/page))
	})
	if len(got) != 1 || got[0] != "6 4 2 4 6" {
		t.Errorf("%q", got)
	}
	if s := child.Stats(); s.PeakRSS != 6 || s.TotalVM != 10 || s.DataVM != 10 {
		t.Errorf("%+v", s)
	}
	child.Munmap(a, 10*page)
	if s := child.Stats(); s.PeakRSS != 6 || s.RSS() != 0 || s.PeakVM != 10 {
		t.Errorf("%+v", s)
	}
	child.Unref()
}

// When memory ends: the hook is asked, the operation fails, nothing is lost.
func TestOutOfMemory(t *testing.T) {
	as := newSpace(t)
	asked := 0
	victim, _ := New()
	v := mapAnon(t, victim, 1000)
	dirty(t, victim, v, 1000, 1)
	OutOfMemory = func(*AddressSpace, string) bool {
		asked++
		if victim == nil {
			return false
		}
		victim.Unref()
		victim = nil
		return true
	}
	defer func() { OutOfMemory = nil }()
	addr := mustMap(t, as, MmapRequest{Len: 1 << 30, Prot: rw, Flags: anon | unix.MAP_NORESERVE})
	var err error
	n := uint64(0)
	for ; err == nil; n++ {
		err = as.Write32(addr+n*page, 1)
	}
	if err != unix.EFAULT || asked < 2 || victim != nil {
		t.Errorf("after %d pages: %v, hook asked %d times", n, err, asked)
	}
	if e := as.Fault(addr+n*page, arch.AccessWrite, nil); e == nil || !e.OOM {
		t.Errorf("fault: %+v", e)
	}
	if _, err := as.Fork(); err != nil && err != unix.ENOMEM {
		t.Errorf("fork: %v", err)
	}
	o := NewObject(nil)
	it := BytesIter(make([]byte, page))
	if _, err := o.WriteAt(&it, 0); err != unix.ENOMEM {
		t.Errorf("write: %v", err)
	}
	o.Unref()
}

func BenchmarkAnonymousFault(b *testing.B) {
	as := newSpace(b)
	const n = 10000
	addr := mapAnon(b, as, n)
	for i := 0; i < b.N; i++ {
		if i%n == 0 {
			b.StopTimer()
			as.Madvise(addr, n*page, unix.MADV_DONTNEED, nil)
			b.StartTimer()
		}
		as.Fault(addr+uint64(i%n)*page, arch.AccessWrite, nil)
	}
}

func BenchmarkFork(b *testing.B) {
	as := newSpace(b)
	const n = 16384 // 64 MiB
	addr := mapAnon(b, as, n)
	dirty(b, as, addr, n, 1)
	for i := 0; i < b.N; i++ {
		c, _ := as.Fork()
		c.Unref()
	}
}
