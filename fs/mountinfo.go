package fs

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// MountInfo describes one mount for /proc/PID/mounts and its kin.
type MountInfo struct {
	ID, ParentID int
	Dev          uint64
	Root         string // the directory of its file system that shows
	Target       string // where, as seen from the asking task's root
	Type, Source string
	Flags        string // per-mount options: "rw,nosuid"
	SuperFlags   string // of the whole file system: "rw,size=4k"
}

// MountList returns the mounts that a task with the given root sees, parents
// before children.
func MountList(root Path) []MountInfo {
	mountMu.RLock()
	var all []*Mount
	if m := root.Mount; m != nil && m.attached {
		all = append(all, m)
	}
	for i := 0; i < len(all); i++ {
		all = append(all, all[i].children...)
	}
	mountMu.RUnlock()
	list := make([]MountInfo, 0, len(all))
	for _, m := range all {
		p := Path{m, m.Root}
		target, ok := p.From(root)
		if !ok {
			if m != root.Mount {
				continue
			}
			target = "/"
		}
		mountMu.RLock()
		info := MountInfo{ID: m.ID, ParentID: m.ID, Dev: m.Super.Dev, Target: target, Type: m.Super.FSType, Source: m.source}
		if m.parent != nil {
			info.ParentID = m.parent.ID
		}
		mountMu.RUnlock()
		info.Root = m.Root.pathInSuper()
		info.Flags = mountOptions(m.flags.Load())
		info.SuperFlags = "rw"
		if m.Super.ReadOnly() {
			info.SuperFlags = "ro"
		}
		info.SuperFlags += m.Super.Ops.Options()
		list = append(list, info)
	}
	return list
}

// pathInSuper returns d's name from the root of its file system.
func (d *Dentry) pathInSuper() string {
	var parts []string
	for {
		p := d.parent.Load()
		if p == d {
			break
		}
		parts = append(parts, d.Name())
		d = p
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(parts[i])
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

func mountOptions(flags uint64) string {
	s := "rw"
	if flags&unix.MS_RDONLY != 0 {
		s = "ro"
	}
	for _, o := range [...]struct {
		bit  uint64
		name string
	}{
		{unix.MS_NOSUID, ",nosuid"}, {unix.MS_NODEV, ",nodev"}, {unix.MS_NOEXEC, ",noexec"},
		{unix.MS_NOATIME, ",noatime"}, {unix.MS_NODIRATIME, ",nodiratime"}, {unix.MS_RELATIME, ",relatime"},
		{unix.MS_NOSYMFOLLOW, ",nosymfollow"},
	} {
		if flags&o.bit != 0 {
			s += o.name
		}
	}
	return s
}

// mangle escapes blanks in names as the proc files do (mangle_path, fs/seq_file.c).
var mangle = strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`, "#", `\043`)

// ProcMounts returns the text of /proc/PID/mounts (fstab(5)).
func ProcMounts(root Path) string {
	var b strings.Builder
	for _, m := range MountList(root) {
		flags := m.Flags
		if strings.HasPrefix(m.SuperFlags, "ro") {
			flags = "ro" + flags[2:]
		}
		fmt.Fprintf(&b, "%s %s %s %s%s 0 0\n", mangle.Replace(m.Source), mangle.Replace(m.Target), m.Type, flags, m.SuperFlags[2:])
	}
	return b.String()
}

// ProcMountInfo returns the text of /proc/PID/mountinfo.
func ProcMountInfo(root Path) string {
	var b strings.Builder
	for _, m := range MountList(root) {
		fmt.Fprintf(&b, "%d %d %d:%d %s %s %s - %s %s %s\n", m.ID, m.ParentID, unix.Major(m.Dev), unix.Minor(m.Dev),
			mangle.Replace(m.Root), mangle.Replace(m.Target), m.Flags, m.Type, mangle.Replace(m.Source), m.SuperFlags)
	}
	return b.String()
}
