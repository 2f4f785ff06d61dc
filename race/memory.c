/*
 * memory.c: asks each kind.
 */
#include "memory.h"

#include "clock/mutexset.h"
#include "clock/slot.h"
#include "clock/syncvar.h"
#include "clock/vclock.h"
#include "history/context.h"
#include "history/record.h"
#include "shadow/set.h"
#include "shadow/shadow.h"

static const struct {
	const char *name;
	MemoryUse (*use)(void);
} kinds[MEMORY_KINDS] = {
#define KIND_(name, use) {#name, use},
    RACE_MEMORY(KIND_)
#undef KIND_
};

const char *race_memory_name(MemoryKind k)
{
	return kinds[k].name;
}

MemoryUse race_memory(MemoryKind k)
{
	return kinds[k].use();
}
