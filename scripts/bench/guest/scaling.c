/*
 * Several processes at once at the same work, PROCS of them: what a machine with
 * more CPUs gets done. An operation is an operation of any of them, so the time
 * of one falls as CPUs are added.
 */
#include "bench.h"

struct team {
	long each;
	void (*work)(long n);
	int start[2], ready[2];
};

static void member(void *arg)
{
	struct team *t = arg;
	char c;
	close(t->start[1]);
	t->work(1); /* its first operation is not like the others */
	OK(write(t->ready[1], "", 1));
	if (read(t->start[0], &c, 1) != 0)
		fail("start: %s", strerror(errno));
	t->work(t->each);
	OK(write(t->ready[1], "", 1));
}

/* Have the team do n operations; the clock runs from when all are let go to when
   the last has done its part. */
static void together(void (*work)(long), long n)
{
	enum { MOST = 64 };
	pid_t pid[MOST];
	char c;
	int procs = parameter("PROCS", 4);
	if (procs < 1 || procs > MOST)
		fail("PROCS=%d", procs);
	struct team t = { .each = (n + procs - 1) / procs, .work = work };
	clock_stop();
	OK(pipe(t.start));
	OK(pipe(t.ready));
	for (int i = 0; i < procs; i++)
		pid[i] = spawn(member, &t);
	for (int i = 0; i < procs; i++)
		EXPECT(1, read(t.ready[0], &c, 1));
	clock_go();
	close(t.start[1]);
	for (int i = 0; i < procs; i++)
		EXPECT(1, read(t.ready[0], &c, 1));
	clock_stop();
	for (int i = 0; i < procs; i++)
		wait_for(pid[i]);
	close(t.start[0]);
	close(t.ready[0]);
	close(t.ready[1]);
	clock_go();
}

static void nothing(void *arg) { (void)arg; }

static void forks(long n)
{
	while (n--)
		wait_for(spawn(nothing, 0));
}

enum { BLOCK = 64 };

static void faults(long n)
{
	for (; n > 0; n -= BLOCK) {
		long count = n < BLOCK ? n : BLOCK;
		volatile char *p = pages(BLOCK * PAGE);
		for (long i = 0; i < count; i++)
			p[i * PAGE] = 1;
		munmap((void *)p, BLOCK * PAGE);
	}
}

/* Each writes to a pipe of its own and reads it back. */
static void pipes(long n)
{
	static char buf[512];
	int fd[2];
	OK(pipe(fd));
	while (n--) {
		EXPECT(sizeof buf, write(fd[1], buf, sizeof buf));
		EXPECT(sizeof buf, read(fd[0], buf, sizeof buf));
	}
	close(fd[0]);
	close(fd[1]);
}

/* No kernel at all: what the host has to give to so many CPUs. */
static void alu(long n)
{
	uint64_t x = 88172645463325252ull;
	while (n--)
		for (int i = 0; i < 1000; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			__asm__ volatile("" : "+r"(x));
		}
}

static void scale_control(long n) { together(alu, n); }
static void scale_fork(long n) { together(forks, n); }
static void scale_fault(long n) { together(faults, n); }
static void scale_pipe(long n) { together(pipes, n); }

const struct row scaling_rows[] = {
	{ "scale.control", 400, scale_control, 0, 0 },
	{ "scale.fork", 80, scale_fork, 0, 0 },
	{ "scale.fault", 2048, scale_fault, 0, 0 },
	{ "scale.pipe", 4000, scale_pipe, 0, 0 },
	{ 0 },
};
