/*
 * mutexset.c: interned lists of held locks. The same table as history/context.c in small: nodes in
 * chunks, chained buckets, readers without a lock, growth under it. A collection (world stopped: no reader
 * is on its way) frees what neither record nor goroutine names.
 *
 * Lock: sets.lock, rank RACE_CLOCK.
 */
#include "mutexset.h"

#include "../../runtime/os/os.h"
#include "../history/context.h"

#define CHUNK_BITS 12
#define CHUNK      (1u << CHUNK_BITS)
#define CHUNKS     4096u /* 1.6e7 sets; beyond, sets stay as they are (lost_memory) */
#define STEPS      64
#define DEPTH      256

typedef struct Node {
	uintptr_t addr;
	uint32_t parent;
	StackId where;
	uint8_t mode;
	bool marked, dead; /* collection */
	uint32_t next;     /* in the bucket's chain, or of the free ones; atomic */
	uint64_t note;     /* order.c's; relaxed atomic */
} Node;

typedef struct Table {
	uint32_t mask;
	uint32_t bucket[];
} Table;

static struct {
	Lock lock;
	uint32_t count; /* nodes 1..count; lock to write */
	uint32_t free;  /* list */
	uint32_t live;
	Table *table; /* atomic */
	Node *chunk[CHUNKS];
} sets = {.lock = LOCK_INIT(RACE_CLOCK)};

static Node *node_at(uint32_t id)
{
	return &sets.chunk[id >> CHUNK_BITS][id & (CHUNK - 1)];
}

static uint32_t hash(uint32_t parent, uintptr_t addr, uint32_t mode, StackId where)
{
	uint64_t h =
	    (addr ^ (uint64_t)parent << 40 ^ (uint64_t)where << 8 ^ mode) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32) ^ (uint32_t)(h >> 14);
}

static uint32_t find(const Table *t, const Node *want, int steps)
{
	uint32_t id =
	    load_acq(&t->bucket[hash(want->parent, want->addr, want->mode, want->where) & t->mask]);
	while (
	    id && steps-- > 0) { /* load_acq above and below pair with store_rel in mutexset_add */
		Node *n = node_at(id);
		if (n->addr == want->addr && n->parent == want->parent && n->where == want->where &&
		    n->mode == want->mode)
			return id;
		id = load_acq(&n->next);
	}
	return 0;
}

/* Lock held. */
static void grow_table(void)
{
	uint32_t size = sets.table ? 4 * (sets.table->mask + 1) : 256;
	Table *t = os_map(sizeof *t + size * sizeof t->bucket[0]);
	if (!t)
		return;
	t->mask = size - 1;
	for (uint32_t id = 1; id <= sets.count; id++) {
		Node *n = node_at(id);
		if (n->dead)
			continue;
		uint32_t *b = &t->bucket[hash(n->parent, n->addr, n->mode, n->where) & t->mask];
		store_rel(&n->next, *b);
		*b = id;
	}
	store_rel(&sets.table,
	    t); /* pairs with load_acq in mutexset_add; the old one stays for its readers */
}

/* Lock held. 0 when the ids are used up. */
static uint32_t node_new(void)
{
	uint32_t id = sets.free;
	if (id) {
		sets.free = node_at(id)->next;
	} else {
		id = sets.count + 1;
		if (id >> CHUNK_BITS >= CHUNKS)
			return 0;
		Node **chunk = &sets.chunk[id >> CHUNK_BITS];
		if (!*chunk)
			*chunk = race_alloc(CHUNK * sizeof(Node));
		sets.count = id;
	}
	sets.live++;
	race_made_id();
	return id;
}

uint32_t mutexset_add(uint32_t set, uintptr_t addr, LockMode mode, StackId where)
{
	Node want = {.addr = addr, .parent = set, .where = where, .mode = (uint8_t)mode};
	Table *t = load_acq(&sets.table);
	uint32_t id = t ? find(t, &want, STEPS) : 0;
	if (likely(id))
		return id;
	lock(&sets.lock);
	if (!sets.table || sets.live > 2 * sets.table->mask)
		grow_table();
	t = sets.table;
	id = t ? find(t, &want, INT32_MAX) : 0;
	if (!id && t && (id = node_new()) != 0) {
		uint32_t *b = &t->bucket[hash(set, addr, want.mode, where) & t->mask];
		want.next = *b;
		*node_at(id) = want;
		store_rel(b, id); /* publishes the node; pairs with load_acq in find */
	} else if (!id) {
		race_count(lost_memory);
		id = set;
	}
	unlock(&sets.lock);
	return id;
}

/* The set without the first lock of addr from the inside, in `mode` unless `any`; the same set where
 * there is none. Deeper than DEPTH is left as it is: it runs on the program's stack. */
static uint32_t without(uint32_t set, uintptr_t addr, uint32_t mode, bool any, int depth)
{
	if (set == 0 || depth == 0)
		return set;
	Node *n = node_at(set);
	if (n->addr == addr && (any || n->mode == mode))
		return n->parent;
	uint32_t rest = without(n->parent, addr, mode, any, depth - 1);
	return rest == n->parent ? set : mutexset_add(rest, n->addr, (LockMode)n->mode, n->where);
}

uint32_t mutexset_remove(uint32_t set, uintptr_t addr, LockMode mode, bool *other)
{
	uint32_t rest = without(set, addr, (uint32_t)mode, false, DEPTH);
	if (likely(rest != set))
		return rest;
	rest = without(set, addr, (uint32_t)mode, true, DEPTH);
	if (other)
		*other = rest != set;
	return rest;
}

uint32_t mutexset_step(uint32_t set, ReportLock *out)
{
	const Node *n = node_at(set);
	*out = (ReportLock){n->addr, (LockMode)n->mode, n->where};
	return n->parent;
}

uint64_t *mutexset_note(uint32_t set)
{
	return &node_at(set)->note;
}

int mutexset_list(uint32_t set, ReportLock *out, int max)
{
	int n = 0;
	for (uint32_t id = set; id; id = node_at(id)->parent)
		n++;
	if (n > max)
		n = max; /* the outermost are left out */
	int i = n;
	for (uint32_t id = set; id && i > 0; id = node_at(id)->parent) {
		Node *node = node_at(id);
		out[--i] = (ReportLock){node->addr, (LockMode)node->mode, node->where};
	}
	return n;
}

void mutexset_mark(uint32_t set)
{
	for (uint32_t id = set; id && !node_at(id)->marked; id = node_at(id)->parent) {
		node_at(id)->marked = true;
		context_mark(node_at(id)->where);
	}
}

uint32_t mutexset_mark_end(void)
{
	Table *t = sets.table;
	for (uint32_t i = 0; t && i <= t->mask; i++)
		for (uint32_t *link = &t->bucket[i]; *link;) {
			Node *n = node_at(*link);
			if (n->marked)
				link = &n->next;
			else
				*link = n->next;
		}
	for (uint32_t id = 1; id <= sets.count; id++) {
		Node *n = node_at(id);
		if (!n->marked && !n->dead) {
			n->dead = true;
			n->next = sets.free;
			sets.free = id;
			sets.live--;
		}
		n->marked = false;
	}
	return sets.live;
}

MemoryUse mutexset_memory(void)
{
	return (MemoryUse){
	    sets.live, (uint64_t)(sets.count / CHUNK + 1) * CHUNK * sizeof(Node) +
			   (sets.table ? (sets.table->mask + 1) * sizeof(uint32_t) : 0)};
}
