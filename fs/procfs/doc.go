// Package procfs is /proc: processes, the machine and the settings of the kernel
// as files, in the formats of proc(5) that Linux programs parse.
//
// What it shows comes from below (package mm for memory, package arch for CPUs
// and interrupts, package fs for descriptors and mounts) and, for everything
// that is a process, through the interfaces of source.go, which package kernel
// implements over package proc.
//
// # Shape
//
// The tree is made of tables of entries (tree.go): a name, a mode and a way to
// make the inode. root.go has the global table, pid.go the one of a process and
// of a thread, sys.go builds /proc/sys from a list of settings.
//
// Most entries are text files: a function writes the whole text when the file is
// read from its start (text.go), as seq_file does on Linux, and the reader gets
// pieces of that snapshot. A process directory's inode is made by each lookup
// anew and not kept in the name cache; what is below an open or current
// directory is checked by Revalidate at every walk, so that the entries of a
// process that is gone are gone too.
//
// # /proc/tamarix
//
// What Linux has no place for. gostat is a line for each figure of the kernel's
// own Go runtime: what its heap holds, how often memory was allocated (mallocs,
// exact but for blocks that the CPUs' caches have not reported yet, a few hundred
// of each size), what the garbage collector costs (gc_cpu_ns; as a share of all
// time in the kernel since the start: gc_share_percent) and the longest time that
// it has stopped everything (gc_pause_max_ns). Reading it does not stop anything.
// Writing "start RATE" or "stop" to profile, as root, takes a CPU profile of the
// kernel; reading shows it (package arch/profile). Writing a number of bytes to
// heap makes one allocation in so many be noted by call chain, 0 none; reading
// shows them. hardware has a section for each part of the machine that Linux has
// no file for: "[clocks]" says which clock was chosen and why, and so on.
//
// # Access
//
// Modes and owners do for most. What reveals memory or files of a process
// (environ, maps, fd, exe, cwd, root, mem, io ...) also asks whether the caller
// could trace it (access.go, after ptrace(2), "Ptrace access mode checking").
//
// # Locks
//
// text.mu guards one open file's snapshot; it is held while the text is made, so
// everything below may be taken after it. extra.mu guards what drivers have added;
// a leaf, their functions are called without it.
package procfs
