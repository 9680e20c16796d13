package proc

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// userAccount counts what one real user id has: tasks, for RLIMIT_NPROC, and
// queued signals, for RLIMIT_SIGPENDING.
type userAccount struct {
	uid     uint32
	tasks   atomic.Int64
	signals atomic.Int64
}

// accounts is by real user id. An account stays once made: there are no more of
// them than ids that root has given out.
var accounts sync.Map // uint32 -> *userAccount

// recentAccounts has those that were asked for last, by the low bits of the id.
var recentAccounts [64]atomic.Pointer[userAccount]

func accountOf(uid uint32) *userAccount {
	recent := &recentAccounts[uid%uint32(len(recentAccounts))]
	if a := recent.Load(); a != nil && a.uid == uid {
		return a
	}
	v, ok := accounts.Load(uid)
	if !ok {
		v, _ = accounts.LoadOrStore(uid, &userAccount{uid: uid})
	}
	a := v.(*userAccount)
	recent.Store(a)
	return a
}

// chargeTask counts a new task of c's user: EAGAIN beyond RLIMIT_NPROC, which
// does not bind root and the capable (getrlimit(2)).
func (t *Task) chargeTask(c *fs.Cred) (*userAccount, error) {
	a := accountOf(c.UID)
	n := a.tasks.Add(1)
	if uint64(n) > t.Group.Limit(rlimNProc) && c.UID != 0 &&
		!c.Capable(unix.CAP_SYS_RESOURCE) && !c.Capable(unix.CAP_SYS_ADMIN) {
		a.tasks.Add(-1)
		return nil, unix.EAGAIN
	}
	return a, nil
}

// changeAccount moves t to the account of user uid. That this may exceed the
// user's RLIMIT_NPROC is no error here, since programs do not expect one of
// setuid(2); the next execve(2) has it (getrlimit(2)). Owner only.
func (t *Task) changeAccount(uid uint32) {
	a := accountOf(uid)
	if a != t.account {
		a.tasks.Add(1)
		t.account.tasks.Add(-1)
		t.account = a
	}
	t.crowded = t.exceedsNProc(uid)
}

func (t *Task) exceedsNProc(uid uint32) bool {
	return uid != 0 && uint64(t.account.tasks.Load()) > t.Group.Limit(rlimNProc)
}
