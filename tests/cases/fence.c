/*
 * fence.c: a release fence before a relaxed store, an acquire fence after a relaxed load that observes
 * it: together they order, each alone does not.
 */
#include "case.h"

static int word, other;

#define RLX __ATOMIC_RELAXED
#define ACQ __ATOMIC_ACQUIRE
#define REL __ATOMIC_RELEASE
#define AR  __ATOMIC_ACQ_REL
#define SC  __ATOMIC_SEQ_CST
#define STORE(order)  __atomic_store_n(&word, 1, order)
#define LOAD(order)   USE(__atomic_load_n(&word, order))
#define FENCE(order)  __atomic_thread_fence(order)

#define FIRST(name, ...)  static void name(void) { __VA_ARGS__; step(1); }
#define SECOND(name, ...) static void name(void) { after(1); __VA_ARGS__; step(2); }
#define THIRD(name, ...)  static void name(void) { after(2); __VA_ARGS__; step(3); }
#define PLAY2(case_, a, b)    static void case_(void) { go(a); go(b); after(2); }
#define PLAY3(case_, a, b, c) static void case_(void) { go(a); go(b); go(c); after(3); }

FIRST(write_fence_store, write_x(); FENCE(REL); STORE(RLX))
SECOND(load_fence_read, LOAD(RLX); FENCE(ACQ); read_x())
PLAY2(norace_fence_release_acquire, write_fence_store, load_fence_read)
FIRST(write_sc_fence_store, write_x(); FENCE(SC); STORE(RLX))
SECOND(load_sc_fence_read, LOAD(RLX); FENCE(SC); read_x())
PLAY2(norace_fence_seq_cst, write_sc_fence_store, load_sc_fence_read)
FIRST(write_ar_fence_store, write_x(); FENCE(AR); STORE(RLX))
SECOND(load_ar_fence_read, LOAD(RLX); FENCE(AR); read_x())
PLAY2(norace_fence_acq_rel, write_ar_fence_store, load_ar_fence_read)

SECOND(load_acquire_read, LOAD(ACQ); read_x())
PLAY2(norace_fence_release_with_acquire_load, write_fence_store, load_acquire_read)
FIRST(write_store_release, write_x(); STORE(REL))
PLAY2(norace_fence_acquire_with_release_store, write_store_release, load_fence_read)

FIRST(write_store, write_x(); STORE(RLX))
SECOND(load_read, LOAD(RLX); read_x())
PLAY2(race_fence_only_acquire, write_store, load_fence_read)
PLAY2(race_fence_only_release, write_fence_store, load_read)
FIRST(write_store_fence, write_x(); STORE(RLX); FENCE(SC))
PLAY2(race_fence_after_store, write_store_fence, load_fence_read)
SECOND(fence_load_read, FENCE(SC); LOAD(RLX); read_x())
PLAY2(race_fence_before_load, write_fence_store, fence_load_read)
FIRST(fence_write_store, FENCE(REL); write_x(); STORE(RLX))
PLAY2(race_fence_write_behind_it, fence_write_store, load_fence_read)
FIRST(write_acquire_fence_store, write_x(); FENCE(ACQ); STORE(RLX))
PLAY2(race_fence_acquire_releases_nothing, write_acquire_fence_store, load_fence_read)
SECOND(load_release_fence_read, LOAD(RLX); FENCE(REL); read_x())
PLAY2(race_fence_release_acquires_nothing, write_fence_store, load_release_fence_read)
FIRST(write_signal_fence_store, write_x(); __atomic_signal_fence(SC); STORE(RLX))
PLAY2(race_fence_signal_fence, write_signal_fence_store, load_fence_read)

/* A fence by itself, with no store and load between, orders nothing. */
FIRST(write_fence, write_x(); FENCE(SC))
SECOND(fence_read, FENCE(SC); read_x())
PLAY2(race_fence_alone, write_fence, fence_read)
/* Nor with different words. */
SECOND(load_other_fence_read, USE(__atomic_load_n(&other, RLX)); FENCE(ACQ); read_x())
PLAY2(race_fence_other_word, write_fence_store, load_other_fence_read)

/* One fence serves several stores, and several loads. */
FIRST(write_fence_two_stores, write_x(); FENCE(REL); __atomic_store_n(&other, 1, RLX); STORE(RLX))
PLAY2(norace_fence_two_stores, write_fence_two_stores, load_fence_read)
SECOND(two_loads_fence_read, LOAD(RLX); USE(__atomic_load_n(&other, RLX)); FENCE(ACQ); read_x())
PLAY2(norace_fence_two_loads, write_fence_store, two_loads_fence_read)

/* Through a relaxed read-modify-write, and through a chain of them. */
FIRST(write_fence_add, write_x(); FENCE(REL); __atomic_fetch_add(&word, 1, RLX))
SECOND(add_fence_read, __atomic_fetch_add(&word, 1, RLX); FENCE(ACQ); read_x())
PLAY2(norace_fence_add, write_fence_add, add_fence_read)
SECOND(add_only, __atomic_fetch_add(&word, 1, RLX))
THIRD(load_fence_read_third, LOAD(RLX); FENCE(ACQ); read_x())
PLAY3(norace_fence_release_sequence, write_fence_store, add_only, load_fence_read_third)
SECOND(store_only, STORE(RLX))
PLAY3(race_fence_release_sequence_broken, write_fence_store, store_only, load_fence_read_third)

/* The reader's release fence passes on what its acquire fence brought. */
SECOND(pass_on, LOAD(RLX); FENCE(AR); __atomic_store_n(&other, 1, RLX))
THIRD(load_other_fence_read_third, USE(__atomic_load_n(&other, RLX)); FENCE(ACQ); read_x())
PLAY3(norace_fence_chain, write_fence_store, pass_on, load_other_fence_read_third)
SECOND(pass_on_unfenced, LOAD(RLX); __atomic_store_n(&other, 1, REL))
PLAY3(race_fence_chain_unfenced, write_fence_store, pass_on_unfenced, load_other_fence_read_third)

/* A sequence lock's writer and reader, as the textbooks have it, data relaxed. */
static unsigned seq;
static int data[4];
static void seq_writer(void)
{
	for (int i = 1; i < 50; i++) {
		__atomic_store_n(&seq, 2 * (unsigned)i - 1, RLX);
		FENCE(REL);
		for (int k = 0; k < 4; k++)
			__atomic_store_n(&data[k], i, RLX);
		__atomic_store_n(&seq, 2 * (unsigned)i, REL);
	}
	arrive();
}
static void seq_reader(void)
{
	for (int i = 0; i < 50; i++) {
		unsigned before = __atomic_load_n(&seq, ACQ);
		for (int k = 0; k < 4; k++)
			USE(__atomic_load_n(&data[k], RLX));
		FENCE(ACQ);
		USE(before == __atomic_load_n(&seq, RLX));
	}
	arrive();
}
static void norace_fence_seqlock(void)
{
	go(seq_writer);
	for (int i = 0; i < 3; i++)
		go(seq_reader);
	arrived(4);
}

#define X(current, previous) "read read_x<" current " / write write_x<" previous " / global x"
CASES(
    NORACE(norace_fence_release_acquire)
    NORACE(norace_fence_seq_cst)
    NORACE(norace_fence_acq_rel)
    NORACE(norace_fence_release_with_acquire_load)
    NORACE(norace_fence_acquire_with_release_store)
    RACE(race_fence_only_acquire, X("load_fence_read", "write_store"))
    RACE(race_fence_only_release, X("load_read", "write_fence_store"))
    RACE(race_fence_after_store, X("load_fence_read", "write_store_fence"))
    RACE(race_fence_before_load, X("fence_load_read", "write_fence_store"))
    RACE(race_fence_write_behind_it, X("load_fence_read", "fence_write_store"))
    RACE(race_fence_acquire_releases_nothing, X("load_fence_read", "write_acquire_fence_store"))
    RACE(race_fence_release_acquires_nothing, X("load_release_fence_read", "write_fence_store"))
    RACE(race_fence_signal_fence, X("load_fence_read", "write_signal_fence_store"))
    RACE(race_fence_alone, X("fence_read", "write_fence"))
    RACE(race_fence_other_word, X("load_other_fence_read", "write_fence_store"))
    NORACE(norace_fence_two_stores)
    NORACE(norace_fence_two_loads)
    NORACE(norace_fence_add)
    NORACE(norace_fence_release_sequence)
    RACE(race_fence_release_sequence_broken, X("load_fence_read_third", "write_fence_store"))
    NORACE(norace_fence_chain)
    RACE(race_fence_chain_unfenced, X("load_other_fence_read_third", "write_fence_store"))
    NORACE(norace_fence_seqlock)
)
