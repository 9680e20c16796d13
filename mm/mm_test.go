package mm

import (
	"os"
	"testing"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

const (
	page = arch.PageSize
	rw   = unix.PROT_READ | unix.PROT_WRITE
	ro   = unix.PROT_READ
	anon = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
)

func TestMain(m *testing.M) {
	arch.InitHost(256 << 20)
	makeZeroPage() // so that it is in every count
	os.Exit(m.Run())
}

// newSpace returns an address space and checks, when the test ends and the
// address space has been dropped, that every frame has come back.
func newSpace(t testing.TB) *AddressSpace {
	t.Helper()
	before := arch.ReadFrameStats()
	as, err := New()
	if err != nil {
		t.Fatal(err)
	}
	l := as.Layout()
	l.StartBrk = 0x10000000
	l.MmapBase = 0x7fff00000000
	as.SetLayout(l)
	t.Cleanup(func() {
		as.Unref()
		if after := arch.ReadFrameStats(); after != before {
			t.Errorf("frames lost: before %+v, after %+v", before, after)
		}
	})
	return as
}

// mapAnon maps n pages of private anonymous memory.
func mapAnon(t testing.TB, as *AddressSpace, n int) uint64 {
	t.Helper()
	return mustMap(t, as, MmapRequest{Len: uint64(n) * page, Prot: rw, Flags: anon})
}

func mustMap(t testing.TB, as *AddressSpace, req MmapRequest) uint64 {
	t.Helper()
	addr, err := as.Mmap(req)
	if err != nil {
		t.Fatalf("mmap %+v: %v", req, err)
	}
	return addr
}

// dirty writes one byte to each of n pages.
func dirty(t testing.TB, as *AddressSpace, addr uint64, n int, b byte) {
	t.Helper()
	for i := 0; i < n; i++ {
		if err := as.CopyOut(addr+uint64(i)*page, []byte{b + byte(i)}); err != nil {
			t.Fatalf("write page %d: %v", i, err)
		}
	}
}

// expect reads one byte of each of n pages.
func expect(t testing.TB, as *AddressSpace, addr uint64, n int, b byte) {
	t.Helper()
	for i := 0; i < n; i++ {
		var got [1]byte
		if err := as.CopyIn(got[:], addr+uint64(i)*page); err != nil {
			t.Fatalf("read page %d: %v", i, err)
		}
		if got[0] != b+byte(i) {
			t.Fatalf("page %d holds %#x, want %#x", i, got[0], b+byte(i))
		}
	}
}

// fill makes a file of n pages whose page i begins with b+i.
func fill(t testing.TB, o *Object, n int, b byte) {
	t.Helper()
	for i := 0; i < n; i++ {
		buf := make([]byte, page)
		buf[0] = b + byte(i)
		it := BytesIter(buf)
		if m, err := o.WriteAt(&it, int64(i)*page); m != page || err != nil {
			t.Fatalf("WriteAt page %d: %d, %v", i, m, err)
		}
	}
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if err != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// faultCode tells how Fault answers: 0 resolved, else signal<<8|code.
func faultCode(as *AddressSpace, addr uint64, acc arch.Access) int {
	e := as.Fault(addr, acc, nil)
	if e == nil {
		return 0
	}
	return int(e.Signal)<<8 | int(e.Code)
}

const (
	segvMaperr = int(unix.SIGSEGV)<<8 | SEGV_MAPERR
	segvAccerr = int(unix.SIGSEGV)<<8 | SEGV_ACCERR
	busAdrerr  = int(unix.SIGBUS)<<8 | BUS_ADRERR
)
