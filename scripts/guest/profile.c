/* /proc/tamarix: the kernel's profiler and the figures of its Go runtime. */
#include "t.h"

#include <sys/prctl.h>

#define PROFILE "/proc/tamarix/profile"

/* What write(2) says to a command. */
static long command(const char *text)
{
	int fd = OK(open(PROFILE, O_WRONLY));
	long n = write(fd, text, strlen(text));
	int e = errno;
	close(fd);
	errno = e;
	return n;
}

static void busy(int ms)
{
	int64_t end = now_ms() + ms;
	while (now_ms() < end)
		for (int i = 0; i < 100; i++)
			getppid();
}

/* The sum of the counts on the lines of that kind. */
static long samples(const char *kind)
{
	long n = 0;
	char want[16];
	snprintf(want, sizeof want, "\n%s ", kind);
	for (char *p = slurp(PROFILE); (p = strstr(p, want)); p++)
		n += strtol(p + strlen(want), 0, 10);
	return n;
}

TEST_FLAGS(profile, take, 20, TAMARIX_ONLY)
{
	OK(command("start 1000"));
	ERR(EBUSY, command("start"));
	busy(600);
	OK(command("stop\n"));
	ERR(EINVAL, command("stop"));
	EQ(field_of(PROFILE, "rate"), 1000);
	CHECK(field_of(PROFILE, "ns") > 500000000);
	/* A busy host delivers late, but not nothing. */
	WITHIN(samples("user") + samples("kernel"), 50, 10000);
	CHECK(samples("kernel") > 0);
	long n = samples("kernel");
	busy(50);
	EQ(samples("kernel"), n); /* it has ended */
	char *text = slurp(PROFILE);
	STREQ(text + strlen(text) - 4, "end\n");
}

TEST_FLAGS(profile, names_programs, 20, TAMARIX_ONLY)
{
	OK(prctl(PR_SET_NAME, "spin ner", 0, 0, 0));
	OK(command("start 2000"));
	FORK(pid) { /* inherits the name */
		for (int64_t end = now_ms() + 500; now_ms() < end; )
			for (volatile int i = 0; i < 100000; i++)
				;
		_exit(0);
	}
	wait_ok(pid);
	OK(command("stop"));
	CHECK(strstr(slurp(PROFILE), " spin?ner\n"));
}

TEST_FLAGS(profile, refuses, 20, TAMARIX_ONLY)
{
	ERR(EINVAL, command("start 0"));
	ERR(EINVAL, command("start 1000000"));
	ERR(EINVAL, command("start fast"));
	ERR(EINVAL, command("begin"));
	FORK(pid) {
		OK(setuid(1000));
		ERR(EACCES, open(PROFILE, O_RDONLY));
		ERR(EACCES, open(PROFILE, O_WRONLY));
		_exit(0);
	}
	wait_ok(pid);
}

/* The tick is what it was: time is charged, sleepers wake, while samples are taken. */
TEST_FLAGS(profile, keeps_time, 20, TAMARIX_ONLY)
{
	OK(command("start 5000"));
	int64_t start = now_ms();
	for (int i = 0; i < 20; i++)
		sleep_ms(5);
	WITHIN(now_ms() - start, 100, 5000);
	struct rusage a, b;
	getrusage(RUSAGE_SELF, &a);
	volatile long x = 0;
	for (int64_t end = now_ms() + 300; now_ms() < end; )
		for (int i = 0; i < 100000; i++)
			x += i;
	getrusage(RUSAGE_SELF, &b);
	OK(command("stop"));
	CHECK((b.ru_utime.tv_sec - a.ru_utime.tv_sec) * 1000000 + b.ru_utime.tv_usec - a.ru_utime.tv_usec > 50000);
}

TEST_FLAGS(profile, heap, 20, TAMARIX_ONLY)
{
	spit("/proc/tamarix/heap", "1");
	for (int i = 0; i < 100; i++) /* a mapping each */
		OK(mmap(0, PAGE, i & 1 ? PROT_READ : PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	spit("/proc/tamarix/heap", "0");
	long n = 0, most = 0;
	for (char *p = slurp("/proc/tamarix/heap"); (p = strstr(p, "\nalloc ")); p++) {
		n = strtol(p + 7, 0, 10);
		most = n > most ? n : most;
	}
	CHECK(most >= 100);
	int fd = OK(open("/proc/tamarix/heap", O_WRONLY));
	ERR(EINVAL, write(fd, "-1", 2));
}

TEST_FLAGS(profile, gostat, 20, TAMARIX_ONLY)
{
	CHECK(field_of("/proc/tamarix/gostat", "mallocs") > 0);
	CHECK(field_of("/proc/tamarix/gostat", "heap_bytes") > 0);
	CHECK(field_of("/proc/tamarix/gostat", "gc_pause_max_ns") >= 0);
}
