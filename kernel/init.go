package kernel

import (
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/arch/klog"
	"tamarix/fs"
	"tamarix/proc"
)

// startInit creates process 1 and has it execute the first program there is:
// what the command line names, then the usual places. Without any, the kernel
// has nothing to do.
func startInit(ctx *fs.Context, o *options) {
	if o.noRandom {
		proc.RandomizeVASpace = 0
	}
	openConsole(ctx)
	var tried []string
	for _, path := range o.candidates() {
		klog.Debugf("Process 1: trying %s", path)
		err := proc.StartInit(ctx.FS.Ref(), ctx.Files.Ref(), &proc.ExecArgs{
			DirFD: unix.AT_FDCWD,
			Path:  path,
			Args:  append([]string{path}, o.args...),
			Env:   o.env,
		})
		if err == nil {
			klog.Infof("Process 1 runs %s", path)
			// From now on the descriptors are process 1's alone.
			ctx.Files.Unref(ctx)
			ctx.FS.Unref()
			return
		}
		tried = append(tried, path+" ("+errorText(err)+")")
		if err != unix.ENOENT {
			klog.Errorf("%s exists but cannot be executed: %s", path, errorText(err))
		}
	}
	Panic("No working init found. Tried: %s", strings.Join(tried, ", "))
}

// openConsole makes /dev/console descriptors 0, 1 and 2 of process 1, which
// inherits ctx's. An init can do without; then it has none.
func openConsole(ctx *fs.Context) {
	f, err := ctx.Open(unix.AT_FDCWD, "/dev/console", unix.O_RDWR, 0)
	if err != nil {
		klog.Warnf("unable to open an initial console: /dev/console: %s", errorText(err))
		return
	}
	for range 3 {
		if _, err := ctx.Files.Install(f.Ref(), 0, false, 3); err != nil {
			klog.Warnf("no descriptor for the console: %s", errorText(err))
		}
	}
	f.Unref()
}

// errorText returns an error as a message shows it.
func errorText(err error) string {
	if e, ok := err.(unix.Errno); ok {
		if name := unix.ErrnoName(e); name != "" {
			return name
		}
	}
	return err.Error()
}
