/*
 * vclock.c: the tree under vclock.h.
 *
 * Ownership: functions named *_own consume the caller's reference to their first argument and return an
 * owned reference. A node is ours alone if its reference count is 1 and its parents are; "mine" says that of the parents.
 *
 * Lineages. A node carries the mint of the clock that made or last changed it: the clock's lineage, which no other
 * clock has, and a version, which each of its operations raises. Law: of two nodes of one lineage and one place in the
 * tree, the one of the higher version has, for each slot, no lower epoch. For each was, when it was stamped, what its clock's
 * tree had there, and that tree only grows; after that it changes no more under that stamp, since whoever changes a node,
 * in place or a copy, stamps it, and all nodes above it. Two of one version are one node's work: an operation stamps
 * a place once. (A raise that flushes several pairs may do so more often, in place: nobody else has seen the node.)
 */
#include "vclock.h"

#include <string.h>

#include "../pool.h"

#define FAN  16u
#define BITS 4

/* mint: 40 bits of lineage, 24 of version; when the versions are used up the clock takes a new lineage, and when those
 * are it has none, which costs comparisons. */
#ifdef GORO_HARD
#define VERSION_BITS 4
#define LINEAGES     (UINT64_C(1) << 16)
#else
#define VERSION_BITS 24
#define LINEAGES     (UINT64_C(1) << 40)
#endif

struct ClockNode {
	uint32_t ref;   /* atomic */
	uint32_t level; /* 0: leaf */
	uint64_t mint;
	union {
		ClockNode *kid[FAN];
		uint32_t epoch[FAN];
	};
};

#define LEAF_SIZE (offsetof(ClockNode, epoch) + FAN * sizeof(uint32_t))

static Pool leaves = POOL_INIT(LEAF_SIZE);
static Pool inners = POOL_INIT(sizeof(ClockNode));

static uint64_t lineage_new(void)
{
	static uint64_t lineages; /* relaxed: to be another's number is all that it wants */
	uint64_t l =
	    load_rlx(&lineages) < LINEAGES ? add_rlx(&lineages, UINT64_C(1)) + 1 : LINEAGES;
	return l < LINEAGES ? l << VERSION_BITS : 0;
}

void clock_only_grows(Clock *c)
{
	c->mint = lineage_new();
}

/* For one operation on c. */
static uint64_t mint_next(Clock *c)
{
	if (c->mint && (++c->mint & ((UINT64_C(1) << VERSION_BITS) - 1)) == 0)
		c->mint = lineage_new();
	return c->mint;
}

static bool is_one_lineage(const ClockNode *a, const ClockNode *b)
{
	return a->mint && (a->mint ^ b->mint) >> VERSION_BITS == 0;
}

/* Its contents are the caller's to fill in. */
static ClockNode *node_get(uint32_t level, uint64_t mint)
{
	ClockNode *n = pool_get(level ? &inners : &leaves);
	race_count(clock_nodes);
	n->ref = 1;
	n->level = level;
	n->mint = mint;
	return n;
}

static ClockNode *node_new(uint32_t level, uint64_t mint)
{
	ClockNode *n = node_get(level, mint);
	memset(n->kid, 0, level ? sizeof n->kid : sizeof n->epoch);
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

static ClockNode *copy(ClockNode *n, uint64_t mint)
{
	ClockNode *c = node_get(n->level, mint);
	if (n->level)
		for (uint32_t i = 0; i < FAN; i++)
			c->kid[i] = ref(n->kid[i]);
	else
		memcpy(c->epoch, n->epoch, sizeof n->epoch);
	return c;
}

/* Ours alone, if its parents are. */
static bool is_mine(const ClockNode *n)
{
	/* pairs with sub_ar in unref: the others have done reading */
	return load_acq(&n->ref) == 1;
}

/* n, or a copy, to be changed; its parents are ours alone. */
static ClockNode *private_own(ClockNode *n, uint64_t mint)
{
	if (is_mine(n)) {
		n->mint = mint;
		return n;
	}
	ClockNode *c = copy(n, mint);
	unref(n);
	return c;
}

static ClockNode *grow_own(ClockNode *n, uint32_t level, uint64_t mint)
{
	while (n->level < level) {
		ClockNode *up = node_new(n->level + 1, mint);
		up->kid[0] = n;
		n = up;
	}
	return n;
}

/* Below a shared node all are referred to by it and its copy: is_mine is false there. */
static ClockNode *set_own(
    ClockNode *n, uint32_t level, uint32_t slot, uint32_t epoch, uint64_t mint)
{
	n = n ? private_own(n, mint) : node_new(level, mint);
	if (n->level == 0) {
		uint32_t *e = &n->epoch[slot & (FAN - 1)];
		*e = *e > epoch ? *e : epoch;
		return n;
	}
	ClockNode **kid = &n->kid[slot >> (BITS * n->level) & (FAN - 1)];
	*kid = set_own(*kid, n->level - 1, slot, epoch, mint);
	return n;
}

static ClockNode *tree_raise_own(ClockNode *root, uint32_t slot, uint32_t epoch, uint64_t mint)
{
	uint32_t level = root ? root->level : 0;
	while (!covers(level, slot))
		level++;
	if (root)
		root = grow_own(root, level, mint);
	return set_own(root, level, slot, epoch, mint);
}

typedef struct Join {
	uint64_t mint;
	bool grew;
} Join;

/*
 * Join of a and b, both borrowed: a itself where b adds nothing, or where a is ours alone and was changed; b itself where it
 * has all of a, so that clocks that know the same share the same nodes, and no reference was counted on the way;
 * else a new node, the caller's. mine: of a's parents.
 */
static ClockNode *join(ClockNode *a, ClockNode *b, bool mine, Join *j);

static ClockNode *join_leaves(ClockNode *a, ClockNode *b, bool mine, Join *j)
{
	bool a_has_all = true, b_has_all = true;
	for (uint32_t i = 0; i < FAN; i++) {
		a_has_all &= a->epoch[i] >= b->epoch[i];
		b_has_all &= b->epoch[i] >= a->epoch[i];
	}
	if (a_has_all)
		return a;
	j->grew = true;
	if (b_has_all)
		return b;
	if (mine)
		a->mint = j->mint;
	else
		a = copy(a, j->mint);
	for (uint32_t i = 0; i < FAN; i++)
		if (a->epoch[i] < b->epoch[i])
			a->epoch[i] = b->epoch[i];
	return a;
}

/* a is of b's level or higher, where b lies under first children. */
static ClockNode *join_inners(ClockNode *a, ClockNode *b, bool mine, Join *j)
{
	bool level = a->level == b->level, is_b = level, grew = false;
	ClockNode *kid[FAN];
	for (uint32_t i = 0; i < FAN; i++) {
		ClockNode *other = level ? b->kid[i] : i ? NULL : b;
		Join k = {j->mint, false};
		kid[i] = join(a->kid[i], other, mine, &k);
		is_b &= kid[i] == other;
		grew |= k.grew;
	}
	if (!grew)
		return a;
	j->grew = true;
	if (is_b)
		return b;
	ClockNode *out = mine ? a : node_get(a->level, j->mint);
	out->mint = j->mint;
	for (uint32_t i = 0; i < FAN; i++) {
		ClockNode *old = a->kid[i], *other = level ? b->kid[i] : b;
		if (kid[i] == old ? !mine : kid[i] == other)
			ref(kid[i]);
		out->kid[i] = kid[i];
		if (mine && kid[i] != old)
			unref(old);
	}
	return out;
}

static ClockNode *join(ClockNode *a, ClockNode *b, bool mine, Join *j)
{
	if (a == b || !b)
		return a;
	bool related = a && is_one_lineage(a, b);
	if (related && a->mint >= b->mint)
		return a;
	if (!a || (related && a->level == b->level)) {
		j->grew = true;
		return b;
	}
	mine = mine && is_mine(a);
	return a->level ? join_inners(a, b, mine, j) : join_leaves(a, b, mine, j);
}

static void flush(Clock *c)
{
	uint64_t mint = mint_next(c);
	for (uint32_t i = 0; i < c->n; i++)
		c->root = tree_raise_own(c->root, c->pair[i].slot, c->pair[i].epoch, mint);
	c->n = 0;
}

void clock_settle(Clock *c)
{
	if (c->n && c->root && c->root->level > 1)
		flush(c);
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
	if (c->n == CLOCK_PAIRS)
		flush(c);
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

static bool tree_join(Clock *d, ClockNode *b)
{
	ClockNode *a = d->root;
	if (!a) {
		d->root = ref(b);
		return true;
	}
	if (is_one_lineage(a, b) && a->mint >= b->mint)
		return false;
	Join j = {mint_next(d), false};
	if (a->level < b->level)
		a = grow_own(a, b->level, j.mint);
	ClockNode *joined = join(a, b, true, &j);
	d->root = joined == b ? ref(b) : joined;
	if (joined != a)
		unref(a);
	return j.grew;
}

bool clock_join(Clock *d, const Clock *s)
{
	bool grew = false;
	if (s->root != d->root && s->root && tree_join(d, s->root)) {
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
