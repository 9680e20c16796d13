//go:build tamarix

package selftest

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
)

func programs() (begin, end, null, touch, spin, trap, verify uintptr)

const (
	codeAt  = 0x400000
	dataAt  = 0x600000 // FS points to its first word, GS eight bytes before its second
	stackAt = 0x7fff_0000_0000
	heapAt  = 0x1000_0000
)

// space is an address space made by hand: every page but the code is given on
// demand.
type space struct {
	pt     *arch.PageTable
	mu     sync.Mutex
	frames []arch.Frame
	faults atomic.Int64
}

func newSpace() (*space, error) {
	pt, ok := arch.NewPageTable()
	if !ok {
		return nil, unix.ENOMEM
	}
	s := &space{pt: pt}
	begin, end, _, _, _, _, _ := programs()
	code := unsafe.Slice((*byte)(unsafe.Pointer(begin)), end-begin)
	for at := uint64(codeAt); len(code) > 0; at += arch.PageSize {
		f, ok := arch.AllocZeroFrame(arch.UseAnon)
		if !ok {
			return nil, unix.ENOMEM
		}
		n := copy(f.Page()[:], code)
		code = code[n:]
		s.give(at, f, arch.ProtRead|arch.ProtExec)
	}
	f, ok := arch.AllocZeroFrame(arch.UseAnon)
	if !ok {
		return nil, unix.ENOMEM
	}
	f.Words()[0], f.Words()[1] = dataAt, dataAt
	s.give(dataAt, f, arch.ProtRead|arch.ProtWrite)
	return s, nil
}

func (s *space) give(at uint64, f arch.Frame, prot arch.Prot) bool {
	p, ok := s.pt.Ensure(at)
	if !ok || !arch.CASPTE(p, 0, arch.MakePTE(f, prot)) {
		f.Unref()
		return ok
	}
	s.mu.Lock()
	s.frames = append(s.frames, f)
	s.mu.Unlock()
	return true
}

func (s *space) fault(addr uint64) error {
	s.faults.Add(1)
	if addr < dataAt || addr >= arch.UserTop {
		return fmt.Errorf("bad address %#x", addr)
	}
	f, ok := arch.AllocZeroFrame(arch.UseAnon)
	if !ok || !s.give(addr&^(arch.PageSize-1), f, arch.ProtRead|arch.ProtWrite) {
		return unix.ENOMEM
	}
	return nil
}

func (s *space) destroy() {
	for base, leaf := s.pt.NextLeaf(0, arch.UserTop); leaf != nil; base, leaf = s.pt.NextLeaf(base+arch.LeafSpan, arch.UserTop) {
		for i := range leaf {
			arch.StorePTE(&leaf[i], 0)
		}
	}
	s.pt.FlushAll()
	for _, f := range s.frames {
		f.Unref()
	}
	s.pt.Abandon()
	s.pt.Destroy()
}

// task is one user thread.
type task struct {
	*space
	u          *arch.UserContext
	onSyscall  func(t *task)
	stop       atomic.Bool
	interrupts int
	kicks      int
}

var stacks atomic.Uint64

func (s *space) task(program uintptr, args ...uint64) (*task, error) {
	u, ok := arch.NewUserContext()
	if !ok {
		return nil, unix.ENOMEM
	}
	begin, _, _, _, _, _, _ := programs()
	u.Reset(codeAt+uint64(program-begin), stackAt+stacks.Add(1)%256*0x10000)
	u.SetPageTable(s.pt)
	for i, p := range []*uint64{&u.DI, &u.SI, &u.DX, &u.CX, &u.BX} {
		if i < len(args) {
			*p = args[i]
		}
	}
	return &task{space: s, u: u}, nil
}

var errStopped = errors.New("stopped")

// run runs the thread to its end and returns its result.
func (t *task) run() (uint64, error) {
	u := t.u
	for {
		switch r := arch.EnterUser(u); r {
		case arch.ReasonSyscall:
			switch u.SyscallNr() {
			case 60:
				return u.Args()[0], nil
			case 500:
				if t.onSyscall != nil {
					t.onSyscall(t)
				}
			}
			u.SetReturn(0)
		case arch.ReasonPageFault:
			addr, _ := u.Fault()
			if err := t.fault(addr); err != nil {
				return 0, fmt.Errorf("%w at %#x", err, u.GetIP())
			}
		case arch.ReasonInterrupt:
			t.interrupts++
			if t.stop.Load() {
				return 0, errStopped
			}
			runtime.Gosched()
		case arch.ReasonKick:
			t.kicks++
			u.ClearKick()
			if t.stop.Load() {
				return 0, errStopped
			}
		default:
			if u.Settle(r) {
				continue
			}
			sig, code, addr := u.Exception(r)
			return 0, fmt.Errorf("exception %d at %#x (%v, %d, %#x)", r, u.GetIP(), sig, code, addr)
		}
	}
}

// alone runs one program in a space of its own.
func alone(program uintptr, args ...uint64) (*task, error) {
	s, err := newSpace()
	if err != nil {
		return nil, err
	}
	defer s.destroy()
	t, err := s.task(program, args...)
	if err != nil {
		return nil, err
	}
	defer t.u.Free()
	v, err := t.run()
	if err == nil && v != 0 {
		err = fmt.Errorf("the program reports %d", v)
	}
	return t, err
}

func nullCalls() error {
	_, _, null, _, _, _, _ := programs()
	const n = 200000
	start := time.Now()
	_, err := alone(null, n)
	fmt.Printf("selftest: null call %d ns\n", time.Since(start).Nanoseconds()/n)
	return err
}

func touchPages() error {
	_, _, _, touch, _, _, _ := programs()
	n := min(uint64(20000), arch.ReadFrameStats().Free/2)
	start := time.Now()
	t, err := alone(touch, n, heapAt)
	fmt.Printf("selftest: page fault %d ns\n", time.Since(start).Nanoseconds()/int64(n))
	if err == nil && t.faults.Load() < int64(n) {
		err = fmt.Errorf("%d faults for %d pages", t.faults.Load(), n)
	}
	return err
}

func exceptions() error {
	_, _, _, _, _, trap, _ := programs()
	s, err := newSpace()
	if err != nil {
		return err
	}
	defer s.destroy()
	t, err := s.task(trap)
	if err != nil {
		return err
	}
	defer t.u.Free()
	for i, want := range []arch.Reason{6, 0, 3, 13} {
		r := arch.EnterUser(t.u)
		for r == arch.ReasonInterrupt || r == arch.ReasonPageFault || t.u.Settle(r) {
			if r == arch.ReasonPageFault {
				addr, _ := t.u.Fault()
				if err := s.fault(addr); err != nil {
					return err
				}
			}
			r = arch.EnterUser(t.u)
		}
		if r != want {
			return fmt.Errorf("exception %d: reason %d, not %d", i, r, want)
		}
		t.u.SetIP(t.u.GetIP() + []uint64{2, 3, 0, 1}[i])
	}
	// An address that is not canonical must not fault in the kernel.
	for _, ip := range []uint64{1 << 47, 1 << 63, ^uint64(0), arch.UserTop} {
		t.u.SetIP(ip)
		r := arch.EnterUser(t.u)
		for r == arch.ReasonInterrupt || t.u.Settle(r) {
			r = arch.EnterUser(t.u)
		}
		if r != 13 && r != 14 {
			return fmt.Errorf("IP %#x: reason %d", ip, r)
		}
	}
	return nil
}

// kick stops spinning threads from outside.
func kick() error {
	_, _, _, _, spin, _, _ := programs()
	for range 200 {
		s, err := newSpace()
		if err != nil {
			return err
		}
		t, err := s.task(spin)
		if err != nil {
			return err
		}
		done := make(chan error)
		go func() {
			_, err := t.run()
			done <- err
		}()
		runtime.Gosched()
		t.stop.Store(true)
		t.u.RequestKick()
		t.u.Kick()
		select {
		case err := <-done:
			if err != errStopped {
				return err
			}
		case <-time.After(2 * time.Second):
			return errors.New("a kick was lost")
		}
		t.u.Free()
		s.destroy()
	}
	return nil
}

// verify runs many verifiers at once, on shared and on own address spaces,
// while the kernel collects garbage, computes and moves goroutines about.
func verify() error {
	_, _, _, _, _, _, program := programs()
	avx := arch.XFeatures() >> 2 & 1
	const spaces, each, rounds = 4, 3, 400
	errs := make(chan error, spaces*each)
	var all []*space
	for i := range spaces {
		s, err := newSpace()
		if err != nil {
			return err
		}
		all = append(all, s)
		for j := range each {
			t, err := s.task(program, rounds, uint64(i*100+j+1), avx, heapAt+uint64(j)<<24, dataAt)
			if err != nil {
				return err
			}
			t.u.SetTLS(dataAt)
			t.u.SetGSBase(dataAt)
			t.onSyscall = disturb
			go func() {
				v, err := t.run()
				if err == nil && v != 0 {
					err = fmt.Errorf("verifier %d.%d: %d", i, j, v)
				}
				t.u.Free()
				errs <- err
			}()
		}
	}
	var err error
	for range spaces * each {
		err = errors.Join(err, <-errs)
	}
	for _, s := range all {
		s.destroy()
	}
	return err
}

var (
	disturbance atomic.Uint64
	garbage     atomic.Pointer[[]byte]
)

// disturb does in the kernel what may spoil a user's registers.
func disturb(t *task) {
	n := disturbance.Add(1)
	f := 1.25
	for i := range 8 {
		f = f*1.0001 + float64(i)
	}
	b := make([]byte, 1000+int(f)%100)
	garbage.Store(&b)
	switch n % 8 {
	case 0:
		runtime.Gosched()
	case 1:
		time.Sleep(100 * time.Microsecond)
	case 2:
		var buf [64]byte
		arch.CopyFromUser(t.pt, buf[:], codeAt)
	case 3:
		if n%64 == 3 {
			runtime.GC()
		}
	case 4: // what fork does
		if c, ok := t.u.Clone(); ok {
			c.Free()
		}
	}
}

// copies checks user copies against holes.
func copies() error {
	s, err := newSpace()
	if err != nil {
		return err
	}
	defer s.destroy()
	for i := range 3 {
		if err := s.fault(heapAt + uint64(i)*arch.PageSize); err != nil {
			return err
		}
	}
	src := make([]byte, 4*arch.PageSize)
	for i := range src {
		src[i] = byte(i * 7)
	}
	const off = 123
	if n := arch.CopyToUser(s.pt, heapAt+off, src); n != 3*arch.PageSize-off {
		return fmt.Errorf("copied %d out", n)
	}
	dst := make([]byte, 4*arch.PageSize)
	if n := arch.CopyFromUser(s.pt, dst, heapAt+off); n != 3*arch.PageSize-off || string(dst[:n]) != string(src[:n]) {
		return fmt.Errorf("copied %d in, or wrong", n)
	}
	if n := arch.CopyToUser(s.pt, codeAt, src); n != 0 {
		return fmt.Errorf("wrote %d bytes of read-only memory", n)
	}
	for _, bad := range []uint64{0, arch.UserTop, 1 << 47, 1 << 63, ^uint64(0) - 100} {
		if n := arch.CopyFromUser(s.pt, dst, bad); n != 0 {
			return fmt.Errorf("read %d bytes at %#x", n, bad)
		}
	}
	if !arch.StoreUser32(s.pt, heapAt, 41) {
		return errors.New("store")
	}
	if cur, ok := arch.CASUser32(s.pt, heapAt, 41, 42); !ok || cur != 41 {
		return fmt.Errorf("exchange: %d %v", cur, ok)
	}
	if v, ok := arch.LoadUser32(s.pt, heapAt); !ok || v != 42 {
		return fmt.Errorf("load: %d %v", v, ok)
	}
	if _, ok := arch.LoadUser64(s.pt, heapAt+8*arch.PageSize); ok {
		return errors.New("load of nothing")
	}
	if n := arch.ZeroUser(s.pt, heapAt, 5*arch.PageSize); n != 3*arch.PageSize {
		return fmt.Errorf("cleared %d", n)
	}
	arch.CopyToUser(s.pt, heapAt, []byte("hello\x00"))
	if n, ok := arch.StringFromUser(s.pt, make([]byte, 100), heapAt); n != 5 || !ok {
		return fmt.Errorf("string of %d %v", n, ok)
	}
	return nil
}

// userFrames runs the cases of ring 3 and checks that every frame comes back.
func userFrames() error {
	runtime.GC()
	before := arch.ReadFrameStats()
	for range 20 {
		if err := touchSome(); err != nil {
			return err
		}
	}
	debug.FreeOSMemory()
	after := arch.ReadFrameStats()
	if after.Anon != before.Anon || after.PageTable != before.PageTable || after.Anon != 0 || after.PageTable != 0 {
		return fmt.Errorf("before %+v, after %+v", before, after)
	}
	return nil
}

func touchSome() error {
	_, _, _, touch, _, _, _ := programs()
	_, err := alone(touch, 300, heapAt)
	return err
}

// shootdown has threads of one space write to a page in turn while the page is
// replaced under them: no write may go to a frame after the flush that took it
// away.
func shootdown() error {
	_, _, _, _, spin, _, _ := programs()
	s, err := newSpace()
	if err != nil {
		return err
	}
	defer s.destroy()
	// Spinners keep the root loaded on the other CPUs.
	var tasks []*task
	done := make(chan error)
	for range arch.NumCPU() {
		t, err := s.task(spin)
		if err != nil {
			return err
		}
		tasks = append(tasks, t)
		go func() {
			_, err := t.run()
			done <- err
		}()
	}
	var stop atomic.Bool
	var writers sync.WaitGroup
	var writes atomic.Int64
	for range arch.NumCPU() {
		writers.Go(func() {
			for !stop.Load() {
				for range 100 {
					if arch.StoreUser64(s.pt, heapAt, 0x5a5a) {
						writes.Add(1)
					}
				}
				runtime.Gosched()
			}
		})
	}
	p, _ := s.pt.Ensure(heapAt)
	for range 100 {
		f, ok := arch.AllocZeroFrame(arch.UseAnon)
		if !ok {
			err = unix.ENOMEM
			break
		}
		arch.StorePTE(p, arch.MakePTE(f, arch.ProtRead|arch.ProtWrite))
		runtime.Gosched()
		arch.StorePTE(p, 0)
		s.pt.FlushPage(heapAt)
		f.Words()[0] = 0
		for range 200 {
			if f.Words()[0] != 0 {
				err = errors.New("a write reached a frame after its flush")
			}
		}
		f.Unref()
	}
	stop.Store(true)
	writers.Wait()
	for _, t := range tasks {
		t.stop.Store(true)
		t.u.RequestKick()
		t.u.Kick()
		if e := <-done; e != errStopped {
			err = errors.Join(err, e)
		}
		t.u.Free()
	}
	if err == nil && writes.Load() == 0 {
		err = errors.New("nobody wrote")
	}
	return err
}
