/*
 * seen.c: what was reported already, by its stacks and by its address; and what a suppression of code silences,
 * remembered by its stacks too, so that a race in a loop costs its names once.
 *
 * All of it is under report.c's lock.
 */
#include "seen.h"

#include "../options/flags.h"

#define PRINTED 0

/* A set of 64-bit keys (0 excluded) with a small value each; grows, never shrinks. */
typedef struct Seen {
	uint64_t *keys;
	int *values;
	size_t n, cap;
} Seen;

static Seen stacks, addrs; /* of stacks: PRINTED or the suppression's number */

static size_t slot(const Seen *s, uint64_t key)
{
	size_t i = (key * 0x9e3779b97f4a7c15u >> 20) & (s->cap - 1);
	while (s->keys[i] && s->keys[i] != key)
		i = (i + 1) & (s->cap - 1);
	return i;
}

/* The value of key; -1 when it is not there. */
static int get(const Seen *s, uint64_t key)
{
	if (!s->cap)
		return -1;
	size_t i = slot(s, key);
	return s->keys[i] ? s->values[i] : -1;
}

static void put(Seen *s, uint64_t key, int value)
{
	if (2 * (s->n + 1) > s->cap) {
		Seen more = {.n = s->n, .cap = s->cap ? 2 * s->cap : 256};
		more.keys = race_alloc(more.cap * sizeof *more.keys);
		more.values = race_alloc(more.cap * sizeof *more.values);
		for (size_t i = 0; i < s->cap; i++)
			if (s->keys[i]) {
				size_t to = slot(&more, s->keys[i]);
				more.keys[to] = s->keys[i];
				more.values[to] = s->values[i];
			}
		*s = more;
	}
	size_t i = slot(s, key);
	s->n += !s->keys[i];
	s->keys[i] = key;
	s->values[i] = value;
}

/* The pair of stacks, in either order, and the kind; 0 where a stack is missing. Of a cycle of locks, the
 * stacks in the order of the cycle, whichever lock it is told from; of what one does alone, its stack. */
static uint64_t stacks_key(const Report *r)
{
	uint64_t a = r->accesses[0].stack, b = r->naccesses > 1 ? r->accesses[1].stack : 0, key;
	if (!a || (!b && report_is_of_memory(r->kind)))
		return 0;
	key = a < b ? a << 32 | b : b << 32 | a;
	if (r->kind == REPORT_LOCK_ORDER) {
		key = 0;
		for (int i = 0; i + 1 < r->naccesses - r->between;
		     i += 2) { /* a sum: the cycle has no first lock */
			uint64_t edge =
			    (uint64_t)r->accesses[i].stack << 32 | r->accesses[i + 1].stack;
			edge *= 0x9e3779b97f4a7c15u;
			key += (edge ^ edge >> 29) * 0xd6e8feb86659fd93u;
		}
	}
	return key * (2 * (uint64_t)r->kind + 1); /* odd factors: one to one */
}

/* The key is made of ids: they must not come to mean other stacks. */
static void stacks_put(const Report *r, int value)
{
	uint64_t key = stacks_key(r);
	if (!key)
		return;
	for (int i = 0; i < r->naccesses; i++)
		context_pin(r->accesses[i].stack);
	put(&stacks, key, value);
}

static uint64_t addr_key(const Report *r)
{
	return r->accesses[0].addr * (2 * (uint64_t)r->kind + 1);
}

bool seen_is_known(const Report *r, int *supp)
{
	int was = get(&stacks, stacks_key(r));
	*supp = was > PRINTED ? was : 0;
	if (*supp || (was == PRINTED && flags.suppress_equal_stacks))
		return true;
	return flags.suppress_equal_addresses && report_is_of_memory(r->kind) &&
	       get(&addrs, addr_key(r)) >= 0;
}

void seen_suppressed(const Report *r, int supp)
{
	stacks_put(r, supp);
}

void seen_printed(const Report *r)
{
	stacks_put(r, PRINTED);
	if (report_is_of_memory(r->kind))
		put(&addrs, addr_key(r), PRINTED);
}
