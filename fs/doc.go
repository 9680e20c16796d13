// Package fs is the virtual file system: names, mounts, open files, descriptor
// tables, pipes, epoll and the record-lock machinery, in Linux's semantics.
//
// # The path of a request
//
// A system call arrives in package kernel, which copies path names out of user
// memory and calls a method of [Context] (the view that one task has of the
// file system: credentials, root, current directory, descriptor table, address
// space). Methods that take names ([Context.Open], [Context.Rename] ...) take
// plain strings, so that all of them run in ordinary host tests.
//
// A name is resolved by the walker (walk.go): component by component through
// the tree of [Dentry] objects, each of which caches the answer of one
// [Inode.Lookup]. A cached component takes no lock and
// allocates nothing (nametable.go). Mounts are crossed where a dentry is marked as a mount
// point (mount.go). The result is a [Path]: a dentry as seen through one mount.
//
// Opening a path makes a [File], the open file description of POSIX, whose
// [FileOps] do the I/O. Data moves through an [mm.Iter] that stands for user
// memory or for a kernel slice; both the iterator and the file position live in
// objects that exist already, so reading and writing allocate nothing.
//
// # Life times
//
// Dentries and inodes are ordinary Go objects: the garbage collector frees
// them. What the collector must not be left to free, page frames, hangs on
// counts: an inode is evicted ([Inode.Evict]) when it has neither a name
// (link count) nor an open file; a mount is released when it is neither
// attached nor used by an open file or a task's root or current directory.
// A lookup that loses the race against the last unlink gets ENOENT.
//
// # Lock order
//
//	SuperBlock.renameMu (for writing: renames; for reading: d_path)
//	  File.posMu (held across a whole read, write, lseek or getdents of a seekable file)
//	    InodeBase.mu (directories: the ancestor first; a victim after its directory; files: writes, truncation)
//	      nameTable.mu (the cached names of one directory)
//	      mountMu (the mount table)
//	      lockList.mu, then blocked.mu (record locks)
//	  InodeBase.small, then pipe.mu (of two pipes, the one at the lower address first)
//	  epoll: see epoll.go
//	    FDTable.mu, FSInfo.mu (leaves: nothing is closed under them)
//	      wait.Queue
//
// User memory is copied under File.posMu, InodeBase.mu of a regular file and
// pipe.mu: the fault handler takes none of them.
//
// # Invariants
//
//   - A positive dentry is hashed in its parent exactly as long as the name exists;
//     a dentry's inode never changes from one inode to another, only from nil to
//     an inode (a negative dentry that is created) and it is unhashed when removed.
//   - A descriptor table slot holds one reference to its File.
//   - Nothing a user passes makes this package panic; an absurd size is refused
//     before anything is allocated for it.
package fs
