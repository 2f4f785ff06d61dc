/*
 * set.c: the hash table of interned sets.
 *
 * Lock: sets.lock, a leaf under the block locks of shadow.h. Nodes are immutable while in use, so
 * readers (who hold the block lock of a cell that names the set) need none. Freed ids rest for one
 * collection, as records do.
 */
#include "set.h"

#include <string.h>

#include "../../runtime/os/os.h"
#include "../slow.h"

SetNode *set_chunk[SET_CHUNKS];
uint32_t set_made;

static struct {
	Lock lock;
	uint32_t top;         /* ids 1..top were used at some time */
	uint32_t free, limbo; /* linked through next; len 0 */
	uint32_t live;
	uint32_t *bucket, mask;
} sets = {.lock = {0}};

static uint32_t hash(RecId rec, uint32_t kind, uint32_t mask, uint32_t next)
{
	uint64_t h =
	    ((uint64_t)rec << 32 ^ (uint64_t)next << 11 ^ kind << 8 ^ mask) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32) ^ (uint32_t)(h >> 15);
}

/* Lock held. */
static void rehash(uint32_t size)
{
	uint32_t *bucket = os_map(size * sizeof *bucket);
	if (!bucket)
		return;
	if (sets.bucket)
		os_unmap(sets.bucket, (sets.mask + 1) * sizeof *bucket);
	sets.bucket = bucket;
	sets.mask = size - 1;
	for (uint32_t id = 1; id <= sets.top; id++) {
		SetNode *n = set_at(id);
		if (n->len == 0)
			continue;
		uint32_t *b = &bucket[hash(n->rec, n->kind, n->mask, n->next) & sets.mask];
		n->hash_next = *b;
		*b = id;
	}
}

/* Lock held. 0 when there is no memory. */
static uint32_t node_new(void)
{
	uint32_t id = sets.free;
	if (id) {
		sets.free = set_at(id)->next;
		return id;
	}
	id = sets.top + 1;
	if (id >> SET_CHUNK_BITS >= SET_CHUNKS)
		return 0;
	SetNode **chunk = &set_chunk[id >> SET_CHUNK_BITS];
	if (!*chunk)
		*chunk = race_alloc(SET_CHUNK * sizeof(SetNode));
	sets.top = id;
	return id;
}

static uint8_t kinds_of(Entry e, uint32_t next)
{
	return (uint8_t)(1u << e.kind | (next ? set_at(next)->kinds : 0u));
}

/* The set {e, rest of next}. */
static uint32_t intern(Entry e, uint32_t next, uint32_t thinned)
{
	lock(&sets.lock);
	if (!sets.bucket || sets.live > sets.mask)
		rehash(sets.bucket ? 2 * (sets.mask + 1) : 1024);
	uint32_t id = 0;
	if (sets.bucket) {
		uint32_t *b = &sets.bucket[hash(e.rec, e.kind, e.mask, next) & sets.mask];
		for (id = *b; id; id = set_at(id)->hash_next) {
			SetNode *n = set_at(id);
			if (n->rec == e.rec && n->next == next && n->kind == e.kind &&
			    n->mask == e.mask)
				break;
		}
		if (!id && (id = node_new()) != 0) {
			uint32_t len = 1 + (next ? set_at(next)->len : 0);
			*set_at(id) = (SetNode){.rec = e.rec,
			    .next = next,
			    .kind = e.kind,
			    .mask = e.mask,
			    .kinds = kinds_of(e, next),
			    .len = len,
			    .thinned = thinned,
			    .hash_next = *b};
			*b = id;
			sets.live++;
			store_rlx(&set_made, set_made + 1); /* relaxed: a threshold */
			race_count(escalations);
		}
	}
	unlock(&sets.lock);
	return id;
}

static bool before(Entry a, Entry b)
{
	return a.rec != b.rec ? a.rec < b.rec : a.kind < b.kind;
}

static void sort(Entry *e, uint32_t n)
{
	for (uint32_t i = 1; i < n;
	     i++) { /* short, and nearly sorted: new records have higher ids */
		Entry x = e[i];
		uint32_t j = i;
		for (; j > 0 && before(x, e[j - 1]); j--)
			e[j] = e[j - 1];
		e[j] = x;
	}
}

Cell cell_build(Entry *e, uint32_t n, bool *lost)
{
	if (n > 1 && n <= SET_SORTED) {
		sort(e, n);
		uint32_t out = 0;
		for (uint32_t i = 0; i < n; i++) {
			if (out && e[out - 1].rec == e[i].rec && e[out - 1].kind == e[i].kind)
				e[out - 1].mask |= e[i].mask;
			else
				e[out++] = e[i];
		}
		n = out;
	}
	if (n == 0)
		return 0;
	Cell simple = n == 1 ? cell_simple(e[0]) : 0;
	if (simple)
		return simple;
	RaceSlow *s = race_thread_now()->slow;
	if (n <= FEW && likely(s)) {
		Entry down[FEW];
		for (uint32_t i = 0; i < n; i++)
			down[i] = e[n - 1 - i];
		Cell few = few_make(s, down, n);
		*lost |= !few;
		return few;
	}
	uint32_t id = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t up = intern(e[i], id, n);
		if (!up) {
			*lost = true;
			break;
		}
		id = up;
	}
	return id ? CELL_SET | id : 0;
}

Cell cell_cons(Cell c, Entry e, bool *lost)
{
	uint32_t next = c & ~CELL_SET;
	uint32_t id = intern(e, next, set_at(next)->thinned);
	*lost |= !id;
	return id ? CELL_SET | id : c;
}

MemoryUse set_memory(void)
{
	uint64_t chunks = load_rlx(&sets.top) ? (load_rlx(&sets.top) >> SET_CHUNK_BITS) + 1 : 0;
	MemoryUse few = ids_memory(&few_ids);
	return (MemoryUse){load_rlx(&sets.live) + few.live,
	    few.bytes + chunks * SET_CHUNK * sizeof(SetNode) +
		((uint64_t)load_rlx(&sets.mask) + 1) * sizeof *sets.bucket};
}

uint32_t set_top(void)
{
	return sets.top; /* world stopped */
}

void set_mark_begin(void)
{
	while (sets.limbo) {
		uint32_t id = sets.limbo;
		sets.limbo = set_at(id)->next;
		set_at(id)->next = sets.free;
		sets.free = id;
	}
}

void set_mark(uint32_t id)
{
	for (; id && !set_at(id)->marked; id = set_at(id)->next) {
		set_at(id)->marked = true;
		if (set_at(id)->kind == KIND_FREE)
			record_mark_free(set_at(id)->rec);
		else
			record_mark(set_at(id)->rec);
	}
}

uint32_t set_mark_end(void)
{
	sets.live = 0;
	store_rlx(&set_made, 0u);
	for (uint32_t id = 1; id <= sets.top; id++) {
		SetNode *n = set_at(id);
		if (n->len == 0)
			continue;
		if (n->marked) {
			n->marked = false;
			sets.live++;
			continue;
		}
		n->len = 0;
		n->next = sets.limbo;
		sets.limbo = id;
	}
	if (sets.bucket) { /* in place: the table never shrinks */
		memset(sets.bucket, 0, (sets.mask + 1) * sizeof *sets.bucket);
		for (uint32_t id = 1; id <= sets.top; id++) {
			SetNode *n = set_at(id);
			if (n->len == 0)
				continue;
			uint32_t *b =
			    &sets.bucket[hash(n->rec, n->kind, n->mask, n->next) & sets.mask];
			n->hash_next = *b;
			*b = id;
		}
	}
	return sets.live;
}
