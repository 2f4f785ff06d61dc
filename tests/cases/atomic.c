/*
 * atomic.c: an atomic operation is before one that observes its effect, as far as their orders say: a
 * store observes nothing, relaxed makes no edge, a chain of read-modify-writes carries a release on.
 */
#include <stdatomic.h>

#include "case.h"

static int64_t flag;
static int word;

#define RLX __ATOMIC_RELAXED
#define ACQ __ATOMIC_ACQUIRE
#define REL __ATOMIC_RELEASE
#define AR  __ATOMIC_ACQ_REL
#define SC  __ATOMIC_SEQ_CST

/* First at step 0, second after step 1, third after step 2. */
#define FIRST(name, ...)  static void name(void) { __VA_ARGS__; step(1); }
#define SECOND(name, ...) static void name(void) { after(1); __VA_ARGS__; step(2); }
#define THIRD(name, ...)  static void name(void) { after(2); __VA_ARGS__; step(3); }
#define PLAY2(case_, a, b)    static void case_(void) { go(a); go(b); after(2); }
#define PLAY3(case_, a, b, c) static void case_(void) { go(a); go(b); go(c); after(3); }

/* ---- goro_atomic: sequentially consistent ---- */

FIRST(write_store, write_x(); goro_atomic_store_int64(&flag, 1))
SECOND(load_read, USE(goro_atomic_load_int64(&flag)); read_x())
PLAY2(norace_atomic_store_load, write_store, load_read)

SECOND(add_read, goro_atomic_add_int64(&flag, 1); read_x())
PLAY2(norace_atomic_store_add, write_store, add_read)
SECOND(swap_read, goro_atomic_swap_int64(&flag, 5); read_x())
PLAY2(norace_atomic_store_swap, write_store, swap_read)
SECOND(cas_read, USE(goro_atomic_cas_int64(&flag, 1, 5)); read_x())
PLAY2(norace_atomic_store_cas, write_store, cas_read)
/* A failed compare-and-swap has seen the value too. */
SECOND(failed_cas_read, USE(goro_atomic_cas_int64(&flag, 7, 5)); read_x())
PLAY2(norace_atomic_store_failed_cas, write_store, failed_cas_read)
/* But it has stored none. */
FIRST(write_failed_cas, write_x(); USE(goro_atomic_cas_int64(&flag, 7, 5)))
PLAY2(race_atomic_failed_cas_stores_nothing, write_failed_cas, load_read)

FIRST(write_add, write_x(); goro_atomic_add_int64(&flag, 1))
PLAY2(norace_atomic_add_load, write_add, load_read)
PLAY2(norace_atomic_add_add, write_add, add_read)
SECOND(store_read, goro_atomic_store_int64(&flag, 2); read_x())
PLAY2(race_atomic_store_observes_nothing, write_store, store_read)
FIRST(write_load, write_x(); USE(goro_atomic_load_int64(&flag)))
PLAY2(race_atomic_load_releases_nothing, write_load, add_read)
FIRST(store_write, goro_atomic_store_int64(&flag, 1); write_x())
PLAY2(race_atomic_write_after_store, store_write, load_read)

static int32_t narrow[2];
FIRST(write_store_neighbour, write_x(); goro_atomic_store_int32(&narrow[0], 1))
SECOND(load_neighbour_read, USE(goro_atomic_load_int32(&narrow[1])); read_x())
PLAY2(race_atomic_neighbours_are_different, write_store_neighbour, load_neighbour_read)

static void *published;
FIRST(publish, { int *p = malloc(sizeof *p); *p = 3; goro_atomic_store_ptr(&published, p); })
SECOND(subscribe, { int *p = goro_atomic_load_ptr(&published); USE(*p); })
PLAY2(norace_atomic_pointer, publish, subscribe)
FIRST(publish_too_soon, { int *p = malloc(sizeof *p); goro_atomic_store_ptr(&published, p); *p = 3; })
PLAY2(race_atomic_pointer_too_soon, publish_too_soon, subscribe)

/* ---- C11 orders ---- */

FIRST(write_release, write_x(); __atomic_store_n(&word, 1, REL))
SECOND(acquire_read, USE(__atomic_load_n(&word, ACQ)); read_x())
PLAY2(norace_atomic_release_acquire, write_release, acquire_read)
FIRST(write_relaxed, write_x(); __atomic_store_n(&word, 1, RLX))
PLAY2(race_atomic_relaxed_store, write_relaxed, acquire_read)
SECOND(relaxed_read, USE(__atomic_load_n(&word, RLX)); read_x())
PLAY2(race_atomic_relaxed_load, write_release, relaxed_read)
SECOND(consume_read, USE(__atomic_load_n(&word, __ATOMIC_CONSUME)); read_x())
PLAY2(norace_atomic_consume, write_release, consume_read)
PLAY2(race_atomic_consume_of_relaxed, write_relaxed, consume_read)

FIRST(write_add_release, write_x(); __atomic_fetch_add(&word, 1, REL))
SECOND(add_acquire_read, __atomic_fetch_add(&word, 1, ACQ); read_x())
PLAY2(norace_atomic_add_release_acquire, write_add_release, add_acquire_read)
FIRST(write_add_acquire, write_x(); __atomic_fetch_add(&word, 1, ACQ))
PLAY2(race_atomic_add_acquire_only, write_add_acquire, add_acquire_read)
SECOND(add_release_read, __atomic_fetch_add(&word, 1, REL); read_x())
PLAY2(race_atomic_add_release_only, write_add_release, add_release_read)

static bool cas(int from, int to, int success, int failure)
{
	switch (success << 4 | failure) {
	case SC << 4 | SC: return __atomic_compare_exchange_n(&word, &from, to, false, SC, SC);
	case REL << 4 | RLX: return __atomic_compare_exchange_n(&word, &from, to, false, REL, RLX);
	case ACQ << 4 | RLX: return __atomic_compare_exchange_n(&word, &from, to, false, ACQ, RLX);
	case AR << 4 | ACQ: return __atomic_compare_exchange_n(&word, &from, to, false, AR, ACQ);
	}
	return false;
}
FIRST(write_cas_release, write_x(); USE(cas(0, 1, REL, RLX)))
SECOND(cas_acquire_read, USE(cas(1, 2, ACQ, RLX)); read_x())
PLAY2(norace_atomic_cas_release_acquire, write_cas_release, cas_acquire_read)
SECOND(failed_relaxed_cas_read, USE(cas(9, 2, ACQ, RLX)); read_x())
PLAY2(race_atomic_failed_cas_relaxed, write_cas_release, failed_relaxed_cas_read)
SECOND(failed_acquire_cas_read, USE(cas(9, 2, AR, ACQ)); read_x())
PLAY2(norace_atomic_failed_cas_acquire, write_cas_release, failed_acquire_cas_read)

/* ---- release sequences ---- */

SECOND(add_relaxed, __atomic_fetch_add(&word, 1, RLX))
THIRD(acquire_read_third, USE(__atomic_load_n(&word, ACQ)); read_x())
PLAY3(norace_atomic_release_sequence, write_release, add_relaxed, acquire_read_third)
/* Its result is used: clang makes a store of it otherwise, and that heads a sequence of its own. */
SECOND(exchange_relaxed, USE(__atomic_exchange_n(&word, 7, RLX)))
PLAY3(norace_atomic_release_sequence_exchange, write_release, exchange_relaxed, acquire_read_third)
SECOND(store_relaxed, __atomic_store_n(&word, 2, RLX))
PLAY3(race_atomic_release_sequence_broken, write_release, store_relaxed, acquire_read_third)
/* A store of who released goes on with it in C11 (not in C++20); what it did since does not travel with it. */
FIRST(write_release_store, write_x(); __atomic_store_n(&word, 1, REL); __atomic_store_n(&word, 2, RLX))
PLAY2(norace_atomic_release_sequence_own_store, write_release_store, acquire_read)
FIRST(release_write_store, __atomic_store_n(&word, 1, REL); write_x(); __atomic_store_n(&word, 2, RLX))
PLAY2(race_atomic_release_sequence_own_past, release_write_store, acquire_read)
SECOND(store_release, __atomic_store_n(&word, 2, REL))
PLAY3(race_atomic_release_store_replaces, write_release, store_release, acquire_read_third)
SECOND(add_release, __atomic_fetch_add(&word, 2, REL))
PLAY3(norace_atomic_release_add_continues, write_release, add_release, acquire_read_third)
/* The relaxed link itself learns nothing. */
SECOND(add_relaxed_read, __atomic_fetch_add(&word, 1, RLX); read_x())
PLAY2(race_atomic_release_sequence_link, write_release, add_relaxed_read)
/* Nor does its own past travel with it. */
FIRST(release_first, __atomic_store_n(&word, 1, REL))
SECOND(write_add_relaxed, write_x(); __atomic_fetch_add(&word, 1, RLX))
PLAY3(race_atomic_release_sequence_link_past, release_first, write_add_relaxed, acquire_read_third)

/* ---- atomic and plain ---- */

ACCESS(plain_read_word, USE(word))
ACCESS(plain_write_word, word = 9)
ACCESS(atomic_store_word, __atomic_store_n(&word, 1, RLX))
ACCESS(atomic_load_word, USE(__atomic_load_n(&word, RLX)))
ACCESS(atomic_add_word, __atomic_fetch_add(&word, 1, SC))
FIRST(store_word, atomic_store_word())
SECOND(read_word, plain_read_word())
PLAY2(race_atomic_store_plain_read, store_word, read_word)
FIRST(load_word, atomic_load_word())
SECOND(write_word, plain_write_word())
PLAY2(race_atomic_load_plain_write, load_word, write_word)
FIRST(write_word_first, plain_write_word())
SECOND(add_word, atomic_add_word())
PLAY2(race_atomic_add_plain_write, write_word_first, add_word)
FIRST(read_word_first, plain_read_word())
SECOND(load_word_second, atomic_load_word())
PLAY2(norace_atomic_load_plain_read, read_word_first, load_word_second)
SECOND(store_word_second, atomic_store_word())
PLAY2(norace_atomic_relaxed_alone, store_word, store_word_second)
PLAY2(race_atomic_store_plain_read_first, read_word_first, store_word_second)

/* ---- widths and types ---- */

static uint8_t w1;
static uint16_t w2;
static uint64_t w8;
static _Atomic int c11;
static atomic_flag spin = ATOMIC_FLAG_INIT;
FIRST(write_widths, write_x(); __atomic_store_n(&w1, 1, REL))
SECOND(read_width_1, USE(__atomic_load_n(&w1, ACQ)); read_x())
PLAY2(norace_atomic_width_1, write_widths, read_width_1)
FIRST(write_width_2, write_x(); __atomic_fetch_or(&w2, 4, REL))
SECOND(read_width_2, __atomic_fetch_xor(&w2, 1, ACQ); read_x())
PLAY2(norace_atomic_width_2, write_width_2, read_width_2)
FIRST(write_width_8, write_x(); __atomic_fetch_and(&w8, 4, REL))
SECOND(read_width_8, USE(__atomic_fetch_nand(&w8, 1, ACQ)); read_x())
PLAY2(norace_atomic_width_8, write_width_8, read_width_8)
FIRST(write_c11, write_x(); c11 = 1)
SECOND(read_c11, USE(c11); read_x())
PLAY2(norace_atomic_c11, write_c11, read_c11)
FIRST(write_c11_explicit, write_x(); atomic_fetch_sub_explicit(&c11, 1, memory_order_release))
SECOND(read_c11_explicit, USE(atomic_load_explicit(&c11, memory_order_acquire)); read_x())
PLAY2(norace_atomic_c11_explicit, write_c11_explicit, read_c11_explicit)

static void spin_lock_write(void)
{
	for (int i = 0; i < 50; i++) {
		while (atomic_flag_test_and_set_explicit(&spin, memory_order_acquire))
			goro_gosched();
		write_x();
		read_x();
		atomic_flag_clear_explicit(&spin, memory_order_release);
	}
	arrive();
}
static void norace_atomic_flag_spinlock(void)
{
	for (int i = 0; i < 4; i++)
		go(spin_lock_write);
	arrived(4);
}

/* Atomics that never race with each other, of any order, by any number. */
static void hammer(int id)
{
	for (int i = 0; i < 200; i++) {
		__atomic_fetch_add(&word, id, RLX);
		USE(__atomic_load_n(&word, ACQ));
		__atomic_store_n(&word, i, REL);
		USE(cas(i, id, SC, SC));
	}
	arrive();
}
static void norace_atomic_hammer(void)
{
	for (int i = 0; i < 8; i++)
		go(hammer, i);
	arrived(8);
}

#define X(current, previous) "read read_x<" current " / write write_x<" previous " / global x"
CASES(
    NORACE(norace_atomic_store_load)
    NORACE(norace_atomic_store_add)
    NORACE(norace_atomic_store_swap)
    NORACE(norace_atomic_store_cas)
    NORACE(norace_atomic_store_failed_cas)
    RACE(race_atomic_failed_cas_stores_nothing, X("load_read", "write_failed_cas"))
    NORACE(norace_atomic_add_load)
    NORACE(norace_atomic_add_add)
    RACE(race_atomic_store_observes_nothing, X("store_read", "write_store"))
    RACE(race_atomic_load_releases_nothing, X("add_read", "write_load"))
    RACE(race_atomic_write_after_store, X("load_read", "store_write"))
    RACE(race_atomic_neighbours_are_different, X("load_neighbour_read", "write_store_neighbour"))
    NORACE(norace_atomic_pointer)
    RACE(race_atomic_pointer_too_soon, "read subscribe / write publish_too_soon / heap")
    NORACE(norace_atomic_release_acquire)
    RACE(race_atomic_relaxed_store, X("acquire_read", "write_relaxed"))
    RACE(race_atomic_relaxed_load, X("relaxed_read", "write_release"))
    NORACE(norace_atomic_consume)
    RACE(race_atomic_consume_of_relaxed, X("consume_read", "write_relaxed"))
    NORACE(norace_atomic_add_release_acquire)
    RACE(race_atomic_add_acquire_only, X("add_acquire_read", "write_add_acquire"))
    RACE(race_atomic_add_release_only, X("add_release_read", "write_add_release"))
    NORACE(norace_atomic_cas_release_acquire)
    RACE(race_atomic_failed_cas_relaxed, X("failed_relaxed_cas_read", "write_cas_release"))
    NORACE(norace_atomic_failed_cas_acquire)
    NORACE(norace_atomic_release_sequence)
    NORACE(norace_atomic_release_sequence_exchange)
    NORACE(norace_atomic_release_sequence_own_store)
    RACE(race_atomic_release_sequence_own_past, X("acquire_read", "release_write_store"))
    RACE(race_atomic_release_sequence_broken, X("acquire_read_third", "write_release"))
    RACE(race_atomic_release_store_replaces, X("acquire_read_third", "write_release"))
    NORACE(norace_atomic_release_add_continues)
    RACE(race_atomic_release_sequence_link, X("add_relaxed_read", "write_release"))
    RACE(race_atomic_release_sequence_link_past, X("acquire_read_third", "write_add_relaxed"))
    RACE(race_atomic_store_plain_read,
	"read plain_read_word<read_word / atomic write atomic_store_word<store_word / global word")
    RACE(race_atomic_load_plain_write,
	"write plain_write_word<write_word / atomic read atomic_load_word<load_word / global word")
    RACE(race_atomic_add_plain_write,
	"atomic write atomic_add_word<add_word / write plain_write_word<write_word_first / global word")
    NORACE(norace_atomic_load_plain_read)
    NORACE(norace_atomic_relaxed_alone)
    RACE(race_atomic_store_plain_read_first,
	"atomic write atomic_store_word<store_word_second / read plain_read_word<read_word_first / global word")
    NORACE(norace_atomic_width_1)
    NORACE(norace_atomic_width_2)
    NORACE(norace_atomic_width_8)
    NORACE(norace_atomic_c11)
    NORACE(norace_atomic_c11_explicit)
    NORACE(norace_atomic_flag_spinlock)
    NORACE(norace_atomic_hammer)
)
