/* Calls that do next to nothing: what it costs to enter the kernel and leave it. */
#include "bench.h"

#include <elf.h>
#include <sys/auxv.h>
#include <time.h>

/* getppid: libc keeps no copy of it, and neither kernel may. */
static void null_call(long n)
{
	while (n--)
		call0(SYS_getppid);
}

static struct timespec ts;

static void clock_call(long n)
{
	EXPECT(0, call2(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts));
	while (n--)
		call2(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts);
}

static int (*vdso)(int, struct timespec *);

/* How many symbols a dynamic symbol table has stands in its hash tables alone:
   the old kind has as many chain links as there are symbols; in the GNU kind the
   symbols of a bucket lie one after the other, the last one's hash being odd. */
static size_t symbols(const uint32_t *hash, const uint32_t *gnu)
{
	if (hash)
		return hash[1];
	if (!gnu)
		return 0;
	const uint32_t *buckets = gnu + 4 + 2 * gnu[2], *chain = buckets + gnu[0];
	uint32_t last = 0;
	for (uint32_t i = 0; i < gnu[0]; i++)
		if (buckets[i] > last)
			last = buckets[i];
	if (last < gnu[1])
		return gnu[1]; /* nothing is hashed */
	while (!(chain[last - gnu[1]] & 1))
		last++;
	return last + 1;
}

/* Find __vdso_clock_gettime in the image the kernel has mapped. */
static void find_vdso(void)
{
	char *base = (char *)getauxval(AT_SYSINFO_EHDR);
	if (!base)
		skip("unsupported: no vDSO");
	Elf64_Ehdr *eh = (Elf64_Ehdr *)base;
	Elf64_Phdr *ph = (Elf64_Phdr *)(base + eh->e_phoff);
	Elf64_Dyn *dyn = 0;
	char *bias = 0;
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && !bias)
			bias = base + ph[i].p_offset - ph[i].p_vaddr;
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (Elf64_Dyn *)(base + ph[i].p_offset);
	}
	Elf64_Sym *sym = 0;
	char *str = 0;
	uint32_t *hash = 0, *gnu = 0;
	for (; dyn && dyn->d_tag; dyn++) {
		void *at = bias + dyn->d_un.d_ptr;
		switch (dyn->d_tag) {
		case DT_SYMTAB: sym = at; break;
		case DT_STRTAB: str = at; break;
		case DT_HASH: hash = at; break;
		case DT_GNU_HASH: gnu = at; break;
		}
	}
	for (size_t i = 0, n = sym && str ? symbols(hash, gnu) : 0; i < n; i++)
		if (sym[i].st_value && !strcmp(str + sym[i].st_name, "__vdso_clock_gettime"))
			vdso = (int (*)(int, struct timespec *))(bias + sym[i].st_value);
	if (!vdso)
		skip("unsupported: no clock_gettime in the vDSO");
	EXPECT(0, vdso(CLOCK_MONOTONIC, &ts));
}

static void clock_vdso(long n)
{
	while (n--)
		vdso(CLOCK_MONOTONIC, &ts);
}

static int fd;
static void open_zero(void) { fd = OK(open("/dev/zero", O_RDONLY)); }
static void open_null(void) { fd = OK(open("/dev/null", O_WRONLY)); }

static void read_zero(long n)
{
	char c = 1;
	while (n--)
		EXPECT(1, call3(SYS_read, fd, (long)&c, 1));
	EXPECT(0, c);
}

static void write_null(long n)
{
	char c = 0;
	while (n--)
		EXPECT(1, call3(SYS_write, fd, (long)&c, 1));
}

const struct row call_rows[] = {
	{ "null_call", 20000, null_call, 0, 0 },
	{ "clock_call", 20000, clock_call, 0, 0 },
	{ "clock_vdso", 20000, clock_vdso, find_vdso, 0 },
	{ "read_zero", 20000, read_zero, open_zero, 0 },
	{ "write_null", 20000, write_null, open_null, 0 },
	{ 0 },
};
