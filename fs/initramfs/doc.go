// Package initramfs unpacks the archives that a boot loader hands over into the
// root file system: cpio in the newc format (070701 and, with checksums,
// 070702), plain or compressed by gzip or bzip2, any number of archives one
// after the other with zero padding between them, as Linux's
// driver-api/early-userspace/buffer-format describes.
//
// The input is not trusted. Everything is streamed: nothing is allocated by a
// size that a header claims. A corrupt or truncated archive gives an error that
// says where; what was unpacked before stays. An entry that cannot be made (its
// directory is missing, its name is taken by something that cannot be replaced)
// is skipped and counted, as on Linux.
//
// The path of an entry: [Unpack] finds the next archive, (*unpacker).archive
// reads header after header, (*unpacker).entry makes the file by the calls of
// package fs that the system calls use.
package initramfs
