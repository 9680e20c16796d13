package unixsock_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/tmpfs"
	. "tamarix/fs/unixsock"
	"tamarix/mm"
)

func TestMain(m *testing.M) {
	arch.InitHost(128 << 20)
	os.Exit(m.Run())
}

func newContext(t *testing.T) *fs.Context {
	sb, err := tmpfs.New("tmpfs", "")
	if err != nil {
		t.Fatal(err)
	}
	th := new(wait.Thread)
	th.Bind()
	return fs.NewContext(fs.NewRootMount(sb, "tmpfs"), th)
}

func another(ctx *fs.Context) *fs.Context {
	th := new(wait.Thread)
	th.Bind()
	n := fs.NewContext(ctx.FS.Root(), th)
	n.FS, n.Files = ctx.FS, ctx.Files
	return n
}

func pair(t *testing.T, ctx *fs.Context, typ int) (a, b *fs.File) {
	t.Helper()
	a, b, err := Pair(ctx, typ, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func sock(f *fs.File) *Socket { s, _ := Of(f); return s }

func send(ctx *fs.Context, f *fs.File, text string, m *Sent) (int, error) {
	if m == nil {
		m = &Sent{}
	}
	ctx.Iter = mm.BytesIter([]byte(text))
	return sock(f).Send(ctx, &ctx.Iter, m, 0, f.Nonblock())
}

func recv(ctx *fs.Context, f *fs.File, n int, flags int) (string, Received, error) {
	p := make([]byte, n)
	ctx.Iter = mm.BytesIter(p)
	var m Received
	n, err := sock(f).Receive(ctx, &ctx.Iter, &m, flags, flags&unix.MSG_DONTWAIT != 0)
	if err != nil {
		return "", m, err
	}
	return string(p[:min(n, len(p))]), m, nil
}

func TestStreamPair(t *testing.T) {
	ctx := newContext(t)
	a, b := pair(t, ctx, unix.SOCK_STREAM)
	send(ctx, a, "one ", nil)
	send(ctx, a, "two", nil)
	if s, _, err := recv(ctx, b, 5, unix.MSG_PEEK); s != "one t" || err != nil {
		t.Errorf("peek: %q, %v", s, err)
	}
	if s, _, err := recv(ctx, b, 100, 0); s != "one two" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	if _, _, err := recv(ctx, b, 1, unix.MSG_DONTWAIT); err != unix.EAGAIN {
		t.Errorf("empty: %v", err)
	}
	sig := unix.Signal(0)
	ctx.Signal = func(s unix.Signal) { sig = s }
	sock(a).Shutdown(unix.SHUT_WR)
	if s, _, err := recv(ctx, b, 1, 0); s != "" || err != nil {
		t.Errorf("after shutdown: %q, %v", s, err)
	}
	if _, err := send(ctx, a, "x", nil); err != unix.EPIPE || sig != unix.SIGPIPE {
		t.Errorf("after shutdown: %v, %v", err, sig)
	}
	if _, err := send(ctx, b, "back", nil); err != nil {
		t.Errorf("the other direction: %v", err)
	}
	a.Unref() // with unread data
	if _, _, err := recv(ctx, b, 1, 0); err != unix.ECONNRESET {
		t.Errorf("reset: %v", err)
	}
	if s, _, err := recv(ctx, b, 1, 0); s != "" || err != nil {
		t.Errorf("then the end: %q, %v", s, err)
	}
	if ev := b.Ops().Poll(b, nil); ev&(unix.POLLHUP|unix.POLLIN|unix.POLLRDHUP) != unix.POLLHUP|unix.POLLIN|unix.POLLRDHUP {
		t.Errorf("events %#x", ev)
	}
	b.Unref()
}

// TestStreamFlow pushes much through a small buffer in both directions at once.
func TestStreamFlow(t *testing.T) {
	ctx := newContext(t)
	a, b := pair(t, ctx, unix.SOCK_STREAM)
	sock(a).SetOption(ctx, unix.SO_SNDBUF, 4096)
	want := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	var wg sync.WaitGroup
	for _, d := range []struct{ from, to *fs.File }{{a, b}, {b, a}} {
		wg.Add(2)
		go func() {
			defer wg.Done()
			c := another(ctx)
			if n, err := send(c, d.from, string(want), nil); n != len(want) || err != nil {
				t.Errorf("sent %d, %v", n, err)
			}
			sock(d.from).Shutdown(unix.SHUT_WR)
		}()
		go func() {
			defer wg.Done()
			c := another(ctx)
			var got []byte
			for {
				s, _, err := recv(c, d.to, 7777, 0)
				if err != nil {
					t.Error(err)
				}
				if s == "" {
					break
				}
				got = append(got, s...)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes arrived, not what was sent", len(got))
			}
		}()
	}
	wg.Wait()
	a.Unref()
	b.Unref()
}

func TestRecords(t *testing.T) {
	ctx := newContext(t)
	for _, typ := range []int{unix.SOCK_DGRAM, unix.SOCK_SEQPACKET} {
		a, b := pair(t, ctx, typ)
		send(ctx, a, "first", nil)
		send(ctx, a, "", nil)
		send(ctx, a, "third", nil)
		if s, m, err := recv(ctx, b, 3, 0); s != "fir" || m.Flags&unix.MSG_TRUNC == 0 || err != nil {
			t.Errorf("cut: %q, %+v, %v", s, m, err)
		}
		if s, m, err := recv(ctx, b, 3, 0); s != "" || !m.Have || err != nil {
			t.Errorf("empty record: %q, %+v, %v", s, m, err)
		}
		if s, _, err := recv(ctx, b, 9, 0); s != "third" || err != nil {
			t.Errorf("%q, %v", s, err)
		}
		if _, err := send(ctx, a, string(make([]byte, 1<<20)), nil); err != unix.EMSGSIZE {
			t.Errorf("huge: %v", err)
		}
		a.Unref()
		b.Unref()
	}
}

func TestConnections(t *testing.T) {
	ctx := newContext(t)
	for _, name := range []Name{"/sock", "\x00abstract"} {
		l, _ := New(ctx, unix.SOCK_STREAM, 0, false)
		c, _ := New(ctx, unix.SOCK_STREAM, 0, false)
		if err := sock(c).Connect(ctx, name, false); err != unix.ENOENT && err != unix.ECONNREFUSED {
			t.Errorf("nobody there: %v", err)
		}
		if err := sock(l).Bind(ctx, name); err != nil {
			t.Fatal(err)
		}
		if err := sock(c).Connect(ctx, name, false); err != unix.ECONNREFUSED {
			t.Errorf("not listening: %v", err)
		}
		if err := sock(c).Bind(ctx, name); err != unix.EADDRINUSE {
			t.Errorf("bound twice: %v", err)
		}
		if _, _, err := sock(l).Accept(ctx, true, false); err != unix.EINVAL {
			t.Errorf("accept before listen: %v", err)
		}
		if err := sock(l).Listen(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if _, _, err := sock(l).Accept(ctx, true, false); err != unix.EAGAIN {
			t.Errorf("nobody waits: %v", err)
		}
		d, _ := New(ctx, unix.SOCK_DGRAM, 0, false)
		if err := sock(d).Connect(ctx, name, false); err != unix.EPROTOTYPE {
			t.Errorf("another type: %v", err)
		}
		d.Unref()
		if err := sock(c).Connect(ctx, name, false); err != nil {
			t.Fatal(err)
		}
		if err := sock(c).Connect(ctx, name, false); err != unix.EISCONN {
			t.Errorf("again: %v", err)
		}
		send(ctx, c, "early", nil) // before it is accepted
		s, _, err := sock(l).Accept(ctx, false, false)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := recv(ctx, s, 10, 0); got != "early" {
			t.Errorf("%q", got)
		}
		if n, err := sock(c).PeerName(); n != name || err != nil {
			t.Errorf("peer %q, %v", n, err)
		}
		// Fill the backlog; the next one waits until somebody accepts.
		var waiting []*fs.File
		for range 2 {
			f, _ := New(ctx, unix.SOCK_STREAM, 0, false)
			if err := sock(f).Connect(ctx, name, true); err != nil {
				t.Error(err)
			}
			waiting = append(waiting, f)
		}
		f, _ := New(ctx, unix.SOCK_STREAM, 0, false)
		if err := sock(f).Connect(ctx, name, true); err != unix.EAGAIN {
			t.Errorf("backlog full: %v", err)
		}
		done := make(chan error)
		go func() { done <- sock(f).Connect(another(ctx), name, false) }()
		time.Sleep(5 * time.Millisecond)
		s2, _, _ := sock(l).Accept(ctx, false, false)
		if err := <-done; err != nil {
			t.Errorf("after an accept: %v", err)
		}
		l.Unref()
		if _, _, err := recv(ctx, f, 1, 0); err != unix.ECONNRESET {
			t.Errorf("never accepted: %v", err)
		}
		for _, f := range append(waiting, f, s, s2, c) {
			f.Unref()
		}
	}
}

func TestDatagramNames(t *testing.T) {
	ctx := newContext(t)
	a, _ := New(ctx, unix.SOCK_DGRAM, 0, false)
	b, _ := New(ctx, unix.SOCK_DGRAM, 0, false)
	sock(a).Bind(ctx, "/a")
	sock(b).Bind(ctx, "") // autobind
	if n := sock(b).LocalName(); len(n) != 6 || n[0] != 0 {
		t.Errorf("autobind: %q", n)
	}
	if _, err := send(ctx, b, "x", nil); err != unix.ENOTCONN {
		t.Errorf("to nobody: %v", err)
	}
	if _, err := send(ctx, b, "hello", &Sent{To: "/a"}); err != nil {
		t.Fatal(err)
	}
	s, m, err := recv(ctx, a, 10, 0)
	if s != "hello" || m.From != sock(b).LocalName() || err != nil {
		t.Errorf("%q from %q, %v", s, m.From, err)
	}
	sock(b).Connect(ctx, "/a", false)
	for i := 0; ; i++ {
		b.SetFlags(b.Flags() | unix.O_NONBLOCK)
		if _, err := send(ctx, b, "x", nil); err == unix.EAGAIN {
			if i != 11 {
				t.Errorf("%d datagrams fit", i)
			}
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	a.Unref()
	if _, err := send(ctx, b, "x", nil); err != unix.ECONNREFUSED {
		t.Errorf("receiver gone: %v", err)
	}
	b.Unref()
}

func TestRights(t *testing.T) {
	ctx := newContext(t)
	n0, _ := fs.FileCount()
	a, b := pair(t, ctx, unix.SOCK_STREAM)
	r, w, err := ctx.Pipe(0)
	if err != nil {
		t.Fatal(err)
	}
	send(ctx, a, "before", nil)
	if _, err := send(ctx, a, "with", &Sent{Files: []*fs.File{w}, Cred: Cred{PID: 42}}); err != nil {
		t.Fatal(err)
	}
	send(ctx, a, "after", nil)
	if s, m, _ := recv(ctx, b, 100, 0); s != "before" || m.Files != nil {
		t.Errorf("%q, %+v", s, m)
	}
	s, m, _ := recv(ctx, b, 100, 0)
	if s != "with" || len(m.Files) != 1 || m.Cred.PID != 42 {
		t.Fatalf("%q, %+v", s, m)
	}
	if s, m, _ := recv(ctx, b, 100, 0); s != "after" || m.Files != nil {
		t.Errorf("%q, %+v", s, m)
	}
	m.Files[0].Unref()
	ctx.Iter = mm.BytesIter(make([]byte, 1))
	if n, err := ctx.Read(r, &ctx.Iter); n != 0 || err != nil {
		t.Errorf("the passed write end was the last: %d, %v", n, err)
	}
	r.Unref()
	// Never received: closed with the socket.
	r, w, _ = ctx.Pipe(0)
	send(ctx, a, "lost", &Sent{Files: []*fs.File{r, w}})
	b.Unref()
	a.Unref()
	if n, _ := fs.FileCount(); n != n0 {
		t.Errorf("%d files left", n-n0)
	}
}

// TestRightsCircle: sockets that lie in each other's queues are collected.
func TestRightsCircle(t *testing.T) {
	ctx := newContext(t)
	n0, _ := fs.FileCount()
	for range 50 {
		a, b := pair(t, ctx, unix.SOCK_STREAM)
		c, d := pair(t, ctx, unix.SOCK_DGRAM)
		send(ctx, a, "x", &Sent{Files: []*fs.File{a.Ref(), b.Ref(), c.Ref()}})
		send(ctx, c, "x", &Sent{Files: []*fs.File{b.Ref(), d.Ref()}})
		send(ctx, d, "x", &Sent{Files: []*fs.File{a.Ref()}})
		for _, f := range []*fs.File{a, b, c, d} {
			f.Unref()
		}
	}
	// Nothing triggers the collection but the next close of a socket.
	a, b := pair(t, ctx, unix.SOCK_STREAM)
	// Reachable ones stay: c lies in a's queue only, but b's owner may receive it.
	c, d := pair(t, ctx, unix.SOCK_STREAM)
	send(ctx, a, "x", &Sent{Files: []*fs.File{c}})
	send(ctx, d, "through", nil)
	e, f := pair(t, ctx, unix.SOCK_STREAM)
	e.Unref()
	f.Unref()
	_, m, err := recv(ctx, b, 1, 0)
	if err != nil || len(m.Files) != 1 {
		t.Fatal(err, m)
	}
	if s, _, err := recv(ctx, m.Files[0], 10, 0); s != "through" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	for _, f := range []*fs.File{a, b, d, m.Files[0]} {
		f.Unref()
	}
	if n, _ := fs.FileCount(); n != n0 {
		t.Errorf("%d files left", n-n0)
	}
}

// TestStorm connects, sends descriptors and closes from many tasks.
func TestStorm(t *testing.T) {
	ctx := newContext(t)
	n0, _ := fs.FileCount()
	l, _ := New(ctx, unix.SOCK_STREAM, 0, false)
	sock(l).Bind(ctx, "/storm")
	sock(l).Listen(ctx, 5)
	var wg sync.WaitGroup
	const clients, rounds = 4, 100
	for range clients {
		wg.Add(2)
		go func() {
			defer wg.Done()
			c := another(ctx)
			for i := range rounds {
				f, err := New(c, unix.SOCK_STREAM, 0, false)
				if err != nil {
					t.Error(err)
					return
				}
				if err := sock(f).Connect(c, "/storm", false); err != nil {
					t.Error(err)
				}
				m := &Sent{Files: []*fs.File{f.Ref(), l.Ref()}}
				send(c, f, fmt.Sprintf("%d", i), m)
				for _, g := range m.Files { // the other end was closed already
					g.Unref()
				}
				f.Unref()
				if i%16 == 0 {
					runtime.Gosched()
				}
			}
		}()
		go func() {
			defer wg.Done()
			c := another(ctx)
			for i := range rounds {
				f, _, err := sock(l).Accept(c, false, false)
				if err != nil {
					t.Error(err)
					return
				}
				if i%2 == 0 {
					_, m, _ := recv(c, f, 10, 0)
					for _, g := range m.Files {
						g.Unref()
					}
				}
				f.Unref()
			}
		}()
	}
	wg.Wait()
	l.Unref()
	if n, _ := fs.FileCount(); n != n0 {
		t.Errorf("%d files left", n-n0)
	}
}
