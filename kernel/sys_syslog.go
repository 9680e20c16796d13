package kernel

import (
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/klog"
	"tamarix/arch/wait"
	"tamarix/proc"
)

// syslogState is where the readers of syslog(2) stand.
var syslogState = struct {
	mu       sync.Mutex // guards the rest; leaf
	next     uint64     // record that syslogRead returns next
	cleared  uint64     // first record after the last SYSLOG_ACTION_CLEAR
	oldLevel klog.Level // console level before CONSOLE_OFF
	off      bool
}{}

// syslogPoll is how long SYSLOG_ACTION_READ sleeps between looks at the log;
// the one notification that klog has belongs to /dev/kmsg.
const syslogPoll = 200e6

// sysSyslog is syslog(2): action, buffer, length.
func sysSyslog(t *proc.Task, a *Args) (uintptr, error) {
	action, n := int(int32(a[0])), int(int32(a[2]))
	c := t.Cred()
	if action != syslogReadAll && action != syslogSizeBuffer && !c.Capable(unix.CAP_SYSLOG) && !c.Capable(unix.CAP_SYS_ADMIN) {
		return 0, unix.EPERM
	}
	s := &syslogState
	switch action {
	case syslogClose, syslogOpen:
		return 0, nil
	case syslogRead, syslogReadAll, syslogReadClear:
		if a[1] == 0 || n < 0 {
			return 0, unix.EINVAL
		}
		if n == 0 {
			return 0, nil
		}
		if action == syslogRead {
			return syslogNext(t, a[1], n)
		}
		return syslogAll(t, a[1], n, action == syslogReadClear)
	case syslogClear:
		s.mu.Lock()
		s.cleared = klog.Next()
		s.mu.Unlock()
		return 0, nil
	case syslogConsoleOff:
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.off {
			s.off, s.oldLevel = true, klog.SetConsoleLevel(1)
		}
		return 0, nil
	case syslogConsoleOn:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.off {
			s.off = false
			klog.SetConsoleLevel(s.oldLevel)
		}
		return 0, nil
	case syslogConsoleLevel:
		if n < 1 || n > 8 {
			return 0, unix.EINVAL
		}
		s.mu.Lock()
		s.off = false
		s.mu.Unlock()
		klog.SetConsoleLevel(klog.Level(n))
		return 0, nil
	case syslogSizeUnread:
		s.mu.Lock()
		from := s.next
		s.mu.Unlock()
		return uintptr(len(logText(from, klog.Size()))), nil
	case syslogSizeBuffer:
		return uintptr(klog.Size()), nil
	}
	return 0, unix.EINVAL
}

// appendRecord appends a record as dmesg shows it: "<6>[    0.123456] text\n".
func appendRecord(b []byte, r *klog.Record) []byte {
	b = append(b, '<')
	b = append(b, utoa(uint64(r.Facility)<<3|uint64(r.Level))...)
	b = append(b, '>')
	b = klog.AppendPrefix(b, r.Time)
	b = append(b, r.Text...)
	return append(b, '\n')
}

// logText returns the last records from number from on that fit into n bytes.
func logText(from uint64, n int) []byte {
	var all []byte
	var starts []int
	for seq := max(from, klog.First()); ; {
		r, next, ok := klog.Read(seq)
		if !ok {
			break
		}
		starts = append(starts, len(all))
		all = appendRecord(all, &r)
		seq = next
	}
	for _, at := range starts {
		if len(all)-at <= n {
			return all[at:]
		}
	}
	return nil
}

// syslogAll is SYSLOG_ACTION_READ_ALL and READ_CLEAR: the last n bytes since the
// last clear.
func syslogAll(t *proc.Task, addr uint64, n int, clear bool) (uintptr, error) {
	s := &syslogState
	s.mu.Lock()
	from := s.cleared
	if clear {
		s.cleared = klog.Next()
	}
	s.mu.Unlock()
	b := logText(from, n)
	if err := t.AS.CopyOut(addr, b); err != nil {
		return 0, err
	}
	return uintptr(len(b)), nil
}

// syslogNext is SYSLOG_ACTION_READ: it waits for a record nobody has read yet.
func syslogNext(t *proc.Task, addr uint64, n int) (uintptr, error) {
	s := &syslogState
	for {
		s.mu.Lock()
		r, next, ok := klog.Read(max(s.next, klog.First()))
		if ok {
			b := appendRecord(nil, &r)
			s.next = next
			s.mu.Unlock()
			b = b[:min(len(b), n)]
			return uintptr(len(b)), t.AS.CopyOut(addr, b)
		}
		s.mu.Unlock()
		t.Thread.Prepare()
		if t.Thread.Interrupted() {
			return 0, wait.ErrRestartSys
		}
		t.Thread.ParkUntil(wait.Now() + syslogPoll)
	}
}
