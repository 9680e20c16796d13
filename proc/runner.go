package proc

import (
	"sync"
	"sync/atomic"

	"tamarix/arch/wait"
)

// A runner is a goroutine that runs one task after the other. A task could as
// well have a goroutine of its own, but a new one starts with a small stack,
// which the first system calls make grow: a tenth of the price of fork.
type runner struct {
	thread wait.Thread // how it waits for a task
	next   atomic.Pointer[Task]
	paths  [2][]byte // room for path names, lent to the task
}

// maxIdleRunners bounds the goroutines that wait for a task, and so their stacks.
const maxIdleRunners = 16

var idleRunners struct {
	mu   sync.Mutex // guards list; leaf
	list []*runner
}

// start runs t on a goroutine.
func (t *Task) start() {
	idle := &idleRunners
	idle.mu.Lock()
	n := len(idle.list)
	if n == 0 {
		idle.mu.Unlock()
		go new(runner).run(t)
		return
	}
	r := idle.list[n-1]
	idle.list[n-1] = nil
	idle.list = idle.list[:n-1]
	idle.mu.Unlock()
	r.next.Store(t)
	r.thread.Wake()
}

// run runs t and then whatever task start hands over.
func (r *runner) run(t *Task) {
	for {
		t.fsctx.PathBuf = r.paths
		t.main()
		r.paths = t.fsctx.PathBuf
		t.fsctx.PathBuf = [2][]byte{} // a zombie needs none
		t = nil
		idle := &idleRunners
		idle.mu.Lock()
		if len(idle.list) >= maxIdleRunners {
			idle.mu.Unlock()
			return
		}
		idle.list = append(idle.list, r)
		idle.mu.Unlock()
		for t == nil {
			r.thread.Prepare()
			if t = r.next.Swap(nil); t == nil {
				r.thread.Park()
			}
		}
	}
}
