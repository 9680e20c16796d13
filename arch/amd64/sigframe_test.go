//go:build !tamarix

package amd64

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

// fakeStack is user memory that consists of one stretch.
type fakeStack struct {
	base uint64
	mem  []byte
}

func (s *fakeStack) at(addr uint64, n int) ([]byte, error) {
	if addr < s.base || addr-s.base > uint64(len(s.mem)) || uint64(n) > uint64(len(s.mem))-(addr-s.base) {
		return nil, unix.EFAULT
	}
	return s.mem[addr-s.base:][:n], nil
}

func (s *fakeStack) CopyOut(addr uint64, p []byte) error {
	m, err := s.at(addr, len(p))
	copy(m, p)
	return err
}

func (s *fakeStack) CopyIn(p []byte, addr uint64) error {
	m, err := s.at(addr, len(p))
	copy(p, m)
	return err
}

func (s *fakeStack) u64(addr uint64) uint64 {
	m, err := s.at(addr, 8)
	if err != nil {
		return 0xbad
	}
	return binary.LittleEndian.Uint64(m)
}

func (s *fakeStack) put64(addr, v uint64) {
	if m, err := s.at(addr, 8); err == nil {
		binary.LittleEndian.PutUint64(m, v)
	}
}

const (
	stackTop = 0x7ffd_0000_0000
	stackLen = 64 << 10
)

// push starts a handler as package proc does.
func push(u *UserContext, mem *fakeStack, f *SignalFrame, info *[128]byte) error {
	if err := u.PlaceFrame(f); err != nil {
		return err
	}
	if err := mem.CopyOut(f.FP, u.FrameImage()); err != nil {
		return err
	}
	var b FrameHead
	u.FillFrame(&b, f)
	if info != nil {
		b.Info = *info
	}
	if err := mem.CopyOut(f.SP, b.Bytes(info != nil)); err != nil {
		return err
	}
	u.StartHandler(f)
	return nil
}

// pop is its way back.
func pop(u *UserContext, mem *fakeStack) (mask uint64, alt AltStack, err error) {
	var b FrameHead
	if err := mem.CopyIn(b.Bytes(false), u.FrameAddress()); err != nil {
		return 0, alt, err
	}
	fp, err := u.CheckFrame(&b)
	if err != nil {
		return 0, alt, err
	}
	n := 0
	if fp != 0 {
		p := u.FrameSpace()
		n = len(p)
		if mem.CopyIn(p, fp) != nil {
			n = FrameImageMin
			if err := mem.CopyIn(p[:n], fp); err != nil {
				u.RestoreImage(0)
				return 0, alt, err
			}
		}
	}
	if err := u.RestoreImage(n); err != nil {
		return 0, alt, err
	}
	return u.RestoreFrame(&b)
}

// Places in the frame, by hand: asm/sigcontext.h and asm/ucontext.h.
const (
	frameRegs    = 8 + 40
	frameFlags   = frameRegs + 17*8
	frameCS      = frameRegs + 18*8
	frameFPState = frameRegs + 23*8
)

// registers are those of the frame, in some order.
func registers(u *UserContext) [17]*uint64 {
	return [17]*uint64{
		&u.R8, &u.R9, &u.R10, &u.R11, &u.R12, &u.R13, &u.R14, &u.R15,
		&u.DI, &u.SI, &u.BP, &u.BX, &u.DX, &u.AX, &u.CX, &u.SP, &u.IP,
	}
}

func newFrameTest(t *testing.T) (*UserContext, *fakeStack) {
	t.Helper()
	InitHost(8 << 20)
	u, ok := NewUserContext()
	if !ok {
		t.Fatal("no memory")
	}
	t.Cleanup(u.Free)
	for i, p := range registers(u) {
		*p = 0x1111_0000_0000 + uint64(i)
	}
	u.IP, u.SP = 0x401234, stackTop-0x1003
	u.SetFlags(flagsUser)
	for i := range 256 {
		u.xsave[fxXMM+i] = byte(i)
	}
	u.xsave[xsaveHeader] = xfeatureX87 | xfeatureSSE
	put32(&u.xsave, fxMXCSR, 0x1fa0)
	u.extendedChanged()
	return u, &fakeStack{stackTop - stackLen, make([]byte, stackLen)}
}

func TestFrameHasLinuxLayout(t *testing.T) {
	u, mem := newFrameTest(t)
	before := *u
	f := SignalFrame{Signal: 11, Handler: 0x400500, Restorer: 0x400600, Mask: 0xabc,
		AltStack: AltStack{SP: 0x1000, Flags: 0, Size: 0x2000}}
	if err := push(u, mem, &f, &[128]byte{11}); err != nil {
		t.Fatal(err)
	}
	if u.SP%16 != 8 {
		t.Errorf("SP %#x is not as after a call", u.SP)
	}
	if u.IP != f.Handler || u.DI != 11 || u.AX != 0 || u.DX != u.SP+8 || u.SI != u.SP+8+304 {
		t.Errorf("handler's registers: ip %#x di %#x ax %#x si-sp %#x dx-sp %#x", u.IP, u.DI, u.AX, u.SI-u.SP, u.DX-u.SP)
	}
	if u.Flags&(0x400|flagTF|flagRF) != 0 || u.Flags&flagIF == 0 {
		t.Errorf("handler's flags %#x", u.Flags)
	}
	uc := u.DX
	for _, c := range []struct {
		name string
		off  uint64 // in struct ucontext: gregs begin at 40
		want uint64
	}{
		{"uc_flags", 0, 7}, {"uc_link", 8, 0},
		{"ss_sp", 16, 0x1000}, {"ss_flags", 24, 0}, {"ss_size", 32, 0x2000},
		{"r8", 40, before.R8}, {"r15", 96, before.R15}, {"rdi", 104, before.DI}, {"rsi", 112, before.SI},
		{"rbp", 120, before.BP}, {"rbx", 128, before.BX}, {"rdx", 136, before.DX}, {"rax", 144, before.AX},
		{"rcx", 152, before.CX}, {"rsp", 160, before.SP}, {"rip", 168, before.IP}, {"eflags", 176, before.Flags},
		{"csgsfsss", 184, 0x002b_0000_0000_0033}, {"oldmask", 208, 0xabc}, {"sigmask", 296, 0xabc},
		{"restorer", ^uint64(7), 0x400600}, {"siginfo", 304, 11},
	} {
		if got := mem.u64(uc + c.off); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
	}
	fp := mem.u64(uc + 224)
	if fp%64 != 0 || fp < uc+304+128 || fp+uint64(XSaveSize())+4 > before.SP-128 {
		t.Errorf("fpstate at %#x: frame %#x, interrupted stack %#x", fp, uc, before.SP)
	}
	size := uint64(XSaveSize())
	if got := mem.u64(fp + 464); got != fpMagic1|(size+4)<<32 {
		t.Errorf("magic1 and extended_size: %#x", got)
	}
	if got := mem.u64(fp + 472); got != XFeatures() {
		t.Errorf("xfeatures: %#x", got)
	}
	if got := mem.u64(fp + 480); got != size {
		t.Errorf("xstate_size: %#x", got)
	}
	if got := mem.u64(fp + size); uint32(got) != fpMagic2 {
		t.Errorf("magic2: %#x", got)
	}
	if got := mem.u64(fp + fxXMM + 8); got != 0x0f0e0d0c0b0a0908 {
		t.Errorf("xmm0 high: %#x", got)
	}
	if u.mxcsr != defaultMXCSR || u.xsave[fxXMM+5] != 0 {
		t.Errorf("the handler sees the interrupted state: mxcsr %#x, xmm %#x", u.mxcsr, u.xsave[fxXMM+5])
	}
}

func TestFrameRoundTrip(t *testing.T) {
	u, mem := newFrameTest(t)
	before := *u
	f := SignalFrame{Signal: 10, Handler: 0x400500, Restorer: 0x400600, Mask: 5}
	if err := push(u, mem, &f, nil); err != nil {
		t.Fatal(err)
	}
	for _, p := range registers(u) {
		if p != &u.SP {
			*p = 0x666
		}
	}
	u.SP += 8  // the handler's RET
	u.full = 0 // and its SYSCALL
	mask, _, err := pop(u, mem)
	if err != nil || mask != 5 {
		t.Fatalf("mask %#x, %v", mask, err)
	}
	want := registers(&before)
	for i, p := range registers(u) {
		if *p != *want[i] {
			t.Errorf("register %d: %#x, want %#x", i, *p, *want[i])
		}
	}
	if u.Flags != before.Flags || u.full == 0 {
		t.Errorf("flags %#x, want %#x; full %d", u.Flags, before.Flags, u.full)
	}
	if u.mxcsr != 0x1fa0 || u.xsave[fxXMM+5] != 5 || u.xsave[fxXMM+255] != 255 {
		t.Errorf("extended state: mxcsr %#x, xmm %v", u.mxcsr, u.xsave[fxXMM:fxXMM+8])
	}
}

func TestFrameAfterSystemCall(t *testing.T) {
	u, mem := newFrameTest(t)
	u.full = 0 // RCX and R11 are where SYSCALL has left them: in IP and Flags
	f := SignalFrame{Signal: 10, Handler: 0x400500, Restorer: 0x400600}
	if err := push(u, mem, &f, nil); err != nil {
		t.Fatal(err)
	}
	if cx, r11 := mem.u64(u.DX+152), mem.u64(u.DX+64); cx != 0x401234 || r11 != mem.u64(u.DX+176) {
		t.Errorf("rcx %#x, r11 %#x", cx, r11)
	}
}

func TestFrameOnAlternateStack(t *testing.T) {
	u, mem := newFrameTest(t)
	alt := AltStack{SP: stackTop - 0x8000, Size: 0x2000}
	f := SignalFrame{Signal: 10, Handler: 1, Restorer: 1, AltStack: alt, OnStack: true}
	if err := push(u, mem, &f, nil); err != nil {
		t.Fatal(err)
	}
	if u.SP < alt.SP || u.SP > alt.SP+alt.Size {
		t.Fatalf("SP %#x is not on the alternate stack", u.SP)
	}
	first := u.SP
	if err := push(u, mem, &f, nil); err != nil { // nested: goes on below
		t.Fatal(err)
	}
	if u.SP >= first || u.SP < alt.SP {
		t.Errorf("nested SP %#x, first %#x", u.SP, first)
	}
	for range 10 {
		if err := push(u, mem, &f, nil); err != nil {
			if u.SP < alt.SP {
				t.Errorf("SP %#x ran out of the alternate stack", u.SP)
			}
			return
		}
	}
	t.Error("the alternate stack never overflows")
}

func TestHostileFrames(t *testing.T) {
	const uc = 8
	for _, c := range []struct {
		name  string
		spoil func(mem *fakeStack, sp, fp uint64)
		fails bool
	}{
		{"intact", func(*fakeStack, uint64, uint64) {}, false},
		{"non-canonical rip", func(m *fakeStack, sp, fp uint64) { m.put64(sp+frameRegs+16*8, 1<<47) }, true},
		{"rip in the kernel", func(m *fakeStack, sp, fp uint64) { m.put64(sp+frameRegs+16*8, 1<<63|0xffff<<47) }, false},
		{"kernel cs", func(m *fakeStack, sp, fp uint64) { m.put64(sp+frameCS, 0x002b_0000_0000_0010) }, true},
		{"cs without its level", func(m *fakeStack, sp, fp uint64) { m.put64(sp+frameCS, 0x0028_0000_0000_0030) }, false},
		{"bad ss", func(m *fakeStack, sp, fp uint64) { m.put64(sp+frameCS, 0x0053_0000_0000_0033) }, true},
		{"old program without ss", func(m *fakeStack, sp, fp uint64) {
			m.put64(sp+frameCS, 0x33)
			m.put64(sp+uc, 1)
		}, false},
		{"all flags", func(m *fakeStack, sp, fp uint64) { m.put64(sp+frameFlags, ^uint64(0)) }, false},
		{"fpstate nowhere", func(m *fakeStack, sp, fp uint64) { m.put64(sp+frameFPState, 0x1000) }, true},
		{"fpstate in the kernel", func(m *fakeStack, sp, fp uint64) { m.put64(sp+frameFPState, ^uint64(63)) }, true},
		{"fpstate not aligned", func(m *fakeStack, sp, fp uint64) { m.put64(sp+frameFPState, fp+8) }, true},
		{"no fpstate", func(m *fakeStack, sp, fp uint64) { m.put64(sp+frameFPState, 0) }, false},
		{"reserved mxcsr bits", func(m *fakeStack, sp, fp uint64) { m.put64(fp+fxMXCSR, 0xffff_ffff) }, true},
		{"unknown features", func(m *fakeStack, sp, fp uint64) { m.put64(fp+xsaveHeader, 1<<62|3) }, true},
		{"compacted", func(m *fakeStack, sp, fp uint64) { m.put64(fp+xsaveXCompBV, 1<<63|3) }, true},
		{"reserved header bytes", func(m *fakeStack, sp, fp uint64) { m.put64(fp+xsaveHeader+40, 1) }, true},
		{"no magic1", func(m *fakeStack, sp, fp uint64) { m.put64(fp+fxSoftware, 0) }, false},
		{"cut off after the legacy part", func(m *fakeStack, sp, fp uint64) {
			end := m.base + uint64(len(m.mem))
			copy(m.mem[len(m.mem)-512:], m.mem[fp-m.base:][:512])
			m.put64(sp+frameFPState, end-512)
		}, false},
		{"no magic2", func(m *fakeStack, sp, fp uint64) { m.put64(fp+uint64(XSaveSize()), 0) }, false},
		{"huge size", func(m *fakeStack, sp, fp uint64) { m.put64(fp+fxSoftware+16, 1<<31) }, false},
	} {
		u, mem := newFrameTest(t)
		if err := push(u, mem, &SignalFrame{Handler: 1, Restorer: 1}, nil); err != nil {
			t.Fatal(err)
		}
		c.spoil(mem, u.SP, mem.u64(u.SP+frameFPState))
		u.SP += 8
		_, _, err := pop(u, mem)
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", c.name, err)
		}
		checkHarmless(t, c.name, u)
	}
	u, mem := newFrameTest(t)
	u.SP = 0x10
	if _, _, err := pop(u, mem); err == nil {
		t.Error("a frame was read from nowhere")
	}
}

// checkHarmless looks at what the CPU would fault on in ring 0.
func checkHarmless(t *testing.T, name string, u *UserContext) {
	t.Helper()
	if u.Flags&^flagsUser != flagIF|flagFixed {
		t.Errorf("%s: flags %#x", name, u.Flags)
	}
	if int64(u.IP)<<16>>16 != int64(u.IP) {
		t.Errorf("%s: ip %#x", name, u.IP)
	}
	if u.mxcsr&^mxcsrMask != 0 || get32(&u.xsave, fxMXCSR)&^mxcsrMask != 0 {
		t.Errorf("%s: mxcsr %#x", name, u.mxcsr)
	}
	h := u.xsave[xsaveHeader:xsaveMinimum]
	if bv := binary.LittleEndian.Uint64(h); bv&^XFeatures() != 0 {
		t.Errorf("%s: features %#x", name, bv)
	}
	for i, b := range h[8:] {
		if b != 0 {
			t.Errorf("%s: header byte %d is %#x", name, 8+i, b)
		}
	}
}

func TestRandomFramesAreHarmless(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		u, mem := newFrameTest(t)
		if err := push(u, mem, &SignalFrame{Handler: 1, Restorer: 1}, nil); err != nil {
			t.Fatal(err)
		}
		for range 1 + r.IntN(40) {
			mem.put64(u.SP+r.Uint64N(uint64(frameSize)+uint64(XSaveSize())+64)&^7, r.Uint64()>>r.UintN(64))
		}
		u.SP += 8
		pop(u, mem)
		checkHarmless(t, "random", u)
	}
}

func TestFrameWithoutStack(t *testing.T) {
	for _, sp := range []uint64{0, 0x100, stackTop - stackLen + 100, UserTop + 0x100000, ^uint64(0)} {
		u, mem := newFrameTest(t)
		u.SP = sp
		before := *u
		if err := push(u, mem, &SignalFrame{Handler: 1, Restorer: 1}, nil); err == nil {
			t.Errorf("sp %#x: a frame was written", sp)
		}
		if u.IP != before.IP || u.SP != before.SP || u.DI != before.DI {
			t.Errorf("sp %#x: registers have changed", sp)
		}
	}
}
