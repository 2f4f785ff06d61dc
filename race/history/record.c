/*
 * record.c: the table of access records.
 */
#include "record.h"

RecordChunk *record_chunk[ID_CHUNKS];
IdTable record_ids = ID_TABLE(RACE_CONTEXT, record_chunk, RecordChunk);

RecId record_new(IdBlock *b, ClockPair when, const Record *r)
{
	if (unlikely(b->n == 0)) {
		if (!ids_refill(&record_ids, b)) {
			race_count(lost_memory);
			return 0;
		}
		add_rlx(&race_stats.records, (uint64_t)b->n); /* relaxed: a count */
	}
	return record_next(b, when, r);
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

MemoryUse record_memory(void)
{
	return ids_memory(&record_ids);
}
