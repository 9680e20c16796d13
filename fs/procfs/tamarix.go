package procfs

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/arch/profile"
	"tamarix/fs"
	"tamarix/mm"
)

// tamarixEntries are the files of /proc/tamarix: what Linux has no place for.
var tamarixEntries = []entry{
	global("gostat", goStat),
	global("hardware", hardware),
	profileEntry("heap", heapCommand, profile.HeapText),
	profileEntry("profile", profileCommand, profile.Text),
}

func profileEntry(name string, store store, make func() []byte) entry {
	return entry{name, unix.S_IFREG | 0o600, func(d *dir, e *entry) fs.Inode {
		return d.newFile(e, func(*fs.Context, *fs.File) (fs.FileOps, error) {
			return &profileFile{text{store: store}, make}, nil
		})
	}}
}

// heapCommand takes what is written to /proc/tamarix/heap: how many bytes are
// allocated between two allocations that are noted, 0 to note no more.
func heapCommand(_ *fs.Context, v string) error {
	n, err := strconv.Atoi(trim(v))
	if err != nil {
		return unix.EINVAL
	}
	return profile.SetHeapRate(n)
}

// profileCommand carries out what is written to /proc/tamarix/profile: "start",
// "start RATE" (samples a second and CPU) or "stop".
func profileCommand(_ *fs.Context, v string) error {
	word, arg, _ := strings.Cut(trim(v), " ")
	switch {
	case word == "start":
		rate := profile.DefaultRate
		if arg = trim(arg); arg != "" {
			n, err := strconv.Atoi(arg)
			if err != nil {
				return unix.EINVAL
			}
			rate = n
		}
		return profile.Start(rate)
	case word == "stop" && arg == "":
		return profile.Stop()
	}
	return unix.EINVAL
}

// profileFile is an open profile. Unlike other files of /proc it keeps all of its
// text from the first read on: made again for the second part, it would be
// another.
type profileFile struct {
	text
	make func() []byte
}

// Read implements fs.FileOps.
func (o *profileFile) Read(_ *fs.Context, _ *fs.File, it *mm.Iter, pos *int64) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := *pos
	if at < 0 {
		return 0, unix.EINVAL
	}
	if !o.have || at == 0 {
		o.buf, o.have = o.make(), true
	}
	if at >= int64(len(o.buf)) || it.Len() == 0 {
		return 0, nil
	}
	n, err := it.CopyTo(o.buf[at:])
	*pos += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}
