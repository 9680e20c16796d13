// Package wait is how a task's goroutine goes to sleep and is woken.
//
// Two things live here. A [Thread] is the sleeping side of one task: one word
// of state and the goroutine that owns it. A [Queue] is the place where
// threads wait for one kind of event (a pipe's data, a child's exit, a
// terminal's line); an [Entry] links one thread, or one callback, into one
// queue. [PollTable] collects entries on many queues at once, for poll,
// select and epoll. A [Timer] calls a function at a deadline.
//
// # The protocol
//
//	t.Prepare()            // from here on a Wake is remembered
//	if condition() { ... } // look after arming, never before only
//	t.Park()               // sleeps unless a Wake came since Prepare
//
// A Wake is a hint, not a message: spurious ones occur (a timer that fired
// late, a signal that was taken by another thread), so every sleeper looks at
// its condition again in a loop. [Queue.Wait] is that loop. Where the condition
// has a lock of its own, as a pipe's has, [Queue.Enlist] and [Queue.Sleep] are
// cheaper: one look under that lock does for both the call and the sleep.
//
// A thread's state is one of idle, notified and parked. Park moves idle to
// parked in the scheduler's own unlock function, when the goroutine has
// already stopped running; Wake moves idle to notified, and parked to
// notified together with handing the goroutine to the scheduler's next slot.
// So no wake-up is lost and none is delivered twice.
//
// # Exclusive waiters
//
// One Wake is for one exclusive waiter. The Wake takes the waiter it chooses
// off the queue, so that the next one chooses another. A waiter whose condition
// still is false links itself again, at the end; one that is chosen after its
// last look, because it has just been successful or gives up, hands that Wake
// on when it leaves. So as many waiters look as there were Wakes.
//
// # Signals
//
// A thread carries two flags that proc sets: Interrupted (a signal wants the
// task; interruptible sleeps end with ErrRestartSys) and Killed (a fatal one;
// killable sleeps end too). The flags do not wake by themselves: whoever sets
// one calls Wake after it.
//
// # Locks
//
// Each Queue has one mutex; it is a leaf of the lock order. An Entry's Func is
// called with it held and may only take locks that come after every queue.
// Wake may be called from any goroutine, with any lock held, but not from an
// interrupt handler.
package wait
