package fs_test

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
)

// epollOf makes an instance and returns its descriptor.
func epollOf(t *testing.T, ctx *fs.Context) int32 {
	t.Helper()
	f, err := ctx.EpollCreate(0)
	if err != nil {
		t.Fatal(err)
	}
	return fdOf(t, ctx, f)
}

func fdOf(t *testing.T, ctx *fs.Context, f *fs.File) int32 {
	t.Helper()
	fd, err := ctx.Files.Install(f, 0, false, 100000)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func expect(t *testing.T, ctx *fs.Context, epfd int32, want ...fs.EpollEvent) {
	t.Helper()
	out := make([]fs.EpollEvent, 10)
	n, err := ctx.EpollWait(epfd, out, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n != len(want) {
		t.Fatalf("%d events %v, want %v", n, out[:n], want)
	}
	for i := range want {
		if out[i] != want[i] {
			t.Fatalf("events %v, want %v", out[:n], want)
		}
	}
}

func TestEpollModes(t *testing.T) {
	ctx := newContext(t)
	ep := epollOf(t, ctx)
	r, w := newPipe(t, ctx, 0)
	rfd := fdOf(t, ctx, r)
	in := fs.EpollEvent{Events: unix.EPOLLIN, Data: 7}
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_ADD, rfd, in); err != nil {
		t.Fatal(err)
	}
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_ADD, rfd, in); err != unix.EEXIST {
		t.Errorf("again: %v", err)
	}
	expect(t, ctx, ep)
	write(ctx, w, []byte("xy"))
	expect(t, ctx, ep, in) // level: as long as it holds
	expect(t, ctx, ep, in)
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_MOD, rfd, fs.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Data: 8}); err != nil {
		t.Fatal(err)
	}
	edge := fs.EpollEvent{Events: unix.EPOLLIN, Data: 8}
	expect(t, ctx, ep, edge)
	expect(t, ctx, ep) // edge: once
	write(ctx, w, []byte("z"))
	expect(t, ctx, ep, edge)
	ctx.EpollCtl(ep, unix.EPOLL_CTL_MOD, rfd, fs.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Data: 9})
	shot := fs.EpollEvent{Events: unix.EPOLLIN, Data: 9}
	expect(t, ctx, ep, shot)
	write(ctx, w, []byte("z"))
	expect(t, ctx, ep) // disarmed
	ctx.EpollCtl(ep, unix.EPOLL_CTL_MOD, rfd, fs.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Data: 9})
	expect(t, ctx, ep, shot)
	// Hang-up comes unasked.
	ctx.EpollCtl(ep, unix.EPOLL_CTL_MOD, rfd, fs.EpollEvent{Events: 0, Data: 10})
	w.Unref()
	expect(t, ctx, ep, fs.EpollEvent{Events: unix.EPOLLHUP, Data: 10})
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_DEL, rfd, in); err != nil {
		t.Error(err)
	}
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_DEL, rfd, in); err != unix.ENOENT {
		t.Errorf("removed twice: %v", err)
	}
	expect(t, ctx, ep)
}

func TestEpollErrors(t *testing.T) {
	ctx := newContext(t)
	ep := epollOf(t, ctx)
	in := fs.EpollEvent{Events: unix.EPOLLIN}
	f, _ := ctx.Open(at, "/", unix.O_RDONLY, 0)
	dir := fdOf(t, ctx, f)
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_ADD, dir, in); err != unix.EPERM {
		t.Errorf("directory: %v", err)
	}
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_ADD, ep, in); err != unix.EINVAL {
		t.Errorf("itself: %v", err)
	}
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_ADD, 99, in); err != unix.EBADF {
		t.Errorf("no descriptor: %v", err)
	}
	r, _ := newPipe(t, ctx, 0)
	rfd := fdOf(t, ctx, r)
	if err := ctx.EpollCtl(rfd, unix.EPOLL_CTL_ADD, ep, in); err != unix.EINVAL {
		t.Errorf("not an epoll: %v", err)
	}
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_MOD, rfd, in); err != unix.ENOENT {
		t.Errorf("not registered: %v", err)
	}
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_ADD, rfd, fs.EpollEvent{Events: unix.EPOLLEXCLUSIVE | unix.EPOLLONESHOT}); err != unix.EINVAL {
		t.Errorf("exclusive one-shot: %v", err)
	}
	// Instances in a circle.
	chain := []int32{ep}
	for range 3 {
		e := epollOf(t, ctx)
		if err := ctx.EpollCtl(e, unix.EPOLL_CTL_ADD, chain[len(chain)-1], in); err != nil {
			t.Fatal(err)
		}
		chain = append(chain, e)
	}
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_ADD, chain[len(chain)-1], in); err != unix.ELOOP {
		t.Errorf("circle: %v", err)
	}
	// What is ready inside shows outside.
	e, w := newPipe(t, ctx, 0)
	efd := fdOf(t, ctx, e)
	if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_ADD, efd, in); err != nil {
		t.Fatal(err)
	}
	expect(t, ctx, chain[3])
	write(ctx, w, []byte("x"))
	expect(t, ctx, chain[3], fs.EpollEvent{Events: unix.EPOLLIN})
	read(ctx, e, make([]byte, 1))
	expect(t, ctx, chain[3])
}

// TestEpollForgetsClosedFiles: the last close ends the registration.
func TestEpollForgetsClosedFiles(t *testing.T) {
	ctx := newContext(t)
	ep := epollOf(t, ctx)
	ef, _ := ctx.Eventfd(1, 0)
	fd := fdOf(t, ctx, ef)
	in := fs.EpollEvent{Events: unix.EPOLLIN, Data: 1}
	ctx.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, in)
	dup := fdOf(t, ctx, ef.Ref())
	ctx.Files.Close(ctx, fd)
	expect(t, ctx, ep, in)
	ctx.Files.Close(ctx, dup)
	expect(t, ctx, ep)
}

// TestEpollManyWaiters: with a burst of events and several waiters on edge
// triggered descriptors no event is lost, and none is delivered twice.
func TestEpollManyWaiters(t *testing.T) {
	ctx := newContext(t)
	ep := epollOf(t, ctx)
	const files, rounds, waiters = 16, 300, 4
	var fds [files]*fs.File
	for i := range fds {
		f, err := ctx.Eventfd(0, unix.EFD_NONBLOCK)
		if err != nil {
			t.Fatal(err)
		}
		fds[i] = f
		fd := fdOf(t, ctx, f)
		if err := ctx.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, fs.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Data: uint64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	var got atomic.Int64
	var wg sync.WaitGroup
	stop := atomic.Bool{}
	for range waiters {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := another(ctx, nil)
			out := make([]fs.EpollEvent, 3)
			var p [8]byte
			for !stop.Load() {
				n, err := c.EpollWait(ep, out, wait.Now()+20e6)
				if err != nil {
					t.Error(err)
				}
				for _, ev := range out[:n] {
					if m, err := read(c, fds[ev.Data], p[:]); m == 8 {
						got.Add(int64(binary.LittleEndian.Uint64(p[:])))
					} else if err != unix.EAGAIN {
						t.Error(err)
					}
				}
			}
		}()
	}
	one := binary.LittleEndian.AppendUint64(nil, 1)
	var wr sync.WaitGroup
	for i := range fds {
		wr.Add(1)
		go func() {
			defer wr.Done()
			c := another(ctx, nil)
			for range rounds {
				if _, err := write(c, fds[i], one); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wr.Wait()
	for i := 0; got.Load() != files*rounds && i < 6000; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	stop.Store(true)
	wg.Wait()
	if got.Load() != files*rounds {
		t.Errorf("%d of %d events", got.Load(), files*rounds)
	}
}

// TestEpollChurn registers, removes and closes while events come: for the race
// detector, and against deadlocks.
func TestEpollChurn(t *testing.T) {
	ctx := newContext(t)
	ep := epollOf(t, ctx)
	outer := epollOf(t, ctx)
	ctx.EpollCtl(outer, unix.EPOLL_CTL_ADD, ep, fs.EpollEvent{Events: unix.EPOLLIN})
	var wg sync.WaitGroup
	for id := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := another(ctx, nil)
			out := make([]fs.EpollEvent, 4)
			for i := range 300 {
				r, w, err := c.Pipe(unix.O_NONBLOCK)
				if err != nil {
					t.Error(err)
					return
				}
				fd, _ := c.Files.Install(r, 0, false, 1000)
				target := ep
				if i%3 == 0 {
					target = outer
				}
				c.EpollCtl(target, unix.EPOLL_CTL_ADD, fd, fs.EpollEvent{Events: unix.EPOLLIN | []uint32{0, unix.EPOLLET, unix.EPOLLONESHOT}[i%3]})
				write(c, w, []byte("x"))
				c.EpollWait(outer, out, 0)
				if (i+id)%2 == 0 {
					c.EpollCtl(target, unix.EPOLL_CTL_DEL, fd, fs.EpollEvent{})
				}
				w.Unref()
				c.Files.Close(c, fd)
				c.EpollWait(ep, out, 0)
			}
		}()
	}
	wg.Wait()
	expect(t, ctx, outer)
}

func TestPollAndSelect(t *testing.T) {
	ctx := newContext(t)
	r, w := newPipe(t, ctx, 0)
	rfd, wfd := fdOf(t, ctx, r), fdOf(t, ctx, w)
	fds := []fs.PollFD{{FD: rfd, Events: unix.POLLIN}, {FD: wfd, Events: unix.POLLOUT}, {FD: -1, Events: unix.POLLIN}, {FD: 77, Events: unix.POLLIN}}
	if n, err := ctx.Poll(fds, 0); n != 2 || err != nil || fds[1].Revents != unix.POLLOUT || fds[2].Revents != 0 || fds[3].Revents != unix.POLLNVAL {
		t.Errorf("%d, %v: %v", n, err, fds)
	}
	start := time.Now()
	if n, err := ctx.Poll(fds[:1], wait.Now()+30e6); n != 0 || err != nil || time.Since(start) < 25*time.Millisecond {
		t.Errorf("time-out: %d, %v after %v", n, err, time.Since(start))
	}
	go func() {
		time.Sleep(10 * time.Millisecond)
		write(another(ctx, nil), w, []byte("x"))
	}()
	if n, err := ctx.Poll(fds[:1], wait.Never); n != 1 || err != nil {
		t.Errorf("woken: %d, %v", n, err)
	}
	in, out := []uint64{1 << uint(rfd)}, []uint64{1<<uint(wfd) | 1<<uint(rfd)}
	if n, err := ctx.Select(8, in, out, nil, 0); n != 2 || err != nil || in[0] != 1<<uint(rfd) || out[0] != 1<<uint(wfd) {
		t.Errorf("select: %d, %v, %x %x", n, err, in, out)
	}
	if _, err := ctx.Select(64, []uint64{1 << 60}, nil, nil, 0); err != unix.EBADF {
		t.Errorf("select of a closed descriptor: %v", err)
	}
	go func() {
		time.Sleep(10 * time.Millisecond)
		ctx.Thread.SetInterrupted(true)
		ctx.Thread.Wake()
	}()
	read(ctx, r, make([]byte, 1))
	if _, err := ctx.Poll(fds[:1], wait.Never); err != wait.ErrRestartSys {
		t.Errorf("interrupted: %v", err)
	}
}
