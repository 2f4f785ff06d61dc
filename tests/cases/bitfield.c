/*
 * bitfield.c: C11 3.14: a memory location is an object of scalar type or a maximal sequence of adjacent
 * bit-fields of nonzero width. Two of one sequence race, though they share no bit; a member that is no
 * bit-field, or one of width 0 between, parts them.
 */
#include "case.h"

struct {
	unsigned a : 3, b : 5;
} adjacent;
struct {
	unsigned a : 8;
	unsigned : 0;
	unsigned b : 8;
} parted;
struct {
	unsigned char a : 4;
	unsigned char between;
	unsigned char b : 4;
} with_member;

ACCESS(write_a, adjacent.a = 1)
ACCESS(write_b, adjacent.b = 2)
ACCESS(read_b, USE(adjacent.b))
ACCESS(write_parted_a, parted.a = 1)
ACCESS(write_parted_b, parted.b = 1)
ACCESS(write_member_a, with_member.a = 1)
ACCESS(write_between, with_member.between = 1)
ACCESS(write_member_b, with_member.b = 1)

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
PAIR(race_bitfield_adjacent_writes, write_a, write_b)
PAIR(race_bitfield_adjacent_write_read, write_a, read_b)
PAIR(norace_bitfield_parted, write_parted_a, write_parted_b)
PAIR(norace_bitfield_and_member, write_member_a, write_between)
PAIR(norace_bitfield_around_member, write_member_a, write_member_b)

CASES(
    RACE(race_bitfield_adjacent_writes,
	"? write_b<second / write write_a<first / global adjacent")
    RACE(race_bitfield_adjacent_write_read,
	"read read_b<second / write write_a<first / global adjacent")
    NORACE(norace_bitfield_parted)
    NORACE(norace_bitfield_and_member)
    NORACE(norace_bitfield_around_member)
)
