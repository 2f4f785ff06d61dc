/*
 * recorder.c: see recorder.h. One lock over all; tables are searched one by one: it is slow, and
 * clear. A context's clock counts its releases: what happens at tick t is before whatever has
 * acquired a clock that holds t or more for it.
 */
#include "recorder.h"

#include "runtime/hooks.h"

#include <stdarg.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CTXS = 512, ADDRS = 4096, NAMES = 64, TEXT = 1 << 16 };

typedef unsigned Clock[CTXS];

struct RaceCtx {
	int id;          /* place in clocks, from 1 */
	unsigned number; /* the goroutine's; 0: a thread's */
	bool ended;
	Clock clock;
};

typedef struct Sync {
	const void *addr;
	Clock clock;
} Sync;

static volatile char held;
static RaceCtx *ctxs[CTXS];
static int nctxs;
static Sync *syncs[ADDRS];
static int nsyncs;
static __thread RaceCtx *running;

static unsigned recorded;
static char text[TEXT];
static size_t length;
static struct {
	const void *addr;
	char name[24];
	bool given;
} names[NAMES];
static int nnames;
static int letters;

static void enter(void)
{
	while (__atomic_test_and_set(&held, __ATOMIC_ACQUIRE))
		;
}

static void leave(void)
{
	__atomic_clear(&held, __ATOMIC_RELEASE);
}

/* Criterion forks while a thread of its own makes calls that are recorded: the child would inherit the lock, held. */
__attribute__((constructor)) static void free_in_children(void)
{
	pthread_atfork(enter, leave, leave);
}

static _Noreturn void broken(const char *what)
{
	fprintf(stderr, "recorder: %s\n", what);
	abort();
}

/* ---- text ---- */

/* For a record of kind `what`; a letter is spent only when it will be written down. */
static const char *name_of(RecWhat what, const void *addr)
{
	if (!(recorded & what))
		return "";
	for (int i = 0; i < nnames; i++)
		if (names[i].addr == addr)
			return names[i].name;
	if (nnames == NAMES)
		return "?";
	names[nnames].addr = addr;
	snprintf(
	    names[nnames].name, sizeof(names[0].name), "%c", letters < 26 ? 'a' + letters : '?');
	letters++;
	return names[nnames++].name;
}

static __attribute__((format(printf, 2, 3))) void record(RecWhat what, const char *fmt, ...)
{
	if (!(recorded & what))
		return;
	va_list ap;
	va_start(ap, fmt);
	if (length && length < TEXT - 3)
		length += (size_t)snprintf(text + length, TEXT - length, "; ");
	if (length < TEXT - 200)
		length += (size_t)vsnprintf(text + length, TEXT - length, fmt, ap);
	va_end(ap);
}

void rec_start(unsigned what)
{
	int kept = 0;
	enter();
	for (int i = 0; i < nnames; i++)
		if (names[i].given)
			names[kept++] = names[i];
	nnames = kept;
	letters = 0;
	length = 0;
	text[0] = 0;
	recorded = what;
	leave();
}

const char *rec_stop(void)
{
	enter();
	recorded = 0;
	leave();
	return text;
}

void rec_name(const void *addr, const char *name)
{
	enter();
	int i = 0;
	while (i < nnames && names[i].addr != addr)
		i++;
	if (i == NAMES)
		broken("too many names");
	if (i == nnames)
		nnames++;
	names[i].addr = addr;
	names[i].given = true;
	snprintf(names[i].name, sizeof(names[i].name), "%s", name);
	leave();
}

/* ---- clocks ---- */

static void join(Clock to, const Clock from)
{
	for (int i = 0; i < nctxs; i++)
		if (from[i] > to[i])
			to[i] = from[i];
}

static Sync *sync_at(const void *addr)
{
	for (int i = 0; i < nsyncs; i++)
		if (syncs[i]->addr == addr)
			return syncs[i];
	if (nsyncs == ADDRS)
		broken("too many sync objects");
	Sync *s = calloc(1, sizeof(*s));
	if (!s)
		broken("out of memory");
	s->addr = addr;
	return syncs[nsyncs++] = s;
}

static void forget_range(const char *lo, size_t size)
{
	for (int i = 0; i < nsyncs;) {
		const char *a = syncs[i]->addr;
		if (a >= lo && a < lo + size) {
			free(syncs[i]);
			syncs[i] = syncs[--nsyncs];
		} else {
			i++;
		}
	}
}

static RaceCtx *new_ctx(uint64_t number)
{
	if (nctxs == CTXS)
		broken("too many goroutines");
	RaceCtx *c = calloc(1, sizeof(*c));
	if (!c)
		broken("out of memory");
	c->id = nctxs + 1;
	c->number = (unsigned)number;
	ctxs[nctxs++] = c;
	c->clock[c->id - 1] = 1;
	return c;
}

static void tick(RaceCtx *g)
{
	g->clock[g->id - 1]++;
}

static void alive(const RaceCtx *g)
{
	if (!g)
		broken("a hook without a context");
	if (g->ended)
		broken("a hook for a goroutine that has ended");
}

Mark rec_mark(void)
{
	RaceCtx *g = hook_self();
	return (Mark){g->id - 1, g->clock[g->id - 1]};
}

bool rec_before(Mark m)
{
	RaceCtx *g = hook_self();
	return g->clock[m.ctx] >= m.epoch;
}

/* ---- the hooks ---- */

void hook_init(void)
{
}

void hook_linger(void)
{
}

int hook_fini(int code)
{
	return code;
}

RaceCtx *hook_go(
    RaceCtx *parent, uint64_t id, bool is_main, uintptr_t lo, uintptr_t hi, const void *pc)
{
	(void)is_main, (void)pc;
	if (lo >= hi)
		broken("hook_go: no stack");
	enter();
	RaceCtx *c = new_ctx(id);
	if (parent) {
		alive(parent);
		record(REC_ORDER, "%u go %u", parent->number, c->number);
		join(c->clock, parent->clock);
		tick(parent);
	}
	leave();
	return c;
}

void hook_end(RaceCtx *g)
{
	enter();
	alive(g);
	g->ended = true;
	leave();
}

bool hook_busy(void)
{
	return false;
}

void hook_switch(RaceCtx *to)
{
	running = to;
}

void hook_name(RaceCtx *g, const char *name)
{
	(void)g, (void)name;
}

RaceCtx *hook_self(void)
{
	if (!running) {
		enter();
		running = new_ctx(0);
		leave();
	}
	return running;
}

void hook_acquire(RaceCtx *g, const void *addr)
{
	enter();
	alive(g);
	record(REC_ORDER, "%u acquire %s", g->number, name_of(REC_ORDER, addr));
	join(g->clock, sync_at(addr)->clock);
	leave();
}

void hook_release(RaceCtx *g, const void *addr)
{
	enter();
	alive(g);
	record(REC_ORDER, "%u release %s", g->number, name_of(REC_ORDER, addr));
	memcpy(sync_at(addr)->clock, g->clock, sizeof(Clock));
	tick(g);
	leave();
}

void hook_release_merge(RaceCtx *g, const void *addr)
{
	enter();
	alive(g);
	record(REC_ORDER, "%u merge %s", g->number, name_of(REC_ORDER, addr));
	join(sync_at(addr)->clock, g->clock);
	tick(g);
	leave();
}

void hook_release_acquire(RaceCtx *g, const void *addr)
{
	enter();
	alive(g);
	record(REC_ORDER, "%u both %s", g->number, name_of(REC_ORDER, addr));
	Sync *s = sync_at(addr);
	join(g->clock, s->clock);
	join(s->clock, g->clock);
	tick(g);
	leave();
}

void hook_handoff(RaceCtx *from, RaceCtx *to)
{
	enter();
	alive(from);
	alive(to);
	record(REC_ORDER, "%u handoff %u", from->number, to->number);
	join(to->clock, from->clock);
	tick(from);
	leave();
}

void hook_handback(RaceCtx *from, RaceCtx *to)
{
	enter();
	alive(from);
	alive(to);
	for (int i = 0; i < nctxs; i++)
		if (to->clock[i] > from->clock[i] && i != to->id - 1)
			broken("handed back to one who knows more");
	if (to->clock[to->id - 1] > from->clock[to->id - 1] + 1)
		broken("handed back to one who has done more");
	record(REC_ORDER, "%u handback %u", from->number, to->number);
	join(to->clock, from->clock);
	tick(from);
	leave();
}

void hook_forget(const void *addr)
{
	enter();
	record(REC_ORDER, "forget %s", name_of(REC_ORDER, addr));
	forget_range(addr, 1);
	leave();
}

static void memory(RaceCtx *g, const char *word, const void *addr, size_t size)
{
	enter();
	alive(g);
	record(REC_MEMORY, "%u %s %s %zu", g->number, word, name_of(REC_MEMORY, addr), size);
	leave();
}

void hook_use(RaceCtx *g, const void *addr, size_t size, const void *pc)
{
	for (size_t i = 0; i < size; i++)
		hook_read(g, (const char *)addr + i, 1, pc);
}

bool hook_counts(const void *pc)
{
	return pc != NULL;
}

void hook_read(RaceCtx *g, const void *addr, size_t size, const void *pc)
{
	if (!pc)
		broken("an access without a pc");
	memory(g, "read", addr, size);
}

void hook_write(RaceCtx *g, const void *addr, size_t size, const void *pc)
{
	if (!pc)
		broken("an access without a pc");
	memory(g, "write", addr, size);
}

void hook_alloc(RaceCtx *g, const void *addr, size_t size, const void *pc)
{
	(void)pc;
	memory(g, "alloc", addr, size);
	enter();
	forget_range(addr, size);
	leave();
}

void hook_free(RaceCtx *g, const void *addr, size_t size, const void *pc)
{
	(void)pc;
	memory(g, "free", addr, size);
	enter();
	forget_range(addr, size);
	leave();
}

void hook_lock(RaceCtx *g, const void *addr, LockMode mode, const void *pc)
{
	(void)pc;
	enter();
	alive(g);
	record(REC_LOCKS, "%u %s %s", g->number, mode == LOCK_READ ? "rlock" : "lock",
	    name_of(REC_LOCKS, addr));
	leave();
}

void hook_trylock(RaceCtx *g, const void *addr, LockMode mode, const void *pc)
{
	hook_lock(g, addr, mode, pc);
}

void hook_lock_wait(RaceCtx *g, const void *addr, LockMode mode, const void *pc)
{
	(void)addr, (void)mode, (void)pc;
	enter();
	alive(g);
	leave();
}

void hook_lock_writer(RaceCtx *g, const void *addr, const void *pc)
{
	hook_lock_wait(g, addr, LOCK_WRITE, pc);
}

void hook_unlock(RaceCtx *g, const void *addr, LockMode mode, const void *pc)
{
	(void)pc;
	enter();
	alive(g);
	record(REC_LOCKS, "%u %s %s", g->number, mode == LOCK_READ ? "runlock" : "unlock",
	    name_of(REC_LOCKS, addr));
	leave();
}

void hook_at_end(void (*fn)(void))
{
	(void)fn;
}

bool hook_leaks(void)
{
	return false;
}

bool hook_block(uintptr_t addr, uintptr_t *start, size_t *size)
{
	(void)addr, (void)start, (void)size;
	return false;
}

void hook_leak(RaceCtx *g, const char *why, const void *on, const uintptr_t *pcs, int npcs)
{
	(void)g, (void)why, (void)on, (void)pcs, (void)npcs;
}

const SeedOptions *hook_seed(const SeedCalls *calls)
{
	(void)calls;
	return NULL;
}
