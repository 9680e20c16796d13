package procfs

import (
	"bytes"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// writer collects a file's text: the part of it from byte skip on, at most limit bytes.
type writer struct {
	buf   bytes.Buffer
	skip  int64
	limit int
	more  bool // there was more than fits
}

// maxSnapshot bounds what an open file keeps of its text. A longer text (the
// maps of a process with thousands of mappings) is made again for what follows.
const maxSnapshot = 128 << 10

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	n := len(p)
	if w.skip > 0 {
		k := min(w.skip, int64(len(p)))
		w.skip -= k
		p = p[k:]
	}
	if room := w.limit - w.buf.Len(); len(p) > room {
		p = p[:room]
		w.more = true
	}
	w.buf.Write(p)
	return n, nil
}

func (w *writer) printf(format string, a ...any) { fmt.Fprintf(w, format, a...) }

func (w *writer) print(s string) { w.Write([]byte(s)) }

// generate writes a whole text. An error before anything was written is the
// result of the read.
type generate func(ctx *fs.Context, w *writer) error

// store takes what is written to a file in one write(2).
type store func(ctx *fs.Context, value string) error

// text is an open text file.
type text struct {
	fs.BaseOps
	gen   generate
	store store

	mu   sync.Mutex // guards the snapshot
	have bool
	buf  []byte
	base int64 // position of buf[0]
	more bool  // the text goes on after buf
}

// Read implements fs.FileOps. Reading from the start takes a new snapshot.
func (t *text) Read(ctx *fs.Context, f *fs.File, it *mm.Iter, pos *int64) (int, error) {
	if t.gen == nil {
		return 0, unix.EIO
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	at := *pos
	if at < 0 {
		return 0, unix.EINVAL
	}
	if it.Len() == 0 {
		return 0, nil
	}
	end := t.base + int64(len(t.buf))
	if !t.have || at == 0 || at < t.base || at >= end && t.more {
		w := writer{skip: at, limit: maxSnapshot}
		if err := t.gen(ctx, &w); err != nil {
			return 0, err
		}
		t.buf, t.base, t.more, t.have = w.buf.Bytes(), at, w.more, true
	}
	if at-t.base >= int64(len(t.buf)) {
		return 0, nil
	}
	n, err := it.CopyTo(t.buf[at-t.base:])
	*pos += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// maxValue is the longest text that can be written to a file of /proc at once.
const maxValue = 4096

// Write implements fs.FileOps.
func (t *text) Write(ctx *fs.Context, f *fs.File, it *mm.Iter, pos *int64) (int, error) {
	if t.store == nil {
		return 0, unix.EIO
	}
	n := it.Len()
	if n > maxValue {
		return 0, unix.EINVAL
	}
	p := make([]byte, n)
	if _, err := it.CopyFrom(p); err != nil {
		return 0, err
	}
	if err := t.store(ctx, string(p)); err != nil {
		return 0, err
	}
	*pos += int64(n)
	return n, nil
}

// Seek implements fs.FileOps.
func (t *text) Seek(_ *fs.Context, f *fs.File, off int64, whence int) (int64, error) {
	return seek(f, off, whence)
}

// seek is lseek(2) where the end is not known.
func seek(f *fs.File, off int64, whence int) (int64, error) {
	switch whence {
	case unix.SEEK_SET:
	case unix.SEEK_CUR:
		off += f.Pos()
	default:
		return 0, unix.EINVAL
	}
	if off < 0 {
		return 0, unix.EINVAL
	}
	return off, nil
}
