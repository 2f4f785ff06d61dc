/*
 * ids.c: free numbers by the block, and the sweep.
 */
#include "ids.h"

#include <string.h>

bool ids_refill(IdTable *t, IdBlock *b)
{
	lock(&t->lock);
	while (b->n == 0) {
		uint32_t c = t->cursor / ID_WORDS, w = t->cursor % ID_WORDS;
		if (c == t->chunks) {
			if (c == ID_CHUNKS)
				break;
			t->bits[c] = race_alloc(sizeof(IdBits));
			t->chunk[c] = race_alloc(t->chunk_bytes);
			t->chunks++;
			if (c == 0)
				t->bits[c]->used[0] = t->bits[c]->resting[0] =
				    1; /* 0 is nobody's */
		}
		IdBits *bits = t->bits[c];
		uint64_t free = ~(bits->used[w] | bits->resting[w]);
		uint32_t id[ID_BLOCK], n = 0;
		for (; free && n < ID_BLOCK; free &= free - 1)
			id[n++] = t->cursor * 64 + (uint32_t)__builtin_ctzll(free);
		for (uint32_t i = 0; i < n; i++) {
			bits->used[w] |= (uint64_t)1 << (id[i] & 63);
			b->id[n - 1 - i] = id[i];
		}
		b->n = n;
		if (!free)
			t->cursor++;
		if (n && id[n - 1] >= t->top)
			t->top = (id[n - 1] | 63) + 1;
	}
	store_rlx(&t->made, t->made + b->n); /* relaxed: a threshold */
	unlock(&t->lock);
	return b->n != 0;
}

void ids_give_back(IdTable *t, IdBlock *b)
{
	lock(&t->lock);
	while (b->n) {
		uint32_t id = b->id[--b->n];
		t->bits[id >> ID_CHUNK_BITS]->used[id / 64 % ID_WORDS] &=
		    ~((uint64_t)1 << (id & 63));
		if (t->cursor > id / 64)
			t->cursor = id / 64;
	}
	unlock(&t->lock);
}

void ids_mark_begin(IdTable *t)
{
	for (uint32_t c = 0; c < t->chunks; c++)
		memset(t->bits[c]->marked, 0, sizeof t->bits[c]->marked);
}

uint32_t ids_mark_end(IdTable *t)
{
	uint32_t live = 0;
	for (uint32_t c = 0; c < t->chunks; c++) {
		IdBits *b = t->bits[c];
		for (uint32_t w = 0; w < ID_WORDS; w++) {
			b->resting[w] = b->used[w] & ~b->marked[w];
			b->used[w] &= b->marked[w];
			live += (uint32_t)__builtin_popcountll(b->used[w]);
		}
	}
	if (t->chunks)
		t->bits[0]->used[0] |= 1; /* 0 */
	t->cursor = 0;
	store_rlx(&t->made, 0u);
	return live;
}

void ids_each(IdTable *t, void (*fn)(uint32_t id))
{
	for (uint32_t c = 0; c < t->chunks; c++)
		for (uint32_t w = 0; w < ID_WORDS; w++)
			for (uint64_t bits = t->bits[c]->used[w]; bits; bits &= bits - 1) {
				uint32_t id =
				    c << ID_CHUNK_BITS | w << 6 | (uint32_t)__builtin_ctzll(bits);
				if (id)
					fn(id);
			}
}

MemoryUse ids_memory(IdTable *t)
{
	uint32_t chunks = load_rlx(&t->chunks); /* relaxed: a count */
	uint64_t live = 0;
	for (uint32_t c = 0; c < chunks; c++)
		for (uint32_t w = 0; w < ID_WORDS; w++)
			live += (uint32_t)__builtin_popcountll(load_rlx(&t->bits[c]->used[w]));
	return (MemoryUse){live ? live - 1 : 0, /* 0 is nobody's */
	    (uint64_t)chunks * (t->chunk_bytes + sizeof(IdBits))};
}
