/*
 * misuse.c: see misuse.h. The holder of a lock is found by looking through all goroutines' and threads'
 * sets: only ever for a report. Such a set may change meanwhile; it is read once, and sets are constant.
 *
 * Where locks were destroyed is kept in a table of DEAD entries, by a hash of the address; a newer one takes
 * the place of an older one. It serves the second stack alone.
 *
 * Reports about signals and threads that the interceptors make are filled here, too.
 */
#include "misuse.h"

#include <string.h>

#include "../clock/mutexset.h"
#include "../history/context.h"
#include "../pool.h"

#define DEAD_BITS 10

typedef struct Dead {
	uintptr_t addr;
	StackId stack;
	uint32_t ginfo;
} Dead;

static struct {
	Lock lock;
	Dead at[1 << DEAD_BITS];
} dead = {.lock = LOCK_INIT(RACE_CLOCK)};

static Pool report_pool = POOL_INIT(sizeof(Report));

static Dead *dead_at(uintptr_t addr)
{
	return &dead.at[addr * 0x9e3779b97f4a7c15u >> (64 - DEAD_BITS)];
}

static bool find_in(uint32_t set, uintptr_t addr, ReportLock *out)
{
	while (set) {
		set = mutexset_step(set, out);
		if (out->addr == addr)
			return true;
	}
	return false;
}

bool lock_is_held(RaceCtx *g, const void *addr, LockMode *mode)
{
	ReportLock l;
	if (!find_in(g->mset, (uintptr_t)addr, &l))
		return false;
	if (mode)
		*mode = l.mode;
	return true;
}

typedef struct Holder {
	ReportLock lock;
	uint32_t ginfo;
	uintptr_t addr;
} Holder;

static bool is_holder(RaceCtx *c, void *arg)
{
	Holder *h = arg;
	if (!find_in(load_rlx(&c->mset), h->addr, &h->lock)) /* relaxed: see the head */
		return false;
	h->ginfo = c->ginfo;
	return true;
}

static bool fill_before(ReportAccess *a, RaceCtx *g, ReportKind kind, uintptr_t addr)
{
	Holder h = {.addr = addr};
	*a = (ReportAccess){.addr = addr};
	if (kind == REPORT_DEAD_MUTEX) {
		lock(&dead.lock);
		Dead d = *dead_at(addr);
		unlock(&dead.lock);
		a->kind = ACCESS_DESTROY;
		a->ginfo = d.ginfo;
		a->stack = d.stack;
		return d.addr == addr;
	}
	if (kind == REPORT_BAD_UNLOCK)
		return false;
	if (!is_holder(g, &h)) /* itself first */
		ctx_each(is_holder, &h);
	a->kind = h.lock.mode == LOCK_READ ? ACCESS_READ_LOCK : ACCESS_LOCK;
	a->ginfo = h.ginfo;
	a->stack = h.lock.locked_at;
	return h.ginfo != 0;
}

void misuse_report(RaceCtx *g, ReportKind kind, AccessKind what, const void *addr, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!race_enter(t))
		return;
	race_register(t);
	Report *r = pool_get(&report_pool);
	memset(r, 0, sizeof *r);
	r->kind = kind;
	r->accesses[0] = (ReportAccess){.kind = what,
	    .addr = (uintptr_t)addr,
	    .ginfo = g->ginfo,
	    .stack = context_here(t, g, pc)};
	r->naccesses = 1 + fill_before(&r->accesses[1], g, kind, (uintptr_t)addr);
	report_emit(r);
	pool_put(&report_pool, r);
	race_leave(t);
}

void misuse_destroyed(RaceCtx *g, const void *addr, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!race_enter(t))
		return;
	Dead d = {(uintptr_t)addr, context_here(t, g, pc), g->ginfo};
	lock(&dead.lock);
	*dead_at(d.addr) = d;
	unlock(&dead.lock);
	race_leave(t);
}

void misuse_held(RaceCtx *g, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!race_enter(t))
		return;
	race_register(t);
	Report *r = pool_get(&report_pool);
	memset(r, 0, sizeof *r);
	r->kind = REPORT_MUTEX_HELD;
	ReportAccess *check = &r->accesses[0];
	*check = (ReportAccess){
	    .kind = ACCESS_CHECK, .ginfo = g->ginfo, .stack = context_here(t, g, pc)};
	check->nlocks = mutexset_list(g->mset, check->locks, REPORT_MAX_LOCKS);
	r->naccesses = 1;
	for (int i = check->nlocks - 1; i >= 0; i--)
		r->accesses[r->naccesses++] = (ReportAccess){
		    .kind = check->locks[i].mode == LOCK_READ ? ACCESS_READ_LOCK : ACCESS_LOCK,
		    .addr = check->locks[i].addr,
		    .ginfo = g->ginfo,
		    .stack = check->locks[i].locked_at};
	report_emit(r);
	pool_put(&report_pool, r);
	race_leave(t);
}

void misuse_signal(
    RaceCtx *g, ReportKind kind, AccessKind what, const char *call, int sig, const void *pc)
{
	RaceThread *t = &race_thread;
	if (!race_enter(t))
		return;
	race_register(t);
	Report *r = pool_get(&report_pool);
	memset(r, 0, sizeof *r);
	r->kind = kind;
	r->what = call;
	r->signal = sig;
	r->naccesses = 1;
	r->accesses[0] =
	    (ReportAccess){.kind = what, .ginfo = g->ginfo, .stack = context_here(t, g, pc)};
	report_emit(r);
	pool_put(&report_pool, r);
	race_leave(t);
}

void misuse_thread_leak(uint32_t ginfo, int more)
{
	RaceThread *t = &race_thread;
	const GInfo *who = race_ginfo(ginfo);
	if (!race_enter(t))
		return;
	race_register(t);
	Report *r = pool_get(&report_pool);
	memset(r, 0, sizeof *r);
	r->kind = REPORT_THREAD_LEAK;
	r->subject = ginfo;
	r->more = more;
	r->naccesses = 1;
	r->accesses[0] =
	    (ReportAccess){.kind = ACCESS_CREATE, .ginfo = who->parent, .stack = who->created_at};
	report_emit(r);
	pool_put(&report_pool, r);
	race_leave(t);
}

void misuse_mark(void)
{
	for (int i = 0; i < 1 << DEAD_BITS; i++) {
		context_mark(dead.at[i].stack);
		race_ginfo_mark(dead.at[i].ginfo);
	}
}
