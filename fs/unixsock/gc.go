package unixsock

import (
	"sync"
	"sync/atomic"

	"tamarix/fs"
)

// Descriptors that lie in messages keep their files open. Sockets that can be
// reached only through messages to each other would stay for ever; so, after a
// socket was closed while sockets are in flight, collect looks for those that
// have no reference but from messages and that no other socket's queue leads to,
// and empties their queues (as Linux's net/unix/garbage.c).

// gcMu guards flying, Socket.inflight and the collection.
var gcMu sync.Mutex

// flying holds the sockets that lie in messages.
var flying = make(map[*Socket]struct{})

// flyingCount is len(flying), for a look without the lock.
var flyingCount atomic.Int32

// fly notes files as put into a message.
func fly(files []*fs.File) { count(files, 1) }

// land notes files as taken out of a message.
func land(files []*fs.File) { count(files, -1) }

func count(files []*fs.File, d int) {
	if len(files) == 0 {
		return
	}
	gcMu.Lock()
	defer gcMu.Unlock()
	for _, f := range files {
		s, ok := f.Ops().(*Socket)
		if !ok {
			continue
		}
		if s.inflight += d; s.inflight == 0 {
			delete(flying, s)
		} else {
			flying[s] = struct{}{}
		}
	}
	flyingCount.Store(int32(len(flying)))
}

// collect empties the queues of sockets that nobody can reach.
func collect() {
	if flyingCount.Load() == 0 {
		return
	}
	gcMu.Lock()
	// Candidates: all references come from messages.
	suspects := make(map[*Socket]bool)
	for s := range flying {
		if f := s.file.Load(); f != nil && f.Refs() == int64(s.inflight) {
			suspects[s] = true
		}
	}
	// Whatever lies in the queue of a socket that is no suspect can be received,
	// and so can what lies in the queues of those.
	var reach func(s *Socket)
	reach = func(s *Socket) {
		s.mu.Lock()
		var inner []*Socket
		for m := s.queue.first; m != nil; m = m.next {
			for _, f := range m.files {
				if o, ok := f.Ops().(*Socket); ok {
					inner = append(inner, o)
				}
			}
		}
		inner = append(inner, s.backlog...)
		s.mu.Unlock()
		for _, o := range inner {
			if suspects[o] {
				delete(suspects, o)
				reach(o)
			} else if o.file.Load() == nil { // a connection in a backlog
				reach(o)
			}
		}
	}
	counts := make(map[*Socket]int)
	for s := range suspects {
		s.mu.Lock()
		for m := s.queue.first; m != nil; m = m.next {
			for _, f := range m.files {
				if o, ok := f.Ops().(*Socket); ok {
					counts[o]++
				}
			}
		}
		s.mu.Unlock()
	}
	// A suspect that lies in a message outside the suspects' own queues is alive.
	var alive []*Socket
	for s := range suspects {
		if counts[s] != s.inflight {
			alive = append(alive, s)
		}
	}
	for _, s := range alive {
		if suspects[s] {
			delete(suspects, s)
			reach(s)
		}
	}
	var garbage []messages
	for s := range suspects {
		s.mu.Lock()
		garbage = append(garbage, s.takeLocked())
		s.mu.Unlock()
	}
	gcMu.Unlock()
	for i := range garbage {
		garbage[i].drop()
	}
}
