/*
 * module.c: which files are mapped where, and their DWARF.
 *
 * The loader's list (dl_iterate_phdr) is the truth; it carries counters of loads and unloads, so that
 * a look at it is cheap. Files are opened high and close-on-exec: the program's own descriptors keep
 * the numbers they would have without us.
 *
 * Separate debug files are looked for by build id and by .gnu_debuglink in the usual local places,
 * never through debuginfod: a report must not wait for a network.
 *
 * Units are found by a table of our own, made from the units' ranges: clang writes no .debug_aranges.
 */
#include "module.h"

#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Dwfl *dwfl; /* symbol lock, as all of this file */
static uint64_t generation;
static unsigned long long seen_adds, seen_subs;

#define FD_HIGH 900

static int open_high(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FD_HIGH);
	if (high < 0)
		return fd; /* a low limit of descriptors: better a low number than no names */
	close(fd);
	return high;
}

/* ---- separate debug files ---- */

static uint32_t crc32_of(int fd, bool *ok)
{
	static uint32_t table[256];
	if (!table[1])
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = i;
			for (int k = 0; k < 8; k++)
				c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
			table[i] = c;
		}
	uint32_t crc = 0xffffffffu;
	unsigned char block[4096];
	off_t at = 0;
	ssize_t n;
	while ((n = pread(fd, block, sizeof block, at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			crc = table[(crc ^ block[i]) & 0xff] ^ (crc >> 8);
		at += n;
	}
	*ok = n == 0;
	return ~crc;
}

/* The file `link` beside `path`, under its .debug/, or under /usr/lib/debug. */
static int find_debuginfo(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr base,
    const char *path, const char *link, GElf_Word crc, char **out)
{
	int fd = dwfl_build_id_find_debuginfo(mod, user, name, base, path, link, crc, out);
	if (fd >= 0 || !link || !*link || !path)
		return fd;
	char real[PATH_MAX], try[3 * PATH_MAX];
	if (!realpath(path, real))
		return -1;
	char *slash = strrchr(real, '/');
	if (slash)
		*slash = 0;
	static const char *const pattern[] = {"%s/%s", "%s/.debug/%s", "/usr/lib/debug%s/%s"};
	for (size_t i = 0; i < sizeof pattern / sizeof *pattern; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(try, sizeof try, pattern[i], real, link);
#pragma GCC diagnostic pop
		fd = open_high(try);
		if (fd < 0)
			continue;
		bool ok;
		if (crc32_of(fd, &ok) == crc && ok) {
			*out = strdup(try);
			return fd;
		}
		close(fd);
	}
	return -1;
}

/* Every file is handed over open. */
static int find_elf(
    Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr base, char **path, Elf **elf)
{
	(void)mod, (void)user, (void)name, (void)base, (void)path, (void)elf;
	return -1;
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = find_elf,
    .find_debuginfo = find_debuginfo,
};

/* ---- the set of modules ---- */

static int note_counters(struct dl_phdr_info *info, size_t size, void *arg)
{
	unsigned long long *counters = arg;
	if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs) {
		counters[0] = info->dlpi_adds;
		counters[1] = info->dlpi_subs;
	}
	return 1;
}

static int report_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size, (void)arg;
	char exe[PATH_MAX];
	const char *name = info->dlpi_name, *file = name;
	if (!name || !*name) {
		ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
		if (n <= 0)
			return 0;
		exe[n] = 0;
		name = exe;
		file = "/proc/self/exe"; /* opens even after the file was removed or replaced */
	}
	int fd = open_high(file);
	if (fd < 0) /* the vdso */
		return 0;
	if (!dwfl_report_elf(dwfl, name, file, fd, info->dlpi_addr, true))
		close(fd);
	return 0;
}

static int make_module(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr start, void *arg)
{
	(void)start, (void)arg;
	if (*user)
		return DWARF_CB_OK;
	SymModule *m = sym_keep(sizeof *m);
	if (!m)
		return DWARF_CB_ABORT;
	m->mod = mod;
	m->path = sym_intern(name);
	if (!dwfl_module_getelf(mod, &m->load))
		m->load = start;
	*user = m;
	return DWARF_CB_OK;
}

static int drop_module(Dwfl_Module *mod, void *user, const char *name, Dwarf_Addr start, void *arg)
{
	(void)mod, (void)name, (void)start, (void)arg;
	SymModule *m =
	    *(void **)user; /* declared void *, called with its address, as the other one */
	if (m) {
		free(m->ranges);
		free(m->vars);
		free(m->tls);
	}
	return DWARF_CB_OK;
}

static void refresh(void)
{
	unsigned long long counters[2] = {0, 0};
	dl_iterate_phdr(note_counters, counters);
	if (dwfl && counters[0] == seen_adds && counters[1] == seen_subs)
		return;
	seen_adds = counters[0];
	seen_subs = counters[1];
	generation++;
	if (!dwfl) {
		dwfl = dwfl_begin(&callbacks);
		if (!dwfl)
			return;
	}
	dwfl_report_begin(dwfl);
	dl_iterate_phdr(report_module, NULL);
	dwfl_report_end(dwfl, drop_module, NULL);
	dwfl_getmodules(dwfl, make_module, NULL, 0);
}

uint64_t module_generation(void)
{
	refresh();
	return generation;
}

/* ---- units ---- */

void module_each_cu(SymModule *m, void (*fn)(SymModule *, Dwarf_Die *cu, void *), void *arg)
{
	Dwarf_Off off = 0, next;
	size_t header;
	while (dwarf_nextcu(m->dwarf, off, &next, &header, NULL, NULL, NULL) == 0) {
		Dwarf_Die cu;
		if (next <= off)
			return;
		if (dwarf_offdie(m->dwarf, off + header, &cu))
			fn(m, &cu, arg);
		off = next;
	}
}

typedef struct Growing {
	CuRange *at;
	size_t n, cap;
} Growing;

static void add_ranges(SymModule *m, Dwarf_Die *cu, void *arg)
{
	(void)m;
	Growing *g = arg;
	Dwarf_Addr base, lo, hi;
	ptrdiff_t off = 0;
	int tag = dwarf_tag(cu);
	if (tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit)
		return;
	while ((off = dwarf_ranges(cu, off, &base, &lo, &hi)) > 0) {
		if (lo == 0 || lo >= hi) /* 0: a function that the linker dropped */
			continue;
		if (g->n == g->cap) {
			size_t cap = g->cap ? 2 * g->cap : 64;
			CuRange *at = realloc(g->at, cap * sizeof *at);
			if (!at)
				return;
			g->at = at;
			g->cap = cap;
		}
		g->at[g->n++] = (CuRange){lo, hi, dwarf_dieoffset(cu)};
	}
}

static int by_lo(const void *a, const void *b)
{
	const CuRange *x = a, *y = b;
	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

SymModule *module_find(uintptr_t addr)
{
	refresh();
	if (!dwfl)
		return NULL;
	Dwfl_Module *mod = dwfl_addrmodule(dwfl, addr);
	void **user = NULL;
	if (!mod || !dwfl_module_info(mod, &user, NULL, NULL, NULL, NULL, NULL, NULL) || !user ||
	    !*user)
		return NULL;
	SymModule *m = *user;
	if (!m->ranges) {
		m->dwarf = dwfl_module_getdwarf(mod, &m->bias);
		Growing g = {0};
		if (m->dwarf)
			module_each_cu(m, add_ranges, &g);
		if (g.n)
			qsort(g.at, g.n, sizeof *g.at, by_lo);
		m->ranges = g.at ? g.at : calloc(1, sizeof *g.at);
		m->nranges = g.n;
	}
	return m;
}

void module_unskeleton(Dwarf_Die *cu)
{
	Dwarf_Die split;
	uint8_t type;
	if (dwarf_cu_info(cu->cu, NULL, &type, NULL, &split, NULL, NULL, NULL) == 0 &&
	    type == DW_UT_skeleton && dwarf_tag(&split) == DW_TAG_compile_unit)
		*cu = split;
}

/* Ranges of one program do not overlap; those of a damaged one may, hence a few steps back. */
#define OVERLAP_MAX 8

bool module_cu(SymModule *m, Dwarf_Addr addr, Dwarf_Die *cu)
{
	size_t lo = 0, hi = m->nranges;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (m->ranges[mid].lo <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (int back = 0; lo > 0 && back < OVERLAP_MAX; back++) {
		CuRange *r = &m->ranges[--lo];
		if (addr < r->hi)
			return dwarf_offdie(m->dwarf, r->cu, cu) != NULL;
	}
	return false;
}
