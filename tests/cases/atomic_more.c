/*
 * atomic_more.c: what atomic.c leaves: 16 bytes, exchanges and their orders, both orders of both kinds of
 * compare-exchange, and atomics beside plain accesses of every width and of parts.
 */
#include "case.h"

static unsigned __int128 wide __attribute__((aligned(16)));
static int word;
static uint64_t w8;

#define RLX __ATOMIC_RELAXED
#define CON __ATOMIC_CONSUME
#define ACQ __ATOMIC_ACQUIRE
#define REL __ATOMIC_RELEASE
#define AR  __ATOMIC_ACQ_REL
#define SC  __ATOMIC_SEQ_CST

#define FIRST(name, ...)  static void name(void) { __VA_ARGS__; step(1); }
#define SECOND(name, ...) static void name(void) { after(1); __VA_ARGS__; step(2); }
#define PLAY2(case_, a, b) static void case_(void) { go(a); go(b); after(2); }

/* ---- 16 bytes ---- */

/* The names that compilers give them, which need no -mcx16 and no libatomic. */
void __tsan_atomic128_store(volatile unsigned __int128 *, unsigned __int128, int);
unsigned __int128 __tsan_atomic128_load(const volatile unsigned __int128 *, int);
unsigned __int128 __tsan_atomic128_exchange(volatile unsigned __int128 *, unsigned __int128, int);
unsigned __int128 __tsan_atomic128_fetch_add(volatile unsigned __int128 *, unsigned __int128, int);
int __tsan_atomic128_compare_exchange_strong(
    volatile unsigned __int128 *, unsigned __int128 *, unsigned __int128, int, int);

static const unsigned __int128 high = (unsigned __int128)1 << 100;
static void must(bool ok)
{
	if (!ok)
		abort();
}
static bool cas_wide(unsigned __int128 from, unsigned __int128 to, int success, int failure)
{
	return __tsan_atomic128_compare_exchange_strong(&wide, &from, to, success, failure);
}
ACCESS(store_wide, __tsan_atomic128_store(&wide, high, REL))
ACCESS(store_wide_relaxed, __tsan_atomic128_store(&wide, high, RLX))
ACCESS(plain_read_high, USE(((uint64_t *)&wide)[1]))
ACCESS(plain_write_low, ((uint64_t *)&wide)[0] = 1)
FIRST(write_store_wide, write_x(); store_wide())
SECOND(load_wide_read, must(__tsan_atomic128_load(&wide, ACQ) == high); read_x())
PLAY2(norace_atomic_wide, write_store_wide, load_wide_read)
SECOND(load_wide_relaxed_read, must(__tsan_atomic128_load(&wide, RLX) == high); read_x())
PLAY2(race_atomic_wide_relaxed, write_store_wide, load_wide_relaxed_read)
SECOND(exchange_wide_read, must(__tsan_atomic128_exchange(&wide, 1, ACQ) == high); read_x())
PLAY2(norace_atomic_wide_exchange, write_store_wide, exchange_wide_read)
SECOND(add_wide_read, must(__tsan_atomic128_fetch_add(&wide, high, AR) == high); must(wide == 2 * high); read_x())
PLAY2(norace_atomic_wide_add, write_store_wide, add_wide_read)
SECOND(cas_wide_read, must(cas_wide(high, 5, ACQ, RLX)); read_x())
PLAY2(norace_atomic_wide_cas, write_store_wide, cas_wide_read)
SECOND(failed_cas_wide_read, must(!cas_wide(0, 5, SC, RLX)); read_x())
PLAY2(race_atomic_wide_failed_cas, write_store_wide, failed_cas_wide_read)
FIRST(store_wide_first, store_wide_relaxed())
SECOND(read_high_second, plain_read_high())
PLAY2(race_atomic_wide_plain_read, store_wide_first, read_high_second)
FIRST(write_low_first, plain_write_low())
SECOND(store_wide_second, store_wide_relaxed())
PLAY2(race_atomic_wide_plain_write, write_low_first, store_wide_second)

/* ---- exchange ---- */

FIRST(write_exchange_release, write_x(); USE(__atomic_exchange_n(&word, 1, REL)))
FIRST(write_exchange_acquire, write_x(); USE(__atomic_exchange_n(&word, 1, ACQ)))
SECOND(exchange_acquire_read, USE(__atomic_exchange_n(&word, 2, ACQ)); read_x())
SECOND(exchange_release_read, USE(__atomic_exchange_n(&word, 2, REL)); read_x())
SECOND(exchange_consume_read, USE(__atomic_exchange_n(&word, 2, CON)); read_x())
PLAY2(norace_atomic_exchange, write_exchange_release, exchange_acquire_read)
PLAY2(norace_atomic_exchange_consume, write_exchange_release, exchange_consume_read)
PLAY2(race_atomic_exchange_acquires_alone, write_exchange_acquire, exchange_acquire_read)
PLAY2(race_atomic_exchange_releases_alone, write_exchange_release, exchange_release_read)

/* ---- compare-exchange: the order of what happened counts, not the other one ---- */

FIRST(write_release, write_x(); __atomic_store_n(&word, 1, REL))
#define CAS(name, weak, from, success, failure)                                                    \
	SECOND(name, int want = from;                                                              \
	       while (__atomic_compare_exchange_n(&word, &want, 2, weak, success, failure) != (from == 1) && from == 1) \
		       want = from;                                                                \
	       read_x())
CAS(cas_acq_rlx, false, 1, ACQ, RLX)
CAS(cas_rlx_rlx, false, 1, RLX, RLX)
CAS(cas_rel_rlx, false, 1, REL, RLX)
CAS(cas_weak_sc_rlx, true, 1, SC, RLX)
CAS(fails_ar_acq, false, 9, AR, ACQ)
CAS(fails_sc_sc, false, 9, SC, SC)
CAS(fails_sc_rlx, false, 9, SC, RLX)
CAS(fails_weak_rel_rlx, true, 9, REL, RLX)
CAS(fails_weak_acq_acq, true, 9, ACQ, ACQ)
CAS(fails_sc_con, false, 9, SC, CON)
PLAY2(norace_atomic_cas_acquire, write_release, cas_acq_rlx)
PLAY2(race_atomic_cas_relaxed, write_release, cas_rlx_rlx)
PLAY2(race_atomic_cas_release_learns_nothing, write_release, cas_rel_rlx)
PLAY2(norace_atomic_cas_weak, write_release, cas_weak_sc_rlx)
PLAY2(norace_atomic_cas_failed_acquire, write_release, fails_ar_acq)
PLAY2(norace_atomic_cas_failed_seq_cst, write_release, fails_sc_sc)
PLAY2(race_atomic_cas_failed_relaxed_of_seq_cst, write_release, fails_sc_rlx)
PLAY2(race_atomic_cas_weak_failed_relaxed, write_release, fails_weak_rel_rlx)
PLAY2(norace_atomic_cas_weak_failed_acquire, write_release, fails_weak_acq_acq)
PLAY2(norace_atomic_cas_failed_consume, write_release, fails_sc_con)

/* A failed one is a read: it does not race with another's read, and does with a write. */
ACCESS(fail_word, { int want = 9; USE(__atomic_compare_exchange_n(&word, &want, 2, false, SC, SC)); })
ACCESS(plain_read_word, USE(word))
ACCESS(plain_write_word, word = 4)
FIRST(fail_first, fail_word())
SECOND(plain_read_second, plain_read_word())
SECOND(plain_write_second, plain_write_word())
PLAY2(norace_atomic_failed_cas_plain_read, fail_first, plain_read_second)
PLAY2(race_atomic_failed_cas_plain_write, fail_first, plain_write_second)

/* ---- atomics beside plain accesses to a part ---- */

ACCESS(add_w8, __atomic_fetch_add(&w8, 1, RLX))
ACCESS(read_byte_of_w8, USE(((volatile char *)&w8)[5]))
ACCESS(store_half_of_w8, __atomic_store_n((uint32_t *)&w8 + 1, 1, RLX))
ACCESS(read_low_of_w8, USE(((volatile uint32_t *)&w8)[0]))
FIRST(add_w8_first, add_w8())
SECOND(read_byte_second, read_byte_of_w8())
PLAY2(race_atomic_part_read, add_w8_first, read_byte_second)
FIRST(store_half_first, store_half_of_w8())
SECOND(read_low_second, read_low_of_w8())
PLAY2(norace_atomic_other_part, store_half_first, read_low_second)
SECOND(add_w8_second, add_w8())
PLAY2(norace_atomic_widths_mixed, store_half_first, add_w8_second)

#define X(current, previous) "read read_x<" current " / write write_x<" previous " / global x"
CASES(
    NORACE(norace_atomic_wide)
    RACE(race_atomic_wide_relaxed, X("load_wide_relaxed_read", "write_store_wide"))
    NORACE(norace_atomic_wide_exchange)
    NORACE(norace_atomic_wide_add)
    NORACE(norace_atomic_wide_cas)
    RACE(race_atomic_wide_failed_cas, X("failed_cas_wide_read", "write_store_wide"))
    RACE(race_atomic_wide_plain_read,
	"read plain_read_high<read_high_second / atomic write store_wide_relaxed<store_wide_first / global wide")
    RACE(race_atomic_wide_plain_write,
	"atomic write store_wide_relaxed<store_wide_second / write plain_write_low<write_low_first / global wide")
    NORACE(norace_atomic_exchange)
    NORACE(norace_atomic_exchange_consume)
    RACE(race_atomic_exchange_acquires_alone, X("exchange_acquire_read", "write_exchange_acquire"))
    RACE(race_atomic_exchange_releases_alone, X("exchange_release_read", "write_exchange_release"))
    NORACE(norace_atomic_cas_acquire)
    RACE(race_atomic_cas_relaxed, "read read_x / write write_x<write_release / global x")
    RACE(race_atomic_cas_release_learns_nothing, "read read_x / write write_x<write_release / global x")
    NORACE(norace_atomic_cas_weak)
    NORACE(norace_atomic_cas_failed_acquire)
    NORACE(norace_atomic_cas_failed_seq_cst)
    RACE(race_atomic_cas_failed_relaxed_of_seq_cst, "read read_x / write write_x<write_release / global x")
    RACE(race_atomic_cas_weak_failed_relaxed, "read read_x / write write_x<write_release / global x")
    NORACE(norace_atomic_cas_weak_failed_acquire)
    NORACE(norace_atomic_cas_failed_consume)
    NORACE(norace_atomic_failed_cas_plain_read)
    RACE(race_atomic_failed_cas_plain_write,
	"write plain_write_word<plain_write_second / atomic read fail_word<fail_first / global word")
    RACE(race_atomic_part_read,
	"read read_byte_of_w8<read_byte_second / atomic write add_w8<add_w8_first / global w8")
    NORACE(norace_atomic_other_part)
    NORACE(norace_atomic_widths_mixed)
)
