/*
 * annotate.c: what programs say by hand: order, locks and memory of their own making, fibers.
 * Source-compatible with clang's sanitizer/tsan_interface.h and with the Annotate* family.
 *
 *	__tsan_acquire, __tsan_release          one edge (release joins: several releasers, one acquirer)
 *	__tsan_mutex_*                          locks: edges, and the locks a report shows
 *	__tsan_*_fiber                          contexts of one's own scheduler
 *	AnnotateHappensBefore/After             as release, acquire
 *	AnnotateIgnoreReads/Writes/Sync         nesting, per goroutine
 *	AnnotateBenignRace(Sized)               no finding with an access in that range
 *	AnnotateNewMemory, AnnotateFlushState, AnnotateThreadName, AnnotateRWLock*, AnnotateMutexIs*
 */
#include <stdint.h>

#include "../history/context.h"
#include "../shadow/benign.h"
#include "../thread.h"
#include "abi.h"

/* flags of __tsan_mutex_* */
#define MUTEX_LINKER_INIT 0x01u
#define MUTEX_READ_LOCK   0x08u
#define MUTEX_TRY_LOCK    0x10u
#define MUTEX_TRY_FAILED  0x20u
#define MUTEX_RECURSIVE   0x40u
#define FIBER_NO_SYNC     0x01u

ABI void __tsan_acquire(void *addr);
ABI void __tsan_release(void *addr);
ABI void __tsan_mutex_create(void *addr, unsigned flags);
ABI void __tsan_mutex_destroy(void *addr, unsigned flags);
ABI void __tsan_mutex_pre_lock(void *addr, unsigned flags);
ABI void __tsan_mutex_post_lock(void *addr, unsigned flags, int recursion);
ABI int __tsan_mutex_pre_unlock(void *addr, unsigned flags);
ABI void __tsan_mutex_post_unlock(void *addr, unsigned flags);
ABI void __tsan_mutex_pre_signal(void *addr, unsigned flags);
ABI void __tsan_mutex_post_signal(void *addr, unsigned flags);
ABI void __tsan_mutex_pre_divert(void *addr, unsigned flags);
ABI void __tsan_mutex_post_divert(void *addr, unsigned flags);
ABI void *__tsan_get_current_fiber(void);
ABI void *__tsan_create_fiber(unsigned flags);
ABI void __tsan_destroy_fiber(void *fiber);
ABI void __tsan_switch_to_fiber(void *fiber, unsigned flags);
ABI void __tsan_set_fiber_name(void *fiber, const char *name);
ABI void __tsan_flush_memory(void);

ABI void __tsan_acquire(void *addr)
{
	hook_acquire(hook_self(), addr);
}

ABI void __tsan_release(void *addr)
{
	hook_release_merge(hook_self(), addr);
}

/* ---- locks ---- */

/* Readers release to an address beside the lock's own, so that they do not order each other: readers
 * acquire what writers left at addr, writers acquire both. */
static void *readers_of(void *addr)
{
	return (char *)addr + 1;
}

ABI void __tsan_mutex_create(void *addr, unsigned flags)
{
	if (!(flags & MUTEX_LINKER_INIT)) /* a static one may be "created" again by anyone */
		hook_forget(addr);
}

ABI void __tsan_mutex_destroy(void *addr, unsigned flags)
{
	(void)flags;
	hook_forget(addr);
	hook_forget(readers_of(addr));
}

/* Between pre and post lies the lock's own code: its accesses are not the program's. */
ABI void __tsan_mutex_pre_lock(void *addr, unsigned flags)
{
	if (!(flags & MUTEX_TRY_LOCK))
		hook_lock_wait(
		    hook_self(), addr, flags & MUTEX_READ_LOCK ? LOCK_READ : LOCK_WRITE, PC);
	race_ignore_begin();
}

static void locked(void *addr, bool read, bool tried, const void *pc)
{
	RaceCtx *c = hook_self();
	hook_acquire(c, addr);
	(tried ? hook_trylock : hook_lock)(c, addr, read ? LOCK_READ : LOCK_WRITE, pc);
}

static void unlocked(void *addr, bool read, const void *pc)
{
	RaceCtx *c = hook_self();
	hook_unlock(c, addr, read ? LOCK_READ : LOCK_WRITE, pc);
	if (read)
		hook_release_merge(c, readers_of(addr));
	else
		hook_release(c, addr);
}

ABI void __tsan_mutex_post_lock(void *addr, unsigned flags, int recursion)
{
	(void)recursion;
	race_ignore_end();
	if ((flags & MUTEX_TRY_LOCK) && (flags & MUTEX_TRY_FAILED))
		return;
	if (!(flags & MUTEX_READ_LOCK))
		hook_acquire(hook_self(), readers_of(addr));
	locked(addr, flags & MUTEX_READ_LOCK, flags & MUTEX_TRY_LOCK, PC);
}

ABI int __tsan_mutex_pre_unlock(void *addr, unsigned flags)
{
	unlocked(addr, flags & MUTEX_READ_LOCK, PC);
	race_ignore_begin();
	return 1;
}

ABI void __tsan_mutex_post_unlock(void *addr, unsigned flags)
{
	(void)addr;
	(void)flags;
	race_ignore_end();
}

ABI void __tsan_mutex_pre_signal(void *addr, unsigned flags)
{
	(void)addr;
	(void)flags;
	race_ignore_begin();
}

ABI void __tsan_mutex_post_signal(void *addr, unsigned flags)
{
	(void)addr;
	(void)flags;
	race_ignore_end();
}

/* Out of the lock's code for a callback, and back. */
ABI void __tsan_mutex_pre_divert(void *addr, unsigned flags)
{
	(void)addr;
	(void)flags;
	race_ignore_end();
}

ABI void __tsan_mutex_post_divert(void *addr, unsigned flags)
{
	(void)addr;
	(void)flags;
	race_ignore_begin();
}

/* ---- fibers ---- */

ABI void *__tsan_get_current_fiber(void)
{
	return hook_self();
}

ABI void *__tsan_create_fiber(unsigned flags)
{
	(void)flags;
	return race_thread_create(hook_self(), PC);
}

ABI void __tsan_destroy_fiber(void *fiber)
{
	RaceThread *t = &race_thread;
	RaceCtx *c = fiber;
	if (!c || c == t->ctx || !race_enter(t))
		return;
	ctx_finish(c);
	ctx_delete(c);
	race_leave(t);
}

ABI void __tsan_switch_to_fiber(void *fiber, unsigned flags)
{
	if (!fiber)
		return;
	if (!(flags & FIBER_NO_SYNC))
		hook_handoff(hook_self(), fiber);
	hook_switch(fiber);
}

ABI void __tsan_set_fiber_name(void *fiber, const char *name)
{
	hook_name(fiber, name);
}

/* Nothing to flush: what is remembered is what counts. */
ABI void __tsan_flush_memory(void)
{
}

/* ---- Annotate* ---- */

#define ANNOTATE(name, ...)                                                                        \
	ABI void Annotate##name(const char *file, int line __VA_OPT__(, ) __VA_ARGS__);            \
	ABI void Annotate##name(const char *file __attribute__((unused)),                          \
	    int line __attribute__((unused)) __VA_OPT__(, ) __VA_ARGS__)

ANNOTATE(HappensBefore, uintptr_t addr)
{
	hook_release_merge(hook_self(), (void *)addr);
}

ANNOTATE(HappensAfter, uintptr_t addr)
{
	hook_acquire(hook_self(), (void *)addr);
}

ANNOTATE(CondVarSignal, uintptr_t cv)
{
	hook_release_merge(hook_self(), (void *)cv);
}

ANNOTATE(CondVarSignalAll, uintptr_t cv)
{
	hook_release_merge(hook_self(), (void *)cv);
}

ANNOTATE(CondVarWait, uintptr_t cv, uintptr_t mutex)
{
	(void)mutex;
	hook_acquire(hook_self(), (void *)cv);
}

ANNOTATE(RWLockCreate, uintptr_t m)
{
	hook_forget((void *)m);
}

ANNOTATE(RWLockCreateStatic, uintptr_t m)
{
	(void)m;
}

ANNOTATE(RWLockDestroy, uintptr_t m)
{
	hook_forget((void *)m);
	hook_forget(readers_of((void *)m));
}

ANNOTATE(RWLockAcquired, uintptr_t m, uintptr_t is_writer)
{
	if (is_writer)
		hook_acquire(hook_self(), readers_of((void *)m));
	locked((void *)m, !is_writer, false, PC);
}

ANNOTATE(RWLockReleased, uintptr_t m, uintptr_t is_writer)
{
	unlocked((void *)m, !is_writer, PC);
}

ANNOTATE(IgnoreReadsBegin)
{
	RaceCtx *c = hook_self();
	if (c)
		c->ignore_reads++;
}

ANNOTATE(IgnoreReadsEnd)
{
	RaceCtx *c = hook_self();
	if (c && c->ignore_reads)
		c->ignore_reads--;
}

ANNOTATE(IgnoreWritesBegin)
{
	RaceCtx *c = hook_self();
	if (c)
		c->ignore_writes++;
}

ANNOTATE(IgnoreWritesEnd)
{
	RaceCtx *c = hook_self();
	if (c && c->ignore_writes)
		c->ignore_writes--;
}

ANNOTATE(IgnoreSyncBegin)
{
	RaceCtx *c = hook_self();
	if (c)
		c->ignore_sync++;
}

ANNOTATE(IgnoreSyncEnd)
{
	RaceCtx *c = hook_self();
	if (c && c->ignore_sync)
		c->ignore_sync--;
}

ANNOTATE(BenignRaceSized, uintptr_t addr, uintptr_t size, const char *what)
{
	(void)what;
	benign_add(addr, size);
}

ANNOTATE(BenignRace, uintptr_t addr, const char *what)
{
	(void)what;
	benign_add(addr, 1);
}

ANNOTATE(NewMemory, uintptr_t addr, uintptr_t size)
{
	race_fresh((void *)addr, size);
}

ANNOTATE(ThreadName, const char *name)
{
	hook_name(hook_self(), name);
}

/* Understood, and without meaning for a detector by happens-before that sees the libc's queues and locks. */
ANNOTATE(FlushState)
{
}

ANNOTATE(FlushExpectedRaces)
{
}

ANNOTATE(EnableRaceDetection, int enable)
{
	(void)enable;
}

ANNOTATE(MutexIsUsedAsCondVar, uintptr_t m)
{
	(void)m;
}

ANNOTATE(MutexIsNotPHB, uintptr_t m)
{
	(void)m;
}

ANNOTATE(PCQCreate, uintptr_t q)
{
	(void)q;
}

ANNOTATE(PCQDestroy, uintptr_t q)
{
	hook_forget((void *)q);
}

ANNOTATE(PCQPut, uintptr_t q)
{
	hook_release_merge(hook_self(), (void *)q);
}

ANNOTATE(PCQGet, uintptr_t q)
{
	hook_acquire(hook_self(), (void *)q);
}

ANNOTATE(PublishMemoryRange, uintptr_t addr, uintptr_t size)
{
	(void)addr;
	(void)size;
}

ANNOTATE(UnpublishMemoryRange, uintptr_t addr, uintptr_t size)
{
	(void)addr;
	(void)size;
}

ANNOTATE(TraceMemory, uintptr_t addr)
{
	(void)addr;
}

ANNOTATE(NoOp, uintptr_t arg)
{
	(void)arg;
}

ANNOTATE(ExpectRace, uintptr_t addr, const char *what)
{
	(void)what;
	benign_add(addr, 1);
}

ANNOTATE(MemoryIsInitialized, uintptr_t addr, uintptr_t size)
{
	(void)addr;
	(void)size;
}

ANNOTATE(MemoryIsUninitialized, uintptr_t addr, uintptr_t size)
{
	(void)addr;
	(void)size;
}

/* The names that WebKit gave three of them. */
ABI void WTFAnnotateHappensBefore(const char *file, int line, uintptr_t addr);
ABI void WTFAnnotateHappensBefore(const char *file, int line, uintptr_t addr)
{
	AnnotateHappensBefore(file, line, addr);
}

ABI void WTFAnnotateHappensAfter(const char *file, int line, uintptr_t addr);
ABI void WTFAnnotateHappensAfter(const char *file, int line, uintptr_t addr)
{
	AnnotateHappensAfter(file, line, addr);
}

ABI void WTFAnnotateBenignRaceSized(
    const char *file, int line, uintptr_t addr, uintptr_t size, const char *what);
ABI void WTFAnnotateBenignRaceSized(
    const char *file, int line, uintptr_t addr, uintptr_t size, const char *what)
{
	AnnotateBenignRaceSized(file, line, addr, size, what);
}

ABI int RunningOnValgrind(void);
ABI int RunningOnValgrind(void)
{
	return 0;
}

ABI double ValgrindSlowdown(void);
ABI double ValgrindSlowdown(void)
{
	return 1.0;
}
