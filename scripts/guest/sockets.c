/* AF_UNIX sockets: unix(7). */
#include "t.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static int s[2];

static socklen_t name(struct sockaddr_un *a, const char *path)
{
	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path, path);
	return offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;
}

static int events(int fd)
{
	struct pollfd f = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };
	OK(poll(&f, 1, 0));
	return f.revents;
}

TEST(sockets, families_and_types)
{
	ERR(EAFNOSUPPORT, socket(77, SOCK_STREAM, 0));
	ERR(ESOCKTNOSUPPORT, socket(AF_UNIX, 7, 0));
	ERR(EPROTONOSUPPORT, socket(AF_UNIX, SOCK_STREAM, 9));
	ERR(EINVAL, socket(AF_UNIX, SOCK_STREAM | 0x100000, 0));
	int fd = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	EQ(OK(fcntl(fd, F_GETFD)), FD_CLOEXEC);
	EQ(OK(fcntl(fd, F_GETFL)) & O_NONBLOCK, O_NONBLOCK);
	struct stat st;
	OK(fstat(fd, &st));
	EQ(st.st_mode & S_IFMT, S_IFSOCK);
	char link[64], path[32];
	sprintf(path, "/proc/self/fd/%d", fd);
	CHECK(readlink(path, link, sizeof link) > 8);
	EQ(strncmp(link, "socket:[", 8), 0);
	ERR(ESPIPE, lseek(fd, 0, SEEK_SET));
	ERR(ENXIO, open(path, O_RDWR));
	EQ(events(fd), POLLOUT | POLLHUP);
	struct sockaddr_un a;
	socklen_t n = sizeof a;
	ERR(ENOTSOCK, getsockname(OK(open("/", O_RDONLY)), (void *)&a, &n));
	ERR(EBADF, listen(99, 1));
	ERR(ENOTCONN, getpeername(fd, (void *)&a, &n));
	OK(getsockname(fd, (void *)&a, &n));
	EQ(n, 2);
	ERR(EINVAL, listen(fd, 1));
	OK(shutdown(fd, SHUT_RD));
	ERR(ENOTCONN, send(fd, "x", 1, MSG_NOSIGNAL));
	ERR(EINVAL, recv(fd, path, 1, 0));
}

TEST(sockets, pair)
{
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	char b[100];
	EQ(write(s[0], "hello ", 6), 6);
	EQ(send(s[0], "world", 5, 0), 5);
	EQ(events(s[1]), POLLIN | POLLOUT);
	int n;
	OK(ioctl(s[1], FIONREAD, &n));
	EQ(n, 11);
	EQ(recv(s[1], b, 3, MSG_PEEK), 3);
	EQ(read(s[1], b, sizeof b), 11);
	EQ(memcmp(b, "hello world", 11), 0);
	ERR(EAGAIN, recv(s[1], b, 1, MSG_DONTWAIT));
	OK(shutdown(s[0], SHUT_WR));
	EQ(events(s[1]), POLLIN | POLLOUT | POLLRDHUP);
	EQ(read(s[1], b, 1), 0);
	signal(SIGPIPE, SIG_IGN);
	ERR(EPIPE, write(s[0], "x", 1));
	EQ(write(s[1], "back", 4), 4);
	EQ(read(s[0], b, 10), 4);
	close(s[0]);
	EQ(events(s[1]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	ERR(EPIPE, write(s[1], "x", 1));
}

/* Two wait; the first only peeks. What it leaves is for the second. */
TEST(sockets, peek_wakes_the_next)
{
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	char c;
	FORK(peeker) {
		EQ(recv(s[1], &c, 1, MSG_PEEK), 1);
		_exit(0);
	}
	usleep(50000);
	FORK(reader) {
		EQ(recv(s[1], &c, 1, 0), 1);
		_exit(0);
	}
	usleep(50000);
	EQ(send(s[0], "x", 1, 0), 1);
	int st, i = 0;
	while (OK(waitpid(reader, &st, WNOHANG)) == 0) {
		if (i++ == 300)
			FAIL("the reader sleeps, its data is there");
		usleep(10000);
	}
	EQ(st, 0);
	EQ(send(s[0], "y", 1, 0), 1); /* if the reader was faster than the peeker */
	wait_ok(peeker);
}

TEST(sockets, sigpipe)
{
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	close(s[0]);
	FORK(quiet) { ERR(EPIPE, send(s[1], "x", 1, MSG_NOSIGNAL)); _exit(0); }
	wait_ok(quiet);
	FORK(pid) { write(s[1], "x", 1); _exit(0); }
	wait_signaled(pid, SIGPIPE);
}

TEST(sockets, server)
{
	struct sockaddr_un a, got;
	socklen_t len = name(&a, "/tmp/sock"), n;
	unlink("/tmp/sock");
	int l = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	umask(022);
	OK(bind(l, (void *)&a, len));
	struct stat st;
	OK(stat("/tmp/sock", &st));
	EQ(st.st_mode, S_IFSOCK | 0755);
	int other = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	ERR(EADDRINUSE, bind(other, (void *)&a, len));
	ERR(ECONNREFUSED, connect(other, (void *)&a, len));
	OK(listen(l, 3));
	FORK(pid) {
		int c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
		OK(connect(c, (void *)&a, len));
		ERR(EISCONN, connect(c, (void *)&a, len));
		n = sizeof got;
		OK(getpeername(c, (void *)&got, &n));
		EQ(n, len);
		STREQ(got.sun_path, "/tmp/sock");
		char b[20];
		EQ(write(c, "ping", 4), 4);
		EQ(read(c, b, 20), 4);
		_exit(memcmp(b, "pong", 4));
	}
	n = sizeof got;
	int c = OK(accept4(l, (void *)&got, &n, SOCK_CLOEXEC));
	EQ(n, 2);
	EQ(OK(fcntl(c, F_GETFD)), FD_CLOEXEC);
	struct ucred { pid_t pid; uid_t uid; gid_t gid; } u;
	n = sizeof u;
	OK(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &n));
	EQ(u.pid, pid);
	EQ(u.uid, 0);
	char b[20];
	EQ(read(c, b, 20), 4);
	EQ(write(c, "pong", 4), 4);
	wait_ok(pid);
	fcntl(l, F_SETFL, O_NONBLOCK);
	ERR(EAGAIN, accept(l, 0, 0));
	unlink("/tmp/sock");
	ERR(ENOENT, connect(other, (void *)&a, len));
}

TEST(sockets, abstract_and_datagrams)
{
	struct sockaddr_un a = { AF_UNIX, "\0tamarix test" }, from;
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 13, n = sizeof from;
	int r = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), w = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
	ERR(ECONNREFUSED, sendto(w, "x", 1, 0, (void *)&a, len));
	OK(bind(r, (void *)&a, len));
	EQ(sendto(w, "unnamed", 7, 0, (void *)&a, len), 7);
	char b[20];
	EQ(recvfrom(r, b, 20, 0, (void *)&from, &n), 7);
	EQ(n, 0);
	OK(bind(w, (void *)&a, 2)); /* autobind */
	OK(connect(w, (void *)&a, len));
	EQ(send(w, "named", 5, 0), 5);
	EQ(send(w, "", 0, 0), 0);
	n = sizeof from;
	EQ(recvfrom(r, b, 3, MSG_TRUNC, (void *)&from, &n), 5);
	EQ(n, 2 + 6);
	EQ(from.sun_path[0], 0);
	EQ(recv(r, b, 20, 0), 0);
	struct timeval tv = { 0, 30000 };
	OK(setsockopt(r, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	ERR(EAGAIN, recv(r, b, 20, 0));
	close(r);
	ERR(ECONNREFUSED, send(w, "x", 1, 0));
	ERR(ENOTCONN, send(w, "x", 1, 0));
}

static void send_fd(int to, int *fds, int n, const char *text)
{
	char control[CMSG_SPACE(16 * sizeof(int))] = { 0 };
	struct iovec v = { (void *)text, strlen(text) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	EQ(OK(sendmsg(to, &m, 0)), strlen(text));
}

static int recv_fd(int from, int *fds, int room, int *flags)
{
	char control[CMSG_SPACE(16 * sizeof(int))], b[100];
	struct iovec v = { b, sizeof b };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_LEN(room * sizeof(int)) };
	OK(recvmsg(from, &m, MSG_CMSG_CLOEXEC));
	*flags = m.msg_flags;
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (!c)
		return 0;
	EQ(c->cmsg_type, SCM_RIGHTS);
	int n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return n;
}

TEST(sockets, descriptors)
{
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	int p[2], got[16], flags;
	OK(pipe(p));
	FORK(pid) {
		send_fd(s[0], p, 2, "two");
		_exit(0);
	}
	wait_ok(pid);
	close(p[1]);
	EQ(recv_fd(s[1], got, 16, &flags), 2);
	EQ(OK(fcntl(got[0], F_GETFD)), FD_CLOEXEC);
	EQ(write(got[1], "x", 1), 1);
	char c;
	EQ(read(p[0], &c, 1), 1);
	close(got[0]);
	close(got[1]);
	EQ(read(p[0], &c, 1), 0); /* nobody else has the write end */
	int three[3] = { p[0], p[0], p[0] };
	send_fd(s[0], three, 3, "cut");
	EQ(recv_fd(s[1], got, 2, &flags), 2);
	EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
	int bad = 77;
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET, h->cmsg_type = SCM_RIGHTS, h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &bad, sizeof bad);
	ERR(EBADF, sendmsg(s[0], &m, 0));
}

TEST(sockets, credentials)
{
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	int one = 1;
	OK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
	FORK(pid) { EQ(write(s[0], "x", 1), 1); _exit(0); }
	wait_ok(pid);
	char control[64], b;
	struct iovec v = { &b, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	EQ(OK(recvmsg(s[1], &m, 0)), 1);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	CHECK(c);
	EQ(c->cmsg_type, SCM_CREDENTIALS);
	pid_t sender;
	memcpy(&sender, CMSG_DATA(c), sizeof sender);
	EQ(sender, pid);
}

TEST(sockets, much_data)
{
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	FORK(pid) {
		close(s[1]);
		static char b[100000];
		for (int i = 0; i < 50; i++) {
			memset(b, i, sizeof b);
			EQ(write(s[0], b, sizeof b), sizeof b);
		}
		_exit(0);
	}
	close(s[0]);
	static char b[30000];
	long total = 0;
	ssize_t n;
	while ((n = OK(read(s[1], b, sizeof b))) > 0) {
		EQ(b[0], total / 100000);
		total += n;
	}
	EQ(total, 5000000);
	wait_ok(pid);
}

/* What is sent in pieces of all sizes arrives in order, however it is read. */
TEST(sockets, stream_of_pieces)
{
	int s[2];
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	enum { TOTAL = 1 << 20 };
	FORK(pid) {
		close(s[0]);
		static unsigned char b[70000];
		unsigned r = 1;
		for (int at = 0; at < TOTAL;) {
			r = r * 1103515245 + 12345;
			int n = 1 + (r >> 8) % (r >> 28 ? 200 : sizeof b);
			if (n > TOTAL - at)
				n = TOTAL - at;
			for (int i = 0; i < n; i++)
				b[i] = (at + i) * 7 + (at + i) / 251;
			EQ(write(s[1], b, n), n);
			at += n;
		}
		_exit(0);
	}
	close(s[1]);
	static unsigned char b[70000];
	unsigned r = 2;
	int at = 0;
	for (;;) {
		r = r * 1103515245 + 12345;
		int n = OK(read(s[0], b, 1 + (r >> 8) % (r >> 28 ? 300 : sizeof b)));
		if (n == 0)
			break;
		for (int i = 0; i < n; i++)
			EQ(b[i], (unsigned char)((at + i) * 7 + (at + i) / 251));
		at += n;
	}
	EQ(at, TOTAL);
	wait_ok(pid);
}

TEST(sockets, epoll_and_nonblocking)
{
	OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	int e = OK(epoll_create1(0));
	struct epoll_event ev = { EPOLLIN | EPOLLOUT | EPOLLET, { 0 } };
	OK(epoll_ctl(e, EPOLL_CTL_ADD, s[0], &ev));
	EQ(OK(epoll_wait(e, &ev, 1, 0)), 1);
	EQ(ev.events, EPOLLOUT);
	static char b[65536];
	long total = 0;
	ssize_t n;
	while ((n = write(s[0], b, sizeof b)) > 0)
		total += n;
	EQ(errno, EAGAIN);
	EQ(OK(epoll_wait(e, &ev, 1, 0)), 0);
	while (total > 0)
		total -= OK(read(s[1], b, sizeof b));
	EQ(OK(epoll_wait(e, &ev, 1, 1000)), 1);
	EQ(ev.events & EPOLLOUT, EPOLLOUT);
	EQ(write(s[1], "x", 1), 1);
	EQ(OK(epoll_wait(e, &ev, 1, 1000)), 1);
	EQ(ev.events & EPOLLIN, EPOLLIN);
}
