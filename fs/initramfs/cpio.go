package initramfs

import (
	"errors"
	"fmt"
	"io"
)

// header is one newc header (cpio(5), "New ASCII Format").
type header struct {
	ino, mode, uid, gid, nlink, mtime uint32
	size                              int64
	major, minor, rmajor, rminor      uint32
	nameSize, sum                     uint32
	check                             bool // sum is the sum of the file's bytes
}

const (
	headerSize = 110
	nameMax    = 4096 // PATH_MAX with the NUL
)

var errTruncated = errors.New("the archive is cut off")

// counter counts what it reads, since cpio pads relative to the archive's start.
type counter struct {
	in io.Reader
	n  int64
}

// full fills p. io.EOF only if nothing at all was there.
func (c *counter) full(p []byte) error {
	n, err := io.ReadFull(c.in, p)
	c.n += int64(n)
	if err == io.ErrUnexpectedEOF {
		return errTruncated
	}
	return err
}

// skip reads past n bytes.
func (c *counter) skip(n int64) error {
	m, err := io.CopyN(io.Discard, c.in, n)
	c.n += m
	if err == io.EOF {
		return errTruncated
	}
	return err
}

// align reads up to the next multiple of four. The padding of the very last
// entry may be missing.
func (c *counter) align() error {
	err := c.skip(-c.n & 3)
	if err == errTruncated {
		return nil
	}
	return err
}

// header reads a header and the name behind it.
func (u *unpacker) header(r *counter) (h header, name string, err error) {
	var raw [headerSize]byte
	if err = r.full(raw[:]); err != nil {
		return
	}
	switch string(raw[:6]) {
	case "070701":
	case "070702":
		h.check = true
	case "070707":
		return h, "", errors.New("cpio archive in the old portable format; newc is needed (cpio -H newc)")
	default:
		return h, "", fmt.Errorf("no cpio header (%q)", raw[:6])
	}
	var f [13]uint32
	for i := range f {
		v := uint32(0)
		for _, c := range raw[6+8*i : 14+8*i] {
			switch {
			case '0' <= c && c <= '9':
				c -= '0'
			case 'a' <= c && c <= 'f':
				c -= 'a' - 10
			case 'A' <= c && c <= 'F':
				c -= 'A' - 10
			default:
				return h, "", fmt.Errorf("header field %d is no hexadecimal number (%q)", i, raw[6+8*i:14+8*i])
			}
			v = v<<4 | uint32(c)
		}
		f[i] = v
	}
	h.ino, h.mode, h.uid, h.gid, h.nlink, h.mtime = f[0], f[1], f[2], f[3], f[4], f[5]
	h.size = int64(f[6])
	h.major, h.minor, h.rmajor, h.rminor, h.nameSize, h.sum = f[7], f[8], f[9], f[10], f[11], f[12]
	if h.nameSize < 1 || h.nameSize > nameMax {
		return h, "", fmt.Errorf("name of %d bytes", h.nameSize)
	}
	b := make([]byte, h.nameSize)
	if err = r.full(b); err != nil {
		return h, "", truncated(err)
	}
	if b[len(b)-1] != 0 {
		return h, "", errors.New("name without its final NUL")
	}
	b = b[:len(b)-1]
	for i, c := range b {
		if c == 0 {
			b = b[:i]
			break
		}
	}
	return h, string(b), truncated(r.skip(-r.n & 3))
}

func truncated(err error) error {
	if err == io.EOF {
		return errTruncated
	}
	return err
}

// body is what follows a header: the content of a file or the text of a link.
type body struct {
	r     *counter
	left  int64
	check bool // add up sum
	sum   uint32
	err   error // of the input, not of what was made of it
}

// next fills p as far as there is something left.
func (b *body) next(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), b.left)]
	if err := b.r.full(p); err != nil {
		b.err = truncated(err)
		return 0, b.err
	}
	b.left -= int64(len(p))
	if b.check {
		for _, c := range p {
			b.sum += uint32(c)
		}
	}
	return len(p), nil
}

// drain reads past what nobody wanted.
func (b *body) drain() error {
	if b.left == 0 {
		return nil
	}
	n := b.left
	b.left = 0
	return b.r.skip(n)
}
