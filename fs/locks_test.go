package fs_test

import (
	"math/rand"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// process returns a context with a descriptor table of its own, as after fork.
func process(ctx *fs.Context, pid int32) *fs.Context {
	n := another(ctx, nil)
	n.Files = fs.NewFDTable()
	n.PID = pid
	return n
}

func lockFile(t *testing.T, ctx *fs.Context) *fs.File {
	t.Helper()
	f, err := ctx.Open(at, "/lock", unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func flock(typ int16, start, n int64) *unix.Flock_t {
	return &unix.Flock_t{Type: typ, Start: start, Len: n}
}

func TestRecordLocks(t *testing.T) {
	ctx := newContext(t)
	a, b := process(ctx, 1), process(ctx, 2)
	f, g := lockFile(t, a), lockFile(t, b)
	set := func(c *fs.Context, f *fs.File, typ int16, start, n int64, want error) {
		t.Helper()
		if err := c.RecordLock(f, unix.F_SETLK, flock(typ, start, n)); err != want {
			t.Errorf("type %d at %d+%d: %v, want %v", typ, start, n, err, want)
		}
	}
	set(a, f, unix.F_WRLCK, 0, 10, nil)
	set(b, g, unix.F_RDLCK, 5, 1, unix.EAGAIN)
	set(b, g, unix.F_RDLCK, 10, 10, nil)
	set(a, f, unix.F_RDLCK, 15, 0, nil) // shared
	set(a, f, unix.F_WRLCK, 15, 1, unix.EAGAIN)
	set(a, f, unix.F_UNLCK, 4, 2, nil) // a hole in the middle
	set(b, g, unix.F_WRLCK, 4, 2, nil)
	set(b, g, unix.F_WRLCK, 3, 1, unix.EAGAIN)
	set(b, g, unix.F_WRLCK, 6, 1, unix.EAGAIN)
	fl := flock(unix.F_WRLCK, 0, 0)
	if err := b.RecordLock(g, unix.F_GETLK, fl); err != nil || fl.Type != unix.F_WRLCK || fl.Start != 0 || fl.Len != 4 || fl.Pid != 1 {
		t.Errorf("F_GETLK: %+v, %v", fl, err)
	}
	if err := a.RecordLock(f, unix.F_SETLK, flock(9, 0, 0)); err != unix.EINVAL {
		t.Errorf("bad type: %v", err)
	}
	if err := a.RecordLock(f, unix.F_SETLK, flock(unix.F_RDLCK, -5, 0)); err != unix.EINVAL {
		t.Errorf("before the start: %v", err)
	}
	if err := a.RecordLock(f, unix.F_SETLK, flock(unix.F_RDLCK, 10, -4)); err != nil {
		t.Errorf("negative length: %v", err)
	}
	// Closing any descriptor of the file drops the process's locks.
	fd, _ := a.Files.Install(lockFile(t, a), 0, false, 10)
	a.Files.Close(a, fd)
	set(b, g, unix.F_WRLCK, 0, 0, nil)
}

func TestOFDLocks(t *testing.T) {
	ctx := newContext(t)
	f, g := lockFile(t, ctx), lockFile(t, ctx)
	if err := ctx.RecordLock(f, unix.F_OFD_SETLK, flock(unix.F_WRLCK, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if err := ctx.RecordLock(g, unix.F_OFD_SETLK, flock(unix.F_WRLCK, 0, 0)); err != unix.EAGAIN {
		t.Errorf("another description: %v", err)
	}
	fl := flock(unix.F_RDLCK, 0, 0)
	if err := ctx.RecordLock(g, unix.F_OFD_GETLK, fl); err != nil || fl.Pid != -1 {
		t.Errorf("F_OFD_GETLK: %+v, %v", fl, err)
	}
	f.Unref()
	if err := ctx.RecordLock(g, unix.F_OFD_SETLK, flock(unix.F_WRLCK, 0, 0)); err != nil {
		t.Errorf("after the close: %v", err)
	}
}

func TestLockDeadlock(t *testing.T) {
	ctx := newContext(t)
	const n = 3
	var procs [n]*fs.Context
	var files [n]*fs.File
	for i := range procs {
		procs[i] = process(ctx, int32(i+1))
		files[i] = lockFile(t, procs[i])
		if err := procs[i].RecordLock(files[i], unix.F_SETLK, flock(unix.F_WRLCK, int64(i), 1)); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, n)
	for i := range n {
		go func() {
			err := procs[i].RecordLock(files[i], unix.F_SETLKW, flock(unix.F_WRLCK, int64((i+1)%n), 1))
			procs[i].RecordLock(files[i], unix.F_SETLK, flock(unix.F_UNLCK, 0, 0))
			done <- err
		}()
	}
	// Whoever closes the circle is told; then the others get what they wait for.
	deadlocks := 0
	for range n {
		switch err := <-done; err {
		case nil:
		case unix.EDEADLK:
			deadlocks++
		default:
			t.Error(err)
		}
	}
	if deadlocks != 1 {
		t.Errorf("%d of %d were told of a deadlock", deadlocks, n)
	}
}

// TestLocksExclude has processes that lock random ranges and write into an
// array under the locks' protection: the race detector is the judge.
func TestLocksExclude(t *testing.T) {
	ctx := newContext(t)
	var cells [32]int
	var wg sync.WaitGroup
	for id := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := process(ctx, int32(id+1))
			f, err := c.Open(at, "/lock", unix.O_RDWR|unix.O_CREAT, 0o600)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Unref()
			r := rand.New(rand.NewSource(int64(id)))
			for range 200 {
				start := r.Intn(len(cells))
				n := 1 + r.Intn(len(cells)-start)
				if err := c.RecordLock(f, unix.F_SETLKW, flock(unix.F_WRLCK, int64(start), int64(n))); err != nil {
					t.Error(err)
					return
				}
				for i := start; i < start+n; i++ {
					cells[i]++
				}
				c.RecordLock(f, unix.F_SETLK, flock(unix.F_UNLCK, int64(start), int64(n)))
			}
		}()
	}
	wg.Wait()
}

func TestFlock(t *testing.T) {
	ctx := newContext(t)
	f, g := lockFile(t, ctx), lockFile(t, ctx)
	if err := ctx.Flock(f, unix.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	if err := ctx.Flock(g, unix.LOCK_SH|unix.LOCK_NB); err != nil {
		t.Errorf("shared: %v", err)
	}
	if err := ctx.Flock(g, unix.LOCK_EX|unix.LOCK_NB); err != unix.EAGAIN {
		t.Errorf("exclusive: %v", err)
	}
	got := make(chan error)
	go func() { got <- another(ctx, nil).Flock(g, unix.LOCK_EX) }()
	time.Sleep(10 * time.Millisecond)
	f.Unref() // releases
	if err := <-got; err != nil {
		t.Error(err)
	}
	if err := ctx.Flock(g, 77); err != unix.EINVAL {
		t.Errorf("nonsense: %v", err)
	}
}
