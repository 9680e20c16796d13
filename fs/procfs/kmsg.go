package procfs

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/arch/klog"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/devfs"
	"tamarix/mm"
)

// entryKmsg is /proc/kmsg: the kernel log as a stream that can be read once, by
// all readers together, as syslog(2)'s SYSLOG_ACTION_READ does.
var entryKmsg = entry{"kmsg", unix.S_IFREG | 0o400, func(d *dir, e *entry) fs.Inode {
	return d.newFile(e, func(ctx *fs.Context, f *fs.File) (fs.FileOps, error) {
		if !ctx.Cred.Capable(unix.CAP_SYSLOG) && !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
			return nil, unix.EPERM
		}
		f.AddMode(fs.ModeStream | fs.ModePoll)
		return kmsg{}, nil
	})
}}

// stream is how far /proc/kmsg has been read.
var stream struct {
	mu   sync.Mutex // guards the rest; klog's lock comes after it
	next uint64     // record to read next
	rest []byte     // of the record before it
}

type kmsg struct{ fs.BaseOps }

// take returns the next piece of the stream, at most n bytes.
func take(n int) []byte {
	stream.mu.Lock()
	defer stream.mu.Unlock()
	if len(stream.rest) == 0 {
		r, next, ok := klog.Read(stream.next)
		if !ok {
			return nil
		}
		stream.next = next
		b := fmt.Appendf(nil, "<%d>", int(r.Facility)<<3|int(r.Level))
		b = klog.AppendPrefix(b, r.Time)
		stream.rest = append(append(b, r.Text...), '\n')
	}
	p := stream.rest[:min(n, len(stream.rest))]
	stream.rest = stream.rest[len(p):]
	return p
}

func pending() bool {
	stream.mu.Lock()
	defer stream.mu.Unlock()
	_, _, ok := klog.Read(stream.next)
	return ok || len(stream.rest) > 0
}

// Read implements fs.FileOps.
func (kmsg) Read(ctx *fs.Context, f *fs.File, it *mm.Iter, _ *int64) (int, error) {
	if it.Len() == 0 {
		return 0, nil
	}
	for {
		total := 0
		for it.Len() > 0 {
			p := take(it.Len())
			if p == nil {
				break
			}
			n, err := it.CopyTo(p)
			total += n
			if err != nil && total == 0 {
				return 0, err
			}
		}
		if total > 0 {
			return total, nil
		}
		if f.Nonblock() {
			return 0, unix.EAGAIN
		}
		if err := devfs.LogChanged().Wait(ctx.Thread, wait.Never, pending); err != nil {
			return 0, err
		}
	}
}

// Poll implements fs.FileOps.
func (kmsg) Poll(_ *fs.File, pt *wait.PollTable) uint32 {
	pt.Add(devfs.LogChanged(), unix.EPOLLIN|unix.EPOLLRDNORM)
	if pending() {
		return unix.EPOLLIN | unix.EPOLLRDNORM
	}
	return 0
}
