/*
 * vclock.h: vector clocks that cost what changes.
 *
 * A Clock maps slots to epochs. It is a small overlay of pairs over a shared, persistent, reference
 * counted radix tree (fan-out 16, leaves of 16 epochs). A copy shares the tree: O(1). A join skips
 * subtrees that are the same node. Nodes with one reference, reached through nodes with one reference,
 * are changed in place; all others are copied.
 *
 * A join also skips what one clock has minted: where both sides hold nodes of one place that the same lineage made,
 * the later one knows all that the earlier one knows. So in a chain of goroutines, where each message brings news
 * of all who are further up, the news of a subtree are one pointer, which who is further down passes on. (The idea of
 * tree clocks, that what was learnt from one source in order needs no comparison: Mathur, Pavlogiannis, Tunç and
 * Viswanathan, "A Tree Clock Data Structure for Causal Orderings in Concurrent Executions", ASPLOS 2022.)
 *
 * Model: for every slot i, get(copy, i) = get(src, i); after join, get(d, i) = max(get(d, i), get(s, i)).
 * vclock_test.c compares with plain arrays.
 *
 * Invariants: an overlay pair is above the tree's value of its slot; slots in the overlay are distinct;
 * epoch 0 means "nothing known".
 *
 * A Clock is guarded by its owner (the goroutine, or the lock of its SyncVar). Nodes are immutable
 * while shared, so a holder of a reference reads them without a lock.
 */
#ifndef GORO_RACE_VCLOCK_H
#define GORO_RACE_VCLOCK_H

#include "../race.h"

#define CLOCK_PAIRS 6

typedef struct ClockNode ClockNode;

typedef struct ClockPair {
	uint32_t slot, epoch;
} ClockPair;

typedef struct Clock {
	ClockNode *root;
	uint64_t mint; /* lineage and version, see clock_only_grows; 0: none */
	uint32_t n;    /* pairs in use */
	ClockPair pair[CLOCK_PAIRS];
} Clock;

uint32_t clock_tree_get(const ClockNode *root, uint32_t slot);

static inline uint32_t clock_get(const Clock *c, uint32_t slot)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->pair[i].slot == slot)
			return c->pair[i].epoch;
	return c->root ? clock_tree_get(c->root, slot) : 0;
}

/* Whether c knows p by its overlay; false: perhaps by its tree. No call. */
static inline bool clock_shows(const Clock *c, ClockPair p)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->pair[i].slot == p.slot)
			return c->pair[i].epoch >= p.epoch;
	return false;
}

/* c, which is empty, has a lineage from here on: what it knows only grows. It is raised, joined, copied to from one that
 * knows all that it does, and at last cleared. */
void clock_only_grows(Clock *c);

/* Raise one slot to at least epoch; whether that changed anything. */
bool clock_raise(Clock *c, uint32_t slot, uint32_t epoch);
/* c is about to be learnt from. In a large one the overlay goes into the tree: else who learns it takes the pairs, and
 * mints what everybody could have had from one. */
void clock_settle(Clock *c);
/* d = join of d and s; whether d grew. */
bool clock_join(Clock *d, const Clock *s);
/* d (with contents) becomes a copy of s. */
void clock_copy(Clock *d, const Clock *s);
void clock_clear(Clock *c);
/* The nodes of all trees. */
MemoryUse clock_memory(void);

#endif
