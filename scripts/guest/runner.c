/*
 * The runner: process 1 of a test image, or an ordinary program on a Linux host.
 * It runs the cases one after the other and prints a line for each.
 *
 *   RUN=text in the environment (the kernel command line) runs only the cases
 *   whose group/name begins with one of the comma-separated words (of -a,-b: with none); REPEAT=n runs
 *   each n times, VERBOSE=1 announces each.
 */
#include "t.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/utsname.h>

extern const struct test *const __start_tests[], *const __stop_tests[];
extern const struct helper *const __start_helpers[] __attribute__((weak));
extern const struct helper *const __stop_helpers[] __attribute__((weak));

static char *why; /* shared with all children: the first failure's text */
enum { WHY_SIZE = 1024 };

static void note(const char *kind, const char *file, int line, const char *fmt, va_list ap)
{
	char text[WHY_SIZE];
	int n = 0;
	if (file)
		n = snprintf(text, sizeof text, "%s:%d: ", file, line);
	vsnprintf(text + n, sizeof text - n, fmt, ap);
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = ' ';
	if (why && !why[0])
		strcpy(why, text);
	else if (!why)
		dprintf(1, "# %s %s\n", kind, text);
}

void fail_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	note("FAIL", file, line, fmt, ap);
	_exit(99);
}

void skip(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	note("skip", 0, 0, fmt, ap);
	_exit(77);
}

int is_tamarix(void)
{
	struct utsname u;
	return uname(&u) == 0 && strstr(u.release, "tamarix") != 0;
}

static int wanted(const struct test *t)
{
	const char *run = getenv("RUN");
	if (!run || !*run)
		return 1;
	char full[128];
	snprintf(full, sizeof full, "%s/%s", t->group, t->name);
	char list[512];
	snprintf(list, sizeof list, "%s", run);
	int without = list[0] == '-'; /* "-a,-b": all but these */
	for (char *w = strtok(list, ","); w; w = strtok(0, ",")) {
		if (without)
			w++;
		if (!strncmp(full, w, strlen(w)))
			return !without;
	}
	return without;
}

/* Reap all that is there; the status of pid, if it was among them. */
static int reap(pid_t pid, int *status)
{
	int found = 0, st;
	pid_t p;
	while ((p = waitpid(-1, &st, WNOHANG)) > 0)
		if (p == pid)
			found = 1, *status = st;
	return found;
}

/* Nothing a case has started may outlive it. */
static void sweep(pid_t pgrp)
{
	kill(-pgrp, SIGKILL);
	int64_t end = now_ms() + 3000;
	for (;;) {
		if (getpid() == 1)
			kill(-1, SIGKILL);
		int st;
		pid_t p = waitpid(-1, &st, WNOHANG);
		if (p < 0 || now_ms() > end)
			return;
		if (p == 0)
			sleep_ms(2);
	}
}

static int run(const struct test *t)
{
	sigset_t chld;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, 0);
	if (why)
		memset(why, 0, WHY_SIZE);
	/* A slow or busy host gets more time: SLOW=factor. */
	int seconds = t->seconds * (getenv("SLOW") ? atoi(getenv("SLOW")) : 1);
	int64_t start = now_ms();
	if (getenv("VERBOSE"))
		dprintf(1, "run %s/%s\n", t->group, t->name);
	pid_t pid = fork();
	if (pid < 0) {
		dprintf(1, "FAIL %s/%s fork: %s\n", t->group, t->name, strerror(errno));
		return 1;
	}
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &chld, 0);
		setsid();
		chdir("/tmp");
		t->fn();
		_exit(0);
	}
	int status = 0, done = 0, late = 0;
	while (!(done = reap(pid, &status))) {
		int64_t left = start + seconds * 1000LL - now_ms();
		if (left <= 0) {
			late = 1;
			break;
		}
		if (left > 500)
			left = 500; /* should a SIGCHLD get lost */
		struct timespec ts = { left / 1000, left % 1000 * 1000000 };
		if (sigtimedwait(&chld, 0, &ts) < 0 && errno == ENOSYS)
			sleep_ms(1);
	}
	char state[64] = "";
	if (late) {
		char s = proc_state(pid);
		snprintf(state, sizeof state, "no end within %d s (state %c)", seconds, s ? s : '?');
	}
	sweep(pid);
	const char *text = why && why[0] ? why : 0;
	int ms = now_ms() - start;
	if (late)
		dprintf(1, "FAIL %s/%s %s%s%s\n", t->group, t->name, state, text ? ", " : "", text ? text : "");
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		dprintf(1, "ok %s/%s %d ms\n", t->group, t->name, ms);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		dprintf(1, "skip %s/%s %s\n", t->group, t->name, text ? text : "");
	else if (WIFSIGNALED(status))
		dprintf(1, "FAIL %s/%s killed by signal %d %s\n", t->group, t->name, WTERMSIG(status), text ? text : "");
	else
		dprintf(1, "FAIL %s/%s %s\n", t->group, t->name, text ? text : "exit status not 0");
	return late || (status != 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 77));
}

static int by_name(const void *a, const void *b)
{
	const struct test *x = *(const struct test *const *)a, *y = *(const struct test *const *)b;
	int c = strcmp(x->group, y->group);
	return c ? c : (x > y) - (x < y);
}

/* Process 1 makes itself at home; a failure shows in the cases that need it. */
static void mounts(void)
{
	static const struct { const char *what, *dir, *type, *data; } m[] = {
		{ "proc", "/proc", "proc", 0 },
		{ "devtmpfs", "/dev", "devtmpfs", 0 },
		{ "sysfs", "/sys", "sysfs", 0 },
		{ "devpts", "/dev/pts", "devpts", "gid=5,mode=620" },
		{ "tmpfs", "/dev/shm", "tmpfs", "mode=1777" },
		{ "tmpfs", "/tmp", "tmpfs", "mode=1777" },
	};
	for (size_t i = 0; i < sizeof m / sizeof *m; i++) {
		mkdir(m[i].dir, 0755);
		if (mount(m[i].what, m[i].dir, m[i].type, 0, m[i].data) < 0 && errno != EBUSY)
			dprintf(1, "# mount %s: %s\n", m[i].dir, strerror(errno));
	}
}

int main(int argc, char **argv)
{
	for (const struct helper *const *h = __start_helpers; h < __stop_helpers; h++)
		if (argc > 0 && !strcmp(argv[0], (*h)->name))
			return (*h)->fn(argc, argv);

	int init = getpid() == 1 && !getenv("HOST");
	if (init)
		mounts();
	signal(SIGPIPE, SIG_DFL);
	why = mmap(0, WHY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (why == MAP_FAILED)
		why = 0;
	if (getpid() != 1)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	setenv("PATH", "/bin:/sbin:/usr/bin", 1);
	mkdir("/tmp", 01777);

	size_t n = __stop_tests - __start_tests, failed = 0, ran = 0;
	const struct test **all = malloc(n * sizeof *all);
	memcpy(all, __start_tests, n * sizeof *all);
	qsort(all, n, sizeof *all, by_name);
	int repeat = getenv("REPEAT") ? atoi(getenv("REPEAT")) : 1;
	dprintf(1, "BEGIN %d cases\n", (int)n);
	for (size_t i = 0; i < n; i++) {
		if (!wanted(all[i]))
			continue;
		if ((all[i]->flags & TAMARIX_ONLY) && !is_tamarix())
			continue;
		if ((all[i]->flags & NEEDS_PID1) && getpid() != 1)
			continue;
		if ((all[i]->flags & NEEDS_VM) && !init)
			continue;
		for (int r = 0; r < repeat; r++) {
			ran++;
			failed += run(all[i]);
		}
	}
	dprintf(1, "DONE %d run, %d failed\n", (int)ran, (int)failed);
	if (init) {
		sync();
		reboot(RB_POWER_OFF);
		for (;;)
			pause();
	}
	return failed != 0;
}
