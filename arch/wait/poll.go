package wait

// PollTable collects the queues that a poll(2), select(2) or epoll_ctl(2)
// has to listen to. A file's Poll method calls Add for each of its queues and
// then returns the events that are present. A nil table asks for the events
// only.
//
// It belongs to one goroutine; the zero value with Thread set is ready.
type PollTable struct {
	// Thread is woken by the queues. nil when Func is set.
	Thread *Thread
	// Key holds the events that the caller asks for (0: all). POLLERR and POLLHUP always count.
	Key uint32
	// Func, if set, is called instead of linking an entry (epoll makes entries of its own).
	Func func(q *Queue, mask uint32)

	first pollChunk
	last  *pollChunk
}

// pollChunk holds a few entries at addresses that stay put.
type pollChunk struct {
	n       int
	entries [8]Entry
	queues  [8]*Queue
	next    *pollChunk
}

// Events that are reported whether or not they were asked for (poll(2)).
const alwaysPolled = 0x8 | 0x10 // POLLERR | POLLHUP

// Add makes a Wake on q with one of the events in mask (0: any) wake the
// poller. It does nothing on a nil table.
func (pt *PollTable) Add(q *Queue, mask uint32) {
	if pt == nil {
		return
	}
	if pt.Key != 0 {
		if mask == 0 {
			mask = pt.Key | alwaysPolled
		} else if mask &= pt.Key | alwaysPolled; mask == 0 {
			return
		}
	}
	if pt.Func != nil {
		pt.Func(q, mask)
		return
	}
	c := pt.last
	if c == nil {
		c = &pt.first
		pt.last = c
	}
	if c.n == len(c.entries) {
		c.next = new(pollChunk)
		c = c.next
		pt.last = c
	}
	e := &c.entries[c.n]
	e.Mask = mask
	c.queues[c.n] = q
	c.n++
	q.Add(e, pt.Thread)
}

// Release unlinks all entries; the table can be used again.
func (pt *PollTable) Release() {
	for c := &pt.first; c != nil; c = c.next {
		for i := range c.n {
			c.queues[i].Remove(&c.entries[i])
			c.queues[i] = nil
		}
		c.n = 0
	}
	pt.first.next = nil
	pt.last = nil
}
