/*
 * interp.c: run the program of a seed, step by step. Not instrumented: what the detector sees of it are
 * the sites' accesses and the calls of goro. Says at the end where everything was.
 *
 *	interp SEED            run; one line for each goroutine, place and allocation on stdout
 *	interp SEED --print    the program, not run
 */
#include "interp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/invisible.h"
#include "sites.h"

void AnnotateIgnoreSyncBegin(const char *file, int line);
void AnnotateIgnoreSyncEnd(const char *file, int line);

Program p;
goro_mutex mutexes[MUTEXES];
pthread_mutex_t plain_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Alignas(64) unsigned char arena[ARENA];
static goro_rwmutex rwmutexes[RWMUTEXES];
static goro_once onces[ONCES];
static goro_chan *chans[CHANS], *never;
static void *blocks[BLOCKS];
static void *allocated[MAX_STEPS];
static int allocations;
static int finished[MAX_STEPS];
static uint64_t ids[MAX_GOROUTINES];
static goro_semaphore turns[MAX_GOROUTINES]; /* a unit for each step that is its goroutine's to make */

void quiet_begin(void)
{
	AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
}

void quiet_end(void)
{
	AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
}

/*
 * Who waits for its turn is woken by whoever made the step before, out of the detector's sight. To yield until
 * it comes, as support/invisible.c does, took nine tenths of the time: a step that makes reports lasts a while,
 * and a dozen goroutines ran in circles meanwhile. A few times they yield, so that they change threads as well.
 */
enum { FEW = 3 };

static void turns_init(void)
{
	quiet_begin();
	for (int g = 0; g < p.goroutines; g++) {
		goro_semaphore_init(&turns[g], MAX_STEPS + 1);
		goro_semaphore_acquire(&turns[g], NULL, MAX_STEPS + 1);
	}
	quiet_end();
}

static void turn(int g)
{
	quiet_begin();
	goro_semaphore_release(&turns[g], 1);
	quiet_end();
}

static void await_turn(int g)
{
	bool mine = false;

	quiet_begin();
	for (int i = 0; i < FEW && !mine; i++)
		if (!(mine = goro_semaphore_try_acquire(&turns[g], 1)))
			settle(1);
	if (!mine)
		goro_semaphore_acquire(&turns[g], NULL, 1);
	quiet_end();
}

/* It is step t's turn; behind the last one, everybody's who still waits. */
static void turn_of_step(int t)
{
	for (int i = 0; t < p.nsteps && i < p.steps[t].n; i++)
		if (p.steps[t].op[i].kind != OP_COND_BACK)
			turn(p.steps[t].op[i].g);
	for (int g = 0; t == p.nsteps && g < p.goroutines; g++)
		turn(g);
}

void check(int t, bool ok)
{
	if (!ok) {
		fprintf(stderr, "interp: seed %llu: step %d did not go as foreseen\n",
		    (unsigned long long)p.seed, t);
		_Exit(9);
	}
}

void mutex_lock(int m)
{
	if (m < MUTEXES - 1)
		goro_mutex_lock(&mutexes[m]);
	else
		pthread_mutex_lock(&plain_mutex);
}

void mutex_unlock(int m)
{
	if (m < MUTEXES - 1)
		goro_mutex_unlock(&mutexes[m]);
	else
		pthread_mutex_unlock(&plain_mutex);
}

bool mutex_trylock(int m)
{
	return m < MUTEXES - 1 ? goro_mutex_trylock(&mutexes[m])
			       : pthread_mutex_trylock(&plain_mutex) == 0;
}

static bool rwmutex_op(int kind, int m)
{
	goro_rwmutex *rw = &rwmutexes[m];

	switch (kind) {
	case OP_RLOCK: goro_rwmutex_rlock(rw); break;
	case OP_RUNLOCK: goro_rwmutex_runlock(rw); break;
	case OP_WLOCK: goro_rwmutex_lock(rw); break;
	case OP_WUNLOCK: goro_rwmutex_unlock(rw); break;
	case OP_TRYRLOCK: return goro_rwmutex_tryrlock(rw);
	default: return goro_rwmutex_trylock(rw);
	}
	return true;
}

static bool channel_op(const Op *op, bool send)
{
	int v = 1;
	goro_chan *c = chans[op->obj];
	goro_case cases[2] = {{.chan = never, .elem = &v}, {.chan = c, .send = send, .elem = &v}};

	switch (op->way) {
	case 1:
		return send ? goro_chan_try_send(c, &v) : goro_chan_try_recv(c, &v);
	case 2:
		return goro_select(cases, 2, true) == 1 && (send || cases[1].ok);
	case 3:
		return goro_select(cases, 2, false) == 1 && (send || cases[1].ok);
	default:
		if (!send)
			return goro_chan_recv(c, &v);
		goro_chan_send(c, &v);
		return true;
	}
}

static void once_write(void *arg)
{
	site_write(arg, 1);
}

/* A block as the steps expect it. What the libc left in it would do but for a byte of 0xee, at which
 * site_read_range ends (a pointer of its free list has one now and then). Not memset: that would count. */
static void *new_block(void)
{
	volatile unsigned char *p = site_alloc(BLOCK_ALLOC);

	for (int i = 0; i < BLOCK_ALLOC; i++)
		p[i] = 0;
	return (void *)(uintptr_t)p;
}

static void perform(int t, const Op *op)
{
	unsigned char *base = op->block && (op->kind == OP_READ || op->kind == OP_WRITE)
		? blocks[op->block - 1] : arena;
	unsigned char *at = base + op->off;
	void *cell = arena + cell_offset(op->obj);
	int size = cell_size(op->obj);
	uint64_t now = 0;
	bool done = !op->block;

	switch ((Kind)op->kind) {
	case OP_GO: check(t, goro_go(body, birth(op->obj, t)) == 0); break;
	case OP_END: case OP_YIELD: goro_gosched(); break;
	case OP_READ: (op->way ? site_read_range : site_read)(at, op->size); break;
	case OP_WRITE: (op->way ? site_write_range : site_write)(at, op->size); break;
	case OP_COPY: site_copy(arena + op->off2, at, op->size); break;
	case OP_LOCK: mutex_lock(op->obj); break;
	case OP_UNLOCK: mutex_unlock(op->obj); break;
	case OP_TRYLOCK: check(t, mutex_trylock(op->obj) == done); break;
	case OP_RLOCK: case OP_RUNLOCK: case OP_WLOCK: case OP_WUNLOCK:
		rwmutex_op(op->kind, op->obj);
		break;
	case OP_TRYRLOCK: case OP_TRYWLOCK:
		check(t, rwmutex_op(op->kind, op->obj) == done);
		break;
	case OP_SEND: check(t, channel_op(op, true)); break;
	case OP_RECV: check(t, channel_op(op, false)); break;
	case OP_TRYSEND_FULL: check(t, !channel_op(op, true)); break;
	case OP_TRYRECV_EMPTY: check(t, !channel_op(op, false)); break;
	case OP_CLOSE: goro_chan_close(chans[op->obj]); break;
	case OP_RECV_CLOSED: check(t, !channel_op(op, false)); break;
	case OP_ADD: goro_waitgroup_add(&counted.waitgroups[op->obj], 1); break;
	case OP_DONE: goro_waitgroup_done(&counted.waitgroups[op->obj]); break;
	case OP_WAIT: goro_waitgroup_wait(&counted.waitgroups[op->obj]); break;
	case OP_ONCE: goro_once_do(&onces[op->obj], once_write, at); break;
	case OP_LOAD: site_load(cell, size, op->order); break;
	case OP_STORE: site_store(cell, size, op->order, (uint64_t)t & 63); break;
	case OP_RMW:
		if (op->way == 0) {
			site_add(cell, size, op->order);
		} else if (op->way == 1) {
			site_exchange(cell, size, op->order, (uint64_t)t & 63);
		} else {
			memcpy(&now, cell, (size_t)size);
			int fail = op->order == __ATOMIC_RELAXED || op->order == __ATOMIC_RELEASE
				? __ATOMIC_RELAXED : __ATOMIC_ACQUIRE;
			check(t, site_cas(cell, size, op->order, fail, now, now + 1));
		}
		break;
	case OP_CAS_FAIL:
		memcpy(&now, cell, (size_t)size);
		check(t, !site_cas(cell, size, op->order, op->order2, now + 1, 5));
		break;
	case OP_FENCE: site_fence(op->order); break;
	case OP_ALLOC: allocated[allocations++] = blocks[op->obj] = new_block(); break;
	case OP_FREE: site_free(blocks[op->obj]); break;
	default: perform_wait(t, op); break;
	}
}

void done_step(int t)
{
	if (__atomic_add_fetch(&finished[t], 1, __ATOMIC_ACQ_REL) == p.steps[t].n)
		turn_of_step(t + 1);
}

/* All steps of goroutine g that come after its birth. What its END answers; -1: it has none. */
static int play(int g, int born)
{
	ids[g] = goro_id();
	for (int t = born; t < p.nsteps; t++) {
		const Step *s = &p.steps[t];
		for (int i = 0; i < s->n; i++) {
			const Op *op = &s->op[i];
			if (op->g != g)
				continue;
			if (op->kind != OP_COND_BACK) /* else it has waited, and was woken in this step */
				await_turn(g);
			if (s->n == 2 && i == 0)
				settle(10); /* so that the other most likely waits already */
			perform(t, op);
			if (op->kind != OP_COND_WAIT) /* else another saw it wait */
				done_step(t);
			if (op->kind == OP_END)
				return op->way;
		}
	}
	return -1;
}

void *birth(int child, int t)
{
	return (void *)(uintptr_t)(child | t << 8);
}

static int play_born(void *arg)
{
	uintptr_t v = (uintptr_t)arg;

	return play((int)(v & 255), (int)(v >> 8) + 1);
}

void body(void *arg)
{
	(void)play_born(arg);
}

void *thread_body(void *arg)
{
	char name[16];

	snprintf(name, sizeof name, "t%d", (int)((uintptr_t)arg & 255)); /* for model.c */
	pthread_setname_np(pthread_self(), name);
	/* One that has no end in the program stays: what it freed lies in its own cache, where nobody takes it. */
	if (play_born(arg) < 0)
		await_turn((int)((uintptr_t)arg & 255));
	return NULL;
}

int task_body(void *arg)
{
	int r = play_born(arg);

	if (r < 0)
		await_turn((int)((uintptr_t)arg & 255)); /* the end's: before, its own would count */
	return r > 0 ? -5 : 0;
}

int interpret(int argc, char **argv)
{
	if (argc < 2)
		return 8;
	program_generate(&p, strtoull(argv[1], NULL, 10));
	if (argc > 2) {
		program_print(&p, stdout);
		return 0;
	}
	never = goro_chan_make(sizeof(int), 0);
	for (int c = 0; c < CHANS; c++)
		chans[c] = goro_chan_make(sizeof(int), (size_t)p.cap[c]);
	waits_init();
	turns_init();
	turn_of_step(0);
	play(0, 0);
	await_turn(0);
	printf("arena %p\nwaitgroups %p %zu\n", (void *)arena, (void *)&counted, sizeof counted);
	for (int g = 0; g < p.goroutines; g++)
		printf("goroutine %d %llu\n", g, (unsigned long long)ids[g]);
	for (int c = 0; c < CHANS; c++)
		printf("chan %d %p\n", c, (void *)chans[c]);
	for (int n = 0; n < allocations; n++)
		printf("block %d %p\n", n, allocated[n]);
	return 0;
}
