package devfs

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// random is /dev/random and /dev/urandom, which are the same (random(4)): the
// generator is seeded before the first process runs and never blocks.
type random struct {
	null
	fill func([]byte)
}

// Read implements fs.FileOps.
func (r *random) Read(ctx *fs.Context, _ *fs.File, it *mm.Iter, _ *int64) (int, error) {
	var chunk [256]byte
	p := chunk[:]
	n, err := fill(ctx, it, func(it *mm.Iter, n int) (int, error) {
		n = min(n, len(p))
		r.fill(p[:n])
		return it.CopyTo(p[:n])
	})
	clear(p)
	return n, err
}

// Write implements fs.FileOps. What is written is taken and counted for nothing:
// the generator reseeds itself.
func (r *random) Write(ctx *fs.Context, f *fs.File, it *mm.Iter, pos *int64) (int, error) {
	return r.null.Write(ctx, f, it, pos)
}

// PoolBits is the entropy that a seeded generator is said to have, and the size
// of its pool (/proc/sys/kernel/random/entropy_avail, poolsize), in bits.
const PoolBits = 256

// Ioctl implements fs.FileOps: the requests of random(4).
func (r *random) Ioctl(ctx *fs.Context, _ *fs.File, cmd uint32, arg uint64) (uintptr, error) {
	switch cmd {
	case unix.RNDGETENTCNT:
		return 0, ctx.AS.Write32(arg, PoolBits)
	case unix.RNDADDTOENTCNT, unix.RNDADDENTROPY, unix.RNDZAPENTCNT, unix.RNDCLEARPOOL, unix.RNDRESEEDCRNG:
		if !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
			return 0, unix.EPERM
		}
		if cmd == unix.RNDADDTOENTCNT || cmd == unix.RNDADDENTROPY {
			v, err := ctx.AS.Read32(arg)
			if err != nil {
				return 0, err
			}
			if int32(v) < 0 {
				return 0, unix.EINVAL
			}
		}
		return 0, nil
	}
	return 0, unix.EINVAL
}

// UUID returns a fresh random identifier (RFC 9562, version 4) from the given source.
func UUID(fill func([]byte)) string {
	var b [16]byte
	fill(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	const hex = "0123456789abcdef"
	out := make([]byte, 0, 36)
	for i, c := range b {
		switch i {
		case 4, 6, 8, 10:
			out = append(out, '-')
		}
		out = append(out, hex[c>>4], hex[c&15])
	}
	return string(out)
}
