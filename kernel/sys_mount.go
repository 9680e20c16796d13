package kernel

import (
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/proc"
)

// optString reads an optional string of at most a page; address 0 is "".
func optString(t *proc.Task, addr uint64) (string, error) {
	if addr == 0 {
		return "", nil
	}
	s, err := t.AS.CopyInString(addr, 4096)
	if err == unix.ENAMETOOLONG {
		err = unix.EINVAL
	}
	return s, err
}

func sysMount(t *proc.Task, a *Args) (uintptr, error) {
	fstype, err := optString(t, a[2])
	if err != nil {
		return 0, err
	}
	source, err := optString(t, a[0])
	if err != nil {
		return 0, err
	}
	data := ""
	if a[4] != 0 {
		// A page, of which the part that is mapped counts (copy_mount_options).
		buf := make([]byte, 4095)
		n := 0
		for n < len(buf) {
			m := min(len(buf)-n, 4096-int((a[4]+uint64(n))&4095))
			if err := t.AS.CopyIn(buf[n:n+m], a[4]+uint64(n)); err != nil {
				if n == 0 {
					return 0, err
				}
				break
			}
			n += m
		}
		data, _, _ = strings.Cut(string(buf[:n]), "\x00")
	}
	target, err := pathArg(t, a[1])
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Mount(source, target, fstype, a[3], data)
}

func sysUmount2(t *proc.Task, a *Args) (uintptr, error) {
	p, err := pathArg(t, a[0])
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Umount(p, int(int32(a[1])))
}

func sysPivotRoot(t *proc.Task, a *Args) (uintptr, error) {
	n, err := pathArg(t, a[0])
	if err != nil {
		return 0, err
	}
	o, err := pathArg2(t, a[1])
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().PivotRoot(n, o)
}
