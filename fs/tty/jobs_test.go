package tty

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// fakeJobs is a JobControl of a few sessions, kept by hand.
type fakeJobs struct {
	mu       sync.Mutex
	caller   Caller // every context's, unless who has one
	who      map[*fs.Context]Caller
	terminal map[int32]*Terminal
	groups   map[int32]int32 // process group -> session
	orphaned map[int32]bool
	ignored  map[unix.Signal]bool
	sent     []string
}

func (j *fakeJobs) Caller(ctx *fs.Context) Caller {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, ok := j.who[ctx]
	if !ok {
		c = j.caller
	}
	c.Terminal = j.terminal[c.SID]
	return c
}

func (j *fakeJobs) SetTerminal(sid int32, t *Terminal) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.terminal == nil {
		j.terminal = make(map[int32]*Terminal)
	}
	j.terminal[sid] = t
}

func (j *fakeJobs) LeaveTerminal(*fs.Context) { j.note("leave") }

func (j *fakeJobs) note(s string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sent = append(j.sent, s)
}

func (j *fakeJobs) SignalGroup(sid, pgid int32, sig unix.Signal) {
	j.note(fmt.Sprintf("%v to group %d", unix.SignalName(sig), pgid))
}

func (j *fakeJobs) SignalLeader(sid int32, sig unix.Signal) {
	j.note(fmt.Sprintf("%v to leader %d", unix.SignalName(sig), sid))
}

func (j *fakeJobs) GroupSession(pgid int32) (int32, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	sid, ok := j.groups[pgid]
	return sid, ok
}

func (j *fakeJobs) Orphaned(pgid int32) bool { return j.orphaned[pgid] }

func (j *fakeJobs) Ignores(_ *fs.Context, sig unix.Signal) bool { return j.ignored[sig] }

// take returns what was sent since the last take.
func (j *fakeJobs) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.sent
	j.sent = nil
	return s
}
