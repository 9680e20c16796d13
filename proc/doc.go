// Package proc is processes: tasks and thread groups, process groups and
// sessions, fork, exec, exit and wait, signals, timers, futexes, credentials,
// resource limits.
//
// # The story
//
// A user thread is a [Task], and a Task is one goroutine. Its loop, [Task.run]
// in run.go, enters ring 3 and comes back with a reason: a system call, a page
// fault, an exception, an interrupt, a kick. It answers and enters ring 3 again.
// The Go scheduler is the scheduler; there is no other. A process is a
// [ThreadGroup] of tasks.
//
// What a task has is in a few objects that can be shared, each with a count of
// its users: address space (mm), descriptors, root and current directory (fs),
// signal actions ([Sighand]). The last user releases each.
//
// # The path of a request
//
//   - fork: Task.Clone (clone.go) checks the flags, copies or shares each object
//     (copyTask), then takes the family lock for the moment in which the child
//     gets its number and its place (admit), and starts its goroutine.
//   - execve: Task.Exec (exec.go) reads the headers (elf.go, script.go), builds
//     the new address space completely (execload.go, execstack.go), and only
//     then, where nothing can fail any more, ends the other threads and steps
//     over (commit). So every error leaves the caller as it was.
//   - exit: Task.exit (exit.go) on the task's own goroutine. The last thread
//     turns the process into a zombie, gives its children to another parent and
//     tells its own.
//   - wait4: Task.Wait (wait.go) looks at the children, sleeps on the process's
//     childEvents, and takes the zombie out of the tables.
//   - A signal: signal_send.go queues it and chooses the thread, signal_deliver.go
//     acts on it before that thread next enters ring 3.
//
// # Asking a task to do something
//
// Others never touch a task's registers or private fields. They set a bit in
// Task.work, mark its Thread interrupted, kick it out of ring 3 and wake it
// (setWork); the loop looks at the bits before each entry. A kick that comes
// between the look and the entry is not lost: the entry code looks at the
// context's own pending word with interrupts off.
//
// # Locks, outermost first
//
//	oomKiller.mu           one victim at a time
//	  tree                 the family: parents, children, groups, sessions, PID table
//	    groupTimers.mu     timers
//	    groupSignals.mu    one process: pending signals, masks, stops, its list of threads
//	      Sighand.mu       signal actions
//	      Task.mu          which objects a task uses, its scheduling parameters
//	      limitSet.mu      resource limits
//	        wait.Queue     leaf
//	futexBucket.mu         two at most, in order of their number; leaf, no page fault under it
//
// Two groupSignals.mu are never held together. Adding and removing threads takes
// tree and groupSignals.mu both, so that either suffices to read the list.
// Nothing that can fault on user memory or sleep for a user runs under any of
// these.
//
// # Invariants
//
//   - A PID is in use exactly while a task, a process group or a session has it.
//   - Every process but PID 1 has a parent that is alive or a zombie with living
//     threads to come; orphans go to the nearest living subreaper or PID 1.
//   - A task's UserContext is freed by the task itself, after it has left its
//     process's list of threads: who finds a task on that list, with the lock
//     held, may kick it.
//   - Once groupExiting is set in a process, none of its threads executes another
//     instruction in ring 3 but on its way there.
//   - A Go panic in a system call ends the process that made the call (oops), not
//     the machine.
package proc
