/* What t.h promises. */
#include "t.h"

#include <ctype.h>

pid_t spawn(void (*fn)(void *), void *arg)
{
	pid_t pid = OK(fork());
	if (pid == 0) {
		fn(arg);
		_exit(0);
	}
	return pid;
}

int wait_status(pid_t pid)
{
	int st;
	pid_t p;
	do
		p = waitpid(pid, &st, 0);
	while (p < 0 && errno == EINTR);
	if (p != pid)
		FAIL("waitpid(%d) = %d: %s", pid, p, strerror(errno));
	return st;
}

void wait_ok(pid_t pid)
{
	int st = wait_status(pid);
	if (WIFSIGNALED(st))
		FAIL("child %d was killed by signal %d", pid, WTERMSIG(st));
	if (!WIFEXITED(st) || WEXITSTATUS(st) != 0)
		FAIL("child %d: wait status %#x", pid, st);
}

void wait_signaled(pid_t pid, int sig)
{
	int st = wait_status(pid);
	if (!WIFSIGNALED(st) || WTERMSIG(st) != sig)
		FAIL("child %d: wait status %#x, want a death by signal %d", pid, st, sig);
}

void bell_make(int fd[2]) { OK(pipe(fd)); }

void bell_ring(int fd[2]) { EQ(write(fd[1], "", 1), 1); }

void bell_wait(int fd[2])
{
	char c;
	ssize_t n;
	do
		n = read(fd[0], &c, 1);
	while (n < 0 && errno == EINTR);
	EQ(n, 1);
}

void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static char *slurp_or(const char *path)
{
	static char buf[256 * 1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	size_t n = 0;
	ssize_t r;
	while (n < sizeof buf - 1 && (r = read(fd, buf + n, sizeof buf - 1 - n)) > 0)
		n += r;
	close(fd);
	buf[n] = 0;
	return buf;
}

char *slurp(const char *path)
{
	char *s = slurp_or(path);
	if (!s)
		FAIL("%s: %s", path, strerror(errno));
	return s;
}

void spit(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
	EQ(write(fd, text, strlen(text)), strlen(text));
	OK(close(fd));
}

long field_or(const char *path, const char *key)
{
	char *s = slurp_or(path);
	size_t n = strlen(key);
	while (s && *s) {
		if (!strncmp(s, key, n) && !isalnum((unsigned char)s[n]) && s[n] != '_') {
			s += n;
			while (*s == ':' || isspace((unsigned char)*s))
				s++;
			return strtol(s, 0, 0);
		}
		s = strchr(s, '\n');
		if (s)
			s++;
	}
	return -1;
}

long field_of(const char *path, const char *key)
{
	long v = field_or(path, key);
	if (v == -1)
		FAIL("%s has no %s", path, key);
	return v;
}

static char *after_comm(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	char *s = slurp_or(path);
	return s ? strrchr(s, ')') : 0;
}

char proc_state(pid_t pid)
{
	char *s = after_comm(pid);
	return s && s[1] ? s[2] : 0;
}

long proc_stat(pid_t pid, int n)
{
	char *s = after_comm(pid);
	if (!s)
		FAIL("no /proc/%d/stat", pid);
	for (int i = 2; i < n; i++) {
		s = strchr(s + 1, ' ');
		if (!s)
			FAIL("/proc/%d/stat has no field %d", pid, n);
	}
	return strtol(s + 1, 0, 10);
}

void *shared(size_t len)
{
	void *p = mmap(0, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}
