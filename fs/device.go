package fs

import (
	"fmt"
	"sort"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// OpenDevice opens a device node: it returns the operations for f and may set
// f's mode bits (ModeStream). dev is the device number. Blocking opens return
// wait.ErrRestartSys when interrupted.
type OpenDevice func(ctx *Context, f *File, dev uint64) (FileOps, error)

type charRange struct {
	major, lo, hi uint32
	name          string
	open          OpenDevice
}

var charDevices struct {
	mu sync.RWMutex // guards r; leaf
	r  []charRange
}

// RegisterCharDevice makes open responsible for the character devices
// major:lo to major:hi. name is what /proc/devices shows. A range registered
// later takes precedence.
func RegisterCharDevice(major, lo, hi uint32, name string, open OpenDevice) {
	charDevices.mu.Lock()
	defer charDevices.mu.Unlock()
	charDevices.r = append([]charRange{{major, lo, hi, name, open}}, charDevices.r...)
}

// openChar dispatches the opening of a character device node: ENXIO when nobody serves it.
func openChar(ctx *Context, f *File, dev uint64) (FileOps, error) {
	major, minor := unix.Major(dev), unix.Minor(dev)
	var open OpenDevice
	charDevices.mu.RLock()
	for i := range charDevices.r {
		r := &charDevices.r[i]
		if r.major == major && r.lo <= minor && minor <= r.hi {
			open = r.open
			break
		}
	}
	charDevices.mu.RUnlock()
	if open == nil {
		return nil, unix.ENXIO
	}
	return open(ctx, f, dev)
}

// Devices returns the text of /proc/devices.
func Devices() string {
	charDevices.mu.RLock()
	seen := make(map[string]uint32)
	for _, r := range charDevices.r {
		seen[r.name] = r.major
	}
	charDevices.mu.RUnlock()
	lines := make([]string, 0, len(seen))
	for n, m := range seen {
		lines = append(lines, fmt.Sprintf("%3d %s\n", m, n))
	}
	sort.Strings(lines)
	return "Character devices:\n" + strings.Join(lines, "") + "\nBlock devices:\n"
}
