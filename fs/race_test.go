package fs_test

import (
	"fmt"
	"math/rand"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/fs"
)

// TestStorm has many tasks create, open, write, rename, link and remove the same
// few names. Nothing may crash, deadlock or be lost, and in the end the tree
// must be consistent and every frame free.
func TestStorm(t *testing.T) {
	ctx := newContext(t)
	before := arch.ReadFrameStats()
	build(t, ctx, "/w/")
	rounds := 3000
	if testing.Short() {
		rounds = 500
	}
	var wg sync.WaitGroup
	for id := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := process(ctx, int32(id+1))
			r := rand.New(rand.NewSource(int64(id)))
			name := func() string {
				n := fmt.Sprintf("/w/%c", 'a'+r.Intn(4))
				for r.Intn(2) == 0 && len(n) < 10 {
					n += fmt.Sprintf("/%c", 'a'+r.Intn(3))
				}
				return n
			}
			for range rounds {
				switch r.Intn(9) {
				case 0, 1:
					c.Mkdir(at, name(), 0o755)
				case 2, 3:
					if f, err := c.Open(at, name(), unix.O_RDWR|unix.O_CREAT, 0o644); err == nil {
						write(c, f, pattern(r.Intn(9000)))
						f.Unref()
					}
				case 4:
					c.Unlink(at, name())
				case 5:
					c.Rmdir(at, name())
				case 6:
					c.Rename(at, name(), at, name(), uint(r.Intn(3)))
				case 7:
					c.Link(at, name(), at, name(), 0)
				case 8:
					if p, err := c.Lookup(at, name(), 0); err == nil {
						_ = p.String()
					}
				}
			}
		}()
	}
	wg.Wait()
	remove(t, ctx, "/w")
	after := arch.ReadFrameStats()
	if before.Free != after.Free {
		t.Errorf("%d frames lost", int64(before.Free)-int64(after.Free))
	}
	st, err := ctx.Statfs("/")
	if err != nil || st.Files-st.FilesFree != 1 {
		t.Errorf("%d inodes left, %v", st.Files-st.FilesFree, err)
	}
}

// remove is rm -r, by readdir, checking link counts on the way.
func remove(t *testing.T, ctx *fs.Context, path string) {
	f, err := ctx.Open(at, path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	dirs := uint32(0)
	err = ctx.ReadDir(f, func(name string, ino uint64, typ uint8, next int64) bool {
		if name != "." && name != ".." {
			names = append(names, name)
			if typ == unix.DT_DIR {
				dirs++
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Unref()
	var st fs.Attr
	if err := ctx.Stat(at, path, 0, &st); err != nil || st.Nlink != dirs+2 {
		t.Errorf("%s: %d links, %d directories in it, %v", path, st.Nlink, dirs, err)
	}
	for _, n := range names {
		n = path + "/" + n
		if err := ctx.Stat(at, n, unix.AT_SYMLINK_NOFOLLOW, &st); err != nil {
			t.Errorf("%s is listed, but: %v", n, err)
			continue
		}
		if st.Mode&unix.S_IFMT == unix.S_IFDIR {
			remove(t, ctx, n)
		} else if err := ctx.Unlink(at, n); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
	if err := ctx.Rmdir(at, path); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

// TestDescriptorStorm opens, closes, duplicates and reads through one table from
// many tasks.
func TestDescriptorStorm(t *testing.T) {
	ctx := newContext(t)
	build(t, ctx, "/f")
	n0, _ := fs.FileCount()
	var wg sync.WaitGroup
	for id := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := another(ctx, nil)
			r := rand.New(rand.NewSource(int64(id)))
			for range 2000 {
				fd := int32(r.Intn(40))
				switch r.Intn(6) {
				case 0, 1:
					if f, err := c.Open(at, "/f", unix.O_RDWR, 0); err == nil {
						if _, err := c.Files.Install(f, fd, r.Intn(2) == 0, 200); err != nil {
							f.Unref()
						}
					}
				case 2:
					c.Files.Close(c, fd)
				case 3:
					if f, err := c.Files.Get(fd); err == nil {
						write(c, f, []byte("x"))
						f.Unref()
					}
				case 4:
					if f, err := c.Files.Get(fd); err == nil {
						if c.Files.DupTo(c, f, int32(r.Intn(40)), false, 200) != nil {
							f.Unref()
						}
					}
				case 5:
					n := c.Files.Fork()
					n.CloseExec(c)
					n.Unref(c)
				}
			}
		}()
	}
	wg.Wait()
	ctx.Files.CloseRange(ctx, 0, ^uint32(0))
	if n, _ := fs.FileCount(); n != n0 {
		t.Errorf("%d files left open", n-n0)
	}
}
