/*
 * tls.c: which memory is the running thread's own by the language: its thread-local variables.
 *
 * Goroutines that run on one thread, one after the other, share its thread-local variables (errno is
 * one), with no order between them that a clock knows; but they never run there at the same time, so a
 * goroutine's access to the variables of the thread it runs on is no race. An access to another
 * thread's, through a pointer, is checked like any other.
 *
 * The range: the blocks of the modules whose thread-local storage lies in the thread's static block
 * (around race_thread, which is there by its model). Modules loaded later have theirs on the heap.
 *
 * For reports: a variable lies as far from race_thread in each thread, so that an address in another thread's
 * storage is found out as one in one's own, for which the loader can be asked.
 *
 * Lock: threads.lock, a leaf, guards the list; who is on it lives.
 */
#include "tls.h"

#include <link.h>

#define STATIC_TLS_MAX (1u << 20)

static struct {
	Lock lock;
	RaceThread *first;
} threads = {.lock = LOCK_INIT(RACE_CLOCK)};

__attribute__((noinline)) RaceThread *race_thread_slow(void)
{
	return &race_thread;
}

static int widen(struct dl_phdr_info *info, size_t size, void *arg)
{
	RaceThread *t = arg;
	uintptr_t lo = (uintptr_t)info->dlpi_tls_data, near = (uintptr_t)t;
	(void)size;
	if (!lo || (lo < near ? near - lo : lo - near) > STATIC_TLS_MAX)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type != PT_TLS)
			continue;
		uintptr_t hi = lo + info->dlpi_phdr[i].p_memsz;
		if (lo < t->tls_lo)
			t->tls_lo = lo;
		if (hi > t->tls_hi)
			t->tls_hi = hi;
	}
	return 0;
}

void race_find_tls(RaceThread *t)
{
	t->tls_lo = (uintptr_t)t;
	t->tls_hi = (uintptr_t)(t + 1);
	dl_iterate_phdr(widen, t);
	lock(&threads.lock);
	t->tls_next = threads.first;
	threads.first = t;
	unlock(&threads.lock);
}

void race_forget_tls(RaceThread *t)
{
	lock(&threads.lock);
	for (RaceThread **link = &threads.first; *link; link = &(*link)->tls_next)
		if (*link == t) {
			*link = t->tls_next;
			break;
		}
	unlock(&threads.lock);
}

void race_only_tls(RaceThread *t)
{
	threads.first = t->slow ? t : NULL;
	t->tls_next = NULL;
}

/* ---- for reports ---- */

typedef struct Own {
	uintptr_t addr; /* in this thread's storage */
	ReportLocation *out;
} Own;

static int find_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	const Own *own = arg;
	uintptr_t lo = (uintptr_t)info->dlpi_tls_data, in_module = 0;
	bool here = false;
	(void)size;
	for (int i = 0; lo && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_TLS)
			here = own->addr - lo < p->p_memsz;
		if (p->p_type == PT_LOAD && !in_module)
			in_module = info->dlpi_addr + p->p_vaddr;
	}
	if (here) {
		own->out->module = in_module;
		own->out->offset = own->addr - lo;
	}
	return here;
}

bool race_tls_find(uintptr_t addr, ReportLocation *out)
{
	const RaceThread *of = NULL;
	Own own = {.out = out};
	if (race_is_blind()) /* who ended since is on the list yet */
		return false;
	lock(&threads.lock);
	for (const RaceThread *t = threads.first; t && !of; t = t->tls_next)
		if (addr - t->tls_lo < t->tls_hi - t->tls_lo)
			of = t;
	if (of) { /* who runs there may change meanwhile: contexts keep their type */
		const RaceCtx *who = of->home ? of->home : of->ctx;
		*out = (ReportLocation){.kind = LOCATION_TLS, .ginfo = who ? who->ginfo : 0};
		own.addr = (uintptr_t)&race_thread + (addr - (uintptr_t)of);
	}
	unlock(&threads.lock);
	if (of)
		dl_iterate_phdr(find_module, &own);
	return of != NULL;
}
