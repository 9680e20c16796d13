/* Terminals: the line discipline and job control, on a pseudo-terminal. */
#include "t.h"

#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static void open_pty(void)
{
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (master < 0)
		skip("no /dev/ptmx: %s", strerror(errno));
	int n, zero = 0;
	OK(ioctl(master, TIOCSPTLCK, &zero));
	OK(ioctl(master, TIOCGPTN, &n));
	char name[32];
	sprintf(name, "/dev/pts/%d", n);
	slave = OK(open(name, O_RDWR | O_NOCTTY));
}

static void type(const char *s) { EQ(write(master, s, strlen(s)), strlen(s)); }

/* What the terminal shows: everything that comes within a moment. */
static char *shown(void)
{
	static char b[8192];
	int n = 0;
	struct pollfd f = { master, POLLIN };
	while (n < 8000 && poll(&f, 1, 60) == 1 && (f.revents & POLLIN)) {
		int r = read(master, b + n, 8000 - n);
		if (r <= 0)
			break;
		n += r;
	}
	b[n] = 0;
	return b;
}

/* What a read of the slave gives. */
static char *line(void)
{
	static char b[8192];
	int n = OK(read(slave, b, sizeof b - 1));
	b[n] = 0;
	return b;
}

static int readable(void) { struct pollfd f = { slave, POLLIN }; return poll(&f, 1, 50) == 1; }

static struct termios get(void) { struct termios t; OK(tcgetattr(slave, &t)); return t; }
static void put(struct termios t) { OK(tcsetattr(slave, TCSANOW, &t)); }

TEST(tty, defaults)
{
	open_pty();
	struct termios t = get();
	EQ(t.c_iflag & (ICRNL | IXON), ICRNL | IXON);
	EQ(t.c_oflag & (OPOST | ONLCR), OPOST | ONLCR);
	EQ(t.c_lflag & (ICANON | ECHO | ISIG | ECHOE | IEXTEN), ICANON | ECHO | ISIG | ECHOE | IEXTEN);
	EQ(t.c_cc[VINTR], 3);
	EQ(t.c_cc[VERASE], 127);
	EQ(t.c_cc[VEOF], 4);
	EQ(t.c_cc[VSUSP], 26);
	CHECK(isatty(slave));
	ERR(ENOTTY, ioctl(OK(open("/tmp", O_RDONLY)), TCGETS, &t));
}

TEST(tty, lines)
{
	open_pty();
	type("hello\r");
	STREQ(line(), "hello\n");
	STREQ(shown(), "hello\r\n");
	type("ab");
	CHECK(!readable());
	type("c\nnext\n");
	STREQ(line(), "abc\n");
	STREQ(line(), "next\n");
	/* A short read leaves the rest of the line. */
	type("long line\n");
	char b[10] = "";
	EQ(read(slave, b, 4), 4);
	STREQ(b, "long");
	STREQ(line(), " line\n");
}

TEST(tty, output)
{
	open_pty();
	EQ(write(slave, "a\nb\tc", 5), 5);
	STREQ(shown(), "a\r\nb\tc");
	struct termios t = get();
	t.c_oflag &= ~OPOST;
	put(t);
	EQ(write(slave, "a\n", 2), 2);
	STREQ(shown(), "a\n");
}

TEST(tty, erase)
{
	open_pty();
	type("abx\177c\r");
	STREQ(line(), "abc\n");
	STREQ(shown(), "abx\b \bc\r\n");
	type("\177\177a\r"); /* nothing to erase */
	STREQ(line(), "a\n");
	shown();
	type("one two\027three\r"); /* word */
	STREQ(line(), "one three\n");
	shown();
	type("wrong\025right\r"); /* kill */
	STREQ(line(), "right\n");
	shown();
	type("a\001\177b\r"); /* a control character takes two columns */
	STREQ(line(), "ab\n");
	STREQ(shown(), "a^A\b \b\b \bb\r\n");
	type("\026\177\r"); /* literal next */
	STREQ(line(), "\177\n");
	shown();
	type("a\tb\177\177x\r"); /* tab */
	STREQ(line(), "ax\n");
}

TEST(tty, eof)
{
	open_pty();
	char b[10];
	type("\004");
	EQ(read(slave, b, 10), 0);
	type("ab\004");
	EQ(read(slave, b, 10), 2);
	type("cd\004\004");
	EQ(read(slave, b, 10), 2);
	EQ(read(slave, b, 10), 0);
}

TEST(tty, raw)
{
	open_pty();
	struct termios t = get();
	t.c_lflag &= ~(ICANON | ECHO | ISIG | IEXTEN);
	t.c_iflag &= ~(ICRNL | IXON);
	t.c_cc[VMIN] = 1, t.c_cc[VTIME] = 0;
	put(t);
	type("a\003\r\177\004");
	STREQ(line(), "a\003\r\177\004");
	STREQ(shown(), "");
	/* VMIN, VTIME */
	char b[10];
	t.c_cc[VMIN] = 0;
	put(t);
	EQ(read(slave, b, 10), 0);
	t.c_cc[VTIME] = 1;
	put(t);
	int64_t s = now_ms();
	EQ(read(slave, b, 10), 0);
	WITHIN(now_ms() - s, 80, 20000);
	t.c_cc[VMIN] = 3, t.c_cc[VTIME] = 0;
	put(t);
	FORK(pid) { type("1"); sleep_ms(30); type("2"); sleep_ms(30); type("3"); _exit(0); }
	EQ(read(slave, b, 10), 3);
	wait_ok(pid);
	/* Nonblocking. */
	OK(fcntl(slave, F_SETFL, O_NONBLOCK));
	ERR(EAGAIN, read(slave, b, 10));
	/* Back to lines: what is typed meanwhile is not lost. */
	type("xy\n");
	sleep_ms(20);
	t.c_lflag |= ICANON;
	put(t);
	STREQ(line(), "xy\n");
}

TEST(tty, flush)
{
	open_pty();
	type("gone\n");
	EVENTUALLY(readable());
	OK(tcflush(slave, TCIFLUSH));
	CHECK(!readable());
	type("also gone\n");
	struct termios t = get();
	EVENTUALLY(readable());
	OK(tcsetattr(slave, TCSAFLUSH, &t));
	CHECK(!readable());
	int n;
	type("four\n");
	EVENTUALLY(ioctl(slave, FIONREAD, &n) == 0 && n == 5);
	ERR(EINVAL, tcflush(slave, 77));
	OK(tcdrain(slave));
	STREQ(line(), "four\n");
}

TEST(tty, flow_control)
{
	open_pty();
	type("\023"); /* ^S */
	sleep_ms(20);
	OK(fcntl(slave, F_SETFL, O_NONBLOCK));
	write(slave, "x", 1);
	STREQ(shown(), "");
	type("\021"); /* ^Q */
	OK(fcntl(slave, F_SETFL, 0));
	EQ(write(slave, "y", 1), 1);
	CHECK(strchr(shown(), 'y'));
}

TEST(tty, window_size)
{
	open_pty();
	struct winsize w = { 25, 90 }, v;
	OK(ioctl(master, TIOCSWINSZ, &w));
	OK(ioctl(slave, TIOCGWINSZ, &v));
	EQ(v.ws_row, 25);
	EQ(v.ws_col, 90);
}

static volatile int caught;
static void note_sig(int s) { caught = s; }

/* A child that leads a session with the slave as its terminal. */
#define SESSION(pidvar) FORK(pidvar) { \
	close(master); OK(setsid()); OK(ioctl(slave, TIOCSCTTY, 0)); \
	dup2(slave, 0), dup2(slave, 1), dup2(slave, 2);

TEST(tty, controlling)
{
	open_pty();
	SESSION(pid)
		pid_t pg;
		OK(ioctl(0, TIOCGPGRP, &pg));
		EQ(pg, getpid());
		OK(ioctl(0, TIOCGSID, &pg));
		EQ(pg, getpid());
		int fd = OK(open("/dev/tty", O_RDWR));
		EQ(write(fd, "via tty", 7), 7);
		EQ(tcgetpgrp(fd), getpid());
		ERR(EPERM, tcsetpgrp(0, 1));
		OK(ioctl(fd, TIOCNOTTY));
		ERR(ENXIO, open("/dev/tty", O_RDWR));
		_exit(0);
	}
	/* Our stop at its TIOCNOTTY is a SIGHUP to itself only. */
	STREQ(shown(), "via tty");
	int st = wait_status(pid);
	CHECK((WIFEXITED(st) && WEXITSTATUS(st) == 0) || (WIFSIGNALED(st) && WTERMSIG(st) == SIGHUP));
	ERR(ENOTTY, tcgetpgrp(slave));
}

TEST(tty, signals_from_keys)
{
	open_pty();
	static const struct { const char *key; int sig; const char *echo; } k[] = { { "\003", SIGINT, "^C" }, { "\034", SIGQUIT, "^\\" }, { "\032", SIGTSTP, "^Z" } };
	volatile int *ready = shared(PAGE);
	for (int i = 0; i < 3; i++) {
		*ready = 0;
		SESSION(pid)
			signal(k[i].sig, note_sig);
			*ready = 1;
			while (!caught)
				sleep_ms(1);
			_exit(caught == k[i].sig ? 0 : 1);
		}
		EVENTUALLY(*ready);
		sleep_ms(20);
		type(k[i].key);
		wait_ok(pid);
		STREQ(shown(), k[i].echo);
	}
}

TEST(tty, typed_text_goes_with_a_signal)
{
	/* Without NOFLSH the line typed so far is thrown away. */
	open_pty();
	volatile int *ready = shared(PAGE);
	SESSION(pid)
		signal(SIGINT, note_sig);
		*ready = 1;
		STREQ(line(), "after\n");
		_exit(caught ? 0 : 1);
	}
	EVENTUALLY(*ready);
	sleep_ms(20);
	type("before");
	type("\003");
	sleep_ms(30);
	type("after\n");
	int st = wait_status(pid);
	/* read(2) was interrupted if the handler is not SA_RESTART; musl's signal() is. */
	EQ(st, 0);
}

TEST(tty, background_reads_and_writes)
{
	open_pty();
	SESSION(pid)
		int st;
		FORK(bg) {
			setpgid(0, 0);
			char c;
			read(0, &c, 1);
			_exit(0);
		}
		setpgid(bg, bg);
		EQ(waitpid(bg, &st, WUNTRACED), bg);
		CHECK(WIFSTOPPED(st));
		EQ(WSTOPSIG(st), SIGTTIN);
		OK(tcsetpgrp(0, bg));
		OK(kill(bg, SIGCONT));
		wait_ok(bg); /* reads what is typed below */
		/* From the background, taking the terminal stops with SIGTTOU. */
		signal(SIGTTOU, SIG_IGN);
		OK(tcsetpgrp(0, getpid()));
		signal(SIGTTOU, SIG_DFL);
		FORK(w) {
			setpgid(0, 0);
			EQ(write(1, "bg", 2), 2); /* allowed without TOSTOP */
			struct termios t = get();
			t.c_lflag |= TOSTOP;
			tcsetattr(0, TCSANOW, &t);
			_exit(0);
		}
		setpgid(w, w);
		EQ(waitpid(w, &st, WUNTRACED), w);
		CHECK(WIFSTOPPED(st));
		EQ(WSTOPSIG(st), SIGTTOU);
		kill(w, SIGKILL);
		wait_status(w);
		/* Ignored or orphaned: EIO instead of a stop. */
		FORK(ig) {
			setpgid(0, 0);
			signal(SIGTTIN, SIG_IGN);
			char c;
			ERR(EIO, read(0, &c, 1));
			_exit(0);
		}
		wait_ok(ig);
		_exit(0);
	}
	sleep_ms(50);
	type("x\n");
	wait_ok(pid);
}

TEST(tty, hangup)
{
	open_pty();
	volatile int *ready = shared(PAGE);
	SESSION(pid)
		signal(SIGHUP, note_sig);
		*ready = 1;
		while (!caught)
			sleep_ms(1);
		char c;
		EQ(read(0, &c, 1), 0);
		ERR(EIO, write(1, "x", 1));
		_exit(0);
	}
	EVENTUALLY(*ready);
	close(slave);
	close(master);
	wait_ok(pid);
}

TEST(tty, leader_exit_hangs_up_foreground)
{
	open_pty();
	volatile int *v = shared(PAGE);
	SESSION(pid)
		FORK(fg) {
			setpgid(0, 0);
			signal(SIGHUP, note_sig);
			v[0] = 1;
			while (!caught)
				sleep_ms(1);
			v[1] = 1;
			_exit(0);
		}
		setpgid(fg, fg);
		signal(SIGTTOU, SIG_IGN);
		OK(tcsetpgrp(0, fg));
		while (!v[0])
			sleep_ms(1);
		_exit(0);
	}
	wait_ok(pid);
	EVENTUALLY(v[1]);
}

TEST(tty, sigwinch)
{
	open_pty();
	volatile int *v = shared(PAGE);
	SESSION(pid)
		signal(SIGWINCH, note_sig);
		v[0] = 1;
		while (!caught)
			sleep_ms(1);
		_exit(0);
	}
	EVENTUALLY(v[0]);
	struct winsize w = { 10, 20 };
	OK(ioctl(master, TIOCSWINSZ, &w));
	wait_ok(pid);
}

TEST(tty, master_sees_close)
{
	open_pty();
	close(slave);
	char c;
	ERR(EIO, read(master, &c, 1));
	struct pollfd f = { master, POLLIN };
	EQ(poll(&f, 1, 0), 1);
	CHECK(f.revents & POLLHUP);
}

TEST_FLAGS(tty, console_is_sane, 20, NEEDS_PID1)
{
	int fd = OK(open("/dev/console", O_RDWR | O_NOCTTY));
	struct termios t;
	OK(tcgetattr(fd, &t));
	struct winsize w;
	OK(ioctl(fd, TIOCGWINSZ, &w));
	if (is_tamarix())
		CHECK(w.ws_row > 0 && w.ws_col > 0);
}
