package procfs

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/klog"
	"tamarix/fs"
)

// sysrqTrigger is /proc/sysrq-trigger (Documentation/admin-guide/sysrq.rst of
// Linux), for root. The one key it knows is c, "crash": a kernel bug on purpose,
// in the writer's own system call, so that tests can see what such a bug does.
var sysrqTrigger = entry{"sysrq-trigger", unix.S_IFREG | 0o200, func(d *dir, e *entry) fs.Inode {
	return d.newFile(e, func(*fs.Context, *fs.File) (fs.FileOps, error) {
		return &text{store: func(_ *fs.Context, v string) error {
			if v = trim(v); v == "" || v[0] != 'c' {
				klog.Infof("sysrq: HELP : crash(c)")
				return nil
			}
			klog.Infof("sysrq: Trigger a crash")
			var nowhere *int
			*nowhere = 1
			return nil
		}}, nil
	})
}}
