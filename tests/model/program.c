/*
 * program.c: the generator keeps the state that decides what may run next (who holds what, what lies in
 * which buffer), and picks among the operations that can be done. It never makes a program that blocks,
 * panics or reads what a later run could see otherwise.
 */
#include "gen.h"

#include <string.h>

const char *kind_name(int kind)
{
	static const char *const names[] = {
#define K_(k) #k,
	    KINDS(K_)
#undef K_
	};
	return names[kind];
}

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators" */
uint32_t rnd(Gen *s, uint32_t below)
{
	s->rng ^= s->rng >> 12;
	s->rng ^= s->rng << 25;
	s->rng ^= s->rng >> 27;
	return (uint32_t)((s->rng * 0x2545F4914F6CDD1Dull) >> 33) % below;
}

/* The runtime, the detector or the libc asks for memory: it may be that of a block that was freed. */
static bool allocates(Kind kind)
{
	switch (kind) {
	case OP_GO: case OP_THREAD: case OP_FUNC: case OP_GROUP_GO: case OP_WAIT:
	case OP_TIMER_NEW: case OP_TIMER_RESET: case OP_AFTER: case OP_FUNC_NEW: case OP_FUNC_RESET:
	case OP_CTX_DEADLINE: case OP_ALLOC:
		return true;
	default: return false;
	}
}

Op *put(Gen *s, Kind kind, int g, int obj)
{
	if (allocates(kind))
		memset(s->dead, 0, sizeof s->dead);

	Step *step = &s->p->steps[s->p->nsteps++];

	memset(step, 0, sizeof *step);
	step->n = 1;
	step->op[0] = (Op){.kind = (uint8_t)kind, .g = (uint8_t)g, .obj = (uint8_t)obj};
	return &step->op[0];
}

void put_pair(Gen *s, Kind first, int g, Kind second, int h, int obj)
{
	put(s, first, g, obj);
	Step *step = &s->p->steps[s->p->nsteps - 1];
	step->n = 2;
	step->op[1] = (Op){.kind = (uint8_t)second, .g = (uint8_t)h, .obj = (uint8_t)obj};
}

int other(Gen *s, int g)
{
	if (s->nalive < 2)
		return -1;
	int h = s->alive[rnd(s, (uint32_t)s->nalive)];
	return h == g ? -1 : h;
}

int born(Gen *s, Life life)
{
	s->life[s->born] = life;
	s->alive[s->nalive++] = s->born;
	return s->born++;
}

void gone(Gen *s, int g)
{
	for (int i = 0; i < s->nalive; i++)
		if (s->alive[i] == g)
			s->alive[i] = s->alive[--s->nalive];
}

static void access(Gen *s, int g)
{
	static const uint8_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 16};
	Op *op = put(s, rnd(s, 5) < 3 ? OP_READ : OP_WRITE, g, 0);
	int limit = CELL_START;

	op->size = sizes[rnd(s, sizeof sizes)];
	if (rnd(s, 8) == 0) { /* a range, by memset or memcmp */
		op->way = 1;
		op->size = (uint8_t)(1 + rnd(s, 40));
	}
	if (rnd(s, 10) == 0)
		limit = ARENA; /* may hit an atomic cell */
	int b = (int)rnd(s, BLOCKS * 3);
	if (b < BLOCKS && (s->live[b] || s->dead[b])) {
		op->block = (uint8_t)(b + 1);
		limit = BLOCK_SIZE;
		if (s->dead[b]) { /* a use after free */
			op->size = (uint8_t)(op->size > BLOCK_DEAD ? BLOCK_DEAD : op->size);
			op->off = (uint8_t)(BLOCK_DEAD +
			    rnd(s, (uint32_t)(BLOCK_SIZE - BLOCK_DEAD - op->size + 1)));
			return;
		}
	}
	op->off = (uint8_t)rnd(s, (uint32_t)(limit - op->size + 1));
	if (rnd(s, 2) && !op->way) /* aligned as often as not */
		op->off = (uint8_t)(op->off / op->size * op->size);
	if (rnd(s, 2)) { /* crowd them: more chances to meet */
		int low = op->block ? 0 : 16 * (int)rnd(s, 2);
		int off = low + op->off % 16;
		if (off + op->size <= limit)
			op->off = (uint8_t)off;
	}
}

static void copy(Gen *s, int g)
{
	Op *op = put(s, OP_COPY, g, 0);

	op->size = (uint8_t)(1 + rnd(s, 30));
	op->off = (uint8_t)rnd(s, (uint32_t)(32 - op->size + 1));
	op->off2 = (uint8_t)(32 + rnd(s, (uint32_t)(32 - op->size + 1)));
}

static void mutex(Gen *s, int g)
{
	int m = (int)rnd(s, MUTEXES), h;

	if (s->holder[m] < 0) {
		put(s, rnd(s, 4) ? OP_LOCK : OP_TRYLOCK, g, m);
		s->holder[m] = g;
	} else if (s->holder[m] == g) {
		if (rnd(s, 3) == 0 && (h = other(s, g)) >= 0) {
			put_pair(s, OP_UNLOCK, g, OP_LOCK, h, m);
			s->holder[m] = h;
		} else {
			put(s, OP_UNLOCK, g, m);
			s->holder[m] = -1;
		}
	} else {
		put(s, OP_TRYLOCK, g, m)->block = 1;
	}
}

static void rwmutex(Gen *s, int g)
{
	int m = (int)rnd(s, RWMUTEXES), h;
	uint64_t mine = 1ull << g;

	if (s->writer[m] == g) {
		if (rnd(s, 3) == 0 && (h = other(s, g)) >= 0) {
			bool read = rnd(s, 2);
			put_pair(s, OP_WUNLOCK, g, read ? OP_RLOCK : OP_WLOCK, h, m);
			s->writer[m] = read ? -1 : h;
			if (read)
				s->readers[m] = 1ull << h;
		} else {
			put(s, OP_WUNLOCK, g, m);
			s->writer[m] = -1;
		}
	} else if (s->writer[m] >= 0) {
		put(s, rnd(s, 2) ? OP_TRYRLOCK : OP_TRYWLOCK, g, m)->block = 1;
	} else if (s->readers[m] & mine) {
		if (s->readers[m] == mine && rnd(s, 3) == 0 && (h = other(s, g)) >= 0) {
			put_pair(s, OP_RUNLOCK, g, OP_WLOCK, h, m);
			s->writer[m] = h;
		} else {
			put(s, OP_RUNLOCK, g, m);
		}
		s->readers[m] &= ~mine;
	} else if (s->readers[m] && rnd(s, 4) == 0) {
		put(s, OP_TRYWLOCK, g, m)->block = 1;
	} else if (s->readers[m] || rnd(s, 2)) {
		put(s, rnd(s, 4) ? OP_RLOCK : OP_TRYRLOCK, g, m);
		s->readers[m] |= mine;
	} else {
		put(s, rnd(s, 4) ? OP_WLOCK : OP_TRYWLOCK, g, m);
		s->writer[m] = g;
	}
}

static void channel(Gen *s, int g)
{
	int c = (int)rnd(s, CHANS), cap = s->p->cap[c], h = other(s, g);
	bool send = rnd(s, 2);
	Step *step;

	if (s->closed[c]) {
		if (s->len[c] > 0) {
			put(s, OP_RECV, g, c)->way = (uint8_t)rnd(s, 4);
			s->len[c]--;
		} else {
			put(s, OP_RECV_CLOSED, g, c)->way = (uint8_t)rnd(s, 4);
		}
		return;
	}
	if (rnd(s, 30) == 0) {
		put(s, OP_CLOSE, g, c);
		s->closed[c] = true;
	} else if (send && s->len[c] < cap && (s->len[c] > 0 || h < 0 || rnd(s, 2))) {
		put(s, OP_SEND, g, c)->way = (uint8_t)rnd(s, 4);
		s->len[c]++;
	} else if (!send && s->len[c] > 0 && (s->len[c] < cap || h < 0 || rnd(s, 2))) {
		put(s, OP_RECV, g, c)->way = (uint8_t)rnd(s, 4);
		s->len[c]--;
	} else if (h >= 0 && (cap == 0 || (send && s->len[c] == 0) || (!send && s->len[c] == cap))) {
		/* They meet: on an unbuffered channel, or the second waits for a value, or for room. */
		put_pair(s, send ? OP_SEND : OP_RECV, g, send ? OP_RECV : OP_SEND, h, c);
		step = &s->p->steps[s->p->nsteps - 1];
		step->op[0].way = (uint8_t)(2 * rnd(s, 2));
		step->op[1].way = (uint8_t)(2 * rnd(s, 2));
	} else if (send && s->len[c] == cap) {
		put(s, OP_TRYSEND_FULL, g, c)->way = (uint8_t)(rnd(s, 2) ? 1 : 3);
	} else if (!send && s->len[c] == 0) {
		put(s, OP_TRYRECV_EMPTY, g, c)->way = (uint8_t)(rnd(s, 2) ? 1 : 3);
	}
}

static void waitgroup(Gen *s, int g)
{
	int w = (int)rnd(s, WAITGROUPS), h;

	if (s->count[w] == 0 && rnd(s, 2)) {
		put(s, OP_WAIT, g, w);
	} else if (s->count[w] < 3 && rnd(s, 2)) {
		put(s, OP_ADD, g, w);
		s->count[w]++;
	} else if (s->count[w] == 1 && rnd(s, 2) && (h = other(s, g)) >= 0) {
		put_pair(s, OP_DONE, g, OP_WAIT, h, w);
		s->count[w] = 0;
	} else if (s->count[w] > 0) {
		put(s, OP_DONE, g, w);
		s->count[w]--;
	}
}

static void atomic(Gen *s, int g)
{
	static const int loads[] = {__ATOMIC_RELAXED, __ATOMIC_ACQUIRE, __ATOMIC_SEQ_CST};
	static const int stores[] = {__ATOMIC_RELAXED, __ATOMIC_RELEASE, __ATOMIC_SEQ_CST};
	static const int both[] = {__ATOMIC_RELAXED, __ATOMIC_ACQUIRE, __ATOMIC_RELEASE,
	    __ATOMIC_ACQ_REL, __ATOMIC_SEQ_CST};
	int cell = (int)rnd(s, CELLS);
	Op *op;

	switch (rnd(s, 5)) {
	case 0:
		put(s, OP_LOAD, g, cell)->order = loads[rnd(s, 3)];
		break;
	case 1:
		put(s, OP_STORE, g, cell)->order = stores[rnd(s, 3)];
		break;
	case 2:
		op = put(s, OP_RMW, g, cell);
		op->order = both[rnd(s, 5)];
		op->way = (uint8_t)rnd(s, 3); /* add, exchange, compare and swap that succeeds */
		break;
	case 3:
		op = put(s, OP_CAS_FAIL, g, cell);
		op->order = both[rnd(s, 5)];
		op->order2 = op->order == __ATOMIC_RELAXED || op->order == __ATOMIC_RELEASE
			? __ATOMIC_RELAXED : loads[rnd(s, 2)];
		break;
	default:
		put(s, OP_FENCE, g, 0)->order = both[1 + rnd(s, 4)];
	}
}

static void heap(Gen *s, int g)
{
	int b = (int)rnd(s, BLOCKS);

	put(s, s->live[b] ? OP_FREE : OP_ALLOC, g, b);
	s->dead[b] = s->live[b];
	s->live[b] = !s->live[b];
}

static void life(Gen *s, int g)
{
	if (s->nalive < s->target && s->born < MAX_GOROUTINES) {
		switch (rnd(s, 8)) {
		case 0: put(s, OP_FUNC, g, born(s, GOROUTINE)); break;
		case 1: gen_threads(s, g); break;
		default: put(s, OP_GO, g, born(s, GOROUTINE));
		}
		return;
	}
	for (int m = 0; m < MUTEXES; m++)
		if (s->holder[m] == g)
			return;
	for (int m = 0; m < RWMUTEXES; m++)
		if (s->writer[m] == g || s->readers[m] >> g & 1)
			return;
	if (g == 0 || rnd(s, 4)) /* main stays */
		return;
	Op *op = put(s, OP_END, g, 0);
	if (s->life[g] == THREAD) {
		s->ended[s->nended++] = g;
		memset(s->dead, 0, sizeof s->dead); /* what it freed goes from its own cache to everybody's */
	}
	if (s->life[g] == TASK) {
		s->active[s->group_of[g]]--;
		op->way = rnd(s, 2) && !s->group_of[g];
		if (op->way && !s->failed) {
			s->failed = true;
			s->cancelled[CTX_GROUP] |= !s->waited;
		}
	}
	gone(s, g);
}

void program_generate(Program *p, uint64_t seed)
{
	enum { KINDS_OF_STEPS = 17 };
	Gen s = {.p = p, .rng = seed * 0x9E3779B97F4A7C15ull + 0x1234567, .nalive = 1, .born = 1};

	memset(p, 0, sizeof *p);
	p->seed = seed;
	for (int m = 0; m < MUTEXES; m++)
		s.holder[m] = -1;
	for (int m = 0; m < RWMUTEXES; m++)
		s.writer[m] = -1;
	for (int i = 0; i < SEMAS; i++)
		s.units[i] = SEMA_UNITS;
	for (int i = 0; i < 20; i++)
		rnd(&s, 2);
	for (int c = 0; c < CHANS; c++)
		p->cap[c] = c == 0 ? 0 : (int)rnd(&s, 4);
	s.target = 2 + (int)rnd(&s, 8);
	int steps = 20 + (int)rnd(&s, MAX_STEPS - 20);
	/* What this program is about: the weight of each group is drawn anew for each, and half of what
	 * orders is left out, so that not everything is ordered by something. */
	uint32_t weight[KINDS_OF_STEPS], total = 0;
	for (int i = 0; i < KINDS_OF_STEPS; i++)
		total += weight[i] = i == 0 ? 3 + rnd(&s, 14)
		    : i < 2 || i > KINDS_OF_STEPS - 3 || rnd(&s, 2) ? 1 + rnd(&s, 5) : 0;
	while (p->nsteps < steps - 1) /* some put down two */ {
		int g = s.alive[rnd(&s, (uint32_t)s.nalive)];
		uint32_t pick = rnd(&s, total), i = 0;
		while (pick >= weight[i])
			pick -= weight[i++];
		switch (i) {
		case 0: access(&s, g); break;
		case 1: copy(&s, g); break;
		case 2: mutex(&s, g); break;
		case 3: rwmutex(&s, g); break;
		case 4: channel(&s, g); break;
		case 5: waitgroup(&s, g); break;
		case 6: atomic(&s, g); break;
		case 7: gen_conds(&s, g); break;
		case 8: gen_semas(&s, g); break;
		case 9: gen_timers(&s, g); break;
		case 10: gen_contexts(&s, g); break;
		case 11: gen_groups(&s, g); break;
		case 12: gen_pipes(&s, g); break;
		case 13: gen_barriers(&s, g); break;
		case 14: gen_threads(&s, g); break;
		case 15: heap(&s, g); break;
		default:
			if (rnd(&s, 6) == 0) {
				Op *op = put(&s, OP_ONCE, g, (int)rnd(&s, ONCES));
				op->off = (uint8_t)rnd(&s, 16);
				op->size = 1;
			} else if (rnd(&s, 8) == 0) {
				put(&s, OP_YIELD, g, 0);
			} else {
				life(&s, g);
			}
		}
	}
	p->goroutines = s.born;
}

void program_print(const Program *p, FILE *out)
{
	fprintf(out, "seed %llu: %d goroutines, capacities %d %d %d %d\n", (unsigned long long)p->seed,
	    p->goroutines, p->cap[0], p->cap[1], p->cap[2], p->cap[3]);
	for (int i = 0; i < p->nsteps; i++)
		for (int k = 0; k < p->steps[i].n; k++) {
			const Op *op = &p->steps[i].op[k];
			fprintf(out, "%4d%c g%-2d %-13s", i, k ? '+' : ' ', op->g, kind_name(op->kind));
			if (op->kind == OP_READ || op->kind == OP_WRITE)
				fprintf(out, " %s%d [%d,%d)%s\n", op->block ? "block " : "arena ",
				    op->block, op->off, op->off + op->size, op->way ? " range" : "");
			else if (op->kind == OP_COPY)
				fprintf(out, " [%d,%d) to [%d,%d)\n", op->off, op->off + op->size,
				    op->off2, op->off2 + op->size);
			else
				fprintf(out, " %d way %d order %d %d%s\n", op->obj, op->way, op->order,
				    op->order2, op->block ? " fails" : "");
		}
}
