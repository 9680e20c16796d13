package initramfs

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// Stats says what Unpack did.
type Stats struct {
	Archives int
	Entries  int
	Bytes    int64 // of regular files
	Skipped  int   // entries that could not be made
	// FirstSkipped names the first of those and why.
	FirstSkipped string
}

// Unpack unpacks all archives in data into ctx's root directory. ctx needs the
// rights of root. The error describes the first thing wrong with the input;
// unix.ENOSPC and unix.ENOMEM (wrapped) mean that it does not fit.
func Unpack(ctx *fs.Context, data []byte) (Stats, error) {
	old := ctx.FS.SetUmask(0)
	defer ctx.FS.SetUmask(old)
	u := &unpacker{ctx: ctx, buf: make([]byte, 64<<10)}
	raw := bytes.NewReader(data)
	err := u.all(raw, int64(len(data)))
	return u.stats, err
}

type unpacker struct {
	ctx   *fs.Context
	stats Stats
	buf   []byte
	links map[linkKey]string // hard links of the present archive: first name
}

// all unpacks the raw input: archives, compressed or not, and padding.
func (u *unpacker) all(raw *bytes.Reader, size int64) error {
	at := func() int64 { return size - int64(raw.Len()) }
	for {
		if err := skipZeros(raw); err == io.EOF {
			return nil
		}
		start := at()
		var magic [6]byte
		n, _ := raw.ReadAt(magic[:], start)
		var in io.Reader
		switch m := magic[:n]; {
		case bytes.HasPrefix(m, []byte("07070")):
			if err := u.archive(raw); err != nil {
				return fmt.Errorf("initramfs: archive at %d: %w", start, err)
			}
			continue
		case bytes.HasPrefix(m, []byte{0x1f, 0x8b}):
			z, err := gzip.NewReader(raw)
			if err != nil {
				return fmt.Errorf("initramfs: gzip at %d: %w", start, err)
			}
			z.Multistream(false)
			in = z
		case bytes.HasPrefix(m, []byte("BZh")):
			in = bzip2.NewReader(raw)
		case bytes.HasPrefix(m, []byte("\xfd7zXZ")):
			return fmt.Errorf("initramfs: at %d: compressed by xz, which is not supported", start)
		case bytes.HasPrefix(m, []byte{0x28, 0xb5, 0x2f, 0xfd}):
			return fmt.Errorf("initramfs: at %d: compressed by zstd, which is not supported", start)
		case bytes.HasPrefix(m, []byte{0x02, 0x21, 0x4c, 0x18}), bytes.HasPrefix(m, []byte{0x04, 0x22, 0x4d, 0x18}):
			return fmt.Errorf("initramfs: at %d: compressed by lz4, which is not supported", start)
		default:
			return fmt.Errorf("initramfs: at %d: neither a cpio archive nor gzip (%q)", start, m)
		}
		if err := u.inside(bufio.NewReaderSize(in, 64<<10)); err != nil {
			return fmt.Errorf("initramfs: compressed archive at %d: %w", start, err)
		}
	}
}

// inside unpacks what a compressed stream holds: archives and padding.
func (u *unpacker) inside(in *bufio.Reader) error {
	for {
		if err := skipZeros(in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := u.archive(in); err != nil {
			return err
		}
	}
}

// skipZeros reads past zero bytes.
func skipZeros(in io.ByteScanner) error {
	for {
		c, err := in.ReadByte()
		if err != nil {
			return err
		}
		if c != 0 {
			return in.UnreadByte()
		}
	}
}

// archive unpacks one cpio archive up to its trailer, or up to the end of the
// input behind an entry.
func (u *unpacker) archive(in io.Reader) error {
	u.stats.Archives++
	u.links = nil
	r := &counter{in: in}
	for {
		h, name, err := u.header(r)
		if err == io.EOF {
			return nil // no trailer, but nothing is missing
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", u.stats.Entries+1, err)
		}
		if name == "TRAILER!!!" {
			if err := r.skip(h.size); err != nil {
				return err
			}
			return nil
		}
		u.stats.Entries++
		body := &body{r: r, left: h.size, check: h.check}
		err = u.entry(h, name, body)
		var errno unix.Errno
		switch {
		case err == nil:
		case body.err != nil:
			return fmt.Errorf("%q: %w", name, body.err)
		case errors.As(err, &errno) && errno != unix.ENOSPC && errno != unix.ENOMEM:
			if u.stats.Skipped++; u.stats.Skipped == 1 {
				u.stats.FirstSkipped = fmt.Sprintf("%q: %v", name, err)
			}
		default:
			return fmt.Errorf("%q: %w", name, err)
		}
		if err := body.drain(); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		if h.check && body.sum != h.sum && h.mode&unix.S_IFMT == unix.S_IFREG && h.size > 0 {
			return fmt.Errorf("%q: checksum is %#x, should be %#x", name, body.sum, h.sum)
		}
		if err := r.align(); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
}
