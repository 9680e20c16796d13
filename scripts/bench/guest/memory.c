/* Page faults, and the calls that shape an address space. */
#include "bench.h"

/* How many pages are faulted in between two preparations. */
enum { BLOCK = 1024 };

static void touch(volatile char *p, long n)
{
	for (long i = 0; i < n; i++)
		p[i * PAGE] = 1;
}

/* Block after block, count pages in each, until it is n. */
#define BLOCKS(n, count) \
	for (long left_ = (n), count; left_ > 0 && (count = left_ < BLOCK ? left_ : BLOCK, 1); left_ -= count)

static void anon_fault(long n)
{
	BLOCKS(n, count) {
		clock_stop();
		char *p = pages(BLOCK * PAGE);
		clock_go();
		touch(p, count);
		clock_stop();
		munmap(p, BLOCK * PAGE);
		clock_go();
	}
}

static void sleeper(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

/* A child shares our pages and sleeps: each page we write to is copied. The
   fork and the child's end are no part of it. */
static char *cow;

static void cow_setup(void)
{
	cow = pages(BLOCK * PAGE);
	touch(cow, BLOCK);
}

static void cow_fault(long n)
{
	BLOCKS(n, count) {
		clock_stop();
		pid_t pid = spawn(sleeper, 0);
		clock_go();
		touch(cow, count);
		clock_stop();
		kill(pid, SIGKILL);
		waitpid(pid, 0, 0);
		clock_go();
	}
}

/* A file of many times what a kernel maps around a fault, read once from its
   first page to its last: nothing is mapped beforehand. */
static int file;

static void file_setup(void)
{
	static char buf[64 * KIB];
	memset(buf, 'x', sizeof buf);
	file = OK(open("/tmp/mapped", O_CREAT | O_RDWR | O_TRUNC, 0644));
	for (long i = 0; i < BLOCK * PAGE; i += sizeof buf)
		OK(write(file, buf, sizeof buf));
}

static void file_fault(long n)
{
	BLOCKS(n, count) {
		clock_stop();
		volatile char *p = mmap(0, BLOCK * PAGE, PROT_READ, MAP_PRIVATE, file, 0);
		OK(p);
		clock_go();
		for (long i = 0; i < count; i++)
			(void)p[i * PAGE];
		clock_stop();
		munmap((void *)p, BLOCK * PAGE);
		clock_go();
	}
}

/* One page that is there, in a mapping of its own, made read-only and writable
   in turn. */
static char *page;

static void mprotect_setup(void)
{
	char *p = pages(3 * PAGE);
	page = p + PAGE;
	OK(mprotect(p, PAGE, PROT_NONE));
	OK(mprotect(p + 2 * PAGE, PAGE, PROT_NONE));
	page[0] = 1;
}

static void do_mprotect(long n)
{
	for (long i = 0; i < n; i++)
		EXPECT(0, call3(SYS_mprotect, (long)page, PAGE, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ));
}

static void map(size_t size, int touched, long n)
{
	while (n--) {
		char *p = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			unexpected("mmap", -1);
		if (touched)
			*(volatile char *)p = 1;
		munmap(p, size);
	}
}

static void mmap_untouched(long n) { map(PAGE, 0, n); }
static void mmap_touched(long n) { map(PAGE, 1, n); }
static void mmap_64m(long n) { map(64 * MIB, 0, n); }

/* The break, up a page and down again; musl has no brk of its own. */
static void do_brk(long n)
{
	long end = call2(SYS_brk, 0, 0);
	while (n--) {
		EXPECT(end + PAGE, call2(SYS_brk, end + PAGE, 0));
		EXPECT(end, call2(SYS_brk, end, 0));
	}
}

const struct row memory_rows[] = {
	{ "cow_fault", BLOCK, cow_fault, cow_setup, 0 },
	{ "anon_fault", BLOCK, anon_fault, 0, 0 },
	{ "file_fault", BLOCK, file_fault, file_setup, 0 },
	{ "mprotect", 1000, do_mprotect, mprotect_setup, 0 },
	{ "mmap_untouched", 1000, mmap_untouched, 0, 0 },
	{ "mmap_touched", 1000, mmap_touched, 0, 0 },
	{ "mmap_64m", 1000, mmap_64m, 0, 0 },
	{ "brk", 1000, do_brk, 0, 0 },
	{ 0 },
};
