package mm

import (
	"testing"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

func fork(t testing.TB, as *AddressSpace) *AddressSpace {
	t.Helper()
	c, err := as.Fork()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The counts of acceptance: a fork copies nothing, k writes copy k pages, and
// what only one process still has is claimed.
func TestForkCopiesOnlyWhatIsWritten(t *testing.T) {
	const n, k = 1000, 137
	as := newSpace(t)
	addr := mapAnon(t, as, n)
	dirty(t, as, addr, n, 1)
	before := arch.ReadFrameStats()

	child := fork(t, as)
	if now := arch.ReadFrameStats(); now.Anon != before.Anon {
		t.Errorf("fork copied %d pages", now.Anon-before.Anon)
	}
	if c := as.Stats().COWCopies + child.Stats().COWCopies; c != 0 {
		t.Errorf("fork counts %d copies", c)
	}
	expect(t, child, addr, n, 1)
	dirty(t, child, addr, k, 2)
	if s := child.Stats(); s.COWCopies != k || s.COWClaims != 0 {
		t.Errorf("%d writes of the child: %d copies, %d claims", k, s.COWCopies, s.COWClaims)
	}
	if now := arch.ReadFrameStats(); now.Anon != before.Anon+k {
		t.Errorf("%d writes took %d frames", k, now.Anon-before.Anon)
	}
	expect(t, as, addr, n, 1)

	// The parent goes (here: drops the memory); the child writes the rest.
	if err := as.Munmap(addr, n*page); err != nil {
		t.Fatal(err)
	}
	dirty(t, child, addr, n, 3)
	if s := child.Stats(); s.COWCopies != k || s.COWClaims != n-k {
		t.Errorf("last owner: %d copies, %d claims; want %d, %d", s.COWCopies, s.COWClaims, k, n-k)
	}
	expect(t, child, addr, n, 3)
	child.Unref()
}

func TestParentClaimsAfterChildExits(t *testing.T) {
	const n = 50
	as := newSpace(t)
	addr := mapAnon(t, as, n)
	dirty(t, as, addr, n, 1)
	fork(t, as).Unref()
	dirty(t, as, addr, n, 9)
	if s := as.Stats(); s.COWCopies != 0 || s.COWClaims != n {
		t.Errorf("%d copies, %d claims; want 0, %d", s.COWCopies, s.COWClaims, n)
	}
}

func TestForkSharesSharedMemory(t *testing.T) {
	as := newSpace(t)
	addr := mustMap(t, as, MmapRequest{Len: 8 * page, Prot: rw, Flags: unix.MAP_SHARED | unix.MAP_ANONYMOUS})
	dirty(t, as, addr, 8, 1)
	child := fork(t, as)
	expect(t, child, addr, 8, 1)
	dirty(t, child, addr, 8, 0x40)
	expect(t, as, addr, 8, 0x40)
	if s := child.Stats(); s.COWCopies+s.COWClaims != 0 {
		t.Errorf("shared memory: %d copies, %d claims", s.COWCopies, s.COWClaims)
	}
	child.Unref()
}

func TestForkManyGenerations(t *testing.T) {
	const n = 20
	as := newSpace(t)
	addr := mapAnon(t, as, n)
	dirty(t, as, addr, n, 0)
	gen := []*AddressSpace{as}
	for g := 1; g < 10; g++ {
		c := fork(t, gen[g-1])
		dirty(t, c, addr, n, byte(g*10))
		gen = append(gen, c)
	}
	for g, c := range gen {
		expect(t, c, addr, n, byte(g*10))
	}
	for _, c := range gen[1:] {
		c.Unref()
	}
}

func TestForkAdvice(t *testing.T) {
	as := newSpace(t)
	a := mapAnon(t, as, 4)
	b := mapAnon(t, as, 4)
	dirty(t, as, a, 4, 1)
	dirty(t, as, b, 4, 1)
	if err := as.Madvise(a, 4*page, unix.MADV_DONTFORK, nil); err != nil {
		t.Fatal(err)
	}
	if err := as.Madvise(b, 4*page, unix.MADV_WIPEONFORK, nil); err != nil {
		t.Fatal(err)
	}
	child := fork(t, as)
	if got := faultCode(child, a, 0); got != segvMaperr {
		t.Errorf("MADV_DONTFORK memory in the child: %#x", got)
	}
	var p [1]byte
	if err := child.CopyIn(p[:], b); err != nil || p[0] != 0 {
		t.Errorf("MADV_WIPEONFORK memory in the child: %d, %v", p[0], err)
	}
	child.Unref()
}

// A file that has more pages than fork copies entries: the child faults the
// others in. What it has and what it has not are counted, and a file that is
// cut off takes its pages from the child, too.
func TestForkManyFilePages(t *testing.T) {
	const n = copiedCachePages + 100
	as := newSpace(t)
	o := NewObject(nil)
	defer o.Unref()
	fill(t, o, n, 1)
	addr := mustMap(t, as, MmapRequest{Len: n * page, Prot: rw, Flags: unix.MAP_PRIVATE, Object: o})
	expect(t, as, addr, n, 1)
	child := fork(t, as)
	if s := child.Stats(); s.RSS() != copiedCachePages {
		t.Errorf("child starts with %d pages, want %d", s.RSS(), copiedCachePages)
	}
	expect(t, child, addr, n, 1)
	grandchild := fork(t, child)
	if err := o.Truncate(page); err != nil {
		t.Fatal(err)
	}
	for i, s := range []*AddressSpace{as, child, grandchild} {
		if got := s.Stats().RSS(); got != 1 {
			t.Errorf("address space %d has %d pages of a file of one", i, got)
		}
	}
	grandchild.Unref()
	child.Unref()
}

// Program text is shared with its table, and stays the same for both.
func TestForkSharesText(t *testing.T) {
	const n = 200
	as := newSpace(t)
	o := NewObject(nil)
	defer o.Unref()
	fill(t, o, n, 1)
	addr := mustMap(t, as, MmapRequest{Len: n * page, Prot: unix.PROT_READ | unix.PROT_EXEC, Flags: unix.MAP_PRIVATE, Object: o})
	expect(t, as, addr, n/2, 1)
	child := fork(t, as)
	if s := as.Stats(); s.TableShares == 0 {
		t.Error("no table was shared")
	}
	expect(t, child, addr, n, 1)
	if p, c := as.Stats().RSS(), child.Stats().RSS(); p < n/2 || p > n/2+faultAroundPages || c != n {
		t.Errorf("resident: parent %d, child %d pages", p, c)
	}
	child.Unref()
	expect(t, as, addr, n, 1)
}

// Private file pages: the child sees them, copies stay private.
func TestForkPrivateFile(t *testing.T) {
	as := newSpace(t)
	o := NewObject(nil)
	defer o.Unref()
	fill(t, o, 40, 1)
	addr := mustMap(t, as, MmapRequest{Len: 40 * page, Prot: rw, Flags: unix.MAP_PRIVATE, Object: o})
	expect(t, as, addr, 40, 1)
	dirty(t, as, addr, 10, 0x80)
	child := fork(t, as)
	if s := child.Stats(); s.RSSAnon != 10 || s.RSS() != 40 {
		t.Errorf("child starts with %d anonymous of %d resident pages, want 10 of 40", s.RSSAnon, s.RSS())
	}
	expect(t, child, addr, 10, 0x80)
	expect(t, child, addr+10*page, 30, 11)
	dirty(t, child, addr, 10, 0x20)
	expect(t, as, addr, 10, 0x80)
	child.Unref()
	buf := make([]byte, 1)
	it := BytesIter(buf)
	if _, err := o.ReadAt(&it, 0, o.Size()); err != nil || buf[0] != 1 {
		t.Errorf("the file changed: %d, %v", buf[0], err)
	}
}

func TestZeroPageIsNotCounted(t *testing.T) {
	as := newSpace(t)
	addr := mapAnon(t, as, 16)
	before := arch.ReadFrameStats().Anon
	expectZero(t, as, addr, 16*page)
	if now := arch.ReadFrameStats().Anon; now != before {
		t.Errorf("reading took %d frames", now-before)
	}
	if rss := as.Stats().RSS(); rss != 0 {
		t.Errorf("reading made %d pages resident", rss)
	}
	child := fork(t, as)
	dirty(t, child, addr, 16, 5)
	expectZero(t, as, addr, 16*page)
	if s := child.Stats(); s.COWCopies != 0 || s.ZeroFills != 16 {
		t.Errorf("%d copies, %d zero fills; want 0, 16", s.COWCopies, s.ZeroFills)
	}
	child.Unref()
}

func expectZero(t testing.TB, as *AddressSpace, addr uint64, n int) {
	t.Helper()
	buf := make([]byte, n)
	if err := as.CopyIn(buf, addr); err != nil {
		t.Fatal(err)
	}
	for i, b := range buf {
		if b != 0 {
			t.Fatalf("byte %#x is %#x, want 0", i, b)
		}
	}
}

func TestManyForksLoseNothing(t *testing.T) {
	as := newSpace(t)
	addr := mapAnon(t, as, 64)
	dirty(t, as, addr, 64, 1)
	before := arch.ReadFrameStats()
	for i := 0; i < 2000; i++ {
		c := fork(t, as)
		if err := c.Write32(addr+uint64(i%64)*page, 7); err != nil {
			t.Fatal(err)
		}
		c.Unref()
	}
	if after := arch.ReadFrameStats(); after != before {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// Fork of a big process copies neither pages nor last-level tables; the first
// write under a shared table copies that table, the last owner claims it.
func TestForkSharesTables(t *testing.T) {
	const tables = 8
	const n = tables * 512
	as := newSpace(t)
	addr := mustMap(t, as, MmapRequest{Addr: 0x40000000, Len: n * page, Prot: rw, Flags: anon | unix.MAP_FIXED})
	dirty(t, as, addr, n, 1)
	before := arch.ReadFrameStats()
	child := fork(t, as)
	if now := arch.ReadFrameStats(); now.PageTable != before.PageTable+3 {
		t.Errorf("fork took %d page-table pages, want 3: the upper levels", now.PageTable-before.PageTable)
	}
	if s := as.Stats(); s.TableShares != tables || s.ForkCopied != 0 {
		t.Errorf("%d tables shared, %d entries copied", s.TableShares, s.ForkCopied)
	}
	if a, c := as.Stats(), child.Stats(); a.RSSAnon != n || c.RSSAnon != n || a.PageTables != c.PageTables {
		t.Errorf("parent %+v, child %+v", a, c)
	}
	expect(t, child, addr, n, 1)
	// One write in each of two tables.
	child.Write32(addr, 7)
	child.Write32(addr+512*page, 7)
	if s := child.Stats(); s.TableCopies != 2 || s.COWCopies != 2 {
		t.Errorf("2 writes: %d tables and %d pages copied", s.TableCopies, s.COWCopies)
	}
	expect(t, as, addr, n, 1)
	// The child frees half of it: whole tables go without being copied.
	if err := child.Munmap(addr+n/2*page, n/2*page); err != nil {
		t.Fatal(err)
	}
	if s := child.Stats(); s.TableCopies != 2 || s.RSSAnon != n/2 {
		t.Errorf("munmap: %d tables copied, %d pages left", s.TableCopies, s.RSSAnon)
	}
	child.Unref()
	// The parent is the last owner: tables and pages are claimed.
	dirty(t, as, addr, n, 3)
	if s := as.Stats(); s.COWCopies != 0 || s.TableCopies != 0 || s.COWClaims != n {
		t.Errorf("last owner: %d pages and %d tables copied, %d claims", s.COWCopies, s.TableCopies, s.COWClaims)
	}
	if now := arch.ReadFrameStats(); now != before {
		t.Errorf("before %+v, after %+v", before, now)
	}
}

// Tables of one large VMA on both sides of a gigabyte: those with many pages
// are shared, again and again, the others copied; each side keeps its own.
func TestForkSharesRunsOfTables(t *testing.T) {
	const edge = 8 << 30
	as := newSpace(t)
	lo := uint64(edge - 4*arch.LeafSpan)
	mustMap(t, as, MmapRequest{Addr: lo, Len: 8 * arch.LeafSpan, Prot: rw, Flags: anon | unix.MAP_FIXED})
	// Pages to write in each table; none in one of them.
	pages := []int{100, 100, 3, 100, 100, 0, 512, 100}
	base := func(table int) uint64 { return lo + uint64(table)*arch.LeafSpan }
	write := func(as *AddressSpace, b byte) {
		for i, n := range pages {
			dirty(t, as, base(i), n, b)
		}
	}
	check := func(as *AddressSpace, b byte) {
		t.Helper()
		for i, n := range pages {
			expect(t, as, base(i), n, b)
		}
	}
	write(as, 1)
	rss := as.Stats().RSSAnon
	var children []*AddressSpace
	for round := uint64(1); round <= 3; round++ {
		c := fork(t, as)
		children = append(children, c)
		if got := as.Stats().TableShares; got != 6*round {
			t.Errorf("%d forks shared %d tables, want %d", round, got, 6*round)
		}
		if got := c.Stats().RSSAnon; got != rss {
			t.Errorf("a child has %d resident pages, want %d", got, rss)
		}
		check(c, 1)
	}
	// Two tables become the parent's own; then it forks once more.
	dirty(t, as, base(0), 100, 9)
	dirty(t, as, base(7), 1, 9)
	pages[0], pages[7] = 0, 0
	children = append(children, fork(t, as))
	write(children[0], 40)
	children[1].Unref()
	check(children[0], 40)
	check(children[2], 1)
	check(children[3], 1)
	check(as, 1)
	expect(t, as, base(0), 100, 9)
	expect(t, children[2], base(0), 100, 1)
	expect(t, children[3], base(0), 100, 9)
	children[0].Unref()
	children[3].Unref()
	check(as, 1)
	check(children[2], 1)
	children[2].Unref()
	write(as, 70)
	check(as, 70)
}
