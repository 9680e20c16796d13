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
func startInit(root fs.Path, o *options) {
	proc.SetRandomize(!o.noRandom)
	reportMemory(boot.info)
	var tried []string
	for _, path := range o.candidates() {
		argv := append([]string{path}, o.args...)
		err := proc.StartInit(root, path, argv, o.env)
		if err == nil {
			klog.Infof("Process 1 runs %s", path)
			return
		}
		tried = append(tried, path+" ("+errorText(err)+")")
		if err != unix.ENOENT {
			klog.Errorf("%s exists but cannot be executed: %s", path, errorText(err))
		}
	}
	Panic("No working init found. Tried: %s", strings.Join(tried, ", "))
}

// errorText returns an error as a message shows it.
func errorText(err error) string {
	if e, ok := err.(unix.Errno); ok {
		return unix.ErrnoName(e)
	}
	return err.Error()
}
