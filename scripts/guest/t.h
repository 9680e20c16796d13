/*
 * What a test case of scripts/guest sees. A case is a function declared by
 * TEST(group, name); it runs in a fresh process, the leader of a session of its
 * own, and passes when it returns. CHECK and its kin end the process they are
 * called in; a child of a case ends with status 99 then, and wait_ok in its
 * parent passes the failure on.
 */
#ifndef T_H
#define T_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct test {
	const char *group, *name;
	void (*fn)(void);
	int seconds; /* time limit */
	int flags;
};

#define TAMARIX_ONLY 1 /* looks at what only Tamarix counts */
#define NEEDS_PID1   2 /* the runner must be process 1 */
#define NEEDS_VM     4 /* may not be run on a host: it would suffer */

#define TEST_FLAGS(g, n, secs, fl)                                            \
	static void g##_##n(void);                                            \
	static const struct test g##_##n##_entry = { #g, #n, g##_##n, secs, fl }; \
	static const struct test *const g##_##n##_ptr                         \
	    __attribute__((used, section("tests"))) = &g##_##n##_entry;       \
	static void g##_##n(void)
#define TEST(g, n) TEST_FLAGS(g, n, 20, 0)
#define TEST_SLOW(g, n, secs) TEST_FLAGS(g, n, secs, 0)

/* Report why, and end this process. */
void fail_at(const char *file, int line, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
/* End the case as one that cannot be run here. */
void skip(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#define FAIL(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(c) do { if (!(c)) { int e_ = errno; FAIL("%s (errno %d, %s)", #c, e_, strerror(e_)); } } while (0)
/* The call must succeed (not return -1). */
#define OK(call) ({ long r_ = (long)(call); if (r_ == -1) { int e_ = errno; FAIL("%s: %s", #call, strerror(e_)); } r_; })
/* The call must fail with that errno. */
#define ERR(want, call) do { errno = 0; long r_ = (long)(call); int e_ = errno; \
	if (r_ != -1) FAIL("%s: returned %ld, want %s", #call, r_, #want); \
	if (e_ != (want)) FAIL("%s: errno %d (%s), want %s", #call, e_, strerror(e_), #want); } while (0)
#define EQ(a, b) do { long a_ = (long)(a), b_ = (long)(b); if (a_ != b_) FAIL("%s is %ld (%#lx), want %s = %ld (%#lx)", #a, a_, a_, #b, b_, b_); } while (0)
#define STREQ(a, b) do { const char *a_ = (a), *b_ = (b); if (strcmp(a_, b_)) FAIL("%s is \"%s\", want \"%s\"", #a, a_, b_); } while (0)
/* lo <= v <= hi */
#define WITHIN(v, lo, hi) do { long v_ = (long)(v), l_ = (long)(lo), h_ = (long)(hi); if (v_ < l_ || v_ > h_) FAIL("%s is %ld, want %ld to %ld", #v, v_, l_, h_); } while (0)

/* fork; the child runs fn(arg) and exits with 0. */
pid_t spawn(void (*fn)(void *), void *arg);
/* Wait for pid; it must have exited with status 0. */
void wait_ok(pid_t pid);
/* Wait for pid and return its wait status. */
int wait_status(pid_t pid);
/* Wait for pid, which must have been killed by sig. */
void wait_signaled(pid_t pid, int sig);
/* FORK { child's code; it exits 0 } ; gives the child's pid in a variable. */
#define FORK(pidvar) pid_t pidvar = OK(fork()); if (pidvar == 0)

/* A pipe as a doorbell between processes. */
void bell_make(int fd[2]);
void bell_ring(int fd[2]);
void bell_wait(int fd[2]);

/* Sleep, also through signals. */
void sleep_ms(int ms);
/* Monotonic time. */
int64_t now_ms(void);
/* Wait until the condition holds; the case fails after 15 seconds. */
#define EVENTUALLY(c) do { int64_t end_ = now_ms() + 15000; while (!(c)) { if (now_ms() > end_) FAIL("never: %s", #c); sleep_ms(5); } } while (0)

/* A whole small file; fails the case if it cannot be read. Static buffer. */
char *slurp(const char *path);
/* Write text to a file that may have to be made. */
void spit(const char *path, const char *text);
/* The number that follows key at the start of a line (0 fails the case). */
long field_of(const char *path, const char *key);
/* The same; -1 where there is no such line or file. */
long field_or(const char *path, const char *key);
/* The state letter in /proc/PID/stat; 0 when there is no such process. */
char proc_state(pid_t pid);
/* Field n (from 1, as in proc(5)) of /proc/PID/stat. */
long proc_stat(pid_t pid, int n);
/* Is this Tamarix? */
int is_tamarix(void);
/* Memory shared by the case and its children, zeroed. */
void *shared(size_t len);

/* Programs run by exec: the runner's own binary under another argv[0]. */
#define SELF "/proc/self/exe"
struct helper {
	const char *name;
	int (*fn)(int argc, char **argv);
};
#define HELPER(n)                                                             \
	static int helper_##n(int argc, char **argv);                         \
	static const struct helper helper_##n##_entry = { #n, helper_##n };   \
	static const struct helper *const helper_##n##_ptr                    \
	    __attribute__((used, section("helpers"))) = &helper_##n##_entry;  \
	static int helper_##n(int argc, char **argv)

#define PAGE 4096L

#endif
