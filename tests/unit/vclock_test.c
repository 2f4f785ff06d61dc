/*
 * vclock_test.c: vector clocks against plain arrays, and the rule by which slots are handed on.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../race/clock/slot.h"
#include "../../race/clock/vclock.h"

#define CLOCKS 12
#define SLOTS  700 /* three levels of the tree */
#define GROW   8   /* so many of the clocks have lineages: a new one each time that they start anew */

static uint64_t seed;

static uint32_t roll(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % n;
}

typedef struct Plain {
	uint32_t epoch[SLOTS];
} Plain;

static bool plain_join(Plain *d, const Plain *s)
{
	bool grew = false;
	for (int i = 0; i < SLOTS; i++)
		if (d->epoch[i] < s->epoch[i]) {
			d->epoch[i] = s->epoch[i];
			grew = true;
		}
	return grew;
}

static uint32_t slot_of(uint32_t i)
{
	return i < 500 ? i : i * 997; /* dense and far apart */
}

static void compare(const Clock *c, const Plain *p, int step)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		cr_assert_eq(clock_get(c, slot_of(i)), p->epoch[i], "step %d slot %u: %u, not %u", step, slot_of(i),
		             clock_get(c, slot_of(i)), p->epoch[i]);
}

static void start_anew(Clock *c, uint32_t i)
{
	if (i < GROW)
		clock_only_grows(c);
}

Test(vclock, agrees_with_plain_arrays)
{
	static Clock c[CLOCKS];
	static Plain p[CLOCKS];
	for (seed = 1; seed < 40; seed++) {
		uint64_t start = seed;
		for (int i = 0; i < CLOCKS; i++) {
			clock_clear(&c[i]);
			p[i] = (Plain){{0}};
			start_anew(&c[i], i);
		}
		for (int step = 0; step < 1500; step++) {
			uint32_t a = roll(CLOCKS), b = roll(CLOCKS);
			switch (roll(8)) {
			case 0:
				start_anew(&c[a], a);
				clock_copy(&c[a], &c[b]);
				p[a] = p[b];
				break;
			case 1:
			case 2: {
				bool grew = clock_join(&c[a], &c[b]), want = plain_join(&p[a], &p[b]);
				cr_assert(grew || !want, "a join that taught something must say so");
				break;
			}
			case 3:
				if (roll(20) == 0) {
					clock_clear(&c[a]);
					p[a] = (Plain){{0}};
					start_anew(&c[a], a);
				}
				break;
			case 4: /* one joins the other, and is what it knows */
				clock_settle(&c[a]);
				clock_join(&c[b], &c[a]);
				plain_join(&p[b], &p[a]);
				clock_copy(&c[a], &c[b]);
				p[a] = p[b];
				break;
			default: {
				uint32_t i = roll(4) ? roll(SLOTS) : roll(8), e = 1 + roll(50);
				bool grew = clock_raise(&c[a], slot_of(i), e);
				cr_assert_eq(grew, p[a].epoch[i] < e);
				p[a].epoch[i] = p[a].epoch[i] > e ? p[a].epoch[i] : e;
			}
			}
			if (step % 50 == 0)
				compare(&c[a], &p[a], step);
		}
		for (int i = 0; i < CLOCKS; i++)
			compare(&c[i], &p[i], 1500);
		seed = start;
	}
}

Test(vclock, join_shares_what_the_other_knows_all_of)
{
	Clock a = {0}, b = {0};
	for (uint32_t i = 0; i < 1000; i++)
		clock_raise(&a, i, i + 1);
	clock_raise(&b, 3, 1);
	cr_assert(clock_join(&b, &a));
	cr_assert_eq(b.root, a.root, "b holds nothing of its own");
	cr_assert_not(clock_join(&b, &a));
}

/* A chain in which news go both ways, as of goroutines that pass messages on: most of a join is one lineage's. */
Test(vclock, a_chain_agrees_with_plain_arrays)
{
	enum { CHAIN = 400 };
	static Clock c[CHAIN];
	static uint32_t plain[CHAIN][CHAIN];
	for (int i = 0; i < CHAIN; i++)
		clock_only_grows(&c[i]);
	seed = 7;
	for (int step = 0; step < 60000; step++) {
		uint32_t a = roll(CHAIN - 1), b = a + 1, own = ++plain[a][a];
		if (roll(3) == 0) {
			b = a;
			a = b + 1;
			own = ++plain[a][a];
		}
		clock_settle(&c[a]);
		clock_join(&c[b], &c[a]);
		clock_raise(&c[b], a, own);
		for (int i = 0; i < CHAIN; i++)
			if (plain[b][i] < plain[a][i])
				plain[b][i] = plain[a][i];
		if (roll(2)) { /* and back */
			own = ++plain[b][b];
			clock_settle(&c[b]);
			clock_copy(&c[a], &c[b]);
			clock_raise(&c[a], b, own);
			memcpy(plain[a], plain[b], sizeof plain[a]);
		}
		if (step % 100 == 0)
			for (uint32_t i = 0; i < CHAIN; i++)
				cr_assert(i == b || clock_get(&c[b], i) == plain[b][i], "step %d: %u of %u", step, i, b);
	}
}

Test(vclock, nodes_come_back)
{
	Clock a = {0}, b = {0};
	for (int round = 0; round < 200; round++) {
		for (uint32_t i = 0; i < 3000; i += 7)
			clock_raise(round & 1 ? &a : &b, i, (uint32_t)round + 1);
		clock_join(&a, &b);
		clock_copy(&b, &a);
		clock_clear(&a);
	}
	uint64_t made = race_stats.clock_nodes;
	cr_assert_gt(made, 0u);
	for (uint32_t i = 0; i < 3000; i += 7)
		cr_assert_eq(clock_get(&b, i), 200u);
}

Test(slot, reused_only_where_its_past_is_known)
{
	Clock none = {0}, knows = {0};
	uint32_t epoch, s = slot_get(&none, 0, &epoch);
	cr_assert_eq(epoch, 1u);
	slot_put(s, 5, true);
	uint32_t other = slot_get(&none, 0, &epoch);
	cr_assert_neq(other, s);
	clock_raise(&knows, s, 4);
	cr_assert_neq(slot_get(&knows, 0, &epoch), s, "epoch 5 is not covered");
	clock_raise(&knows, s, 5);
	cr_assert_eq(slot_get(&knows, 0, &epoch), s);
	cr_assert_eq(epoch, 6u, "the new owner goes on where the old one ended");
}

Test(slot, uncovered_slots_do_not_hide_a_covered_one)
{
	Clock knows = {0};
	uint32_t epoch, s[100];
	for (int i = 0; i < 100; i++)
		s[i] = slot_get(&knows, 0, &epoch);
	for (int i = 0; i < 100; i++)
		slot_put(s[i], 1, true);
	clock_raise(&knows, s[0], 1);
	bool found = false;
	for (int i = 0; i < 20 && !found; i++)
		found = slot_get(&knows, 0, &epoch) == s[0];
	cr_assert(found, "a search moves on through the ring");
}

Test(slot, anybodys_once_nothing_names_it)
{
	Clock none = {0};
	uint32_t epoch, named = slot_get(&none, 0, &epoch), other = slot_get(&none, 0, &epoch);
	slot_put(named, 7, true);
	slot_put(other, 9, false);
	slot_mark(named);
	slot_mark_end();
	cr_assert_eq(slot_get(&none, 0, &epoch), other, "no clock covers it, and none need");
	cr_assert_eq(epoch, 10u, "behind what clocks may hold");
	cr_assert_neq(slot_get(&none, 0, &epoch), named, "a record names it");
	Clock knows = {0};
	clock_raise(&knows, named, 7);
	cr_assert_eq(slot_get(&knows, 0, &epoch), named, "it still waits in the ring");
	slot_put(named, 8, true);
	slot_mark_end();
	cr_assert_eq(slot_get(&knows, 0, &epoch), named);
	cr_assert_eq(epoch, 9u);
	cr_assert_neq(slot_get(&knows, 0, &epoch), named, "once");
}
