/* Pipes, FIFOs, eventfd, and waiting for descriptors: poll, select, epoll. */
#include "t.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/uio.h>

static int p[2];
static void mk(int flags) { OK(pipe2(p, flags)); }

static int events(int fd, int want)
{
	struct pollfd f = { fd, want, 0 };
	OK(poll(&f, 1, 0));
	return f.revents;
}

TEST(pipes, bytes_in_order)
{
	mk(0);
	FORK(pid) {
		close(p[0]);
		unsigned char b[1000];
		for (int i = 0, n = 0; i < 1000; i++) {
			for (int j = 0; j < 1000; j++)
				b[j] = n++;
			EQ(write(p[1], b, 1000), 1000);
		}
		_exit(0);
	}
	close(p[1]);
	unsigned char b[777], want = 0;
	long total = 0;
	ssize_t n;
	while ((n = OK(read(p[0], b, sizeof b))) > 0)
		for (int i = 0; i < n; i++, total++)
			EQ(b[i], want++);
	EQ(total, 1000000);
	wait_ok(pid);
}

TEST(pipes, end_of_file)
{
	mk(0);
	char c;
	EQ(write(p[1], "ab", 2), 2);
	close(p[1]);
	EQ(read(p[0], &c, 1), 1);
	EQ(read(p[0], &c, 1), 1);
	EQ(read(p[0], &c, 1), 0);
	EQ(read(p[0], &c, 1), 0);
}

TEST(pipes, sigpipe)
{
	mk(0);
	close(p[0]);
	FORK(pid) { write(p[1], "x", 1); _exit(0); }
	wait_signaled(pid, SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	ERR(EPIPE, write(p[1], "x", 1));
	CHECK(events(p[1], POLLOUT) & POLLERR);
}

TEST(pipes, nonblocking)
{
	mk(O_NONBLOCK);
	char b[4096];
	ERR(EAGAIN, read(p[0], b, 1));
	EQ(write(p[1], b, 0), 0);
	long n = 0;
	ssize_t r;
	while ((r = write(p[1], b, sizeof b)) > 0)
		n += r;
	EQ(errno, EAGAIN);
	EQ(n, 65536);
	EQ(events(p[1], POLLOUT), 0);
	int q;
	OK(ioctl(p[0], FIONREAD, &q));
	EQ(q, 65536);
	/* PIPE_BUF: all of it or nothing. */
	EQ(read(p[0], b, 100), 100);
	ERR(EAGAIN, write(p[1], b, 4096));
	EQ(read(p[0], b, 4096), 4096);
	EQ(write(p[1], b, 4096), 4096);
}

TEST(pipes, atomic_writes)
{
	mk(0);
	for (int k = 0; k < 4; k++) {
		FORK(pid) {
			char b[4096];
			memset(b, 'a' + k, sizeof b);
			for (int i = 0; i < 50; i++)
				EQ(write(p[1], b, sizeof b), sizeof b);
			_exit(0);
		}
	}
	close(p[1]);
	char b[4096];
	int blocks = 0, have = 0;
	ssize_t n;
	while ((n = OK(read(p[0], b + have, sizeof b - have))) > 0)
		if ((have += n) == sizeof b) {
			for (int i = 1; i < 4096; i++)
				EQ(b[i], b[0]);
			blocks++, have = 0;
		}
	EQ(blocks, 200);
	while (wait(0) > 0)
		;
}

TEST(pipes, size)
{
	mk(O_NONBLOCK);
	EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
	EQ(fcntl(p[1], F_SETPIPE_SZ, 100000), 131072);
	EQ(fcntl(p[1], F_SETPIPE_SZ, 1), 4096);
	char b[8192] = "";
	EQ(write(p[1], b, 4096), 4096);
	ERR(EAGAIN, write(p[1], b, 1));
	OK(fcntl(p[1], F_SETPIPE_SZ, 8192));
	EQ(write(p[1], b, 4096), 4096);
	ERR(EBUSY, fcntl(p[1], F_SETPIPE_SZ, 4096));
}

TEST(pipes, errors)
{
	mk(0);
	char c;
	ERR(ESPIPE, lseek(p[0], 0, SEEK_SET));
	ERR(ESPIPE, pread(p[0], &c, 1, 0));
	ERR(EBADF, write(p[0], "x", 1));
	ERR(EBADF, read(p[1], &c, 1));
	ERR(EINVAL, pipe2(p, 0x4));
	ERR(EFAULT, syscall(SYS_pipe2, (void *)8, 0));
	ERR(EFAULT, syscall(SYS_write, p[1], (void *)8, 10));
	struct stat st;
	OK(fstat(p[0], &st));
	CHECK(S_ISFIFO(st.st_mode));
}

TEST(pipes, vectors)
{
	mk(0);
	struct iovec w[3] = { { "one", 3 }, { "", 0 }, { "two", 3 } };
	EQ(writev(p[1], w, 3), 6);
	char a[4] = "", b[8] = "";
	struct iovec r[2] = { { a, 2 }, { b, 8 } };
	EQ(readv(p[0], r, 2), 6);
	STREQ(a, "on");
	CHECK(!memcmp(b, "etwo", 4));
	ERR(EINVAL, syscall(SYS_writev, p[1], w, -1));
	ERR(EINVAL, syscall(SYS_writev, p[1], w, 1025));
}

TEST(pipes, blocked_writer_wakes)
{
	mk(0);
	FORK(pid) {
		char *b = malloc(300000);
		memset(b, 1, 300000);
		EQ(write(p[1], b, 300000), 300000);
		_exit(0);
	}
	char *b = malloc(300000);
	sleep_ms(20);
	for (long n = 0; n < 300000;)
		n += OK(read(p[0], b, 50000));
	wait_ok(pid);
}

TEST(pipes, fifo)
{
	unlink("/tmp/fifo");
	OK(mkfifo("/tmp/fifo", 0600));
	ERR(EEXIST, mkfifo("/tmp/fifo", 0600));
	ERR(ENXIO, open("/tmp/fifo", O_WRONLY | O_NONBLOCK));
	int r = OK(open("/tmp/fifo", O_RDONLY | O_NONBLOCK));
	char c;
	EQ(read(r, &c, 1), 0); /* no writer */
	int w = OK(open("/tmp/fifo", O_WRONLY | O_NONBLOCK));
	ERR(EAGAIN, read(r, &c, 1));
	EQ(write(w, "x", 1), 1);
	EQ(read(r, &c, 1), 1);
	close(w);
	EQ(read(r, &c, 1), 0);
	close(r);
	/* Each side waits for the other. */
	FORK(pid) {
		int fd = OK(open("/tmp/fifo", O_WRONLY));
		EQ(write(fd, "hello", 5), 5);
		_exit(0);
	}
	sleep_ms(20);
	int fd = OK(open("/tmp/fifo", O_RDONLY));
	char b[6] = "";
	EQ(read(fd, b, 5), 5);
	STREQ(b, "hello");
	wait_ok(pid);
	unlink("/tmp/fifo");
}

TEST(pipes, poll_events)
{
	mk(0);
	EQ(events(p[0], POLLIN), 0);
	EQ(events(p[1], POLLOUT), POLLOUT);
	EQ(write(p[1], "x", 1), 1);
	EQ(events(p[0], POLLIN), POLLIN);
	close(p[1]);
	EQ(events(p[0], POLLIN), POLLIN | POLLHUP);
	char c;
	EQ(read(p[0], &c, 1), 1);
	EQ(events(p[0], POLLIN), POLLHUP);
	EQ(events(p[1], POLLIN), POLLNVAL);
	struct pollfd f = { -1, POLLIN, 7 };
	EQ(poll(&f, 1, 0), 0);
	EQ(f.revents, 0);
}

TEST(pipes, poll_waits)
{
	mk(0);
	struct pollfd f = { p[0], POLLIN };
	int64_t t = now_ms();
	EQ(poll(&f, 1, 40), 0);
	WITHIN(now_ms() - t, 38, 20000);
	FORK(pid) { sleep_ms(30); write(p[1], "x", 1); _exit(0); }
	EQ(poll(&f, 1, -1), 1);
	EQ(f.revents, POLLIN);
	wait_ok(pid);
	struct rlimit r = { 64, 64 };
	OK(setrlimit(RLIMIT_NOFILE, &r));
	ERR(EINVAL, poll(&f, 1000, 0));
}

TEST(pipes, poll_many)
{
	enum { N = 150 };
	static struct pollfd f[2 * N + 2];
	int w[N];
	for (int i = 0; i < N; i++) {
		mk(0);
		f[i] = (struct pollfd){ p[0], POLLIN, 7 };
		f[N + i] = (struct pollfd){ -1 - i, POLLIN, 7 };
		w[i] = p[1];
	}
	f[2 * N] = (struct pollfd){ OK(open("/", O_PATH)), POLLIN, 7 };
	f[2 * N + 1] = (struct pollfd){ 1000, POLLIN, 7 };
	EQ(poll(f, 2 * N, 0), 0);
	for (int i = 0; i < 2 * N; i++)
		EQ(f[i].revents, 0);
	EQ(poll(f, 2 * N + 2, -1), 2);
	EQ(f[2 * N].revents, POLLNVAL);
	EQ(f[2 * N + 1].revents, POLLNVAL);
	FORK(pid) { sleep_ms(30); EQ(write(w[N - 1], "x", 1), 1); _exit(0); }
	EQ(poll(f, 2 * N, 20000), 1);
	EQ(f[N - 1].revents, POLLIN);
	wait_ok(pid);
	for (int i = 0; i < N; i += 2)
		EQ(write(w[i], "x", 1), 1);
	EQ(poll(f, 2 * N, 20000), N / 2 + 1);
	for (int i = 0; i < N; i++)
		EQ(f[i].revents, i % 2 == 0 || i == N - 1 ? POLLIN : 0);
}

static void *close_writer(void *arg)
{
	sleep_ms(30);
	close(p[1]);
	return arg;
}

/* A file stays open while another thread polls it, whatever becomes of its descriptor. */
TEST(pipes, poll_holds_files)
{
	mk(0);
	pthread_t t;
	EQ(pthread_create(&t, 0, close_writer, 0), 0);
	struct pollfd f[2] = { { p[0], POLLIN }, { p[1], 0 } };
	int64_t start = now_ms();
	EQ(poll(f, 2, 120), 1);
	WITHIN(now_ms() - start, 118, 20000);
	EQ(f[1].revents, POLLNVAL);
	pthread_join(t, 0);
	EQ(events(p[0], POLLIN), POLLHUP);
}

TEST(pipes, select)
{
	mk(0);
	fd_set r, w;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r), FD_SET(p[1], &w);
	struct timeval tv = { 1, 0 };
	EQ(select(p[1] + 1, &r, &w, 0, &tv), 1);
	CHECK(!FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
	EQ(write(p[1], "x", 1), 1);
	FD_SET(p[0], &r);
	EQ(select(p[1] + 1, &r, &w, 0, 0), 2);
	ERR(EBADF, ({ FD_SET(60, &r); select(61, &r, 0, 0, &tv); }));
	ERR(EINVAL, select(-1, 0, 0, 0, &tv));
	tv.tv_sec = 0, tv.tv_usec = 30000;
	int64_t t = now_ms();
	EQ(select(0, 0, 0, 0, &tv), 0);
	WITHIN(now_ms() - t, 28, 20000);
}

TEST(pipes, epoll)
{
	mk(O_NONBLOCK);
	int ep = OK(epoll_create1(EPOLL_CLOEXEC));
	struct epoll_event e = { EPOLLIN, { .u64 = 42 } }, out[4];
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	ERR(EEXIST, epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	ERR(ENOENT, epoll_ctl(ep, EPOLL_CTL_MOD, p[1], &e));
	ERR(EBADF, epoll_ctl(ep, EPOLL_CTL_ADD, 77, &e));
	ERR(EINVAL, epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e));
	int file = OK(open("/tmp/f", O_RDWR | O_CREAT, 0600));
	ERR(EPERM, epoll_ctl(ep, EPOLL_CTL_ADD, file, &e));
	EQ(epoll_wait(ep, out, 4, 0), 0);
	ERR(EINVAL, epoll_wait(ep, out, 0, 0));
	EQ(write(p[1], "xy", 2), 2);
	EQ(epoll_wait(ep, out, 4, 1000), 1);
	EQ(out[0].data.u64, 42);
	EQ(out[0].events, EPOLLIN);
	EQ(epoll_wait(ep, out, 4, 0), 1); /* level-triggered: still */
	e.events = EPOLLIN | EPOLLET;
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	EQ(epoll_wait(ep, out, 4, 0), 1);
	EQ(epoll_wait(ep, out, 4, 0), 0); /* edge: once */
	EQ(write(p[1], "z", 1), 1);
	EQ(epoll_wait(ep, out, 4, 0), 1);
	e.events = EPOLLIN | EPOLLONESHOT;
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	EQ(epoll_wait(ep, out, 4, 0), 1);
	EQ(epoll_wait(ep, out, 4, 0), 0);
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	close(p[1]);
	EQ(epoll_wait(ep, out, 4, 0), 1);
	EQ(out[0].events, EPOLLIN | EPOLLHUP);
	OK(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], 0));
	EQ(epoll_wait(ep, out, 4, 0), 0);
}

TEST(pipes, epoll_waits_and_forgets_closed)
{
	mk(0);
	int ep = OK(epoll_create1(0));
	struct epoll_event e = { EPOLLIN, { .fd = p[0] } }, out;
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	FORK(pid) { sleep_ms(30); write(p[1], "x", 1); _exit(0); }
	EQ(epoll_wait(ep, &out, 1, 5000), 1);
	wait_ok(pid);
	close(p[0]); /* the last descriptor of it */
	EQ(epoll_wait(ep, &out, 1, 0), 0);
	/* nested */
	mk(0);
	e.data.fd = p[0];
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	int outer = OK(epoll_create1(0));
	e.data.fd = ep;
	OK(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &e));
	ERR(ELOOP, epoll_ctl(ep, EPOLL_CTL_ADD, outer, &e));
	EQ(epoll_wait(outer, &out, 1, 0), 0);
	EQ(write(p[1], "x", 1), 1);
	EQ(epoll_wait(outer, &out, 1, 1000), 1);
	EQ(out.data.fd, ep);
}

TEST(pipes, eventfd)
{
	int fd = OK(eventfd(3, EFD_NONBLOCK));
	uint64_t v;
	EQ(read(fd, &v, 8), 8);
	EQ(v, 3);
	ERR(EAGAIN, read(fd, &v, 8));
	v = 5;
	EQ(write(fd, &v, 8), 8);
	EQ(write(fd, &v, 8), 8);
	EQ(events(fd, POLLIN), POLLIN);
	EQ(read(fd, &v, 8), 8);
	EQ(v, 10);
	ERR(EINVAL, read(fd, &v, 4));
	v = -1;
	ERR(EINVAL, write(fd, &v, 8));
	v = -2;
	EQ(write(fd, &v, 8), 8);
	v = 1;
	ERR(EAGAIN, write(fd, &v, 8));
	int s = OK(eventfd(2, EFD_SEMAPHORE));
	EQ(read(s, &v, 8), 8);
	EQ(v, 1);
	ERR(EINVAL, eventfd(0, 0x1000));
}

TEST(pipes, splice_and_sendfile)
{
	mk(0);
	spit("/tmp/f", "0123456789");
	int in = OK(open("/tmp/f", O_RDONLY)), out = OK(open("/tmp/g", O_RDWR | O_CREAT | O_TRUNC, 0600));
	off_t off = 2;
	EQ(syscall(SYS_sendfile, out, in, &off, 5), 5);
	EQ(off, 7);
	STREQ(slurp("/tmp/g"), "23456");
	EQ(syscall(SYS_sendfile, p[1], in, 0, 100), 10);
	char b[20] = "";
	EQ(read(p[0], b, 20), 10);
	STREQ(b, "0123456789");
	if (syscall(SYS_splice, in, &(loff_t){ 0 }, p[1], 0, 4, 0) < 0 && errno == ENOSYS)
		skip("no splice");
	EQ(read(p[0], b, 20), 4);
}

TEST_SLOW(pipes, round_trips, 60)
{
	int q[2];
	mk(0);
	OK(pipe(q));
	FORK(pid) {
		char c;
		close(p[1]);
		while (read(p[0], &c, 1) == 1)
			write(q[1], &c, 1);
		_exit(0);
	}
	char c = 'x';
	for (int i = 0; i < 3000; i++) {
		EQ(write(p[1], &c, 1), 1);
		EQ(read(q[0], &c, 1), 1);
	}
	close(p[1]);
	wait_ok(pid);
}

TEST(pipes, ring_of_processes)
{
	enum { N = 8 };
	int ring[N][2];
	for (int i = 0; i < N; i++)
		OK(pipe(ring[i]));
	for (int i = 0; i < N; i++) {
		FORK(pid) {
			int v;
			while (read(ring[i][0], &v, 4) == 4 && v > 0) {
				v--;
				write(ring[(i + 1) % N][1], &v, 4);
				if (v < N)
					break;
			}
			_exit(0);
		}
	}
	int v = 800;
	EQ(write(ring[0][1], &v, 4), 4);
	for (int i = 0; i < N; i++)
		CHECK(wait(0) > 0);
}
