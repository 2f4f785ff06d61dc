/*
 * width.c: what overlaps races, what only lies near does not; byte by byte.
 */
#include "case.h"

#include <stdint.h>

typedef union Word {
	uint8_t u8[32];
	uint16_t u16[16];
	uint32_t u32[8];
	uint64_t u64[4];
} Word;
__attribute__((aligned(64))) Word w;

typedef struct __attribute__((packed)) Odd {
	char pad;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
} Odd;
__attribute__((aligned(64))) union {
	Odd odd;
	uint8_t bytes[32];
} o;

ACCESS(write_1_at_0, w.u8[0] = 1)
ACCESS(read_1_at_0, USE(w.u8[0]))
ACCESS(write_1_at_1, w.u8[1] = 1)
ACCESS(read_1_at_1, USE(w.u8[1]))
ACCESS(read_1_at_3, USE(w.u8[3]))
ACCESS(read_1_at_4, USE(w.u8[4]))
ACCESS(read_1_at_7, USE(w.u8[7]))
ACCESS(read_1_at_8, USE(w.u8[8]))
ACCESS(write_2_at_0, w.u16[0] = 1)
ACCESS(read_2_at_0, USE(w.u16[0]))
ACCESS(read_2_at_2, USE(w.u16[1]))
ACCESS(write_2_at_2, w.u16[1] = 1)
ACCESS(write_4_at_0, w.u32[0] = 1)
ACCESS(read_4_at_0, USE(w.u32[0]))
ACCESS(read_4_at_4, USE(w.u32[1]))
ACCESS(write_8_at_0, w.u64[0] = 1)
ACCESS(read_8_at_0, USE(w.u64[0]))
ACCESS(read_8_at_8, USE(w.u64[1]))
ACCESS(write_odd_2, o.odd.u16 = 1)
ACCESS(write_odd_4, o.odd.u32 = 1)
ACCESS(write_odd_8, o.odd.u64 = 1)
ACCESS(read_odd_8, USE(o.odd.u64))
ACCESS(read_byte_2, USE(o.bytes[2]))
ACCESS(read_byte_6, USE(o.bytes[6]))
ACCESS(read_byte_7, USE(o.bytes[7]))
ACCESS(read_byte_8, USE(o.bytes[8]))
ACCESS(read_byte_14, USE(o.bytes[14]))
ACCESS(read_byte_15, USE(o.bytes[15]))

static void first(void (*f)(void))
{
	f();
	step(1);
}
static void second(void (*f)(void))
{
	after(1);
	f();
	step(2);
}
#define PAIR(case_, a, b)                                                                          \
	static void case_(void)                                                                    \
	{                                                                                          \
		go(first, a);                                                                      \
		go(second, b);                                                                     \
		after(2);                                                                          \
	}

PAIR(race_width_1, write_1_at_0, read_1_at_0)
PAIR(race_width_2, write_2_at_0, read_2_at_0)
PAIR(race_width_4, write_4_at_0, read_4_at_0)
PAIR(race_width_8, write_8_at_0, read_8_at_0)
PAIR(race_width_write_write, write_1_at_0, write_8_at_0)
PAIR(race_width_read_then_write, read_2_at_2, write_4_at_0)
PAIR(norace_width_1_beside_1, write_1_at_0, read_1_at_1)
PAIR(norace_width_2_beside_2, write_2_at_0, read_2_at_2)
PAIR(norace_width_4_beside_4, write_4_at_0, read_4_at_4)
PAIR(norace_width_8_beside_8, write_8_at_0, read_8_at_8)
PAIR(norace_width_4_beside_1, write_4_at_0, read_1_at_4)
PAIR(norace_width_8_beside_1, write_8_at_0, read_1_at_8)
PAIR(race_width_4_covers_last_byte, write_4_at_0, read_1_at_3)
PAIR(race_width_8_covers_last_byte, write_8_at_0, read_1_at_7)
PAIR(race_width_2_in_8, write_2_at_2, read_8_at_0)
PAIR(race_width_1_in_2, write_1_at_1, read_2_at_0)
PAIR(norace_width_1_beside_2, write_1_at_1, read_2_at_2)
/* Unaligned: the field of 2 lies at 1, of 4 at 3, of 8 at 7; the last over a border of eight. */
PAIR(race_width_unaligned_2, write_odd_2, read_byte_2)
PAIR(race_width_unaligned_4, write_odd_4, read_byte_6)
PAIR(norace_width_unaligned_4, write_odd_4, read_byte_7)
PAIR(race_width_unaligned_8_before_border, write_odd_8, read_byte_7)
PAIR(race_width_unaligned_8_behind_border, write_odd_8, read_byte_8)
PAIR(race_width_unaligned_8_last, write_odd_8, read_byte_14)
PAIR(norace_width_unaligned_8, write_odd_8, read_byte_15)
PAIR(race_width_unaligned_both, write_odd_8, read_odd_8)
PAIR(norace_width_unaligned_neighbours, write_odd_4, read_odd_8)

/* Sixteen bytes at once. */
typedef long long Wide __attribute__((vector_size(16)));
Wide wide[2];
ACCESS(write_16, wide[0] = (Wide){1, 2})
ACCESS(read_16, Wide v = wide[0]; __asm__ volatile("" : : "x"(v)))
ACCESS(read_8_of_16, USE(((long long *)wide)[1]))
ACCESS(read_8_behind_16, USE(((long long *)wide)[2]))
PAIR(race_width_16, write_16, read_16)
PAIR(race_width_8_of_16, write_16, read_8_of_16)
PAIR(norace_width_8_behind_16, write_16, read_8_behind_16)

/* Eight goroutines, eight bytes of one word: false sharing is no race. */
static void own_byte(int i)
{
	for (int k = 0; k < 100; k++) {
		w.u8[i]++;
		if (k % 10 == 0)
			goro_gosched();
	}
	arrive();
}
static void norace_width_eight_bytes_eight_goroutines(void)
{
	for (int i = 0; i < 8; i++)
		go(own_byte, i);
	arrived(8);
}
/* Two racy variables in one word: two findings. */
static void write_two(void)
{
	write_1_at_0();
	write_2_at_2();
	step(1);
}
static void read_two(void)
{
	after(1);
	read_1_at_0();
	read_2_at_2();
	step(2);
}
static void race_width_two_in_one_word(void)
{
	go(write_two);
	go(read_two);
	after(2);
}

/* Ordered for one byte of the word, not for the other. */
static goro_mutex m;
static void write_one_locked_one_not(void)
{
	goro_mutex_lock(&m);
	write_1_at_0();
	goro_mutex_unlock(&m);
	write_1_at_1();
	step(1);
}
static void read_both_after_lock(void)
{
	after(1);
	goro_mutex_lock(&m);
	goro_mutex_unlock(&m);
	read_1_at_0();
	read_1_at_1();
	step(2);
}
static void race_width_one_byte_ordered_one_not(void)
{
	go(write_one_locked_one_not);
	go(read_both_after_lock);
	after(2);
}

#define S(current, previous, var) current "<second / " previous "<first / global " var
CASES(
    RACE(race_width_1, S("read read_1_at_0", "write write_1_at_0", "w") " / says Read of size 1")
    RACE(race_width_2, S("read read_2_at_0", "write write_2_at_0", "w") " / says Read of size 2")
    RACE(race_width_4, S("read read_4_at_0", "write write_4_at_0", "w") " / says Read of size 4")
    RACE(race_width_8, S("read read_8_at_0", "write write_8_at_0", "w") " / says Read of size 8")
    RACE(race_width_write_write, S("write write_8_at_0", "write write_1_at_0", "w"))
    RACE(race_width_read_then_write, S("write write_4_at_0", "read read_2_at_2", "w"))
    NORACE(norace_width_1_beside_1)
    NORACE(norace_width_2_beside_2)
    NORACE(norace_width_4_beside_4)
    NORACE(norace_width_8_beside_8)
    NORACE(norace_width_4_beside_1)
    NORACE(norace_width_8_beside_1)
    RACE(race_width_4_covers_last_byte, S("read read_1_at_3", "write write_4_at_0", "w"))
    RACE(race_width_8_covers_last_byte, S("read read_1_at_7", "write write_8_at_0", "w"))
    RACE(race_width_2_in_8, S("read read_8_at_0", "write write_2_at_2", "w"))
    RACE(race_width_1_in_2, S("read read_2_at_0", "write write_1_at_1", "w"))
    NORACE(norace_width_1_beside_2)
    RACE(race_width_unaligned_2, S("read read_byte_2", "write write_odd_2", "o"))
    RACE(race_width_unaligned_4, S("read read_byte_6", "write write_odd_4", "o"))
    NORACE(norace_width_unaligned_4)
    RACE(race_width_unaligned_8_before_border, S("read read_byte_7", "write write_odd_8", "o"))
    RACE(race_width_unaligned_8_behind_border, S("read read_byte_8", "write write_odd_8", "o"))
    RACE(race_width_unaligned_8_last, S("read read_byte_14", "write write_odd_8", "o"))
    NORACE(norace_width_unaligned_8)
    RACE(race_width_unaligned_both, S("read read_odd_8", "write write_odd_8", "o"))
    NORACE(norace_width_unaligned_neighbours)
    RACE(race_width_16, S("read read_16", "write write_16", "wide"))
    RACE(race_width_8_of_16, S("read read_8_of_16", "write write_16", "wide"))
    NORACE(norace_width_8_behind_16)
    NORACE(norace_width_eight_bytes_eight_goroutines)
    RACE(race_width_two_in_one_word,
	"read read_1_at_0<read_two / write write_1_at_0<write_two / global w ; "
	"read read_2_at_2<read_two / write write_2_at_2<write_two / global w")
    RACE(race_width_one_byte_ordered_one_not,
	"read read_1_at_1<read_both_after_lock / write write_1_at_1<write_one_locked_one_not / global w")
)
