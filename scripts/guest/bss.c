/* The end of a program's data: zero from the end of .bss to the page's end. */
#include "t.h"

#include <elf.h>

/* An executable whose data segment ends in the middle of a page of the file,
 * with more of the file behind it: that must not be seen. Its code sums up the
 * bytes up to the end of the page and exits with 0 if they are all 0. */
static void make(const char *path, unsigned filesz, unsigned memsz)
{
	static unsigned char file[3 * 4096];
	memset(file, 0xee, sizeof file); /* also behind the data */
	Elf64_Ehdr e = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = 0x10000000 + 0x200,
		.e_phoff = sizeof e, .e_ehsize = sizeof e, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
	};
	Elf64_Phdr p[2] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x10000000, .p_filesz = 0x300, .p_memsz = 0x300, .p_align = PAGE },
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x1000, .p_vaddr = 0x10001000, .p_filesz = filesz, .p_memsz = memsz, .p_align = PAGE },
	};
	unsigned from = 0x10001000 + filesz, to = 0x10002000;
	unsigned char code[] = {
		0xbb, from, from >> 8, from >> 16, from >> 24, /* mov $from, %ebx */
		0x31, 0xff,				       /* xor %edi, %edi */
		0x90, 0x90,
		0x40, 0x0a, 0x3b,			       /* or (%rbx), %dil */
		0xff, 0xc3,				       /* inc %ebx */
		0x81, 0xfb, to, to >> 8, to >> 16, to >> 24,   /* cmp $to, %ebx */
		0x72, 0xf3,				       /* jb the or */
		0xb8, 231, 0, 0, 0, 0x0f, 0x05,		       /* exit_group(%edi) */
	};
	memcpy(file, &e, sizeof e);
	memcpy(file + sizeof e, p, sizeof p);
	memcpy(file + 0x200, code, sizeof code);
	memset(file + 0x1000, 1, filesz);
	int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755));
	EQ(write(fd, file, sizeof file), sizeof file);
	close(fd);
}

static void run_with(unsigned filesz, unsigned memsz)
{
	make("/tmp/bss", filesz, memsz);
	FORK(pid) {
		char *argv[] = { "bss", 0 };
		execve("/tmp/bss", argv, argv + 1);
		_exit(100);
	}
	int st = wait_status(pid);
	if (st != 0)
		FAIL("file size %#x, memory size %#x: wait status %#x", filesz, memsz, st);
	unlink("/tmp/bss");
}

TEST(exec, data_ends_in_zeros)
{
	run_with(0x100, 0x200);	 /* a short .bss within the page */
	run_with(0x100, 0x1000); /* to its end */
	run_with(0x100, 0x5000); /* and beyond */
	run_with(0xfff, 0x1000);
}
