package fs

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/mm"
)

// epoll is the FileOps of an epoll instance (epoll(7)).
//
// Each registered file is an epItem with entries in the wait queues that the
// file's Poll names. Their callback, which runs under such a queue's lock, puts
// the item on the ready list and wakes the instance's own queue. epoll_wait
// takes items off the list, asks each file what holds now, and puts
// level-triggered ones that are still ready back.
//
// Lock order: nestMu, epoll.mu, File.epMu, a file's wait queue, epoll.readyMu,
// epoll.q. A nested instance's q stands for "a file's wait queue" of the outer
// one; instances cannot contain each other in a circle, so that this ends.
type epoll struct {
	BaseOps
	q wait.Queue // woken when the ready list becomes non-empty

	mu    sync.Mutex // guards items and registration
	items map[epKey]*epItem

	readyMu sync.Mutex // guards the ready list and epItem.queued
	ready   []*epItem
	nready  atomic.Int32
}

type epKey struct {
	fd int32
	f  *File
}

// epItem is one registration.
type epItem struct {
	ep     *epoll
	key    epKey
	data   uint64        // guarded by ep.mu
	events atomic.Uint32 // what is asked for, with EPOLLET and the like; 0 events once a one-shot fired
	queued bool          // on the ready list; guarded by ep.readyMu
	dead   atomic.Bool
	waits  []*epWait // entries in the file's queues; guarded by ep.mu
}

type epWait struct {
	entry wait.Entry
	q     *wait.Queue
}

// EpollEvent is struct epoll_event (linux/eventpoll.h), packed there.
type EpollEvent struct {
	Events uint32
	Data   uint64
}

const (
	epollPrivate   = unix.EPOLLWAKEUP | unix.EPOLLONESHOT | unix.EPOLLET | unix.EPOLLEXCLUSIVE
	epollExclusive = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLERR | unix.EPOLLHUP | unix.EPOLLWAKEUP | unix.EPOLLET | unix.EPOLLEXCLUSIVE
	epollNesting   = 4 // EP_MAX_NESTS, fs/eventpoll.c
	// maxEpollItems bounds the registrations of one instance (fs.epoll.max_user_watches): ENOSPC.
	maxEpollItems = 1 << 17
)

// nestMu serialises registering an epoll instance with another one, so that
// the search for circles sees a stable graph.
var nestMu sync.Mutex

// EpollCreate is epoll_create1(2) without the descriptor.
func (ctx *Context) EpollCreate(flags int) (*File, error) {
	if flags&^unix.EPOLL_CLOEXEC != 0 {
		return nil, unix.EINVAL
	}
	return ctx.NewAnonFile("anon_inode:[eventpoll]", &epoll{items: make(map[epKey]*epItem)}, unix.O_RDWR)
}

// EpollCtl is epoll_ctl(2).
func (ctx *Context) EpollCtl(epfd int32, op int, fd int32, ev EpollEvent) error {
	ef, err := ctx.Files.Get(epfd)
	if err != nil {
		return err
	}
	defer ef.Unref()
	f, err := ctx.Files.Get(fd)
	if err != nil {
		return err
	}
	defer f.Unref()
	if f.mode&ModePoll == 0 {
		return unix.EPERM
	}
	ep, ok := ef.ops.(*epoll)
	if !ok || ef == f {
		return unix.EINVAL
	}
	inner, nested := f.ops.(*epoll)
	if op != unix.EPOLL_CTL_DEL && ev.Events&unix.EPOLLEXCLUSIVE != 0 {
		if op == unix.EPOLL_CTL_MOD || nested || ev.Events&^epollExclusive != 0 {
			return unix.EINVAL
		}
	}
	if nested && op == unix.EPOLL_CTL_ADD {
		nestMu.Lock()
		defer nestMu.Unlock()
		if inner.reaches(ep, epollNesting) {
			return unix.ELOOP
		}
	}
	ep.mu.Lock()
	defer ep.mu.Unlock()
	key := epKey{fd, f}
	it := ep.items[key]
	want := ev.Events | unix.EPOLLERR | unix.EPOLLHUP
	switch op {
	case unix.EPOLL_CTL_ADD:
		if it != nil {
			return unix.EEXIST
		}
		if !mm.Admit() {
			return unix.ENOMEM
		}
		if len(ep.items) >= maxEpollItems {
			return unix.ENOSPC
		}
		return ep.addLocked(key, want, ev.Data)
	case unix.EPOLL_CTL_MOD:
		if it == nil {
			return unix.ENOENT
		}
		if it.events.Load()&unix.EPOLLEXCLUSIVE != 0 {
			return unix.EINVAL
		}
		it.data = ev.Data
		it.events.Store(want)
		if f.ops.Poll(f, nil)&want != 0 {
			it.enqueue()
		}
		return nil
	case unix.EPOLL_CTL_DEL:
		if it == nil {
			return unix.ENOENT
		}
		ep.removeLocked(it)
		return nil
	}
	return unix.EINVAL
}

func (ep *epoll) addLocked(key epKey, events uint32, data uint64) error {
	it := &epItem{ep: ep, key: key, data: data}
	it.events.Store(events)
	f := key.f
	f.epMu.Lock()
	f.eps = append(f.eps, it)
	f.epMu.Unlock()
	ep.items[key] = it
	pt := wait.PollTable{Func: func(q *wait.Queue, mask uint32) {
		w := &epWait{q: q}
		w.entry.Mask = mask
		w.entry.Func = it.wake
		it.waits = append(it.waits, w)
		q.AddFunc(&w.entry)
	}}
	if f.ops.Poll(f, &pt)&events != 0 {
		it.enqueue()
	}
	return nil
}

// wake is the callback from a file's queue.
func (it *epItem) wake(_ *wait.Entry, mask uint32) {
	ev := it.events.Load()
	if ev&^epollPrivate == 0 || mask != 0 && mask&ev == 0 {
		return
	}
	it.enqueue()
}

// enqueue puts the item on the ready list and wakes a waiter.
func (it *epItem) enqueue() {
	ep := it.ep
	ep.readyMu.Lock()
	if !it.queued && !it.dead.Load() {
		it.queued = true
		ep.ready = append(ep.ready, it)
		ep.nready.Store(int32(len(ep.ready)))
	}
	ep.readyMu.Unlock()
	ep.q.Wake(pollRead)
}

// pop takes the first item off the ready list.
func (ep *epoll) pop() *epItem {
	ep.readyMu.Lock()
	defer ep.readyMu.Unlock()
	if len(ep.ready) == 0 {
		return nil
	}
	it := ep.ready[0]
	ep.ready[0] = nil
	if ep.ready = ep.ready[1:]; len(ep.ready) == 0 {
		ep.ready = nil
	}
	it.queued = false
	ep.nready.Store(int32(len(ep.ready)))
	return it
}

// removeLocked ends a registration. ep.mu held.
func (ep *epoll) removeLocked(it *epItem) {
	it.dead.Store(true)
	for _, w := range it.waits {
		w.q.Remove(&w.entry)
	}
	it.waits = nil
	delete(ep.items, it.key)
	f := it.key.f
	f.epMu.Lock()
	for i, o := range f.eps {
		if o == it {
			f.eps = append(f.eps[:i:i], f.eps[i+1:]...)
			break
		}
	}
	f.epMu.Unlock()
}

// epollFileGone ends all registrations of a file that is being released.
func epollFileGone(f *File) {
	for {
		f.epMu.Lock()
		if len(f.eps) == 0 {
			f.epMu.Unlock()
			return
		}
		it := f.eps[0]
		f.epMu.Unlock()
		it.ep.mu.Lock()
		if !it.dead.Load() {
			it.ep.removeLocked(it)
		}
		it.ep.mu.Unlock()
	}
}

// reaches reports whether target can be reached from ep through nested
// instances, or whether the nesting is too deep. nestMu held.
func (ep *epoll) reaches(target *epoll, depth int) bool {
	if ep == target || depth == 0 {
		return true
	}
	ep.mu.Lock()
	var inner []*epoll
	for k := range ep.items {
		if e, ok := k.f.ops.(*epoll); ok {
			inner = append(inner, e)
		}
	}
	ep.mu.Unlock()
	for _, e := range inner {
		if e.reaches(target, depth-1) {
			return true
		}
	}
	return false
}

// harvest collects up to len(out) events.
func (ep *epoll) harvest(out []EpollEvent) int {
	n := 0
	var again []*epItem
	for left := ep.nready.Load(); left > 0 && n < len(out); left-- {
		it := ep.pop()
		if it == nil {
			break
		}
		if it.dead.Load() || !it.key.f.tryRef() {
			continue
		}
		f := it.key.f
		want := it.events.Load()
		got := f.ops.Poll(f, nil) & want &^ epollPrivate
		if got != 0 && want&^uint32(epollPrivate) != 0 {
			ep.mu.Lock()
			data := it.data
			dead := it.dead.Load()
			ep.mu.Unlock()
			if !dead {
				out[n] = EpollEvent{got, data}
				n++
				switch {
				case want&unix.EPOLLONESHOT != 0:
					it.events.CompareAndSwap(want, want&epollPrivate)
				case want&unix.EPOLLET == 0:
					again = append(again, it)
				}
			}
		}
		f.Unref()
	}
	for _, it := range again {
		it.enqueue()
	}
	return n
}

// EpollWait is epoll_wait(2) and epoll_pwait2(2): it fills out and returns how
// many. Interrupted: EINTR (the call is never restarted).
func (ctx *Context) EpollWait(epfd int32, out []EpollEvent, deadline int64) (int, error) {
	ef, err := ctx.Files.Get(epfd)
	if err != nil {
		return 0, err
	}
	defer ef.Unref()
	ep, ok := ef.ops.(*epoll)
	if !ok {
		return 0, unix.EINVAL
	}
	for {
		if n := ep.harvest(out); n > 0 {
			return n, nil
		}
		if deadline >= 0 && deadline <= wait.Now() {
			return 0, nil
		}
		switch err := ep.q.WaitExclusive(ctx.Thread, deadline, func() bool { return ep.nready.Load() > 0 }); err {
		case nil:
		case unix.ETIMEDOUT:
			deadline = 0 // one more look
		default:
			return 0, unix.EINTR
		}
	}
}

// Poll implements FileOps: an instance is readable when epoll_wait would return.
func (ep *epoll) Poll(f *File, pt *wait.PollTable) uint32 {
	pt.Add(&ep.q, 0)
	for left := ep.nready.Load(); left > 0; left-- {
		it := ep.pop()
		if it == nil {
			break
		}
		if it.dead.Load() || !it.key.f.tryRef() {
			continue
		}
		file := it.key.f
		got := file.ops.Poll(file, nil) & it.events.Load() &^ epollPrivate
		file.unrefLater()
		if got != 0 {
			it.requeue()
			return pollRead
		}
	}
	return 0
}

// requeue puts an item back without waking anybody.
func (it *epItem) requeue() {
	ep := it.ep
	ep.readyMu.Lock()
	if !it.queued && !it.dead.Load() {
		it.queued = true
		ep.ready = append(ep.ready, it)
		ep.nready.Store(int32(len(ep.ready)))
	}
	ep.readyMu.Unlock()
}

// Release implements FileOps.
func (ep *epoll) Release(*File) {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	for _, it := range ep.items {
		ep.removeLocked(it)
	}
}
