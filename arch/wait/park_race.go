//go:build race

package wait

import "sync"

// Under the race detector instrumented code may not run on the scheduler's
// stack, so a condition variable stands in for gopark.

type parking struct {
	mu    sync.Mutex // guards nothing but the wait; state itself is atomic
	cond  *sync.Cond
	woken bool
	once  sync.Once
}

func (p *parking) init() { p.once.Do(func() { p.cond = sync.NewCond(&p.mu) }) }

func (p *parking) bind() { p.init() }

func (p *parking) sleep(t *Thread) {
	p.init()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.woken = false
	if !t.state.CompareAndSwap(idle, parked) {
		return
	}
	for !p.woken {
		p.cond.Wait()
	}
}

func (p *parking) ready() {
	p.init()
	p.mu.Lock()
	p.woken = true
	p.mu.Unlock()
	p.cond.Signal()
}
