/*
 * Everything at once, for as long as STRESS_SECONDS in the environment says:
 * fork bombs within RLIMIT_NPROC, exec loops, threads that map, protect and
 * unmap, signals, pipes, files, locks, and memory filled until the OOM killer
 * acts. Then the machine must be as it was: the same frames in use, and able to
 * run programs.
 */
#include "t.h"

#include <pthread.h>

enum { BOMB_UID = 4242, BOMB_TASKS = 48, NOBODY = 65534 };

static int64_t end; /* of the load, ms */
static volatile long *progress; /* rounds done, by each kind of load */

static int over(void) { return now_ms() >= end; }

/* fork; memory may be full for a moment, while the OOM killer is at work. */
static pid_t fork_patiently(void)
{
	for (;;) {
		pid_t pid = fork();
		if (pid >= 0)
			return pid;
		if (errno != ENOMEM)
			FAIL("fork: %s", strerror(errno));
		sleep_ms(10);
	}
}
#define FORK_PATIENTLY(pidvar) pid_t pidvar = fork_patiently(); if (pidvar == 0)

/* ---- the loads: each runs in a process of its own until the time is over ---- */

/* A fork bomb: everybody forks as long as RLIMIT_NPROC allows. */
static void bomb_node(int depth)
{
	while (!over()) {
		pid_t p = fork();
		if (p == 0) {
			if (depth < 6)
				bomb_node(depth + 1);
			_exit(0);
		}
		if (p < 0) {
			if (errno != EAGAIN && errno != ENOMEM)
				FAIL("fork: %s", strerror(errno));
			break;
		}
	}
	while (wait(0) > 0)
		;
}

static void load_bombs(long *n)
{
	while (!over()) {
		FORK_PATIENTLY(pid) {
			struct rlimit rl = { BOMB_TASKS, BOMB_TASKS };
			OK(setrlimit(RLIMIT_NPROC, &rl));
			OK(setgid(BOMB_UID));
			OK(setuid(BOMB_UID));
			bomb_node(0);
			_exit(0);
		}
		/* Now and then the whole bomb is killed in its middle. */
		if (*n % 3 == 0) {
			sleep_ms(100);
			kill(pid, SIGKILL);
			wait_status(pid);
		} else
			wait_ok(pid);
		++*n;
	}
}

HELPER(stress_true) { return argc == 3 ? atoi(argv[1]) : 98; }

static void load_exec(long *n)
{
	for (; !over(); ++*n) {
		pid_t pid = *n & 1 ? vfork() : fork();
		if (pid == 0) {
			char *argv[] = { "stress_true", "17", "x", 0 }, *envp[] = { 0 };
			execve(SELF, argv, envp);
			_exit(97);
		}
		if (pid < 0) {
			EQ(errno, ENOMEM);
			continue;
		}
		int st = wait_status(pid);
		EQ(WIFEXITED(st) ? WEXITSTATUS(st) : -1, 17);
	}
}

static void *mapper(void *arg)
{
	unsigned r = (uintptr_t)arg * 2654435761u;
	long rounds = 0;
	while (!over()) {
		r = r * 1664525 + 1013904223;
		size_t pages = 1 + (r >> 24) % 64;
		unsigned char *p = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE,
		    (r & 1 ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED) {
			EQ(errno, ENOMEM);
			continue;
		}
		for (size_t i = 0; i < pages; i += 1 + (r >> 8) % 4)
			{
			EQ(p[i * PAGE], 0);
			p[i * PAGE] = r >> 16;
		}
		size_t hole = pages / 2;
		OK(mprotect(p + hole * PAGE, (pages - hole) * PAGE, PROT_READ));
		EQ(p[0], (unsigned char)(r >> 16));
		if (r & 2)
			OK(madvise(p, hole * PAGE + PAGE, MADV_DONTNEED));
		/* In two steps, last page first: another thread may map the gap at once. */
		if ((r & 4) && pages > 1)
			OK(munmap(p + --pages * PAGE, PAGE));
		OK(munmap(p, pages * PAGE));
		rounds++;
	}
	return (void *)rounds;
}

static void load_maps(long *n)
{
	pthread_t t[6];
	for (int i = 0; i < 6; i++)
		EQ(pthread_create(&t[i], 0, mapper, (void *)(uintptr_t)(i + 1)), 0);
	for (int i = 0; i < 6; i++) {
		void *rounds;
		EQ(pthread_join(t[i], &rounds), 0);
		*n += (long)rounds;
	}
}

static volatile sig_atomic_t usr1, rt;
static void on_usr1(int sig) { usr1++; }
static void on_rt(int sig, siginfo_t *info, void *uc) { rt += info->si_value.sival_int; }

static void load_signals(long *n)
{
	struct sigaction a = { .sa_handler = on_usr1 }, b = { .sa_sigaction = on_rt, .sa_flags = SA_SIGINFO | SA_RESTART };
	OK(sigaction(SIGUSR1, &a, 0));
	OK(sigaction(SIGRTMIN, &b, 0));
	int sent = 0;
	while (!over()) {
		pid_t parent = getpid();
		FORK_PATIENTLY(pid) {
			for (int i = 0; i < 50; i++) {
				kill(parent, SIGUSR1);
				union sigval v = { 1 };
				while (sigqueue(parent, SIGRTMIN, v) < 0)
					EQ(errno, EAGAIN);
			}
			_exit(0);
		}
		for (int i = 0; i < 50; i++) {
			kill(pid, SIGSTOP);
			kill(pid, SIGCONT);
		}
		wait_ok(pid);
		sent += 50;
		EVENTUALLY(rt == sent); /* real-time signals do not get lost */
		++*n;
	}
}

/* Numbers go round a ring of processes; each adds one. */
static void load_pipes(long *n)
{
	enum { RING = 6 };
	int fd[RING][2];
	for (int i = 0; i < RING; i++)
		OK(pipe(fd[i]));
	pid_t pid[RING];
	for (int i = 1; i < RING; i++) {
		pid[i] = fork_patiently();
		if (pid[i] == 0) {
			for (int j = 0; j < RING; j++) {
				if (j != i - 1)
					close(fd[j][0]);
				if (j != i)
					close(fd[j][1]);
			}
			long v[64];
			ssize_t r;
			while ((r = read(fd[i - 1][0], v, sizeof v)) == sizeof v) {
				for (int j = 0; j < 64; j++)
					v[j]++;
				EQ(write(fd[i][1], v, sizeof v), sizeof v);
			}
			_exit(r != 0);
		}
	}
	for (int i = 0; i < RING; i++) {
		if (i != RING - 1)
			close(fd[i][0]);
		if (i != 0)
			close(fd[i][1]);
	}
	long v[64] = { 0 };
	for (; !over(); ++*n) {
		EQ(write(fd[0][1], v, sizeof v), sizeof v);
		EQ(read(fd[RING - 1][0], v, sizeof v), sizeof v);
		EQ(v[63], (*n + 1) * (RING - 1));
	}
	close(fd[0][1]);
	for (int i = 1; i < RING; i++)
		wait_ok(pid[i]);
}

static void load_files(long *n)
{
	static char data[100 * 1000], back[100 * 1000];
	char name[64];
	snprintf(name, sizeof name, "/tmp/stress-%d", (int)getpid());
	for (; !over(); ++*n) {
		memset(data, *n, sizeof data);
		int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0) {
			CHECK(errno == ENOSPC || errno == ENOMEM || errno == ENFILE);
			continue;
		}
		ssize_t w = write(fd, data, sizeof data);
		if (w < 0)
			CHECK(errno == ENOSPC || errno == ENOMEM);
		if (w > 0) {
			EQ(pread(fd, back, w, 0), w);
			CHECK(!memcmp(data, back, w));
		}
		OK(unlink(name));
		OK(close(fd));
	}
}

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static long guarded;

static void *locker(void *arg)
{
	long mine = 0;
	while (!over()) {
		pthread_mutex_lock(&mu);
		guarded++;
		pthread_mutex_unlock(&mu);
		mine++;
	}
	return (void *)mine;
}

static void load_locks(long *n)
{
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		EQ(pthread_create(&t[i], 0, locker, 0), 0);
	long sum = 0;
	for (int i = 0; i < 4; i++) {
		void *mine;
		EQ(pthread_join(t[i], &mine), 0);
		sum += (long)mine;
	}
	EQ(guarded, sum);
	*n = sum;
}

/* Fill memory until the OOM killer comes. */
static void load_hog(long *n)
{
	while (!over()) {
		FORK_PATIENTLY(pid) {
			spit("/proc/self/oom_score_adj", "1000");
			for (;;) {
				char *p = mmap(0, 256 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
				if (p == MAP_FAILED)
					continue;
				for (int i = 0; i < 256; i++)
					p[i * PAGE] = 1;
			}
		}
		wait_signaled(pid, SIGKILL);
		++*n;
		sleep_ms(500);
	}
}

static const struct load {
	const char *name;
	void (*fn)(long *n);
} loads[] = {
	{ "bombs", load_bombs }, { "exec", load_exec }, { "exec", load_exec }, { "maps", load_maps },
	{ "signals", load_signals }, { "pipes", load_pipes }, { "files", load_files }, { "locks", load_locks },
	{ "hog", load_hog },
};
enum { LOADS = sizeof loads / sizeof *loads };

static void run_all(int seconds)
{
	end = now_ms() + seconds * 1000;
	memset((void *)progress, 0, PAGE);
	pid_t pid[LOADS];
	for (int i = 0; i < LOADS; i++) {
		pid[i] = fork_patiently();
		if (pid[i] == 0) {
			spit("/proc/self/oom_score_adj", "-900");
			loads[i].fn((long *)&progress[i]);
			_exit(0);
		}
	}
	for (int i = 0; i < LOADS; i++) {
		int st = wait_status(pid[i]);
		if (st != 0)
			FAIL("load %s: wait status %#x", loads[i].name, st);
		if (progress[i] == 0)
			FAIL("load %s came to nothing", loads[i].name);
	}
}

static const char *const counters[] = { "frames_anon", "frames_cache", "frames_pagetable", "nr_address_spaces" };
enum { COUNTERS = sizeof counters / sizeof *counters };

static void count(long *v)
{
	for (int i = 0; i < COUNTERS; i++)
		v[i] = field_of("/proc/vmstat", counters[i]);
}

TEST_FLAGS(stress, everything_at_once, 900, NEEDS_VM)
{
	const char *s = getenv("STRESS_SECONDS");
	int seconds = s && atoi(s) > 0 ? atoi(s) : 15;
	progress = shared(PAGE);
	run_all(3); /* what is made once and kept is made now */
	long before[COUNTERS], after[COUNTERS];
	if (is_tamarix())
		count(before), count(before);
	run_all(seconds);
	for (int i = 0; i < LOADS; i++)
		dprintf(1, "# %s: %ld rounds\n", loads[i].name, progress[i]);
	if (is_tamarix()) {
		/* Address spaces go a moment after their last process is waited for. */
		int64_t until = now_ms() + 10000;
		int same;
		do {
			count(after);
			same = !memcmp(before, after, sizeof before);
		} while (!same && (sleep_ms(20), now_ms() < until));
		for (int i = 0; i < COUNTERS; i++)
			if (after[i] != before[i])
				FAIL("%s: %ld before, %ld after", counters[i], before[i], after[i]);
	}
	wait_ok(spawn((void (*)(void *))sleep_ms, (void *)1));
}
