package procfs

import (
	"tamarix/fs"
)

// mountText writes a text about the mounts that the process sees from its root.
func mountText(d *dir, w *writer, show func(root fs.Path) string) error {
	fi := d.proc.FSInfo()
	if fi == nil {
		return nil
	}
	defer fi.Unref()
	w.print(show(fi.Root()))
	return nil
}

func mounts(_ *fs.Context, d *dir, w *writer) error    { return mountText(d, w, fs.ProcMounts) }
func mountInfo(_ *fs.Context, d *dir, w *writer) error { return mountText(d, w, fs.ProcMountInfo) }
