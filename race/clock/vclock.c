/*
 * vclock.c: the tree under vclock.h.
 *
 * Ownership: functions named *_own consume the caller's reference to their first argument and return an
 * owned reference. A node whose reference count is 1 is ours alone only if its parents are; where a
 * parent is shared we take a reference to the child first, which makes its count at least 2 and forces
 * the copy. So "ref == 1" alone decides in the recursion.
 */
#include "vclock.h"

#include <string.h>

#include "../pool.h"

#define FAN  16u
#define BITS 4

struct ClockNode {
	uint32_t ref;   /* atomic */
	uint32_t level; /* 0: leaf */
	union {
		ClockNode *kid[FAN];
		uint32_t epoch[FAN];
	};
};

#define LEAF_SIZE (offsetof(ClockNode, epoch) + FAN * sizeof(uint32_t))

static Pool leaves = POOL_INIT(LEAF_SIZE);
static Pool inners = POOL_INIT(sizeof(ClockNode));

static ClockNode *node_new(uint32_t level)
{
	ClockNode *n = pool_get(level ? &inners : &leaves);
	race_count(clock_nodes);
	memset(n, 0, level ? sizeof *n : LEAF_SIZE);
	n->ref = 1;
	n->level = level;
	return n;
}

static ClockNode *ref(ClockNode *n)
{
	if (n)
		add_rlx(&n->ref, 1); /* the caller holds a reference, so it cannot vanish */
	return n;
}

static void unref(ClockNode *n)
{
	/* acq_rel: the last holder frees what the others only read */
	if (!n || (load_acq(&n->ref) != 1 && sub_ar(&n->ref, 1) != 1))
		return;
	if (n->level)
		for (uint32_t i = 0; i < FAN; i++)
			unref(n->kid[i]);
	pool_put(n->level ? &inners : &leaves, n);
}

static bool covers(uint32_t level, uint32_t slot)
{
	return (uint64_t)slot >> (BITS * (level + 1)) == 0;
}

uint32_t clock_tree_get(const ClockNode *n, uint32_t slot)
{
	if (!covers(n->level, slot))
		return 0;
	while (n && n->level)
		n = n->kid[slot >> (BITS * n->level) & (FAN - 1)];
	return n ? n->epoch[slot & (FAN - 1)] : 0;
}

/* A private copy of n, in place where n is ours alone. */
static ClockNode *private_own(ClockNode *n)
{
	if (load_acq(&n->ref) == 1) /* pairs with sub_ar in unref: the others have done reading */
		return n;
	ClockNode *c = node_new(n->level);
	if (n->level) {
		for (uint32_t i = 0; i < FAN; i++)
			c->kid[i] = ref(n->kid[i]);
	} else {
		memcpy(c->epoch, n->epoch, sizeof n->epoch);
	}
	unref(n);
	return c;
}

static ClockNode *grow_own(ClockNode *n, uint32_t level)
{
	while (n->level < level) {
		ClockNode *up = node_new(n->level + 1);
		up->kid[0] = n;
		n = up;
	}
	return n;
}

static ClockNode *set_own(ClockNode *n, uint32_t level, uint32_t slot, uint32_t epoch)
{
	n = n ? private_own(n) : node_new(level);
	if (n->level == 0) {
		uint32_t *e = &n->epoch[slot & (FAN - 1)];
		*e = *e > epoch ? *e : epoch;
		return n;
	}
	ClockNode **kid = &n->kid[slot >> (BITS * n->level) & (FAN - 1)];
	*kid = set_own(*kid, n->level - 1, slot, epoch);
	return n;
}

static ClockNode *tree_raise_own(ClockNode *root, uint32_t slot, uint32_t epoch)
{
	uint32_t level = root ? root->level : 0;
	while (!covers(level, slot))
		level++;
	if (root)
		root = grow_own(root, level);
	return set_own(root, level, slot, epoch);
}

static ClockNode *join_leaf_own(ClockNode *a, ClockNode *b)
{
	bool a_has_all = true, b_has_all = true;
	for (uint32_t i = 0; i < FAN; i++) {
		a_has_all &= a->epoch[i] >= b->epoch[i];
		b_has_all &= b->epoch[i] >= a->epoch[i];
	}
	if (a_has_all)
		return a;
	if (b_has_all) {
		unref(a);
		return ref(b);
	}
	a = private_own(a);
	for (uint32_t i = 0; i < FAN; i++)
		if (a->epoch[i] < b->epoch[i])
			a->epoch[i] = b->epoch[i];
	return a;
}

static ClockNode *join_own(ClockNode *a, ClockNode *b);

/* Join b into child i of *a, copying *a only where the child changes. */
static void join_kid_own(ClockNode **a, uint32_t i, ClockNode *b)
{
	ClockNode *old = (*a)->kid[i];
	if (load_acq(&(*a)->ref) == 1) { /* pairs with sub_ar in unref */
		(*a)->kid[i] = join_own(old, b);
		return;
	}
	ClockNode *kid = join_own(ref(old), b);
	if (kid == old) {
		unref(kid);
		return;
	}
	*a = private_own(*a);
	unref((*a)->kid[i]);
	(*a)->kid[i] = kid;
}

/* Join of a and b; b is borrowed. Returns b itself (referenced) where b holds all of a, so that
 * clocks that know the same share the same nodes. */
static ClockNode *join_own(ClockNode *a, ClockNode *b)
{
	if (a == b || !b)
		return a;
	if (!a)
		return ref(b);
	if (a->level == 0 && b->level == 0)
		return join_leaf_own(a, b);
	if (a->level < b->level)
		a = grow_own(a, b->level);
	if (a->level > b->level) { /* b lies under a's first child */
		join_kid_own(&a, 0, b);
		return a;
	}
	bool same_as_b = true;
	for (uint32_t i = 0; i < FAN; i++) {
		if (a->kid[i] == b->kid[i])
			continue;
		join_kid_own(&a, i, b->kid[i]);
		same_as_b &= a->kid[i] == b->kid[i];
	}
	if (same_as_b) {
		unref(a);
		return ref(b);
	}
	return a;
}

bool clock_raise(Clock *c, uint32_t slot, uint32_t epoch)
{
	if (epoch == 0)
		return false;
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->pair[i].slot != slot)
			continue;
		if (c->pair[i].epoch >= epoch)
			return false;
		c->pair[i].epoch = epoch;
		return true;
	}
	if (c->root && clock_tree_get(c->root, slot) >= epoch)
		return false;
	if (c->n == CLOCK_PAIRS) {
		for (uint32_t i = 0; i < c->n; i++)
			c->root = tree_raise_own(c->root, c->pair[i].slot, c->pair[i].epoch);
		c->n = 0;
	}
	c->pair[c->n++] = (ClockPair){slot, epoch};
	return true;
}

/* Restore "an overlay pair is above the tree" after the tree grew. */
static void drop_known_pairs(Clock *c)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < c->n; i++)
		if (clock_tree_get(c->root, c->pair[i].slot) < c->pair[i].epoch)
			c->pair[n++] = c->pair[i];
	c->n = n;
}

/* Whether a holds all of b; skips what is shared. */
static bool tree_has(const ClockNode *a, const ClockNode *b)
{
	if (a == b || !b)
		return true;
	if (b->level == 0) {
		while (a && a->level)
			a = a->kid[0];
		for (uint32_t i = 0; i < FAN; i++)
			if (b->epoch[i] > (a ? a->epoch[i] : 0))
				return false;
		return true;
	}
	while (a && a->level > b->level)
		a = a->kid[0];
	if (!a)
		return false; /* no inner node is all zero */
	if (a->level < b->level) {
		for (uint32_t i = 1; i < FAN; i++)
			if (b->kid[i])
				return false;
		return tree_has(a, b->kid[0]);
	}
	for (uint32_t i = 0; i < FAN; i++)
		if (!tree_has(a->kid[i], b->kid[i]))
			return false;
	return true;
}

bool clock_join(Clock *d, const Clock *s)
{
	bool grew = false;
	if (s->root != d->root && s->root && !tree_has(d->root, s->root)) {
		d->root = join_own(d->root, s->root);
		grew = true; /* perhaps only the overlay knew it: then we say so once too often */
		drop_known_pairs(d);
	}
	for (uint32_t i = 0; i < s->n; i++)
		grew |= clock_raise(d, s->pair[i].slot, s->pair[i].epoch);
	return grew;
}

void clock_copy(Clock *d, const Clock *s)
{
	if (d->root != s->root) {
		ClockNode *old = d->root;
		d->root = ref(s->root);
		unref(old);
	}
	d->n = s->n;
	memcpy(d->pair, s->pair, s->n * sizeof s->pair[0]);
}

void clock_clear(Clock *c)
{
	unref(c->root);
	c->root = NULL;
	c->n = 0;
}

MemoryUse clock_memory(void)
{
	MemoryUse a = pool_memory(&leaves), b = pool_memory(&inners);
	return (MemoryUse){a.live + b.live, a.bytes + b.bytes};
}
