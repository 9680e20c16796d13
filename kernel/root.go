package kernel

import (
	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/arch/wait"
	"tamarix/boot/info"
	"tamarix/fs"
	"tamarix/fs/initramfs"
	"tamarix/fs/tmpfs"
)

// kernelThread is how the start-up goroutine sleeps in file system calls.
var kernelThread wait.Thread

// mountRoot makes a tmpfs the root of the tree and returns a context with all
// rights on it, which belongs to the calling goroutine. The root has what Linux
// puts there before it unpacks anything (usr/default_cpio_list): an archive
// without /dev/console still gets a console.
func mountRoot() *fs.Context {
	sb, err := tmpfs.New("rootfs", "")
	if err != nil {
		Panic("no root file system: %v", err)
	}
	kernelThread.Bind()
	ctx := fs.NewContext(fs.NewRootMount(sb, "rootfs"), &kernelThread)
	for _, err := range []error{
		ctx.Mkdir(unix.AT_FDCWD, "/dev", 0o755),
		ctx.Mknod(unix.AT_FDCWD, "/dev/console", unix.S_IFCHR|0o600, unix.Mkdev(5, 1)),
		ctx.Mkdir(unix.AT_FDCWD, "/root", 0o700),
	} {
		if err != nil {
			Panic("root file system: %v", err)
		}
	}
	return ctx
}

// unpackModules unpacks the loader's modules, which are cpio archives, into the
// root and gives their memory back. A bad archive is reported, and what was
// read of it stays.
func unpackModules(ctx *fs.Context, b *info.Boot) {
	if len(b.Modules()) == 0 {
		klog.Warnf("initramfs: the loader gave none")
	}
	for _, m := range b.Modules() {
		klog.Infof("initramfs: unpacking %d KiB at %#x", (m.End-m.Start)>>10, m.Start)
		data := arch.PhysicalMemory(m.Start, m.End-m.Start)
		if data == nil {
			klog.Errorf("initramfs: module at %#x, %d bytes, is out of reach", m.Start, m.End-m.Start)
			continue
		}
		before := arch.Nanotime()
		st, err := initramfs.Unpack(ctx, data)
		if err != nil {
			klog.Errorf("%v", err)
		}
		if st.Skipped > 0 {
			klog.Errorf("initramfs: %d entries skipped, the first: %s", st.Skipped, st.FirstSkipped)
		}
		klog.Infof("initramfs: %d entries, %d KiB, in %d ms", st.Entries, st.Bytes>>10, (arch.Nanotime()-before)/1e6)
		arch.ReleaseReserved(m.Start, m.End)
	}
}
