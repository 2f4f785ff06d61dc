/*
 * context.c: interning calling contexts, and the shadow call stacks they are read from.
 *
 * A function's entry pushes its return address and no more. Ids are made only when somebody asks (an
 * access that misses the filter, a lock, an allocation): from the deepest frame whose id is known
 * upwards. So deep call trees without misses cost nothing here.
 *
 * The table: nodes in chunks that never move, chained from buckets. Readers take no lock: they see a
 * chain of a node published by store_rel. Growing relinks the chains under the lock meanwhile; a reader
 * that strays finds nothing within STEPS nodes, or the end, and looks again under the lock. Nothing
 * false can be found, since a node's parent and pc are constant.
 *
 * Lock: contexts.lock, rank RACE_CONTEXT.
 */
#include "context.h"

#include <string.h>

#include "../../runtime/os/os.h"
#include "../report/report.h"

#define CHUNK_BITS  16
#define CHUNK       (1u << CHUNK_BITS)
#define CHUNKS      4096u /* 2.7e8 contexts */
#define FIRST_TABLE 1024u
#define STEPS       64
#define FRAMES      32    /* first size of a shadow call stack */

typedef struct Node {
	uintptr_t pc;
	StackId parent;
	StackId next; /* in the bucket's chain; atomic */
} Node;

typedef struct Table {
	uint32_t mask;
	StackId bucket[];
} Table;

static struct {
	Lock lock;
	uint32_t count; /* nodes in use are CONTEXT_ROOT+1 .. count; lock to write */
	Table *table;   /* atomic */
	Node *chunk[CHUNKS];
} contexts = {.lock = LOCK_INIT(RACE_CONTEXT), .count = CONTEXT_ROOT};

static Node *node_at(StackId id)
{
	return &contexts.chunk[id >> CHUNK_BITS][id & (CHUNK - 1)];
}

static uint32_t hash(StackId parent, uintptr_t pc)
{
	uint64_t h = (pc ^ (uint64_t)parent << 32) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32) ^ (uint32_t)(h >> 12);
}

static StackId find(const Table *t, StackId parent, uintptr_t pc, int steps)
{
	StackId id = load_acq(&t->bucket[hash(parent, pc) & t->mask]); /* pairs with store_rel in insert */
	for (; id && steps-- > 0;) {
		Node *n = node_at(id);
		if (n->pc == pc && n->parent == parent)
			return id;
		id = load_acq(&n->next);
	}
	return 0;
}

/* Lock held. */
static void grow_table(void)
{
	uint32_t size = contexts.table ? 2 * (contexts.table->mask + 1) : FIRST_TABLE;
	Table *t = os_map(sizeof *t + size * sizeof t->bucket[0]);
	if (!t)
		return; /* longer chains */
	t->mask = size - 1;
	for (StackId id = CONTEXT_ROOT + 1; id <= contexts.count; id++) {
		Node *n = node_at(id);
		StackId *b = &t->bucket[hash(n->parent, n->pc) & t->mask];
		store_rel(&n->next, *b);
		*b = id;
	}
	/* The old table stays mapped: a reader may hold it. All of them together are as large as this one. */
	store_rel(&contexts.table, t); /* pairs with load_acq in context_push */
}

StackId context_push(StackId parent, uintptr_t pc)
{
	Table *t = load_acq(&contexts.table); /* pairs with store_rel in grow_table */
	StackId id = t ? find(t, parent, pc, STEPS) : 0;
	if (likely(id))
		return id;
	lock(&contexts.lock);
	if (!contexts.table || contexts.count > 2 * contexts.table->mask)
		grow_table();
	t = contexts.table;
	if (t)
		id = find(t, parent, pc, INT32_MAX);
	if (!id && t && (contexts.count + 1) >> CHUNK_BITS < CHUNKS) {
		id = contexts.count + 1;
		Node **chunk = &contexts.chunk[id >> CHUNK_BITS];
		if (!*chunk)
			*chunk = race_alloc(CHUNK * sizeof(Node));
		contexts.count = id;
		Node *n = node_at(id);
		n->pc = pc;
		n->parent = parent;
		StackId *b = &t->bucket[hash(parent, pc) & t->mask];
		n->next = *b;
		store_rel(b, id); /* publishes n; pairs with load_acq in find */
		race_count(contexts);
	} else if (!id) {
		race_count(lost_memory);
		id = parent; /* a shorter stack rather than none */
	}
	unlock(&contexts.lock);
	return id;
}

StackId context_top(RaceThread *t, RaceCtx *ctx)
{
	bool loaded = t->ctx == ctx;
	Frame *base = loaded ? t->base : ctx->base;
	Frame *top = loaded ? t->top : ctx->top;
	if (top == base)
		return CONTEXT_ROOT;
	Frame *f = top - 1;
	if (f->id)
		return f->id;
	while (f > base && !f->id)
		f--;
	if (!f->id)
		f->id = CONTEXT_ROOT; /* f == base */
	StackId id = f->id;
	while (++f < top)
		f->id = id = context_push(id, f->pc);
	return id;
}

/* Free call stacks by size, linked through their first frame; FRAMES << 20 frames are the limit of
 * any real stack (a frame of the program takes 16 bytes or more). */
static struct {
	Lock lock;
	Frame *free[24];
} stacks = {.lock = LOCK_INIT(RACE_CONTEXT)};

static int stack_class(size_t n)
{
	int c = 0;
	while ((size_t)FRAMES << c < n)
		c++;
	return c;
}

Frame *context_stack_alloc(size_t n)
{
	int c = stack_class(n);
	lock(&stacks.lock);
	Frame *f = stacks.free[c];
	if (f)
		stacks.free[c] = (Frame *)f->pc;
	unlock(&stacks.lock);
	return f ? f : race_alloc(n * sizeof *f);
}

void context_stack_free(Frame *base, Frame *end)
{
	if (!base)
		return;
	int c = stack_class((size_t)(end - base));
	lock(&stacks.lock);
	base->pc = (uintptr_t)stacks.free[c];
	stacks.free[c] = base;
	unlock(&stacks.lock);
}

/* The call stack is full, or there is none yet. */
void context_enter_slow(RaceThread *t, uintptr_t pc)
{
	if (!race_enter(t))
		return;
	if (t->ctx) {
		if (t->top == t->end) {
			size_t n = (size_t)(t->end - t->base);
			size_t cap = n ? 2 * n : FRAMES;
			Frame *base = context_stack_alloc(cap);
			if (n)
				memcpy(base, t->base, n * sizeof *base);
			context_stack_free(t->base, t->end);
			t->base = base;
			t->top = base + n;
			t->end = base + cap;
		}
		*t->top++ = (Frame){.pc = pc};
	}
	race_leave(t);
}

bool context_known(StackId id)
{
	return id <= load_rlx(&contexts.count); /* relaxed: a known one was counted before it was told */
}

int context_pcs(StackId id, uintptr_t *pcs, int max)
{
	int n = 0;
	while (id > CONTEXT_ROOT && n < max) {
		Node *node = node_at(id);
		pcs[n++] = node->pc;
		id = node->parent;
	}
	return n;
}
