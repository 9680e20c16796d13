/*
 * What a row of the benchmark sees. A row is a pair of functions: setup makes
 * ready what is measured, run does the operation n times. Both run in a process
 * of the row's own, forked by process 1, which kills it with all it has started
 * when the row is done or its time is up.
 *
 * The clock runs while run does. What belongs to an operation's preparation
 * and not to the operation (the fork before a copy-on-write fault, say) stands
 * between clock_stop and clock_go.
 */
#ifndef BENCH_H
#define BENCH_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct row {
	const char *name;
	long ops; /* operations in a batch where instructions are counted */
	void (*run)(long n);
	void (*setup)(void);
	int mib; /* memory the machine must have, or 0 */
};

/* The rows, in the order they run; each table ends with a row without a name. */
extern const struct row control_rows[], call_rows[], file_rows[], ipc_rows[], process_rows[],
    memory_rows[], signal_rows[], shell_rows[], scaling_rows[];

void clock_stop(void);
void clock_go(void);

/* A number from the environment (the kernel's command line), or what it is by default. */
long parameter(const char *name, long otherwise);

/* End the row: it cannot be measured here; it failed. From any of its processes. */
void skip(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The outcome of a call that must succeed; a call the kernel does not have skips the row. */
long must(const char *what, long outcome);
#define OK(call) must(#call, (long)(call))

/* must, in a loop under the clock and for raw calls too, which return the
   negated errno: one comparison. */
#define EXPECT(want, call) do { long got_ = (long)(call); if (__builtin_expect(got_ != (long)(want), 0)) unexpected(#call, got_); } while (0)
void unexpected(const char *what, long got) __attribute__((noreturn));

/* A system call without libc's wrapper around it, so that nothing but the call is measured. */
static inline long call0(long nr)
{
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr) : "rcx", "r11", "memory");
	return ret;
}

static inline long call2(long nr, long a, long b)
{
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return ret;
}

static inline long call3(long nr, long a, long b, long c)
{
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return ret;
}

/* Private memory in pages of 4 KiB: the rows about faults and forks measure
   those, on a machine of any size, and not what huge pages save. */
void *pages(size_t bytes);

/* Memory that the row shares with the processes it forks. */
void *shared(size_t bytes);

/* A child that runs fn(arg) and exits; wait_for takes its end, which must be a good one. */
pid_t spawn(void (*fn)(void *), void *arg);
void wait_for(pid_t pid);

/* Around what a profile is wanted of: see profile.c. */
void profile_start(void);
void profile_stop(void);

#define PAGE 4096L
#define KIB 1024L
#define MIB (1024 * KIB)

#endif
