/*
 * pool.c: goro_pool: things kept for reuse, a stack of them for each P (a shard), so that goroutines on
 * different Ps do not meet. Get looks in its own shard, then in the others', then makes one.
 *
 * Go keeps a lock-free deque per P and lets the collector drop what it holds; here a shard is a stack under a
 * lock that nearly nobody else takes (two locked instructions a call), and nothing is ever dropped.
 * A goroutine may be moved between the look at its P and the lock: the shard is then another's, which is
 * as good.
 *
 * The table of shards grows by replacement; old tables are kept until drain, since a reader may be in one.
 * p->lock guards growing. Chunks never move: the address of a place is an identity for the detector.
 *
 * Edge: put x -> the get that returns x: put releases to the place x lies in, get acquires it. A place
 * is taken and filled in turns, so overwriting is exact.
 */
#include <stdlib.h>

#include "../sched/runtime.h"

#ifdef GORO_HARD
#define CHUNK 2
#else
#define CHUNK 60
#endif

typedef struct Chunk Chunk;
struct Chunk {
	Chunk *below;
	void *place[CHUNK];
};

typedef struct Shard {
	Lock lock;     /* rank SEMA */
	uint32_t n;    /* things in it; store_rlx under lock, read without it as a hint */
	uint32_t fill; /* in the top chunk */
	Chunk *top;    /* NULL: none */
	Chunk *spare;  /* one that became empty, so that a swing about a boundary costs nothing */
} __attribute__((aligned(64))) Shard;

typedef struct Table Table;
struct Table {
	Table *old;
	uint32_t n;
	Shard *shard[]; /* shared with the older tables */
};

_Static_assert(sizeof(Lock) == sizeof(((goro_pool *)0)->lock), "goro.h has room for a Lock");

static _Noreturn void no_memory(void)
{
	fatal("out of memory: sync.Pool");
}

/* The number of the P we run on; 0 on other threads. */
static uint32_t here(void)
{
	G *g = g_self();
	P *p = g && g->m ? g->m->p : NULL;
	return p ? (uint32_t)p->id : 0;
}

/* A table with at least n shards. */
static __attribute__((noinline)) Table *grow(goro_pool *p, uint32_t n)
{
	lock((Lock *)p->lock);
	Table *old = p->table, *t = old;
	uint32_t have = old ? old->n : 0;
	if (have < n) {
		uint32_t procs = load_rlx(&sched.procs);
		if (n < procs)
			n = procs;
		t = malloc(sizeof(*t) + n * sizeof(t->shard[0]));
		if (!t)
			no_memory();
		t->old = old;
		t->n = n;
		for (uint32_t i = 0; i < n; i++) {
			Shard *s =
			    i < have ? old->shard[i] : aligned_alloc(_Alignof(Shard), sizeof(*s));
			if (!s)
				no_memory();
			if (i >= have)
				*s = (Shard){.lock = LOCK_INIT(SEMA)};
			t->shard[i] = s;
		}
		store_rel((Table **)&p->table, t); /* pairs with load_acq in get and put */
	}
	unlock((Lock *)p->lock);
	return t;
}

static void *pop(Shard *s)
{
	/* A hint: what was put before us in any order known to us is counted. */
	if (load_rlx(&s->n) == 0)
		return NULL;
	void *x = NULL;
	Chunk *empty = NULL;
	lock(&s->lock);
	if (s->n) {
		void **place = &s->top->place[--s->fill];
		x = *place;
		store_rlx(&s->n, s->n - 1);
		hook_acquire(race_self(), place);
		if (s->fill == 0) {
			Chunk *c = s->top;
			s->top = c->below;
			s->fill = s->top ? CHUNK : 0;
			empty = s->spare;
			s->spare = c;
		}
	}
	unlock(&s->lock);
	if (GORO_RACE && empty)
		for (int i = 0; i < CHUNK; i++)
			hook_forget(&empty->place[i]);
	free(empty);
	return x;
}

CALLS_PROGRAM void *goro_pool_get(goro_pool *p)
{
	sched_point(POINT_POOL, p);
	if (unlikely(!p))
		panic("sync: nil Pool");
	Table *t = load_acq((Table **)&p->table); /* pairs with store_rel in grow */
	if (t) {
		uint32_t own = here() % t->n;
		for (uint32_t i = 0; i < t->n; i++) {
			uint32_t k = own + i;
			void *x = pop(t->shard[k < t->n ? k : k - t->n]);
			if (x)
				return x;
		}
	}
	return p->make ? p->make() : NULL;
}

void goro_pool_put(goro_pool *p, void *x)
{
	sched_point(POINT_POOL, p);
	if (unlikely(!p))
		panic("sync: nil Pool");
	if (!x)
		return;
	uint32_t own = here();
	Table *t = load_acq((Table **)&p->table); /* pairs with store_rel in grow */
	if (unlikely(!t || t->n <= own))
		t = grow(p, own + 1);
	Shard *s = t->shard[own];
	lock(&s->lock);
	if (!s->top || s->fill == CHUNK) {
		Chunk *c = s->spare ? s->spare : malloc(sizeof(*c));
		if (!c)
			no_memory();
		s->spare = NULL;
		c->below = s->top;
		s->top = c;
		s->fill = 0;
	}
	void **place = &s->top->place[s->fill++];
	hook_release(race_self(), place);
	*place = x;
	store_rlx(&s->n, s->n + 1);
	unlock(&s->lock);
}

static void drain_shard(Shard *s, void (*drop)(void *))
{
	void *x;
	while ((x = pop(s)))
		if (drop)
			drop(x);
	if (GORO_RACE && s->spare)
		for (int i = 0; i < CHUNK; i++)
			hook_forget(&s->spare->place[i]);
	free(s->spare);
	free(s);
}

void goro_pool_drain(goro_pool *p, void (*drop)(void *))
{
	if (unlikely(!p))
		panic("sync: nil Pool");
	Table *t = p->table;
	p->table = NULL;
	for (uint32_t i = 0; t && i < t->n; i++)
		drain_shard(t->shard[i], drop);
	for (Table *old; t; t = old) {
		old = t->old;
		free(t);
	}
}
