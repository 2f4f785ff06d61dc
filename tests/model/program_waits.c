/*
 * program_waits.c: the part of the generator that deals with what orders besides locks, channels and
 * atomics. Who waits must be let go by a known other, so what libc leaves open is left out: which of
 * several waiters a signal wakes, and in which order a broadcast's get the mutex back.
 */
#include "gen.h"

#include <string.h>

void gen_threads(Gen *s, int g)
{
	if (s->nended > 0 && rnd(s, 2)) {
		int i = (int)rnd(s, (uint32_t)s->nended);
		put(s, OP_JOIN, g, s->ended[i]);
		s->ended[i] = s->ended[--s->nended];
	} else if (s->nalive < s->target && s->born < MAX_GOROUTINES) {
		put(s, OP_THREAD, g, born(s, THREAD));
	}
}

void gen_conds(Gen *s, int g)
{
	int c = (int)rnd(s, CONDS), m = c ? MUTEXES - 1 : 0;
	bool one = c == 1; /* whom a pthread_cond_signal wakes is not said */

	if (s->holder[m] == g && g != 0 && s->nalive > 1 && !(one && s->nwaiting[c])) {
		put(s, OP_COND_WAIT, g, c);
		s->holder[m] = -1;
		s->waiting[c][s->nwaiting[c]++] = g;
		gone(s, g);
	} else if (s->nwaiting[c] == 0) {
		if (s->holder[m] < 0 && rnd(s, 2)) {
			put(s, OP_LOCK, g, m);
			s->holder[m] = g;
		} else {
			put(s, OP_SIGNAL, g, c)->way = (uint8_t)rnd(s, 2);
		}
	} else if (s->holder[m] < 0) {
		int h = s->waiting[c][0];
		put_pair(s, OP_SIGNAL, g, OP_COND_BACK, h, c);
		Op *op = &s->p->steps[s->p->nsteps - 1].op[0];
		op->way = s->nwaiting[c] == 1 && rnd(s, 2);
		op->block = 1;
		memmove(s->waiting[c], s->waiting[c] + 1, (size_t)--s->nwaiting[c] * sizeof(int));
		s->holder[m] = h;
		s->alive[s->nalive++] = h;
	}
}

void gen_semas(Gen *s, int g)
{
	int i = (int)rnd(s, SEMAS), h;

	if (s->units[i] == 0 && rnd(s, 2) && (h = other(s, g)) >= 0) {
		put_pair(s, OP_SEM_GIVE, g, OP_SEM_TAKE, h, i);
	} else if (s->units[i] < SEMA_UNITS && rnd(s, 2)) {
		put(s, OP_SEM_GIVE, g, i);
		s->units[i]++;
	} else if (s->units[i] > 0) {
		put(s, rnd(s, 2) ? OP_SEM_TAKE : OP_SEM_TRY, g, i);
		s->units[i]--;
	} else {
		put(s, OP_SEM_TRY, g, i)->block = 1;
	}
}

void gen_timers(Gen *s, int g)
{
	int i = (int)rnd(s, TIMERS);

	if (rnd(s, 4) == 0) { /* armed by one, set off by another: who runs is after that one alone */
		int h = s->alive[rnd(s, (uint32_t)s->nalive)];
		if (s->born < MAX_GOROUTINES && s->nalive < s->target) {
			int child = born(s, GOROUTINE);
			put(s, OP_FUNC_NEW, g, child);
			put(s, OP_FUNC_RESET, h, child);
		}
	} else if (rnd(s, 3) == 0) {
		i = (int)rnd(s, AFTERS);
		put(s, s->after[i] ? OP_AFTER_RECV : OP_AFTER, g, i);
		s->after[i] = !s->after[i];
	} else if (s->timer[i] == NO_TIMER) {
		put(s, OP_TIMER_NEW, g, i)->way = (uint8_t)rnd(s, 2);
		s->timer[i] = s->p->steps[s->p->nsteps - 1].op[0].way ? FIRED : ARMED;
	} else if (s->timer[i] == FIRED && rnd(s, 2)) {
		put(s, OP_TIMER_RECV, g, i);
		s->timer[i] = STOPPED;
	} else if (rnd(s, 4) == 0) {
		put(s, OP_TIMER_STOP, g, i);
		s->timer[i] = STOPPED;
	} else {
		put(s, OP_TIMER_RESET, g, i)->way = (uint8_t)rnd(s, 2);
		s->timer[i] = s->p->steps[s->p->nsteps - 1].op[0].way ? FIRED : ARMED;
	}
}

void gen_contexts(Gen *s, int g)
{
	int c = (int)rnd(s, CONTEXTS);

	if (c == CTX_DEADLINE && !s->cancelled[c]) {
		if (rnd(s, 3) == 0) {
			put(s, OP_CTX_DEADLINE, g, c);
			s->cancelled[c] = true;
		}
	} else if (rnd(s, 3) == 0) {
		put(s, OP_CTX_ERR, g, c);
	} else if (s->cancelled[c] && rnd(s, 6)) {
		put(s, OP_CTX_DONE, g, c);
	} else if (s->cancelled[c] || rnd(s, 4) == 0) {
		put(s, OP_CANCEL, g, c);
		s->cancelled[c] = true;
		if (c == 0)
			s->cancelled[CTX_BELOW] = true;
	}
}

void gen_groups(Gen *s, int g)
{
	int i = (int)rnd(s, GROUPS);
	bool full = i == 1 && s->active[i] == GROUP_LIMIT;

	if (s->active[i] == 0 && rnd(s, 2)) {
		put(s, OP_GROUP_WAIT, g, i);
		if (i == 0) {
			s->waited = true;
			s->cancelled[CTX_GROUP] = true;
		}
	} else if (full) {
		put(s, OP_GROUP_FULL, g, i);
	} else if (s->born < MAX_GOROUTINES && s->nalive < s->target) {
		int child = born(s, TASK);
		s->group_of[child] = i;
		s->active[i]++;
		put(s, OP_GROUP_GO, g, child)->way = (uint8_t)i;
	}
}

void gen_pipes(Gen *s, int g)
{
	int i = (int)rnd(s, PIPES);
	bool read = s->bytes[i] > 0 && rnd(s, 2);

	put(s, read ? OP_PIPE_READ : OP_PIPE_WRITE, g, i)->way = (uint8_t)rnd(s, 2);
	s->bytes[i] += read ? -1 : 1;
}

void gen_barriers(Gen *s, int g)
{
	int h = other(s, g);

	if (h >= 0)
		put_pair(s, OP_BARRIER, g, OP_BARRIER, h, (int)rnd(s, BARRIERS));
}
