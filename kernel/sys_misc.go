package kernel

import (
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/arch/wait"
	"tamarix/proc"
)

// The machine as a whole: uname(2), sysinfo(2), getrandom(2), reboot(2).

// sysUname is uname(2): six fields of 65 bytes.
func sysUname(t *proc.Task, a *Args) (uintptr, error) {
	const field = utsMax + 1
	var b [6 * field]byte
	release := utsRelease
	if t.Personality()&proc.PerUname26 != 0 {
		release = "2.6.60-tamarix"
	}
	for i, s := range [...]string{utsSysname, hostname(), release, utsVersion, utsMachine, domainname()} {
		copy(b[i*field:(i+1)*field-1], s)
	}
	return 0, t.AS.CopyOut(a[0], b[:])
}

func sysSethostname(t *proc.Task, a *Args) (uintptr, error) {
	return setName(t, a, setHostname)
}

func sysSetdomainname(t *proc.Task, a *Args) (uintptr, error) {
	return setName(t, a, setDomainname)
}

func setName(t *proc.Task, a *Args, set func(string) error) (uintptr, error) {
	if !t.Cred().Capable(unix.CAP_SYS_ADMIN) {
		return 0, unix.EPERM
	}
	if n := int32(a[1]); n < 0 || n > utsMax {
		return 0, unix.EINVAL
	}
	b := make([]byte, a[1])
	if err := t.AS.CopyIn(b, a[0]); err != nil {
		return 0, err
	}
	for i, c := range b {
		if c == 0 {
			b = b[:i]
			break
		}
	}
	return 0, set(string(b))
}

// sysSysinfo is sysinfo(2).
func sysSysinfo(t *proc.Task, a *Args) (uintptr, error) {
	f := arch.ReadFrameStats()
	_, procs := proc.TaskCounts()
	var b [112]byte // struct sysinfo, UAPI linux/sysinfo.h
	put64(b[:], 0, uint64(wait.Now()/1e9))
	for i, l := range proc.LoadAverage() {
		put64(b[:], 8+8*i, l<<(16-11)) // SI_LOAD_SHIFT
	}
	put64(b[:], 32, f.Total*arch.PageSize)
	put64(b[:], 40, f.Free*arch.PageSize)
	b[80], b[81] = byte(procs), byte(procs>>8)
	put32(b[:], 104, 1) // mem_unit
	return 0, t.AS.CopyOut(a[0], b[:])
}

// sysGetrandom is getrandom(2): buffer, length, flags. The generator is ready
// from the start, so it neither blocks nor fails.
func sysGetrandom(t *proc.Task, a *Args) (uintptr, error) {
	flags := uint32(a[2])
	if flags&^(unix.GRND_NONBLOCK|unix.GRND_RANDOM|unix.GRND_INSECURE) != 0 ||
		flags&(unix.GRND_RANDOM|unix.GRND_INSECURE) == unix.GRND_RANDOM|unix.GRND_INSECURE {
		return 0, unix.EINVAL
	}
	n := min(a[1], 1<<25-1) // as Linux's urandom reads
	var b [256]byte
	for done := uint64(0); done < n; {
		p := b[:min(n-done, uint64(len(b)))]
		proc.FillRandom(p)
		if err := t.AS.CopyOut(a[0]+done, p); err != nil {
			if done > 0 {
				return uintptr(done), nil
			}
			return 0, err
		}
		done += uint64(len(p))
		if t.Thread.Interrupted() && done%arch.PageSize == 0 && done < n {
			return uintptr(done), nil
		}
	}
	return uintptr(n), nil
}

// sysPersonality is personality(2).
func sysPersonality(t *proc.Task, a *Args) (uintptr, error) {
	old := t.Personality()
	if p := uint32(a[0]); p != 0xffffffff {
		t.SetPersonality(p)
	}
	return uintptr(old), nil
}

// sysReboot is reboot(2).
func sysReboot(t *proc.Task, a *Args) (uintptr, error) {
	if !t.Cred().Capable(unix.CAP_SYS_BOOT) {
		return 0, unix.EPERM
	}
	if uint32(a[0]) != unix.LINUX_REBOOT_MAGIC1 {
		return 0, unix.EINVAL
	}
	switch uint32(a[1]) {
	case unix.LINUX_REBOOT_MAGIC2, 85072278, 369367448, 537993216: // MAGIC2A to C of UAPI linux/reboot.h
	default:
		return 0, unix.EINVAL
	}
	switch uint32(a[2]) {
	case unix.LINUX_REBOOT_CMD_CAD_ON, unix.LINUX_REBOOT_CMD_CAD_OFF:
		ctrlAltDelReboots.Store(uint32(a[2]) == unix.LINUX_REBOOT_CMD_CAD_ON)
	case unix.LINUX_REBOOT_CMD_RESTART:
		stopMachine("Restarting system", arch.Reboot)
	case unix.LINUX_REBOOT_CMD_RESTART2:
		why, err := t.AS.CopyInString(a[3], 256)
		if err != nil {
			return 0, err
		}
		stopMachine("Restarting system with command '"+why+"'", arch.Reboot)
	case unix.LINUX_REBOOT_CMD_HALT:
		stopMachine("System halted", arch.Halt)
	case unix.LINUX_REBOOT_CMD_POWER_OFF:
		stopMachine("Power down", powerOff)
	default:
		return 0, unix.EINVAL
	}
	return 0, nil
}

// stopMachine says msg, gives the console time to show it, and ends.
func stopMachine(msg string, end func()) {
	klog.Emergf("reboot: %s", msg)
	drainConsole()
	time.Sleep(10 * time.Millisecond)
	end()
}

// Actions of syslog(2).
const (
	syslogClose = iota
	syslogOpen
	syslogRead
	syslogReadAll
	syslogReadClear
	syslogClear
	syslogConsoleOff
	syslogConsoleOn
	syslogConsoleLevel
	syslogSizeUnread
	syslogSizeBuffer
)
