package amd64

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"unsafe"
)

// The vDSO (vdso(7)): a small shared object that the kernel maps into every
// process, with the calls that need no kernel at all. It is one page; the page
// below it holds what the functions read, struct vdsoData. Programs find it by
// AT_SYSINFO_EHDR and look its functions up like those of any library:
// version LINUX_2.6, names as Linux has them.

// vdsoCode are the addresses of the functions in the kernel's own text.
var vdsoCode [5]uintptr

// vdsoSymbols are the names, in the order of vdsoCode. Each exists with the
// prefix __vdso_ and without.
var vdsoSymbols = [len(vdsoCode)]string{"clock_gettime", "clock_getres", "gettimeofday", "time", "getcpu"}

// vdsoData is the data page, as the functions in vdso_amd64.s know it.
type vdsoData struct {
	seq   uint32 // odd while it is being written
	flags uint32 // vdsoClock, vdsoCPU
	base  uint64 // TSC at Nanotime 0
	mult  uint64 // ns per TSC tick, times 2^32
	wall  int64  // WallOffset
	// coarse is CoarseTime: Nanotime as of the last tick of any CPU, or the last
	// time that one stopped being idle. seq has nothing to do with it: it is one
	// word, and so is wall. The kernel reads this very word, too: with one of its
	// own, now one and now the other would be ahead.
	coarse int64 // atomic
}

const (
	vdsoHasClock = 1 << 0 // the TSC is the clock
	vdsoHasCPU   = 1 << 1 // RDTSCP tells the number of the CPU
)

// vdsoPage is the data page all processes share.
var vdsoPage struct {
	mu   sync.Mutex // guards writing
	data atomic.Pointer[vdsoData]
}

// SetVDSOData says which frame is the data page of the vDSO, and fills it in.
func SetVDSOData(f Frame) {
	vdsoPage.mu.Lock()
	d := (*vdsoData)(unsafe.Pointer(f.Page()))
	atomic.StoreInt64(&d.coarse, coarseTime())
	vdsoPage.data.Store(d)
	vdsoPage.mu.Unlock()
	UpdateVDSO()
}

// UpdateVDSO brings the data page up to date after SetWallOffset.
func UpdateVDSO() {
	vdsoPage.mu.Lock()
	defer vdsoPage.mu.Unlock()
	if d := vdsoPage.data.Load(); d != nil {
		d.update(clockData())
	}
}

// update writes n to the page; a reader that comes in between tries again.
func (d *vdsoData) update(n vdsoData) {
	atomic.AddUint32(&d.seq, 1)
	atomic.StoreUint32(&d.flags, n.flags)
	atomic.StoreUint64(&d.base, n.base)
	atomic.StoreUint64(&d.mult, n.mult)
	atomic.StoreInt64(&d.wall, n.wall)
	atomic.AddUint32(&d.seq, 1)
}

var (
	vdsoEnd    = []byte("\x0f\x0bnd.vdso.") // END in vdso_amd64.s
	vdsoMarker = []byte{0x53, 0x52, 0x4d, 0x7a}
)

// vdsoFunction returns the code of function i.
func vdsoFunction(i int) []byte {
	code := unsafe.Slice((*byte)(unsafe.Add(nil, vdsoCode[i])), 512)
	return code[:bytes.Index(code, vdsoEnd)]
}

// vdsoVersion is the version of all symbols: what C libraries and Go look for.
const vdsoVersion = "LINUX_2.6"

// BuildVDSO returns the image: one page, to be mapped readable and executable
// right above the data page.
func BuildVDSO() []byte {
	w := &vdsoWriter{image: make([]byte, PageSize)}
	w.at = 64 + 4*56 // ELF header and program headers

	// Symbols, their names and versions. Symbol 0 is none, 1 the version's own.
	names := []byte{0}
	name := func(s string) uint32 {
		off := len(names)
		names = append(append(names, s...), 0)
		return uint32(off)
	}
	soname, version := name("linux-vdso.so.1"), name(vdsoVersion)
	type symbol struct {
		name uint32
		text string
		fn   int // -1: the version
	}
	syms := []symbol{{}, {version, vdsoVersion, -1}}
	for i, s := range vdsoSymbols {
		syms = append(syms, symbol{name("__vdso_" + s), "__vdso_" + s, i}, symbol{name(s), s, i})
	}

	hash := w.begin(8)
	w.u32(1, uint32(len(syms)), 1) // one bucket, one chain through all symbols
	for i := range syms {
		w.u32(uint32((i + 1) % len(syms)))
	}
	w.patch32(hash+12, 0) // symbol 0 leads nowhere
	hashSize := w.at - hash

	dynstr := w.begin(1)
	w.bytes(names)

	dynsym := w.begin(8)
	w.at += 24 * len(syms)

	versym := w.begin(2)
	w.u16(0)
	for range syms[1:] {
		w.u16(2)
	}
	versymSize := w.at - versym

	verdef := w.begin(4)
	w.verdef(1, 1, elfHash("linux-vdso.so.1"), soname, 28) // VER_FLG_BASE
	w.verdef(0, 2, elfHash(vdsoVersion), version, 0)
	verdefSize := w.at - verdef

	dynamic := w.begin(8)
	for _, d := range [][2]uint64{
		{14, uint64(soname)}, // DT_SONAME
		{4, uint64(hash)},    // DT_HASH
		{5, uint64(dynstr)},  // DT_STRTAB
		{6, uint64(dynsym)},  // DT_SYMTAB
		{10, uint64(len(names))},
		{11, 24}, // DT_SYMENT
		{0x6ffffffc, uint64(verdef)}, {0x6ffffffd, 2}, {0x6ffffff0, uint64(versym)},
		{0, 0},
	} {
		w.u64(d[0], d[1])
	}
	dynamicSize := w.at - dynamic

	// Code, and how to unwind it: the return address is at the top of the stack
	// throughout.
	text := w.begin(64)
	var entry, size [len(vdsoCode)]int
	for i := range vdsoCode {
		entry[i] = w.begin(32)
		w.bytes(vdsoFunction(i))
		size[i] = w.at - entry[i]
		if n := bytes.Index(w.image[entry[i]:w.at], vdsoMarker); n >= 0 {
			at := entry[i] + n
			w.patch32(at, uint32(-PageSize-(at+4)))
		}
	}
	textSize := w.at - text
	frameHeader, frame, frameEnd := w.unwind(text, textSize)

	for i, s := range syms {
		at := dynsym + 24*i
		w.patch32(at, s.name)
		if i == 0 {
			continue
		}
		if s.fn < 0 {
			w.image[at+4] = 1<<4 | 1 // STB_GLOBAL, STT_OBJECT
			binary.LittleEndian.PutUint16(w.image[at+6:], 0xfff1)
			continue
		}
		bind := byte(1) // STB_GLOBAL
		if i%2 == 1 {
			bind = 2 // STB_WEAK: the plain name
		}
		w.image[at+4] = bind<<4 | 2 // STT_FUNC
		binary.LittleEndian.PutUint16(w.image[at+6:], 7)
		w.patch64(at+8, uint64(entry[s.fn]))
		w.patch64(at+16, uint64(size[s.fn]))
	}

	sections := w.sections([]vdsoSection{
		{".hash", 5, 2, hash, hashSize, 3, 0, 8, 4},
		{".dynstr", 3, 2, dynstr, len(names), 0, 0, 1, 0},
		{".dynsym", 11, 2, dynsym, 24 * len(syms), 2, 1, 8, 24},
		{".gnu.version", 0x6fffffff, 2, versym, versymSize, 3, 0, 2, 2},
		{".gnu.version_d", 0x6ffffffd, 2, verdef, verdefSize, 2, 2, 4, 0},
		{".dynamic", 6, 2, dynamic, dynamicSize, 2, 0, 8, 16},
		{".text", 1, 6, text, textSize, 0, 0, 64, 0},
		{".eh_frame_hdr", 1, 2, frameHeader, frame - frameHeader, 0, 0, 4, 0},
		{".eh_frame", 1, 2, frame, frameEnd - frame, 0, 0, 8, 0},
	})
	w.header(sections, 11)
	w.program(0, 1, 5, 0, PageSize, PageSize)                      // PT_LOAD, R+X
	w.program(1, 2, 4, dynamic, dynamicSize, 8)                    // PT_DYNAMIC
	w.program(2, 0x6474e550, 4, frameHeader, frame-frameHeader, 4) // PT_GNU_EH_FRAME
	w.program(3, 0x6474e551, 6, 0, 0, 16)                          // PT_GNU_STACK
	return w.image
}

// elfHash is the hash function of ELF symbol tables (System V gABI, chapter 5).
func elfHash(s string) (h uint32) {
	for i := range len(s) {
		h = h<<4 + uint32(s[i])
		g := h & 0xf0000000
		h = (h ^ g>>24) &^ g
	}
	return h
}
