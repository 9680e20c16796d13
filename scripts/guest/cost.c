/*
 * What the hot paths cost, in instructions. Under QEMU's -icount shift=0 the
 * clock counts instructions, one a nanosecond, and the same ones in every run;
 * ICOUNT=1 in the environment says so. Elsewhere there is nothing to see here.
 */
#include "t.h"

#include <linux/futex.h>
#include <pthread.h>

static long now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* Report a cost, and hold it to its limit on Tamarix. */
static void cost(const char *what, long total, long n, long limit)
{
	dprintf(1, "# cost %s: %ld\n", what, total / n);
	if (is_tamarix() && limit)
		WITHIN(total / n, 1, limit);
}

static void counting(void)
{
	if (!getenv("ICOUNT"))
		skip("the clock does not count instructions");
}

/* The call itself, without libc's wrapper around it. */
static long call(long nr)
{
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr) : "rcx", "r11", "memory");
	return ret;
}

TEST(cost, null_call)
{
	counting();
	enum { N = 10000 };
	static const struct { const char *name; long nr; } calls[] = {
		{ "getpid", SYS_getpid }, { "getppid", SYS_getppid }, { "gettid", SYS_gettid },
	};
	for (int j = 0; j < 3; j++) {
		call(calls[j].nr);
		long t = now_ns();
		for (int i = 0; i < N; i++)
			call(calls[j].nr);
		cost(calls[j].name, now_ns() - t, N, 200);
	}
}

TEST(cost, anonymous_fault)
{
	counting();
	enum { N = 2000 };
	char *p = mmap(0, N * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long t = now_ns();
	for (int i = 0; i < N; i++)
		p[i * PAGE] = 1;
	cost("anonymous fault", now_ns() - t, N, 1200);
}

TEST(cost, cow_fault)
{
	counting();
	enum { N = 2000 };
	char *p = mmap(0, N * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, N * PAGE);
	FORK(pid) {
		long t = now_ns();
		for (int i = 0; i < N; i++)
			p[i * PAGE] = 2;
		cost("copy-on-write fault", now_ns() - t, N, 2000);
		_exit(0);
	}
	wait_ok(pid);
}

static void futex(int *at, int op, int v) { syscall(SYS_futex, at, op | FUTEX_PRIVATE_FLAG, v, 0, 0, 0); }

enum { TRIPS = 2000 };
static int turn;

static void play(int me)
{
	for (int i = 0; i < TRIPS; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != me)
			futex(&turn, FUTEX_WAIT, 1 - me);
		__atomic_store_n(&turn, 1 - me, __ATOMIC_SEQ_CST);
		futex(&turn, FUTEX_WAKE, 1);
	}
}

static void *other(void *arg) { play(1); return 0; }

TEST(cost, futex_round_trip)
{
	counting();
	pthread_t t;
	pthread_create(&t, 0, other, 0);
	long start = now_ns();
	play(0);
	pthread_join(t, 0);
	cost("futex round trip between threads", now_ns() - start, TRIPS, 4000);
}

TEST(cost, pipe_round_trip)
{
	counting();
	int a[2], b[2];
	char c = 0;
	OK(pipe(a));
	OK(pipe(b));
	FORK(pid) {
		close(a[1]);
		while (read(a[0], &c, 1) == 1)
			write(b[1], &c, 1);
		_exit(0);
	}
	close(a[0]);
	long t = now_ns();
	for (int i = 0; i < TRIPS; i++) {
		write(a[1], &c, 1);
		EQ(read(b[0], &c, 1), 1);
	}
	cost("pipe round trip between processes", now_ns() - t, TRIPS, 0);
	close(a[1]);
	wait_ok(pid);
}

TEST(cost, fork_exit_wait)
{
	counting();
	enum { N = 200 };
	long t = now_ns();
	for (int i = 0; i < N; i++) {
		pid_t p = fork();
		if (p == 0)
			_exit(0);
		waitpid(p, 0, 0);
	}
	cost("fork, exit, wait", now_ns() - t, N, 0);
}

HELPER(cost_true) { return 0; }

TEST(cost, vfork_exec_wait)
{
	counting();
	enum { N = 100 };
	char *argv[] = { "cost_true", 0 }, *envp[] = { 0 };
	long t = now_ns();
	for (int i = 0; i < N; i++) {
		pid_t p = vfork();
		if (p == 0) {
			execve(SELF, argv, envp);
			_exit(1);
		}
		wait_ok(p);
	}
	cost("vfork, exec, exit, wait", now_ns() - t, N, 0);
}

TEST(cost, read_and_write)
{
	counting();
	enum { N = 5000 };
	char c;
	int z = OK(open("/dev/zero", O_RDONLY)), w = OK(open("/dev/null", O_WRONLY));
	long t = now_ns();
	for (int i = 0; i < N; i++)
		read(z, &c, 1);
	cost("read of one byte of /dev/zero", now_ns() - t, N, 0);
	t = now_ns();
	for (int i = 0; i < N; i++)
		write(w, &c, 1);
	cost("write of one byte to /dev/null", now_ns() - t, N, 0);
}

TEST(cost, open_and_stat)
{
	counting();
	enum { N = 2000 };
	struct stat st;
	spit("/tmp/cost", "x");
	long t = now_ns();
	for (int i = 0; i < N; i++)
		close(open("/tmp/cost", O_RDONLY));
	cost("open and close", now_ns() - t, N, 0);
	t = now_ns();
	for (int i = 0; i < N; i++)
		stat("/tmp/cost", &st);
	cost("stat", now_ns() - t, N, 0);
}

static volatile int caught;
static void on_signal(int sig) { caught++; }

TEST(cost, signal_delivery)
{
	counting();
	enum { N = 2000 };
	signal(SIGUSR1, on_signal);
	long t = now_ns();
	for (int i = 0; i < N; i++)
		kill(getpid(), SIGUSR1);
	cost("signal to self", now_ns() - t, N, 0);
	EQ(caught, N);
}
