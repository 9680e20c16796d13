package kernel

import (
	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/fs"
	"tamarix/proc"
)

// Operations on the calling thread or process: prctl(2), arch_prctl(2).

// commSize is the size of the buffer that PR_GET_NAME fills (TASK_COMM_LEN).
const commSize = 16

// sysPrctl is prctl(2).
func sysPrctl(t *proc.Task, a *Args) (uintptr, error) {
	switch op := int(int32(a[0])); op {
	case unix.PR_SET_PDEATHSIG:
		if a[1] > proc.NSIG {
			return 0, unix.EINVAL
		}
		t.SetParentDeathSignal(unix.Signal(a[1]))
	case unix.PR_GET_PDEATHSIG:
		return 0, t.AS.Write32(a[1], uint32(t.ParentDeathSignal()))
	case unix.PR_GET_DUMPABLE:
		return uintptr(t.Group.Dumpable()), nil
	case unix.PR_SET_DUMPABLE:
		if a[1] > 1 {
			return 0, unix.EINVAL
		}
		t.Group.SetDumpable(int(a[1]))
	case unix.PR_SET_NAME:
		return 0, setComm(t, a[1])
	case unix.PR_GET_NAME:
		var b [commSize]byte
		copy(b[:commSize-1], t.Comm())
		return 0, t.AS.CopyOut(a[1], b[:])
	case unix.PR_GET_TIMING:
		return unix.PR_TIMING_STATISTICAL, nil
	case unix.PR_SET_TIMING:
		if a[1] != unix.PR_TIMING_STATISTICAL {
			return 0, unix.EINVAL
		}
	case unix.PR_GET_KEEPCAPS, unix.PR_SET_KEEPCAPS, unix.PR_GET_SECUREBITS, unix.PR_SET_SECUREBITS,
		unix.PR_CAPBSET_READ, unix.PR_CAPBSET_DROP, unix.PR_CAP_AMBIENT:
		return prctlCaps(t, op, a)
	case unix.PR_GET_TIMERSLACK:
		return uintptr(t.TimerSlack()), nil
	case unix.PR_SET_TIMERSLACK:
		t.SetTimerSlack(max(a[1], 0))
	case unix.PR_SET_CHILD_SUBREAPER:
		t.Group.SetSubreaper(a[1] != 0)
	case unix.PR_GET_CHILD_SUBREAPER:
		v := uint32(0)
		if t.Group.Subreaper() {
			v = 1
		}
		return 0, t.AS.Write32(a[1], v)
	case unix.PR_SET_NO_NEW_PRIVS:
		if a[1] != 1 || a[2]|a[3]|a[4] != 0 {
			return 0, unix.EINVAL
		}
		t.SetNoNewPrivs()
	case unix.PR_GET_NO_NEW_PRIVS:
		if a[1]|a[2]|a[3]|a[4] != 0 {
			return 0, unix.EINVAL
		}
		if t.Cred().NoNewPrivs {
			return 1, nil
		}
	case unix.PR_GET_SECCOMP: // mode 0: none
	case unix.PR_SET_VMA:
		// Names of anonymous memory are a comment for people: accepted.
		if a[1] != unix.PR_SET_VMA_ANON_NAME {
			return 0, unix.EINVAL
		}
	case unix.PR_GET_TID_ADDRESS:
		return 0, t.AS.Write64(a[1], t.ClearChildTID())
	case unix.PR_GET_THP_DISABLE:
	case unix.PR_MCE_KILL_GET:
		return unix.PR_MCE_KILL_DEFAULT, nil
	case unix.PR_SET_PTRACER: // no ptrace: nobody to allow
	case unix.PR_TASK_PERF_EVENTS_DISABLE, unix.PR_TASK_PERF_EVENTS_ENABLE:
	case unix.PR_GET_TSC:
		return 0, t.AS.Write32(a[1], unix.PR_TSC_ENABLE)
	default:
		return 0, unix.EINVAL
	}
	return 0, nil
}

func setComm(t *proc.Task, addr uint64) error {
	var b [commSize - 1]byte
	n := 0
	for ; n < len(b); n++ {
		if err := t.AS.CopyIn(b[n:n+1], addr+uint64(n)); err != nil {
			return err
		}
		if b[n] == 0 {
			break
		}
	}
	t.SetComm(string(b[:n]))
	t.Ctx.SetLabel(t.Comm())
	return nil
}

// prctlCaps are the operations on capabilities (capabilities(7)).
func prctlCaps(t *proc.Task, op int, a *Args) (uintptr, error) {
	c := t.Cred()
	switch op {
	case unix.PR_GET_KEEPCAPS:
		if c.SecureBits&proc.SecureKeepCaps != 0 {
			return 1, nil
		}
	case unix.PR_SET_KEEPCAPS:
		if a[1] > 1 {
			return 0, unix.EINVAL
		}
		return 0, t.SetKeepCaps(a[1] == 1)
	case unix.PR_GET_SECUREBITS:
		return uintptr(c.SecureBits), nil
	case unix.PR_SET_SECUREBITS:
		return 0, t.SetSecureBits(uint32(a[1]))
	case unix.PR_CAPBSET_READ:
		if a[1] > unix.CAP_LAST_CAP {
			return 0, unix.EINVAL
		}
		if c.Bounding.Has(int(a[1])) {
			return 1, nil
		}
	case unix.PR_CAPBSET_DROP:
		if !c.Capable(unix.CAP_SETPCAP) {
			return 0, unix.EPERM
		}
		if a[1] > unix.CAP_LAST_CAP {
			return 0, unix.EINVAL
		}
		t.DropBounding(int(a[1]))
	case unix.PR_CAP_AMBIENT:
		return ambient(t, c, a)
	}
	return 0, nil
}

func ambient(t *proc.Task, c *fs.Cred, a *Args) (uintptr, error) {
	op, bit := a[1], a[2]
	if a[3]|a[4] != 0 {
		return 0, unix.EINVAL
	}
	if op == unix.PR_CAP_AMBIENT_CLEAR_ALL {
		if bit != 0 {
			return 0, unix.EINVAL
		}
		t.SetAmbient(0)
		return 0, nil
	}
	if bit > unix.CAP_LAST_CAP {
		return 0, unix.EINVAL
	}
	has := c.Ambient.Has(int(bit))
	switch op {
	case unix.PR_CAP_AMBIENT_IS_SET:
		if has {
			return 1, nil
		}
	case unix.PR_CAP_AMBIENT_LOWER:
		t.SetAmbient(c.Ambient &^ (1 << bit))
	case unix.PR_CAP_AMBIENT_RAISE:
		if !(c.Permitted & c.Inheritable).Has(int(bit)) || c.SecureBits&proc.SecureNoAmbient != 0 {
			return 0, unix.EPERM
		}
		t.SetAmbient(c.Ambient | 1<<bit)
	default:
		return 0, unix.EINVAL
	}
	return 0, nil
}

// Operations of arch_prctl(2) (UAPI asm/prctl.h).
const (
	archSetGS    = 0x1001
	archSetFS    = 0x1002
	archGetFS    = 0x1003
	archGetGS    = 0x1004
	archGetCPUID = 0x1011
)

// sysArchPrctl is arch_prctl(2).
func sysArchPrctl(t *proc.Task, a *Args) (uintptr, error) {
	switch int(int32(a[0])) {
	case archSetFS, archSetGS:
		if a[1] >= arch.UserTop {
			return 0, unix.EPERM
		}
		if int32(a[0]) == archSetFS {
			t.Ctx.SetTLS(a[1])
		} else {
			t.Ctx.SetGSBase(a[1])
		}
		return 0, nil
	case archGetFS:
		return 0, t.AS.Write64(a[1], t.Ctx.TLS())
	case archGetGS:
		return 0, t.AS.Write64(a[1], t.Ctx.GSBase())
	case archGetCPUID:
		return 1, nil
	}
	return 0, unix.EINVAL
}
