package mm

import (
	"fmt"
	"math/rand"
	"testing"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// The window in which the random operations happen: it crosses a boundary of
// leaf tables.
const (
	modelPages = 48
	modelBase  = 0x200000*5 - 20*page
	filePages  = 24
)

// modelPage is what a naive memory would know about a page.
type modelPage struct {
	mapped bool
	prot   int
	file   *modelFile // nil: anonymous
	shared bool
	idx    int  // page of the file
	own    bool // private copy
	val    byte
}

type modelFile struct {
	obj  *Object
	val  [filePages]byte
	size int // pages
}

// modelSpace is an AddressSpace beside its model.
type modelSpace struct {
	as *AddressSpace
	p  [modelPages]modelPage
}

func (m *modelSpace) addr(i int) uint64 { return modelBase + uint64(i)*page }

// read returns what reading page i gives: value, or a fault code.
func (m *modelSpace) read(i int) (byte, int) {
	p := &m.p[i]
	switch {
	case !p.mapped:
		return 0, segvMaperr
	case p.prot == 0:
		return 0, segvAccerr
	case p.own || p.file == nil:
		return p.val, 0
	case p.idx >= p.file.size:
		return 0, busAdrerr
	}
	return p.file.val[p.idx], 0
}

func (m *modelSpace) write(i int, b byte) int {
	p := &m.p[i]
	switch {
	case !p.mapped:
		return segvMaperr
	case p.prot&unix.PROT_WRITE == 0:
		return segvAccerr
	case p.file == nil:
		p.val = b
	case p.own:
		p.val = b
	case p.idx >= p.file.size:
		return busAdrerr
	case p.shared:
		p.file.val[p.idx] = b
	default:
		p.own, p.val = true, b
	}
	return 0
}

// populate does what mlock does to private writable pages of files: they are
// copied at once. A hole in the range prevents it, a page beyond the end of
// file ends it.
func (m *modelSpace) populate(lo, n int) {
	for i := lo; i < lo+n; i++ {
		if !m.p[i].mapped {
			return
		}
	}
	for i := lo; i < lo+n; i++ {
		p := &m.p[i]
		if p.prot == 0 || p.file == nil || p.own {
			continue
		}
		if p.idx >= p.file.size {
			return
		}
		if !p.shared && p.prot&unix.PROT_WRITE != 0 {
			p.own, p.val = true, p.file.val[p.idx]
		}
	}
}

func (m *modelSpace) clone(t testing.TB) *modelSpace {
	c, err := m.as.Fork()
	if err != nil {
		t.Fatal(err)
	}
	return &modelSpace{c, m.p}
}

func (m *modelSpace) check(t testing.TB, what string) {
	t.Helper()
	for i := range m.p {
		want, code := m.read(i)
		var got [1]byte
		err := m.as.CopyIn(got[:], m.addr(i)+uint64(i))
		if code != 0 {
			if err == nil {
				t.Fatalf("%s: page %d reads %#x, want fault %#x", what, i, got[0], code)
			}
			if c := faultCode(m.as, m.addr(i), 0); c != code {
				t.Fatalf("%s: page %d faults %#x, want %#x", what, i, c, code)
			}
			continue
		}
		if err != nil || got[0] != want {
			v := m.as.vmas.find(m.addr(i))
			t.Fatalf("%s: page %d reads %#x, %v; want %#x (model %+v; VMA %#x-%#x page %d)", what, i, got[0], err, want, m.p[i], v.start, v.end, v.pgoff)
		}
	}
	m.as.mu.Lock()
	checkTree(t, &m.as.vmas)
	m.checkAccount(t, what)
	m.as.mu.Unlock()
}

// checkAccount recounts what the address space keeps in running totals.
func (m *modelSpace) checkAccount(t testing.TB, what string) {
	t.Helper()
	var total, data, locked uint64
	var anon, shmem int64
	for v := m.as.vmas.first; v != nil; v = v.next {
		total += v.pages()
		if v.isData() {
			data += v.pages()
		}
		if v.is(vmLocked) {
			locked += v.pages()
		}
		if n := v.next; n != nil && v.canFollow(n) {
			t.Fatalf("%s: VMAs at %#x and %#x should be one", what, v.start, n.start)
		}
		m.as.eachEntry(v.start, v.end, func(va uint64, p *arch.PTE, e arch.PTE) {
			if pteHasFrame(e) {
				if e.Frame().Use() == arch.UseAnon {
					anon++
				} else {
					shmem++
				}
			}
		})
	}
	if total != m.as.totalVM || data != m.as.dataVM || locked != m.as.lockedVM {
		t.Fatalf("%s: total %d data %d locked %d, counted %d %d %d", what,
			m.as.totalVM, m.as.dataVM, m.as.lockedVM, total, data, locked)
	}
	if anon != m.as.rssAnon.Load() || shmem != m.as.rssShmem.Load() {
		t.Fatalf("%s: resident %d anonymous %d shared, counted %d %d", what,
			m.as.rssAnon.Load(), m.as.rssShmem.Load(), anon, shmem)
	}
}

// Random sequences of memory calls, forks, reads and writes against the model.
func TestRandomOperations(t *testing.T) {
	seeds := 60
	if testing.Short() {
		seeds = 10
	}
	for seed := 0; seed < seeds; seed++ {
		// Fork shares tables from so many pages on.
		share := []int{64, 1, 5}[seed%3]
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			defer func(n int) { sharePages = n }(sharePages)
			sharePages = share
			runModel(t, int64(seed), 400)
		})
	}
}

func runModel(t *testing.T, seed int64, steps int) {
	rng := rand.New(rand.NewSource(seed))
	before := arch.ReadFrameStats()
	defer func() {
		if after := arch.ReadFrameStats(); !t.Failed() && after != before {
			t.Errorf("frames lost: before %+v, after %+v", before, after)
		}
	}()
	as, err := New()
	if err != nil {
		t.Fatal(err)
	}
	spaces := []*modelSpace{{as: as}}
	files := []*modelFile{{obj: NewObject(nil)}, {obj: NewObject(nil)}}
	for _, f := range files {
		f.obj.Truncate(filePages * page)
		f.size = filePages
	}
	prots := []int{0, ro, rw, rw, rw, ro | unix.PROT_EXEC}
	var op string
	for step := 0; step < steps; step++ {
		m := spaces[rng.Intn(len(spaces))]
		lo := rng.Intn(modelPages)
		n := 1 + rng.Intn(min(12, modelPages-lo))
		addr, size := m.addr(lo), uint64(n)*page
		b := byte(1 + rng.Intn(255))
		switch k := rng.Intn(16); k {
		case 0, 1: // map
			req := MmapRequest{Addr: addr, Len: size, Prot: prots[rng.Intn(len(prots))], Flags: unix.MAP_FIXED}
			want := modelPage{mapped: true, prot: req.Prot}
			switch rng.Intn(4) {
			case 0, 1:
				req.Flags |= anon
			case 2, 3:
				f := files[rng.Intn(len(files))]
				req.Object = f.obj
				want.file = f
				want.idx = rng.Intn(filePages)
				req.Offset = uint64(want.idx) * page
				req.Flags |= unix.MAP_PRIVATE
				if rng.Intn(2) == 0 {
					req.Flags ^= unix.MAP_PRIVATE ^ unix.MAP_SHARED
					want.shared = true
				}
			}
			op = fmt.Sprintf("mmap %+v", req)
			if _, err := m.as.Mmap(req); err != nil {
				t.Fatal(op, err)
			}
			for i := lo; i < lo+n; i++ {
				m.p[i] = want
				if want.file != nil {
					want.idx++
				}
			}
		case 2: // unmap
			op = fmt.Sprintf("munmap %d+%d", lo, n)
			if err := m.as.Munmap(addr, size); err != nil {
				t.Fatal(op, err)
			}
			for i := lo; i < lo+n; i++ {
				m.p[i] = modelPage{}
			}
		case 3, 4: // protect
			prot := prots[rng.Intn(len(prots))]
			op = fmt.Sprintf("mprotect %d+%d %d", lo, n, prot)
			err := m.as.Mprotect(addr, size, prot)
			hole := false
			for i := lo; i < lo+n && !hole; i++ {
				if hole = !m.p[i].mapped; !hole {
					m.p[i].prot = prot
				}
			}
			if (err == unix.ENOMEM) != hole || err != nil && !hole {
				t.Fatalf("%s: %v, hole %v", op, err, hole)
			}
		case 5: // advice
			op = fmt.Sprintf("madvise %d+%d DONTNEED", lo, n)
			m.as.Madvise(addr, size, unix.MADV_DONTNEED, nil)
			for i := lo; i < lo+n; i++ {
				m.p[i].own, m.p[i].val = false, 0
			}
		case 6: // move within the window
			to := rng.Intn(modelPages - n + 1)
			if to < lo+n && lo < to+n {
				continue
			}
			op = fmt.Sprintf("mremap %d+%d to %d", lo, n, to)
			_, err := m.as.Mremap(addr, size, size, unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED, m.addr(to), nil)
			if err == nil {
				for i := 0; i < n; i++ {
					m.p[to+i] = m.p[lo+i]
					m.p[lo+i] = modelPage{}
				}
			} else {
				// The target is unmapped even so, unless the source was no mapping at all.
				if m.p[lo].mapped {
					for i := 0; i < n; i++ {
						m.p[to+i] = modelPage{}
					}
				} else if err != unix.EFAULT {
					t.Fatal(op, err)
				}
			}
		case 7: // fork, or end of one
			if len(spaces) < 4 {
				op = "fork"
				spaces = append(spaces, m.clone(t))
			} else {
				op = "exit"
				i := rng.Intn(len(spaces))
				spaces[i].as.Unref()
				spaces = append(spaces[:i], spaces[i+1:]...)
			}
		case 8: // truncate, and grow again
			f := files[rng.Intn(len(files))]
			size := rng.Intn(filePages)
			op = fmt.Sprintf("truncate to %d", size)
			f.obj.Truncate(int64(size) * page)
			for i := size; i < filePages; i++ {
				f.val[i] = 0
			}
			f.size = size
			for _, s := range spaces {
				for i := range s.p {
					if p := &s.p[i]; p.file == f && p.idx >= size {
						p.own = false
					}
				}
			}
			if rng.Intn(2) == 0 {
				f.obj.Truncate(filePages * page)
				f.size = filePages
			}
		case 9: // write(2) to a file
			f := files[rng.Intn(len(files))]
			at := rng.Intn(filePages)
			op = fmt.Sprintf("write page %d", at)
			buf := make([]byte, page)
			for i := range buf {
				buf[i] = b
			}
			it := BytesIter(buf)
			if _, err := f.obj.WriteAt(&it, int64(at)*page); err != nil {
				t.Fatal(op, err)
			}
			f.val[at] = b
			f.size = max(f.size, at+1)
		case 10: // lock
			op = fmt.Sprintf("mlock %d+%d", lo, n)
			m.as.Mlock(addr, size, 0, nil)
			m.as.Munlockall()
			m.populate(lo, n)
		default: // store to whole pages
			op = fmt.Sprintf("store %d+%d", lo, n)
			for i := lo; i < lo+n; i++ {
				code := m.write(i, b)
				buf := make([]byte, page)
				for j := range buf {
					buf[j] = b
				}
				err := m.as.CopyOut(m.addr(i), buf)
				if (code != 0) != (err != nil) {
					t.Fatalf("%s: page %d: %v, want fault %#x", op, i, err, code)
				}
			}
		}
		for _, s := range spaces {
			s.check(t, fmt.Sprintf("step %d: %s", step, op))
		}
	}
	for _, s := range spaces {
		s.as.Unref()
	}
	for _, f := range files {
		if r := f.obj.refs.Load(); r != 1 {
			t.Errorf("file has %d references left", r)
		}
		f.obj.Unref()
	}
}
