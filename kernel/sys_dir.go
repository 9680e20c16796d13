package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/proc"
)

// direntsMax is how much of a directory one getdents call reads: the kernel's
// buffer, whatever the user offers.
const direntsMax = 32 << 10

func sysGetdents64(t *proc.Task, a *Args) (uintptr, error) { return getdents(t, a, true) }
func sysGetdents(t *proc.Task, a *Args) (uintptr, error)   { return getdents(t, a, false) }

// getdents fills struct linux_dirent64 (d_ino, d_off, d_reclen, d_type, d_name)
// or the older struct linux_dirent, which has d_type in its last byte.
func getdents(t *proc.Task, a *Args, wide bool) (uintptr, error) {
	ctx := t.FSContext()
	f, err := ctx.Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	room := int(min(uint64(uint32(a[2])), direntsMax))
	if ctx.DirBuf == nil && room > 0 {
		ctx.DirBuf = make([]byte, 0, 4096)
	}
	buf := ctx.DirBuf[:0]
	full := false
	err = ctx.ReadDir(f, func(name string, ino uint64, typ uint8, next int64) bool {
		head := 18 // with the NUL of the name or d_type: 19, 20
		if wide {
			head = 19
		}
		n := (head + len(name) + 1 + 7) &^ 7
		if !wide {
			n = (head + len(name) + 2 + 7) &^ 7
		}
		if len(buf)+n > room {
			full = true
			return false
		}
		start := len(buf)
		buf = binary.LittleEndian.AppendUint64(buf, ino)
		buf = binary.LittleEndian.AppendUint64(buf, uint64(next))
		buf = binary.LittleEndian.AppendUint16(buf, uint16(n))
		if wide {
			buf = append(buf, typ)
		}
		buf = append(buf, name...)
		for len(buf) < start+n {
			buf = append(buf, 0)
		}
		if !wide {
			buf[start+n-1] = typ
		}
		return true
	})
	ctx.DirBuf = buf[:0]
	if err != nil {
		return 0, err
	}
	if len(buf) == 0 {
		if full {
			return 0, unix.EINVAL
		}
		return 0, nil
	}
	return uintptr(len(buf)), ctx.AS.CopyOut(a[1], buf)
}
