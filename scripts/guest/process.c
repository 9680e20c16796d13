/* fork, vfork, clone, wait, exit: who is whose child, and what becomes of it. */
#include "t.h"

#include <sys/prctl.h>

TEST(process, fork_returns_twice)
{
	pid_t me = getpid();
	FORK(pid) {
		EQ(getppid(), me);
		CHECK(getpid() != me);
		_exit(0);
	}
	CHECK(pid > 0 && pid != me);
	wait_ok(pid);
}

TEST(process, pids_go_up)
{
	pid_t last = 0;
	for (int i = 0; i < 20; i++) {
		FORK(pid) _exit(0);
		wait_ok(pid);
		CHECK(pid > last || pid < 1000); /* or it has wrapped around */
		last = pid;
	}
}

TEST(process, exit_status)
{
	static const int codes[] = { 0, 1, 42, 255, 256 + 7, -1 };
	for (int i = 0; i < 6; i++) {
		FORK(pid) _exit(codes[i]);
		int st = wait_status(pid);
		CHECK(WIFEXITED(st));
		EQ(WEXITSTATUS(st), codes[i] & 0xff);
	}
}

TEST(process, killed_status)
{
	FORK(pid) { for (;;) pause(); }
	OK(kill(pid, SIGKILL));
	wait_signaled(pid, SIGKILL);
	FORK(q) { abort(); }
	int st = wait_status(q);
	CHECK(WIFSIGNALED(st));
	EQ(WTERMSIG(st), SIGABRT);
}

TEST(process, kill_in_endless_loop)
{
	FORK(pid) { for (volatile long i = 0;; i++) ; }
	sleep_ms(20);
	OK(kill(pid, SIGTERM));
	wait_signaled(pid, SIGTERM);
}

TEST(process, wait_no_child)
{
	int st;
	ERR(ECHILD, wait(&st));
	ERR(ECHILD, waitpid(getpid(), &st, 0));
	ERR(EINVAL, waitpid(-1, &st, 0x10000000));
}

TEST(process, wait_nohang)
{
	int bell[2];
	bell_make(bell);
	FORK(pid) { bell_wait(bell); _exit(5); }
	int st;
	EQ(waitpid(pid, &st, WNOHANG), 0);
	bell_ring(bell);
	EVENTUALLY(waitpid(pid, &st, WNOHANG) == pid);
	EQ(WEXITSTATUS(st), 5);
	ERR(ECHILD, waitpid(pid, &st, WNOHANG));
}

TEST(process, wait_by_group)
{
	FORK(a) { setpgid(0, 0); _exit(1); }
	OK(setpgid(a, a) == 0 || errno == EACCES || errno == ESRCH ? 0 : -1);
	FORK(b) _exit(2);
	int st;
	EQ(waitpid(0, &st, 0), b);
	EQ(WEXITSTATUS(st), 2);
	ERR(ECHILD, waitpid(0, &st, 0));
	EQ(waitpid(-a, &st, 0), a);
	EQ(WEXITSTATUS(st), 1);
}

TEST(process, waitid_fields)
{
	FORK(pid) _exit(42);
	siginfo_t si;
	memset(&si, 0x55, sizeof si);
	OK(waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
	EQ(si.si_signo, SIGCHLD);
	EQ(si.si_code, CLD_EXITED);
	EQ(si.si_pid, pid);
	EQ(si.si_status, 42);
	EQ(si.si_uid, getuid());
	/* WNOWAIT left it there. */
	OK(waitid(P_PID, pid, &si, WEXITED));
	ERR(ECHILD, waitid(P_PID, pid, &si, WEXITED));
	ERR(EINVAL, waitid(P_ALL, 0, &si, 0));
}

TEST(process, waitid_nohang_clears)
{
	int bell[2];
	bell_make(bell);
	FORK(pid) { bell_wait(bell); _exit(0); }
	siginfo_t si;
	memset(&si, 0x55, sizeof si);
	OK(waitid(P_ALL, 0, &si, WEXITED | WNOHANG));
	EQ(si.si_pid, 0);
	EQ(si.si_signo, 0);
	bell_ring(bell);
	wait_ok(pid);
}

TEST(process, wait_stopped_continued)
{
	FORK(pid) { for (;;) pause(); }
	int st;
	OK(kill(pid, SIGSTOP));
	EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK(WIFSTOPPED(st));
	EQ(WSTOPSIG(st), SIGSTOP);
	EQ(proc_state(pid), 'T');
	EQ(waitpid(pid, &st, WUNTRACED | WNOHANG), 0);
	OK(kill(pid, SIGCONT));
	EQ(waitpid(pid, &st, WCONTINUED), pid);
	CHECK(WIFCONTINUED(st));
	siginfo_t si;
	OK(kill(pid, SIGSTOP));
	OK(waitid(P_PID, pid, &si, WSTOPPED));
	EQ(si.si_code, CLD_STOPPED);
	EQ(si.si_status, SIGSTOP);
	OK(kill(pid, SIGCONT));
	OK(waitid(P_PID, pid, &si, WCONTINUED));
	EQ(si.si_code, CLD_CONTINUED);
	EQ(si.si_status, SIGCONT);
	OK(kill(pid, SIGKILL));
	wait_signaled(pid, SIGKILL);
}

TEST(process, wait_usage)
{
	FORK(pid) {
		struct timespec cpu;
		do {
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
			for (volatile int i = 0; i < 10000; i++) ;
		} while (cpu.tv_sec == 0 && cpu.tv_nsec < 60000000);
		char *p = mmap(0, 64 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (int i = 0; i < 64; i++)
			p[i * PAGE] = 1;
		_exit(0);
	}
	struct rusage ru;
	int st;
	EQ(wait4(pid, &st, 0, &ru), pid);
	long ms = ru.ru_utime.tv_sec * 1000 + ru.ru_utime.tv_usec / 1000 + ru.ru_stime.tv_sec * 1000 + ru.ru_stime.tv_usec / 1000;
	WITHIN(ms, 20, 10000);
	CHECK(ru.ru_minflt >= 64);
	CHECK(ru.ru_maxrss >= 64 * 4);
	struct rusage kids;
	OK(getrusage(RUSAGE_CHILDREN, &kids));
	CHECK(kids.ru_minflt >= 64);
}

TEST(process, zombie_until_waited)
{
	FORK(pid) _exit(3);
	EVENTUALLY(proc_state(pid) == 'Z');
	EQ(kill(pid, 0), 0);
	int st = wait_status(pid);
	EQ(WEXITSTATUS(st), 3);
	ERR(ESRCH, kill(pid, 0));
	EQ(proc_state(pid), 0);
}

TEST(process, sigchld_ignored_reaps)
{
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 5; i++) {
		FORK(pid) _exit(0);
		(void)pid;
	}
	/* wait(2): blocks until all are gone, then ECHILD. */
	int st;
	ERR(ECHILD, wait(&st));
}

TEST(process, nocldwait_reaps)
{
	struct sigaction sa = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	OK(sigaction(SIGCHLD, &sa, 0));
	FORK(pid) _exit(0);
	ERR(ECHILD, waitpid(pid, 0, 0));
}

TEST(process, orphan_reparented)
{
	int *out = shared(PAGE);
	pid_t me = getpid();
	FORK(mid) {
		pid_t parent = getpid();
		FORK(orphan) {
			while (getppid() == parent)
				sleep_ms(1);
			out[1] = getppid();
			out[0] = 1;
			_exit(0);
		}
		_exit(orphan < 0);
	}
	wait_ok(mid);
	EVENTUALLY(out[0] == 1);
	CHECK(out[1] != me); /* to process 1 or the runner, not to its grandparent */
	ERR(ECHILD, waitpid(-1, 0, 0));
}

TEST(process, subreaper)
{
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	int is = 0;
	OK(prctl(PR_GET_CHILD_SUBREAPER, &is));
	EQ(is, 1);
	pid_t *out = shared(PAGE);
	FORK(mid) {
		FORK(orphan) { sleep_ms(50); _exit(9); }
		*out = orphan;
		_exit(0);
	}
	wait_ok(mid);
	int st = wait_status(*out);
	EQ(WEXITSTATUS(st), 9);
}

TEST(process, pdeathsig)
{
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t *out = shared(PAGE);
	FORK(mid) {
		int bell[2];
		bell_make(bell);
		FORK(child) {
			OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
			bell_ring(bell);
			for (;;) pause();
		}
		bell_wait(bell);
		*out = child;
		_exit(0);
	}
	wait_ok(mid);
	wait_signaled(*out, SIGUSR1);
}

TEST(process, vfork_parent_waits)
{
	volatile int *v = shared(PAGE);
	pid_t pid = vfork();
	if (pid == 0) {
		sleep_ms(50);
		v[0] = 1;
		_exit(0);
	}
	OK(pid);
	EQ(v[0], 1); /* the child has run to its end first */
	wait_ok(pid);
}

TEST(process, vfork_shares_memory)
{
	volatile int here = 1;
	pid_t pid = vfork();
	if (pid == 0) {
		here = 2;
		_exit(0);
	}
	OK(pid);
	EQ(here, 2);
	wait_ok(pid);
}

HELPER(exit7) { return argc == 2 && !strcmp(argv[1], "arg") ? 7 : 1; }

TEST(process, vfork_exec)
{
	char *argv[] = { "exit7", "arg", 0 };
	pid_t pid = vfork();
	if (pid == 0) {
		execve(SELF, argv, 0);
		_exit(1);
	}
	int st = wait_status(OK(pid));
	EQ(WEXITSTATUS(st), 7);
}

TEST(process, vfork_child_killed)
{
	pid_t pid = vfork();
	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	wait_signaled(OK(pid), SIGKILL);
}

TEST(process, getpid_after_fork_is_cheap_to_trust)
{
	pid_t outer = getpid();
	FORK(pid) {
		EQ(syscall(SYS_getpid), getpid());
		EQ(syscall(SYS_gettid), getpid());
		EQ(getppid(), outer);
		_exit(0);
	}
	wait_ok(pid);
}

TEST(process, groups_and_sessions)
{
	EQ(getsid(0), getpid());
	EQ(getpgrp(), getpid());
	ERR(EPERM, setsid());
	ERR(EPERM, setpgid(0, getppid() == 1 ? 1 : getppid()));
	ERR(ESRCH, getpgid(99999999));
	ERR(EINVAL, setpgid(0, -1));
	FORK(pid) {
		pid_t leader = getppid();
		EQ(getpgrp(), leader);
		EQ(getsid(0), leader);
		OK(setpgid(0, 0));
		EQ(getpgrp(), getpid());
		EQ(getsid(0), leader);
		ERR(EPERM, setsid()); /* leads a group now */
		FORK(g) {
			pid_t s = OK(setsid());
			EQ(s, getpid());
			EQ(getpgrp(), s);
			EQ(getsid(0), s);
			_exit(0);
		}
		wait_ok(g);
		_exit(0);
	}
	wait_ok(pid);
}

TEST(process, setpgid_after_exec)
{
	int bell[2];
	OK(pipe2(bell, O_CLOEXEC));
	FORK(pid) {
		char *argv[] = { "sleeper", 0 };
		execv(SELF, argv);
		_exit(1);
	}
	close(bell[1]);
	char c;
	EQ(read(bell[0], &c, 1), 0); /* the exec has closed it */
	ERR(EACCES, setpgid(pid, pid));
	OK(kill(pid, SIGKILL));
	wait_signaled(pid, SIGKILL);
}

HELPER(sleeper) { for (;;) pause(); }

TEST_FLAGS(process, pid1_is_protected, 20, NEEDS_PID1)
{
	/* no: a case is never process 1 itself */
	OK(kill(1, SIGUSR1));
	OK(kill(1, SIGTERM));
	OK(kill(1, SIGKILL));
	OK(kill(1, SIGSTOP));
	sleep_ms(50);
	CHECK(proc_state(1) != 'T' && proc_state(1) != 'Z' && proc_state(1) != 0);
}

TEST(process, rlimit_nproc)
{
	FORK(pid) {
		OK(setuid(12345));
		struct rlimit r = { 4, 4 };
		OK(setrlimit(RLIMIT_NPROC, &r));
		int made = 0;
		for (int i = 0; i < 20; i++) {
			pid_t p = fork();
			if (p == 0) { for (;;) pause(); }
			if (p < 0) { EQ(errno, EAGAIN); break; }
			made++;
		}
		WITHIN(made, 1, 4);
		signal(SIGTERM, SIG_IGN);
		kill(0, SIGTERM);
		_exit(0);
	}
	wait_ok(pid);
}

TEST_SLOW(process, fork_2000_times, 60)
{
	for (int i = 0; i < 2000; i++) {
		FORK(pid) _exit(i & 0x7f);
		int st = wait_status(pid);
		EQ(WEXITSTATUS(st), i & 0x7f);
	}
}

TEST_SLOW(process, many_at_once, 60)
{
	enum { N = 200 };
	int bell[2];
	bell_make(bell);
	for (int i = 0; i < N; i++) {
		FORK(pid) { close(bell[1]); char c; read(bell[0], &c, 1); _exit(1); }
		(void)pid;
	}
	close(bell[1]);
	for (int i = 0; i < N; i++) {
		int st;
		CHECK(wait(&st) > 0);
		EQ(WEXITSTATUS(st), 1);
	}
	ERR(ECHILD, wait(0));
}
