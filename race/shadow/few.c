/*
 * few.c: see few.h.
 */
#include "few.h"

#include "../slow.h"

FewChunk *few_chunk[ID_CHUNKS];
IdTable few_ids = ID_TABLE(RACE_CONTEXT, few_chunk, FewChunk);

/* An entry as one number: 0 for none. */
static inline uint64_t word(Entry e)
{
	return (uint64_t)e.rec << 32 | (uint32_t)e.kind << 8 | e.mask;
}

Cell few_make(RaceSlow *s, const Entry *e, uint32_t n)
{
	Few f = {{{0, 0, 0}}};
	uint64_t h = 0;
	for (uint32_t i = 0; i < n; i++) {
		f.e[i] = e[i];
		h = (h ^ word(e[i])) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	Cell *known = &s->few_cache[h >> (64 - FEW_BITS)];
	if (*known) {
		const Few *k = few_at(*known);
		uint64_t differ = 0;
		for (int i = 0; i < FEW; i++)
			differ |= word(k->e[i]) ^ word(f.e[i]);
		if (!differ)
			return *known;
	}
	if (unlikely(!s->fews.n)) {
		if (!ids_refill(&few_ids, &s->fews)) {
			race_count(lost_memory);
			return 0;
		}
		add_rlx(&race_stats.escalations, (uint64_t)s->fews.n); /* relaxed: a count */
	}
	uint32_t id = s->fews.id[--s->fews.n];
	few_chunk[id >> ID_CHUNK_BITS]->few[id & (ID_CHUNK - 1)] = f;
	return *known = CELL_FEW | id;
}

void few_mark(Cell c)
{
	if (!ids_mark(&few_ids, c & ~CELL_FEW))
		return;
	const Few *f = few_at(c);
	for (int i = 0; i < FEW && f->e[i].rec; i++)
		if (f->e[i].kind == KIND_FREE)
			record_mark_free(f->e[i].rec);
		else
			record_mark(f->e[i].rec);
}
