/*
 * reference.c: see reference.h. One pass over the steps. clock[g] is what goroutine g knows: clock[g][h]
 * is the number of h's last step that is before g's next one. Every operation is a step of its own, so
 * the rules below are those of the memory models word for word: no epoch is shared, nothing forgotten.
 */
#include "reference.h"

#include <string.h>

typedef struct Clock {
	int t[MAX_GOROUTINES];
} Clock;

enum { ALL_GROUPS = WAITGROUPS + GROUPS };

typedef struct State {
	Reference *r;
	const Program *p;
	int step;
	Clock now[MAX_GOROUTINES];     /* what each goroutine knows */
	Clock acquired[MAX_GOROUTINES]; /* what its relaxed loads brought: an acquire fence takes it */
	Clock fenced[MAX_GOROUTINES];  /* what it knew at its last release fence */
	bool has_fenced[MAX_GOROUTINES];
	Clock mutex[MUTEXES];
	Clock unlocked[RWMUTEXES], runlocked[RWMUTEXES];
	Clock sent[CHANS][MAX_STEPS], received[CHANS][MAX_STEPS], closed[CHANS];
	int sends[CHANS], receives[CHANS];
	Clock done[ALL_GROUPS];        /* wait groups, then those of the groups */
	int count[ALL_GROUPS], waited[ALL_GROUPS]; /* waited: who did, since the last Done */
	Clock once[ONCES];
	bool once_done[ONCES];
	Clock cell[CELLS];
	int nheads[CELLS], heads[CELLS][4]; /* who released to it since it was overwritten; 5: many */
	int place[BLOCKS];             /* allocation that lives in each block */
	Clock sema[SEMAS], pipe[PIPES], timer[TIMERS], after[AFTERS];
	Clock cancel[CONTEXTS];
	bool cancelled[CONTEXTS];
	int task_of[MAX_GOROUTINES];   /* the group, from 1 */
	bool failed, group_ctx_gone;
	Clock slot[GROUP_LIMIT];       /* the second group's limit: a channel of that capacity */
	int starts, ends;
} State;

static void join(Clock *to, const Clock *from)
{
	for (int i = 0; i < MAX_GOROUTINES; i++)
		if (to->t[i] < from->t[i])
			to->t[i] = from->t[i];
}

static Access *touch(State *s, int g, int place, int off, int size, bool write)
{
	Access *a = &s->r->accesses[s->r->n++];

	*a = (Access){.step = s->step, .g = g, .place = place, .off = off, .size = size, .write = write};
	memcpy(a->clock, s->now[g].t, sizeof a->clock);
	return a;
}

static bool acquires(int order)
{
	return order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}
static bool releases(int order)
{
	return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

static void load_edge(State *s, const Op *op, int order)
{
	join(acquires(order) ? &s->now[op->g] : &s->acquired[op->g], &s->cell[op->obj]);
	join(&s->acquired[op->g], &s->cell[op->obj]);
}
static const Clock *store_clock(State *s, const Op *op)
{
	return releases(op->order) ? &s->now[op->g] : &s->fenced[op->g];
}


static bool has_head(const State *s, const Op *op)
{
	for (int i = 0; i < s->nheads[op->obj] && i < 4; i++)
		if (s->heads[op->obj][i] == op->g)
			return true;
	return s->nheads[op->obj] > 4;
}
static void add_head(State *s, const Op *op)
{
	if (has_head(s, op))
		return;
	if (s->nheads[op->obj] < 4)
		s->heads[op->obj][s->nheads[op->obj]] = op->g;
	s->nheads[op->obj]++;
}

static void atomic_op(State *s, const Op *op)
{
	int off = cell_offset(op->obj), size = cell_size(op->obj);
	Clock *cell = &s->cell[op->obj], *now = &s->now[op->g];

	switch (op->kind) {
	case OP_LOAD:
		touch(s, op->g, PLACE_ARENA, off, size, false)->atomic = true;
		load_edge(s, op, op->order);
		break;
	case OP_STORE: /* ends the release sequences; a relaxed one all but its own goroutine's */
		touch(s, op->g, PLACE_ARENA, off, size, true)->atomic = true;
		if (releases(op->order) || !has_head(s, op)) {
			*cell = (Clock){0};
			s->nheads[op->obj] = 0;
		} else { /* as the detector: whose the clock is is not kept */
			s->nheads[op->obj] = 0;
			add_head(s, op);
		}
		join(cell, store_clock(s, op));
		if (releases(op->order) || s->has_fenced[op->g])
			add_head(s, op);
		break;
	case OP_RMW: /* continues the one it read from */
		touch(s, op->g, PLACE_ARENA, off, size, true)->atomic = true;
		load_edge(s, op, op->order);
		join(cell, store_clock(s, op));
		if (releases(op->order) || s->has_fenced[op->g])
			add_head(s, op);
		break;
	case OP_CAS_FAIL: /* a load */
		touch(s, op->g, PLACE_ARENA, off, size, false)->atomic = true;
		load_edge(s, op, op->order2);
		break;
	case OP_FENCE:
		if (acquires(op->order))
			join(now, &s->acquired[op->g]);
		if (releases(op->order))
			s->fenced[op->g] = *now, s->has_fenced[op->g] = true;
		break;
	default:
		break;
	}
}

static void send_op(State *s, const Op *op)
{
	int c = op->obj, k = s->sends[c]++;

	touch(s, op->g, PLACE_CHAN + c, 0, 1, false);
	if (k >= s->p->cap[c])
		join(&s->now[op->g], &s->received[c][k - s->p->cap[c]]);
	s->sent[c][k] = s->now[op->g];
}
static void recv_op(State *s, const Op *op)
{
	int c = op->obj, k = s->receives[c]++;

	join(&s->now[op->g], &s->sent[c][k]);
	s->received[c][k] = s->now[op->g];
}
/* Unbuffered: the send is before the receive is complete, and the receive before the send is. */
static void meet(State *s, const Op *send, const Op *recv)
{
	touch(s, send->g, PLACE_CHAN + send->obj, 0, 1, false);
	join(&s->now[recv->g], &s->now[send->g]);
	join(&s->now[send->g], &s->now[recv->g]);
}

static void group_add(State *s, int w, int g)
{
	/* a new round, of one who has waited since the last Done, has no past */
	if (s->count[w]++ == 0 && s->waited[w] == g)
		memset(&s->done[w], 0, sizeof(Clock));
}
static void group_done(State *s, int w, int g)
{
	s->count[w]--;
	s->waited[w] = -1;
	join(&s->done[w], &s->now[g]);
}
static void group_wait(State *s, int w, int g)
{
	s->waited[w] = g;
	join(&s->now[g], &s->done[w]);
}

static void cancel(State *s, int c, int g)
{
	if (!s->cancelled[c]) /* only the first one does something */
		s->cancel[c] = s->now[g];
	s->cancelled[c] = true;
	if (c == 0)
		cancel(s, CTX_BELOW, g);
}

/* f of a group returns. */
static void task_end(State *s, const Op *op)
{
	int group = s->task_of[op->g] - 1;
	Clock *now = &s->now[op->g];

	if (op->way && !s->failed) {
		s->failed = true;
		if (!s->group_ctx_gone)
			cancel(s, CTX_GROUP, op->g);
	}
	if (group == 1) { /* its place is given back: a receive */
		Clock *slot = &s->slot[s->ends++ % GROUP_LIMIT];
		join(now, slot);
		*slot = *now;
	}
	group_done(s, WAITGROUPS + group, op->g);
}

static void group_op(State *s, const Op *op)
{
	Clock *now = &s->now[op->g];

	switch (op->kind) {
	case OP_GROUP_GO:
		if (op->way == 1) { /* takes a place: a send */
			Clock *slot = &s->slot[s->starts++ % GROUP_LIMIT];
			join(now, slot);
			*slot = *now;
		}
		group_add(s, WAITGROUPS + op->way, op->g);
		s->task_of[op->obj] = op->way + 1;
		s->now[op->obj] = *now;
		break;
	case OP_GROUP_WAIT:
		group_wait(s, WAITGROUPS + op->obj, op->g);
		if (op->obj == 0 && !s->group_ctx_gone) {
			cancel(s, CTX_GROUP, op->g);
			s->group_ctx_gone = true;
		}
		if (op->obj == 1) { /* the places are made anew */
			memset(s->slot, 0, sizeof s->slot);
			s->starts = s->ends = 0;
		}
		break;
	default:
		break;
	}
}

/* Timers, contexts, semaphores, threads, descriptors. */
static void waits_op(State *s, const Op *op)
{
	Clock *now = &s->now[op->g];

	switch (op->kind) {
	case OP_THREAD:
	case OP_FUNC:
	case OP_FUNC_RESET: /* of FUNC_NEW, the arming before, nothing */
		s->now[op->obj] = *now;
		break;
	case OP_JOIN:
		join(now, &s->now[op->obj]);
		break;
	case OP_SEM_GIVE:
		join(&s->sema[op->obj], now);
		break;
	case OP_SEM_TAKE:
	case OP_SEM_TRY:
		if (!op->block)
			join(now, &s->sema[op->obj]);
		break;
	case OP_TIMER_NEW:
	case OP_TIMER_RESET:
		join(&s->timer[op->obj], now);
		break;
	case OP_TIMER_RECV:
		join(now, &s->timer[op->obj]);
		s->timer[op->obj] = *now;
		break;
	case OP_AFTER:
		s->after[op->obj] = *now;
		break;
	case OP_AFTER_RECV:
		join(now, &s->after[op->obj]);
		break;
	case OP_CTX_DEADLINE:
	case OP_CANCEL:
		cancel(s, op->obj, op->g);
		break;
	case OP_CTX_DONE:
	case OP_CTX_ERR:
		if (s->cancelled[op->obj])
			join(now, &s->cancel[op->obj]);
		break;
	case OP_PIPE_WRITE:
		join(&s->pipe[op->obj], now);
		break;
	case OP_PIPE_READ:
		join(now, &s->pipe[op->obj]);
		break;
	default:
		group_op(s, op);
	}
}

/* A signal orders whom it wakes alone, and a pthread_cond_signal nobody; the mutex is taken again. */
static void wake(State *s, const Op *signal, const Op *back)
{
	int m = signal->obj ? MUTEXES - 1 : 0;

	if (signal->obj == 0)
		join(&s->now[back->g], &s->now[signal->g]);
	join(&s->now[back->g], &s->mutex[m]);
}

static void perform(State *s, const Op *op)
{
	Clock *now = &s->now[op->g];

	switch (op->kind) {
	case OP_GO:
		s->now[op->obj] = *now;
		break;
	case OP_READ:
	case OP_WRITE:
		touch(s, op->g, op->block ? s->place[op->block - 1] : PLACE_ARENA, op->off, op->size,
		    op->kind == OP_WRITE);
		break;
	case OP_COPY:
		touch(s, op->g, PLACE_ARENA, op->off, op->size, false);
		touch(s, op->g, PLACE_ARENA, op->off2, op->size, true);
		break;
	case OP_LOCK:
	case OP_TRYLOCK:
		if (!op->block)
			join(now, &s->mutex[op->obj]);
		break;
	case OP_UNLOCK:
		s->mutex[op->obj] = *now;
		break;
	case OP_RLOCK:
	case OP_TRYRLOCK:
		if (!op->block)
			join(now, &s->unlocked[op->obj]);
		break;
	case OP_RUNLOCK:
		join(&s->runlocked[op->obj], now);
		break;
	case OP_WLOCK:
	case OP_TRYWLOCK:
		if (!op->block) {
			join(now, &s->unlocked[op->obj]);
			join(now, &s->runlocked[op->obj]);
		}
		break;
	case OP_WUNLOCK:
		s->unlocked[op->obj] = *now;
		break;
	case OP_SEND:
		send_op(s, op);
		break;
	case OP_RECV:
		recv_op(s, op);
		break;
	case OP_TRYSEND_FULL: /* nothing was sent: no edge, but Go's: it was looked whether it is closed */
		touch(s, op->g, PLACE_CHAN + op->obj, 0, 1, false);
		break;
	case OP_TRYRECV_EMPTY:
		break;
	case OP_CLOSE:
		touch(s, op->g, PLACE_CHAN + op->obj, 0, 1, true);
		s->closed[op->obj] = *now;
		break;
	case OP_RECV_CLOSED:
		join(now, &s->closed[op->obj]);
		break;
	case OP_ADD:
		group_add(s, op->obj, op->g);
		break;
	case OP_DONE:
		group_done(s, op->obj, op->g);
		break;
	case OP_WAIT:
		group_wait(s, op->obj, op->g);
		break;
	case OP_COND_WAIT: /* gives the mutex up */
		s->mutex[op->obj ? MUTEXES - 1 : 0] = *now;
		break;
	case OP_END:
		if (s->task_of[op->g])
			task_end(s, op);
		break;
	case OP_ONCE:
		if (!s->once_done[op->obj]) {
			touch(s, op->g, PLACE_ARENA, op->off, op->size, true);
			s->once_done[op->obj] = true;
			s->once[op->obj] = *now;
		} else {
			join(now, &s->once[op->obj]);
		}
		break;
	case OP_ALLOC:
		s->r->block_of[s->r->allocations] = op->obj;
		s->place[op->obj] = PLACE_BLOCK + s->r->allocations++;
		break;
	case OP_FREE:
		touch(s, op->g, s->place[op->obj], 0, BLOCK_SIZE, true)->frees = true;
		break;
	case OP_LOAD:
	case OP_STORE:
	case OP_RMW:
	case OP_CAS_FAIL:
	case OP_FENCE:
		atomic_op(s, op);
		break;
	default:
		waits_op(s, op);
	}
}

void reference_run(Reference *r, const Program *p)
{
	static State state; /* too large for a stack */
	State *s = &state;

	memset(s, 0, sizeof *s);
	memset(r, 0, sizeof *r);
	s->r = r;
	s->p = p;
	for (int w = 0; w < ALL_GROUPS; w++)
		s->waited[w] = -1;
	for (s->step = 0; s->step < p->nsteps; s->step++) {
		const Step *step = &p->steps[s->step];
		const Op *a = &step->op[0], *b = &step->op[1];
		/* The number of a step, from 1, is everyone's tick. */
		for (int i = 0; i < step->n; i++)
			s->now[step->op[i].g].t[step->op[i].g] = s->step + 1;
		if (step->n == 2 && (a->kind == OP_SEND || a->kind == OP_RECV) && p->cap[a->obj] == 0) {
			meet(s, a->kind == OP_SEND ? a : b, a->kind == OP_SEND ? b : a);
			continue;
		}
		if (step->n == 2 && b->kind == OP_COND_BACK) {
			wake(s, a, b);
			continue;
		}
		if (step->n == 2 && a->kind == OP_BARRIER) {
			join(&s->now[a->g], &s->now[b->g]);
			join(&s->now[b->g], &s->now[a->g]);
			continue;
		}
		for (int i = 0; i < step->n; i++)
			perform(s, &step->op[i]);
	}
}

bool reference_race(const Access *a, const Access *b)
{
	if (a->place != b->place || a->off >= b->off + b->size || b->off >= a->off + a->size)
		return false;
	if (a->frees)
		return true; /* a use after free, whether ordered or not */
	return a->g != b->g && (a->write || b->write) && !(a->atomic && b->atomic) &&
	    b->clock[a->g] < a->step + 1;
}
