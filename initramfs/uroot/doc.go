// Package uroot pins the u-root commands of the default initramfs.
//
// It is a module of its own, so that the kernel's module does not carry the
// dependencies of user land. Each command is a tool line of go.mod: the list
// there is the list of commands in the image. Left out are u-root's own init,
// shutdown and poweroff (Tamarix has its own, in initramfs/init) and the
// commands for disks, firmware and networks.
//
// scripts/image builds them into one binary:
//
//	go tool makebb -o bb $(go list tool | grep cmds/core)
package uroot
