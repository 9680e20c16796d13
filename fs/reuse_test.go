package fs_test

import (
	"fmt"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// A thread that looks at descriptors while another closes them and opens other
// files finds the file that each number stands for, or none, though closed
// Files are used again.
func TestReuseOfFiles(t *testing.T) {
	ctx := newContext(t)
	build(t, ctx, "/a", "/b", "/c")
	rounds := 50000
	if testing.Short() {
		rounds = 2000
	}
	var wg sync.WaitGroup
	stop := make(chan bool)
	for id := range 3 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := another(ctx, nil)
			c.Files = ctx.Files.Ref()
			for {
				select {
				case <-stop:
					return
				default:
				}
				for fd := range int32(3) {
					f, err := c.Files.Get(fd)
					if err != nil {
						continue
					}
					if s := f.Path().String(); s != fmt.Sprintf("/%c", 'a'+fd) || f.Inode() != f.Path().Inode() || f.Ops() == nil {
						t.Errorf("task %d: descriptor %d is %q, %v", id, fd, s, f.Ops())
					}
					f.Unref()
				}
			}
		}()
	}
	for i := range rounds {
		f, err := ctx.Open(at, fmt.Sprintf("/%c", 'a'+i%3), unix.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		fd, err := ctx.Files.Install(f, int32(i%3), false, 16)
		if err != nil || int(fd) != i%3 {
			t.Fatal(fd, err)
		}
		ctx.Files.Close(ctx, fd)
	}
	close(stop)
	wg.Wait()
}

// Lookups that succeed or are known to fail, opening and closing leave no garbage.
func TestNoGarbage(t *testing.T) {
	ctx := newContext(t)
	build(t, ctx, "/d/", "/d/e/", "/d/e/f", "/l>d/e")
	openClose := func(path string) {
		f, err := ctx.Open(at, path, unix.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		fd, err := ctx.Files.Install(f, 0, false, 16)
		if err != nil {
			t.Fatal(err)
		}
		ctx.Files.Close(ctx, fd)
	}
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"stat", func() { ctx.Stat(at, "/d/e/f", 0, &ctx.Attr) }},
		{"stat through a link", func() { ctx.Stat(at, "/l/f", 0, &ctx.Attr) }},
		{"stat of nothing", func() { ctx.Stat(at, "/d/none", 0, &ctx.Attr) }},
		{"open and close", func() { openClose("/d/e/f") }},
		{"chmod", func() { ctx.Chmod(at, "/d/e/f", 0o600, 0) }},
	} {
		if n := testing.AllocsPerRun(100, c.do); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
