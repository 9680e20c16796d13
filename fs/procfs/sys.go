package procfs

import (
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// newSys builds /proc/sys from the source's settings.
func (p *FS) newSys() *dir {
	top := p.newDir(0o555, nil)
	for _, s := range p.src.Settings() {
		parts := strings.Split(s.Path, "/")
		d := top
		for _, name := range parts[:len(parts)-1] {
			d = p.subdir(d, name)
		}
		d.entries = append(d.entries, settingFile(parts[len(parts)-1], s))
	}
	sortEntries(top)
	return top
}

// subdir returns the directory name of d, making it if need be. It is made while
// the tree is built and kept by the entry.
func (p *FS) subdir(d *dir, name string) *dir {
	if e := d.find(name); e != nil {
		return e.make(d, e).(*dir)
	}
	sub := p.newDir(0o555, nil)
	d.entries = append(d.entries, entry{name, unix.S_IFDIR | 0o555, func(*dir, *entry) fs.Inode { return sub }})
	return sub
}

func sortEntries(d *dir) {
	sort.Slice(d.entries, func(i, j int) bool { return d.entries[i].name < d.entries[j].name })
	for i := range d.entries {
		e := &d.entries[i]
		if e.mode&unix.S_IFMT == unix.S_IFDIR {
			sortEntries(e.make(d, e).(*dir))
		}
	}
}

func settingFile(name string, s Setting) entry {
	return entry{name, unix.S_IFREG | s.Mode, func(d *dir, e *entry) fs.Inode {
		return d.newFile(e, func(*fs.Context, *fs.File) (fs.FileOps, error) {
			return &text{
				gen: func(ctx *fs.Context, w *writer) error {
					w.print(s.Get(ctx) + "\n")
					return nil
				},
				store: func(ctx *fs.Context, v string) error {
					if s.Set == nil {
						return unix.EPERM
					}
					return s.Set(ctx, trim(v))
				},
			}, nil
		})
	}}
}
