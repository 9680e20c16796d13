/*
 * Rows that never enter the kernel. They must cost the same on both; where they
 * do not, something else on the host disturbed the run and its times are void.
 */
#include "bench.h"

static void alu(long n)
{
	uint64_t x = 88172645463325252ull;
	for (long i = 0; i < n; i++)
		for (int j = 0; j < 1000; j++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			__asm__ volatile("" : "+r"(x));
		}
}

/* A working set that stays in any cache and has no faults left to take. */
static char block[2][16 * KIB];

static void mem_setup(void) { memset(block, 1, sizeof block); }

static void mem(long n)
{
	for (long i = 0; i < n; i++) {
		uint64_t *a = (uint64_t *)block[i & 1], *b = (uint64_t *)block[~i & 1];
		for (size_t j = 0; j < sizeof block[0] / 8; j++)
			b[j] = a[j] + 1;
		__asm__ volatile("" ::: "memory");
	}
}

const struct row control_rows[] = {
	{ "control.alu", 200, alu, 0, 0 },
	{ "control.mem", 200, mem, mem_setup, 0 },
	{ 0 },
};
