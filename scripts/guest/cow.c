/*
 * Copy-on-write, proven by counts. Tamarix counts copies, claims and frames in
 * /proc/vmstat; where Linux has no such counter the case is Tamarix's only.
 */
#include "t.h"

static long vm(const char *key) { return field_of("/proc/vmstat", key); }

static char *dirty(int pages, int flags)
{
	char *p = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	for (int i = 0; i < pages; i++)
		p[i * PAGE] = i;
	return p;
}

/* A few pages beside those looked at: the stack, libc's data. */
enum { N = 500, SLACK = 24 };

TEST_FLAGS(cow, fork_copies_nothing, 20, TAMARIX_ONLY)
{
	dirty(N, MAP_PRIVATE);
	int bell[2];
	bell_make(bell);
	long copies = vm("cow_copies");
	FORK(pid) { bell_wait(bell); _exit(0); }
	long after = vm("cow_copies");
	bell_ring(bell);
	wait_ok(pid);
	WITHIN(after - copies, 0, SLACK);
}

TEST_FLAGS(cow, k_writes_k_copies, 20, TAMARIX_ONLY)
{
	char *p = dirty(N, MAP_PRIVATE);
	static const int ks[] = { 0, 1, 10, 100, N };
	for (int i = 0; i < 5; i++) {
		long *out = shared(PAGE);
		int k = ks[i];
		FORK(pid) {
			vm("cow_copies"); /* touch what reading the counter touches */
			long before = vm("cow_copies");
			for (int j = 0; j < k; j++)
				p[j * PAGE] = 99;
			out[0] = vm("cow_copies") - before;
			_exit(0);
		}
		wait_ok(pid);
		WITHIN(out[0], k, k + 4);
		for (int j = 0; j < N; j++)
			EQ(p[j * PAGE], (char)j);
	}
}

TEST_FLAGS(cow, last_owner_claims, 20, TAMARIX_ONLY)
{
	/* The forker exits; its child then owns the pages alone. */
	long *out = shared(PAGE);
	FORK(mid) {
		char *p = dirty(N, MAP_PRIVATE);
		pid_t parent = getpid();
		FORK(child) {
			while (getppid() == parent)
				sleep_ms(1);
			sleep_ms(20); /* the address space goes after the parent's end is known */
			vm("cow_copies"), vm("cow_claims");
			long copies = vm("cow_copies"), claims = vm("cow_claims");
			for (int j = 0; j < N; j++)
				p[j * PAGE] = 7;
			out[1] = vm("cow_copies") - copies;
			out[2] = vm("cow_claims") - claims;
			out[0] = 1;
			_exit(0);
		}
		_exit(0);
	}
	wait_ok(mid);
	EVENTUALLY(out[0] == 1);
	WITHIN(out[1], 0, 4);
	WITHIN(out[2], N, N + SLACK);
}

TEST_FLAGS(cow, shared_and_readonly_never_copy, 20, TAMARIX_ONLY)
{
	char *s = dirty(N, MAP_SHARED);
	char *r = dirty(N, MAP_PRIVATE);
	OK(mprotect(r, N * PAGE, PROT_READ));
	long *out = shared(PAGE);
	FORK(pid) {
		vm("cow_copies");
		long before = vm("cow_copies"), sum = 0;
		for (int j = 0; j < N; j++)
			s[j * PAGE] = 5, sum += r[j * PAGE];
		out[0] = vm("cow_copies") - before;
		_exit(0);
	}
	wait_ok(pid);
	WITHIN(out[0], 0, 4);
	EQ(s[7 * PAGE], 5);
}

TEST_FLAGS(cow, parent_writes_too, 20, TAMARIX_ONLY)
{
	char *p = dirty(N, MAP_PRIVATE);
	int bell[2];
	bell_make(bell);
	FORK(pid) {
		bell_wait(bell);
		for (int j = 0; j < N; j++)
			EQ(p[j * PAGE], (char)j);
		_exit(0);
	}
	vm("cow_copies");
	long before = vm("cow_copies");
	for (int j = 0; j < N; j++)
		p[j * PAGE] = 1;
	long copies = vm("cow_copies") - before;
	bell_ring(bell);
	wait_ok(pid);
	WITHIN(copies, N, N + SLACK);
}

TEST(cow, faults_are_counted)
{
	/* The same on Linux: minor faults of the process, field 10 of stat. */
	char *p = dirty(N, MAP_PRIVATE);
	OK(madvise(p, N * PAGE, 15 /* MADV_NOHUGEPAGE */) == 0 || errno == EINVAL ? 0 : -1);
	long *out = shared(PAGE);
	FORK(pid) {
		proc_stat(getpid(), 10);
		long before = proc_stat(getpid(), 10);
		for (int j = 0; j < 100; j++)
			p[j * PAGE] = 9;
		out[0] = proc_stat(getpid(), 10) - before;
		struct rusage ru;
		getrusage(RUSAGE_SELF, &ru);
		out[1] = ru.ru_minflt;
		_exit(0);
	}
	wait_ok(pid);
	WITHIN(out[0], 100, 104);
	CHECK(out[1] >= 100);
}

TEST(cow, data_of_three_generations)
{
	char *p = dirty(64, MAP_PRIVATE);
	FORK(a) {
		for (int i = 0; i < 64; i += 2)
			p[i * PAGE] = 100;
		FORK(b) {
			for (int i = 0; i < 64; i += 4)
				p[i * PAGE] = 101;
			for (int i = 0; i < 64; i++)
				EQ(p[i * PAGE], i % 4 == 0 ? 101 : i % 2 == 0 ? 100 : i);
			_exit(0);
		}
		wait_ok(b);
		for (int i = 0; i < 64; i++)
			EQ(p[i * PAGE], i % 2 == 0 ? 100 : i);
		_exit(0);
	}
	wait_ok(a);
	for (int i = 0; i < 64; i++)
		EQ(p[i * PAGE], i);
}

TEST(cow, kernel_writes_break_too)
{
	/* read(2) into a page shared after fork must not show in the parent. */
	char *p = dirty(4, MAP_PRIVATE);
	FORK(pid) {
		int fd = OK(open("/dev/zero", O_RDONLY));
		EQ(read(fd, p, 4 * PAGE), 4 * PAGE);
		EQ(p[3 * PAGE], 0);
		_exit(0);
	}
	wait_ok(pid);
	EQ(p[3 * PAGE], 3);
}

TEST(cow, writers_race)
{
	/* Parent and children write the same pages at once; each sees its own. */
	char *p = dirty(200, MAP_PRIVATE);
	for (int round = 0; round < 10; round++) {
		pid_t kid[3];
		for (int k = 0; k < 3; k++) {
			FORK(pid) {
				for (int i = 0; i < 200; i++)
					p[i * PAGE + 8] = k + 1;
				for (int i = 0; i < 200; i++)
					EQ(p[i * PAGE + 8], k + 1);
				_exit(0);
			}
			kid[k] = pid;
		}
		for (int i = 0; i < 200; i++)
			p[i * PAGE + 8] = 50 + round;
		for (int k = 0; k < 3; k++)
			wait_ok(kid[k]);
		for (int i = 0; i < 200; i++)
			EQ(p[i * PAGE + 8], 50 + round);
	}
}

/* The user's frames: what may not drift. */
static void frames(long f[3])
{
	f[0] = vm("frames_anon");
	f[1] = vm("frames_cache");
	f[2] = vm("frames_pagetable");
}

TEST_FLAGS(cow, frames_after_10000_forks, 300, TAMARIX_ONLY)
{
	long before[3], after[3];
	char *p = dirty(50, MAP_PRIVATE);
	for (int warm = 0; warm < 2; warm++) {
		if (warm)
			frames(before);
		for (int i = 0; i < (warm ? 10000 : 50); i++) {
			FORK(pid) { p[(i % 50) * PAGE] = 3; _exit(0); }
			wait_ok(pid);
		}
		sleep_ms(50);
	}
	for (int i = 0; i < 50; i++)
		p[i * PAGE] = 1; /* claim the last ones */
	sleep_ms(50);
	frames(after);
	for (int i = 0; i < 3; i++)
		WITHIN(after[i] - before[i], -2, 2);
}

TEST_SLOW(cow, memory_after_500_forks, 60)
{
	/* Both kernels: MemFree comes back, within what a running system moves. */
	char *p = dirty(2000, MAP_PRIVATE);
	long before = 0;
	for (int i = 0; i < 550; i++) {
		if (i == 50)
			before = field_of("/proc/meminfo", "MemFree");
		FORK(pid) {
			for (int j = 0; j < 2000; j += 7)
				p[j * PAGE] = 1;
			_exit(0);
		}
		wait_ok(pid);
	}
	sleep_ms(100);
	long after = field_of("/proc/meminfo", "MemFree");
	if (before - after > 8192)
		FAIL("%ld kB are gone after 500 forks", before - after);
}
