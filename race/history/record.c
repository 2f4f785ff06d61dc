/*
 * record.c: the table of access records and its free list.
 *
 * Lock: records.lock, rank RACE_CONTEXT, taken once per block of ids. Free ids are linked through the
 * record's slot field (epoch 0). limbo: freed by the last collection, free after the next one.
 */
#include "record.h"

#include <string.h>

Record *record_chunk[RECORD_CHUNKS];

static struct {
	Lock lock;
	uint32_t top;   /* ids below were handed out at some time, but 0: nobody's; a multiple of the block */
	RecId free, limbo;
	uint32_t made;  /* atomic */
	uint64_t *mark[RECORD_CHUNKS]; /* a collection's; kept for the next one */
} records = {.lock = LOCK_INIT(RACE_CONTEXT)};

static void refill(RecordBlock *b)
{
	lock(&records.lock);
	while (b->n < RECORD_BLOCK && records.free) {
		RecId id = records.free;
		records.free = record_at(id)->slot;
		b->id[b->n++] = id;
	}
	if (b->n == 0) {
		for (int i = 0; i < RECORD_BLOCK && records.top >> RECORD_CHUNK_BITS < RECORD_CHUNKS; i++) {
			RecId id = records.top + RECORD_BLOCK - 1 - (uint32_t)i;
			Record **chunk = &record_chunk[id >> RECORD_CHUNK_BITS];
			if (!*chunk)
				*chunk = race_alloc(RECORD_CHUNK * sizeof(Record));
			b->id[b->n++] = id; /* taken from the end: ascending */
		}
		records.top += RECORD_BLOCK;
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
		add_rlx(&records.made, (uint32_t)b->n); /* relaxed: a threshold */
	}
	RecId id = b->id[--b->n];
	if (id == 0)
		return record_new(b, r);
	*record_at(id) = *r;
	race_count(records);
	return id;
}

void record_give_back(RecordBlock *b)
{
	lock(&records.lock);
	while (b->n) {
		RecId id = b->id[--b->n];
		if (id == 0)
			continue;
		record_at(id)->epoch = 0;
		record_at(id)->slot = records.free;
		records.free = id;
	}
	unlock(&records.lock);
}

uint32_t record_made(void)
{
	return load_rlx(&records.made);
}

uint32_t record_top(void)
{
	return records.top; /* world stopped */
}

void record_mark_begin(void)
{
	for (uint32_t c = 0; c < RECORD_CHUNKS && record_chunk[c]; c++) {
		if (!records.mark[c])
			records.mark[c] = race_alloc(RECORD_CHUNK / 8);
		else
			memset(records.mark[c], 0, RECORD_CHUNK / 8);
	}
	while (records.limbo) { /* rested for one collection */
		RecId id = records.limbo;
		Record *r = record_at(id);
		records.limbo = r->slot;
		r->slot = records.free;
		records.free = id;
	}
}

/* Whether it was unmarked before. */
bool record_mark(RecId id)
{
	uint64_t *w = &records.mark[id >> RECORD_CHUNK_BITS][(id & (RECORD_CHUNK - 1)) / 64];
	uint64_t bit = (uint64_t)1 << (id & 63);
	if (*w & bit)
		return false;
	*w |= bit;
	return true;
}

uint32_t record_mark_end(void)
{
	uint32_t live = 0;
	for (uint32_t id = 1; id < records.top; id++) {
		Record *r = record_at(id);
		if (r->epoch == 0)
			continue;
		if (records.mark[id >> RECORD_CHUNK_BITS][(id & (RECORD_CHUNK - 1)) / 64] >> (id & 63) & 1) {
			live++;
			continue;
		}
		r->epoch = 0;
		r->slot = records.limbo;
		records.limbo = id;
	}
	store_rlx(&records.made, 0u);
	return live;
}
