/*
 * timeline.c: from events to what is drawn: the states of each goroutine, what each P ran, the regions.
 *
 * One pass over the events in the order of time. A goroutine is in one state at a time, from its first moment (or
 * the start of what is known, TraceCopy.from) to its last, without a gap: each event closes one state and begins
 * the next. Of a goroutine whose past was overwritten, its first event tells in which state it was; of one
 * that has no event at all, the scheduler does: before the rings are copied, so that a later change is in them. They
 * may have lost it if all is known only since later than that (small rings, or a million goroutines, and the system
 * took the processor away): then both are done again, and in the end the scheduler is asked once more afterwards, and
 * who is not as before is left out rather than drawn in a state that it may have left.
 *
 * Times of different processors may be off by some nanoseconds. A wake-up that comes before the sleep it ends, or
 * after the run it began, is remembered (early) and makes that state one without length.
 *
 * What lies before `from` gives names only.
 */
#include "../debug/debug.h"
#include "../symbol/symbol.h"
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef enum State { NEW, RUNNABLE, RUNNING, SYSCALL, WAITING, DEAD, STATES } State;

typedef struct Region Region;
struct Region {
	Region *outer;
	uint64_t name;
	int64_t since;
};

typedef struct Gor {
	uint64_t id;
	const void *fn;
	uint64_t maker;
	uint64_t waker;   /* who made it runnable last */
	uint64_t on;      /* WAITING: what for */
	int64_t since;    /* of the state */
	int64_t ready_at; /* when that was; -1: no arrow is to be drawn */
	Region *region;   /* the innermost */
	uint32_t name;
	int p; /* where it ran last */
	uint8_t state;
	uint8_t why;  /* WaitReason while WAITING, TraceWhy or 0 (woken, made) while RUNNABLE */
	uint8_t live; /* NEW: the state the scheduler tells; NEW: it is not there */
	uint8_t live_why;
	int8_t early; /* wake-ups seen before their sleep, less runs before their wake-up */
	bool is_main;
	bool has_regions;
	bool same; /* live and live_why were as told when all was copied, too */
} Gor;

typedef struct Proc {
	uint64_t g; /* 0: none */
	int64_t since;
} Proc;

#define CHUNK 1024
#define NAMES 1024 /* functions' names kept; a power of two */

typedef struct Timeline {
	Json j;
	TraceScale scale;
	int64_t from, to;
	bool whole; /* nothing was lost */
	Gor **chunk;
	uint32_t n, cap;      /* goroutines; chunks that there is room for */
	uint32_t *slot, mask; /* hash: index + 1, 0 empty */
	Proc proc[PROCS_MAX];
	int64_t count[STATES];
	uint64_t flows;
	Region *spare;
	bool stale; /* what the scheduler told holds of those that it told it of twice (Gor.same) */
	bool poor;  /* memory ran out: what is missing is missing */
	struct {
		const void *fn;
		char text[64];
	} name[NAMES];
} Timeline;

/* ---- goroutines by number ---- */

static Gor *nth(const Timeline *t, uint32_t i)
{
	return &t->chunk[i / CHUNK][i % CHUNK];
}

static uint32_t place(const Timeline *t, uint64_t id)
{
	uint32_t i = (uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32);
	while (t->slot[i & t->mask] && nth(t, t->slot[i & t->mask] - 1)->id != id)
		i++;
	return i & t->mask;
}

static void grow(Timeline *t)
{
	uint32_t size = t->slot ? 2 * (t->mask + 1) : 4096, *old = t->slot, old_size = t->mask + 1;
	uint32_t *slot = os_map(size * sizeof *slot);
	if (!slot) {
		t->poor = true;
		return;
	}
	t->slot = slot;
	t->mask = size - 1;
	for (uint32_t i = 0; i < t->n; i++)
		t->slot[place(t, nth(t, i)->id)] = i + 1;
	if (old)
		os_unmap(old, old_size * sizeof *old);
}

static Gor *chunk_room(Timeline *t)
{
	uint32_t k = t->n / CHUNK;
	if (k >= t->cap) {
		uint32_t cap = t->cap ? 2 * t->cap : 512;
		Gor **more = os_map(cap * sizeof *more);
		if (!more)
			return NULL;
		if (t->chunk) {
			memcpy(more, t->chunk, t->cap * sizeof *more);
			os_unmap(t->chunk, t->cap * sizeof *more);
		}
		t->chunk = more;
		t->cap = cap;
	}
	if (!t->chunk[k])
		t->chunk[k] = os_map(CHUNK * sizeof(Gor));
	return t->chunk[k] ? &t->chunk[k][t->n % CHUNK] : NULL;
}

/* Made on first sight; NULL: no memory. */
static Gor *gor(Timeline *t, uint64_t id)
{
	if (!t->slot || t->n > t->mask / 4 * 3)
		grow(t);
	if (!t->slot || t->n == t->mask)
		return NULL;
	uint32_t at = place(t, id);
	if (t->slot[at])
		return nth(t, t->slot[at] - 1);
	Gor *g = chunk_room(t);
	if (!g) {
		t->poor = true;
		return NULL;
	}
	*g = (Gor){.id = id, .p = -1, .ready_at = -1};
	t->slot[at] = ++t->n;
	return g;
}

/* ---- what they are called ---- */

static const char *function_name(Timeline *t, const void *fn)
{
	size_t i = ((uintptr_t)fn * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (NAMES - 1);
	if (t->name[i].fn != fn) {
		SymFrame f;
		sym_busy++; /* libdw's accesses are not the program's */
		bool known = sym_frames((uintptr_t)fn, false, &f, 1) > 0 && f.func;
		sym_busy--;
		t->name[i].fn = fn;
		if (known)
			snprintf(t->name[i].text, sizeof t->name[i].text, "%s", f.func);
		else
			snprintf(t->name[i].text, sizeof t->name[i].text, "0x%zx", (size_t)fn);
	}
	return t->name[i].text;
}

#define LABEL 160

static void label(Timeline *t, const Gor *g, char *to)
{
	const char *name = "";
	if (g->name)
		name = name_text(g->name);
	else if (g->is_main)
		name = "main";
	else if (g->fn)
		name = function_name(t, g->fn);
	snprintf(to, LABEL, "G%llu%s%s", (unsigned long long)g->id, *name ? " " : "", name);
}

/* ---- states ---- */

static void draw_state(Timeline *t, Gor *g, int64_t at)
{
	static const char *const names[STATES] = {
	    [RUNNABLE] = "runnable", [RUNNING] = "running", [SYSCALL] = "syscall"};
	const char *why;
	char args[96] = "";
	switch ((State)g->state) {
	case RUNNING:
		if (g->p >= 0)
			snprintf(args, sizeof args, "\"p\":%d", g->p);
		break;
	case RUNNABLE:
		why = g->why == TRACE_YIELDS      ? "yielded"
		      : g->why == TRACE_STOPPED   ? "preempted"
		      : g->why == TRACE_MAKES_WAY ? "made way"
		      : g->why == TRACE_BACK      ? "system call over"
						  : NULL;
		if (why)
			snprintf(args, sizeof args, "\"why\":\"%s\"", why);
		else if (g->waker)
			snprintf(args, sizeof args, "\"by\":%llu", (unsigned long long)g->waker);
		break;
	case WAITING:
		if (g->on)
			snprintf(args, sizeof args, "\"on\":\"0x%llx\"", (unsigned long long)g->on);
		break;
	default:
		break;
	}
	json_slice(&t->j, TRACK_GOROUTINES, g->id, g->since, at,
	    g->state == WAITING ? "waiting" : "state",
	    g->state == WAITING ? wait_reason_text((WaitReason)g->why) : names[g->state], args);
	if (g->state == RUNNING && g->ready_at >= 0) { /* the slice it points to is there now */
		json_flow(&t->j, ++t->flows, g->waker, g->ready_at, g->id, g->since);
		g->ready_at = -1;
	}
}

static void enter_state(Timeline *t, Gor *g, int64_t at, State state, uint32_t why)
{
	if (at < g->since)
		at = g->since;
	if (g->state != NEW && g->state != DEAD && at > g->since)
		draw_state(t, g, at);
	else if (g->state == RUNNING)
		g->ready_at = -1; /* no time passed: there is no slice to point to */
	t->count[g->state]--;
	t->count[state]++;
	g->state = (uint8_t)state;
	g->why = (uint8_t)why;
	g->since = at;
}

static void proc_closes(Timeline *t, int p, int64_t at)
{
	Proc *proc = &t->proc[p];
	const Gor *g = proc->g ? gor(t, proc->g) : NULL;
	if (g && at > proc->since) {
		char name[LABEL], args[40];
		label(t, g, name);
		snprintf(args, sizeof args, "\"g\":%llu", (unsigned long long)g->id);
		json_slice(&t->j, TRACK_PROCS, (uint64_t)p, proc->since, at, "proc", name, args);
	}
	proc->g = 0;
}

static void proc_runs(Timeline *t, int p, Gor *g, int64_t at)
{
	if (p < 0)
		return;
	if (g->p >= 0 && g->p != p && t->proc[g->p].g == g->id)
		proc_closes(t, g->p, at);
	if (t->proc[p].g != g->id) {
		proc_closes(t, p, at);
		t->proc[p] = (Proc){g->id, at};
	}
	g->p = p;
}

/* The first that is heard of g: it has been so since all that is known. */
static void infer(Timeline *t, Gor *g, State state, uint32_t why, int p)
{
	if (g->state != NEW)
		return;
	g->since = t->from;
	enter_state(t, g, t->from, state, why);
	if (state == RUNNING || (state == SYSCALL && p >= 0))
		proc_runs(t, p, g, t->from);
}

/* ---- regions ---- */

static void region_closes(Timeline *t, Gor *g, int64_t at, bool unended)
{
	Region *r = g->region;
	json_slice(&t->j, TRACK_REGIONS, g->id, r->since, at < r->since ? r->since : at, "region",
	    name_text(r->name), unended ? "\"unended\":true" : NULL);
	g->region = r->outer;
	r->outer = t->spare;
	t->spare = r;
}

static void region_begins(Timeline *t, Gor *g, uint64_t name, int64_t at)
{
	if (!t->spare) {
		size_t n = os_page_size() / sizeof(Region);
		Region *page = os_map(n * sizeof *page);
		for (size_t i = 0; page && i < n; i++) {
			page[i].outer = t->spare;
			t->spare = &page[i];
		}
	}
	Region *r = t->spare;
	if (!r)
		return;
	t->spare = r->outer;
	*r = (Region){g->region, name, at};
	g->has_regions = true;
	g->region = r;
}

static void region_ends(Timeline *t, Gor *g, uint64_t name, int64_t at)
{
	const Region *r = g->region;
	while (r && r->name != name)
		r = r->outer;
	if (r) {
		while (g->region != r) /* those inside it, which were not ended */
			region_closes(t, g, at, true);
		region_closes(t, g, at, false);
	} else if (!g->region && !t->whole) {
		g->has_regions = true;
		json_slice(&t->j, TRACK_REGIONS, g->id, t->from, at, "region", name_text(name),
		    "\"begun_earlier\":true");
	}
}

/* ---- events ---- */

static void starts(Timeline *t, Gor *g, int p, int64_t at)
{
	infer(t, g, RUNNABLE, 0, -1);
	if (g->state == WAITING)
		g->early--;
	proc_runs(t, p, g, at);
	enter_state(t, g, at, RUNNING, 0);
}

static void dies(Timeline *t, Gor *g, int64_t at)
{
	while (g->region)
		region_closes(t, g, at, true);
	enter_state(t, g, at, DEAD, 0);
}

static void leaves(Timeline *t, Gor *g, int p, int64_t at, const TraceEvent *e)
{
	uint32_t why = trace_why(e);
	infer(t, g, why == TRACE_BACK ? SYSCALL : RUNNING, 0, p);
	if (g->p >= 0 && t->proc[g->p].g == g->id)
		proc_closes(t, g->p, at);
	g->on = e->w[3];
	if (why == TRACE_ENDS) {
		dies(t, g, at);
	} else if (why >= TRACE_YIELDS) {
		enter_state(t, g, at, RUNNABLE, why);
	} else if (g->early > 0) {
		g->early--;
		enter_state(t, g, at, RUNNABLE, 0);
	} else {
		enter_state(t, g, at, WAITING, why);
	}
	Gor *next = e->w[2] ? gor(t, e->w[2]) : NULL;
	if (next)
		starts(t, next, p, at);
}

static void wakes(Timeline *t, Gor *g, int64_t at, const TraceEvent *e)
{
	infer(t, g, WAITING, trace_why(e), -1);
	g->waker = e->w[2];
	if (g->state != WAITING) {
		g->early++;
		return;
	}
	g->on = e->w[3];
	g->ready_at = e->w[2] ? at : -1;
	enter_state(t, g, at, RUNNABLE, 0);
}

static void is_made(Timeline *t, Gor *g, int64_t at, const TraceEvent *e)
{
	(void)t;
	g->maker = g->waker = e->w[2];
	g->fn = (const void *)(uintptr_t)e->w[3];
	g->is_main = !g->fn;
	if (at < 0 || g->state != NEW)
		return;
	g->since = at;
	g->ready_at = g->maker ? at : -1;
	enter_state(t, g, at, RUNNABLE, 0);
}

static void counters(Timeline *t, int64_t at, int64_t live, uint64_t rss, uint64_t stacks)
{
	char args[128];
	int64_t *n = t->count, rest = live - n[RUNNING] - n[RUNNABLE] - n[SYSCALL];
	snprintf(args, sizeof args, "\"rss\":%llu,\"stacks\":%llu", (unsigned long long)rss,
	    (unsigned long long)stacks);
	json_counter(&t->j, at, "memory", args);
	snprintf(args, sizeof args,
	    "\"running\":%lld,\"runnable\":%lld,\"syscall\":%lld,\"waiting\":%lld",
	    (long long)n[RUNNING], (long long)n[RUNNABLE], (long long)n[SYSCALL],
	    (long long)(rest > 0 ? rest : 0));
	json_counter(&t->j, at, "goroutines", args);
}

/* Before what is known. */
static void early_event(Timeline *t, Gor *g, const TraceEvent *e)
{
	switch (trace_type(e)) {
	case TRACE_CREATE:
		is_made(t, g, -1, e);
		break;
	case TRACE_NAME:
		g->name = (uint32_t)e->w[2];
		break;
	case TRACE_REGION_BEGIN:
		region_begins(t, g, e->w[2], t->from);
		break;
	case TRACE_REGION_END:
		if (g->region && g->region->name == e->w[2]) {
			Region *r = g->region;
			g->region = r->outer;
			r->outer = t->spare;
			t->spare = r;
		}
		break;
	case TRACE_LEAVE:
		if (trace_why(e) == TRACE_ENDS)
			g->state = DEAD;
		break;
	default:
		break;
	}
}

static void log_line(Timeline *t, uint64_t id, int64_t at, const TraceEvent *e, const char *text)
{
	char quoted[TRACE_LOG_MAX * 6 + 16], args[sizeof quoted + 16];
	json_quote(quoted, sizeof quoted, text);
	snprintf(args, sizeof args, "\"message\":%s", quoted);
	json_instant(&t->j, TRACK_GOROUTINES, id, at, "log", name_text(e->w[2]), args);
}

static void event(Timeline *t, const TraceEvent *e, int p, int64_t at, const char *text)
{
	uint64_t id = trace_g(e);
	char args[64];
	TraceType type = trace_type(e);
	bool of_g = type != TRACE_PROC_START && type != TRACE_PROC_STOP && type != TRACE_COUNTERS;
	Gor *g = of_g ? gor(t, id) : NULL;
	if (of_g && (!g || g->state == DEAD))
		return;
	switch (type) {
	case TRACE_CREATE:
		is_made(t, g, at, e);
		break;
	case TRACE_START:
		starts(t, g, p, at);
		break;
	case TRACE_LEAVE:
		leaves(t, g, p, at, e);
		break;
	case TRACE_READY:
		wakes(t, g, at, e);
		break;
	case TRACE_SYSCALL:
		infer(t, g, RUNNING, 0, p);
		enter_state(t, g, at, SYSCALL, 0);
		break;
	case TRACE_SYSRET:
		infer(t, g, SYSCALL, 0, -1);
		proc_runs(t, p, g, at);
		enter_state(t, g, at, RUNNING, 0);
		break;
	case TRACE_PROC_START:
		snprintf(args, sizeof args, "\"thread\":%llu", (unsigned long long)e->w[3]);
		json_instant(&t->j, TRACK_PROCS, (uint64_t)p, at, "proc", "proc start", args);
		break;
	case TRACE_PROC_STOP:
		proc_closes(t, p, at);
		json_instant(&t->j, TRACK_PROCS, (uint64_t)p, at, "proc", "proc stop", NULL);
		break;
	case TRACE_NAME:
		g->name = (uint32_t)e->w[2];
		break;
	case TRACE_REGION_BEGIN:
		infer(t, g, RUNNING, 0, p);
		region_begins(t, g, e->w[2], at);
		break;
	case TRACE_REGION_END:
		infer(t, g, RUNNING, 0, p);
		region_ends(t, g, e->w[2], at);
		break;
	case TRACE_LOG:
		infer(t, g, RUNNING, 0, p);
		log_line(t, id, at, e, text);
		break;
	case TRACE_COUNTERS:
		counters(t, at, (int64_t)id, e->w[2], e->w[3]);
		break;
	case TRACE_NONE_:
	case TRACE_TEXT:
		break;
	}
}

/* ---- what the scheduler knows ---- */

/* NEW: it is not there. */
static State live_state(const G *g, uint8_t *why)
{
	static const uint8_t states[] = {[G_DEAD] = NEW,
	    [G_RUNNABLE] = RUNNABLE,
	    [G_RUNNING] = RUNNING,
	    [G_WAITING] = WAITING,
	    [G_SYSCALL] = SYSCALL};
	uint32_t state = load_acq(&g->state); /* pairs with store_rel in make */
	*why = (uint8_t)load_rlx(&g->wait_reason);
	if (state == G_WAITING &&
	    *why == WAIT_NONE) /* its waker has cleared the one, not yet the other */
		return RUNNABLE;
	return state <= G_SYSCALL && g->id ? (State)states[state] : NEW;
}

/* A moment of a goroutine that may be running: torn at worst in its name. */
static void note_live(G *g, void *timeline)
{
	Timeline *t = timeline;
	uint8_t why;
	State state = live_state(g, &why);
	Gor *to = state != NEW ? gor(t, g->id) : NULL;
	if (!to)
		return;
	M *m = load_rlx(&g->m);
	P *p = state == RUNNING && m ? load_rlx(&m->p) : NULL;
	to->live = (uint8_t)state;
	to->live_why = why;
	to->p = p ? p->id : -1;
	to->fn = g->trace_fn;
	to->is_main = g->is_main;
	if (g->named) {
		char name[sizeof g->name + 1];
		memcpy(name, g->name, sizeof g->name);
		name[sizeof g->name] = 0;
		to->name = name_number(name);
	}
}

static void note_same(G *g, void *timeline)
{
	Timeline *t = timeline;
	uint8_t why;
	State state = live_state(g, &why);
	Gor *to = state != NEW ? gor(t, g->id) : NULL;
	if (to)
		to->same = to->live == state && (state != WAITING || to->live_why == why);
}

static void finish(Timeline *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		Gor *g = nth(t, i);
		int p = g->p;
		if (g->state == NEW && g->live != NEW && (g->same || !t->stale)) {
			g->p = -1;
			infer(t, g, (State)g->live, g->live_why, -1);
			if (g->live == RUNNING && p >= 0 && !t->proc[p].g)
				proc_runs(t, p, g, t->from);
		}
		if (g->state == NEW || g->state == DEAD)
			continue;
		while (g->region)
			region_closes(t, g, t->to, true);
		if (t->to > g->since)
			draw_state(t, g, t->to);
	}
	for (int p = 0; p < PROCS_MAX; p++)
		proc_closes(t, p, t->to);
}

static void name_tracks(Timeline *t)
{
	char name[LABEL];
	uint32_t np = load_acq(&sched.nall_p); /* pairs with store_rel in p_make */
	for (uint32_t i = 0; i < np; i++) {
		snprintf(name, sizeof name, "P%u", i);
		json_track(&t->j, TRACK_PROCS, i, name);
	}
	for (uint32_t i = 0; i < t->n; i++) {
		const Gor *g = nth(t, i);
		if (g->state == NEW || (g->state == DEAD && g->since == 0))
			continue;
		label(t, g, name);
		json_track(&t->j, TRACK_GOROUTINES, g->id, name);
		if (g->has_regions)
			json_track(&t->j, TRACK_REGIONS, g->id, name);
	}
}

static void empty(Timeline *t)
{
	for (uint32_t k = 0; k < t->cap && t->chunk[k]; k++)
		os_unmap(t->chunk[k], CHUNK * sizeof(Gor));
	if (t->chunk)
		os_unmap(t->chunk, t->cap * sizeof *t->chunk);
	if (t->slot)
		os_unmap(t->slot, (t->mask + 1) * sizeof *t->slot);
	t->chunk = NULL;
	t->slot = NULL;
	t->n = t->cap = t->mask = 0;
}

static void release(Timeline *t)
{
	empty(t);
	os_unmap(t, sizeof *t);
}

#define TRIES 4

/* Who lives, and what the rings hold. 0 or -ENOMEM. */
static int gather(Timeline *t, TraceCopy *c)
{
	for (int again = 1;; again++) {
		uint64_t since = trace_clock();
		stack_each_g(note_live, t);
		int err = copy_take(c);
		t->stale = err == 0 && c->from > since;
		if (t->stale && again == TRIES)
			stack_each_g(note_same, t);
		if (!t->stale || again == TRIES)
			return err;
		copy_free(c);
		empty(t);
	}
}

int timeline_write(int fd)
{
	Timeline *t = os_map(sizeof *t);
	TraceCopy c;
	const TraceEvent *e;
	const struct CopiedRing *ring;
	char text[TRACE_LOG_MAX + 1] = "";
	if (!t)
		return -ENOMEM;
	int err = gather(t, &c);
	if (err) {
		release(t);
		return err;
	}
	t->scale = trace_scale();
	t->from = c.from ? trace_ns(&t->scale, c.from) : 0;
	t->to = trace_ns(&t->scale, c.to);
	t->whole = c.lost == 0;
	t->j.fd = fd;
	json_begin(&t->j, &c, &t->scale);
	while ((e = copy_next(&c, &ring)) != NULL && t->j.error == 0) {
		Gor *g;
		if (e->w[0] < c.from) {
			if (trace_type(e) != TRACE_COUNTERS && (g = gor(t, trace_g(e))) != NULL)
				early_event(t, g, e);
			continue;
		}
		if (trace_type(e) == TRACE_LOG)
			copy_text(&c, ring, e, text);
		event(t, e, ring->p, trace_ns(&t->scale, e->w[0]), text);
	}
	finish(t);
	if (!SEEDED)
		counters(t, t->to, goroutines(), os_resident(), stack_bytes());
	name_tracks(t);
	err = json_end(&t->j);
	if (err == 0 && t->poor)
		err = -ENOMEM;
	copy_free(&c);
	release(t);
	return err;
}
