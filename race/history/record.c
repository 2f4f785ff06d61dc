/*
 * record.c: the table of access records, and which ids are free.
 *
 * Three bits an id, in bitmaps beside the chunks: used (handed out, perhaps still in a thread's hand),
 * marked (by the collection under way), resting (freed by the last collection, free after the next). So
 * a collection touches no dead record, and ids come out in ascending order, which caches like.
 *
 * Lock: records.lock, rank RACE_CONTEXT, taken once per block of ids.
 */
#include "record.h"

#include <string.h>

#define WORDS (RECORD_CHUNK / 64)

Record *record_chunk[RECORD_CHUNKS];
uint32_t record_made;

typedef struct Bits {
	uint64_t used[WORDS], marked[WORDS], resting[WORDS];
} Bits;

static struct {
	Lock lock;
	uint32_t chunks; /* there are */
	uint32_t cursor; /* word from which on ids may be free, counted through all chunks */
	uint32_t live;   /* as of the last collection */
	uint32_t top;    /* ids below were handed out at some time; a multiple of 64 */
	Bits *bits[RECORD_CHUNKS];
} records = {.lock = LOCK_INIT(RACE_CONTEXT)};

static void refill(RecordBlock *b)
{
	lock(&records.lock);
	while (b->n == 0) {
		uint32_t c = records.cursor / WORDS, w = records.cursor % WORDS;
		if (c == records.chunks) {
			if (c == RECORD_CHUNKS)
				break;
			records.bits[c] = race_alloc(sizeof(Bits));
			record_chunk[c] = race_alloc(RECORD_CHUNK * sizeof(Record));
			records.chunks++;
			if (c == 0)
				records.bits[c]->used[0] = records.bits[c]->resting[0] =
				    1; /* id 0 is nobody's */
		}
		Bits *bits = records.bits[c];
		uint64_t free = ~(bits->used[w] | bits->resting[w]);
		RecId id[RECORD_BLOCK];
		uint32_t n = 0;
		for (; free && n < RECORD_BLOCK; free &= free - 1)
			id[n++] = records.cursor * 64 + (uint32_t)__builtin_ctzll(free);
		for (uint32_t i = 0; i < n; i++) {
			bits->used[w] |= (uint64_t)1 << (id[i] & 63);
			b->id[n - 1 - i] = id[i]; /* taken from the end */
		}
		b->n = n;
		if (!free)
			records.cursor++;
		if (n && id[n - 1] >= records.top)
			records.top = (id[n - 1] | 63) + 1;
	}
	unlock(&records.lock);
}

RecId record_new(RecordBlock *b, const Record *r)
{
	if (unlikely(b->n == 0)) {
		refill(b);
		if (b->n == 0) {
			race_count(lost_memory);
			return 0;
		}
		add_rlx(&record_made, b->n); /* relaxed: a threshold */
		add_rlx(&race_stats.records, (uint64_t)b->n);
	}
	RecId id = b->id[--b->n];
	*record_at(id) = *r;
	return id;
}

void record_give_back(RecordBlock *b)
{
	lock(&records.lock);
	while (b->n) {
		RecId id = b->id[--b->n];
		records.bits[id >> RECORD_CHUNK_BITS]->used[id / 64 % WORDS] &=
		    ~((uint64_t)1 << (id & 63));
		if (records.cursor > id / 64)
			records.cursor = id / 64;
	}
	unlock(&records.lock);
}

uint32_t record_top(void)
{
	return records.top; /* world stopped */
}

void record_mark_begin(void)
{
	for (uint32_t c = 0; c < records.chunks; c++)
		memset(records.bits[c]->marked, 0, sizeof records.bits[c]->marked);
}

/* Whether it was unmarked before. */
bool record_mark(RecId id)
{
	uint64_t *w = &records.bits[id >> RECORD_CHUNK_BITS]->marked[id / 64 % WORDS];
	uint64_t bit = (uint64_t)1 << (id & 63);
	if (*w & bit)
		return false;
	*w |= bit;
	return true;
}

bool record_mark_free(RecId id)
{
	if (!record_mark(id))
		return false;
	uint32_t mset = record_at(id)->mset;
	if (mset != RECORD_ALLOC)
		record_mark(mset & ~RECORD_ALLOC); /* no chain: that one is no free */
	return true;
}

void record_each(void (*fn)(const Record *))
{
	for (uint32_t c = 0; c < records.chunks; c++)
		for (uint32_t w = 0; w < WORDS; w++)
			for (uint64_t bits = records.bits[c]->used[w]; bits; bits &= bits - 1) {
				RecId id = c << RECORD_CHUNK_BITS | w << 6 |
					   (uint32_t)__builtin_ctzll(bits);
				if (id)
					fn(record_at(id));
			}
}

MemoryUse record_memory(void)
{
	uint32_t chunks = load_rlx(&records.chunks); /* relaxed: a count */
	uint64_t live = 0;
	for (uint32_t c = 0; c < chunks; c++)
		for (uint32_t w = 0; w < WORDS; w++)
			live += (uint32_t)__builtin_popcountll(load_rlx(&records.bits[c]->used[w]));
	return (MemoryUse){live ? live - 1 : 0, /* id 0 is nobody's */
	    (uint64_t)chunks * (RECORD_CHUNK * sizeof(Record) + sizeof(Bits))};
}

uint32_t record_mark_end(void)
{
	uint32_t live = 0;
	for (uint32_t c = 0; c < records.chunks; c++) {
		Bits *b = records.bits[c];
		for (uint32_t w = 0; w < WORDS; w++) {
			b->resting[w] = b->used[w] & ~b->marked[w];
			b->used[w] &= b->marked[w];
			live += (uint32_t)__builtin_popcountll(b->used[w]);
		}
	}
	if (records.chunks)
		records.bits[0]->used[0] |= 1; /* id 0 */
	records.cursor = 0;
	records.live = live;
	store_rlx(&record_made, 0u);
	return live;
}
