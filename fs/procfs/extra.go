package procfs

import (
	"sort"
	"strings"
	"sync"

	"tamarix/fs"
)

// What drivers add to /proc.

// extra holds what was added.
var extra struct {
	mu       sync.Mutex // guards the rest; a leaf
	files    []extraFile
	sections map[string]func() string
}

type extraFile struct {
	path string
	text func(ctx *fs.Context) string
}

// AddFile adds a file that everybody can read below /proc, in directories of its
// own ("bus/pci/devices"). text makes its content, newline included, whenever it
// is read from its start, and may be called by any task. AddFile is called before
// [Register].
func AddFile(path string, text func() string) {
	AddFileFor(path, func(*fs.Context) string { return text() })
}

// AddFileFor is AddFile for a text that depends on who reads it.
func AddFileFor(path string, text func(ctx *fs.Context) string) {
	extra.mu.Lock()
	defer extra.mu.Unlock()
	extra.files = append(extra.files, extraFile{path, text})
}

// AddHardware adds a section to /proc/tamarix/hardware: what is known of a part of
// the machine for which Linux has no file. text returns lines, called at each read
// by any task. A section of the same name is replaced. Callable at any time.
func AddHardware(section string, text func() string) {
	extra.mu.Lock()
	defer extra.mu.Unlock()
	if extra.sections == nil {
		extra.sections = make(map[string]func() string)
	}
	extra.sections[section] = text
}

// extraEntries returns the entries of the root that the added files need.
func (p *FS) extraEntries() []entry {
	extra.mu.Lock()
	defer extra.mu.Unlock()
	top := p.newDir(0o555, nil)
	for _, f := range extra.files {
		parts := strings.Split(f.path, "/")
		d := top
		for _, name := range parts[:len(parts)-1] {
			d = p.subdir(d, name)
		}
		d.entries = append(d.entries, textFile(parts[len(parts)-1], 0o444, func(*dir) generate {
			return func(ctx *fs.Context, w *writer) error {
				w.print(f.text(ctx))
				return nil
			}
		}))
	}
	sortEntries(top)
	return top.entries
}

// hardware is /proc/tamarix/hardware: "[section]", its lines, an empty line.
func hardware(_ *FS, w *writer) {
	extra.mu.Lock()
	names := make([]string, 0, len(extra.sections))
	for n := range extra.sections {
		names = append(names, n)
	}
	sort.Strings(names)
	texts := make([]func() string, len(names))
	for i, n := range names {
		texts[i] = extra.sections[n]
	}
	extra.mu.Unlock()
	for i, n := range names {
		w.printf("[%s]\n", n)
		if t := strings.TrimRight(texts[i](), "\n"); t != "" {
			w.print(t + "\n")
		}
		w.print("\n")
	}
}
