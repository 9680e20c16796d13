package tty

import (
	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
)

// JobControl is what terminals need to know of processes. All methods may be
// called from any task, take their own locks, and are called with no lock of
// this package held. Session and group numbers that mean nothing (any more) are
// ignored.
type JobControl interface {
	// Caller tells where the task of ctx belongs.
	Caller(ctx *fs.Context) Caller
	// SetTerminal makes t the controlling terminal of session sid; nil: it has none.
	SetTerminal(sid int32, t *Terminal)
	// LeaveTerminal takes the controlling terminal from the calling process alone.
	LeaveTerminal(ctx *fs.Context)
	// SignalGroup sends sig to every member of process group pgid of session sid.
	SignalGroup(sid, pgid int32, sig unix.Signal)
	// SignalLeader sends sig to the leader of session sid.
	SignalLeader(sid int32, sig unix.Signal)
	// GroupSession returns the session of process group pgid or, as Linux has it, of the
	// process with that number if there is no such group; false: neither.
	GroupSession(pgid int32) (sid int32, ok bool)
	// Orphaned reports whether the process group pgid is orphaned (POSIX: no member has a
	// parent that is in another group of the same session).
	Orphaned(pgid int32) bool
	// Ignores reports whether the calling task blocks or ignores sig.
	Ignores(ctx *fs.Context, sig unix.Signal) bool
}

// Caller is a task's place in job control.
type Caller struct {
	SID, PGID int32
	Leader    bool      // it is its session's leader
	Terminal  *Terminal // its controlling terminal, nil if none
}

// checkChange is the rule for background processes that read (sig is SIGTTIN) or
// change (SIGTTOU) their controlling terminal: the group gets sig and the call is
// restarted after it, EIO where nobody could continue the group again.
func (t *Terminal) checkChange(ctx *fs.Context, sig unix.Signal) error {
	jobs := t.jobs
	c := jobs.Caller(ctx)
	if c.Terminal != t {
		return nil
	}
	t.mu.Lock()
	fg := t.pgid
	t.mu.Unlock()
	if fg == 0 || fg == c.PGID {
		return nil
	}
	if jobs.Ignores(ctx, sig) {
		if sig == unix.SIGTTIN {
			return unix.EIO
		}
		return nil
	}
	if jobs.Orphaned(c.PGID) {
		return unix.EIO
	}
	jobs.SignalGroup(c.SID, c.PGID, sig)
	return wait.ErrRestartSys
}

// Number returns the terminal's device number.
func (t *Terminal) Number() uint64 { return t.dev }

// Foreground returns the foreground process group, 0 if there is none.
func (t *Terminal) Foreground() int32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pgid
}

// Session returns the session that the terminal controls, 0 if there is none.
func (t *Terminal) Session() int32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sid
}

// claim makes t the controlling terminal of the session of c and puts c's group
// into the foreground.
func (t *Terminal) claim(c Caller) {
	t.mu.Lock()
	t.sid, t.pgid = c.SID, c.PGID
	t.mu.Unlock()
	t.jobs.SetTerminal(c.SID, t)
}

// release takes the terminal from its session and returns the numbers it had.
func (t *Terminal) release() (sid, pgid int32) {
	t.mu.Lock()
	sid, pgid = t.sid, t.pgid
	t.sid, t.pgid = 0, 0
	t.mu.Unlock()
	if sid != 0 {
		t.jobs.SetTerminal(sid, nil)
	}
	return sid, pgid
}

// Disassociate parts the terminal from its session. The leader's exit hangs up a
// real terminal and sends SIGHUP to the foreground group; giving the terminal up
// (TIOCNOTTY) sends that group SIGHUP and SIGCONT.
func (t *Terminal) Disassociate(leaderExit bool) {
	if leaderExit && t.driver != nil {
		t.hangUp(true)
		return
	}
	sid, pgid := t.release()
	if pgid == 0 {
		return
	}
	t.jobs.SignalGroup(sid, pgid, unix.SIGHUP)
	if !leaderExit {
		t.jobs.SignalGroup(sid, pgid, unix.SIGCONT)
	}
}

// HangUp is what a lost carrier or vhangup(2) does: the session's leader gets
// SIGHUP and SIGCONT, the terminal loses its session, and files opened so far
// see the end of file and cannot be written any more.
func (t *Terminal) HangUp() { t.hangUp(false) }

func (t *Terminal) hangUp(leaderExit bool) {
	t.mu.Lock()
	sid, pgid := t.sid, t.pgid
	t.sid, t.pgid = 0, 0
	t.hangUps++
	t.flushInput()
	t.backlog.cut(0)
	t.out.cut(0)
	t.tcoStopped = false
	t.setStopped(false)
	tio := t.initial
	if t.driver != nil {
		t.tio = tio
	}
	t.mu.Unlock()
	if t.driver != nil {
		t.driver.SetTermios(&tio)
		if h, ok := t.driver.(Hanger); ok {
			h.HungUp()
		}
	}
	t.readWait.WakeAll(evAny)
	t.writeWait.WakeAll(evAny)
	if sid == 0 {
		return
	}
	t.jobs.SetTerminal(sid, nil)
	t.jobs.SignalLeader(sid, unix.SIGHUP)
	t.jobs.SignalLeader(sid, unix.SIGCONT)
	if leaderExit && pgid != 0 {
		t.jobs.SignalGroup(sid, pgid, unix.SIGHUP)
	}
}
