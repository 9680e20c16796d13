/* Threads, futexes, timers and clocks. */
#include "t.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/times.h>

static long futex(volatile int *a, int op, int v, const struct timespec *ts, volatile int *b, int v3)
{
	return syscall(SYS_futex, a, op, v, ts, b, v3);
}

static int word, word2;

TEST(threads, futex_basics)
{
	ERR(EAGAIN, futex(&word, FUTEX_WAIT, 1, 0, 0, 0));
	struct timespec ts = { 0, 30000000 };
	int64_t t = now_ms();
	ERR(ETIMEDOUT, futex(&word, FUTEX_WAIT, 0, &ts, 0, 0));
	WITHIN(now_ms() - t, 28, 20000);
	EQ(futex(&word, FUTEX_WAKE, 10, 0, 0, 0), 0);
	ERR(EFAULT, futex((int *)8, FUTEX_WAIT, 0, 0, 0, 0));
	ERR(EINVAL, futex((int *)((char *)&word + 1), FUTEX_WAIT, 0, 0, 0, 0));
	ERR(ENOSYS, futex(&word, 99, 0, 0, 0, 0));
	ts.tv_nsec = 2000000000;
	ERR(EINVAL, futex(&word, FUTEX_WAIT, 0, &ts, 0, 0));
	/* an absolute time, in the past */
	ts.tv_sec = 1, ts.tv_nsec = 0;
	ERR(ETIMEDOUT, futex(&word, FUTEX_WAIT_BITSET, 0, &ts, 0, -1));
	ERR(EINVAL, futex(&word, FUTEX_WAIT_BITSET, 0, &ts, 0, 0));
}

static volatile int woken, waiting;
static void *waiter(void *v)
{
	__sync_fetch_and_add(&waiting, 1);
	while (futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, 0, 0, 0) != 0)
		;
	__sync_fetch_and_add(&woken, 1);
	return 0;
}

TEST(threads, futex_wakes_n)
{
	pthread_t t[5];
	for (int i = 0; i < 5; i++)
		EQ(pthread_create(&t[i], 0, waiter, 0), 0);
	EVENTUALLY(waiting == 5);
	sleep_ms(300);
	EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 2, 0, 0, 0), 2);
	EVENTUALLY(woken == 2);
	sleep_ms(20);
	EQ(woken, 2);
	/* requeue: one wakes, two move, none is left */
	EQ(futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, (void *)100, &word2, 0), 3);
	EVENTUALLY(woken == 3);
	ERR(EAGAIN, futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, (void *)100, &word2, 5));
	EQ(futex(&word2, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 100, 0, 0, 0), 2);
	for (int i = 0; i < 5; i++)
		EQ(pthread_join(t[i], 0), 0);
}

TEST(threads, futex_between_processes)
{
	volatile int *w = shared(PAGE);
	FORK(pid) {
		while (*w == 0)
			futex(w, FUTEX_WAIT, 0, 0, 0, 0);
		_exit(0);
	}
	sleep_ms(30);
	*w = 1;
	CHECK(futex(w, FUTEX_WAKE, 1, 0, 0, 0) >= 0);
	wait_ok(pid);
	/* private ones do not meet */
	static volatile int mine;
	FORK(q) {
		struct timespec ts = { 0, 100000000 };
		ERR(ETIMEDOUT, futex(&mine, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &ts, 0, 0));
		_exit(0);
	}
	sleep_ms(30);
	EQ(futex(&mine, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0), 0);
	wait_ok(q);
}

TEST(threads, futex_shared_file)
{
	int fd = OK(open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(ftruncate(fd, PAGE));
	volatile int *a = mmap(0, PAGE, 3, MAP_SHARED, fd, 0);
	FORK(pid) {
		volatile int *b = mmap(0, PAGE, 3, MAP_SHARED, fd, 0); /* another address */
		while (b[5] == 0)
			futex(b + 5, FUTEX_WAIT, 0, 0, 0, 0);
		_exit(0);
	}
	sleep_ms(30);
	a[5] = 1;
	CHECK(futex(a + 5, FUTEX_WAKE, 1, 0, 0, 0) >= 0);
	wait_ok(pid);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long counter;

static void *add(void *v)
{
	for (int i = 0; i < 5000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return v;
}

TEST_SLOW(threads, mutex, 60)
{
	pthread_t t[8];
	for (long i = 0; i < 8; i++)
		EQ(pthread_create(&t[i], 0, add, (void *)i), 0);
	for (long i = 0; i < 8; i++) {
		void *r;
		EQ(pthread_join(t[i], &r), 0);
		EQ(r, i);
	}
	EQ(counter, 40000);
}

static int turn;
static void *ping(void *v)
{
	long me = (long)v;
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != me)
			pthread_cond_wait(&cond, &mutex);
		turn = !me;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
	}
	return 0;
}

TEST_SLOW(threads, condition, 60)
{
	pthread_t a, b;
	EQ(pthread_create(&a, 0, ping, (void *)0), 0);
	EQ(pthread_create(&b, 0, ping, (void *)1), 0);
	pthread_join(a, 0);
	pthread_join(b, 0);
}

static __thread int tls = 5;
static void *tls_thread(void *v) { tls += (int)(long)v; return (void *)(long)tls; }

TEST(threads, local_storage)
{
	pthread_t t[4];
	void *r;
	tls = 100;
	for (long i = 0; i < 4; i++)
		EQ(pthread_create(&t[i], 0, tls_thread, (void *)i), 0);
	for (long i = 0; i < 4; i++) {
		pthread_join(t[i], &r);
		EQ(r, 5 + i);
	}
	EQ(tls, 100);
}

TEST_SLOW(threads, create_and_join_500, 60)
{
	for (long i = 0; i < 500; i++) {
		pthread_t t;
		void *r;
		EQ(pthread_create(&t, 0, tls_thread, (void *)i), 0);
		EQ(pthread_join(t, &r), 0);
		EQ(r, 5 + i);
	}
}

static void *exit_all(void *v) { sleep_ms(20); _exit(21); }
TEST(threads, exit_group)
{
	FORK(pid) {
		pthread_t t;
		pthread_create(&t, 0, exit_all, 0);
		for (;;)
			pause();
	}
	EQ(WEXITSTATUS(wait_status(pid)), 21);
}

static void *stay(void *v) { sleep_ms(800); _exit(22); }
TEST(threads, leader_may_leave_first)
{
	FORK(pid) {
		pthread_t t;
		pthread_create(&t, 0, stay, 0);
		syscall(SYS_exit, 0);
	}
	EVENTUALLY(proc_state(pid) == 'Z');
	EQ(waitpid(pid, 0, WNOHANG), 0); /* not dead yet */
	EQ(WEXITSTATUS(wait_status(pid)), 22);
}

static volatile pid_t sig_tid;
static void sig_where(int s) { sig_tid = syscall(SYS_gettid); }
static volatile pid_t thread_tid;
static void *sig_thread(void *v)
{
	thread_tid = syscall(SYS_gettid);
	while (!sig_tid)
		sched_yield();
	return 0;
}

TEST(threads, signals_find_their_thread)
{
	signal(SIGUSR1, sig_where);
	pthread_t t;
	EQ(pthread_create(&t, 0, sig_thread, 0), 0);
	EVENTUALLY(thread_tid);
	OK(syscall(SYS_tgkill, getpid(), thread_tid, SIGUSR1));
	pthread_join(t, 0);
	EQ(sig_tid, thread_tid);
	ERR(ESRCH, syscall(SYS_tgkill, getpid(), 1, SIGUSR1));
	/* A process signal goes to whoever does not block it. */
	sigset_t m;
	sigemptyset(&m);
	sigaddset(&m, SIGUSR1);
	sig_tid = thread_tid = 0;
	EQ(pthread_create(&t, 0, sig_thread, 0), 0);
	EVENTUALLY(thread_tid);
	pthread_sigmask(SIG_BLOCK, &m, 0);
	OK(kill(getpid(), SIGUSR1));
	pthread_join(t, 0);
	EQ(sig_tid, thread_tid);
}

static void *crash(void *v) { *(volatile int *)8 = 1; return 0; }
TEST(threads, fault_kills_all)
{
	FORK(pid) {
		pthread_t t;
		pthread_create(&t, 0, crash, 0);
		for (;;)
			pause();
	}
	wait_signaled(pid, SIGSEGV);
}

static void *spinner(void *v) { for (;;) ; }
TEST(threads, kill_spinning_threads)
{
	FORK(pid) {
		pthread_t t;
		for (int i = 0; i < 6; i++)
			pthread_create(&t, 0, spinner, 0);
		for (;;)
			;
	}
	sleep_ms(50);
	OK(kill(pid, SIGKILL));
	wait_signaled(pid, SIGKILL);
}

TEST(threads, fork_in_a_threaded_program)
{
	FORK(pid) {
		pthread_t t;
		for (int i = 0; i < 3; i++)
			pthread_create(&t, 0, spinner, 0);
		for (int i = 0; i < 20; i++) {
			FORK(q) _exit(field_of("/proc/self/status", "Threads") != 1);
			wait_ok(q);
		}
		_exit(0);
	}
	wait_ok(pid);
}

TEST(threads, robust_list)
{
	struct robust_list_head *h;
	size_t n;
	static struct { struct robust_list_head head; struct robust_list l; int futex; } r;
	volatile int *w = shared(PAGE);
	(void)h, (void)n, (void)r;
	FORK(pid) {
		struct robust_list *node = (void *)(w + 16);
		static struct robust_list_head head;
		head.list.next = node;
		head.futex_offset = -64;
		node->next = &head.list;
		w[0] = getpid();
		OK(syscall(SYS_set_robust_list, &head, sizeof head));
		_exit(0);
	}
	wait_ok(pid);
	EQ(*w, FUTEX_OWNER_DIED);
}

TEST(threads, clocks)
{
	struct timespec a, b, r;
	static const int ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, 5, 6 };
	for (int i = 0; i < 8; i++) {
		OK(clock_gettime(ids[i], &a));
		for (volatile int j = 0; j < 100000; j++)
			;
		OK(clock_gettime(ids[i], &b));
		CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
		CHECK(b.tv_nsec >= 0 && b.tv_nsec < 1000000000);
		OK(clock_getres(ids[i], &r));
	}
	ERR(EINVAL, syscall(SYS_clock_gettime, 77, &a));
	ERR(EFAULT, syscall(SYS_clock_gettime, 0, 8));
	CHECK(time(0) > 1600000000);
	struct tms t;
	CHECK(times(&t) > 0);
	struct timeval tv;
	OK(syscall(SYS_gettimeofday, &tv, 0));
	WITHIN(tv.tv_sec - time(0), -1, 1);
}

TEST(threads, sleeps)
{
	for (int i = 0; i < 5; i++) {
		struct timespec ts = { 0, 20000000 };
		int64_t t = now_ms();
		OK(nanosleep(&ts, 0));
		WITHIN(now_ms() - t, 19, 20000);
	}
	struct timespec ts;
	OK(clock_gettime(CLOCK_MONOTONIC, &ts));
	int64_t t = now_ms();
	ts.tv_sec += 0, ts.tv_nsec += 50000000;
	if (ts.tv_nsec >= 1000000000)
		ts.tv_nsec -= 1000000000, ts.tv_sec++;
	EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, 0), 0);
	WITHIN(now_ms() - t, 45, 20000);
	ts.tv_nsec = -1;
	ERR(EINVAL, nanosleep(&ts, 0));
	ERR(EFAULT, syscall(SYS_nanosleep, 8, 0));
}

static volatile int fired;
static void on_timer(int s, siginfo_t *si, void *uc) { fired = si->si_value.sival_int; }

TEST(threads, posix_timers)
{
	struct sigaction sa = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO };
	OK(sigaction(SIGUSR1, &sa, 0));
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 55 };
	timer_t id;
	if (timer_create(CLOCK_MONOTONIC, &ev, &id) < 0 && errno == ENOSYS)
		skip("no timer_create");
	struct itimerspec it = { .it_value = { 0, 30000000 } }, now;
	OK(timer_settime(id, 0, &it, 0));
	OK(timer_gettime(id, &now));
	WITHIN(now.it_value.tv_nsec, 1, 30000000);
	EVENTUALLY(fired == 55);
	OK(timer_delete(id));
}

static void *migrant(void *v)
{
	/* Vector state across many preemptions: a sum that must come out. */
	double a = 1 + (long)v, s = 0;
	for (int i = 0; i < 2000000; i++)
		s += a * 0.5;
	return (void *)(long)(s == a * 1000000.0);
}

TEST_SLOW(threads, floating_point_under_load, 60)
{
	pthread_t t[8];
	for (long i = 0; i < 8; i++)
		EQ(pthread_create(&t[i], 0, migrant, (void *)i), 0);
	for (int i = 0; i < 8; i++) {
		void *r;
		pthread_join(t[i], &r);
		EQ(r, 1);
	}
}

TEST(threads, affinity_and_yield)
{
	unsigned long m[16] = { 0 };
	long n = syscall(SYS_sched_getaffinity, 0, sizeof m, m);
	CHECK(n >= 8);
	CHECK(m[0] & 1);
	OK(sched_yield());
	ERR(EINVAL, syscall(SYS_sched_getaffinity, 0, 1, m));
	ERR(ESRCH, syscall(SYS_sched_getaffinity, 99999999, sizeof m, m));
	EQ(sched_getscheduler(0) >= 0 || errno == ENOSYS, 1);
	unsigned cpu = 999;
	OK(syscall(SYS_getcpu, &cpu, 0, 0));
	CHECK(cpu < 64);
}

TEST(threads, names)
{
	char b[17] = "";
	OK(prctl(PR_SET_NAME, "a-name-that-is-too-long"));
	OK(prctl(PR_GET_NAME, b));
	STREQ(b, "a-name-that-is-");
	STREQ(slurp("/proc/self/comm"), "a-name-that-is-\n");
	ERR(EFAULT, prctl(PR_SET_NAME, 8));
	ERR(EINVAL, prctl(9999, 0));
}
