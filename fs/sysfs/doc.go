// Package sysfs is /sys as far as programs need one here: which CPUs there are,
// which clocks, what the firmware has said, which devices are on which bus. The
// top-level directories that tools expect exist whatever is in them. Nothing is
// shown that is not so.
//
// The tree is made of attributes: a path, and a function that makes the value when
// the file is read from its start. An attribute may take values (Set), hold bytes
// instead of a text (Bin), or be a symbolic link (Link); directories are made as
// paths need them. [Add] and [Remove] change the tree at any time, also before the
// file system is registered: drivers need not know what starts first, and devices
// that are plugged in and out come and go with their files.
//
// What was open when it was removed can be read no more: ENODEV, as on Linux. A
// removed directory shows nothing.
//
// # Locks
//
// tree.mu guards the names of all directories. It is a leaf: the functions of
// attributes are called without it, and may therefore change the tree.
package sysfs
