// Usb makes the image for a USB stick, and checks a stick against it.
//
//	usb build [-kernel FILE] [-initrd FILE] [-append WORDS] [-o FILE]
//	usb verify [-image FILE] DEVICE
//
// # The image
//
// It is an ISO 9660 file system and a disk at once, so that the same bytes boot
// from a stick, a disk and a CD:
//
//	sector 0        boot code for a BIOS (GRUB's boot_hybrid.img), protective MBR
//	sector 1        GPT; it names the EFI system partition at the end
//	sector 64       ISO 9660: /boot/tamarix.elf, /boot/initramfs.cpio.gz,
//	                /boot/grub/grub.cfg, /boot/bios.img (GRUB for a BIOS)
//	last partition  FAT: EFI/BOOT/BOOTX64.EFI (GRUB for UEFI)
//	last sectors    the GPT again
//
// Both GRUBs hold all modules they need. The first thing they do is to look for
// the disk with /boot/HASH.id, whose name is made of what the image holds: so
// a stick never starts the kernel of another one that is plugged in as well.
// Then grub.cfg shows the menu.
//
// # The same bytes every time
//
// Two builds of the same files are identical: every time stamp is that of
// SOURCE_DATE_EPOCH (in the environment) or a constant; the serial number of the
// FAT and the GUIDs come from the hash of the contents.
package main
