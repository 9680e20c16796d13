package fs_test

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

func read(ctx *fs.Context, f *fs.File, p []byte) (int, error) {
	ctx.Iter = mm.BytesIter(p)
	return ctx.Read(f, &ctx.Iter)
}

func write(ctx *fs.Context, f *fs.File, p []byte) (int, error) {
	ctx.Iter = mm.BytesIter(p)
	return ctx.Write(f, &ctx.Iter)
}

func newPipe(t testing.TB, ctx *fs.Context, flags int) (r, w *fs.File) {
	t.Helper()
	r, w, err := ctx.Pipe(flags)
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// TestPipeAtomicWrites has writers of records up to PIPE_BUF and readers of odd
// sizes: no record may be torn or lost.
func TestPipeAtomicWrites(t *testing.T) {
	ctx := newContext(t)
	r, w := newPipe(t, ctx, 0)
	const writers, records = 8, 400
	sizes := []int{16, 100, 1000, 4096}
	var wg sync.WaitGroup
	for id := range writers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := another(ctx, nil)
			for i := range records {
				n := sizes[(i+id)%len(sizes)]
				p := bytes.Repeat([]byte{byte(id)}, n)
				binary.LittleEndian.PutUint32(p, uint32(n))
				binary.LittleEndian.PutUint32(p[4:], uint32(i))
				if m, err := write(c, w, p); m != n || err != nil {
					t.Errorf("write: %d, %v", m, err)
				}
			}
		}()
	}
	go func() { wg.Wait(); w.Unref() }()
	var all []byte
	buf := make([]byte, 5000)
	for {
		n, err := read(ctx, r, buf[:1+len(all)%4999])
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		all = append(all, buf[:n]...)
	}
	r.Unref()
	next := make([]uint32, writers)
	for len(all) > 0 {
		n := int(binary.LittleEndian.Uint32(all))
		if n < 16 || n > len(all) {
			t.Fatalf("torn record of %d bytes", n)
		}
		id := all[8]
		if got := binary.LittleEndian.Uint32(all[4:]); got != next[id] {
			t.Fatalf("writer %d: record %d after %d", id, got, next[id])
		}
		next[id]++
		for _, c := range all[8:n] {
			if c != id {
				t.Fatalf("record of writer %d mixed with %d", id, c)
			}
		}
		all = all[n:]
	}
	for id, n := range next {
		if n != records {
			t.Errorf("writer %d: %d records", id, n)
		}
	}
}

// TestPipeManyReadersAndWriters moves big blocks through with both sides blocking
// all the time; every byte arrives once, and no frame is lost.
func TestPipeManyReadersAndWriters(t *testing.T) {
	ctx := newContext(t)
	before := arch.ReadFrameStats().Free
	r, w := newPipe(t, ctx, 0)
	const tasks, block, rounds = 4, 100_000, 20
	var in, out atomic.Int64
	var wr, rd sync.WaitGroup
	for range tasks {
		wr.Add(1)
		go func() {
			defer wr.Done()
			c := another(ctx, nil)
			for range rounds {
				n, err := write(c, w, make([]byte, block))
				if err != nil {
					t.Error(err)
				}
				in.Add(int64(n))
			}
		}()
		rd.Add(1)
		go func() {
			defer rd.Done()
			c := another(ctx, nil)
			p := make([]byte, 7001)
			for {
				n, err := read(c, r, p)
				if err != nil {
					t.Error(err)
				}
				if n == 0 {
					return
				}
				out.Add(int64(n))
			}
		}()
	}
	wr.Wait()
	w.Unref()
	rd.Wait()
	r.Unref()
	if in.Load() != tasks*rounds*block || out.Load() != in.Load() {
		t.Errorf("%d bytes in, %d out", in.Load(), out.Load())
	}
	if after := arch.ReadFrameStats().Free; after != before {
		t.Errorf("%d frames lost", int64(before)-int64(after))
	}
}

func TestPipeEnds(t *testing.T) {
	ctx := newContext(t)
	sig := unix.Signal(0)
	ctx.Signal = func(s unix.Signal) { sig = s }
	r, w := newPipe(t, ctx, unix.O_NONBLOCK)
	if _, err := read(ctx, r, make([]byte, 1)); err != unix.EAGAIN {
		t.Errorf("empty: %v", err)
	}
	if n, err := read(ctx, r, nil); n != 0 || err != nil {
		t.Errorf("nothing asked for: %d, %v", n, err)
	}
	total := 0
	for {
		n, err := write(ctx, w, make([]byte, 4096))
		if err == unix.EAGAIN {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
	if total != 65536 {
		t.Errorf("a pipe took %d bytes", total)
	}
	if ev := r.Ops().Poll(r, nil); ev&unix.POLLIN == 0 || ev&unix.POLLHUP != 0 {
		t.Errorf("full: reader's events %#x", ev)
	}
	if ev := w.Ops().Poll(w, nil); ev&unix.POLLOUT != 0 {
		t.Errorf("full: writer's events %#x", ev)
	}
	if _, err := read(ctx, w, make([]byte, 1)); err != unix.EBADF {
		t.Errorf("reading the write end: %v", err)
	}
	if _, err := ctx.Seek(r, 0, 0); err != unix.ESPIPE {
		t.Errorf("seek: %v", err)
	}
	r.Unref()
	if ev := w.Ops().Poll(w, nil); ev&unix.POLLERR == 0 {
		t.Errorf("no reader: %#x", ev)
	}
	if _, err := write(ctx, w, make([]byte, 1)); err != unix.EPIPE || sig != unix.SIGPIPE {
		t.Errorf("no reader: %v, signal %v", err, sig)
	}
	w.Unref()
}

func TestPipeSize(t *testing.T) {
	ctx := newContext(t)
	r, w := newPipe(t, ctx, unix.O_NONBLOCK)
	defer r.Unref()
	defer w.Unref()
	for _, c := range []struct {
		ask  uint64
		want int
		err  error
	}{{1, 4096, nil}, {4097, 8192, nil}, {0, 0, unix.EINVAL}, {1 << 20, 1 << 20, nil}, {1<<31 + 1, 0, unix.EINVAL}, {3 << 20, 4 << 20, nil}, {65536, 65536, nil}} {
		if n, err := ctx.SetPipeSize(w, c.ask); n != c.want || err != c.err {
			t.Errorf("F_SETPIPE_SZ %d: %d, %v", c.ask, n, err)
		}
	}
	user := another(ctx, fs.UserCred(1, 1))
	if _, err := user.SetPipeSize(w, 2<<20); err != unix.EPERM {
		t.Errorf("beyond pipe-max-size without privilege: %v", err)
	}
	write(ctx, w, make([]byte, 20000))
	if _, err := ctx.SetPipeSize(w, 4096); err != unix.EBUSY {
		t.Errorf("smaller than what is in it: %v", err)
	}
	want := pattern(20000)
	read(ctx, r, make([]byte, 20000))
	write(ctx, w, want)
	if _, err := ctx.SetPipeSize(w, 1<<17); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 30000)
	if n, _ := read(ctx, r, got); !bytes.Equal(got[:n], want) {
		t.Error("the content changed with the size")
	}
}

// TestPipeInterrupted: a signal ends a blocked read and write.
func TestPipeInterrupted(t *testing.T) {
	ctx := newContext(t)
	r, w := newPipe(t, ctx, 0)
	interrupt := func() {
		time.Sleep(10 * time.Millisecond)
		ctx.Thread.SetInterrupted(true)
		ctx.Thread.Wake()
	}
	go interrupt()
	if _, err := read(ctx, r, make([]byte, 1)); err != wait.ErrRestartSys {
		t.Errorf("read: %v", err)
	}
	ctx.Thread.SetInterrupted(false)
	go interrupt()
	if n, err := write(ctx, w, make([]byte, 100000)); n != 65536 || err != nil {
		t.Errorf("write of a part: %d, %v", n, err)
	}
	if _, err := write(ctx, w, make([]byte, 1)); err != wait.ErrRestartSys {
		t.Errorf("write of nothing: %v", err)
	}
	ctx.Thread.SetInterrupted(false)
	r.Unref()
	w.Unref()
}

func TestFIFOOpen(t *testing.T) {
	ctx := newContext(t)
	if err := ctx.Mknod(at, "/f", unix.S_IFIFO|0o600, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := ctx.Open(at, "/f", unix.O_WRONLY|unix.O_NONBLOCK, 0); err != unix.ENXIO {
		t.Errorf("writer without reader: %v", err)
	}
	got := make(chan *fs.File)
	go func() {
		f, err := another(ctx, nil).Open(at, "/f", unix.O_RDONLY, 0)
		if err != nil {
			t.Error(err)
		}
		got <- f
	}()
	w, err := ctx.Open(at, "/f", unix.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := <-got
	write(ctx, w, []byte("hello"))
	w.Unref()
	p := make([]byte, 10)
	if n, err := read(ctx, r, p); string(p[:n]) != "hello" || err != nil {
		t.Errorf("%q, %v", p[:n], err)
	}
	if n, err := read(ctx, r, p); n != 0 || err != nil {
		t.Errorf("end of file: %d, %v", n, err)
	}
	r.Unref()
	// A reader that opened without blocking sees no hang-up before the first writer.
	r, err = ctx.Open(at, "/f", unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	if ev := r.Ops().Poll(r, nil); ev != 0 {
		t.Errorf("no writer yet: %#x", ev)
	}
	w, err = ctx.Open(at, "/f", unix.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.Unref()
	if ev := r.Ops().Poll(r, nil); ev != unix.POLLHUP {
		t.Errorf("the writer left: %#x", ev)
	}
	r.Unref()
	// Interrupted while it waits for the other side, it leaves nothing behind.
	go func() {
		time.Sleep(10 * time.Millisecond)
		ctx.Thread.SetInterrupted(true)
		ctx.Thread.Wake()
	}()
	if _, err := ctx.Open(at, "/f", unix.O_RDONLY, 0); err != wait.ErrRestartSys {
		t.Errorf("interrupted: %v", err)
	}
	ctx.Thread.SetInterrupted(false)
	if _, err := ctx.Open(at, "/f", unix.O_WRONLY|unix.O_NONBLOCK, 0); err != unix.ENXIO {
		t.Errorf("a reader that gave up counts: %v", err)
	}
}

func TestPipePackets(t *testing.T) {
	ctx := newContext(t)
	r, w := newPipe(t, ctx, unix.O_DIRECT)
	write(ctx, w, []byte("first"))
	write(ctx, w, []byte("second"))
	p := make([]byte, 3)
	if n, _ := read(ctx, r, p); n != 3 {
		t.Errorf("%d bytes", n)
	}
	p = make([]byte, 100)
	if n, _ := read(ctx, r, p); string(p[:n]) != "second" {
		t.Errorf("%q: the rest of a packet is dropped", p[:n])
	}
	r.Unref()
	w.Unref()
}

func TestSpliceAndTee(t *testing.T) {
	ctx := newContext(t)
	before := arch.ReadFrameStats().Free
	r1, w1 := newPipe(t, ctx, unix.O_NONBLOCK)
	r2, w2 := newPipe(t, ctx, unix.O_NONBLOCK)
	want := pattern(10000)
	write(ctx, w1, want)
	if n, err := ctx.Tee(r1, w2, 5000, 0); n != 5000 || err != nil {
		t.Fatalf("tee: %d, %v", n, err)
	}
	write(ctx, w2, []byte("after")) // must not land in the shared page
	if n, err := ctx.Splice(r1, nil, w2, nil, 1<<20, 0); n != 10000 || err != nil {
		t.Fatalf("splice: %d, %v", n, err)
	}
	got := make([]byte, 20000)
	n, err := read(ctx, r2, got)
	if want := string(want[:5000]) + "after" + string(want); string(got[:n]) != want || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	// Through a file and back.
	f, err := ctx.Open(at, "/f", unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	write(ctx, w1, want)
	pos := int64(100)
	if n, err := ctx.Splice(r1, nil, f, &pos, 1<<20, 0); n != 10000 || pos != 10100 || err != nil {
		t.Errorf("pipe to file: %d, %v", n, err)
	}
	pos = 100
	if n, err := ctx.Splice(f, &pos, w1, nil, 1<<20, 0); n != 10000 || err != nil {
		t.Errorf("file to pipe: %d, %v", n, err)
	}
	if n, _ := read(ctx, r1, got); !bytes.Equal(got[:n], want) {
		t.Error("not the same bytes")
	}
	if n, err := ctx.Sendfile(w1, f, nil, 1<<20); n != 10100 || err != nil {
		t.Errorf("sendfile: %d, %v", n, err)
	}
	if _, err := ctx.Splice(f, nil, f, nil, 1, 0); err != unix.EINVAL {
		t.Errorf("without a pipe: %v", err)
	}
	for _, f := range []*fs.File{r1, w1, r2, w2, f} {
		f.Unref()
	}
	if err := ctx.Unlink(at, "/f"); err != nil {
		t.Fatal(err)
	}
	if after := arch.ReadFrameStats().Free; after != before {
		t.Errorf("%d frames lost", int64(before)-int64(after))
	}
}

// TestNoAllocations: the paths every program lives on allocate nothing.
func TestNoAllocations(t *testing.T) {
	ctx := newContext(t)
	r, w := newPipe(t, ctx, 0)
	p := make([]byte, 100)
	none := func(what string, f func()) {
		t.Helper()
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
	none("pipe", func() {
		write(ctx, w, p)
		read(ctx, r, p)
	})
	f, err := ctx.Open(at, "/f", unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	none("file", func() {
		ctx.Iter = mm.BytesIter(p)
		ctx.Pwrite(f, &ctx.Iter, 0)
		ctx.Iter = mm.BytesIter(p)
		ctx.Pread(f, &ctx.Iter, 0)
		ctx.Seek(f, 0, 0)
	})
	if err := ctx.Mkdir(at, "/d", 0o755); err != nil {
		t.Fatal(err)
	}
	ctx.Mkdir(at, "/d/e", 0o755)
	ctx.Symlink("/d/e", at, "/d/l")
	var st fs.Attr
	none("stat", func() {
		if err := ctx.Stat(at, "/d/../d/./e", 0, &st); err != nil {
			t.Fatal(err)
		}
		if err := ctx.Stat(at, "/d/l/", 0, &st); err != nil {
			t.Fatal(err)
		}
		if err := ctx.Stat(at, "/d/none", 0, &st); err != unix.ENOENT {
			t.Fatal(err)
		}
	})
	fd, _ := ctx.Files.Install(f, 0, false, 10)
	none("descriptor", func() {
		f, _ := ctx.Files.Get(fd)
		f.Unref()
	})
	none("poll", func() {
		fds := [1]fs.PollFD{{FD: fd, Events: unix.POLLIN}}
		if n, err := ctx.Poll(fds[:], 0); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	})
}

// TestPipeReopened: opening a pipe by /proc/self/fd waits for no other end.
func TestPipeReopened(t *testing.T) {
	ctx := newContext(t)
	r, w := newPipe(t, ctx, 0)
	write(ctx, w, []byte("left behind"))
	w.Unref()
	again, err := ctx.OpenPath(r.Path(), unix.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 20)
	if n, err := read(ctx, again, p); string(p[:n]) != "left behind" || err != nil {
		t.Errorf("%q, %v", p[:n], err)
	}
	if n, err := read(ctx, again, p); n != 0 || err != nil {
		t.Errorf("end: %d, %v", n, err)
	}
	again.Unref()
	r.Unref()
}
