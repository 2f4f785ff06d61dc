/*
 * traceback.c: stacks of goroutines, in Go's form.
 *
 *	goroutine 7 [chan receive, 2 minutes, locked to thread] "reader":
 *	inc(...)
 *		counter.c:21 +0x4c
 *	waits on 0x55d0c81a2040
 *	created by main in goroutine 1
 *		counter.c:35 +0x30
 *
 * The caller's own stack is shown from where it asked; how the others' are come by is walk.c's.
 *
 * goro's own frames are left out unless GOTRACEBACK=system, as in Go.
 */
#include "walk.h"

#include <stdlib.h>
#include <string.h>

#include "../os/onstack.h"
#include "../os/sanitizer.h"
#include "../symbol/symbol.h"

uint32_t trace_progress;

/* ---- the environment ---- */

static const char *wanted(void)
{
	const char *s = getenv("GOTRACEBACK");
	return s ? s : "";
}

TraceLevel trace_level(void)
{
	const char *s = wanted();
	if (!strcmp(s, "none") || !strcmp(s, "0"))
		return TRACE_NONE;
	if (!strcmp(s, "all") || !strcmp(s, "1"))
		return TRACE_ALL;
	if (!strcmp(s, "system") || !strcmp(s, "2") || !strcmp(s, "crash"))
		return TRACE_SYSTEM;
	return TRACE_SINGLE;
}

bool trace_crash(void)
{
	return !strcmp(wanted(), "crash");
}

/* ---- the stack to work on ---- */

#define STACK_BYTES ((size_t)1 << 20)

bool debug_on_stack(void (*fn)(void *), void *arg)
{
	static Lock busy = LOCK_INIT(NONE); /* no rank: locks of any rank are taken below it */
	static char *stack;                 /* busy */
	static __thread bool there;
	if (there)
		return false;
	there = true;
	lock(&busy);
	san_read_freely(true);
	if (!stack)
		stack = os_map(STACK_BYTES);
	if (stack)
		os_call_on_stack(stack + STACK_BYTES, fn, arg);
	else
		fn(arg); /* no memory: this stack has to do */
	san_read_freely(false);
	unlock(&busy);
	there = false;
	return true;
}

/* ---- what of a walk is shown ---- */

#define KEEP_ENDS 50 /* frames shown of each end, as Go */

/* What is left to show. */
typedef struct Shown {
	int n;
	Walked head[KEEP_ENDS];
	Walked tail[KEEP_ENDS]; /* a ring */
} Shown;

static void choose(const Walk *w, Shown *out, TraceLevel level)
{
	int lost = w->n > 2 * WALK_ENDS ? w->n - 2 * WALK_ENDS : 0;
	bool exact = false;
	out->n = 0;
	for (int i = 0; i < w->n; i++) {
		if (i == WALK_ENDS) {
			i += lost;
			out->n += lost; /* shown is neither; the tail's ring is filled by the end */
		}
		Walked here = i < WALK_ENDS ? w->head[i] : w->tail[i % WALK_ENDS];
		here.exact |= exact;
		SymFrame f[16];
		int n = sym_frames(here.pc, !here.exact, f, 16);
		/* Read at pc only where there is code: the stack may have changed under us. */
		exact = f[n - 1].module && trace_is_sigreturn(here.pc);
		if (exact || (level < TRACE_SYSTEM && f[n - 1].own))
			continue;
		*(out->n < KEEP_ENDS ? &out->head[out->n] : &out->tail[out->n % KEEP_ENDS]) = here;
		out->n++;
	}
}

/* ---- printing ---- */

static void add_name(Buf *b, const SymFrame *f)
{
	if (f->func) {
		buf_str(b, f->func);
		if (!strchr(f->func, '(')) /* C++ names bring their own */
			buf_str(b, "(...)");
	} else if (f->module) {
		const char *slash = strrchr(f->module, '/');
		buf_fmt(b, "%s+0x%zx(...)", slash ? slash + 1 : f->module, (size_t)f->module_off);
	} else {
		buf_str(b, "?(...)");
	}
}

static void add_place(Buf *b, const SymFrame *f)
{
	if (f->file)
		buf_fmt(b, "\t%s:%d +0x%zx", f->file, f->line, (size_t)f->func_off);
	else if (f->module)
		buf_fmt(b, "\t%s +0x%zx", f->module, (size_t)f->module_off);
	else
		buf_str(b, "\t?");
}

static void add_frame(Buf *b, const Walked *w, TraceLevel level)
{
	SymFrame f[64];
	int n = sym_frames(w->pc, !w->exact, f, 64);
	for (int i = 0; i < n; i++) {
		add_name(b, &f[i]);
		buf_str(b, "\n");
		add_place(b, &f[i]);
		if (level >= TRACE_SYSTEM)
			buf_fmt(b, " sp=0x%zx pc=0x%zx", (size_t)w->sp, (size_t)w->pc);
		buf_str(b, "\n");
	}
}

static void add_frames(Buf *b, const Walk *walk_, TraceLevel level)
{
	Shown w;
	choose(walk_, &w, level);
	int shown = w.n < KEEP_ENDS ? w.n : KEEP_ENDS;
	for (int i = 0; i < shown; i++)
		add_frame(b, &w.head[i], level);
	if (w.n > 2 * KEEP_ENDS)
		buf_fmt(b, "...%d frames elided...\n", w.n - 2 * KEEP_ENDS);
	int from = w.n > 2 * KEEP_ENDS ? w.n - KEEP_ENDS : KEEP_ENDS;
	for (int i = from; i < w.n; i++)
		add_frame(b, &w.tail[i % KEEP_ENDS], level);
}

static void add_created(Buf *b, G *g)
{
	SymFrame f[16];
	if (!g->created_pc || g->is_main)
		return;
	int n = sym_frames((uintptr_t)g->created_pc, true, f, 16), i = 0;
	buf_str(b, "created by ");
	if (f[i].func)
		buf_str(b, f[i].func);
	else
		add_name(b, &f[i]);
	(void)n;
	if (g->created_by)
		buf_fmt(b, " in goroutine %llu", (unsigned long long)g->created_by);
	buf_str(b, "\n");
	add_place(b, &f[i]);
	buf_str(b, "\n");
}

/* Where goro knows the one thing it waits for: a channel, a lock, a counter; by name, too, where it is a variable. */
static void add_waits_on(Buf *b, const void *on)
{
	SymData d;
	buf_fmt(b, "waits on 0x%zx", (size_t)on);
	if (sym_data((uintptr_t)on, 1, &d) && d.name) {
		buf_fmt(b, ", '%s'", d.name);
		if (d.file)
			buf_fmt(b, " of %s:%d", d.file, d.line);
	}
	buf_str(b, "\n");
}

static const char *state_text(uint32_t state, WaitReason why)
{
	switch (state) {
	case G_RUNNABLE:
		return "runnable";
	case G_RUNNING:
		return "running";
	case G_SYSCALL:
		return "syscall";
	case G_WAITING:
		return why && why < WAIT_COUNT ? wait_reason_text(why) : "waiting";
	}
	return "dead";
}

#define MINUTE INT64_C(60000000000)

static void add_head(Buf *b, const G *g, const Seen *seen)
{
	buf_fmt(
	    b, "goroutine %llu [%s", (unsigned long long)g->id, state_text(seen->state, seen->why));
	if (seen->state == G_WAITING && seen->since > 0 && os_now() - seen->since >= MINUTE)
		buf_fmt(b, ", %lld minutes", (long long)((os_now() - seen->since) / MINUTE));
	if (g->locked > seen->stopped) /* preempted: for the time being */
		buf_str(b, ", locked to thread");
	buf_str(b, "]");
	char name[sizeof g->name + 1];
	memcpy(name, g->name, sizeof g->name);
	name[sizeof g->name] = 0;
	if (name[0])
		buf_fmt(b, " \"%s\"", name);
	buf_str(b, ":\n");
}

/* A select's channels, one a line. */
static void add_cases(Buf *b, const Seen *seen)
{
	int n = seen->ncases < SEEN_CASES ? seen->ncases : SEEN_CASES;
	for (int i = 0; i < n; i++)
		buf_fmt(b, "waits on 0x%zx (case %d, %s)\n", (size_t)seen->cases[i].chan,
		    seen->cases[i].index, seen->cases[i].send ? "send" : "receive");
	if (n < seen->ncases)
		buf_fmt(b, "...%d cases elided...\n", seen->ncases - n);
}

static const char *no_stack(uint32_t state)
{
	switch (state) {
	case G_RUNNING:
		return "\tgoroutine running on other thread; stack unavailable\n";
	case G_SYSCALL:
		return "\tgoroutine is in a system call; stack unavailable\n";
	}
	return "\tgoroutine ran on meanwhile; stack unavailable\n";
}

void trace_one(int fd, G *g, const TraceSelf *self, TraceLevel level)
{
	Buf b = {0};
	Seen seen;
	Walk *w = walk_memory();
	if (g == self->g) {
		seen = (Seen){.state = G_RUNNING, .frames = w != NULL};
		if (load_rlx(&g->state) == G_SYSCALL)
			seen.state = G_SYSCALL;
		if (w)
			walk(w, self->regs, self->exact);
	} else {
		walk_g(g->foreign ? NULL : w, g, &seen);
	}
	add_head(&b, g, &seen);
	if (g->foreign)
		buf_str(&b, "\tin a thread of the program; stack unavailable\n");
	else if (!w)
		buf_str(&b, "\tno memory for its stack\n");
	else if (seen.frames)
		add_frames(&b, w, level);
	else
		buf_str(&b, no_stack(seen.state));
	if (seen.state == G_WAITING && seen.on)
		add_waits_on(&b, seen.on);
	add_cases(&b, &seen);
	add_created(&b, g);
	buf_write(&b, fd);
	buf_free(&b);
	(void)add_rlx(&trace_progress, 1u); /* relaxed: a sign of life */
}

void trace_thread(int fd, const TraceSelf *self, TraceLevel level)
{
	Buf b = {0};
	Walk *w = walk_memory();
	buf_fmt(&b, "thread %u [running]:\n", (unsigned)os_thread_id());
	if (w) {
		walk(w, self->regs, false);
		add_frames(&b, w, level);
	}
	buf_write(&b, fd);
	buf_free(&b);
}

/* ---- all of them ---- */

typedef struct Collected {
	G **at;
	size_t n, cap; /* cap: what was counted before; more than that is left out */
} Collected;

static void count(G *g, void *arg)
{
	(void)g;
	((Collected *)arg)->cap++;
}

static void collect(G *g, void *arg)
{
	Collected *c = arg;
	if (load_rlx(&g->state) != G_DEAD && c->n < c->cap)
		c->at[c->n++] = g;
}

static int by_id(const void *a, const void *b)
{
	const G *x = *(G *const *)a, *y = *(G *const *)b;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Heap sort: qsort may call malloc. */
static void sort(G **at, size_t n)
{
	for (size_t end = n, start = n / 2; end > 1;) {
		if (start) {
			start--;
		} else {
			G *t = at[--end];
			at[end] = at[0];
			at[0] = t;
		}
		for (size_t root = start, child; (child = 2 * root + 1) < end; root = child) {
			if (child + 1 < end && by_id(&at[child], &at[child + 1]) < 0)
				child++;
			if (by_id(&at[root], &at[child]) >= 0)
				break;
			G *t = at[root];
			at[root] = at[child];
			at[child] = t;
		}
	}
}

void trace_all(int fd, G *first, const TraceSelf *self, TraceLevel level, bool blank)
{
	Collected c = {0};
	if (first) {
		if (blank)
			os_write(fd, "\n", 1);
		trace_one(fd, first, self, level);
		blank = true;
	}
	stack_each_g(count, &c);
	size_t bytes = c.cap * sizeof *c.at;
	c.at = bytes ? os_map(bytes) : NULL;
	if (!c.at)
		return;
	stack_each_g(collect, &c);
	sort(c.at, c.n);
	for (size_t i = 0; i < c.n; i++) {
		if (c.at[i] == first)
			continue;
		if (blank)
			os_write(fd, "\n", 1);
		blank = true;
		trace_one(fd, c.at[i], self, level);
	}
	os_unmap(c.at, bytes);
}

/* ---- for the rest of the runtime, and for programs ---- */

typedef struct Job {
	int fd;
	G *g;
	bool all;
	TraceSelf self;
} Job;

static void do_job(void *arg)
{
	Job *j = arg;
	TraceLevel level = trace_level();
	if (j->all)
		trace_all(j->fd, j->g, &j->self, level, false);
	else if (j->g)
		trace_one(j->fd, j->g, &j->self, level);
	else
		trace_thread(j->fd, &j->self, level);
}

/* The registers must be taken in a frame that lives until the work is done. */
#define TRACE(fd_, g_, all_)                                                                       \
	unw_context_t regs;                                                                        \
	Job job = {(fd_), (g_), (all_), {g_self(), &regs, false}};                                 \
	unw_getcontext(&regs);                                                                     \
	debug_on_stack(do_job, &job)

void traceback_g(int fd, G *g)
{
	TRACE(fd, g, false);
}

void traceback_all(int fd, G *first)
{
	TRACE(fd, first, true);
}

void goro_traceback(int fd, bool all)
{
	TRACE(fd, g_self(), all);
	preempt_check();
}
