/*
 * goro_race.h: what a program can tell the race detector. For what the detector cannot know by itself:
 * synchronisation built on something it does not see (inline assembly, a device, another process), locks of
 * one's own making, memory that starts anew, races that are meant.
 *
 * Everything here costs nothing and does nothing in a program built without -race: no function is called and no
 * argument evaluated, and the header needs no library. With -race arguments are evaluated once. Works in C11 and C++17, beside goro.h or
 * alone, in programs of plain threads as well.
 *
 * Programs written for ThreadSanitizer need not change: <sanitizer/tsan_interface.h> and the functions
 * Annotate* that dynamic_annotations.h declares mean the same here.
 *
 * A wrong annotation hides races, or (an edge that is missing) invents one. Prefer atomics.
 */
#ifndef GORO_RACE_USER_H
#define GORO_RACE_USER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GORO_RACE__)

void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
void __tsan_read_range(void *addr, long size);
void __tsan_write_range(void *addr, long size);
void AnnotateRWLockCreate(const char *file, int line, uintptr_t lock);
void AnnotateRWLockDestroy(const char *file, int line, uintptr_t lock);
void AnnotateRWLockAcquired(const char *file, int line, uintptr_t lock, uintptr_t is_writer);
void AnnotateRWLockReleased(const char *file, int line, uintptr_t lock, uintptr_t is_writer);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
void AnnotateIgnoreSyncBegin(const char *file, int line);
void AnnotateIgnoreSyncEnd(const char *file, int line);
void AnnotateBenignRaceSized(
    const char *file, int line, uintptr_t addr, uintptr_t size, const char *why);
void AnnotateNewMemory(const char *file, int line, uintptr_t addr, uintptr_t size);
void AnnotateThreadName(const char *file, int line, const char *name);
int goro_race_errors(void);

#define GORO_RACE_DO(arg, call) (call)
#define GORO_RACE_AT            __FILE__, __LINE__

/* On a function: its own accesses are not checked. (Those of functions that it calls are.) */
#if defined(__clang__) || __GNUC__ >= 8
#define GORO_NO_RACE __attribute__((no_sanitize("thread")))
#else
#define GORO_NO_RACE __attribute__((no_sanitize_thread))
#endif

#else

#define GORO_RACE_DO(arg, call) (0 ? (void)(arg) : (void)0) /* no "unused" for arg */
#define GORO_NO_RACE
static inline int goro_race_errors(void)
{
	return 0;
}

#endif

/* ---- order ----
 * What a goroutine or thread did before goro_race_release(addr) is before what another does after its
 * goro_race_acquire(addr), when that comes later in time. Several may release; an acquire sees all of
 * them. addr is an identity, and is not accessed. */
#define goro_race_release(addr) GORO_RACE_DO(addr, __tsan_release((void *)(addr)))
#define goro_race_acquire(addr) GORO_RACE_DO(addr, __tsan_acquire((void *)(addr)))

/* ---- locks ----
 * Around the operations of a lock of one's own: after it was locked, before it is unlocked, before its
 * memory is reused. They make the lock's edges, and reports name the lock among those held. */
#define goro_race_locked(lock)                                                                     \
	GORO_RACE_DO(lock, AnnotateRWLockAcquired(GORO_RACE_AT, (uintptr_t)(lock), 1))
#define goro_race_unlocking(lock)                                                                  \
	GORO_RACE_DO(lock, AnnotateRWLockReleased(GORO_RACE_AT, (uintptr_t)(lock), 1))
#define goro_race_read_locked(lock)                                                                \
	GORO_RACE_DO(lock, AnnotateRWLockAcquired(GORO_RACE_AT, (uintptr_t)(lock), 0))
#define goro_race_read_unlocking(lock)                                                             \
	GORO_RACE_DO(lock, AnnotateRWLockReleased(GORO_RACE_AT, (uintptr_t)(lock), 0))
#define goro_race_lock_destroyed(lock)                                                             \
	GORO_RACE_DO(lock, AnnotateRWLockDestroy(GORO_RACE_AT, (uintptr_t)(lock)))

/* ---- memory ----
 * read, write: count as accesses of size bytes by who runs this: for what assembly, a device or a library
 * without instrumentation does on the program's behalf.
 * new_memory: what was done to these bytes before is nobody's business any more (an allocator of one's
 * own gives them out). */
#define goro_race_read(addr, size)                                                                 \
	GORO_RACE_DO(addr, __tsan_read_range((void *)(addr), (long)(size)))
#define goro_race_write(addr, size)                                                                \
	GORO_RACE_DO(addr, __tsan_write_range((void *)(addr), (long)(size)))
#define goro_race_new_memory(addr, size)                                                           \
	GORO_RACE_DO(addr, AnnotateNewMemory(GORO_RACE_AT, (uintptr_t)(addr), (size)))

/* ---- leave it out ----
 * benign: races within these bytes are meant, and why; until the memory is freed.
 * ignore: accesses of this goroutine or thread between the two are not checked; pairs nest.
 * ignore_sync: what synchronises in between makes no edge. */
#define goro_race_benign(addr, size, why)                                                          \
	GORO_RACE_DO(addr, AnnotateBenignRaceSized(GORO_RACE_AT, (uintptr_t)(addr), (size), (why)))
#define goro_race_ignore_begin()                                                                   \
	GORO_RACE_DO(                                                                              \
	    0, (AnnotateIgnoreReadsBegin(GORO_RACE_AT), AnnotateIgnoreWritesBegin(GORO_RACE_AT)))
#define goro_race_ignore_end()                                                                     \
	GORO_RACE_DO(                                                                              \
	    0, (AnnotateIgnoreWritesEnd(GORO_RACE_AT), AnnotateIgnoreReadsEnd(GORO_RACE_AT)))
#define goro_race_ignore_sync_begin() GORO_RACE_DO(0, AnnotateIgnoreSyncBegin(GORO_RACE_AT))
#define goro_race_ignore_sync_end()   GORO_RACE_DO(0, AnnotateIgnoreSyncEnd(GORO_RACE_AT))

/* ---- names, numbers ----
 * The name of this thread (or goroutine: goro_set_name) in reports.
 * goro_race_errors(): reports of this process so far; 0 without -race. */
#define goro_race_thread_name(name) GORO_RACE_DO(name, AnnotateThreadName(GORO_RACE_AT, (name)))

/* ---- by the names of dynamic_annotations.h, where nothing else has defined them ---- */
#ifndef ANNOTATE_HAPPENS_BEFORE
#define ANNOTATE_HAPPENS_BEFORE(obj)               goro_race_release(obj)
#define ANNOTATE_HAPPENS_AFTER(obj)                goro_race_acquire(obj)
#define ANNOTATE_BENIGN_RACE(ptr, why)             goro_race_benign((ptr), sizeof(*(ptr)), (why))
#define ANNOTATE_BENIGN_RACE_SIZED(ptr, size, why) goro_race_benign((ptr), (size), (why))
#define ANNOTATE_IGNORE_READS_BEGIN()              GORO_RACE_DO(0, AnnotateIgnoreReadsBegin(GORO_RACE_AT))
#define ANNOTATE_IGNORE_READS_END()                GORO_RACE_DO(0, AnnotateIgnoreReadsEnd(GORO_RACE_AT))
#define ANNOTATE_IGNORE_WRITES_BEGIN()             GORO_RACE_DO(0, AnnotateIgnoreWritesBegin(GORO_RACE_AT))
#define ANNOTATE_IGNORE_WRITES_END()               GORO_RACE_DO(0, AnnotateIgnoreWritesEnd(GORO_RACE_AT))
#define ANNOTATE_IGNORE_READS_AND_WRITES_BEGIN()   goro_race_ignore_begin()
#define ANNOTATE_IGNORE_READS_AND_WRITES_END()     goro_race_ignore_end()
#define ANNOTATE_NEW_MEMORY(ptr, size)             goro_race_new_memory((ptr), (size))
#define ANNOTATE_THREAD_NAME(name)                 goro_race_thread_name(name)
#define ANNOTATE_RWLOCK_CREATE(lock)                                                               \
	GORO_RACE_DO(lock, AnnotateRWLockCreate(GORO_RACE_AT, (uintptr_t)(lock)))
#define ANNOTATE_RWLOCK_DESTROY(lock) goro_race_lock_destroyed(lock)
#define ANNOTATE_RWLOCK_ACQUIRED(lock, is_writer)                                                  \
	GORO_RACE_DO(lock, AnnotateRWLockAcquired(GORO_RACE_AT, (uintptr_t)(lock), (is_writer)))
#define ANNOTATE_RWLOCK_RELEASED(lock, is_writer)                                                  \
	GORO_RACE_DO(lock, AnnotateRWLockReleased(GORO_RACE_AT, (uintptr_t)(lock), (is_writer)))
#endif

#ifdef __cplusplus
}
#endif

#endif
