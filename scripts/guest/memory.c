/* mmap and its family; faults and the signals they become. */
#include "t.h"

#include <setjmp.h>

static sigjmp_buf back;
static volatile siginfo_t got;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	got = *si;
	siglongjmp(back, 1);
}

static void catch_faults(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	OK(sigaction(SIGSEGV, &sa, 0));
	OK(sigaction(SIGBUS, &sa, 0));
}

/* The statement must fault with that signal, code and address. */
#define FAULTS(sig, code, addr, stmt) do {                                    \
	if (sigsetjmp(back, 1) == 0) { stmt; FAIL("%s does not fault", #stmt); } \
	EQ(got.si_signo, sig); EQ(got.si_code, code); EQ(got.si_addr, addr); } while (0)

static char *anon(size_t n) { char *p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); CHECK(p != MAP_FAILED); return p; }

/* The unsigned numbers of the line of /proc/self/maps that covers p. */
static int map_line(void *p, unsigned long *lo, unsigned long *hi, char prot[5])
{
	for (char *s = slurp("/proc/self/maps"); s && *s; s = strchr(s, '\n'), s = s ? s + 1 : 0)
		if (sscanf(s, "%lx-%lx %4s", lo, hi, prot) == 3 && *lo <= (unsigned long)p && (unsigned long)p < *hi)
			return 1;
	return 0;
}

TEST(memory, anonymous_is_zero)
{
	char *p = anon(16 * PAGE);
	for (int i = 0; i < 16 * PAGE; i++)
		EQ(p[i], 0);
	memset(p, 7, 16 * PAGE);
	OK(munmap(p, 16 * PAGE));
	p = anon(16 * PAGE);
	EQ(p[5 * PAGE], 0);
}

TEST(memory, segv_maperr)
{
	catch_faults();
	FAULTS(SIGSEGV, SEGV_MAPERR, 8, *(volatile char *)8 = 1);
	char *p = anon(2 * PAGE);
	OK(munmap(p + PAGE, PAGE));
	p[0] = 1;
	FAULTS(SIGSEGV, SEGV_MAPERR, p + PAGE, *(volatile char *)(p + PAGE));
}

TEST(memory, segv_accerr)
{
	catch_faults();
	char *p = anon(PAGE);
	p[5] = 9;
	OK(mprotect(p, PAGE, PROT_READ));
	EQ(p[5], 9);
	FAULTS(SIGSEGV, SEGV_ACCERR, p + 5, *(volatile char *)(p + 5) = 1);
	OK(mprotect(p, PAGE, PROT_NONE));
	FAULTS(SIGSEGV, SEGV_ACCERR, p + 5, *(volatile char *)(p + 5));
	OK(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	EQ(p[5], 9);
	p[5] = 10;
	FAULTS(SIGSEGV, SEGV_ACCERR, p, ((void (*)(void))p)());
	p[0] = 0xc3; /* ret */
	OK(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	((void (*)(void))p)();
}

TEST(memory, segv_noncanonical)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	OK(sigaction(SIGSEGV, &sa, 0));
	if (sigsetjmp(back, 1) == 0) {
		*(volatile char *)0x8000000000000000ul = 1;
		FAIL("no fault");
	}
	EQ(got.si_signo, SIGSEGV);
	EQ(got.si_code, SI_KERNEL);
	/* A kernel address reads as unmapped. */
	FAULTS(SIGSEGV, SEGV_MAPERR, 0xffff800000000000ul, *(volatile char *)0xffff800000000000ul);
	FAULTS(SIGSEGV, SEGV_MAPERR, 0x7ffffffff000ul, *(volatile char *)0x7ffffffff000ul);
}

TEST(memory, sigbus_beyond_end)
{
	catch_faults();
	int fd = OK(open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(ftruncate(fd, PAGE + 10));
	char *p = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[PAGE + 4000] = 1; /* in the last page, beyond the end: no signal */
	FAULTS(SIGBUS, BUS_ADRERR, p + 2 * PAGE, *(volatile char *)(p + 2 * PAGE));
	OK(ftruncate(fd, 3 * PAGE));
	EQ(p[2 * PAGE], 0);
	p[2 * PAGE] = 5;
	OK(ftruncate(fd, PAGE));
	FAULTS(SIGBUS, BUS_ADRERR, p + 2 * PAGE, *(volatile char *)(p + 2 * PAGE));
	OK(ftruncate(fd, 3 * PAGE));
	EQ(p[2 * PAGE], 0); /* what was cut off is gone */
}

TEST(memory, file_private)
{
	int fd = OK(open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(write(fd, "hello", 5));
	char *p = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), b[6] = "";
	CHECK(p != MAP_FAILED);
	CHECK(!memcmp(p, "hello", 5));
	p[0] = 'J';
	EQ(pread(fd, b, 5, 0), 5);
	STREQ(b, "hello");
	EQ(pwrite(fd, "W", 1, 4), 1);
	EQ(p[0], 'J');
	EQ(p[5], 0);
}

TEST(memory, file_shared)
{
	int fd = OK(open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(ftruncate(fd, 2 * PAGE));
	char *p = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), b[4];
	CHECK(p != MAP_FAILED);
	OK(pwrite(fd, "abc", 3, PAGE));
	CHECK(!memcmp(p + PAGE, "abc", 3));
	p[PAGE] = 'X';
	OK(msync(p, 2 * PAGE, MS_SYNC));
	EQ(pread(fd, b, 3, PAGE), 3);
	CHECK(!memcmp(b, "Xbc", 3));
	FORK(pid) { p[0] = 42; _exit(0); }
	wait_ok(pid);
	EQ(p[0], 42);
	close(fd);
	OK(unlink("/tmp/f"));
	EQ(p[0], 42); /* still there */
}

TEST(memory, mmap_errors)
{
	int fd = OK(open("/tmp/f", O_RDONLY | O_CREAT | O_TRUNC, 0600));
	ERR(EINVAL, mmap(0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ERR(EINVAL, mmap(0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
	ERR(EBADF, mmap(0, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
	ERR(EINVAL, syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 1));
	ERR(EACCES, mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	int wr = OK(open("/tmp/f", O_WRONLY));
	ERR(EACCES, mmap(0, PAGE, PROT_READ, MAP_PRIVATE, wr, 0));
	int pp[2];
	OK(pipe(pp));
	ERR(ENODEV, mmap(0, PAGE, PROT_READ, MAP_PRIVATE, pp[0], 0));
	ERR(ENOMEM, mmap(0, 1ul << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ERR(ENOMEM, mmap(0, -PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ERR(EINVAL, mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ERR(ENOMEM, mmap((void *)0x7ffffffff000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ERR(EINVAL, munmap((void *)1, PAGE));
	ERR(EINVAL, munmap((void *)PAGE, 0));
	ERR(EINVAL, syscall(SYS_mprotect, 1, PAGE, PROT_READ));
	ERR(ENOMEM, mprotect((void *)0x10000, PAGE, PROT_READ));
}

TEST(memory, fixed_replaces)
{
	char *p = anon(8 * PAGE);
	memset(p, 1, 8 * PAGE);
	EQ(mmap(p + 2 * PAGE, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p + 2 * PAGE);
	EQ(p[PAGE], 1);
	EQ(p[2 * PAGE], 0);
	EQ(p[4 * PAGE], 0);
	EQ(p[5 * PAGE], 1);
	ERR(EEXIST, mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | 0x100000 /* MAP_FIXED_NOREPLACE */, -1, 0));
	OK(munmap(p + 7 * PAGE, PAGE));
	EQ(mmap(p + 7 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0), p + 7 * PAGE);
	/* A hint that is taken is only a hint. */
	char *q = mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(q != MAP_FAILED && q != p);
}

TEST(memory, split_and_merge)
{
	char *p = anon(9 * PAGE), prot[5];
	unsigned long lo, hi;
	OK(mprotect(p + 3 * PAGE, 3 * PAGE, PROT_READ));
	CHECK(map_line(p + 4 * PAGE, &lo, &hi, prot));
	EQ(lo, p + 3 * PAGE);
	EQ(hi, p + 6 * PAGE);
	STREQ(prot, "r--p");
	OK(mprotect(p + 3 * PAGE, 3 * PAGE, PROT_READ | PROT_WRITE));
	CHECK(map_line(p + 4 * PAGE, &lo, &hi, prot));
	CHECK(lo <= (unsigned long)p && hi >= (unsigned long)(p + 9 * PAGE));
	OK(munmap(p + 4 * PAGE, PAGE));
	CHECK(!map_line(p + 4 * PAGE, &lo, &hi, prot));
	OK(munmap(p, 9 * PAGE)); /* over the hole */
	CHECK(!map_line(p, &lo, &hi, prot));
	OK(munmap(p, 9 * PAGE)); /* nothing there: no error */
}

TEST(memory, mprotect_over_hole)
{
	char *p = anon(4 * PAGE), prot[5];
	unsigned long lo, hi;
	OK(munmap(p + 2 * PAGE, PAGE));
	ERR(ENOMEM, mprotect(p, 4 * PAGE, PROT_READ));
	CHECK(map_line(p, &lo, &hi, prot));
	STREQ(prot, "r--p"); /* what came before the hole is done */
	CHECK(map_line(p + 3 * PAGE, &lo, &hi, prot));
	STREQ(prot, "rw-p");
}

TEST(memory, mremap)
{
	char *p = anon(4 * PAGE);
	for (int i = 0; i < 4; i++)
		p[i * PAGE] = i + 1;
	EQ(mremap(p, 4 * PAGE, 2 * PAGE, 0), p);
	char *q = mremap(p, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	EQ(q[0], 1);
	EQ(q[PAGE], 2);
	EQ(q[2 * PAGE], 0);
	q[63 * PAGE] = 1;
	char *to = anon(64 * PAGE);
	to[3] = 9;
	EQ(mremap(q, 64 * PAGE, 64 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	EQ(to[0], 1);
	EQ(to[3], 0);
	EQ(to[63 * PAGE], 1);
	char *busy = anon(2 * PAGE);
	ERR(ENOMEM, mremap(busy, PAGE, 1000 * PAGE, 0));
	ERR(EFAULT, mremap((void *)0x10000, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	ERR(EINVAL, mremap(busy + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	ERR(EINVAL, mremap(busy, PAGE, 0, MREMAP_MAYMOVE));
	ERR(EINVAL, mremap(busy, PAGE, PAGE, MREMAP_FIXED, to));
	ERR(EINVAL, mremap(busy, PAGE, PAGE, 0x80, to));
}

TEST(memory, brk)
{
	char *b = (char *)syscall(SYS_brk, 0);
	EQ(syscall(SYS_brk, b + 10 * PAGE), b + 10 * PAGE);
	b[0] = 1;
	b[10 * PAGE - 1] = 2;
	EQ(syscall(SYS_brk, b), b);
	EQ(syscall(SYS_brk, b + 2 * PAGE), b + 2 * PAGE);
	EQ(b[PAGE], 0);
	EQ(syscall(SYS_brk, 8), b + 2 * PAGE); /* refused: the break stays */
	EQ(syscall(SYS_brk, 0x7fffffffffff), b + 2 * PAGE);
}

TEST(memory, brk_limit)
{
	char *b = (char *)syscall(SYS_brk, 0);
	struct rlimit r = { 8 * PAGE, 8 * PAGE };
	OK(setrlimit(RLIMIT_DATA, &r));
	EQ(syscall(SYS_brk, b + 4096 * PAGE), b);
}

TEST(memory, address_space_limit)
{
	struct rlimit r = { 64 << 20, 64 << 20 };
	OK(setrlimit(RLIMIT_AS, &r));
	ERR(ENOMEM, mmap(0, 65 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	anon(1 << 20);
}

TEST(memory, madvise_dontneed)
{
	char *p = anon(8 * PAGE);
	memset(p, 3, 8 * PAGE);
	OK(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
	EQ(p[0], 3);
	EQ(p[PAGE], 0);
	EQ(p[2 * PAGE], 0);
	EQ(p[3 * PAGE], 3);
	int fd = OK(open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(write(fd, "file", 4));
	char *f = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	f[0] = 'X';
	OK(madvise(f, PAGE, MADV_DONTNEED));
	EQ(f[0], 'f'); /* the file's again */
	ERR(EINVAL, madvise(p + 1, PAGE, MADV_DONTNEED));
	ERR(EINVAL, madvise(p, PAGE, 9999));
	OK(munmap(p + 4 * PAGE, PAGE));
	ERR(ENOMEM, madvise(p, 8 * PAGE, MADV_DONTNEED));
	EQ(p[7 * PAGE], 0); /* but done */
}

TEST(memory, madvise_frees)
{
	enum { N = 2000 };
	char *p = anon(N * PAGE);
	memset(p, 1, N * PAGE);
	long before = proc_stat(getpid(), 24);
	OK(madvise(p, N * PAGE, MADV_DONTNEED));
	long after = proc_stat(getpid(), 24);
	WITHIN(before - after, N - 100, N + 100);
}

TEST(memory, mincore)
{
	char *p = anon(4 * PAGE);
	unsigned char v[4] = { 9, 9, 9, 9 };
	p[0] = p[2 * PAGE] = 1;
	OK(mincore(p, 4 * PAGE, v));
	EQ(v[0] & 1, 1);
	EQ(v[1] & 1, 0);
	EQ(v[2] & 1, 1);
	EQ(v[3] & 1, 0);
	OK(munmap(p + PAGE, PAGE));
	ERR(ENOMEM, mincore(p, 4 * PAGE, v));
	ERR(EINVAL, mincore(p + 1, PAGE, v));
	ERR(EFAULT, mincore(p, PAGE, (void *)8));
}

TEST(memory, mlock)
{
	char *p = anon(4 * PAGE);
	OK(mlock(p, 4 * PAGE));
	unsigned char v[4];
	OK(mincore(p, 4 * PAGE, v));
	EQ(v[3] & 1, 1); /* locking brings the pages in */
	EQ(field_of("/proc/self/status", "VmLck"), 16);
	OK(munlock(p, 4 * PAGE));
	EQ(field_of("/proc/self/status", "VmLck"), 0);
	OK(munmap(p + PAGE, PAGE));
	ERR(ENOMEM, mlock(p, 4 * PAGE));
	OK(mlockall(MCL_CURRENT));
	OK(munlockall());
	ERR(EINVAL, mlockall(0));
}

TEST(memory, populate)
{
	long rss = proc_stat(getpid(), 24);
	char *p = mmap(0, 100 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	CHECK(p != MAP_FAILED);
	unsigned char v[100];
	OK(mincore(p, 100 * PAGE, v));
	for (int i = 0; i < 100; i++)
		EQ(v[i] & 1, 1);
	(void)rss;
}

TEST(memory, shared_anonymous)
{
	int *p = shared(3 * PAGE);
	p[0] = 1;
	FORK(pid) {
		EQ(p[0], 1);
		p[0] = 2;
		p[1024] = 3; /* a page nobody had touched */
		_exit(0);
	}
	wait_ok(pid);
	EQ(p[0], 2);
	EQ(p[1024], 3);
}

TEST(memory, fork_isolates)
{
	char *p = anon(10 * PAGE);
	memset(p, 1, 10 * PAGE);
	FORK(pid) {
		for (int i = 0; i < 10; i++)
			EQ(p[i * PAGE], 1);
		memset(p, 2, 10 * PAGE);
		_exit(0);
	}
	wait_ok(pid);
	for (int i = 0; i < 10 * PAGE; i++)
		EQ(p[i], 1);
	int bell[2], done[2];
	bell_make(bell), bell_make(done);
	FORK(q) { bell_wait(bell); EQ(p[5 * PAGE], 1); _exit(0); }
	p[5 * PAGE] = 3;
	bell_ring(bell);
	wait_ok(q);
	EQ(p[5 * PAGE], 3);
}

static int recurse(int n) { volatile char b[4096]; b[0] = n; return n ? recurse(n - 1) + b[0] - (char)n : 0; }

TEST(memory, stack_grows)
{
	EQ(recurse(1000), 0); /* 4 MB of the 8 */
}

TEST(memory, stack_limit)
{
	FORK(pid) {
		struct rlimit r = { 1 << 20, 1 << 20 };
		OK(setrlimit(RLIMIT_STACK, &r));
		recurse(1000);
		_exit(0);
	}
	wait_signaled(pid, SIGSEGV);
}

TEST(memory, growsdown_guard)
{
	/* A mapping just below the stack keeps the stack from growing into it. */
	FORK(pid) {
		char here;
		char *low = (char *)(((uintptr_t)&here & ~0xfffffl) - (2 << 20));
		CHECK(mmap(low, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == low);
		low[0] = 55;
		recurse(1000);
		_exit(0);
	}
	wait_signaled(pid, SIGSEGV);
}

TEST(memory, zero_device)
{
	int fd = OK(open("/dev/zero", O_RDWR));
	char *p = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	EQ(p[PAGE], 0);
	p[PAGE] = 1;
	char b[100];
	memset(b, 1, 100);
	EQ(read(fd, b, 100), 100);
	EQ(b[99], 0);
	EQ(write(fd, b, 100), 100);
}

TEST(memory, wide_and_sparse)
{
	/* 64 GB reserved, a few pages touched. */
	char *p = mmap(0, 64ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	for (long i = 0; i < 64; i++)
		p[i << 30] = i;
	for (long i = 0; i < 64; i++)
		EQ(p[i << 30], i);
	FORK(pid) _exit(p[5l << 30] != 5);
	wait_ok(pid);
	OK(munmap(p, 64ul << 30));
}

TEST_SLOW(memory, many_maps, 60)
{
	enum { N = 4000 };
	char *p = anon(2 * N * PAGE);
	for (int i = 0; i < N; i++) /* every other page a VMA of its own */
		OK(mprotect(p + 2 * i * PAGE, PAGE, PROT_READ));
	for (int i = 0; i < N; i++)
		p[(2 * i + 1) * PAGE] = i;
	for (int i = 0; i < N; i++)
		EQ(p[(2 * i + 1) * PAGE], (char)i);
	OK(munmap(p, 2 * N * PAGE));
}

TEST(memory, two_threads_fault_one_page)
{
	static volatile char *page;
	static volatile int go;
	static char stacks[4][16384];
	int touch(void *v)
	{
		while (!go)
			;
		for (int i = 0; i < 256; i++)
			page[i * PAGE + (long)v] = (long)v + 1;
		return 0;
	}
	for (int round = 0; round < 20; round++) {
		page = anon(256 * PAGE);
		go = 0;
		pid_t t[4];
		for (long i = 0; i < 4; i++)
			t[i] = OK(clone(touch, stacks[i] + sizeof stacks[i], CLONE_VM | SIGCHLD, (void *)i));
		go = 1;
		for (int i = 0; i < 4; i++)
			wait_ok(t[i]);
		for (int i = 0; i < 256; i++)
			for (int j = 0; j < 4; j++)
				EQ(page[i * PAGE + j], j + 1); /* nobody's write was lost */
		munmap((void *)page, 256 * PAGE);
	}
}

/* What one thread permits, another may do at once, though its CPU remembers the
   page as read-only; and what is forbidden again, it may not, from then on. */
TEST(memory, mprotect_across_threads)
{
	enum { ROUNDS = 300 };
	static volatile char *page;
	static volatile int round, seen, late;
	static char stack[65536];
	int writer(void *unused)
	{
		catch_faults();
		for (int r = 1; r <= ROUNDS; r++) {
			while (round < 2 * r - 1) {
				(void)*page;
				sched_yield();
			}
			*page = r; /* permitted: a fault here ends the test */
			seen = 2 * r - 1;
			while (round < 2 * r)
				sched_yield();
			if (sigsetjmp(back, 1) == 0) {
				*page = 0;
				late++;
			}
			seen = 2 * r;
		}
		return 0;
	}
	page = anon(PAGE);
	page[0] = 1;
	OK(mprotect((void *)page, PAGE, PROT_READ));
	pid_t t = OK(clone(writer, stack + sizeof stack, CLONE_VM | SIGCHLD, 0));
	for (int r = 1; r <= ROUNDS; r++) {
		OK(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE));
		round = 2 * r - 1;
		while (seen < 2 * r - 1)
			sched_yield();
		EQ(page[0], (char)r);
		OK(mprotect((void *)page, PAGE, PROT_READ));
		round = 2 * r;
		while (seen < 2 * r)
			sched_yield();
	}
	wait_ok(t);
	EQ(late, 0);
}
