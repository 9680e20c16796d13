// Package sysfs is /sys as far as programs need one here: which CPUs there are,
// which terminals and which of them is the console, and the top-level
// directories that tools expect to exist. Nothing is shown that is not so: there
// are no block devices, no buses and no modules, and the directories for them are
// empty.
//
// The tree is built once from a list of attributes (path and a function that
// returns the value) and is read-only. Reading an attribute from its start calls
// the function. The package has no locks: the tree never changes.
package sysfs
