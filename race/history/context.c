/*
 * context.c: interning calling contexts, and the shadow call stacks they are read from.
 *
 * A function's entry pushes its return address and no more. Ids are made only when somebody asks (an
 * access that misses the filter, a lock, an allocation): from the deepest frame whose id is known
 * upwards. So deep call trees without misses cost nothing here.
 *
 * The tree: nodes in chunks that never move. A node's first KIDS children hang from it in a list, so
 * that recursion finds its nodes where it made them, next to each other (a hash alone, with its two
 * cache misses a look, took half the time of a program that builds trees). Further children are in a
 * hash table. Readers take no lock: what they see was published by store_rel. Growing the table relinks
 * its chains under the lock meanwhile; a reader that strays finds nothing within STEPS nodes, or the
 * end, and looks again under the lock. Nothing false can be found: parent and pc are constant.
 *
 * A collection (world stopped: no reader is on its way) frees the nodes that nothing names, and takes them
 * out of lists and chains. A stack that a report has shown is pinned: its id stays known as shown.
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
#define KIDS        8
#define FREE        UINT32_MAX /* parent of a node in the free list */
#define FRAMES      32         /* first size of a shadow call stack */

typedef struct Node {
	uintptr_t pc;
	StackId parent;
	StackId kid;  /* first child; atomic */
	StackId next; /* in the parent's list, or in the bucket's chain; atomic */
	bool hashed;  /* the latter; constant */
	bool more;    /* it has children in the table; atomic */
	bool marked, pinned;
} Node;

typedef struct Table {
	uint32_t mask;
	StackId bucket[];
} Table;

static struct {
	Lock lock;
	uint32_t count;  /* nodes made are CONTEXT_ROOT .. count; lock to write */
	uint32_t live;   /* of these, not free */
	StackId free;    /* list, through next */
	uint32_t hashed; /* of these, in the table */
	Table *table;    /* atomic */
	Node *chunk[CHUNKS];
} contexts = {.lock = LOCK_INIT(RACE_CONTEXT)};

static Node *node_at(StackId id)
{
	return &contexts.chunk[id >> CHUNK_BITS][id & (CHUNK - 1)];
}

static uint32_t hash(StackId parent, uintptr_t pc)
{
	uint64_t h = (pc ^ (uint64_t)parent << 32) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32) ^ (uint32_t)(h >> 12);
}

/* Among the listed children of parent. *all: there are none in the table. */
static StackId find_kid(StackId parent, uintptr_t pc, bool *all)
{
	const Node *p = node_at(parent);
	*all = !load_acq(&p->more); /* before the list is read; pairs with store_rel in push_slow */
	for (StackId id = load_acq(&p->kid); id;) { /* pairs with store_rel in push_slow */
		Node *k = node_at(id);
		if (k->pc == pc)
			return id;
		id = k->next; /* constant since it was published */
	}
	return 0;
}

static StackId find_hashed(const Table *t, StackId parent, uintptr_t pc, int steps)
{
	if (!t)
		return 0;
	StackId id = load_acq(
	    &t->bucket[hash(parent, pc) & t->mask]); /* pairs with store_rel in context_push */
	while (id && steps-- > 0) {
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
		if (!n->hashed) /* the free ones neither */
			continue;
		StackId *b = &t->bucket[hash(n->parent, n->pc) & t->mask];
		store_rel(&n->next, *b);
		*b = id;
	}
	/* The old table stays mapped: a reader may hold it. All of them together are as large as this one. */
	store_rel(&contexts.table, t); /* pairs with load_acq in context_push */
}

/* Lock held. 0 when the ids are used up. */
static StackId node_new(StackId parent, uintptr_t pc)
{
	StackId id = contexts.free;
	if (id) {
		contexts.free = node_at(id)->next;
	} else {
		id = contexts.count + 1;
		if (id >> CHUNK_BITS >= CHUNKS)
			return 0;
		Node **chunk = &contexts.chunk[id >> CHUNK_BITS];
		if (!*chunk)
			store_rel(chunk,
			    (Node *)race_alloc(
				CHUNK * sizeof(Node))); /* pairs with load_acq in context_push */
		contexts.count = id;
	}
	contexts.live++;
	race_made_id();
	*node_at(id) = (Node){.pc = pc, .parent = parent};
	return id;
}

/* Lock held. Whether one more child goes into parent's list. */
static bool has_room(StackId parent)
{
	int n = 0;
	for (StackId id = node_at(parent)->kid; id; id = node_at(id)->next)
		n++;
	return n < KIDS;
}

/* There is no such node, as far as the caller saw. */
static __attribute__((noinline)) StackId push_slow(StackId parent, uintptr_t pc)
{
	bool all = false;
	lock(&contexts.lock);
	if (unlikely(contexts.count == 0)) /* CONTEXT_ROOT is a node without a pc */
		node_new(0, 0);
	StackId id = find_kid(parent, pc, &all);
	if (!id && !all)
		id = find_hashed(contexts.table, parent, pc, INT32_MAX);
	bool listed = has_room(parent);
	if (!id && !listed && (!contexts.table || contexts.hashed > 2 * contexts.table->mask))
		grow_table();
	if (!id && (listed || contexts.table) && (id = node_new(parent, pc)) != 0) {
		Node *n = node_at(id);
		StackId *link = &node_at(parent)->kid;
		if (!listed) {
			contexts.hashed++;
			n->hashed = true;
			link = &contexts.table->bucket[hash(parent, pc) & contexts.table->mask];
		}
		n->next = *link;
		race_count(contexts);
		store_rel(link, id); /* publishes n; pairs with load_acq in find_kid, find_hashed */
		if (!listed)
			store_rel(&node_at(parent)->more, true); /* pairs with find_kid */
	} else if (!id) {
		race_count(lost_memory);
		id = parent; /* a shorter stack rather than none */
	}
	unlock(&contexts.lock);
	return id;
}

StackId context_push(StackId parent, uintptr_t pc)
{
	bool all = true;
	if (unlikely(!load_acq(
		&contexts.chunk
		     [0]))) /* pairs with store_rel in node_new: all zero is a tree without nodes */
		return push_slow(parent, pc);
	StackId id = find_kid(parent, pc, &all);
	if (!id && !all)
		id = find_hashed(
		    load_acq(&contexts.table), parent, pc, STEPS); /* pairs with grow_table */
	return likely(id) ? id : push_slow(parent, pc);
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

/* ---- collection ---- */

void context_mark(StackId id)
{
	/* CONTEXT_ROOT may be named before there is any node */
	for (; id && id <= contexts.count && !node_at(id)->marked; id = node_at(id)->parent)
		node_at(id)->marked = true;
}

/* A thread may run on meanwhile: below the top that we see every frame has an id that it got inside the
 * detector, or 0. */
void context_mark_stack(const Frame *base, const Frame *top)
{
	for (const Frame *f = top; f-- > base;)
		context_mark(load_rlx(&f->id));
}

void context_pin(StackId id)
{
	if (id)
		store_rlx(&node_at(id)->pinned, true); /* relaxed: never taken back */
}

/* Take the dead off a list. */
static void sweep(StackId *link)
{
	while (*link) {
		Node *n = node_at(*link);
		if (n->marked)
			link = &n->next;
		else
			*link = n->next;
	}
}

uint32_t context_mark_end(void)
{
	Table *t = contexts.table;
	for (StackId id = CONTEXT_ROOT; id <= contexts.count; id++)
		if (id == CONTEXT_ROOT || node_at(id)->pinned)
			context_mark(id);
	for (uint32_t i = 0; t && i <= t->mask; i++)
		sweep(&t->bucket[i]);
	for (StackId id = CONTEXT_ROOT; id <= contexts.count; id++)
		if (node_at(id)->marked && node_at(id)->kid)
			sweep(&node_at(id)->kid);
	if (contexts.count)
		sweep(&node_at(0)->kid); /* stacks that begin nowhere */
	for (StackId id = CONTEXT_ROOT; id <= contexts.count; id++) {
		Node *n = node_at(id);
		if (!n->marked && n->parent != FREE) {
			contexts.hashed -= n->hashed;
			contexts.live--;
			*n = (Node){.next = contexts.free, .parent = FREE};
			contexts.free = id;
		}
		n->marked = false;
	}
	return contexts.live;
}

MemoryUse context_memory(void)
{
	return (MemoryUse){contexts.live,
	    ((uint64_t)contexts.count / CHUNK + 1) * CHUNK * sizeof(Node) +
		(contexts.table ? 2 * (contexts.table->mask + 1) * sizeof(StackId) : 0)};
}
