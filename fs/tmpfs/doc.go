// Package tmpfs is the file system that lives in memory: the root file system
// (as "rootfs"), /tmp, /run and the home of memfds.
//
// A regular file is an [mm.Object]: its frames are at once the file's content,
// its page cache, and what mappings of it show. A directory is a table of names
// plus the same entries in order of creation; an entry's number in that order
// is its readdir position, so that a reader's place survives any change of the
// directory (tmpfs(5), telldir(3)).
//
// Space and inodes are counted per super block (size=, nr_blocks=, nr_inodes=):
// frames by the Object's page quota, inodes when they are made and evicted.
//
// Locks: the VFS holds the inode lock of every directory that changes (see
// package fs), which guards a directory's names; a file's inode lock keeps
// writers and truncation apart. xattrMu is a leaf.
package tmpfs
