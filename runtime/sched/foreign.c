/*
 * foreign.c: threads of the program that block in goro. Each gets a G without a stack, whose park sleeps
 * on a futex (G.note) and whose ready wakes it; chan/ and sync/ see no difference.
 *
 * Such a G is never unmapped either (a waker may hold a stale pointer); a thread that ends leaves it on a
 * free list. Guarded by free_lock; the G itself is its thread's own.
 */
#include <pthread.h>

#include "internal.h"

static Lock free_lock = LOCK_INIT(STACK);
static G *free_list;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t threads; /* so many have come; relaxed: a number of their own is all they want */
static __thread G *tls_foreign __attribute__((tls_model("initial-exec")));

static void thread_ended(void *p)
{
	G *g = p;
	tls_foreign = NULL;
	lock(&free_lock);
	g->next = free_list;
	free_list = g;
	unlock(&free_lock);
}

static void make_key(void)
{
	if (pthread_key_create(&key, thread_ended) != 0)
		fatal("goro: no thread key left");
}

static G *take(void)
{
	lock(&free_lock);
	G *g = free_list;
	if (g)
		free_list = g->next;
	unlock(&free_lock);
	if (g)
		return g;
	/* A page of them; the rest goes on the free list. */
	size_t n = os_page_size() / sizeof(G);
	G *page = os_map(n * sizeof(G));
	if (!page)
		fatal("out of memory for a thread that blocks in goro");
	lock(&free_lock);
	for (size_t i = 1; i < n; i++) {
		page[i].next = free_list;
		free_list = &page[i];
	}
	unlock(&free_lock);
	return page;
}

__attribute__((noinline)) G *g_foreign(void)
{
	G *g = tls_foreign;
	if (likely(g != NULL))
		return g;
	sched_init(); /* a thread may come before goro_run, or without it */
	pthread_once(&once, make_key);
	g = take();
	g->foreign = true;
	g->created_by = add_rlx(&threads, UINT64_C(1)) + 1;
	g->state = G_RUNNING;
	g->next = NULL;
	g->race = hook_self();
	tls_foreign = g;
	pthread_setspecific(key, g);
	return g;
}

/* After the caller's lock is released. */
void foreign_park(G *g)
{
	if (unlikely(
		load_rlx(&sched.forked))) /* relaxed: its own thread set it, or one before it */
		fork_fatal();
	while (!load_acq(&g->note)) /* pairs with store_rel in foreign_ready */
		os_futex_wait(&g->note, 0, -1);
	store_rlx(&g->note, 0); /* the next wake comes after the next park's queueing */
	store_rlx(&g->state, G_RUNNING);
}

void foreign_ready(G *g)
{
	store_rel(&g->note, 1); /* pairs with load_acq in foreign_park */
	os_futex_wake(&g->note, 1);
}
