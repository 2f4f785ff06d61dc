/*
 * stack.c: stacks and the Gs on top of them.
 *
 * Address space is reserved in large regions, one list for all, each cut into equal stacks of a power of
 * two (its class: 16 KiB to 1 GiB), so that a stack costs neither a mapping nor a system call but the one
 * that installs its guard. A stack, from its low end:
 *
 *     guard (1 page, or 4)  |  ... frames grow down  |  G  |  colour
 *
 * G is the struct; `colour` is 0 to 15 pairs of cache lines, by the stack's number: without it all Gs
 * would sit at the same offset in their pages and share a few sets of the L1 cache. A goroutine that needs
 * little touches the one top page. Regions are never unmapped: a stale G may be read for ever.
 *
 * Dead Gs wait in a stock per P (default class), and in global ones, last in first out. Of those there
 * are two: as they died, and trimmed (their pages below the top one given back), which sysmon moves
 * them to when many lie idle.
 *
 * stack_lock (rank STACK) guards the global caches, the making of regions and the carving of stacks.
 * Regions are published by nregions, stacks of one by `carved`; both only grow, so that stack_find and
 * stack_each_g need no lock: a stack carved but not used yet has a G of zeros, that is, a dead one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../os/sanitizer.h"
#include "internal.h"

#define CLASS_MIN   14 /* 16 KiB: below, guard, G and colour would take half */
#define CLASS_MAX   30
#define CLASS_STD   18
#define REGIONS_MAX 4096
#define HOT_MAX                                                                                    \
	1024 /* dead Gs in the global list that are left as they are: 4 MiB at a page each */
#define TRIM_BATCH 256
/* So many stacks are made at once, at the most: their pieces take 2 KiB of the caller's stack. Also at most a sixteenth of those there
 * are, so that a program of few goroutines pays for none that it does not use. */
#define CARVE_MAX   128
#define CARVE_SHARE 16
_Static_assert(CARVE_MAX <= GFREE_MAX, "they have room");
/* Without guard markers a guard costs two of the process's mappings (vm.max_map_count, 65530 as a rule):
 * the program needs some as well. */
#define MPROTECT_MAX 16000

typedef struct Region {
	char *base;
	uint32_t count;
	uint32_t carved; /* written under stack_lock by store_rel */
	uint8_t class;
} Region;

/* An array, and not a list through the Gs: each link would be a miss in cache and TLB. */
typedef struct Stock {
	G **g;
	uint32_t n, cap; /* n: written under stack_lock, read relaxed as a hint */
} Stock;

typedef struct Cache {
	Stock hot, trimmed;
	Region *region; /* the one being carved */
	size_t grow;    /* size of the next region */
} Cache;

static Lock stack_lock = LOCK_INIT(STACK);
static Region regions[REGIONS_MAX];
static uint32_t nregions;
static Cache caches[CLASS_MAX + 1];
static uint32_t std_class = CLASS_STD; /* constant after stack_init */
static uint32_t nmprotect;             /* guards that cost mappings; stack_lock */
static uint32_t no_guard_said;         /* atomic */

#define G_ROOM ((sizeof(G) + 63) & ~(size_t)63)

static char *stack_at(const Region *r, uint32_t i)
{
	return r->base + ((size_t)i << r->class);
}

static G *g_at(const Region *r, uint32_t i)
{
	uint32_t colour = i & (r->class <= 15 ? 3 : 15);
	return (G *)(stack_at(r, i + 1) - G_ROOM - colour * 128);
}

static size_t guard_size(uint32_t class)
{
	/* libc is not built with stack probes: four pages catch its larger frames too. */
	return os_page_size() * (class <= 15 ? 1 : 4);
}

static int class_of(size_t size)
{
	if (size == 0)
		return (int)std_class;
	int c = CLASS_MIN;
	while (c <= CLASS_MAX && ((size_t)1 << c) < size)
		c++;
	return c <= CLASS_MAX ? c : -1;
}

size_t stack_default_size(void)
{
	return (size_t)1 << std_class;
}

uintptr_t stack_base(const G *g)
{
	return g->stack_lo - guard_size(g->stack_class);
}

/* stack_lock held. A region for class c; as large as can be had, from c->grow down to a single stack. */
static Region *region_new(uint32_t class)
{
	Cache *c = &caches[class];
	if (nregions == REGIONS_MAX)
		return NULL;
	size_t least = (size_t)1 << class;
	if (c->grow == 0)
		c->grow = (least << 2) > ((size_t)64 << 20) ? least << 2 : (size_t)64 << 20;
	char *base = NULL;
	size_t size = c->grow;
	for (; size >= least; size >>= 1) {
		base = os_map_aligned(size, least < 4096 * 512 ? (size_t)1 << 21 : least);
		if (base)
			break;
	}
	if (!base)
		return NULL;
	os_no_huge(base, size); /* a huge page would make 2 MiB of a goroutine's 4 KiB */
	if (c->grow < (size_t)64 << 30 && size == c->grow)
		c->grow <<= 1;
	Region *r = &regions[nregions];
	r->base = base;
	r->class = (uint8_t) class;
	r->count = (uint32_t)(size >> class);
	store_rel(&nregions, nregions + 1); /* publishes r; pairs with load_acq in stack_find */
	return c->region = r;
}

static void no_guard(int err)
{
	if (cas_rlx(&no_guard_said, 0, 1))
		print_fd(2,
		    "goro: warning: no room for more guard pages (error %d): "
		    "further goroutine stacks are unguarded\n",
		    -err);
}

/* A guard for the stack that begins at base. */
static void guard(void *base, uint32_t class)
{
	lock(&stack_lock);
	bool room = nmprotect < MPROTECT_MAX;
	unlock(&stack_lock);
	int e = room ? os_guard(base, guard_size(class)) : -ENOMEM;
	if (e == 1) {
		lock(&stack_lock);
		nmprotect++;
		unlock(&stack_lock);
	} else if (e < 0) {
		no_guard(e);
	}
}

/* Stacks nobody had before: up to n, as many as these are few beside those that there are. How many; 0: no memory.
 * Two system calls do for all what otherwise takes a page fault and a system call for each. */
static __attribute__((noinline)) uint32_t carve(uint32_t class, G **g, uint32_t n)
{
	lock(&stack_lock);
	Region *r = caches[class].region;
	if ((!r || r->carved == r->count) && !(r = region_new(class))) {
		unlock(&stack_lock);
		return 0;
	}
	uint32_t first = r->carved, few = first / CARVE_SHARE;
	if (n > few)
		n = few ? few : 1;
	if (n > r->count - first)
		n = r->count - first;
	store_rel(&r->carved, first + n); /* pairs with load_acq in stack_find */
	unlock(&stack_lock);

	/* Populate a stack before its guard: with the page table there, installing one of four pages costs
	 * half a microsecond, without it nine (Linux 6.18). Write to it after: a hypervisor that shadows page tables
	 * (PVM) drops what it has of a region when a guard is installed, and takes 6 us to find a page again. */
	OsPiece piece[CARVE_MAX];
	size_t page = os_page_size();
	for (uint32_t i = 0; i < n; i++) {
		g[i] = g_at(r, first + i);
		piece[i] = (OsPiece){stack_at(r, first + i + 1) - page, page};
	}
	os_touch_pieces(piece, (int)n);
	for (uint32_t i = 0; i < n; i++)
		piece[i] = (OsPiece){stack_at(r, first + i), guard_size(class)};
	if (!os_guard_pieces(piece, (int)n)) {
		for (uint32_t i = 0; i < n; i++)
			guard(piece[i].at, class);
	}
	for (uint32_t i = 0; i < n; i++) {
		g[i]->stack_class = (uint8_t) class;
		g[i]->stack_lo = (uintptr_t)piece[i].at + guard_size(class);
		g[i]->stack_hi = (uintptr_t)g[i];
		SAN_VALGRIND_STACK(g[i]->stack_lo, g[i]->stack_hi);
	}
	return n;
}

/* stack_lock held. */
static void stock_put(Stock *s, G *const *g, uint32_t n)
{
	if (s->n + n > s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 512;
		G **more = os_map(cap * sizeof *more);
		if (!more)
			return; /* their stacks are lost to use, which is all */
		memcpy(more, s->g, s->n * sizeof *more);
		if (s->g)
			os_unmap(s->g, s->cap * sizeof *more);
		s->g = more;
		s->cap = cap;
	}
	memcpy(s->g + s->n, g, n * sizeof *g);
	store_rlx(&s->n, s->n + n);
}

/* stack_lock held. Up to n; how many. */
static uint32_t stock_take(Stock *s, G **g, uint32_t n)
{
	if (n > s->n)
		n = s->n;
	memcpy(g, s->g + s->n - n, n * sizeof *g);
	store_rlx(&s->n, s->n - n);
	return n;
}

static uint32_t cache_take(Cache *c, G **g, uint32_t n)
{
	/* A hint; a cache that looks empty costs a fresh stack. */
	if (!load_rlx(&c->hot.n) && !load_rlx(&c->trimmed.n))
		return 0;
	lock(&stack_lock);
	uint32_t got = stock_take(&c->hot, g, n);
	if (got == 0)
		got = stock_take(&c->trimmed, g, n);
	unlock(&stack_lock);
	return got;
}

G *stack_new(size_t size)
{
	int class = class_of(size);
	if (class < 0)
		return NULL;
	P *p = (uint32_t) class == std_class ? p_here() : NULL;
	if (likely(p != NULL)) {
		uint32_t n = p->ngfree;
		if (n == 0)
			n = cache_take(&caches[class], p->gfree, GFREE_MAX / 2);
		if (n == 0)
			n = carve((uint32_t) class, p->gfree, CARVE_MAX);
		if (likely(n != 0)) {
			if (n > 1)
				g_prefetch(p->gfree[n - 2]);
			p->ngfree = n - 1;
			return p->gfree[n - 1];
		}
		return NULL;
	}
	G *g;
	return cache_take(&caches[class], &g, 1) || carve((uint32_t) class, &g, 1) ? g : NULL;
}

void stack_free(G *g)
{
	P *p = g->stack_class == std_class ? p_here() : NULL;
	Stock *s = &caches[g->stack_class].hot;
	if (likely(p != NULL)) {
		if (likely(p->ngfree < GFREE_MAX)) {
			p->gfree[p->ngfree++] = g;
			return;
		}
		/* The half that has lain longest goes to all. */
		uint32_t half = GFREE_MAX / 2;
		lock(&stack_lock);
		stock_put(s, p->gfree, half);
		unlock(&stack_lock);
		memmove(p->gfree, p->gfree + half, (GFREE_MAX - half) * sizeof *p->gfree);
		p->ngfree = GFREE_MAX - half;
		p->gfree[p->ngfree++] = g;
		return;
	}
	lock(&stack_lock);
	stock_put(s, &g, 1);
	unlock(&stack_lock);
}

/* The pages below the one that holds the end of G's stack go back to the system. */
static void trim(const G *g)
{
	uintptr_t page = os_page_size(), hi = (g->stack_hi - 1) & ~(page - 1);
	if (hi > g->stack_lo)
		os_release((void *)g->stack_lo, hi - g->stack_lo);
}

void stack_trim(void)
{
	G *g[TRIM_BATCH];
	for (int class = CLASS_MIN; class <= CLASS_MAX; class ++) {
		Cache *c = &caches[class];
		uint32_t n = load_rlx(&c->hot.n); /* a hint */
		if (n <= HOT_MAX)
			continue;
		lock(&stack_lock);
		n = c->hot.n > HOT_MAX ? c->hot.n - HOT_MAX : 0;
		n = stock_take(&c->hot, g, n < TRIM_BATCH ? n : TRIM_BATCH);
		unlock(&stack_lock);
		for (uint32_t i = 0; i < n; i++)
			trim(g[i]);
		lock(&stack_lock);
		stock_put(&c->trimmed, g, n);
		unlock(&stack_lock);
	}
}

void stack_each_g(void (*fn)(G *, void *), void *arg)
{
	uint32_t n = load_acq(&nregions); /* pairs with store_rel in region_new */
	for (uint32_t r = 0; r < n; r++) {
		uint32_t carved = load_acq(&regions[r].carved); /* pairs with store_rel in carve */
		for (uint32_t i = 0; i < carved; i++) {
			G *g = g_at(&regions[r], i);
			if (load_rlx(&g->state) != G_DEAD)
				fn(g, arg);
		}
	}
}

size_t stack_bytes(void)
{
	size_t sum = 0;
	uint32_t n = load_acq(&nregions); /* pairs with store_rel in region_new */
	for (uint32_t r = 0; r < n; r++)
		sum += (size_t)load_rlx(&regions[r].carved) << regions[r].class;
	return sum;
}

G *stack_find(uintptr_t addr)
{
	uint32_t n = load_acq(&nregions); /* pairs with store_rel in region_new */
	for (uint32_t i = 0; i < n; i++) {
		const Region *r = &regions[i];
		uintptr_t off = addr - (uintptr_t)r->base;
		if (off >= (uintptr_t)r->count << r->class)
			continue;
		uint32_t k = (uint32_t)(off >> r->class);
		if (k >= load_acq(&r->carved)) /* pairs with store_rel in carve */
			return NULL;
		return g_at(r, k);
	}
	return NULL;
}

void stack_init(void)
{
	const char *s = getenv("GORO_STACK_SIZE");
	if (!s || !*s)
		return;
	char *end;
	unsigned long long v = strtoull(s, &end, 0);
	if (*end == 'k' || *end == 'K')
		v <<= 10, end++;
	else if (*end == 'm' || *end == 'M')
		v <<= 20, end++;
	int class = *end || v == 0 || *s == '-' ? -1 : class_of((size_t)v);
	if (class < 0)
		print_fd(2, "goro: warning: GORO_STACK_SIZE=%s is not a stack size: using %zu\n", s,
		    stack_default_size());
	else
		std_class = (uint32_t) class;
}
