package proc

import "golang.org/x/sys/unix"

// sigQueued is one queued instance of a signal.
type sigQueued struct {
	info  SigInfo
	next  *sigQueued
	user  *userAccount // who pays for it under RLIMIT_SIGPENDING; nil: nobody
	timer *posixTimer  // the timer that sent it and owns this record; nil: none
}

// pending is a set of pending signals with what is known about them, in order
// of arrival. A signal can be in the set without a record: then memory or the
// limit was short when it came. Guarded by the groupSignals.mu of its process.
type pending struct {
	set        SigSet
	head, tail *sigQueued
}

// push appends q and marks its signal.
func (p *pending) push(q *sigQueued) {
	q.next = nil
	if p.tail != nil {
		p.tail.next = q
	} else {
		p.head = q
	}
	p.tail = q
	p.set |= sigBit(q.info.Signal())
}

// take removes the oldest instance of sig, which must be in the set. When
// there is no record of it, q is nil.
func (p *pending) take(sig unix.Signal) (q *sigQueued) {
	if q = p.head; q != nil && q == p.tail && q.info.Signal() == sig { // as a rule
		p.head, p.tail = nil, nil
		p.set &^= sigBit(sig)
		return q
	}
	q = nil
	var prev *sigQueued
	more := false
	var before *sigQueued
	for e := p.head; e != nil; prev, e = e, e.next {
		if e.info.Signal() != sig {
			continue
		}
		if q != nil {
			more = true
			break
		}
		q, before = e, prev
	}
	if q != nil {
		p.unlink(q, before)
	}
	if !more {
		p.set &^= sigBit(sig)
	}
	return q
}

// unlink removes q, whose predecessor is before (nil: it is the first).
func (p *pending) unlink(q, before *sigQueued) {
	if before != nil {
		before.next = q.next
	} else {
		p.head = q.next
	}
	if p.tail == q {
		p.tail = before
	}
	q.next = nil
}

// next returns the signal to deliver first among those not in blocked: those
// raised by an instruction before others, then by number. 0: none.
func (p *pending) next(blocked SigSet) unix.Signal {
	s := p.set &^ blocked
	if sync := s & sigSynchronous; sync != 0 {
		return sync.First()
	}
	return s.First()
}

// nextForced returns the oldest fault that is pending and not blocked: it was
// raised by the very instruction the frame will show. 0: none.
func (p *pending) nextForced(blocked SigSet) unix.Signal {
	if p.set&sigSynchronous&^blocked == 0 {
		return 0
	}
	for q := p.head; q != nil; q = q.next {
		sig := q.info.Signal()
		if q.info.Code > SI_USER && sigSynchronous.Has(sig) && !blocked.Has(sig) {
			return sig
		}
	}
	return 0
}

// discard throws away all instances of the signals in s.
func (p *pending) discard(s SigSet) {
	if p.set&s == 0 {
		return
	}
	p.set &^= s
	var before *sigQueued
	for q := p.head; q != nil; {
		next := q.next
		if s.Has(q.info.Signal()) {
			p.unlink(q, before)
			q.release()
		} else {
			before = q
		}
		q = next
	}
}

// remove takes q out if it is queued here, and reports whether it was.
func (p *pending) remove(q *sigQueued) bool {
	var before *sigQueued
	found := false
	for e := p.head; e != nil; before, e = e, e.next {
		if e == q {
			p.unlink(q, before)
			found = true
			break
		}
	}
	if !found {
		return false
	}
	sig := q.info.Signal()
	for e := p.head; e != nil; e = e.next {
		if e.info.Signal() == sig {
			return true
		}
	}
	p.set &^= sigBit(sig)
	return true
}

// release ends the life of a record that is in no queue any more.
func (q *sigQueued) release() {
	if q.timer != nil {
		q.timer.dropped()
		return
	}
	q.user.unchargeSignal()
	q.user = nil
}

// chargeSignal adds one queued signal to the account of uid, or returns nil
// when it has limit of them already (RLIMIT_SIGPENDING). A limit below 0 means
// none.
func chargeSignal(uid uint32, limit int64) *userAccount {
	a := accountOf(uid)
	if n := a.signals.Add(1); limit >= 0 && n > limit {
		a.signals.Add(-1)
		return nil
	}
	return a
}

// unchargeSignal takes one off again.
func (a *userAccount) unchargeSignal() {
	if a != nil {
		a.signals.Add(-1)
	}
}

// QueuedSignals returns how many signals are queued for user uid (SigQ of
// /proc/PID/status).
func QueuedSignals(uid uint32) int64 { return accountOf(uid).signals.Load() }
