package procfs

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// sysrqTrigger is /proc/sysrq-trigger (Documentation/admin-guide/sysrq.rst of
// Linux), for root: the first character written is the key.
var sysrqTrigger = entry{"sysrq-trigger", unix.S_IFREG | 0o200, func(d *dir, e *entry) fs.Inode {
	return d.newFile(e, func(*fs.Context, *fs.File) (fs.FileOps, error) {
		return &text{store: func(_ *fs.Context, v string) error {
			if v != "" {
				d.p.src.SysRq(v[0])
			}
			return nil
		}}, nil
	})
}}
