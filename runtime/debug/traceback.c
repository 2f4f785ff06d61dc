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
 * Unwinding is libunwind's, from the registers that a switch saved, or, for the caller itself, from
 * where it asked. A goroutine that runs elsewhere is interrupted for that when the process ends, and
 * is not unwound otherwise. One that is woken while we walk
 * its stack gives frames that mean nothing (libunwind checks each address before it reads): the state is
 * looked at again afterwards, and the frames are dropped when it has run since.
 *
 * goro's own frames are left out unless GOTRACEBACK=system, as in Go.
 */
#include "debug.h"

#include <stdlib.h>
#include <string.h>

#include "../os/interrupt.h"
#include "../os/onstack.h"
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
	if (!stack)
		stack = os_map(STACK_BYTES);
	if (stack)
		os_call_on_stack(stack + STACK_BYTES, fn, arg);
	else
		fn(arg); /* no memory: this stack has to do */
	unlock(&busy);
	there = false;
	return true;
}

/* ---- walking ---- */

#define KEEP_ENDS 50      /* frames shown of each end, as Go */
#define RAW_ENDS  32768   /* frames looked at of each end */
#define STEPS_MAX 8388608 /* 128 MiB of stack in its smallest frames */

typedef struct Walked {
	uintptr_t pc, sp;
	bool exact; /* pc is the instruction itself, not a return address */
} Walked;

/* All frames of a stack, goro's own included. Filled without a lock or malloc: the thread that owns the
 * stack may stand still with libc's locks in its hands meanwhile. */
typedef struct Walk {
	int n; /* frames in all; those between the ends are lost */
	Walked head[RAW_ENDS];
	Walked tail[RAW_ENDS]; /* a ring */
} Walk;

/* What is left to show. */
typedef struct Shown {
	int n;
	Walked head[KEEP_ENDS];
	Walked tail[KEEP_ENDS]; /* a ring */
} Shown;

/* One for all, made at the first traceback; the debug stack's lock. NULL where there is no memory. */
static Walk *the_walk(void)
{
	static Walk *w;
	if (!w)
		w = os_map(sizeof *w);
	return w;
}

static void walk(Walk *w, unw_context_t *regs, bool exact)
{
	unw_cursor_t at;
	w->n = 0;
	if (unw_init_local2(&at, regs, exact ? UNW_INIT_SIGNAL_FRAME : 0))
		return;
	while (w->n < STEPS_MAX) {
		unw_word_t pc = 0, sp = 0;
		if (unw_get_reg(&at, UNW_REG_IP, &pc) || !pc)
			return;
		unw_get_reg(&at, UNW_REG_SP, &sp);
		*(w->n < RAW_ENDS ? &w->head[w->n] : &w->tail[w->n % RAW_ENDS]) =
		    (Walked){pc, sp, exact};
		w->n++;
		exact = false;
		if (unw_step(&at) <= 0)
			return;
	}
}

static void choose(const Walk *w, Shown *out, TraceLevel level)
{
	int lost = w->n > 2 * RAW_ENDS ? w->n - 2 * RAW_ENDS : 0;
	bool exact = false;
	out->n = 0;
	for (int i = 0; i < w->n; i++) {
		if (i == RAW_ENDS) {
			i += lost;
			out->n += lost; /* shown is neither; the tail's ring is filled by the end */
		}
		Walked here = i < RAW_ENDS ? w->head[i] : w->tail[i % RAW_ENDS];
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

/* ---- of a goroutine that runs, on its own thread ----
 *
 * Only when the process ends anyway: the thread is interrupted (os_interrupt). */

static G *wanted_g; /* before the signal */

static bool runs_it(void)
{
	return g_self() == wanted_g;
}

static void walk_interrupted(void *uc, void *arg)
{
	walk(arg, uc, true);
}

static bool walk_running(Walk *w, G *g)
{
	M *m = load_acq(&g->m);
	if (!m)
		return false;
	wanted_g = g;
	return os_interrupt(m->tid, runs_it, walk_interrupted, w);
}

#define MINUTE INT64_C(60000000000)

void trace_one(int fd, G *g, const TraceSelf *self, TraceLevel level)
{
	Buf b = {0};
	uint32_t state = load_rlx(&g->state); /* relaxed: a dump of a moment */
	WaitReason why = (WaitReason)load_rlx(&g->wait_reason);
	int64_t since = load_rlx(&g->wait_since);
	if (g == self->g && state != G_SYSCALL)
		state = G_RUNNING;
	void *stopped = load_acq(&g->stopped); /* pairs with store_rel in preempt.c */
	if (stopped)
		state = G_RUNNABLE;

	buf_fmt(&b, "goroutine %llu [%s", (unsigned long long)g->id, state_text(state, why));
	const void *on = load_rlx(&g->wait_on);
	if (state == G_WAITING && since > 0 && os_now() - since >= MINUTE)
		buf_fmt(&b, ", %lld minutes", (long long)((os_now() - since) / MINUTE));
	if (g->locked > (stopped != NULL)) /* preempted: for the time being */
		buf_str(&b, ", locked to thread");
	buf_str(&b, "]");
	char name[sizeof g->name + 1];
	memcpy(name, g->name, sizeof g->name);
	name[sizeof g->name] = 0;
	if (name[0])
		buf_fmt(&b, " \"%s\"", name);
	buf_str(&b, ":\n");

	Walk *w = the_walk();
	if (!w) {
		buf_str(&b, "\tno memory for its stack\n");
	} else if (g == self->g) {
		walk(w, self->regs, self->exact);
		add_frames(&b, w, level);
	} else if (g->foreign) {
		buf_str(&b, "\tin a thread of the program; stack unavailable\n");
	} else if (state == G_RUNNABLE || state == G_WAITING) {
		unw_context_t regs;
		void *sp = load_rlx(&g->sp);
		w->n = 0;
		if (stopped) {
			walk(w, stopped, true);
		} else if (sp) {
			trace_saved_regs(sp, &regs);
			walk(w, &regs, false);
		}
		if (load_acq(&g->stopped) == stopped &&
		    (stopped || (load_rlx(&g->state) == state && load_rlx(&g->sp) == sp)))
			add_frames(&b, w, level);
		else
			buf_str(&b, "\tgoroutine ran on meanwhile; stack unavailable\n");
	} else if (fatal_in_progress() && walk_running(w, g)) {
		add_frames(&b, w, level);
	} else if (state == G_SYSCALL) {
		buf_str(&b, "\tgoroutine is in a system call; stack unavailable\n");
	} else {
		buf_str(&b, "\tgoroutine running on other thread; stack unavailable\n");
	}
	if (state == G_WAITING && on)
		add_waits_on(&b, on);
	add_created(&b, g);
	buf_write(&b, fd);
	buf_free(&b);
	(void)add_rlx(&trace_progress, 1u); /* relaxed: a sign of life */
}

void trace_thread(int fd, const TraceSelf *self, TraceLevel level)
{
	Buf b = {0};
	Walk *w = the_walk();
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
}
