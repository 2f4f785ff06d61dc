/*
 * memory.h: what the detector's memory consists of, by kind: for stats=1 and for memory_limit_mb.
 *
 * Bytes are those taken from the system and in use, or kept for use: tables never shrink. Shadow is counted
 * by chunk and plane (shadow.h), so a sparse chunk counts for more than the pages it has. Figures of a moment,
 * read without locks: exact where the world is stopped.
 */
#ifndef GORO_RACE_MEMORY_H
#define GORO_RACE_MEMORY_H

#include "race.h"

/* name, its MemoryUse */
#define RACE_MEMORY(M)                                                                             \
	M(shadow, shadow_memory)                                                                   \
	M(heap_bits, shadow_heap_memory)                                                           \
	M(records, record_memory)                                                                  \
	M(sets, set_memory)                                                                        \
	M(contexts, context_memory)                                                                \
	M(mutex_sets, mutexset_memory)                                                             \
	M(clocks, clock_memory)                                                                    \
	M(slots, slot_memory)                                                                      \
	M(sync_objects, sync_memory)                                                               \
	M(ginfos, race_ginfo_memory)                                                               \
	M(goroutines, race_ctx_memory)

typedef enum MemoryKind {
#define KIND_(name, use) MEMORY_##name,
	RACE_MEMORY(KIND_)
#undef KIND_
	    MEMORY_KINDS
} MemoryKind;

const char *race_memory_name(MemoryKind k);
MemoryUse race_memory(MemoryKind k);

#endif
