/* clone(2) and clone3(2): what each flag shares, and what is refused. */
#include "t.h"

#include <linux/futex.h>
#include <sys/prctl.h>

/* <linux/sched.h>, struct clone_args */
struct args3 {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static char stack[4][64 * 1024] __attribute__((aligned(16)));

static int run_clone(int (*fn)(void *), int flags, void *arg)
{
	return clone(fn, stack[0] + sizeof stack[0], flags, arg);
}

static volatile int word;

static int set_word(void *v) { word = (int)(long)v; return 0; }

TEST(clone, vm)
{
	word = 1;
	wait_ok(OK(run_clone(set_word, SIGCHLD, (void *)2)));
	EQ(word, 1);
	wait_ok(OK(run_clone(set_word, CLONE_VM | SIGCHLD, (void *)3)));
	EQ(word, 3);
}

static int close_it(void *v) { return close((int)(long)v); }

TEST(clone, files)
{
	int fd = OK(open("/dev/null", O_RDONLY));
	wait_ok(OK(run_clone(close_it, SIGCHLD, (void *)(long)fd)));
	CHECK(fcntl(fd, F_GETFD) >= 0);
	wait_ok(OK(run_clone(close_it, CLONE_FILES | SIGCHLD, (void *)(long)fd)));
	ERR(EBADF, fcntl(fd, F_GETFD));
}

static int go_root(void *v) { umask(0123); return chdir("/"); }

TEST(clone, fs)
{
	char cwd[100];
	OK(chdir("/tmp"));
	umask(022);
	wait_ok(OK(run_clone(go_root, SIGCHLD, 0)));
	STREQ(getcwd(cwd, sizeof cwd), "/tmp");
	wait_ok(OK(run_clone(go_root, CLONE_FS | SIGCHLD, 0)));
	STREQ(getcwd(cwd, sizeof cwd), "/");
	EQ(umask(022), 0123);
}

static void handler(int s) {}
static int set_handler(void *v) { signal(SIGUSR1, handler); return 0; }

TEST(clone, sighand)
{
	struct sigaction sa;
	wait_ok(OK(run_clone(set_handler, CLONE_VM | SIGCHLD, 0)));
	OK(sigaction(SIGUSR1, 0, &sa));
	CHECK(sa.sa_handler == SIG_DFL);
	wait_ok(OK(run_clone(set_handler, CLONE_VM | CLONE_SIGHAND | SIGCHLD, 0)));
	OK(sigaction(SIGUSR1, 0, &sa));
	CHECK(sa.sa_handler == handler);
}

TEST(clone, parent)
{
	pid_t *out = shared(PAGE);
	FORK(mid) {
		int nop(void *v) { return 6; }
		*out = OK(run_clone(nop, CLONE_PARENT | SIGCHLD, 0));
		ERR(ECHILD, waitpid(*out, 0, 0));
		_exit(0);
	}
	wait_ok(mid);
	int st = wait_status(*out);
	EQ(WEXITSTATUS(st), 6);
}

static int nothing(void *v) { return 0; }

TEST(clone, tids)
{
	volatile pid_t ptid = 0, ctid = -1;
	pid_t pid = OK(clone(nothing, stack[0] + sizeof stack[0], CLONE_PARENT_SETTID | CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD,
			     0, (pid_t *)&ptid, 0, (pid_t *)&ctid));
	EQ(ptid, pid);
	wait_ok(pid);
	EQ(ctid, 0);

	int *p = shared(PAGE);
	pid = OK(clone(nothing, stack[0] + sizeof stack[0], CLONE_CHILD_SETTID | SIGCHLD, 0, 0, 0, p));
	wait_ok(pid);
	EQ(*p, pid);
}

TEST(clone, exit_signal)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	sigaddset(&s, SIGCHLD);
	OK(sigprocmask(SIG_BLOCK, &s, 0));
	pid_t pid = OK(run_clone(nothing, SIGUSR2, 0));
	siginfo_t si;
	EQ(sigwaitinfo(&s, &si), SIGUSR2);
	EQ(si.si_pid, pid);
	/* Not a child of the ordinary kind: only __WCLONE or __WALL sees it. */
	ERR(ECHILD, waitpid(pid, 0, 0));
	EQ(waitpid(pid, 0, __WALL), pid);
	pid = OK(run_clone(nothing, 0, 0));
	EQ(waitpid(pid, 0, __WCLONE), pid);
}

TEST(clone, thread_flags_need_each_other)
{
	ERR(EINVAL, run_clone(nothing, CLONE_THREAD | SIGCHLD, 0));
	ERR(EINVAL, run_clone(nothing, CLONE_THREAD | CLONE_SIGHAND, 0));
	ERR(EINVAL, run_clone(nothing, CLONE_SIGHAND | SIGCHLD, 0));
	ERR(EINVAL, run_clone(nothing, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0));
}

static int vfork_child(void *v) { sleep_ms(40); word = 77; return 0; }

TEST(clone, vfork_flag)
{
	word = 0;
	pid_t pid = OK(run_clone(vfork_child, CLONE_VM | CLONE_VFORK | SIGCHLD, 0));
	EQ(word, 77);
	wait_ok(pid);
}

static int tgid_tid(void *v)
{
	int *o = v;
	o[0] = getpid();
	o[1] = syscall(SYS_gettid);
	o[2] = getppid();
	syscall(SYS_exit, 0);
	return 0;
}

TEST(clone, thread)
{
	int *o = shared(PAGE);
	volatile pid_t tid = -1;
	pid_t ret = OK(clone(tgid_tid, stack[0] + sizeof stack[0],
			     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID,
			     o, (pid_t *)&tid, 0, (pid_t *)&tid));
	EVENTUALLY(tid == 0);
	EQ(o[0], getpid());
	EQ(o[1], ret);
	EQ(o[2], getppid());
	ERR(ECHILD, waitpid(ret, 0, __WALL));
}

TEST(clone, clone3_fork)
{
	struct args3 a = { .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &a, sizeof a);
	if (pid == 0)
		_exit(11);
	int st = wait_status(OK(pid));
	EQ(WEXITSTATUS(st), 11);
	pid = syscall(SYS_clone3, &a, 64); /* CLONE_ARGS_SIZE_VER0 */
	if (pid == 0)
		_exit(12);
	EQ(WEXITSTATUS(wait_status(OK(pid))), 12);
}

TEST(clone, clone3_refuses)
{
	struct { struct args3 a; uint64_t more[4]; } x = { .a.exit_signal = SIGCHLD };
	ERR(EINVAL, syscall(SYS_clone3, &x, 63));
	ERR(E2BIG, syscall(SYS_clone3, &x, 4097));
	x.more[0] = 1;
	ERR(E2BIG, syscall(SYS_clone3, &x, sizeof x));
	ERR(EFAULT, syscall(SYS_clone3, (void *)8, 64));
	x.a.exit_signal = 65;
	ERR(EINVAL, syscall(SYS_clone3, &x, 64));
	x.a.exit_signal = SIGCHLD;
	x.a.stack = (uint64_t)stack[0]; /* without a size */
	ERR(EINVAL, syscall(SYS_clone3, &x, 64));
	x.a.stack = 0, x.a.stack_size = 4096;
	ERR(EINVAL, syscall(SYS_clone3, &x, 64));
	x.a.stack_size = 0, x.a.flags = SIGCHLD; /* the low byte is not for clone3 */
	ERR(EINVAL, syscall(SYS_clone3, &x, 64));
	x.a.flags = CLONE_THREAD;
	ERR(EINVAL, syscall(SYS_clone3, &x, 64));
}

TEST(clone, unshare_fs_files)
{
	/* unshare(2) of what is not shared is allowed and changes nothing. */
	OK(unshare(0));
	OK(unshare(CLONE_FS));
	OK(unshare(CLONE_FILES));
	ERR(EINVAL, unshare(0x80000000));
}
