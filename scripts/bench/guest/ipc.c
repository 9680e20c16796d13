/* From one process or thread to another and back. */
#include "bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/socket.h>

static int to[2], from[2];

static void echo(void *arg)
{
	int *fd = arg;
	char c;
	while (read(fd[0], &c, 1) == 1)
		if (write(fd[1], &c, 1) != 1)
			fail("echo: %s", strerror(errno));
}

static void pipe_setup(void)
{
	OK(pipe(to));
	OK(pipe(from));
	spawn(echo, (int[]){ to[0], from[1] });
}

static void socket_setup(void)
{
	int s[2];
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	to[1] = from[0] = s[0];
	spawn(echo, (int[]){ s[1], s[1] });
}

static void round_trip(long n)
{
	char c = 'x';
	while (n--) {
		EXPECT(1, write(to[1], &c, 1));
		EXPECT(1, read(from[0], &c, 1));
	}
}

/* Two threads that wait for each other's turn; only the kernel is asked, as
   when the other's turn is long. */
static int turn[2];

static void futex(int *at, int op, int v)
{
	syscall(SYS_futex, at, op | FUTEX_PRIVATE_FLAG, v, 0, 0, 0);
}

static void give(int *at)
{
	__atomic_store_n(at, 1, __ATOMIC_SEQ_CST);
	futex(at, FUTEX_WAKE, 1);
}

static void take(int *at)
{
	while (!__atomic_load_n(at, __ATOMIC_SEQ_CST))
		futex(at, FUTEX_WAIT, 0);
	*at = 0;
}

static void *partner(void *arg)
{
	for (;;) {
		take(&turn[0]);
		give(&turn[1]);
	}
	return arg;
}

static void futex_setup(void)
{
	pthread_t t;
	if ((errno = pthread_create(&t, 0, partner, 0)))
		fail("pthread_create: %s", strerror(errno));
}

static void futex_trip(long n)
{
	while (n--) {
		give(&turn[0]);
		take(&turn[1]);
	}
}

/* A token goes round eight processes, of which we are one. */
enum { RING = 8 };

static void ring_setup(void)
{
	int fd[RING][2];
	for (int i = 0; i < RING; i++)
		OK(pipe(fd[i]));
	for (int i = 1; i < RING; i++)
		spawn(echo, (int[]){ fd[i - 1][0], fd[i][1] });
	to[1] = fd[0][1];
	from[0] = fd[RING - 1][0];
}

/* Whole laps. */
static void ring(long n) { round_trip((n + RING - 1) / RING); }

enum { CHUNK = 64 * KIB };
static char chunk[CHUNK] __attribute__((aligned(4096)));

static void fill(void *arg)
{
	int fd = *(int *)arg;
	while (write(fd, chunk, CHUNK) == CHUNK)
		;
	fail("write: %s", strerror(errno));
}

static void bandwidth_setup(void)
{
	memset(chunk, 'x', sizeof chunk);
	OK(pipe(to));
	spawn(fill, &to[1]);
}

static void bandwidth(long n)
{
	chunk[0] = 0;
	while (n--)
		for (long got = 0, r; got < CHUNK; got += r)
			if ((r = read(to[0], chunk, CHUNK - got)) <= 0)
				unexpected("read", r);
	EXPECT('x', chunk[0]);
}

const struct row ipc_rows[] = {
	{ "pipe_rt", 1000, round_trip, pipe_setup, 0 },
	{ "futex_rt", 1000, futex_trip, futex_setup, 0 },
	{ "socketpair_rt", 1000, round_trip, socket_setup, 0 },
	{ "ring_hop", 1600, ring, ring_setup, 0 },
	{ "pipe_bw", 100, bandwidth, bandwidth_setup, 0 },
	{ 0 },
};
