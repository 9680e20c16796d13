/* The system call entry: what it keeps, what it looks at, and the calls it answers itself. */
#include "t.h"

/* A call with all of RAX given; it returns all of RAX. */
static long raw(uint64_t nr, uint64_t a, uint64_t b)
{
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return ret;
}

TEST(entry, upper_half_of_the_number_is_ignored)
{
	EQ(raw(SYS_getpid | 1ull << 32, 0, 0), getpid());
	EQ(raw(SYS_getpid | 0xdeadbeefull << 32, 0, 0), getpid());
	struct timespec t = { -1, -1 };
	EQ(raw(SYS_clock_gettime | 1ull << 63, CLOCK_MONOTONIC, (uint64_t)&t), 0);
	WITHIN(t.tv_nsec, 0, 999999999);
	EQ(raw(0xffffffffull, 0, 0), -ENOSYS);
	EQ(raw(0x80000000ull | SYS_getpid, 0, 0), -ENOSYS);
	EQ(raw(100000, 0, 0), -ENOSYS);
}

static long get(long clock, void *to) { return raw(SYS_clock_gettime, clock, (uint64_t)to); }

/* The clocks that only the kernel's way through user memory tells apart. */
static const int clock_ids[] = {
	CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
	CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI,
};

TEST(entry, clock_gettime_addresses)
{
	char *p = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(mprotect(p + 2 * PAGE, PAGE, PROT_READ));
	OK(munmap(p + 3 * PAGE, PAGE));
	for (int i = 0; i < (int)(sizeof clock_ids / sizeof *clock_ids); i++) {
		int c = clock_ids[i];
		/* not there yet, across a page that is and one that is not yet, copied on write */
		struct timespec *fresh = (void *)p, *across = (void *)(p + PAGE - 8);
		OK(madvise(p, 2 * PAGE, MADV_DONTNEED));
		EQ(get(c, across), 0);
		WITHIN(across->tv_nsec, 0, 999999999);
		OK(madvise(p, PAGE, MADV_DONTNEED));
		fresh->tv_nsec = -1;
		EQ(get(c, fresh), 0);
		WITHIN(fresh->tv_nsec, 0, 999999999);
		FORK(pid) {
			fresh->tv_nsec = -1;
			EQ(get(c, fresh), 0);
			WITHIN(fresh->tv_nsec, 0, 999999999);
			_exit(0);
		}
		fresh->tv_sec = -7;
		wait_ok(pid);
		EQ(fresh->tv_sec, -7);
		FORK(pid2) {
			EQ(get(c, across), 0);
			WITHIN(across->tv_nsec, 0, 999999999);
			_exit(0);
		}
		wait_ok(pid2);
		/* misaligned */
		EQ(get(c, p + 1), 0);
		EQ(get(c, p + PAGE - 5), 0);
		/* read-only, half read-only, nothing there, half nothing, none at all */
		EQ(get(c, p + 2 * PAGE), -EFAULT);
		EQ(get(c, p + 2 * PAGE - 8), -EFAULT);
		EQ(get(c, p + 3 * PAGE), -EFAULT);
		EQ(get(c, p + 3 * PAGE - 8), -EFAULT);
		EQ(get(c, 0), -EFAULT);
		/* at the end of user space, not canonical, the kernel's */
		static const uint64_t bad[] = {
			0x7fffffffeff8, 0x7ffffffff000, 0x7fffffffffef, 0x7ffffffffff0, 0x7ffffffffff4, 0x7ffffffffff8, 0x7fffffffffff,
			0x800000000000, 0x1234567812345678, 0xffff800000000000, 0xffff800001001000, 0xffffffff81000000, 0xfffffffffffffff8,
		};
		for (int j = 0; j < (int)(sizeof bad / sizeof *bad); j++)
			EQ(get(c, (void *)bad[j]), -EFAULT);
	}
	EQ(get(10, p), -EINVAL);
	EQ(get(12, p), -EINVAL);
	EQ(get(33, p), -EINVAL); /* 1 modulo 32 */
	EQ(get(12, 0), -EINVAL);
	/* only the lower half of the clock's number counts */
	EQ(get(1l << 32 | CLOCK_MONOTONIC, p), 0);
}

TEST(entry, clock_gettime_keeps_registers)
{
	struct timespec t;
	void *fresh = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 2; i++) { /* answered at the entry; all the way, with a fault */
		const uint64_t to = (uint64_t)(i ? fresh : &t);
		register uint64_t r8 __asm__("r8") = 8, r9 __asm__("r9") = 9, r10 __asm__("r10") = 10, r12 __asm__("r12") = 12,
			r13 __asm__("r13") = 13, r14 __asm__("r14") = 14, r15 __asm__("r15") = 15;
		uint64_t a = SYS_clock_gettime, b = 3, c = 0, d = 4, si = to, di = CLOCK_REALTIME, flags;
		__asm__ volatile("std; stc; syscall; pushfq; popq %[flags]; cld"
			: "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+S"(si), "+D"(di), [flags] "=&m"(flags),
			  "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15) : : "r11", "memory", "cc");
		CHECK(a == 0 && b == 3 && d == 4 && si == to && di == CLOCK_REALTIME);
		CHECK(r8 == 8 && r9 == 9 && r10 == 10 && r12 == 12 && r13 == 13 && r14 == 14 && r15 == 15);
		EQ(flags & 0x401, 0x401); /* DF and CF */
		EQ(flags & 0x40000, 0);   /* AC */
	}
}

/* Under single steps, which the entry must not take for its own. */
static volatile int traps;
static void on_trap(int sig) { traps++; }

TEST(entry, clock_gettime_single_stepped)
{
	signal(SIGTRAP, on_trap);
	struct timespec t = { -1, -1 };
	uint64_t a = SYS_clock_gettime, di = CLOCK_MONOTONIC, si = (uint64_t)&t;
	__asm__ volatile("sub $128, %%rsp; pushfq; orq $0x100, (%%rsp); popfq; syscall; nop; pushfq; andq $~0x100, (%%rsp); popfq; add $128, %%rsp"
		: "+a"(a), "+D"(di), "+S"(si) : : "rcx", "r11", "memory", "cc");
	EQ(a, 0);
	WITHIN(t.tv_nsec, 0, 999999999);
	WITHIN(traps, 4, 8);
}

/* Signals that come while the calls are made, and in what they interrupt. */
static volatile int ticks;
static void on_tick(int sig)
{
	struct timespec t = { -1, -1 };
	EQ(get(CLOCK_REALTIME, &t), 0);
	WITHIN(t.tv_nsec, 0, 999999999);
	ticks++;
}

TEST(entry, clock_gettime_under_signals)
{
	signal(SIGALRM, on_tick);
	struct itimerval every = { { 0, 1000 }, { 0, 1000 } };
	OK(setitimer(ITIMER_REAL, &every, 0));
	struct timespec last = { 0, 0 };
	while (ticks < 100) {
		for (int i = 0; i < 1000; i++) {
			struct timespec t = { -1, -1 };
			EQ(get(CLOCK_MONOTONIC, &t), 0);
			CHECK(t.tv_sec > last.tv_sec || (t.tv_sec == last.tv_sec && t.tv_nsec >= last.tv_nsec));
			last = t;
		}
	}
}
