// Package image builds initial RAM file systems: gzipped cpio archives in the
// newc format, as the kernel unpacks them (kernel.org, "initramfs buffer
// format").
//
// An Image is a list of records; Write sorts nothing and adds the missing
// parent directories, so the order of a script is the order of the archive.
// What is slow to make (u-root's one binary, a downloaded package) is kept
// under out/cache and made again only when what it is made from has changed.
// Archives are reproducible: no times, no host inode numbers, root owns all.
package image
