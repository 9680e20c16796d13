package proc

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/mm"
)

// hostMemory gives the tests frames to work with.
var hostMemory = sync.OnceFunc(func() { arch.InitHost(64 << 20) })

// futexTasks returns tasks of one process with a page of memory at addr.
func futexTasks(t *testing.T, n int) (tasks []*Task, addr uint64) {
	t.Helper()
	hostMemory()
	as, err := mm.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(as.Unref)
	addr, err = as.Mmap(mm.MmapRequest{Addr: 0x10000, Len: arch.PageSize, Prot: unix.PROT_READ | unix.PROT_WRITE,
		Flags: unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		o := &Task{TID: int32(100 + i), AS: as}
		o.Thread.Bind()
		tasks = append(tasks, o)
	}
	return tasks, addr
}

// waiting sleeps until n waiters stand in the bucket of addr.
func waiting(t *testing.T, o *Task, addr uint64, n int) {
	t.Helper()
	key, err := o.AS.FutexKey(addr, false)
	if err != nil {
		t.Fatal(err)
	}
	b := bucketOf(&key)
	for range 5000 {
		b.mu.Lock()
		have := 0
		for w := b.head; w != nil; w = w.next {
			if w.key == key {
				have++
			}
		}
		b.mu.Unlock()
		if have == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d waiters never came", n)
}

func TestFutexWaitReturnsAtOnce(t *testing.T) {
	ts, addr := futexTasks(t, 1)
	o := ts[0]
	if err := o.FutexWait(addr, 1, 1, false, wait.Never); err != unix.EAGAIN {
		t.Errorf("other value: %v, want EAGAIN", err)
	}
	if err := o.FutexWait(addr+1, 0, 1, false, wait.Never); err != unix.EINVAL {
		t.Errorf("unaligned: %v, want EINVAL", err)
	}
	if err := o.FutexWait(0x5000, 0, 1, false, wait.Never); err != unix.EFAULT {
		t.Errorf("unmapped: %v, want EFAULT", err)
	}
	if err := o.FutexWait(addr, 0, 0, false, wait.Never); err != unix.EINVAL {
		t.Errorf("no bits: %v, want EINVAL", err)
	}
	if err := o.FutexWait(addr, 0, 1, false, wait.Now()+1e6); err != unix.ETIMEDOUT {
		t.Errorf("deadline: %v, want ETIMEDOUT", err)
	}
	o.Thread.SetInterrupted(true)
	if err := o.FutexWait(addr, 0, 1, false, wait.Never); err != wait.ErrRestartSys {
		t.Errorf("interrupted: %v, want ErrRestartSys", err)
	}
	if n, err := o.FutexWake(addr, 10, 1, false); n != 0 || err != nil {
		t.Errorf("somebody still waits: %d, %v", n, err)
	}
}

func TestFutexWakeCountsAndBits(t *testing.T) {
	ts, addr := futexTasks(t, 5)
	var wg sync.WaitGroup
	for i, o := range ts[1:] {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := o.FutexWait(addr, 0, 1<<i, false, wait.Now()+int64(10*time.Second)); err != nil {
				t.Errorf("waiter %d: %v", i, err)
			}
		}()
	}
	waiting(t, ts[0], addr, 4)
	for _, tt := range []struct {
		n    int
		bits uint32
		want int
	}{{10, 1 << 9, 0}, {10, 1 << 2, 1}, {1, ^uint32(0), 1}, {10, ^uint32(0), 2}} {
		if n, err := ts[0].FutexWake(addr, tt.n, tt.bits, false); n != tt.want || err != nil {
			t.Errorf("wake %d with %#x: %d, %v; want %d", tt.n, tt.bits, n, err, tt.want)
		}
	}
	wg.Wait()
}

func TestFutexRequeue(t *testing.T) {
	ts, addr := futexTasks(t, 6)
	to := addr + 64
	var wg sync.WaitGroup
	for _, o := range ts[1:] {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := o.FutexWait(addr, 0, ^uint32(0), false, wait.Never); err != nil {
				t.Error(err)
			}
		}()
	}
	waiting(t, ts[0], addr, 5)
	bad := uint32(7)
	if _, err := ts[0].FutexRequeue(addr, to, 1, 2, &bad, false); err != unix.EAGAIN {
		t.Errorf("other value: %v, want EAGAIN", err)
	}
	good := uint32(0)
	if n, err := ts[0].FutexRequeue(addr, to, 1, 2, &good, false); n != 3 || err != nil {
		t.Errorf("requeue: %d, %v; want 3", n, err)
	}
	if n, _ := ts[0].FutexWake(to, 10, ^uint32(0), false); n != 2 {
		t.Errorf("%d were moved, want 2", n)
	}
	if n, _ := ts[0].FutexWake(addr, 10, ^uint32(0), false); n != 2 {
		t.Errorf("%d had stayed, want 2", n)
	}
	wg.Wait()
}

func TestFutexWakeOp(t *testing.T) {
	ts, addr := futexTasks(t, 1)
	o := ts[0]
	tests := []struct {
		name      string
		op        uint32
		old, want uint32
		err       error
	}{
		{"set", 0<<28 | 5<<12, 1, 5, nil},
		{"add", 1<<28 | 5<<12, 1, 6, nil},
		{"add negative", 1<<28 | 0xfff<<12, 1, 0, nil},
		{"or", 2<<28 | 6<<12, 1, 7, nil},
		{"andn", 3<<28 | 1<<12, 3, 2, nil},
		{"xor", 4<<28 | 3<<12, 1, 2, nil},
		{"shift", 8<<28 | 4<<12, 1, 16, nil},
		{"unknown", 7 << 28, 1, 1, unix.ENOSYS},
		{"unknown comparison", 0<<28 | 15<<24, 0, 0, unix.ENOSYS},
	}
	for _, tt := range tests {
		o.AS.Write32(addr, tt.old)
		_, err := o.FutexWakeOp(addr+4, addr, 1, 1, tt.op, false)
		if v, _ := o.AS.Read32(addr); v != tt.want || err != tt.err {
			t.Errorf("%s: %d, %v; want %d, %v", tt.name, v, err, tt.want, tt.err)
		}
	}
}

// Many tasks count under one lock made of a futex.
func TestFutexMutexStress(t *testing.T) {
	ts, addr := futexTasks(t, 8)
	const each = 400
	var wg sync.WaitGroup
	var count atomic.Int64 // loaded and stored apart: only the lock keeps it right
	for _, o := range ts {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range each {
				for c, _ := o.AS.CAS32(addr, 0, 1); c != 0; {
					if c == 2 {
						o.FutexWait(addr, 2, ^uint32(0), false, wait.Never)
					} else if c, _ = o.AS.CAS32(addr, 1, 2); c != 0 {
						o.FutexWait(addr, 2, ^uint32(0), false, wait.Never)
					}
					c, _ = o.AS.CAS32(addr, 0, 2)
				}
				count.Store(count.Load() + 1)
				for {
					c, _ := o.AS.CAS32(addr, 1, 0)
					if c == 1 {
						break
					}
					if c, _ = o.AS.CAS32(addr, 2, 0); c == 2 {
						o.FutexWake(addr, 1, ^uint32(0), false)
						break
					}
				}
			}
		}()
	}
	wg.Wait()
	if n := count.Load(); n != int64(each*len(ts)) {
		t.Errorf("counted %d, want %d", n, each*len(ts))
	}
}

func TestFutexPI(t *testing.T) {
	ts, addr := futexTasks(t, 4)
	tree.Lock()
	for _, o := range ts {
		pids.take(o.TID).task.Store(o)
	}
	tree.Unlock()
	t.Cleanup(func() {
		tree.Lock()
		for _, o := range ts {
			pids.slot(o.TID).task.Store(nil)
			pids.release(o.TID)
		}
		tree.Unlock()
	})
	first := ts[0]
	if err := first.FutexLockPI(addr, false, false, wait.Never); err != nil {
		t.Fatal(err)
	}
	if err := first.FutexLockPI(addr, false, false, wait.Never); err != unix.EDEADLK {
		t.Errorf("lock twice: %v, want EDEADLK", err)
	}
	if err := ts[1].FutexLockPI(addr, false, true, wait.Never); err != unix.EAGAIN {
		t.Errorf("trylock: %v, want EAGAIN", err)
	}
	if err := ts[1].FutexUnlockPI(addr, false); err != unix.EPERM {
		t.Errorf("unlock another's: %v, want EPERM", err)
	}
	var held atomic.Int32
	held.Store(first.TID)
	var wg sync.WaitGroup
	for _, o := range ts[1:] {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := o.FutexLockPI(addr, false, false, wait.Never); err != nil {
				t.Error(err)
				return
			}
			if !held.CompareAndSwap(0, o.TID) {
				t.Error("two hold the lock")
			}
			held.Store(0)
			if err := o.FutexUnlockPI(addr, false); err != nil {
				t.Error(err)
			}
		}()
	}
	waiting(t, first, addr, 3)
	held.Store(0)
	if err := first.FutexUnlockPI(addr, false); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if v, _ := first.AS.Read32(addr); v != 0 {
		t.Errorf("word is %#x at the end", v)
	}
}
