package kernel

import (
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/klog"
	"tamarix/proc"
)

// call returns the system call with number nr, nil if there is none.
func call(nr int) proc.Syscall { return table[nr].Fn }

// negative returns an errno as a system call hands it to the user.
func negative(e unix.Errno) uintptr { return -uintptr(e) }

// failure returns the user's view of a system call's error; err is nil for a
// call that does not exist.
func failure(t *proc.Task, nr uint64, err error) uintptr {
	if e, ok := err.(unix.Errno); ok {
		return negative(e)
	}
	if err == nil {
		logUnknown(nr, t.Comm())
		return negative(unix.ENOSYS)
	}
	// Every error below the table is an errno; this is a mistake of ours.
	klog.Errorf("%s: %s returned an error that is no errno: %v", t.Comm(), SyscallName(nr), err)
	return negative(unix.EIO)
}

// unknown remembers which unknown system calls have been logged, so that each
// is logged once per number and program. Users choose both, so its size is
// limited.
var unknown struct {
	mu   sync.Mutex // guards seen; a leaf
	seen map[unknownCall]struct{}
}

type unknownCall struct {
	nr   uint64
	name string
}

const maxUnknown = 1000

func logUnknown(nr uint64, name string) {
	k := unknownCall{nr, name}
	unknown.mu.Lock()
	_, old := unknown.seen[k]
	if !old {
		if old = len(unknown.seen) >= maxUnknown; !old {
			if unknown.seen == nil {
				unknown.seen = make(map[unknownCall]struct{})
			}
			unknown.seen[k] = struct{}{}
		}
	}
	unknown.mu.Unlock()
	if !old {
		klog.Noticef("%s: unknown system call %d", name, nr)
	}
}

func utoa(v uint64) string { return strconv.FormatUint(v, 10) }
