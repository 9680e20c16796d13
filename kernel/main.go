package kernel

import (
	"runtime"
	"runtime/debug"
	"strings"

	arch "tamarix/arch/amd64"
	"tamarix/arch/amd64/selftest"
	"tamarix/arch/klog"
	"tamarix/arch/memtest"
	"tamarix/boot/info"
	"tamarix/proc"
)

// boot is what the loader said and the command line asked for; set by Main
// before anything else runs, and read-only.
var boot struct {
	info     *info.Boot
	options  *options
	consoles consoleChoice
}

// CommandLine returns the kernel command line, for /proc/cmdline.
func CommandLine() string { return boot.options.line }

// Main starts the kernel proper. It runs as the Go program's main function,
// with the Go runtime up and all CPUs running, and does not return.
//
// The order: log and console, what the firmware says, clock, root file system
// and its contents, devices, processes, process 1.
func Main(b *info.Boot) {
	o := parseCommandLine(string(b.CommandLine()))
	boot.info, boot.options = b, o
	panicTimeout.Store(int32(o.panicTimeout))
	proc.Panic = func(msg string) { Panic("%s", msg) }

	klog.SetClock(arch.Nanotime)
	klog.SetConsoleLevel(o.level)
	boot.consoles = startConsoles(o)
	logEarlySteps()
	reportMachine(b)
	for _, w := range o.warnings {
		klog.Warnf("%s", w)
	}
	for _, name := range boot.consoles.missing {
		klog.Warnf("console=%s: there is no such device", name)
	}
	arch.ExitHook = lost
	preparePanicScreen()
	setClock()
	if v, ok := b.Option("selftest"); ok {
		switch string(v) {
		case "arch":
			bad := selftest.Run()
			klog.Infof("selftest: %d failed", bad)
			arch.PowerOff()
		case "fatal", "crash", "panic":
			provoke(string(v))
		}
	}

	ctx := mountRoot()
	unpackModules(ctx, b)
	if _, err := registerDevices(ctx); err != nil {
		Panic("devices: %v", err)
	}

	klog.Infof("start-up: processes")
	proc.Init(call, failure)
	proc.InitThreadsMax()
	proc.InitOOM()
	reportMemory(b)
	paceGC(b.UsableSize())
	if consoles != nil {
		consoles.Started()
	}
	startInit(ctx, o)
	proc.StartLoadAverage(watchClock)
	select {}
}

// reportMachine logs what the kernel runs on.
func reportMachine(b *info.Boot) {
	klog.Infof("Tamarix, built with %s", runtime.Version())
	klog.Infof("Command line: %s", b.CommandLine())
	klog.Infof("Loaded by %s", strings.TrimSpace(b.Loader+" "+string(b.LoaderName())))
	if f := &b.Framebuffer; f.Kind != info.NoFramebuffer {
		klog.Infof("Screen: %s %dx%d, %d bits, at %#x", f.Kind, f.Width, f.Height, f.BitsPerPixel, f.Address)
	}
	for _, r := range b.Memory() {
		klog.Debugf("memory %#012x-%#012x %s", r.Start, r.End-1, r.Kind)
	}
	for _, p := range b.Problems() {
		if p.End != 0 {
			klog.Warnf("Boot information: %s: %#x-%#x", p.Text, p.Start, p.End-1)
		} else {
			klog.Warnf("Boot information: %s", p.Text)
		}
	}
	if b.Dropped > 0 {
		klog.Warnf("%d items of the boot information found no room", b.Dropped)
	}
	reportMemoryTest(b)
	arch.FirmwareReport(klog.Debugf, klog.Warnf)
	arch.InterruptReport(klog.Debugf, klog.Warnf)
	arch.WatchNMI(klog.Warnf)
	klog.Infof("Memory: %d KiB", b.UsableSize()>>10)
	klog.Infof("CPUs: %d, time-stamp counter at %d.%03d MHz", arch.NumCPU(), arch.TSCHz()/1e6, arch.TSCHz()/1e3%1e3)
}

// reportMemoryTest logs what "memtest=" has found, which was on the screen before
// there was a log.
func reportMemoryTest(b *info.Boot) {
	if _, ok := memtest.Passes(b); !ok {
		klog.Warnf("command line: memtest=: not a number")
	}
	r := arch.MemoryTest()
	if r.Passes == 0 {
		return
	}
	if r.Bad == 0 {
		klog.Infof("Memory test: %d MiB, %d passes, no errors", r.Tested>>20, r.Passes)
		return
	}
	klog.Errorf("Memory test: %d MiB, %d passes: %d KiB are BAD and not used", r.Tested>>20, r.Passes, r.Bad>>10)
	for _, m := range b.Memory() {
		if m.Kind == info.Bad {
			klog.Errorf("Memory test: bad memory at %#x-%#x", m.Start, m.End-1)
		}
	}
}

// heapWorthFreeing is the size of the kernel's heap, in bytes, from which on it
// pays to collect what start-up has left behind before process 1 starts: that
// takes some 50 ms.
const heapWorthFreeing = 3 << 20

// reportMemory gives back what start-up needed and says how much memory is
// gone: that which neither the frame allocator has free nor a user could get.
func reportMemory(b *info.Boot) {
	s := arch.ReadFrameStats()
	if s.Kernel*arch.PageSize > heapWorthFreeing {
		debug.FreeOSMemory()
		s = arch.ReadFrameStats()
	}
	total, free := b.UsableSize(), s.Free*arch.PageSize
	klog.Infof("Memory gone when process 1 starts: %d KiB of %d KiB (kernel heap %d, page cache %d, page tables %d)",
		(total-free)>>10, total>>10, s.Kernel*4, s.Cache*4, s.PageTable*4)
}
