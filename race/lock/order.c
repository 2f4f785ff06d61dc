/*
 * order.c: see order.h. After lockdep, Goodlock (Havelund 2000) and TSan's second_deadlock_stack.
 *
 * A cycle is reported once an edge closes it, before its goroutine waits. It is one when each of its
 * goroutines could wait for the next at the same moment:
 *   - each waits for a lock in a mode that the next one's hold excludes. A reader waits for a reader where
 *     a third one, who has locked it for writing at another time, could wait between the two: of locks that
 *     let no new readers in then (goro_rwmutex; a pthread_rwlock_t that was made so). To lock for
 *     reading again what one reads already is such a cycle by itself, from the lock to the lock;
 *   - no lock is held at two of its edges, unless by readers both times: such a "gate" keeps the edges
 *     apart in time;
 *   - a lock that was only tried (trylock, and locks with a timeout) is not waited for: no edge to it.
 * It need not be done by several goroutines, nor at times that could meet: the order is a property of the
 * code, which another run executes by others (TSan and lockdep see it so, too). Two locks with a gate are
 * reported by those, and not here.
 *
 * Which lock is it? An address is a lock until its SyncVar goes (destroyed, made anew, freed), or until
 * the program writes to its first byte by a plain write: that makes it a new one, too. goro_mutex m = {0}
 * in a function is another mutex in each call. So a node keeps the `birth` of its lock: what the shadow
 * says of the last plain write. (A lock whose first byte holds data of the program's own, as only
 * annotated ones can, is new with each write, and has no order.)
 *
 * Cost. A held set with its innermost lock is a number (clock/mutexset.h) that carries the time when its
 * edges were put in: a repetition looks at that, and at the last death of a lock at each of its addresses.
 * A lock that is taken while nothing else is held never comes here. What is new goes through one lock.
 *
 * Between two nodes there are as many edges as there are ways that matter: one that `covers` another (less
 * held besides, in stronger modes) takes its place.
 */
#include "order.h"

#include <string.h>

#include "../clock/mutexset.h"
#include "../clock/syncvar.h"
#include "../history/record.h"
#include "../options/flags.h"
#include "../pool.h"
#include "../shadow/set.h"
#include "../shadow/shadow.h"
#include "graph.h"

#define HELD_MAX                                                                                   \
	(GATES_MAX + 1)      /* innermost locks of a set that count; mutexset.c ends there, too */
#define SAME_MAX  8          /* edges between two nodes */
#define CYCLE_MAX 256        /* locks */
#define SEARCH    (1u << 16) /* nodes looked at for an edge */
#define DEPTH     8          /* of the search for another way, where the shortest is no deadlock */
#define STEPS     20000
#define DEATHS    4096u

/* Nodes are found in sync objects, whose shadow may have to be mapped under it. */
static Lock order_lock = LOCK_INIT(RACE_ORDER);
static uint64_t deaths;        /* order_lock */
static uint64_t death[DEATHS]; /* the last one at an address of this hash; relaxed atomic */
static Pool report_pool = POOL_INIT(sizeof(Report));
uint32_t order_foreigns;

static uint64_t *death_at(uintptr_t addr)
{
	return &death[addr * 0x9e3779b97f4a7c15u >> 52];
}

_Static_assert(DEATHS == 1u << (64 - 52), "death_at takes that many bits");

/* Lock held. */
static void note_death(uintptr_t addr)
{
	store_rlx(death_at(addr), ++deaths);
}

/* The edges of set were put in, and none of its locks went since. */
static bool is_known(uint32_t set)
{
	ReportLock l;
	uint64_t when = load_rlx(mutexset_note(set)); /* relaxed: a time, compared with times */
	if (!when)
		return false;
	while (set) {
		set = mutexset_step(set, &l);
		if (load_rlx(death_at(l.addr)) >= when)
			return false;
	}
	return true;
}

/* ---- nodes ---- */

static uint64_t birth_of(uintptr_t addr)
{
	uint64_t h = 0;
	Entry e;
	if (!shadow_mapped(addr))
		return 0;
	CellIter it =
	    cell_iter(load_rlx(shadow_w(addr)), PLANE_W); /* relaxed: any state that was */
	while (cell_next(&it, &e)) {
		if (e.kind != KIND_WRITE || !(e.mask >> (addr & 7) & 1))
			continue;
		const Record *r = record_at(e.rec);
		ClockPair when = *record_when(e.rec);
		h += (((uint64_t)when.slot << 32 | when.epoch) ^ r->pc * 0xd6e8feb86659fd93u) *
		     0x9e3779b97f4a7c15u;
	}
	return h;
}

/* It is another lock than it was. */
static void renew(uint32_t id, uint64_t birth)
{
	static uint32_t serials = 1u << 31; /* apart from graph.c's */
	Node *n = graph_node(id);
	graph_cut(id);
	note_death(n->addr);
	n->birth = birth;
	n->fair = false;
	memset(n->writer, 0, sizeof n->writer);
	n->serial = ++serials | 1u << 31;
}

/* The node of the lock at addr, made where there is none; 0 where it cannot be. */
static uint32_t node_of(uintptr_t addr)
{
	uint64_t birth = birth_of(addr);
	SyncVar *s = sync_get(addr);
	if (!s)
		return 0;
	if (!s->order)
		s->order = graph_node_new(addr, birth);
	else if (s->order != ORDER_NONE && graph_node(s->order)->birth != birth)
		renew(s->order, birth);
	uint32_t id = s->order == ORDER_NONE ? 0 : s->order;
	sync_unlock(s);
	return id;
}

void order_gone(uint32_t node)
{
	if (!node || node == ORDER_NONE)
		return;
	lock(&order_lock);
	note_death(graph_node(node)->addr);
	graph_node_free(node);
	unlock(&order_lock);
}

/* ---- locks that are none ---- */

void order_foreign(uintptr_t addr)
{
	SyncVar *s = sync_get(addr);
	if (!s)
		return;
	uint32_t was = s->order;
	s->order = ORDER_NONE;
	sync_unlock(s);
	if (was == ORDER_NONE)
		return;
	order_gone(was);
	add_rlx(
	    &order_foreigns, 1u); /* relaxed: who unlocks next comes after us by the lock itself */
}

bool order_is_foreign(uintptr_t addr)
{
	SyncVar *s = sync_find(addr);
	bool is = s && s->order == ORDER_NONE;
	if (s)
		sync_unlock(s);
	return is;
}

uint32_t order_strip(uint32_t set)
{
	ReportLock l;
	for (uint32_t at = set; at;) {
		at = mutexset_step(at, &l);
		if (order_is_foreign(l.addr))
			set = at =
			    mutexset_remove(set, l.addr, l.mode, NULL); /* from the front again */
	}
	return set;
}

/* ---- what a pair of edges means ---- */

/* Where b could be part of a deadlock, a could as well. (LOCK_WRITE < LOCK_READ.) */
static bool covers(const Edge *a, const Edge *b)
{
	if (a->from_mode > b->from_mode || a->to_mode > b->to_mode)
		return false;
	for (int i = 0; i < a->ngates; i++) {
		bool has = false;
		for (int k = 0; k < b->ngates && !has; k++)
			has = a->gates[i].serial == b->gates[k].serial &&
			      a->gates[i].mode >= b->gates[k].mode;
		if (!has)
			return false;
	}
	return true;
}

/* Readers both: a waits for b only behind a writer. */
static bool are_readers(const Edge *a, const Edge *b)
{
	return a->to_mode == LOCK_READ && b->from_mode == LOCK_READ;
}

/* One who waits at a is let go by nobody but b's, who holds what a waits for; or by writers_come. */
static bool waits_for(const Edge *a, const Edge *b)
{
	return !are_readers(a, b) || graph_node(a->to)->fair;
}

/* The locks held at e: from, then the gates. */
static Gate held_at(const Edge *e, int i)
{
	return i ? e->gates[i - 1] : (Gate){graph_node(e->from)->serial, e->from_mode};
}

/* Both can be waited at in one moment. */
static bool can_meet(const Edge *a, const Edge *b)
{
	for (int i = 0; i <= a->ngates; i++)
		for (int k = 0; k <= b->ngates; k++) {
			Gate x = held_at(a, i), y = held_at(b, k);
			if (x.serial == y.serial && (x.mode == LOCK_WRITE || y.mode == LOCK_WRITE))
				return false;
		}
	return true;
}

/* The writer that could wait for the reader at b, and let the one at a wait, when all `edges` are waited at;
 * neither of the two. at 0: nobody. */
static Writer writer_between(const Edge *a, const Edge *b, const uint32_t *edges, int n)
{
	const Node *node = graph_node(a->to);
	for (int i = 0; i < 2; i++)
		if (node->writer[i].at && node->writer[i].ginfo != a->ginfo &&
		    node->writer[i].ginfo != b->ginfo)
			return node->writer[i];
	for (uint32_t id = node->in; id; id = graph_edge(id)->next_in) {
		const Edge *w = graph_edge(id);
		bool good =
		    w->to_mode == LOCK_WRITE && w->ginfo != a->ginfo && w->ginfo != b->ginfo;
		for (int i = 0; i < n && good; i++)
			good = can_meet(w, graph_edge(edges[i]));
		if (good)
			return (Writer){w->to_at, w->ginfo};
	}
	return (Writer){0};
}

static bool writers_come(const uint32_t *edges, int n)
{
	for (int i = 0; i < n; i++) {
		const Edge *a = graph_edge(edges[i]), *b = graph_edge(edges[(i + 1) % n]);
		if (are_readers(a, b) && !writer_between(a, b, edges, n).at)
			return false;
	}
	return true;
}

static bool is_deadlock(const uint32_t *edges, int n)
{
	for (int i = 0; i < n; i++)
		if (!waits_for(graph_edge(edges[i]), graph_edge(edges[(i + 1) % n])))
			return false;
	for (int i = 0; i < n; i++)
		for (int k = i + 1; k < n; k++)
			if (!can_meet(graph_edge(edges[i]), graph_edge(edges[k])))
				return false;
	return writers_come(edges, n);
}

/* ---- cycles ---- */

static uint32_t cycle[CYCLE_MAX]; /* edges; order_lock */
static uint32_t steps;            /* order_lock */

/* The shortest way from the end of cycle[0] to its start, whatever it means: the cycle's length, or 0. */
static int shortest(void)
{
	static uint32_t searches, queue[SEARCH];
	uint32_t from = graph_edge(cycle[0])->from, to = graph_edge(cycle[0])->to, head = 0,
		 tail = 0;
	searches++;
	graph_node(to)->seen = searches;
	queue[tail++] = to;
	while (head < tail) {
		uint32_t at = queue[head++];
		for (uint32_t id = graph_node(at)->out; id; id = graph_edge(id)->next_out) {
			Node *n = graph_node(graph_edge(id)->to);
			if (n->seen == searches)
				continue;
			n->seen = searches;
			n->came_by = id;
			if (graph_edge(id)->to == from) {
				int len = 1;
				for (uint32_t e = from; e != to;
				     e = graph_edge(graph_node(e)->came_by)->from)
					len++;
				if (len > CYCLE_MAX)
					break;
				int i = len;
				for (uint32_t e = from; e != to; e = graph_edge(cycle[i])->from)
					cycle[--i] = graph_node(e)->came_by;
				return len;
			}
			if (tail == SEARCH) {
				race_count(lost_locks);
				return 0;
			}
			queue[tail++] = graph_edge(id)->to;
		}
	}
	return 0;
}

/* cycle[0..n) is a way that could deadlock as far as it goes: go on, to n < limit. */
static int search(int n, int limit)
{
	const Edge *last = graph_edge(cycle[n - 1]), *first = graph_edge(cycle[0]);
	for (uint32_t id = graph_node(last->to)->out; id; id = graph_edge(id)->next_out) {
		const Edge *e = graph_edge(id);
		bool good = waits_for(last, e) && ++steps < STEPS;
		for (int i = 0; i < n && good; i++)
			good =
			    e->to != graph_edge(cycle[i])->to && can_meet(e, graph_edge(cycle[i]));
		if (!good)
			continue;
		cycle[n] = id;
		if (e->to == first->from) {
			if (waits_for(e, first) && writers_come(cycle, n + 1))
				return n + 1;
			continue;
		}
		int len = n + 1 < limit ? search(n + 1, limit) : 0;
		if (len)
			return len;
	}
	return 0;
}

/* A lock of the cycle became another one without a word: it, and the cycle, are gone. */
static bool is_stale(int n)
{
	for (int i = 0; i < n; i++) {
		uint32_t id = graph_edge(cycle[i])->from;
		uint64_t birth = birth_of(graph_node(id)->addr);
		if (birth != graph_node(id)->birth) {
			renew(id, birth);
			return true;
		}
	}
	return false;
}

/* The locks of a cycle through the edge, which is a deadlock: how many, 0 for none. */
static int find_cycle(uint32_t edge)
{
	const Edge *e = graph_edge(edge);
	uint32_t from = e->from, to = e->to;
	int n;
	do {
		if (!graph_node(from)->in || !graph_node(to)->out)
			return 0; /* nearly always */
		cycle[0] = edge;
		if (from == to) {
			n = is_deadlock(cycle, 1);
			continue;
		}
		n = shortest();
		if (n && !is_deadlock(cycle, n)) {
			steps = 0;
			n = 0;
			for (int limit = 2; limit <= DEPTH && !n && steps < STEPS; limit++)
				n = search(1, limit);
			if (steps >= STEPS)
				race_count(lost_locks);
		}
	} while (n && is_stale(n)); /* ends: there is one edge less each time */
	return n;
}

/* The same through any edge to the lock by which one reads: its writers are not what they were. */
static int find_cycle_of_readers(uint32_t node)
{
	/* An edge that goes meanwhile (is_stale) still leads on to those behind it, and is none: from 0. */
	for (uint32_t id = graph_node(node)->in; id; id = graph_edge(id)->next_in) {
		int n = graph_edge(id)->to_mode == LOCK_READ ? find_cycle(id) : 0;
		if (n)
			return n;
	}
	return 0;
}

/* ---- the report ---- */

static void fill(Report *r, int n)
{
	static const AccessKind word[] = {
	    [LOCK_WRITE] = ACCESS_LOCK, [LOCK_READ] = ACCESS_READ_LOCK};
	int shown = n < REPORT_MAX_ACCESSES / 2 ? n : REPORT_MAX_ACCESSES / 2;
	memset(r, 0, sizeof *r);
	r->kind = n == 1 ? REPORT_READ_AGAIN : REPORT_LOCK_ORDER;
	r->naccesses = 2 * shown;
	r->more = n - shown;
	for (int i = 0; i < shown; i++) {
		const Edge *e = graph_edge(cycle[i]);
		ReportAccess *a = &r->accesses[2 * i];
		uintptr_t held = graph_node(e->from)->addr;
		a[0] = (ReportAccess){.kind = word[e->to_mode],
		    .addr = graph_node(e->to)->addr,
		    .ginfo = e->ginfo,
		    .stack = e->to_at,
		    .nlocks = 1,
		    .locks = {{held, (LockMode)e->from_mode, e->from_at}}};
		a[1] = (ReportAccess){.kind = word[e->from_mode],
		    .addr = held,
		    .ginfo = e->ginfo,
		    .stack = e->from_at};
	}
	for (int i = 0; i < n && r->naccesses < REPORT_MAX_ACCESSES; i++) {
		const Edge *a = graph_edge(cycle[i]), *b = graph_edge(cycle[(i + 1) % n]);
		Writer w = are_readers(a, b) ? writer_between(a, b, cycle, n) : (Writer){.at = 0};
		if (!w.at)
			continue;
		r->accesses[r->naccesses++] = (ReportAccess){.kind = ACCESS_LOCK,
		    .addr = graph_node(a->to)->addr,
		    .ginfo = w.ginfo,
		    .stack = w.at};
		r->between++;
	}
}

/* ---- edges ---- */

/* The edge, if it is new in what it means; 0 if it is not. */
static uint32_t put(const Edge *e)
{
	int n = 0;
	for (uint32_t id = graph_between(e->from, e->to), next; id; id = next) {
		next = graph_between_next(id);
		if (covers(graph_edge(id), e))
			return 0;
		if (covers(e, graph_edge(id)))
			graph_edge_free(id);
		else
			n++;
	}
	if (n >= SAME_MAX) {
		race_count(lost_locks);
		return 0;
	}
	return graph_edge_new(e);
}

/* Whether that is news: to know two of them is enough to find one that is another than a given reader. */
static bool add_writer(Node *n, StackId at, uint32_t ginfo)
{
	for (int i = 0; i < 2; i++) {
		if (n->writer[i].at && n->writer[i].ginfo == ginfo)
			return false;
		if (!n->writer[i].at) {
			n->writer[i] = (Writer){at, ginfo};
			return true;
		}
	}
	return false;
}

static void check(RaceCtx *g, uint32_t set, bool fair)
{
	static ReportLock held[HELD_MAX]; /* order_lock, as is: */
	static uint32_t node[HELD_MAX];
	static Gate gates[GATES_MAX];
	Report *r = NULL;
	if (!flags.detect_deadlocks || !flags.report_bugs || is_known(set))
		return;
	lock(&order_lock);
	int last = mutexset_list(set, held, HELD_MAX) - 1, again = -1;
	for (int i = 0; i < last && again < 0; i++)
		if (held[i].addr == held[last].addr)
			again =
			    i; /* who locks it again does not wait for others, but for writers */
	if (again >= 0 && (held[again].mode != LOCK_READ || held[last].mode != LOCK_READ))
		last = 0;
	for (int i = 0; i <= last; i++)
		node[i] = node_of(held[i].addr);
	/* What dies from here on is not in the time noted. */
	uint64_t now = deaths + 1;
	bool news = false;
	for (int i = last - 1; i >= 0; i--) {
		if (!node[i] || !node[last] || (again < 0 ? node[i] == node[last] : i != again))
			continue;
		Edge e = {.from = node[i],
		    .to = node[last],
		    .from_at = held[i].locked_at,
		    .to_at = held[last].locked_at,
		    .from_mode = (uint8_t)held[i].mode,
		    .to_mode = (uint8_t)held[last].mode,
		    .ginfo = g->ginfo,
		    .gates = gates};
		for (int k = 0; k < last; k++) {
			if (!node[k] || node[k] == node[i] || node[k] == node[last])
				continue;
			e.gates[e.ngates++] =
			    (Gate){graph_node(node[k])->serial, (uint32_t)held[k].mode};
		}
		uint32_t id = put(&e);
		int n = id ? find_cycle(id) : 0;
		news |= id != 0;
		if (n && !r) {
			r = pool_get(&report_pool);
			fill(r, n);
		}
	}
	if (fair && node[last]) {
		Node *at = graph_node(node[last]);
		news |= !at->fair;
		at->fair = true;
		if (last == 0)
			news |= add_writer(at, held[last].locked_at, g->ginfo);
		int n = news && !r ? find_cycle_of_readers(node[last]) : 0;
		if (n) {
			r = pool_get(&report_pool);
			fill(r, n);
		}
	}
	store_rlx(mutexset_note(set), now);
	unlock(&order_lock);
	if (r) {
		report_emit(r);
		pool_put(&report_pool, r);
	}
}

void order_check(RaceCtx *g, uint32_t set)
{
	check(g, set, false);
}

void order_check_writer(RaceCtx *g, uint32_t set)
{
	check(g, set, true);
}

void order_each(void (*stack)(StackId), void (*who)(uint32_t ginfo))
{
	for (uint32_t id = 1; id < graph_edge_end(); id++) {
		const Edge *e = graph_edge(id);
		if (!e->from)
			continue;
		stack(e->from_at);
		stack(e->to_at);
		who(e->ginfo);
	}
	for (uint32_t id = 1; id < graph_node_end(); id++) {
		const Node *n = graph_node(id);
		for (int i = 0; n->addr && i < 2; i++) {
			stack(n->writer[i].at);
			who(n->writer[i].ginfo);
		}
	}
}
