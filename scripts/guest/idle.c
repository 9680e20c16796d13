/* What a CPU without work does not hear of at once, it knows when it has some. */
#include "t.h"

#include <linux/futex.h>
#include <pthread.h>

static char *page;
static volatile int round_no, seen;

static void wait_while(volatile int *at, int v)
{
	while (*at == v)
		syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, v, 0, 0, 0);
}

static void set(volatile int *at, int v)
{
	__atomic_store_n(at, v, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

enum { ROUNDS = 1500 };

/* Reads the page in each round, and sleeps in between. */
static void *reader(void *arg)
{
	double x = 1; /* in the registers that a CPU hands over when it goes idle */
	for (int i = 1; i <= ROUNDS; i++) {
		wait_while(&round_no, i - 1);
		if (*(volatile int *)page != i)
			FAIL("round %d: the page is that of round %d", i, *(volatile int *)page);
		x += 0.5;
		set(&seen, i);
	}
	EQ((long)(x * 2), ROUNDS + 2);
	return 0;
}

/* While the reader's CPU has no work, its page is mapped anew, moved, protected
   or copied on write. */
TEST_SLOW(idle, sees_new_mappings, 60)
{
	pthread_t t;
	char *at = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(at != MAP_FAILED);
	page = at;
	EQ(pthread_create(&t, 0, reader, 0), 0);
	for (int i = 1; i <= ROUNDS; i++) {
		if (i % 8 == 0)
			sleep_ms(1);
		switch (i % 4) {
		case 0:
			CHECK(mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
			break;
		case 1:
			*(int *)(at + PAGE) = i;
			CHECK(mremap(at + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
			CHECK(mmap(at + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at + PAGE);
			break;
		case 2:
			OK(madvise(at, PAGE, MADV_DONTNEED));
			break;
		case 3: {
			FORK(pid) { /* the page is shared, and copied by the next write */
				for (;;)
					pause();
			}
			kill(pid, SIGKILL);
			*(int *)at = i;
			wait_status(pid);
			break;
		}
		}
		*(int *)at = i;
		set(&round_no, i);
		wait_while(&seen, i - 1);
	}
	pthread_join(t, 0);
}
