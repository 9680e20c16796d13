package devfs

import (
	"fmt"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/klog"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// logChanged is woken when the kernel log has grown.
var logChanged wait.Queue

func init() { klog.SetNotify(func() { logChanged.WakeAll(unix.EPOLLIN | unix.EPOLLRDNORM) }) }

// LogChanged returns the queue that is woken when the kernel log has grown: for
// syslog(2) and /proc/kmsg.
func LogChanged() *wait.Queue { return &logChanged }

// kmsg is an open /dev/kmsg (Documentation/ABI/testing/dev-kmsg of Linux): each
// read returns one record, each write makes one.
type kmsg struct {
	fs.BaseOps
	mu   sync.Mutex // guards next; not held while sleeping
	next uint64     // number of the record to read next
}

func openKmsg(ctx *fs.Context, f *fs.File, _ uint64) (fs.FileOps, error) {
	if f.Mode()&fs.ModeRead != 0 && !ctx.Cred.Capable(unix.CAP_SYSLOG) && !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
		return nil, unix.EPERM
	}
	f.AddMode(fs.ModeStream | fs.ModePoll)
	return &kmsg{next: klog.First()}, nil
}

// Read implements fs.FileOps. A reader whose next record has been overwritten
// gets EPIPE once and goes on with the oldest; a buffer too small for the
// record is EINVAL.
func (k *kmsg) Read(ctx *fs.Context, f *fs.File, it *mm.Iter, _ *int64) (int, error) {
	for {
		k.mu.Lock()
		r, next, ok := klog.Read(k.next)
		if ok && r.Seq != k.next {
			k.next = r.Seq
			k.mu.Unlock()
			return 0, unix.EPIPE
		}
		if ok {
			text := appendRecord(nil, &r)
			if len(text) > it.Len() {
				k.mu.Unlock()
				return 0, unix.EINVAL
			}
			k.next = next
			k.mu.Unlock()
			return it.CopyTo(text)
		}
		k.mu.Unlock()
		if f.Nonblock() {
			return 0, unix.EAGAIN
		}
		if err := logChanged.Wait(ctx.Thread, wait.Never, k.ready); err != nil {
			return 0, err
		}
	}
}

// ready reports whether there is a record to read.
func (k *kmsg) ready() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, _, ok := klog.Read(k.next)
	return ok
}

// appendRecord appends a record as /dev/kmsg shows it:
// "priority,sequence,microseconds,-;text\n", what is not printable as \xNN.
func appendRecord(b []byte, r *klog.Record) []byte {
	b = fmt.Appendf(b, "%d,%d,%d,-;", int(r.Facility)<<3|int(r.Level), r.Seq, r.Time.Microseconds())
	const hex = "0123456789abcdef"
	for i := range len(r.Text) {
		c := r.Text[i]
		if c < ' ' || c >= 0x7f || c == '\\' {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return append(b, '\n')
}

// maxMessage is the longest message that user land may log (PRINTK_MESSAGE_MAX
// of Linux kernel/printk: 1024 less the prefix).
const maxMessage = 992

// Write implements fs.FileOps: "<priority>text". Without a priority it is
// user.notice... of the default level, warning; the facility kernel is not for users.
func (k *kmsg) Write(ctx *fs.Context, _ *fs.File, it *mm.Iter, _ *int64) (int, error) {
	n := it.Len()
	if n > maxMessage {
		return 0, unix.EINVAL
	}
	p := make([]byte, n)
	if _, err := it.CopyFrom(p); err != nil {
		return 0, err
	}
	level, facility, text := parsePriority(string(p))
	klog.WriteAs(level, facility, text)
	return n, nil
}

// parsePriority splits "<13>text" into level, facility and text.
func parsePriority(s string) (klog.Level, uint8, string) {
	level, facility := klog.Warning, klog.User
	if len(s) > 2 && s[0] == '<' {
		i := 1
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		if i > 1 && i < len(s) && s[i] == '>' {
			if v, err := strconv.ParseUint(s[1:i], 10, 32); err == nil {
				level = klog.Level(v & 7)
				if v>>3 != 0 {
					facility = uint8(v >> 3)
				}
				s = s[i+1:]
			}
		}
	}
	return level, facility, s
}

// Seek implements fs.FileOps: the start, the end, or the last clear of the log
// (SEEK_DATA), which is the start here.
func (k *kmsg) Seek(_ *fs.Context, _ *fs.File, off int64, whence int) (int64, error) {
	if off != 0 {
		return 0, unix.ESPIPE
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch whence {
	case unix.SEEK_SET, unix.SEEK_DATA:
		k.next = klog.First()
	case unix.SEEK_END:
		k.next = klog.Next()
	default:
		return 0, unix.EINVAL
	}
	return 0, nil
}

// Poll implements fs.FileOps.
func (k *kmsg) Poll(_ *fs.File, pt *wait.PollTable) uint32 {
	pt.Add(&logChanged, unix.EPOLLIN|unix.EPOLLRDNORM)
	k.mu.Lock()
	defer k.mu.Unlock()
	r, _, ok := klog.Read(k.next)
	if !ok {
		return unix.EPOLLOUT | unix.EPOLLWRNORM
	}
	ev := uint32(unix.EPOLLIN | unix.EPOLLRDNORM | unix.EPOLLOUT | unix.EPOLLWRNORM)
	if r.Seq != k.next {
		ev |= unix.EPOLLERR | unix.EPOLLPRI
	}
	return ev
}
