/*
 * struct.c: members are locations of their own; a copy of the whole reads or writes them all.
 */
#include "case.h"

typedef struct Pair {
	int a, b;
} Pair;
typedef struct Big {
	char head[5];
	Pair pair[10];
	double d;
	short tail;
} Big;
Pair pair;
Big big;
Big other;
int array[64];

ACCESS(write_a, pair.a = 1)
ACCESS(write_b, pair.b = 1)
ACCESS(read_b, USE(pair.b))
ACCESS(copy_pair_out, Pair p = pair; USE(p.a + p.b))
ACCESS(write_big_tail, big.tail = 1)
ACCESS(write_big_inner, big.pair[7].b = 1)
ACCESS(copy_big_out, other = big)
ACCESS(copy_big_in, big = other)
ACCESS(read_big_head, USE(big.head[4]))
ACCESS(write_array_3, array[3] = 1)
ACCESS(write_array_4, array[4] = 1)
ACCESS(read_array_4, USE(array[4]))
ACCESS(sum_array, int s = 0; for (int i = 0; i < 64; i++) s += array[i]; USE(s))

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
PAIR(norace_struct_members, write_a, write_b)
PAIR(race_struct_member, write_b, read_b)
PAIR(race_struct_copy_of_two, write_b, copy_pair_out)
PAIR(race_struct_copy_out, write_big_tail, copy_big_out)
PAIR(race_struct_copy_out_inner, write_big_inner, copy_big_out)
PAIR(race_struct_copy_in, read_big_head, copy_big_in)
PAIR(norace_struct_array_neighbours, write_array_3, read_array_4)
PAIR(race_struct_array_element, write_array_4, sum_array)

/* Each element its own goroutine, then the whole by one. */
static goro_waitgroup wg;
static void own_element(int i)
{
	for (int k = 0; k < 20; k++)
		array[i] += k;
	goro_waitgroup_done(&wg);
}
static void norace_struct_array_shared_out(void)
{
	goro_waitgroup_add(&wg, 64);
	for (int i = 0; i < 64; i++)
		go(own_element, i);
	goro_waitgroup_wait(&wg);
	sum_array();
}
/* One of the 64 was forgotten. */
static void element_forgotten(int i)
{
	array[i] = 1;
	step(1);
}
static void race_struct_array_one_forgotten(void)
{
	goro_waitgroup_add(&wg, 63);
	for (int i = 0; i < 63; i++)
		go(own_element, i);
	go(element_forgotten, 63);
	goro_waitgroup_wait(&wg);
	after(1);
	sum_array();
}

/* A parameter by value is a copy, made by the caller. */
static APART int take_big(Big b)
{
	b.tail++;
	return b.tail;
}
static void pass_by_value(void)
{
	USE(take_big(big));
	arrive();
}
static void norace_struct_by_value(void)
{
	for (int i = 0; i < 4; i++)
		go(pass_by_value);
	arrived(4);
}

CASES(
    NORACE(norace_struct_members)
    RACE(race_struct_member, "read read_b<second / write write_b<first / global pair")
    RACE(race_struct_copy_of_two, "read copy_pair_out<second / write write_b<first / global pair")
    RACE(race_struct_copy_out, "read copy_big_out<second / write write_big_tail<first / global big")
    RACE(race_struct_copy_out_inner, "read copy_big_out<second / write write_big_inner<first / global big")
    RACE(race_struct_copy_in, "write copy_big_in<second / read read_big_head<first / global big")
    NORACE(norace_struct_array_neighbours)
    RACE(race_struct_array_element, "read sum_array<second / write write_array_4<first / global array")
    NORACE(norace_struct_array_shared_out)
    RACE(race_struct_array_one_forgotten,
	"read sum_array<race_struct_array_one_forgotten / write element_forgotten / global array")
    NORACE(norace_struct_by_value)
)
