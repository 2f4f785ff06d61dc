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
	Clock done[WAITGROUPS];
	int count[WAITGROUPS], waited[WAITGROUPS]; /* waited: who did, since the last Done */
	Clock once[ONCES];
	bool once_done[ONCES];
	Clock cell[CELLS];
	int nheads[CELLS], heads[CELLS][4]; /* who released to it since it was overwritten; 5: many */
	int place[BLOCKS];             /* allocation that lives in each block */
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
	case OP_ADD: /* a new round, of one who has waited since the last Done, has no past */
		if (s->count[op->obj]++ == 0 && s->waited[op->obj] == op->g)
			memset(&s->done[op->obj], 0, sizeof(Clock));
		break;
	case OP_DONE:
		s->count[op->obj]--;
		s->waited[op->obj] = -1;
		join(&s->done[op->obj], now);
		break;
	case OP_WAIT:
		s->waited[op->obj] = op->g;
		join(now, &s->done[op->obj]);
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
	default:
		atomic_op(s, op);
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
	for (int w = 0; w < WAITGROUPS; w++)
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
		for (int i = 0; i < step->n; i++)
			perform(s, &step->op[i]);
	}
}

bool reference_race(const Access *a, const Access *b)
{
	return a->g != b->g && a->place == b->place && a->off < b->off + b->size &&
	    b->off < a->off + a->size && (a->write || b->write) && !(a->atomic && b->atomic) &&
	    b->clock[a->g] < a->step + 1;
}
