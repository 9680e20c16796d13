// Package unixsock is AF_UNIX: stream, datagram and seqpacket sockets between
// processes of this machine, with names in the file system or in the abstract
// name space, passing of descriptors and of credentials (unix(7)).
//
// A [Socket] is the FileOps of its open file. What is sent is copied into a
// message and put on the receiver's queue (send.go), from where it is copied
// out (recv.go). connect(2) to a listener makes the server's end at once and
// leaves it in the listener's backlog for accept(2) (connect.go).
//
// Descriptors in messages can form circles that no process can reach: gc.go
// finds and empties those.
//
// # Locks
//
//	gcMu (rights in flight; only taken when descriptors are passed, or by the collection)
//	  Socket.mu (never two of them at once)
//	    names.mu
//	      wait queues
//
// A peer that is looked up under one socket's mu is used after that was
// released; its own state tells whether it has gone meanwhile.
package unixsock
