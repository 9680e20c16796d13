/*
 * Many senders, many receivers: every queued signal arrives exactly once,
 * whatever else happens to the process meanwhile - stops, masks that come and
 * go, threads that wait in calls of every kind.
 */
#include "t.h"

#include <pthread.h>
#include <sys/signalfd.h>

enum { SENDERS = 3, PER_SENDER = 1500, FIRST = 40, KINDS = 4 };

static volatile unsigned char (*got)[SENDERS][PER_SENDER];
static volatile int *total, done;
static pid_t target;

static void take(int sig, long value)
{
	int sender = value >> 16, n = value & 0xffff;
	if (sig < FIRST || sig >= FIRST + KINDS || sender >= SENDERS || n >= PER_SENDER)
		FAIL("signal %d with value %#lx", sig, value);
	if (__atomic_add_fetch(&got[sig - FIRST][sender][n], 1, __ATOMIC_SEQ_CST) != 1)
		FAIL("signal %d, sender %d: number %d came twice", sig, sender, n);
	__atomic_add_fetch(total, 1, __ATOMIC_SEQ_CST);
}

static void on_signal(int sig, siginfo_t *si, void *uc) { take(sig, si->si_value.sival_int); }

static sigset_t kind(int k)
{
	sigset_t m;
	sigemptyset(&m);
	sigaddset(&m, FIRST + k);
	return m;
}

/* Takes signals by handler, in and between calls. */
static void *handler_thread(void *arg)
{
	sigset_t mine = kind((long)arg);
	unsigned n = (long)arg;
	while (!done) {
		pthread_sigmask(SIG_UNBLOCK, &mine, 0);
		struct timespec ts = { 0, 200000 };
		switch (n++ % 5) {
		case 0: nanosleep(&ts, 0); break;
		case 1: poll(0, 0, 1); break;
		case 2: sched_yield(); break;
		case 3: for (volatile int i = 0; i < 3000; i++) ; break;
		case 4: ppoll(0, 0, &ts, 0); break;
		}
		pthread_sigmask(SIG_BLOCK, &mine, 0);
		getppid();
	}
	return 0;
}

/* Takes them only inside of calls that open the mask. */
static void *suspend_thread(void *arg)
{
	sigset_t all, open;
	pthread_sigmask(SIG_BLOCK, 0, &all);
	open = all;
	sigdelset(&open, FIRST + (long)arg);
	while (!done) {
		struct timespec ts = { 0, 1000000 };
		ppoll(0, 0, &ts, &open);
	}
	return 0;
}

static void *wait_thread(void *arg)
{
	sigset_t mine = kind((long)arg);
	while (!done) {
		siginfo_t si;
		struct timespec ts = { 0, 2000000 };
		if (sigtimedwait(&mine, &si, &ts) > 0)
			take(si.si_signo, si.si_value.sival_int);
	}
	return 0;
}

static void *fd_thread(void *arg)
{
	sigset_t mine = kind((long)arg);
	int fd = OK(signalfd(-1, &mine, SFD_CLOEXEC));
	while (!done) {
		struct pollfd p = { fd, POLLIN, 0 };
		struct signalfd_siginfo si;
		if (poll(&p, 1, 5) == 1 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && read(fd, &si, sizeof si) == sizeof si)
			take(si.ssi_signo, si.ssi_int);
	}
	return 0;
}

static void send_all(void *arg)
{
	long me = (long)arg;
	for (int n = 0; n < PER_SENDER; n++)
		for (int k = 0; k < KINDS; k++) {
			union sigval v = { .sival_int = me << 16 | n };
			while (sigqueue(target, FIRST + k, v) < 0) {
				CHECK(errno == EAGAIN);
				sleep_ms(1);
			}
		}
}

static void receive(void *arg)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
	for (int k = 0; k < KINDS; k++)
		OK(sigaction(FIRST + k, &sa, 0));
	static void *(*const fn[])(void *) = { handler_thread, suspend_thread, wait_thread, fd_thread };
	pthread_t t[KINDS + 1];
	for (long k = 0; k < KINDS; k++)
		CHECK(!pthread_create(&t[k], 0, fn[k], (void *)k));
	CHECK(!pthread_create(&t[KINDS], 0, handler_thread, (void *)0)); /* two for the first kind */
	while (*total < KINDS * SENDERS * PER_SENDER)
		sleep_ms(2);
	done = 1;
	for (int i = 0; i <= KINDS; i++)
		pthread_join(t[i], 0);
	_exit(0);
}

TEST_SLOW(signals, exactly_once, 60)
{
	got = shared(sizeof *got * KINDS);
	total = shared(sizeof *total);
	sigset_t all;
	sigemptyset(&all);
	for (int k = 0; k < KINDS; k++)
		sigaddset(&all, FIRST + k);
	OK(sigprocmask(SIG_BLOCK, &all, 0)); /* the child begins with it */
	target = spawn(receive, 0);
	pid_t s[SENDERS];
	for (long i = 0; i < SENDERS; i++)
		s[i] = spawn(send_all, (void *)i);
	int stops = 0, st, last = -1;
	int64_t moved = now_ms();
	for (;;) {
		pid_t p = waitpid(target, &st, WNOHANG | WUNTRACED);
		if (p == target && (WIFEXITED(st) || WIFSIGNALED(st)))
			break;
		if (*total != last)
			last = *total, moved = now_ms();
		if (now_ms() - moved > 15000)
			FAIL("%d of %d signals after %d stops, and no more come", last, KINDS * SENDERS * PER_SENDER, stops);
		if (stops < 60) {
			OK(kill(target, SIGSTOP));
			EQ(waitpid(target, &st, WUNTRACED), target);
			if (!WIFSTOPPED(st))
				break;
			int before = *total;
			sleep_ms(1);
			EQ(*total, before); /* a stopped process takes none */
			OK(kill(target, SIGCONT));
			stops++;
		}
		sleep_ms(3);
	}
	EQ(st, 0);
	EQ(*total, KINDS * SENDERS * PER_SENDER);
	for (int i = 0; i < SENDERS; i++)
		wait_ok(s[i]);
}
