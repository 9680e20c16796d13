//go:build tamarix

package amd64

import "unsafe"

// The runtime's network poller: one epoll instance and event descriptors.
// Device interrupts (irq.go) are events too. Most are edge triggered, but the
// event that breaks off a sleep of the poller is not: the runtime reads it only
// after a call that could sleep, and counts on its being reported until then.

const (
	pollFD    = 100 // the epoll instance
	eventBase = 101 // descriptors of events: eventBase + index
	maxEvents = 64
	epollET   = 1 << 31 // UAPI linux/eventpoll.h
)

// event is an eventfd, or a device interrupt that a goroutine reads.
type event struct {
	used    bool
	polled  bool   // registered with epoll
	edge    bool   // EPOLLET: reported once for each raise
	ready   bool   // became readable since it was last reported
	isIRQ   bool   // non-blocking in fcntl's eyes
	count   uint64 // what read returns
	epollID uint64 // the registration's user data
}

// events is guarded by sched.lock; so is pollers, the chain of threads in
// epoll_pwait, linked by kthread.next.
var (
	events  [maxEvents]event
	pollers uint64
)

func eventByFD(fd uint64) *event {
	if fd < eventBase || fd >= eventBase+maxEvents || !events[fd-eventBase].used {
		return nil
	}
	return &events[fd-eventBase]
}

func newEvent() uint64 {
	r := negErrno(24) // EMFILE
	lock(&sched.lock)
	for i := range events {
		if !events[i].used {
			events[i] = event{used: true}
			r = uint64(eventBase + i)
			break
		}
	}
	unlock(&sched.lock)
	return r
}

func closeEvent(fd uint64) uint64 {
	r := negErrno(ebadf)
	lock(&sched.lock)
	if e := eventByFD(fd); e != nil {
		*e = event{}
		r = 0
	}
	unlock(&sched.lock)
	return r
}

func readEvent(fd, p, n uint64) uint64 {
	v := uint64(0)
	lock(&sched.lock)
	e := eventByFD(fd)
	if e != nil {
		v, e.count = e.count, 0
	}
	unlock(&sched.lock)
	switch {
	case e == nil:
		return negErrno(ebadf)
	case n < 8:
		return negErrno(einval)
	case v == 0:
		return negErrno(eagain)
	}
	*wordAt(p) = v
	return 8
}

func writeEvent(fd, p, n uint64) uint64 {
	if n < 8 {
		return negErrno(einval)
	}
	v := *wordAt(p)
	r := negErrno(ebadf)
	lock(&sched.lock)
	if e := eventByFD(fd); e != nil {
		raise(thisCPU(), e, v, false)
		r = 8
	}
	unlock(&sched.lock)
	return r
}

// raise adds v to an event and wakes a poller.
//   - sched.lock is held.
func raise(c *percpu, e *event, v uint64, urgent bool) {
	e.count += v
	e.ready = true
	if !e.polled || pollers == 0 {
		return
	}
	t := threadAt(pollers)
	pollers = t.next
	dropTimer(t)
	t.AX = report(t.key, t.room)
	wake(c, t, urgent)
}

// report fills up to max struct epoll_event (12 bytes, packed) at p with what
// is ready.
//   - sched.lock is held.
func report(p, max uint64) (n uint64) {
	for i := range events {
		e := &events[i]
		if !e.polled || n >= max || !e.ready && (e.edge || e.count == 0) {
			continue
		}
		e.ready = false
		*halfAt(p) = 1 // EPOLLIN
		*(*[8]byte)(unsafe.Pointer(uintptr(p + 4))) = *(*[8]byte)(unsafe.Pointer(&e.epollID))
		p += 12
		n++
	}
	return n
}

func pollControl(op, fd, p uint64) uint64 {
	lock(&sched.lock)
	e := eventByFD(fd)
	if e == nil {
		unlock(&sched.lock)
		return negErrno(eperm) // what epoll says to a file it cannot watch
	}
	switch op {
	case 1, 3: // EPOLL_CTL_ADD, EPOLL_CTL_MOD
		*(*[8]byte)(unsafe.Pointer(&e.epollID)) = *(*[8]byte)(unsafe.Pointer(uintptr(p + 4)))
		e.polled, e.edge = true, *halfAt(p)&epollET != 0
		e.ready = e.count != 0
	case 2: // EPOLL_CTL_DEL
		e.polled = false
	}
	unlock(&sched.lock)
	return 0
}

// pollWait is epoll_pwait(epfd, events, max, milliseconds, ...).
func pollWait(c *percpu, t *kthread) uint64 {
	lock(&sched.lock)
	ms := int64(int32(t.R10))
	if n := report(t.SI, t.DX); n != 0 || ms == 0 {
		unlock(&sched.lock)
		return n
	}
	t.key, t.room = t.SI, t.DX
	t.next = pollers
	pollers = t.addr()
	deadline := int64(0)
	if ms > 0 {
		deadline = Nanotime() + ms*1e6
	}
	t.AX = 0
	block(c, t, threadPoll, deadline)
	unlock(&sched.lock)
	return resultLater
}

// dropPoll takes t off the chain of pollers.
//   - sched.lock is held.
func dropPoll(t *kthread) {
	for p := &pollers; *p != 0; p = &threadAt(*p).next {
		if *p == t.addr() {
			*p = t.next
			return
		}
	}
}

func hostFcntl(fd, cmd uint64) uint64 {
	const oRDWR, oNonblock = 2, 0x800
	if fd <= 2 {
		if cmd == 3 { // F_GETFL
			return oRDWR
		}
		return 0
	}
	if e := eventByFD(fd); e == nil {
		return negErrno(ebadf)
	} else if cmd == 3 {
		return oRDWR | oNonblock
	}
	return 0
}
