/*
 * run.c: goro_run: the calling thread becomes an M (a host) until its main goroutine has returned.
 *
 * The thread's own stack is this M's g0. When the main goroutine returns, on whatever M that is, it sets
 * run.done and asks all Ps for attention: the host leaves its loop at its next pick, gives its P to others
 * and goes home. One at a time; the M is kept for the next.
 */
#include <sys/resource.h>

#include "../os/sanitizer.h"
#include "internal.h"

static struct {
	uint32_t busy; /* atomic: a goro_run is on */
	uint32_t done; /* main has returned; set under sched.lock */
	int (*fn)(void *);
	void *arg;
	int result;
	M *host; /* kept */
} run;

void procs_attention(void)
{
	fence_sc(); /* what it tells of, before; pairs with the one in find_work */
	uint32_t n = load_acq(&sched.nall_p);
	for (uint32_t i = 0; i < n; i++)
		store_rlx(&sched.all_p[i]->attention, 1);
}

static CALLS_PROGRAM void main_goroutine(void *arg)
{
	(void)arg;
	run.result = run.fn(run.arg);
	hook_release(g_self()->race, &run); /* main's return is before goro_run's */
	lock(&sched.lock);
	store_rel(&run.done, 1); /* pairs with load_acq in sched_loop */
	M *host = run.host;
	/* The host may be asleep on the idle list: off it, and awake without a P. */
	if (host->idle) {
		m_not_idle(host);
		store_rel(&host->note, 1); /* pairs with load_acq in m_sleep */
		m_ring(host);
	}
	unlock(&sched.lock);
	procs_attention();
}

/* As large a stack as the program's main thread had, within reason. */
static size_t main_stack(void)
{
	struct rlimit r;
	size_t size = (size_t)8 << 20, least = (size_t)1 << 20, most = (size_t)64 << 20;
	if (getrlimit(RLIMIT_STACK, &r) == 0)
		size = r.rlim_cur == RLIM_INFINITY || r.rlim_cur > most ? most : (size_t)r.rlim_cur;
	return size < least ? least : size;
}

int goro_run(int (*fn)(void *), void *arg)
{
	const void *pc = __builtin_return_address(0);
	if (!fn)
		panic("goro_run: no function");
	if (g_self())
		fatal("goro_run: called from a goroutine");
	if (!cas_acq(&run.busy, 0, 1)) /* pairs with store_rel at the end */
		fatal("goro_run: already running");
	sched_init();
	mask_init();
	sysmon_start();
	run.fn = fn;
	run.arg = arg;
	run.result = 0;
	store_rlx(&run.done, 0);
	RaceCtx *outside = hook_self();
	G *g = go_new_main(main_goroutine, NULL, main_stack(), pc);
	M *m = run.host;
	if (!g || (!m && !(m = m_new())))
		fatal("goro_run: out of memory");
	run.host = m;
	lock(&sched.lock);
	m->is_host = true;
	m->host_frame = (uintptr_t)__builtin_frame_address(0);
	m->idle = false;
	sched.nhosts = 1;
	unlock(&sched.lock);
	m_init_thread(m);
	/* It begins here, on a P of our own: through the global queue another M would be woken, which a
	 * program without goroutines never needs, and which would take the signals that its threads block. */
	lock(&sched.lock);
	P *first = p_idle_get();
	unlock(&sched.lock);
	if (first) {
		p_own(m, first);
		m->picked = g;
	} else {
		go_start(g);
	}
	sched_loop(m, &run.done);

	if (m->picked) {
		sched_put_global(&m->picked, 1);
		m->picked = NULL;
	}
	P *p = m->p;
	if (p) {
		p_disown(m);
		p_handoff(p);
	}
	lock(&sched.lock);
	if (m->locked_g) { /* another goroutine is wired to this thread, which goes: no longer */
		m->locked_g->locked_m = NULL;
		m->locked_g = NULL;
	}
	if (m->spinning) {
		m->spinning = false;
		(void)add_sc(&sched.nspinning, (uint32_t)-1);
	}
	sched.nhosts = 0;
	m->is_host = false;
	m->idle = true; /* not on the list: nobody's M until the next goro_run */
	unlock(&sched.lock);
	if (netpoll_unwatched()) /* it was this M that slept there */
		sched_wakep();
	if (m->own_altstack)
		altstack_fini();
	m_set(NULL);
	hook_switch(outside);
	hook_acquire(outside, &run); /* pairs with main_goroutine's release */
	int result = run.result;
	store_rel(&run.busy, 0);
	return result;
}
