package mm

import (
	"bytes"
	"errors"
	"math/rand"
	"testing"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

func readAll(t testing.TB, o *Object, off int64, n int) []byte {
	t.Helper()
	buf := make([]byte, n)
	it := BytesIter(buf)
	m, err := o.ReadAt(&it, off, o.Size())
	if err != nil {
		t.Fatal(err)
	}
	return buf[:m]
}

// ReadAt, WriteAt, Truncate and PunchHole against a byte slice.
func TestObjectAgainstBytes(t *testing.T) {
	before := arch.ReadFrameStats()
	rng := rand.New(rand.NewSource(3))
	o := NewObject(nil)
	var model []byte
	const limit = 300 * page
	for step := 0; step < 3000; step++ {
		off := rng.Intn(limit)
		n := 1 + rng.Intn(5*page)
		switch rng.Intn(8) {
		case 0:
			size := rng.Intn(limit)
			wantErr(t, "truncate", o.Truncate(int64(size)), nil)
			if size < len(model) {
				model = model[:size:size]
			}
			model = append(model, make([]byte, size-len(model))...)
		case 1:
			wantErr(t, "punch", o.PunchHole(int64(off), int64(n)), nil)
			if off < len(model) {
				clear(model[off:min(off+n, len(model))])
			}
		case 2, 3, 4:
			p := make([]byte, n)
			rng.Read(p)
			it := BytesIter(p)
			if m, err := o.WriteAt(&it, int64(off)); m != n || err != nil {
				t.Fatalf("WriteAt: %d, %v", m, err)
			}
			if off+n > len(model) {
				model = append(model, make([]byte, off+n-len(model))...)
			}
			copy(model[off:], p)
		default:
			want := []byte(nil)
			if off < len(model) {
				want = model[off:min(off+n, len(model))]
			}
			if got := readAll(t, o, int64(off), n); !bytes.Equal(got, want) {
				t.Fatalf("step %d: %d bytes at %d differ", step, len(got), off)
			}
		}
		if o.Size() != int64(len(model)) {
			t.Fatalf("step %d: size %d, want %d", step, o.Size(), len(model))
		}
	}
	o.Unref()
	if after := arch.ReadFrameStats(); after != before {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestHolesTakeNoMemory(t *testing.T) {
	o := NewObject(nil)
	defer o.Unref()
	const far = int64(1) << 60
	it := BytesIter([]byte("end"))
	if _, err := o.WriteAt(&it, far); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, o, far-2*page, 3*page); len(got) != 2*page+3 || string(got[2*page:]) != "end" {
		t.Errorf("read %d bytes", len(got))
	}
	if n := o.Pages(); n != 1 {
		t.Errorf("%d pages", n)
	}
	if d := o.NextData(0); d != far {
		t.Errorf("data at %#x", d)
	}
	if h := o.NextHole(far); h != far+3 {
		t.Errorf("hole at %#x", h)
	}
	if h := o.NextHole(5); h != 5 {
		t.Errorf("hole at %#x", h)
	}
	if d := o.NextData(far + 3); d != -1 {
		t.Errorf("data at %#x", d)
	}
	it = BytesIter(make([]byte, 10))
	_, err := o.WriteAt(&it, 1<<63-5)
	wantErr(t, "beyond the largest file", err, unix.EFBIG)
}

func TestPageLimit(t *testing.T) {
	o := NewObject(nil)
	left := int64(4)
	o.SetPageLimit(func(n int64) bool {
		if n > left {
			return false
		}
		left -= n
		return true
	})
	it := BytesIter(make([]byte, 10*page))
	if n, err := o.WriteAt(&it, 0); n != 4*page || err != nil {
		t.Errorf("short write: %d, %v", n, err)
	}
	n, err := o.WriteAt(&it, 4*page)
	if n != 0 || err != unix.ENOSPC {
		t.Errorf("full: %d, %v", n, err)
	}
	o.Truncate(2 * page)
	if left != 2 {
		t.Errorf("%d pages left, want 2", left)
	}
	o.Unref()
	if left != 4 {
		t.Errorf("%d pages left, want 4", left)
	}
}

func TestTruncateUnmaps(t *testing.T) {
	as := newSpace(t)
	o := NewObject(nil)
	defer o.Unref()
	fill(t, o, 20, 1)
	before := arch.ReadFrameStats()
	shared := mustMap(t, as, MmapRequest{Len: 24 * page, Prot: rw, Flags: unix.MAP_SHARED, Object: o})
	private := mustMap(t, as, MmapRequest{Len: 20 * page, Prot: rw, Flags: unix.MAP_PRIVATE, Object: o})
	tail := mustMap(t, as, MmapRequest{Len: 5 * page, Prot: rw, Flags: unix.MAP_SHARED, Object: o, Offset: 15 * page})
	expect(t, as, shared, 20, 1)
	expect(t, as, private, 20, 1)
	expect(t, as, tail, 5, 16)
	dirty(t, as, private, 20, 0x80)
	if got := faultCode(as, shared+20*page, 0); got != busAdrerr {
		t.Errorf("beyond the end: %#x", got)
	}
	child := fork(t, as)
	expect(t, child, private, 20, 0x80)

	o.Truncate(10*page + 100)
	for _, s := range []*AddressSpace{as, child} {
		expect(t, s, shared, 11, 1)
		expect(t, s, private, 11, 0x80)
		for _, addr := range []uint64{shared + 11*page, private + 11*page, tail} {
			if got := faultCode(s, addr, 0); got != busAdrerr {
				t.Errorf("after truncation %#x: %#x", addr, got)
			}
		}
		wantErr(t, "copy beyond the end", s.CopyIn(make([]byte, 1), tail), unix.EFAULT)
	}
	// What was cut off comes back as zeros.
	o.Truncate(20 * page)
	expectZero(t, as, shared+10*page+100, 10*page-100)
	expectZero(t, as, private+11*page, 9*page)
	child.Unref()
	as.Munmap(shared, 24*page)
	as.Munmap(private, 20*page)
	as.Munmap(tail, 5*page)
	if o.Mapped() {
		t.Error("still mapped")
	}
	if after := arch.ReadFrameStats(); after.Anon != before.Anon {
		t.Errorf("%d anonymous pages left", after.Anon-before.Anon)
	}
}

// read(2), write(2) and mappings see the same bytes, even when a file is
// written from its own mapping.
func TestMappingsAndIOAgree(t *testing.T) {
	as := newSpace(t)
	o := NewObject(nil)
	defer o.Unref()
	fill(t, o, 8, 1)
	m := mustMap(t, as, MmapRequest{Len: 8 * page, Prot: rw, Flags: unix.MAP_SHARED, Object: o})
	dirty(t, as, m, 8, 0x30)
	if got := readAll(t, o, 3*page, 1); got[0] != 0x33 {
		t.Errorf("read %#x", got[0])
	}
	it := UserIter(as, m, 4*page)
	if n, err := o.WriteAt(&it, 8*page); n != 4*page || err != nil {
		t.Errorf("WriteAt from the mapping: %d, %v", n, err)
	}
	it = UserIter(as, m+4*page, 4*page)
	if n, err := o.ReadAt(&it, 8*page, o.Size()); n != 4*page || err != nil {
		t.Errorf("ReadAt into the mapping: %d, %v", n, err)
	}
	expect(t, as, m+4*page, 4, 0x30)
	// A bad buffer: what went before it counts.
	it = UserIter(as, m+7*page, 2*page)
	if n, err := o.ReadAt(&it, 0, o.Size()); n != page || err != nil {
		t.Errorf("ReadAt into the end of a mapping: %d, %v", n, err)
	}
	it = UserIter(as, 0x1000000, page)
	if n, err := o.WriteAt(&it, 0); n != 0 || err != unix.EFAULT {
		t.Errorf("WriteAt from nowhere: %d, %v", n, err)
	}
}

func TestFaultAround(t *testing.T) {
	as := newSpace(t)
	o := NewObject(nil)
	defer o.Unref()
	fill(t, o, 64, 1)
	m := mustMap(t, as, MmapRequest{Addr: 0x40000000, Len: 64 * page, Prot: ro | unix.PROT_EXEC, Flags: unix.MAP_PRIVATE | unix.MAP_FIXED, Object: o})
	if got := faultCode(as, m+20*page, arch.AccessExec); got != 0 {
		t.Fatalf("%#x", got)
	}
	s := as.Stats()
	if s.RSSShmem != faultAroundPages || s.MinorFaults != 1 {
		t.Errorf("one touch: %d pages resident, %d faults", s.RSSShmem, s.MinorFaults)
	}
	expect(t, as, m+16*page, 16, 17)
	if s := as.Stats(); s.MinorFaults != 1 {
		t.Errorf("%d faults in a block that was mapped at once", s.MinorFaults)
	}
}

// memPager is a Pager over a byte slice.
type memPager struct {
	data          []byte
	reads, writes int
	fail          error
}

func (p *memPager) ReadPage(idx uint64, f arch.Frame) error {
	p.reads++
	if p.fail != nil {
		return p.fail
	}
	clear(f.Page()[:])
	if off := idx * page; off < uint64(len(p.data)) {
		copy(f.Page()[:], p.data[off:])
	}
	return nil
}

func (p *memPager) WritePage(idx uint64, f arch.Frame) error {
	p.writes++
	copy(p.data[idx*page:], f.Page()[:])
	return nil
}

func TestPager(t *testing.T) {
	as := newSpace(t)
	p := &memPager{data: make([]byte, 64*page)}
	for i := range 64 {
		p.data[i*page] = byte(i)
	}
	o := NewObject(p)
	defer o.Unref()
	o.size.Store(64 * page)
	m := mustMap(t, as, MmapRequest{Addr: 0x40000000, Len: 64 * page, Prot: rw, Flags: unix.MAP_SHARED | unix.MAP_FIXED, Object: o})

	// Demand paging reads what is touched, nothing else.
	expect(t, as, m, 3, 0)
	if s := as.Stats(); p.reads != 3 || s.MajorFaults != 3 {
		t.Errorf("3 pages touched: %d read, %d major faults", p.reads, s.MajorFaults)
	}
	dirty(t, as, m, 2, 0x70)
	wantErr(t, "msync", as.Msync(m, 64*page, unix.MS_SYNC), nil)
	if p.writes != 2 || p.data[page] != 0x71 {
		t.Errorf("%d pages written back", p.writes)
	}
	wantErr(t, "msync", as.Msync(m, 64*page, unix.MS_SYNC), nil)
	if p.writes != 2 {
		t.Errorf("clean pages written back: %d", p.writes-2)
	}
	dirty(t, as, m, 1, 0x55)
	wantErr(t, "sync", o.Sync(), nil)
	if p.writes != 3 || p.data[0] != 0x55 {
		t.Errorf("%d pages written back, want 3", p.writes)
	}
	// Nobody maps it any more: memory pressure takes clean pages, not dirty ones.
	dirty(t, as, m, 1, 0x66)
	as.Munmap(m, 64*page)
	if n := dropCache(1000); n != 2 || o.Pages() != 1 {
		t.Errorf("%d pages dropped, %d left", n, o.Pages())
	}
	if got := readAll(t, o, 0, 2*page); got[0] != 0x66 || got[page] != 0x71 {
		t.Errorf("read %#x %#x", got[0], got[page])
	}
	// A device error is a SIGBUS, or read's error.
	p.fail = unix.EIO
	m = mustMap(t, as, MmapRequest{Len: 64 * page, Prot: ro, Flags: unix.MAP_PRIVATE, Object: o})
	if got := faultCode(as, m+30*page, 0); got != busAdrerr {
		t.Errorf("device error: %#x", got)
	}
	it := BytesIter(make([]byte, 10))
	if _, err := o.ReadAt(&it, 30*page, o.Size()); !errors.Is(err, unix.EIO) {
		t.Errorf("device error: %v", err)
	}
}
