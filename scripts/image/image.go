package image

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/u-root/u-root/pkg/cpio"
	"golang.org/x/sys/unix"
)

// An Image is the content of an archive while it is put together. The zero
// value is empty and ready.
type Image struct {
	records []cpio.Record
	index   map[string]int // path → place in records
}

// add appends r, or replaces the record of the same name; parent directories
// that are missing are made first.
func (m *Image) add(r cpio.Record) {
	if m.index == nil {
		m.index = map[string]int{}
	}
	r.Name = strings.TrimPrefix(path.Clean("/"+r.Name), "/")
	if i, ok := m.index[r.Name]; ok {
		m.records[i] = r
		return
	}
	if dir := path.Dir(r.Name); dir != "." {
		if _, ok := m.index[dir]; !ok {
			m.add(cpio.Directory(dir, 0o755))
		}
	}
	m.index[r.Name] = len(m.records)
	m.records = append(m.records, r)
}

// Has tells whether the image holds something at the absolute path name.
func (m *Image) Has(name string) bool {
	_, ok := m.index[strings.TrimPrefix(name, "/")]
	return ok
}

// Dir adds a directory. mode may carry the sticky bit (unix.S_ISVTX).
func (m *Image) Dir(name string, mode uint32) {
	m.add(cpio.Directory(name, uint64(mode)))
}

// Symlink adds a symbolic link at name that points to target.
func (m *Image) Symlink(name, target string) { m.add(cpio.Symlink(name, target)) }

// Data adds a regular file with the given content.
func (m *Image) Data(name string, mode uint32, content []byte) {
	m.add(cpio.StaticRecord(content, cpio.Info{
		Name: name, Mode: unix.S_IFREG | uint64(mode), FileSize: uint64(len(content)),
	}))
}

// CharDev adds a character device.
func (m *Image) CharDev(name string, mode uint32, major, minor uint32) {
	m.add(cpio.CharDev(name, uint64(mode), uint64(major), uint64(minor)))
}

// File adds the host's file at hostPath as name; its permission bits go along.
// A directory is added with all below it; a symbolic link given by name is
// followed, one found inside a directory is kept.
func (m *Image) File(hostPath, name string) error {
	return m.file(hostPath, name, func(p os.FileMode) uint32 { return uint32(p) })
}

// Tree is File for what the tree holds or what was built from it. Of the
// permission bits only that for execution counts, as in git: the rest is the
// umask of whoever checked it out.
func (m *Image) Tree(hostPath, name string) error {
	return m.file(hostPath, name, func(p os.FileMode) uint32 {
		if p&0o100 != 0 {
			return 0o755
		}
		return 0o644
	})
}

func (m *Image) file(hostPath, name string, mode func(os.FileMode) uint32) error {
	st, err := os.Stat(hostPath)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		b, err := os.ReadFile(hostPath)
		if err != nil {
			return err
		}
		m.Data(name, mode(st.Mode().Perm()), b)
		return nil
	}
	return filepath.WalkDir(hostPath, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(hostPath, p)
		if err != nil {
			return err
		}
		to := path.Join(name, filepath.ToSlash(rel))
		switch d.Type() {
		case fs.ModeDir:
			info, err := d.Info()
			if err != nil {
				return err
			}
			if !m.Has(to) {
				m.Dir(to, mode(info.Mode().Perm()))
			}
			return nil
		case fs.ModeSymlink:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			m.Symlink(to, target)
			return nil
		case 0:
			return m.file(p, to, mode)
		}
		return fmt.Errorf("%s: neither file, directory nor symbolic link", p)
	})
}

// Bytes is the archive, uncompressed.
func (m *Image) Bytes() ([]byte, error) {
	var b bytes.Buffer
	w := cpio.Newc.Writer(&b)
	for i, r := range m.records {
		r = cpio.MakeReproducible(r)
		r.Ino = uint64(i + 1)
		r.NLink = 1
		if r.Mode&unix.S_IFMT == unix.S_IFDIR {
			r.NLink = 2
		}
		if err := w.WriteRecord(r); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
	}
	if err := cpio.WriteTrailer(w); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Write writes the archive, gzipped, to file, by way of a temporary file next
// to it: a reader sees the old archive or the new one, never half of one.
func (m *Image) Write(file string) error {
	raw, err := m.Bytes()
	if err != nil {
		return err
	}
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	if _, err := zw.Write(raw); err != nil {
		return err
	}
	if err := zw.Close(); err != nil {
		return err
	}
	return writeFile(file, z.Bytes(), 0o644)
}

// Size is the number of bytes of file content: what the image will occupy at
// least once it is unpacked.
func (m *Image) Size() (n int64) {
	for _, r := range m.records {
		n += int64(r.FileSize)
	}
	return n
}

// writeFile writes content to file in one step as seen from outside.
func writeFile(file string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name())
	if _, err := t.Write(content); err != nil {
		t.Close()
		return err
	}
	if err := t.Chmod(mode); err != nil {
		t.Close()
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	return os.Rename(t.Name(), file)
}
