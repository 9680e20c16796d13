// Package devfs is /dev: the character devices that are not terminals (null, zero,
// full, random, urandom, kmsg) and the file system that holds the nodes of all.
//
// The file system is a tmpfs of which there is one instance, known to mount(2) as
// "devtmpfs" and "devfs": the kernel puts the nodes in and mounts it on /dev
// before PID 1 starts; user land may add to it (mkdir /dev/shm, ln -s, mknod) and
// mount it a second time.
//
// A node is only a name with a device number. Opening it goes from package fs,
// by the number, to the function that was registered for it: [Register] does so
// for this package's devices and for those of package tty.
//
// Nothing here has a lock but the reader's place in the kernel log (kmsg.go).
package devfs
