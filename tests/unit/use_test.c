/*
 * Records that goroutines have of their own (shadow/use.h), against all that was ever done: five goroutines access three
 * granules, mostly atomically, and learn of each other now and then; collections come in between. What the detector
 * finds is a race by the vector clocks of the log, and of each byte that races by the log something is found. Every
 * way that an access may take is taken: filter, known transition, the short ways, the long one.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../../race/clock/syncvar.h"
#include "../../race/options/flags.h"
#include "../../race/shadow/use.h"

enum { WHO = 5, PLACES = 3, OPS = 300 };

typedef struct Done {
	int who, n, place; /* n: its n-th */
	Kind kind;
	uint8_t mask;
	ClockPair when;
} Done;

static uint64_t memory[64] __attribute__((aligned(512)));
static RaceThread *t;
static RaceCtx *ctx[WHO];
static Done done[OPS];
static int ndone, count[WHO], knows[WHO][WHO];
static uint64_t seed;
static unsigned by_own_record, races;

static unsigned draw(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void begin(void)
{
	t = &race_thread;
	race_attach(t);
	cr_assert(shadow_map((uintptr_t)memory));
	flags.suppress_equal_stacks = false;
}

static bool is_before(const Done *d, int who)
{
	return d->who == who || d->n <= knows[who][d->who];
}

/* As atomic.c and the entry points of plain accesses do it, but that findings stay where they are. */
static void take_a_way(uintptr_t addr, unsigned code, const void *pc)
{
	Cell *w = shadow_w(addr);
	uint32_t hi = t->gen + ((uint32_t)addr & 7) + code;
	if (filter_has(t, hi | CODE_WRITE | CODE_PLAIN, load_rlx(w)) ||
	    (!((code & CODE_PLAIN) && (code & CODE_WRITE)) && filter_has(t, hi, load_rlx(shadow_r_of(w)))))
		return;
	if (!(code & CODE_PLAIN)) {
		if (access_brief_atomic(t, t->ctx, addr, code, pc))
			return;
	} else if (access_again(t, addr, code, pc) || access_brief_plain(t, t->ctx, addr, code, pc)) {
		return;
	}
	access_check(t, t->ctx, addr, code, pc);
}

static bool is_in_log(const Done *x, const Found *f, int byte)
{
	ClockPair when = *record_when(f->old.rec);
	for (int i = 0; i < ndone; i++) {
		const Done *y = &done[i];
		if (y->place == x->place && y->kind == (Kind)f->old.kind && (y->mask >> byte & 1) &&
		    y->when.slot == when.slot && y->when.epoch == when.epoch && !is_before(y, x->who))
			return true;
	}
	return false;
}

/* Whether the byte of x is to be found to race: not where x was done in this epoch already, as good as that. */
static bool has_race(const Done *x, int byte)
{
	bool any = false;
	for (int i = 0; i < ndone; i++) {
		const Done *y = &done[i];
		if (y->place != x->place || !(y->mask >> byte & 1))
			continue;
		if (y->who == x->who && y->when.slot == x->when.slot && y->when.epoch == x->when.epoch &&
		    (access_stands_for[y->kind] & 1u << x->kind))
			return false;
		any |= (access_conflicts[x->kind] & 1u << y->kind) && !is_before(y, x->who);
	}
	return any;
}

static void access_one(int who, unsigned plain, unsigned round)
{
	static char pcs[4];
	bool is_plain = draw(100) < plain, write = draw(2);
	unsigned log2 = 2 + draw(2), off = log2 == 2 ? draw(2) * 4 : 0;
	unsigned code = CODE_SIZE(log2) | (is_plain ? CODE_PLAIN : 0) | (write ? CODE_WRITE : 0);
	RaceCtx *c = ctx[who];
	Done x = {.who = who,
	    .n = ++count[who],
	    .place = (int)draw(PLACES),
	    .kind = is_plain ? (write ? KIND_WRITE : KIND_READ) : (write ? KIND_AWRITE : KIND_AREAD),
	    .mask = (uint8_t)(((1u << (1u << log2)) - 1) << off)};
	uintptr_t granule = (uintptr_t)&memory[8 * x.place];
	race_load(t, c);
	cr_assert(race_enter_self(t));
	x.when = (ClockPair){c->slot, c->epoch};
	uint64_t lost = load_rlx(&race_stats.lost_racy);
	take_a_way(granule + off, code, &pcs[is_plain * 2 + write]);
	for (int b = 0; b < 8; b++) {
		bool found = false;
		for (uint32_t i = 0; i < t->slow->nfound; i++) {
			const Found *f = &t->slow->found[i];
			if (!(f->old.mask & f->now.mask & 1u << b))
				continue;
			found = true;
			cr_assert(is_in_log(&x, f, b), "round %u: %d invented a race of byte %d of %d", round, who, b, x.place);
		}
		if ((x.mask & 1u << b) && has_race(&x, b) && lost == load_rlx(&race_stats.lost_racy))
			cr_assert(found, "round %u: %d, kind %d, lost a race of byte %d of %d", round, who, x.kind, b, x.place);
		races += found;
	}
	t->slow->nfound = 0;
	if (!is_plain && use_find(*shadow_r_of(shadow_w(granule)), c->ginfo, x.kind, x.mask))
		by_own_record++;
	race_leave(t);
	done[ndone++] = x;
}

static void edge(int from, int to)
{
	if (from == to)
		return;
	race_load(t, ctx[from]);
	cr_assert(race_enter_self(t));
	ClockPair p = race_publish(ctx[from]);
	race_leave(t);
	race_load(t, ctx[to]);
	cr_assert(race_enter_self(t));
	ctx_learn(ctx[to], p, &ctx[from]->clock);
	race_leave(t);
	for (int i = 0; i < WHO; i++)
		if (knows[to][i] < knows[from][i])
			knows[to][i] = knows[from][i];
	if (knows[to][from] < count[from])
		knows[to][from] = count[from];
}

/* plain: of 100 accesses; edges: of 100 steps, beside one for each access where `chained`, as of atomics that acquire and
 * release. */
static void go_round(unsigned round, unsigned plain, unsigned edges, bool chained)
{
	RaceCtx *self = t->ctx;
	int who = 0, last = 0, some = 2 + (int)draw(WHO - 1);
	memset(knows, 0, sizeof knows);
	memset(count, 0, sizeof count);
	for (int i = 0; i < PLACES; i++)
		shadow_clear((uintptr_t)&memory[8 * i], (uintptr_t)&memory[8 * i + 1]);
	for (int i = 0; i < WHO; i++)
		ctx[i] = ctx_new(NULL, 100 + (uint64_t)i, false, false, 0, 0, NULL);
	for (ndone = 0; ndone < OPS;) {
		who = draw(3) ? who : (int)draw((unsigned)some);
		if (draw(100) < edges)
			edge((int)draw((unsigned)some), who);
		if (chained)
			edge(last, who);
		access_one(who, plain, round);
		last = who;
		if (draw(200) == 0) {
			cr_assert(race_enter_self(t));
			collect(t);
			race_leave(t);
		}
	}
	race_load(t, self);
	for (int i = 0; i < WHO; i++) {
		ctx_finish(ctx[i]);
		ctx_delete(ctx[i]);
	}
}

Test(use, finds_what_the_log_has, .init = begin)
{
	static const unsigned plains[] = {0, 1, 5, 30};
	for (unsigned round = 0; round < 4000; round++) {
		seed = round * 7919u + 1;
		go_round(round, plains[round % 4], round / 4 % 4 * 10, round / 16 % 4 != 0);
	}
	cr_assert_gt(by_own_record, 100000u);
	cr_assert_gt(races, 10000u);
}
