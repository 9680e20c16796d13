/*
 * The hot paths allocate nothing from the kernel's garbage-collected heap.
 * /proc/tamarix/gostat counts allocations, but for those that the CPUs' caches
 * have not reported yet: hundreds, once in a while, and all at a collection. One in
 * each operation is unmistakable beside that, since it is there all the time. The
 * same operations run on Linux, which is not asked.
 */
#include "t.h"

#include <linux/futex.h>
#include <pthread.h>

#define GOSTAT "/proc/tamarix/gostat"

static long mallocs(void)
{
	return is_tamarix() ? field_of(GOSTAT, "mallocs") + field_of(GOSTAT, "tiny_mallocs") : 0;
}

/* Run op(n), a tenth of it first to fill caches and pools, and count: in ten parts,
 * of which the two that have most are taken to be as the others, for they are those
 * that belated reports fell into. */
static long count(void (*op)(long n), long n)
{
	if (!is_tamarix())
		return op(n / 20), 0; /* it works there, no more */
	op(n / 10);
	long sum = 0, most = 0, second = 0, before = mallocs();
	for (int i = 0; i < 10; i++) {
		op(n / 10);
		long now = mallocs(), part = now - before;
		before = now;
		sum += part;
		if (part > most)
			second = most, most = part;
		else if (part > second)
			second = part;
	}
	return (sum - most - second) * 10 / 8;
}

static void none(const char *what, void (*op)(long n), long n)
{
	long grown = count(op, n);
	dprintf(1, "# %s: %ld allocations in %ld operations\n", what, grown, n);
	if (grown > n / 10)
		FAIL("%s: %ld allocations in %ld operations", what, grown, n);
}

/* The same for faults: a kernel may answer several pages' with one. */
static void none_by_fault(const char *what, void (*op)(long n), long n)
{
	struct rusage a, b;
	getrusage(RUSAGE_SELF, &a);
	long grown = count(op, n);
	getrusage(RUSAGE_SELF, &b);
	long faults = b.ru_minflt - a.ru_minflt;
	dprintf(1, "# %s: %ld allocations in %ld faults\n", what, grown, faults);
	if (is_tamarix())
		CHECK(faults > 5000); /* else nothing is proven */
	if (grown > faults / 10)
		FAIL("%s: %ld allocations in %ld faults", what, grown, faults);
}

static int fd;
static char buf[4096];

static void null_call(long n)
{
	while (n--)
		syscall(SYS_getppid);
}

static void reads(long n)
{
	while (n--)
		read(fd, buf, 1);
}

static void writes(long n)
{
	while (n--)
		write(fd, buf, 1);
}

static void preads(long n)
{
	while (n--)
		pread(fd, buf, sizeof buf, 0);
}

static void pwrites(long n)
{
	while (n--)
		pwrite(fd, buf, sizeof buf, 0);
}

TEST(alloc, null_call) { none("null call", null_call, 50000); }

TEST(alloc, read_and_write)
{
	fd = OK(open("/dev/zero", O_RDONLY));
	none("read of /dev/zero", reads, 50000);
	fd = OK(open("/dev/null", O_WRONLY));
	none("write to /dev/null", writes, 50000);
	fd = OK(open("/tmp/alloc", O_RDWR | O_CREAT, 0600));
	none("write of a page of a file", pwrites, 20000);
	none("read of a page of a file", preads, 20000);
	unlink("/tmp/alloc");
}

static int there[2], back[2];

static void through_pipe(long n)
{
	while (n--) {
		write(there[1], buf, 1);
		read(there[0], buf, 1);
	}
}

static void ping(long n)
{
	while (n--) {
		write(there[1], buf, 1);
		EQ(read(back[0], buf, 1), 1);
	}
}

TEST(alloc, pipe)
{
	OK(pipe(there));
	OK(pipe(back));
	none("write and read of a pipe", through_pipe, 30000);
	FORK(pid) {
		close(there[1]);
		while (read(there[0], buf, 1) == 1)
			write(back[1], buf, 1);
		_exit(0);
	}
	none("pipe round trip between processes", ping, 20000);
	close(there[1]);
	wait_ok(pid);
}

static int turn, trips;

static void futex(int *at, int op, int v) { syscall(SYS_futex, at, op | FUTEX_PRIVATE_FLAG, v, 0, 0, 0); }

static void pass(int me)
{
	while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != me)
		futex(&turn, FUTEX_WAIT, 1 - me);
	__atomic_store_n(&turn, 1 - me, __ATOMIC_SEQ_CST);
	futex(&turn, FUTEX_WAKE, 1);
}

static void *other(void *arg)
{
	for (int i = 0; i < trips; i++)
		pass(1);
	return 0;
}

static void mine(long n)
{
	while (n--)
		pass(0);
}

static void wake_nobody(long n)
{
	while (n--)
		futex(&turn, FUTEX_WAKE, 1);
}

TEST(alloc, futex)
{
	enum { N = 20000 };
	none("futex wake-up of nobody", wake_nobody, 50000);
	trips = is_tamarix() ? N + N / 10 : N / 20;
	pthread_t t;
	EQ(pthread_create(&t, 0, other, 0), 0);
	none("futex round trip between threads", mine, N);
	pthread_join(t, 0);
}

enum { FAULTS = 20000 }; /* 80 MB */
static char *memory;

static void touch(long n)
{
	for (long i = 0; i < n; i++)
		((volatile char *)memory)[i * PAGE] = 1;
	memory += n * PAGE;
}

static void look(long n)
{
	for (long i = 0; i < n; i++)
		(void)((volatile char *)memory)[i * PAGE];
	memory += n * PAGE;
}

TEST(alloc, anonymous_fault)
{
	memory = mmap(0, (FAULTS + FAULTS / 10) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	none_by_fault("anonymous fault", touch, FAULTS);
}

TEST(alloc, cow_fault)
{
	enum { N = FAULTS / 2 };
	memory = mmap(0, (N + N / 10) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	memset(memory, 1, (N + N / 10) * PAGE);
	FORK(pid) {
		none_by_fault("copy-on-write fault", touch, N);
		_exit(0);
	}
	wait_ok(pid);
}

TEST(alloc, file_fault)
{
	enum { PAGES = 1000, ROUNDS = 200 };
	int f = OK(open("/tmp/alloc", O_RDWR | O_CREAT, 0600));
	for (int i = 0; i < PAGES; i++)
		EQ(write(f, buf, PAGE), PAGE);
	/* One mapping of the same pages after the other, without a hole between them:
	   the mappings themselves may allocate, so they are made before. */
	enum { ALL = ROUNDS + ROUNDS / 10 };
	char *base = mmap(0, ALL * PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < ALL; i++)
		CHECK(mmap(base + i * PAGES * PAGE, PAGES * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, f, 0) != MAP_FAILED);
	memory = base;
	none_by_fault("file-mapped fault", look, ROUNDS * PAGES);
	unlink("/tmp/alloc");
}

/* What is not asked to do without: how much it allocates, for the record. */

static void open_close(long n)
{
	while (n--)
		close(open("/tmp", O_RDONLY));
}

static void stats(long n)
{
	struct stat st;
	while (n--)
		stat("/tmp", &st);
}

static void polls(long n)
{
	struct pollfd p = { there[0], POLLIN, 0 };
	while (n--)
		poll(&p, 1, 0);
}

static void mmaps(long n)
{
	while (n--)
		munmap(mmap(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), PAGE);
}

static void on_signal(int sig) {}

static void signals(long n)
{
	while (n--)
		kill(getpid(), SIGUSR1);
}

static void forks(long n)
{
	while (n--) {
		pid_t p = fork();
		if (p == 0)
			_exit(0);
		waitpid(p, 0, 0);
	}
}

HELPER(alloc_true) { return 0; }

static void execs(long n)
{
	char *argv[] = { "alloc_true", 0 }, *envp[] = { 0 };
	while (n--) {
		pid_t p = vfork();
		if (p == 0) {
			execve(SELF, argv, envp);
			_exit(1);
		}
		waitpid(p, 0, 0);
	}
}

TEST_FLAGS(alloc, elsewhere, 30, TAMARIX_ONLY)
{
	static const struct { const char *what; void (*op)(long n); long n; } ops[] = {
		{ "open and close", open_close, 5000 }, { "stat", stats, 5000 }, { "poll", polls, 5000 },
		{ "mmap and munmap", mmaps, 5000 }, { "signal", signals, 5000 },
		{ "fork, exit, wait", forks, 500 }, { "vfork, exec, exit, wait", execs, 500 },
	};
	OK(pipe(there));
	signal(SIGUSR1, on_signal);
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		long bytes = field_of(GOSTAT, "malloc_bytes");
		long grown = count(ops[i].op, ops[i].n);
		bytes = field_of(GOSTAT, "malloc_bytes") - bytes;
		dprintf(1, "# %s: %.1f allocations, %ld bytes\n", ops[i].what, (double)grown / ops[i].n, bytes * 10 / 11 / ops[i].n);
	}
}
