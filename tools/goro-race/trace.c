/*
 * trace.c: goro-race trace: where the time of a traced program's goroutines went.
 *
 * Sums over the slices of the trace: each goroutine is in one state at any time (running, runnable, in a system
 * call, blocked by something), so its states add up to its life. What was runnable and then ran is a scheduling latency.
 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "tracefile.h"
#include "util.h"

enum { PROCS = 1, GOROUTINES = 2, REGIONS = 3 }; /* pid: which kind of track */

/* A state's name with the time spent in it. */
typedef struct Sum {
	char *name;
	int64_t ns, most;
	uint64_t count;
} Sum;

typedef struct Sums {
	Sum *v;
	size_t n;
} Sums;

typedef struct Life {
	uint64_t id;
	char *name; /* "" until its track is named */
	int64_t life, running, runnable, syscall, blocked;
	uint64_t many; /* goroutines folded into this one */
	Sums reasons;
} Life;

typedef struct Wait {
	int64_t at, ns;
	uint64_t id, by; /* by 0: nobody, or not known */
} Wait;

typedef struct Trace {
	TraceHead head;
	Life *v;
	size_t n;
	uint32_t *slot; /* hash of ids: index + 1, 0 empty */
	size_t slots;
	int64_t *proc_ns;
	size_t nprocs;
	Sums regions;
	Wait *waits;
	size_t nwaits;
} Trace;

typedef struct Options {
	const char *file;
	uint64_t top;
	bool json, group;
} Options;

enum { KEY_JSON = 0x100, KEY_GROUP };

static const struct argp_option options[] = {
    {"json", KEY_JSON, 0, 0, "All of it as JSON", 0},
    {"group", KEY_GROUP, 0, 0, "Goroutines of one name are one line", 0},
    {"top", 'n', "N", 0, "Lists of at most N lines (default 10)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	Options *o = state->input;

	switch (key) {
	case KEY_JSON:
		o->json = true;
		break;
	case KEY_GROUP:
		o->group = true;
		break;
	case 'n':
		o->top = number_arg("--top", arg, 1, 1000000);
		break;
	case ARGP_KEY_ARG:
		if (o->file)
			argp_error(state, "one file at a time");
		o->file = arg;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which file?");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {options, parse, "FILE",
    "What an execution trace (GODEBUG=trace=FILE, goro_trace_snapshot) tells: of each goroutine "
    "the time it ran, "
    "waited for a processor, was in system calls and was blocked, and by what; the longest "
    "latencies of the "
    "scheduler; the program's regions.",
    0, 0, 0};

/* ---- sums ---- */

/* Room for one more in an array that doubles. */
static void *room(void *v, size_t n, size_t size)
{
	return n & (n - 1) ? v : need(realloc(v, (n ? 2 * n : 1) * size));
}

static void add(Sums *s, const char *name, int64_t ns, uint64_t count)
{
	size_t i = 0;

	while (i < s->n && strcmp(s->v[i].name, name) != 0)
		i++;
	if (i == s->n) {
		s->v = room(s->v, s->n, sizeof(*s->v));
		s->v[s->n++] = (Sum){.name = text_copy(name)};
	}
	s->v[i].ns += ns;
	s->v[i].count += count;
	if (ns > s->v[i].most)
		s->v[i].most = ns;
}

static void insert(Trace *t, size_t index)
{
	size_t i = (size_t)(t->v[index].id * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (t->slots - 1);

	while (t->slot[i])
		i = (i + 1) & (t->slots - 1);
	t->slot[i] = (uint32_t)index + 1;
}

static Life *life(Trace *t, uint64_t id)
{
	size_t i;

	if (t->n * 2 >= t->slots) {
		t->slots = t->slots ? 2 * t->slots : 1024;
		free(t->slot);
		t->slot = need(calloc(t->slots, sizeof(*t->slot)));
		for (i = 0; i < t->n; i++)
			insert(t, i);
	}
	i = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (t->slots - 1);
	for (; t->slot[i]; i = (i + 1) & (t->slots - 1))
		if (t->v[t->slot[i] - 1].id == id)
			return &t->v[t->slot[i] - 1];
	t->v = room(t->v, t->n, sizeof(*t->v));
	t->v[t->n] = (Life){.id = id, .name = text_copy(""), .many = 1};
	insert(t, t->n);
	return &t->v[t->n++];
}

static void take_state(Trace *t, const TraceEvent *e)
{
	Life *l = life(t, e->tid);

	l->life += e->duration;
	if (strcmp(e->category, "waiting") == 0) {
		l->blocked += e->duration;
		add(&l->reasons, e->name, e->duration, 1);
	} else if (strcmp(e->name, "running") == 0) {
		l->running += e->duration;
	} else if (strcmp(e->name, "syscall") == 0) {
		l->syscall += e->duration;
	} else if (strcmp(e->name, "runnable") == 0) {
		l->runnable += e->duration;
		t->waits = room(t->waits, t->nwaits, sizeof(*t->waits));
		t->waits[t->nwaits++] = (Wait){e->at, e->duration, e->tid,
		    (uint64_t)json_integer_value(json_object_get(e->args, "by"))};
	}
}

static void take(const TraceEvent *e, void *trace)
{
	Trace *t = trace;

	if (e->phase == 'X' && e->pid == GOROUTINES) {
		take_state(t, e);
	} else if (e->phase == 'X' && e->pid == REGIONS) {
		add(&t->regions, e->name, e->duration, 1);
	} else if (e->phase == 'X' && e->pid == PROCS && e->tid < 65536) {
		for (; t->nprocs <= e->tid; t->nprocs++) {
			t->proc_ns = room(t->proc_ns, t->nprocs, sizeof(*t->proc_ns));
			t->proc_ns[t->nprocs] = 0;
		}
		t->proc_ns[e->tid] += e->duration;
	} else if (e->phase == 'M' && e->pid == GOROUTINES && strcmp(e->name, "thread_name") == 0) {
		const char *name = json_string_value(json_object_get(e->args, "name"));
		Life *l = life(t, e->tid);

		free(l->name);
		l->name = text_copy(name ? name : "");
	}
}

/* ---- order ---- */

static int by_time(const void *a, const void *b)
{
	const Life *x = a, *y = b;

	if (x->running != y->running)
		return x->running < y->running ? 1 : -1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_length(const void *a, const void *b)
{
	const Wait *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int by_ns(const void *a, const void *b)
{
	const Sum *x = a, *y = b;

	return x->ns != y->ns ? (x->ns < y->ns ? 1 : -1) : strcmp(x->name, y->name);
}

static void sort(Sums *s)
{
	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), by_ns);
}

/* "G7 reader" -> "reader" */
static const char *plain_name(const Life *l)
{
	const char *space = strchr(l->name, ' ');

	return space ? space + 1 : "?";
}

static void merge(Life *to, const Life *l)
{
	to->life += l->life;
	to->running += l->running;
	to->runnable += l->runnable;
	to->syscall += l->syscall;
	to->blocked += l->blocked;
	to->many += l->many;
	for (size_t i = 0; i < l->reasons.n; i++)
		add(&to->reasons, l->reasons.v[i].name, l->reasons.v[i].ns, l->reasons.v[i].count);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(plain_name(a), plain_name(b));
}

/* In order; with group, one for each name. */
static Life *folded(const Trace *t, bool group, size_t *n)
{
	Life *v = need(malloc((t->n + 1) * sizeof(*v)));
	size_t kept = 0;

	memcpy(v, t->v, t->n * sizeof(*v));
	if (group && t->n)
		qsort(v, t->n, sizeof(*v), by_name);
	for (size_t i = 0; i < t->n; i++) {
		const Life one = v[i];

		if (group && (!kept || strcmp(plain_name(&v[kept - 1]), plain_name(&one)) != 0))
			v[kept++] = (Life){.id = one.id, .name = one.name};
		if (group)
			merge(&v[kept - 1], &one);
		else
			kept++;
	}
	if (kept)
		qsort(v, kept, sizeof(*v), by_time);
	*n = kept;
	return v;
}

/* ---- text ---- */

/* Five places, into one of a few buffers. */
static const char *span(int64_t ns)
{
	static char buf[16][32];
	static unsigned at;
	char *to = buf[at++ % 16];
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double v = (double)ns;
	int u = 0;

	while (u < 3 && v >= 999.5) {
		v /= 1000;
		u++;
	}
	snprintf(to, 32,
	    u == 0      ? "%.0f %s"
	    : v < 9.995 ? "%.2f %s"
	    : v < 99.95 ? "%.1f %s"
			: "%.0f %s",
	    v, units[u]);
	return to;
}

static double share(int64_t part, int64_t of)
{
	return of > 0 ? 100.0 * (double)part / (double)of : 0;
}

static void print_total(const char *name, int64_t ns, int64_t of, uint64_t count)
{
	printf("  %-26s %9s %5.1f %%", name, span(ns), share(ns, of));
	if (count)
		printf("  %llu %s", (unsigned long long)count, count == 1 ? "time" : "times");
	putchar('\n');
}

static Life totals(const Trace *t)
{
	Life sum = {.many = 0};

	for (size_t i = 0; i < t->n; i++)
		merge(&sum, &t->v[i]);
	sort(&sum.reasons);
	return sum;
}

static void print_head(const Options *o, const Trace *t)
{
	int64_t length = t->head.to_ns - t->head.from_ns;

	printf("%s: %s (pid %ld), %zu goroutines, GOMAXPROCS=%ld, ", o->file, t->head.program,
	    t->head.pid, t->n, t->head.gomaxprocs);
	if (t->head.lost)
		printf("the last %s of %s (%lld events before were overwritten)\n", span(length),
		    span(t->head.to_ns), (long long)t->head.lost);
	else
		printf("%s, complete\n", span(length));
}

static void print_lives(const Options *o, const Trace *t)
{
	size_t n;
	Life *v = folded(t, o->group, &n);

	printf("\n%-28s %9s %9s %9s %9s %9s  most blocked by\n",
	    o->group ? "goroutines" : "goroutine", "life", "running", "runnable", "syscall",
	    "blocked");
	for (size_t i = 0; i < n && i < o->top; i++) {
		char *name = o->group ? text_printf("%llu %s", (unsigned long long)v[i].many,
					    plain_name(&v[i]))
				      : text_copy(v[i].name);

		sort(&v[i].reasons);
		printf("%-28.28s %9s %9s %9s %9s %9s", name, span(v[i].life), span(v[i].running),
		    span(v[i].runnable), span(v[i].syscall), span(v[i].blocked));
		if (v[i].reasons.n)
			printf("  %s", v[i].reasons.v[0].name);
		putchar('\n');
		free(name);
	}
	if (n > o->top)
		printf("... and %zu more (-n)\n", n - (size_t)o->top);
	free(v);
}

static void print_waits(const Options *o, Trace *t)
{
	int64_t sum = 0;

	if (!t->nwaits)
		return;
	qsort(t->waits, t->nwaits, sizeof(*t->waits), by_length);
	for (size_t i = 0; i < t->nwaits; i++)
		sum += t->waits[i].ns;
	printf("\nscheduling latency: %zu times runnable, mean %s, median %s, 99 %% within %s, "
	       "longest %s\n",
	    t->nwaits, span(sum / (int64_t)t->nwaits), span(t->waits[t->nwaits / 2].ns),
	    span(t->waits[t->nwaits / 100].ns), span(t->waits[0].ns));
	for (size_t i = 0; i < t->nwaits && i < o->top; i++) {
		const Wait *w = &t->waits[i];

		printf("  %9s  %s, at %s", span(w->ns), life(t, w->id)->name, span(w->at));
		if (w->by)
			printf(", woken by %s", life(t, w->by)->name);
		putchar('\n');
	}
}

static void print_regions(const Options *o, Trace *t)
{
	if (!t->regions.n)
		return;
	sort(&t->regions);
	printf("\n%-28s %9s %9s %9s %9s\n", "region", "times", "total", "mean", "longest");
	for (size_t i = 0; i < t->regions.n && i < o->top; i++) {
		const Sum *s = &t->regions.v[i];

		printf("%-28.28s %9llu %9s %9s %9s\n", s->name, (unsigned long long)s->count,
		    span(s->ns), span(s->ns / (int64_t)s->count), span(s->most));
	}
}

static void print_text(const Options *o, Trace *t)
{
	Life sum = totals(t);
	int64_t length = t->head.to_ns - t->head.from_ns;

	print_head(o, t);
	puts("\nall goroutines");
	print_total("running", sum.running, sum.life, 0);
	print_total("runnable", sum.runnable, sum.life, t->nwaits);
	print_total("syscall", sum.syscall, sum.life, 0);
	for (size_t i = 0; i < sum.reasons.n; i++)
		print_total(
		    sum.reasons.v[i].name, sum.reasons.v[i].ns, sum.life, sum.reasons.v[i].count);
	puts("\nprocessors");
	for (size_t i = 0; i < t->nprocs; i++)
		printf("  P%-25zu %9s %5.1f %%\n", i, span(t->proc_ns[i]),
		    share(t->proc_ns[i], length));
	print_lives(o, t);
	print_waits(o, t);
	print_regions(o, t);
}

/* ---- JSON ---- */

static json_t *sums_json(Sums *s, bool with_longest)
{
	json_t *list = json_array();

	sort(s);
	for (size_t i = 0; i < s->n; i++) {
		json_t *o = json_pack("{s:s, s:I, s:I}", "name", s->v[i].name, "count",
		    (json_int_t)s->v[i].count, "ns", (json_int_t)s->v[i].ns);

		if (with_longest)
			json_object_set_new(o, "longest_ns", json_integer(s->v[i].most));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *life_json(Life *l)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "life_ns", (json_int_t)l->life,
	    "running_ns", (json_int_t)l->running, "runnable_ns", (json_int_t)l->runnable,
	    "syscall_ns", (json_int_t)l->syscall, "blocked_ns", (json_int_t)l->blocked,
	    "blocked_by", sums_json(&l->reasons, false));
}

static json_t *lives_json(const Options *o, const Trace *t)
{
	json_t *list = json_array();
	size_t n;
	Life *v = folded(t, o->group, &n);

	for (size_t i = 0; i < n; i++) {
		json_t *j = life_json(&v[i]);

		if (o->group) {
			json_object_set_new(j, "name", json_string(plain_name(&v[i])));
			json_object_set_new(j, "goroutines", json_integer((json_int_t)v[i].many));
		} else {
			json_object_set_new(j, "name", json_string(v[i].name));
			json_object_set_new(j, "id", json_integer((json_int_t)v[i].id));
		}
		json_array_append_new(list, j);
	}
	free(v);
	return list;
}

static json_t *waits_json(const Options *o, Trace *t)
{
	json_t *list = json_array();
	int64_t sum = 0;

	if (t->nwaits)
		qsort(t->waits, t->nwaits, sizeof(*t->waits), by_length);
	for (size_t i = 0; i < t->nwaits; i++) {
		const Wait *w = &t->waits[i];

		sum += w->ns;
		if (i < o->top)
			json_array_append_new(
			    list, json_pack("{s:I, s:I, s:I, s:I}", "id", (json_int_t)w->id,
				      "at_ns", (json_int_t)w->at, "ns", (json_int_t)w->ns,
				      "woken_by", (json_int_t)w->by));
	}
	return json_pack("{s:I, s:I, s:o}", "count", (json_int_t)t->nwaits, "ns", (json_int_t)sum,
	    "longest", list);
}

static void print_json(const Options *o, Trace *t)
{
	Life sum = totals(t);
	json_t *procs = json_array(), *doc;

	for (size_t i = 0; i < t->nprocs; i++)
		json_array_append_new(procs, json_pack("{s:I, s:I}", "p", (json_int_t)i,
						 "running_ns", (json_int_t)t->proc_ns[i]));
	doc = json_pack("{s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
	    "format", 1, "file", o->file, "program", t->head.program, "pid",
	    (json_int_t)t->head.pid, "gomaxprocs", (json_int_t)t->head.gomaxprocs, "from_ns",
	    (json_int_t)t->head.from_ns, "to_ns", (json_int_t)t->head.to_ns, "lost",
	    (json_int_t)t->head.lost, "totals", life_json(&sum), "processors", procs, "goroutines",
	    lives_json(o, t), "latency", waits_json(o, t), "regions", sums_json(&t->regions, true));
	if (!doc || json_dumpf(doc, stdout, JSON_INDENT(1)) != 0)
		die("the summary could not be written");
	putchar('\n');
	json_decref(doc);
}

int command_trace(int argc, char **argv)
{
	Options o = {.top = 10};
	Trace t = {.n = 0};

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	trace_read(o.file, &t.head, take, &t);
	if (o.json)
		print_json(&o, &t);
	else
		print_text(&o, &t);
	if (fflush(stdout) != 0)
		die("the summary could not be written");
	return 0;
}
