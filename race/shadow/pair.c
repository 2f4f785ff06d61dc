/*
 * pair.c: see pair.h.
 */
#include "pair.h"

#include "../slow.h"

PairChunk *pair_chunk[ID_CHUNKS];
IdTable pair_ids = ID_TABLE(RACE_CONTEXT, pair_chunk, PairChunk);

static inline bool same(Entry a, Entry b)
{
	return a.rec == b.rec && a.kind == b.kind && a.mask == b.mask;
}

static inline uint32_t pair_index(Entry a, Entry b)
{
	uint64_t h = ((uint64_t)a.rec << 32 | b.rec) ^ (uint64_t)a.mask << 20 ^
		     (uint64_t)b.mask << 50 ^ (uint64_t)a.kind << 29 ^ (uint64_t)b.kind << 60;
	return (uint32_t)(h * 0x9e3779b97f4a7c15u >> (64 - PAIR_BITS));
}

Cell pair_make(RaceSlow *s, Entry a, const Entry *second)
{
	Entry b = second ? *second : (Entry){0, 0, 0};
	Cell *known = &s->pair_cache[pair_index(a, b)];
	if (*known) {
		const Pair *p = pair_at(*known);
		if (same(p->e[0], a) && same(p->e[1], b))
			return *known;
	}
	if (unlikely(!s->pairs.n)) {
		if (!ids_refill(&pair_ids, &s->pairs)) {
			race_count(lost_memory);
			return 0;
		}
		add_rlx(&race_stats.escalations, (uint64_t)s->pairs.n); /* relaxed: a count */
	}
	uint32_t id = s->pairs.id[--s->pairs.n];
	pair_chunk[id >> ID_CHUNK_BITS]->pair[id & (ID_CHUNK - 1)] = (Pair){{a, b}};
	return *known = CELL_PAIR | id;
}

void pair_mark(Cell c)
{
	if (!ids_mark(&pair_ids, c & ~CELL_PAIR))
		return;
	const Pair *p = pair_at(c);
	for (int i = 0; i < 2 && p->e[i].rec; i++)
		if (p->e[i].kind == KIND_FREE)
			record_mark_free(p->e[i].rec);
		else
			record_mark(p->e[i].rec);
}
