/* Demand paging of executables: what is touched is there, and nothing else. */
#include "t.h"

#include <elf.h>
#include <sys/statfs.h>

/*
 * An executable of 64 MB of text that touches 10 pages far apart, says so on
 * descriptor 3 and reads descriptor 4. Written by hand: one segment, one page of
 * code.
 */
enum { TEXT = 64 << 20, TOUCHED = 10, STEP = TEXT / TOUCHED };
#define BIG "/tmp/big"
#define BASE 0x10000000ul

static void make_big(void)
{
	static const unsigned char code[] = {
		0xbb, 0, 0, 0, 0x10,             /*  0 mov $BASE, %ebx */
		0xb9, TOUCHED, 0, 0, 0,          /*  5 mov $10, %ecx */
		0x8a, 0x03,                      /* 10 mov (%rbx), %al */
		0x81, 0xc3, STEP & 255, STEP >> 8 & 255, STEP >> 16 & 255, STEP >> 24, /* 12 add $STEP, %ebx */
		0xff, 0xc9,                      /* 18 dec %ecx */
		0x75, 0xf4,                      /* 20 jnz 10 */
		0xb8, 1, 0, 0, 0,                /* 22 mov $SYS_write, %eax */
		0xbf, 3, 0, 0, 0,                /* mov $3, %edi */
		0xbe, 0, 0, 0, 0x10,             /* mov $BASE, %esi */
		0xba, 1, 0, 0, 0,                /* mov $1, %edx */
		0x0f, 0x05,                      /* syscall */
		0x31, 0xc0,                      /* xor %eax, %eax : SYS_read */
		0xbf, 4, 0, 0, 0,                /* mov $4, %edi */
		0x89, 0xe6, 0x48, 0x89, 0xe6,    /* mov %rsp, %rsi */
		0x0f, 0x05,                      /* syscall */
		0xb8, 231, 0, 0, 0,              /* mov $SYS_exit_group, %eax */
		0x31, 0xff,                      /* xor %edi, %edi */
		0x0f, 0x05,
	};
	Elf64_Ehdr e = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		.e_entry = BASE + 0x100, .e_phoff = sizeof e, .e_ehsize = sizeof e,
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
	};
	Elf64_Phdr ph = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = BASE, .p_filesz = TEXT, .p_memsz = TEXT, .p_align = PAGE };
	int fd = OK(open(BIG, O_WRONLY | O_CREAT | O_TRUNC, 0755));
	static char block[1 << 20];
	memset(block, 0x90, sizeof block);
	for (int i = 0; i < TEXT; i += sizeof block)
		EQ(write(fd, block, sizeof block), sizeof block);
	OK(pwrite(fd, &e, sizeof e, 0));
	OK(pwrite(fd, &ph, sizeof ph, sizeof e));
	OK(pwrite(fd, code, sizeof code, 0x100));
	OK(close(fd));
}

struct copy { pid_t pid; int done; };

static struct copy start_big(void)
{
	int up[2], down[2];
	OK(pipe2(up, O_CLOEXEC));
	OK(pipe2(down, O_CLOEXEC));
	FORK(pid) {
		OK(fcntl(up[1], F_DUPFD, 30));
		OK(fcntl(down[0], F_DUPFD, 40));
		OK(dup2(30, 3)), OK(dup2(40, 4));
		for (int i = 5; i < 64; i++)
			close(i);
		execl(BIG, "big", (char *)0);
		_exit(1);
	}
	close(up[1]), close(down[0]);
	char c;
	EQ(read(up[0], &c, 1), 1);
	close(up[0]);
	return (struct copy){ pid, down[1] };
}

static long smaps(pid_t pid, const char *key)
{
	char path[64];
	sprintf(path, "/proc/%d/smaps", pid);
	char *s = strstr(slurp(path), BIG);
	if (!s)
		FAIL("no %s in smaps", BIG);
	s = strstr(s, key);
	if (!s)
		FAIL("no %s in smaps", key);
	return strtol(s + strlen(key) + 1, 0, 10);
}

static void end_big(struct copy c)
{
	close(c.done);
	wait_ok(c.pid);
}

TEST_SLOW(demand, big_executable, 60)
{
	struct statfs fs;
	OK(statfs("/tmp", &fs));
	if (fs.f_bavail * fs.f_bsize / 1024 < TEXT / 1024 * 3 / 2)
		skip("less than 96 MB free on /tmp");
	make_big();
	struct copy c = start_big();
	long kb = smaps(c.pid, "Rss:");
	/* 10 pages and what faults around them: at most 16 pages each. */
	WITHIN(kb, TOUCHED * 4, TOUCHED * 16 * 4);
	EQ(smaps(c.pid, "Anonymous:"), 0);

	struct copy more[9];
	long free_before = field_of("/proc/meminfo", "MemFree");
	for (int i = 0; i < 9; i++)
		more[i] = start_big();
	long free_after = field_of("/proc/meminfo", "MemFree");
	/* Ten run now: every text page belongs to all of them. */
	long pss = smaps(c.pid, "Pss:");
	WITHIN(pss, kb / 10 - 2, kb / 10 + 4);
	EQ(smaps(more[8].pid, "Private_Clean:"), 0);
	EQ(smaps(more[8].pid, "Private_Dirty:"), 0);
	if (free_before - free_after > 9 * 1024)
		FAIL("nine more copies cost %ld kB", free_before - free_after);
	for (int i = 0; i < 9; i++)
		end_big(more[i]);
	end_big(c);
	unlink(BIG);
}

TEST_SLOW(demand, text_is_busy_or_not, 60)
{
	/* Writing an executable that runs: ETXTBSY. */
	make_big();
	struct copy c = start_big();
	ERR(ETXTBSY, open(BIG, O_WRONLY));
	end_big(c);
	OK(close(OK(open(BIG, O_WRONLY))));
	int fd = OK(open(BIG, O_WRONLY));
	char *argv[] = { "x", 0 };
	ERR(ETXTBSY, execve(BIG, argv, argv + 1));
	close(fd);
	unlink(BIG);
}

TEST(demand, file_pages_are_shared)
{
	int fd = OK(open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	char *buf = malloc(256 * PAGE);
	memset(buf, 1, 256 * PAGE);
	EQ(write(fd, buf, 256 * PAGE), 256 * PAGE);
	long before = field_of("/proc/meminfo", "MemFree");
	pid_t kid[8];
	int bell[2], up[2];
	bell_make(bell), bell_make(up);
	for (int i = 0; i < 8; i++) {
		FORK(pid) {
			char *p = mmap(0, 256 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
			long sum = 0;
			for (int j = 0; j < 256; j++)
				sum += p[j * PAGE];
			EQ(sum, 256);
			bell_ring(up);
			bell_wait(bell);
			_exit(0);
		}
		kid[i] = pid;
	}
	for (int i = 0; i < 8; i++)
		bell_wait(up);
	long after = field_of("/proc/meminfo", "MemFree");
	for (int i = 0; i < 8; i++)
		bell_ring(bell);
	for (int i = 0; i < 8; i++)
		wait_ok(kid[i]);
	/* 8 × 1 MB if each had its own. */
	if (before - after > 5 * 1024)
		FAIL("eight mappings of one megabyte cost %ld kB", before - after);
}
