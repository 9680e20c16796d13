/* Processes and threads: made, ended, and waited for. */
#include "bench.h"

#include <pthread.h>
#include <sys/stat.h>

static void fork_exit(long n)
{
	while (n--) {
		pid_t pid = OK(fork());
		if (pid == 0)
			_exit(0);
		wait_for(pid);
	}
}

/* A static program that does nothing, and a dynamic one. */
#define STATIC "/bench/exit"
#define DYNAMIC "/bench/dynamic"

static char *const env[] = { "PATH=/bin:/usr/bin", "HOME=/", "TERM=linux", 0 };

static void have(const char *program)
{
	if (access(program, X_OK) < 0)
		skip("no %s in this archive", program);
}

static void have_static(void) { have(STATIC); }
static void have_dynamic(void) { have(DYNAMIC); }

static void start(pid_t (*how)(void), const char *program, long n)
{
	char *const argv[] = { (char *)program, 0 };
	while (n--) {
		pid_t pid = OK(how());
		if (pid == 0) {
			execve(program, argv, env);
			_exit(127);
		}
		wait_for(pid);
	}
}

static void fork_exec(long n) { start(fork, STATIC, n); }
static void exec_dyn(long n) { start(fork, DYNAMIC, n); }

/* vfork returns twice into one frame: it has to be called where it is used. */
static void vfork_exec(long n)
{
	char *const argv[] = { STATIC, 0 };
	while (n--) {
		pid_t pid = vfork();
		if (pid == 0) {
			execve(STATIC, argv, env);
			_exit(127);
		}
		wait_for(OK(pid));
	}
}

static void *nothing(void *arg) { return arg; }

static void thread(long n)
{
	while (n--) {
		pthread_t t;
		if ((errno = pthread_create(&t, 0, nothing, 0)))
			fail("pthread_create: %s", strerror(errno));
		pthread_join(t, 0);
	}
}

/* A parent that has memory of its own: what a fork must at least mark. */
static void dirty(size_t bytes)
{
	char *p = pages(bytes);
	for (size_t i = 0; i < bytes; i += PAGE)
		p[i] = 1;
}

static void dirty_64m(void) { dirty(64 * MIB); }
static void dirty_1g(void) { dirty(1024 * MIB); }

/* As a program gets it that asks for nothing: in huge pages where the kernel
   gives them unasked. */
static void dirty_1g_default(void)
{
	char *p = mmap(0, 1024 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(p);
	for (long i = 0; i < 1024 * MIB; i += PAGE)
		p[i] = 1;
}

const struct row process_rows[] = {
	{ "fork_exit", 100, fork_exit, 0, 0 },
	{ "vfork_exec", 50, vfork_exec, have_static, 0 },
	{ "fork_exec", 50, fork_exec, have_static, 0 },
	{ "exec_dyn", 20, exec_dyn, have_dynamic, 0 },
	{ "thread", 200, thread, 0, 0 },
	{ "fork_64m", 10, fork_exit, dirty_64m, 0 },
	{ "big.fork_1g", 2, fork_exit, dirty_1g, 1500 },
	{ "big.fork_1g_default", 2, fork_exit, dirty_1g_default, 1500 },
	{ 0 },
};
