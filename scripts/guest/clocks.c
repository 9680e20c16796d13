/* Clocks with and without the vDSO, timers, and the files that stand for timers and signals. */
#include "t.h"

#include <elf.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <ucontext.h>

/* --- vDSO */

static char *vdso(void) { return (char *)getauxval(AT_SYSINFO_EHDR); }

/* Look a symbol up as a C library does: dynamic section, hash table, version. */
static void *vdso_symbol(const char *name)
{
	char *base = vdso();
	CHECK(base);
	CHECK(!memcmp(base, "\177ELF", 4));
	Elf64_Ehdr *eh = (void *)base;
	Elf64_Phdr *ph = (void *)(base + eh->e_phoff);
	Elf64_Dyn *dyn = 0;
	char *load = 0;
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			load = base + ph[i].p_offset - ph[i].p_vaddr;
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (void *)(base + ph[i].p_offset);
	}
	CHECK(load && dyn);
	Elf64_Sym *sym = 0;
	char *str = 0;
	uint32_t *hash = 0;
	uint16_t *versym = 0;
	Elf64_Verdef *verdef = 0;
	for (; dyn->d_tag; dyn++) {
		void *p = load + dyn->d_un.d_ptr;
		switch (dyn->d_tag) {
		case DT_SYMTAB: sym = p; break;
		case DT_STRTAB: str = p; break;
		case DT_HASH: hash = p; break;
		case DT_VERSYM: versym = p; break;
		case DT_VERDEF: verdef = p; break;
		}
	}
	CHECK(sym && str && verdef && versym);
	if (!hash)
		skip("only a GNU hash table");
	for (uint32_t i = 1; i < hash[1]; i++) {
		if (strcmp(str + sym[i].st_name, name))
			continue;
		Elf64_Verdef *vd = verdef;
		while ((vd->vd_ndx & 0x7fff) != (versym[i] & 0x7fff)) {
			CHECK(vd->vd_next);
			vd = (void *)((char *)vd + vd->vd_next);
		}
		Elf64_Verdaux *aux = (void *)((char *)vd + vd->vd_aux);
		STREQ(str + aux->vda_name, "LINUX_2.6");
		return load + sym[i].st_value;
	}
	FAIL("no %s", name);
}

static int64_t ns(struct timespec t) { return t.tv_sec * 1000000000L + t.tv_nsec; }

static int64_t by_call(int clock)
{
	struct timespec t;
	OK(syscall(SYS_clock_gettime, clock, &t));
	return ns(t);
}

TEST(clocks, vdso_agrees_with_the_calls)
{
	int (*get)(clockid_t, struct timespec *) = vdso_symbol("__vdso_clock_gettime");
	static const int id[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
		CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	for (size_t i = 0; i < sizeof id / sizeof *id; i++)
		for (int k = 0; k < 1000; k++) {
			struct timespec t;
			int64_t a = by_call(id[i]);
			EQ(get(id[i], &t), 0);
			int64_t b = by_call(id[i]);
			if (ns(t) < a || ns(t) > b)
				FAIL("clock %d: %ld is not between %ld and %ld", id[i], (long)ns(t), (long)a, (long)b);
		}
	struct timespec t;
	EQ(get(CLOCK_REALTIME_COARSE, &t), 0);
	EQ(get(CLOCK_MONOTONIC_COARSE, &t), 0);
	EQ(get(77, &t), -EINVAL);
	int (*day)(struct timeval *, void *) = vdso_symbol("__vdso_gettimeofday");
	struct timeval tv;
	int64_t a = by_call(CLOCK_REALTIME) / 1000;
	EQ(day(&tv, 0), 0);
	WITHIN(tv.tv_sec * 1000000L + tv.tv_usec, a, by_call(CLOCK_REALTIME) / 1000);
	int tz[2] = { -1, -1 };
	EQ(day(0, tz), 0);
	CHECK(tz[0] != -1);
	time_t (*tm)(time_t *) = vdso_symbol("__vdso_time"), x;
	time_t y = tm(&x);
	EQ(x, y);
	WITHIN(y, a / 1000000, a / 1000000 + 2);
	EQ(tm(0) - y <= 1, 1);
	int (*cpu)(unsigned *, unsigned *, void *) = vdso_symbol("__vdso_getcpu");
	unsigned c = 1 << 30, n = 1 << 30;
	EQ(cpu(&c, &n, 0), 0);
	CHECK(c < 1024 && n < 1024);
	EQ(cpu(0, 0, 0), 0);
}

TEST(clocks, vdso_mapping)
{
	char *maps = slurp("/proc/self/maps");
	char *line = strstr(maps, "[vdso]");
	CHECK(line && strstr(maps, "[vvar"));
	while (line > maps && line[-1] != '\n')
		line--;
	CHECK(strtoul(line, 0, 16) == (unsigned long)vdso());
	CHECK(strstr(line, "r-xp"));
	FORK(pid) { *(volatile char *)vdso() = 0; _exit(0); }
	wait_signaled(pid, SIGSEGV);
	FORK(q) { *(volatile char *)(vdso() - PAGE) = 0; _exit(0); }
	wait_signaled(q, SIGSEGV);
	FORK(r) {
		int (*get)(clockid_t, struct timespec *) = vdso_symbol("__vdso_clock_gettime");
		struct timespec t;
		EQ(get(CLOCK_MONOTONIC, &t), 0);
		_exit(0);
	}
	wait_ok(r);
}

TEST(clocks, never_go_back)
{
	cpu_set_t all, one;
	OK(sched_getaffinity(0, sizeof all, &all));
	int cpus = CPU_COUNT(&all);
	int64_t last = 0;
	for (int i = 0; i < 3000; i++) {
		if (cpus > 1 && i % 10 == 0) {
			CPU_ZERO(&one);
			CPU_SET(i / 10 % cpus, &one);
			OK(sched_setaffinity(0, sizeof one, &one));
		}
		struct timespec t;
		OK(clock_gettime(CLOCK_MONOTONIC, &t));
		int64_t n = i & 1 ? ns(t) : by_call(CLOCK_MONOTONIC);
		if (n < last)
			FAIL("%ld after %ld", (long)n, (long)last);
		last = n;
	}
}

/* Readers see the clock go on while the kernel changes where it takes it from. */
static const char source_file[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

struct readers {
	int stop;
	int64_t last; /* the latest time that anybody has read */
};

static void *read_clock(void *arg)
{
	struct readers *r = arg;
	for (int i = 0; !__atomic_load_n(&r->stop, __ATOMIC_SEQ_CST); i++) {
		int64_t before = __atomic_load_n(&r->last, __ATOMIC_SEQ_CST);
		struct timespec t;
		OK(clock_gettime(CLOCK_MONOTONIC, &t));
		int64_t n = i & 1 ? ns(t) : by_call(CLOCK_MONOTONIC);
		if (n < before)
			FAIL("%ld after %ld", (long)n, (long)before);
		if (n > before + 5000000000)
			FAIL("%ld, and before that %ld", (long)n, (long)before);
		while (before < n && !__atomic_compare_exchange_n(&r->last, &before, n, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
	return 0;
}

TEST_FLAGS(clocks, source_can_be_switched, 30, NEEDS_VM)
{
	if (access(source_file, W_OK))
		skip("no clock source to choose: %s", strerror(errno));
	char names[256], first[64];
	snprintf(first, sizeof first, "%s", strtok(slurp(source_file), "\n"));
	snprintf(names, sizeof names, "%s", slurp("/sys/devices/system/clocksource/clocksource0/available_clocksource"));
	struct readers r = { 0 };
	struct timespec t;
	OK(clock_gettime(CLOCK_MONOTONIC, &t));
	r.last = ns(t);
	pthread_t thread[2];
	for (int i = 0; i < 2; i++)
		EQ(pthread_create(&thread[i], 0, read_clock, &r), 0);
	int switched = 0;
	for (int round = 0; round < 10; round++) {
		char list[256], *save;
		strcpy(list, names);
		for (char *name = strtok_r(list, " \n", &save); name; name = strtok_r(0, " \n", &save)) {
			spit(source_file, name);
			STREQ(strtok(slurp(source_file), "\n"), name);
			int64_t start = by_call(CLOCK_MONOTONIC);
			sleep_ms(5);
			WITHIN(by_call(CLOCK_MONOTONIC) - start, 5000000, 3000000000);
			switched++;
		}
	}
	__atomic_store_n(&r.stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++)
		EQ(pthread_join(thread[i], 0), 0);
	spit(source_file, first);
	CHECK(switched >= 10);
}

TEST(clocks, resolution_and_errors)
{
	struct timespec t;
	OK(syscall(SYS_clock_getres, CLOCK_MONOTONIC, &t));
	EQ(ns(t), 1);
	OK(syscall(SYS_clock_getres, CLOCK_REALTIME_COARSE, &t));
	WITHIN(ns(t), 1000000, 10000000);
	OK(syscall(SYS_clock_getres, CLOCK_REALTIME, 0));
	ERR(EINVAL, syscall(SYS_clock_getres, 10, &t));
	ERR(EFAULT, syscall(SYS_clock_gettime, CLOCK_REALTIME, 16));
	ERR(EINVAL, syscall(SYS_clock_settime, CLOCK_MONOTONIC, &t));
	t.tv_nsec = 1000000000;
	ERR(EINVAL, syscall(SYS_clock_settime, CLOCK_REALTIME, &t));
	ERR(EINVAL, syscall(SYS_nanosleep, &t, 0));
	ERR(EFAULT, syscall(SYS_nanosleep, 16, 0));
	struct timex tx = { .modes = 0 };
	CHECK(adjtimex(&tx) >= 0);
	WITHIN(tx.tick, 9000, 11000);
	WITHIN(labs(tx.time.tv_sec - time(0)), 0, 2);
}

TEST_FLAGS(clocks, can_be_set, 20, NEEDS_PID1)
{
	struct timespec now, t = { 2000000000, 0 };
	int64_t mono = by_call(CLOCK_MONOTONIC);
	OK(clock_gettime(CLOCK_REALTIME, &now));
	/* A sleep until a time of day ends when the day comes early. */
	FORK(pid) {
		struct timespec until = { 1999999999, 0 };
		OK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, 0));
		_exit(0);
	}
	sleep_ms(30);
	OK(clock_settime(CLOCK_REALTIME, &t));
	EQ(time(0) - 2000000000 <= 2, 1); /* by the vDSO */
	WITHIN(by_call(CLOCK_REALTIME) / 1000000000, 2000000000, 2000000002);
	wait_ok(pid);
	now.tv_sec++;
	OK(clock_settime(CLOCK_REALTIME, &now));
	WITHIN(by_call(CLOCK_MONOTONIC) - mono, 0, 60000000000);
	FORK(q) {
		OK(setuid(1000));
		ERR(EPERM, syscall(SYS_clock_settime, CLOCK_REALTIME, &now));
		_exit(0);
	}
	wait_ok(q);
}

TEST(clocks, cpu_time)
{
	int64_t a = by_call(CLOCK_PROCESS_CPUTIME_ID), t = by_call(CLOCK_THREAD_CPUTIME_ID);
	sleep_ms(60);
	CHECK(by_call(CLOCK_PROCESS_CPUTIME_ID) - a < 50000000);
	while (by_call(CLOCK_THREAD_CPUTIME_ID) - t < 20000000)
		;
	WITHIN(by_call(CLOCK_PROCESS_CPUTIME_ID) - a, 19000000, 20000000000);
	clockid_t c;
	FORK(pid) {
		volatile long n = 0;
		for (;;)
			n++;
	}
	OK(clock_getcpuclockid(pid, &c));
	struct timespec ts;
	EVENTUALLY(clock_gettime(c, &ts) == 0 && ns(ts) > 10000000);
	kill(pid, SIGKILL);
	wait_signaled(pid, SIGKILL);
	ERR(EINVAL, clock_gettime(c, &ts));
}

static volatile int hits;
static volatile siginfo_t seen;
static void hit(int sig, siginfo_t *si, void *uc) { hits++; seen = *si; }

static void catch(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = hit, .sa_flags = SA_SIGINFO | flags };
	OK(sigaction(sig, &sa, 0));
}

TEST(clocks, sleep_interrupted)
{
	catch(SIGALRM, SA_RESTART);
	struct itimerval it = { { 0, 0 }, { 0, 30000 } };
	OK(setitimer(ITIMER_REAL, &it, 0));
	struct timespec req = { 5, 0 }, rem = { 0, 0 };
	ERR(EINTR, nanosleep(&req, &rem));
	WITHIN(ns(rem), 0, 5000000000);
	OK(setitimer(ITIMER_REAL, &it, 0));
	int64_t until = by_call(CLOCK_MONOTONIC) + 5000000000;
	struct timespec abs = { until / 1000000000, until % 1000000000 };
	EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &abs, &rem), EINTR);
	EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){ 0, 1 }, 0), 0);
	EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &req, 0), EINVAL);
	EQ(clock_nanosleep(99, 0, &req, 0), EINVAL);
}

/* Spend time in user mode; where the clock is a system call, asking for the
 * time over and over would be system time. */
static void compute(void)
{
	for (volatile int i = 0; i < 300000; i++)
		;
}

TEST_SLOW(clocks, cpu_itimers, 60)
{
	catch(SIGVTALRM, 0), catch(SIGPROF, 0);
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } }, now;
	OK(setitimer(ITIMER_VIRTUAL, &it, 0));
	sleep_ms(100);
	EQ(hits, 0); /* it does not run while we sleep */
	int64_t end = now_ms() + 25000;
	while (hits < 3) {
		compute();
		CHECK(now_ms() < end);
	}
	EQ(seen.si_signo, SIGVTALRM);
	OK(getitimer(ITIMER_VIRTUAL, &now));
	WITHIN(now.it_value.tv_usec, 0, 24000);
	EQ(now.it_interval.tv_usec, 20000);
	memset(&now, 0, sizeof now);
	OK(setitimer(ITIMER_VIRTUAL, &now, 0));
	it.it_interval.tv_usec = 0;
	hits = 0;
	OK(setitimer(ITIMER_PROF, &it, 0));
	while (!hits) {
		compute();
		CHECK(now_ms() < end + 25000);
	}
	EQ(seen.si_signo, SIGPROF);
	ERR(EINVAL, setitimer(3, &it, 0));
	it.it_value.tv_usec = 1000000;
	ERR(EINVAL, setitimer(ITIMER_REAL, &it, 0));
}

/* --- POSIX timers, by the calls themselves (musl makes threads of some). */

struct ksigevent {
	union sigval value;
	int signo, notify, tid;
	char pad[44];
};

static int timer_new(int clock, int notify, int signo, int tid, long value)
{
	struct ksigevent ev = { .signo = signo, .notify = notify, .tid = tid };
	ev.value.sival_ptr = (void *)value;
	int id = -1;
	OK(syscall(SYS_timer_create, clock, &ev, &id));
	return id;
}

static void timer_arm(int id, int flags, int64_t value, int64_t interval)
{
	struct itimerspec it = { { interval / 1000000000, interval % 1000000000 }, { value / 1000000000, value % 1000000000 } };
	OK(syscall(SYS_timer_settime, id, flags, &it, 0));
}

TEST(clocks, timer_overrun)
{
	sigset_t m;
	sigemptyset(&m), sigaddset(&m, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &m, 0));
	catch(SIGUSR1, 0);
	int id = timer_new(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0, 0x1234567890);
	timer_arm(id, 0, 5000000, 5000000);
	sleep_ms(103);
	sigset_t none;
	sigemptyset(&none);
	sigsuspend(&none);
	EQ(hits, 1);
	EQ(seen.si_code, SI_TIMER);
	EQ(seen.si_value.sival_ptr, 0x1234567890);
	EQ(seen.si_timerid, id);
	WITHIN(seen.si_overrun, 17, 100000);
	EQ(syscall(SYS_timer_getoverrun, id), seen.si_overrun);
	struct itimerspec it;
	OK(syscall(SYS_timer_gettime, id, &it));
	EQ(it.it_interval.tv_nsec, 5000000);
	WITHIN(it.it_value.tv_nsec, 1, 5000000);
	OK(syscall(SYS_timer_delete, id));
	ERR(EINVAL, syscall(SYS_timer_gettime, id, &it));
	ERR(EINVAL, syscall(SYS_timer_delete, 12345));
}

TEST(clocks, timer_kinds)
{
	catch(SIGRTMIN + 1, 0);
	int id = timer_new(CLOCK_REALTIME, SIGEV_THREAD_ID, SIGRTMIN + 1, getpid(), 7);
	int64_t when = by_call(CLOCK_REALTIME) + 20000000;
	timer_arm(id, TIMER_ABSTIME, when, 0);
	EVENTUALLY(hits == 1);
	CHECK(by_call(CLOCK_REALTIME) >= when);
	EQ(seen.si_value.sival_int, 7);
	int none = timer_new(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
	timer_arm(none, 0, 1000000000, 0);
	struct itimerspec it;
	OK(syscall(SYS_timer_gettime, none, &it));
	WITHIN(ns(it.it_value), 500000000, 1000000000);
	int cpu = timer_new(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGRTMIN + 1, 0, 9);
	timer_arm(cpu, 0, 30000000, 0);
	sleep_ms(60);
	EQ(hits, 1);
	int64_t end = now_ms() + 5000;
	while (hits == 1)
		CHECK(now_ms() < end);
	EQ(seen.si_value.sival_int, 9);
	/* A child has none of them. */
	FORK(pid) { ERR(EINVAL, syscall(SYS_timer_gettime, none, &it)); _exit(0); }
	wait_ok(pid);
	struct ksigevent bad = { .signo = 99 };
	int x;
	ERR(EINVAL, syscall(SYS_timer_create, CLOCK_MONOTONIC, &bad, &x));
	ERR(EINVAL, syscall(SYS_timer_create, 99, 0, &x));
	ERR(EFAULT, syscall(SYS_timer_create, CLOCK_MONOTONIC, 0, 16));
}

TEST(clocks, timerfd)
{
	int fd = OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	struct itimerspec it = { { 0, 10000000 }, { 0, 10000000 } };
	OK(timerfd_settime(fd, 0, &it, 0));
	uint64_t n;
	EQ(read(fd, &n, 8), 8);
	CHECK(n >= 1);
	sleep_ms(55);
	struct pollfd p = { fd, POLLIN, 0 };
	EQ(poll(&p, 1, 1000), 1);
	EQ(read(fd, &n, 8), 8);
	WITHIN(n, 4, 100000);
	OK(timerfd_gettime(fd, &it));
	EQ(it.it_interval.tv_nsec, 10000000);
	ERR(EINVAL, read(fd, &n, 4));
	memset(&it, 0, sizeof it);
	OK(timerfd_settime(fd, 0, &it, 0));
	EQ(poll(&p, 1, 20), 0);
	OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	ERR(EAGAIN, read(fd, &n, 8));
	ERR(EINVAL, timerfd_create(99, 0));
	ERR(EINVAL, timerfd_settime(0, 0, &it, 0));
}

TEST(clocks, signalfd)
{
	sigset_t m;
	sigemptyset(&m), sigaddset(&m, SIGUSR1), sigaddset(&m, SIGRTMIN + 2);
	OK(sigprocmask(SIG_BLOCK, &m, 0));
	int fd = OK(signalfd(-1, &m, SFD_NONBLOCK | SFD_CLOEXEC));
	struct signalfd_siginfo si[3];
	ERR(EAGAIN, read(fd, si, sizeof si));
	OK(kill(getpid(), SIGUSR1));
	OK(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ .sival_int = 5 }));
	struct pollfd p = { fd, POLLIN, 0 };
	EQ(poll(&p, 1, 1000), 1);
	EQ(read(fd, si, sizeof si), 2 * sizeof si[0]);
	EQ(si[0].ssi_signo, SIGUSR1);
	EQ(si[0].ssi_pid, getpid());
	EQ(si[1].ssi_signo, SIGRTMIN + 2);
	EQ(si[1].ssi_int, 5);
	EQ(si[1].ssi_code, SI_QUEUE);
	EQ(poll(&p, 1, 10), 0);
	OK(fcntl(fd, F_SETFL, 0));
	FORK(pid) { sleep_ms(20); kill(getppid(), SIGUSR1); _exit(0); }
	EQ(read(fd, si, sizeof si), sizeof si[0]);
	EQ(si[0].ssi_pid, pid);
	wait_ok(pid);
	ERR(EINVAL, read(fd, si, 100));
}

/* A file is not older than a reading of the clock that time stamps follow. */
TEST(clocks, stamps_and_coarse_clock)
{
	time_t (*tm)(time_t *) = vdso_symbol("__vdso_time");
	int (*get)(clockid_t, struct timespec *) = vdso_symbol("__vdso_clock_gettime");
	int64_t end = by_call(CLOCK_MONOTONIC) + 1200000000;
	for (int64_t last = 0; by_call(CLOCK_MONOTONIC) < end;) {
		struct timespec t;
		EQ(get(CLOCK_REALTIME_COARSE, &t), 0);
		int64_t before = ns(t);
		if (before < last)
			FAIL("the coarse clock went back from %ld to %ld", (long)last, (long)before);
		last = by_call(CLOCK_REALTIME_COARSE);
		int64_t sec = tm(0), sec2 = syscall(SYS_time, 0);
		int fd = OK(open("/tmp/stamp", O_CREAT | O_WRONLY, 0600));
		struct stat st;
		OK(fstat(fd, &st));
		close(fd);
		OK(unlink("/tmp/stamp"));
		int64_t made = ns(st.st_mtim), now = by_call(CLOCK_REALTIME);
		if (made < before || made < last || made > now)
			FAIL("stamp %ld, coarse %ld and %ld before, %ld afterwards", (long)made, (long)before, (long)last, (long)now);
		if (st.st_mtime < sec || st.st_mtime < sec2)
			FAIL("stamp %ld, time %ld and %ld before", (long)made, (long)sec, (long)sec2);
		int64_t mono = by_call(CLOCK_MONOTONIC_COARSE);
		WITHIN(by_call(CLOCK_MONOTONIC) - mono, 0, 1000000000);
	}
}
