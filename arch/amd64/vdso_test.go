//go:build !tamarix

package amd64

import (
	"bytes"
	"debug/elf"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestVDSOImageIsALibrary(t *testing.T) {
	image := BuildVDSO()
	if len(image) != PageSize {
		t.Fatalf("image has %d bytes", len(image))
	}
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	if f.Type != elf.ET_DYN || f.Machine != elf.EM_X86_64 {
		t.Errorf("type %v, machine %v", f.Type, f.Machine)
	}
	syms, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	text := f.Section(".text")
	found := map[string]bool{}
	for _, s := range syms {
		found[s.Name] = true
		if s.Name == vdsoVersion {
			continue
		}
		if s.Value < text.Addr || s.Value+s.Size > text.Addr+text.Size || s.Size == 0 {
			t.Errorf("%s: %#x+%#x lies outside of .text", s.Name, s.Value, s.Size)
		}
		if s.Version != vdsoVersion {
			t.Errorf("%s: version %q", s.Name, s.Version)
		}
	}
	for _, n := range vdsoSymbols {
		if !found[n] || !found["__vdso_"+n] {
			t.Errorf("no symbol %s", n)
		}
	}
	if so, err := f.DynString(elf.DT_SONAME); err != nil || len(so) != 1 || so[0] != "linux-vdso.so.1" {
		t.Errorf("soname %v, %v", so, err)
	}
	if n := bytes.Count(image, vdsoMarker); n != 0 {
		t.Errorf("%d references to the data page are not filled in", n)
	}
}

// mapVDSO maps the image with a data page below it and returns its functions.
// A Go function's fourth and fifth words travel in DI and SI, where C has its
// first two, and the result comes in AX for both.
func mapVDSO(t *testing.T, data vdsoData) (call func(name string, a, b unsafe.Pointer, clock uintptr) uint64, d *vdsoData) {
	t.Helper()
	mem, err := unix.Mmap(-1, 0, 2*PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mem) })
	d = (*vdsoData)(unsafe.Pointer(&mem[0]))
	d.update(data)
	image := BuildVDSO()
	copy(mem[PageSize:], image)
	if err := unix.Mprotect(mem[PageSize:], unix.PROT_READ|unix.PROT_EXEC); err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	syms, _ := f.DynamicSymbols()
	return func(name string, a, b unsafe.Pointer, clock uintptr) uint64 {
		for _, s := range syms {
			if s.Name != name {
				continue
			}
			code := uintptr(unsafe.Pointer(&mem[PageSize+s.Value]))
			p := &code
			if a != nil || b == nil {
				return (*(*func(_, _, _ uintptr, di, si unsafe.Pointer) uint64)(unsafe.Pointer(&p)))(0, 0, 0, a, b)
			}
			return (*(*func(_, _, _, di uintptr, si unsafe.Pointer) uint64)(unsafe.Pointer(&p)))(0, 0, 0, clock, b)
		}
		t.Fatalf("no %s", name)
		return 0
	}, d
}

func TestVDSOReadsTheClock(t *testing.T) {
	// With a multiplier of 2^32 a tick is a nanosecond.
	const wall = 1_700_000_000_123_456_789
	call, d := mapVDSO(t, vdsoData{flags: vdsoHasClock, mult: 1 << 32})
	get := func(clock uintptr) int64 {
		var ts unix.Timespec
		if r := call("__vdso_clock_gettime", nil, unsafe.Pointer(&ts), clock); r != 0 {
			t.Fatalf("clock %d: %d", clock, int64(r))
		}
		return ts.Nano()
	}
	a, b := get(unix.CLOCK_MONOTONIC), get(unix.CLOCK_MONOTONIC)
	if a <= 0 || b < a {
		t.Errorf("clock goes from %d to %d", a, b)
	}
	d.update(vdsoData{flags: vdsoHasClock, mult: 1 << 32, base: uint64(a), wall: wall})
	d.coarse = 7_000_000_005
	for c, want := range map[uintptr]int64{
		unix.CLOCK_MONOTONIC_COARSE: 7_000_000_005, unix.CLOCK_REALTIME_COARSE: wall + 7_000_000_005,
	} {
		if n := get(c); n != want {
			t.Errorf("clock %d: %d, want %d", c, n, want)
		}
	}
	for _, c := range []uintptr{unix.CLOCK_MONOTONIC, unix.CLOCK_MONOTONIC_RAW, unix.CLOCK_BOOTTIME} {
		if n := get(c); n < 0 || n > int64(time.Hour) {
			t.Errorf("clock %d: %d", c, n)
		}
	}
	for _, c := range []uintptr{unix.CLOCK_REALTIME, unix.CLOCK_TAI} {
		if n := get(c); n < wall || n > wall+int64(time.Hour) {
			t.Errorf("clock %d: %d", c, n)
		}
	}
	var tv unix.Timeval
	if r := call("gettimeofday", unsafe.Pointer(&tv), nil, 0); r != 0 || tv.Nano() < wall/1000*1000 || tv.Nano() > wall+int64(time.Hour) {
		t.Errorf("gettimeofday: %d, %v", int64(r), tv)
	}
	var sec int64
	if r := call("time", unsafe.Pointer(&sec), nil, 0); int64(r) != sec || sec < wall/int64(1e9) || sec > wall/int64(1e9)+3600 {
		t.Errorf("time: %d, %d", r, sec)
	}
	if r := call("time", nil, nil, 0); int64(r) < wall/int64(1e9) {
		t.Errorf("time(0): %d", r)
	}
}

func TestVDSOFallsBackToTheCall(t *testing.T) {
	call, _ := mapVDSO(t, vdsoData{})
	var ts unix.Timespec
	for _, c := range []uintptr{unix.CLOCK_REALTIME, unix.CLOCK_PROCESS_CPUTIME_ID} {
		if r := call("clock_gettime", nil, unsafe.Pointer(&ts), c); r != 0 {
			t.Errorf("clock %d: %d", c, int64(r))
		}
	}
	if r := call("clock_gettime", nil, unsafe.Pointer(&ts), 99); int64(r) != -int64(unix.EINVAL) {
		t.Errorf("clock 99: %d", int64(r))
	}
	var cpu, node uint32 = 1 << 31, 1 << 31
	if r := call("getcpu", unsafe.Pointer(&cpu), unsafe.Pointer(&node), 0); r != 0 || cpu > 1<<16 || node > 1<<16 {
		t.Errorf("getcpu: %d, cpu %d, node %d", r, cpu, node)
	}
}
