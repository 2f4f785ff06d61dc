/*
 * report.c: from a finding to a printed report, once each.
 *
 * One report at a time, under the report lock; the work is done on a private stack of 1 MiB, because
 * libdw wants more than a goroutine may have left. Before anything slow the cheap question: did we
 * report this pair of stacks, or this address, already (seen.c)?
 *
 * This file never parks, never calls the program but for __tsan_on_report
 * (outside the lock), and a thread that comes back into it from within is sent away.
 */
#include "report.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/base/fatal.h"
#include "../../runtime/base/frame.h"
#include "../../runtime/os/onstack.h"
#include "../../runtime/os/os.h"
#include "../options/flags.h"
#include "finding.h"
#include "output.h"
#include "schedule.h"
#include "seen.h"
#include "suppress.h"

#define STACK_BYTES ((size_t)1 << 20)
#define PCS_MAX     256  /* of a stack shown; recursion deeper than that is cut, and said */
#define FRAMES_MAX  8192 /* of a whole report, inlined ones included: 600 KiB, once */

static Lock report_lock = LOCK_INIT(RACE_REPORT);
static __thread bool inside; /* this thread holds report_lock */

static struct {
	char *stack;
	SymFrame *frames;
	int nframes;
	int races, heap, misuses; /* printed */
	int suppressed;
	bool limit_said;
	bool ended; /* report_fini has said its last words */
} state;            /* report_lock */

/* Its words, by kind: kinds.h. */
static const struct {
	const char *title, *id, *supp, *summary;
} words[REPORT_KINDS] = {
#define KIND_(name, title, id, supp, summary) {title, id, supp, summary},
    REPORT_KINDS_LIST(KIND_)
#undef KIND_
};

const char *report_kind_text(ReportKind k)
{
	return words[k].title;
}

const char *report_kind_id(ReportKind k)
{
	return words[k].id;
}

const char *report_kind_supp(ReportKind k)
{
	return words[k].supp;
}

const char *report_kind_summary(ReportKind k)
{
	return words[k].summary;
}

/* Wanted, by the keys that turn kinds off. */
static bool is_on(ReportKind k)
{
	switch (k) {
	case REPORT_USE_AFTER_FREE:
	case REPORT_DOUBLE_FREE:
		return flags.report_use_after_free;
	case REPORT_VPTR_RACE:
		return flags.report_vptr_races;
	case REPORT_LOCK_ORDER:
	case REPORT_READ_AGAIN:
		return flags.detect_deadlocks;
	case REPORT_DOUBLE_LOCK:
	case REPORT_BAD_READ_LOCK:
	case REPORT_BAD_UNLOCK:
	case REPORT_FOREIGN_UNLOCK:
	case REPORT_BAD_READ_UNLOCK:
	case REPORT_BAD_WRITE_UNLOCK:
	case REPORT_DEAD_MUTEX:
	case REPORT_MUTEX_HELD:
		return flags.report_mutex_bugs;
	case REPORT_DESTROY_LOCKED:
		return flags.report_destroy_locked;
	case REPORT_THREAD_LEAK:
		return flags.report_thread_leaks;
	case REPORT_SIGNAL_UNSAFE:
		return flags.report_signal_unsafe;
	case REPORT_SIGNAL_ERRNO:
		return flags.report_signal_errno;
	case REPORT_GOROUTINE_LEAK:
		return flags.leaks;
	case REPORT_RACE:
	case REPORT_KINDS:
		break;
	}
	return true;
}

static bool is_known(const Report *r)
{
	int supp;
	if (!seen_is_known(r, &supp))
		return false;
	if (supp) {
		supp_hit(supp);
		state.suppressed++;
		race_count(suppressed);
	}
	return true;
}

/* ---- names ---- */

static int add_frames(uintptr_t pc)
{
	int room = FRAMES_MAX - state.nframes;
	if (room <= 0)
		return 0;
	SymFrame *f = &state.frames[state.nframes];
	int n = sym_frames(pc, true, f, room);
	if (!flags.symbolize)
		for (int i = 0; i < n; i++) {
			f[i].func = f[i].file = f[i].dir = NULL;
			f[i].inlined = false;
		}
	state.nframes += n;
	return n;
}

static NamedStack name_stack(StackId id)
{
	static uintptr_t pcs[PCS_MAX + 1]; /* report_lock */
	NamedStack s = {.frames = &state.frames[state.nframes]};
	if (!id)
		return s;
	int n = context_pcs(id, pcs, PCS_MAX + 1);
	s.cut = n > PCS_MAX;
	for (int i = 0; i < n && i < PCS_MAX; i++)
		s.n += add_frames(pcs[i]);
	/* What calls the program's handlers says nothing to the reader: signals are named elsewhere. */
	int n_shown = 0;
	for (int i = 0; i < s.n; i++)
		if (!s.frames[i].own || !s.frames[i].func || strcmp(s.frames[i].func, "on_signal"))
			s.frames[n_shown++] = s.frames[i];
	s.n = n_shown;
	/* goro's own wrappers on top say nothing to the reader, as long as a frame of theirs is left. */
	int own = 0;
	while (own < s.n && s.frames[own].own)
		own++;
	if (own < s.n) {
		s.frames += own;
		s.n -= own;
	}
	return s;
}

static int name_who(Finding *f, uint32_t ginfo)
{
	if (!ginfo)
		return -1;
	for (int i = 0; i < f->npeople; i++)
		if (f->people[i].ginfo == ginfo)
			return i;
	NamedWho *w = &f->people[f->npeople];
	w->info = race_ginfo(ginfo);
	w->ginfo = ginfo;
	w->finished = load_rlx(&w->info->finished); /* relaxed: a word in the report */
	memcpy(w->name, w->info->name, sizeof w->name);
	w->name[sizeof w->name - 1] = 0;
	if (!w->info->is_main)
		w->created = name_stack(w->info->created_at);
	return f->npeople++;
}

/* The creators of those who are there, and theirs, up to main. */
static void name_creators(Finding *f)
{
	for (int i = 0; i < f->npeople; i++) {
		NamedWho *w = &f->people[i];
		if (!w->info->is_main && w->info->parent && f->npeople < PEOPLE_MAX)
			w->parent = &f->people[name_who(f, w->info->parent)];
	}
}

const SymFrame *finding_place(const Finding *f, int i)
{
	for (int k = 0; k < f->stacks[i].n; k++)
		if (f->stacks[i].frames[k].file)
			return &f->stacks[i].frames[k];
	return NULL;
}

size_t finding_offset(const Finding *f)
{
	const ReportLocation *l = &f->location;
	uintptr_t at = f->report->accesses[0].addr - l->start;
	return l->kind == LOCATION_HEAP && l->start && at < l->size ? at : 0;
}

static void name_locks(Finding *f, int i)
{
	const ReportAccess *a = &f->report->accesses[i];
	for (int k = 0; k < a->nlocks && k < REPORT_MAX_LOCKS; k++) {
		int at = state.nframes;
		NamedStack s = name_stack(a->locks[k].locked_at);
		f->locks[i][k].known = s.n > 0;
		if (s.n)
			f->locks[i][k].at = s.frames[0];
		state.nframes = at; /* only its first frame is shown */
	}
}

/* The function, and its variable, that an address on a stack belongs to. */
static void name_frame(Finding *f, uintptr_t addr)
{
	StackFrame at;
	SymFrame frames[16];
	if (!flags.symbolize || !frame_find(addr, &at))
		return;
	int n = sym_frames(at.pc, !at.exact, frames, 16);
	f->frame = frames[n - 1]; /* inlined functions have no frame of their own */
	f->has_frame = f->frame.func != NULL && !f->frame.own;
	f->has_data = f->has_frame && sym_local(at.pc - !at.exact, at.cfa, addr,
					  f->report->accesses[0].size, &f->data);
}

/* What the report's first address is. */
static void name_location(Finding *f, uintptr_t addr)
{
	if (f->location.kind == LOCATION_UNKNOWN)
		location_find(addr, &f->location);
	if (f->location.kind == LOCATION_UNKNOWN || f->location.kind == LOCATION_GLOBAL) {
		f->has_data =
		    flags.symbolize && sym_data(addr, f->report->accesses[0].size, &f->data);
		f->location.kind = f->has_data ? LOCATION_GLOBAL : LOCATION_UNKNOWN;
	}
	if (f->location.kind == LOCATION_STACK)
		name_frame(f, addr);
	if (f->location.kind == LOCATION_TLS && f->location.module) {
		f->has_data =
		    flags.symbolize && sym_thread_local(f->location.module, f->location.offset,
					   f->report->accesses[0].size, &f->data);
		f->data.start += addr - f->location.offset;
	}
	if (f->location.kind != LOCATION_UNKNOWN && f->location.kind != LOCATION_GLOBAL)
		f->location_who = name_who(f, f->location.ginfo);
	if (f->location.kind == LOCATION_HEAP)
		f->allocated = name_stack(f->location.allocated_at);
}

/* The variable that a lock is, or is part of: "account.mu". Its inside is the library's. */
static void name_mutex(Finding *f, int i)
{
	static const char *const within[] = {".__data", ".__size", "._M_", ".w.state", ".state"};
	SymData data;
	const ReportAccess *a = &f->report->accesses[i];
	if (!access_is_lock(a->kind) || !flags.symbolize || !sym_data(a->addr, 1, &data))
		return;
	snprintf(f->mutex[i], MUTEX_NAME_MAX, "%s", data.field ? data.field : data.name);
	for (size_t k = 0; k < sizeof within / sizeof *within; k++) {
		char *cut = strstr(f->mutex[i], within[k]);
		if (cut)
			*cut = 0;
	}
}

static void name_finding(Finding *f, const Report *r)
{
	state.nframes = 0;
	*f = (Finding){.report = r, .location = r->location, .location_who = -1, .subject = -1};
	for (int i = 0; i < r->naccesses; i++) {
		f->stacks[i] = name_stack(r->accesses[i].stack);
		f->who[i] = name_who(f, r->accesses[i].ginfo);
		name_locks(f, i);
		name_mutex(f, i);
	}
	f->subject = name_who(f, r->subject);
	if (r->accesses[0].kind <= ACCESS_DESTROY ||
	    (r->accesses[0].kind == ACCESS_WAIT && r->accesses[0].addr))
		name_location(f, r->accesses[0].addr);
	if (access_is_lock(r->accesses[0].kind))
		f->data.field = NULL; /* which part of it, f->mutex says better */
	name_creators(f);
	for (int i = 0; flags.source && i < r->naccesses; i++)
		if (finding_place(f, i))
			source_line(finding_place(f, i), f->source[i]);
	f->fingerprint = fingerprint(f);
}

/* ---- one report ---- */

/* TSan's: told of each report in a line. */
extern void __sanitizer_report_error_summary(const char *text) __attribute__((weak));

typedef struct Emission {
	const Report *report;
	bool printed;
	ReportTold told;
	char summary[300]; /* a line */
} Emission;

static void emit(void *arg)
{
	static Finding f; /* report_lock */
	Emission *e = arg;
	const Report *r = e->report;
	bool by_stack;
	name_finding(&f, r);
	int supp = supp_match(&f, &by_stack);
	if (supp) {
		state.suppressed++;
		race_count(suppressed);
		if (by_stack)
			seen_suppressed(r, supp);
		return;
	}
	seen_printed(r);
	output_finding(&f);
	if (race_seed) {
		for (int i = 0; i < r->naccesses && report_is_of_memory(r->kind); i++)
			race_seed->found(r->accesses[i].addr, r->accesses[i].size);
		race_seed->end(flags.halt_on_error);
	}
	if (r->kind == REPORT_RACE || r->kind == REPORT_VPTR_RACE)
		state.races++;
	else if (report_is_of_memory(r->kind))
		state.heap++;
	else
		state.misuses++;
	race_count(reports);
	e->printed = true;
	if (__sanitizer_report_error_summary) {
		const SymFrame *at = finding_place(&f, 0);
		snprintf(e->summary, sizeof e->summary, "SUMMARY: goro: %s %s:%d in %s",
		    report_kind_id(r->kind), at ? report_path(at->file) : "??", at ? at->line : 0,
		    f.stacks[0].n && f.stacks[0].frames[0].func ? f.stacks[0].frames[0].func
								: "??");
	}
	e->told = (ReportTold){r, f.location};
	if (f.has_data && f.location.kind != LOCATION_STACK) {
		e->told.location.start = f.data.start;
		e->told.location.size = f.data.size;
	}
	if (flags.halt_on_error) {
		output_end(&(Totals){.code = flags.exitcode}, true);
		state.ended = true; /* others report no more */
	}
}

static bool at_limit(void)
{
	if (!flags.max_reports || state.races + state.heap + state.misuses < flags.max_reports)
		return false;
	if (!state.limit_said)
		print_fd(2, "goro: max_reports=%d is reached: further reports are left out\n",
		    flags.max_reports);
	state.limit_said = true;
	return true;
}

/* Nobody is cancelled while he holds our locks: files are read and written, by calls of libc that are points. Who may be
 * cancelled anywhere may be again only when the detector is done. */
typedef struct Stay {
	int state, type;
} Stay;

static Stay stay(void)
{
	Stay s = {.type = PTHREAD_CANCEL_DEFERRED};
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &s.type);
	s.state = sym_shield();
	return s;
}

/* No lock held. */
static void may_go(Stay s)
{
	sym_unshield(s.state);
	if (s.type == PTHREAD_CANCEL_DEFERRED)
		return;
	if (!race_asynchronous_later())
		pthread_setcanceltype(s.type, NULL);
}

void report_init(void)
{
	static Lock once = LOCK_INIT(NONE);
	static bool done;    /* written under once */
	if (load_acq(&done)) /* pairs with store_rel below */
		return;
	Stay s = stay();
	lock(&once);
	if (!done) {
		sym_busy++;
		flags_init();
		supp_init();
		sym_busy--;
		store_rel(&done, true);
	}
	unlock(&once);
	may_go(s);
}

static __thread Stay staying; /* while this thread is inside */

static void enter(void)
{
	Stay s = stay();
	lock(&report_lock);
	staying = s;
	inside = true;
	sym_busy++;
}

static void leave(void)
{
	sym_busy--;
	inside = false;
	unlock(&report_lock);
	may_go(staying);
}

static __thread const ReportTold *current; /* while the callback runs */

const ReportTold *report_current(void)
{
	return current;
}

/* TSan's: told of each report that was printed. */
extern void __tsan_on_report(void *report) __attribute__((weak));

/* Run fn on the report's own stack. The lock is held. */
static void on_own_stack(void (*fn)(void *), void *arg)
{
	if (!state.stack)
		state.stack = os_map(STACK_BYTES);
	if (state.stack)
		os_call_on_stack(state.stack + STACK_BYTES, fn, arg);
	else
		fn(arg);
}

/* Of __sanitizer_set_death_callback. */
static void (*death)(void); /* atomic */

void report_on_death(void (*fn)(void))
{
	store_rel(&death, fn); /* pairs with swap_ar in die */
}

/* Once, with no lock held. */
static void die(void)
{
	void (*fn)(void) = swap_ar(&death, (void (*)(void))NULL);
	if (fn)
		fn();
}

void report_emit(const Report *r)
{
	if (inside)
		return;
	int error = os_errno();
	report_init();
	if (!flags.report_bugs || r->naccesses < 1 || !is_on(r->kind))
		return;
	enter();
	Emission e = {.report = r};
	if (!state.ended && !is_known(r) && !at_limit()) {
		if (!state.frames)
			state.frames = race_alloc(FRAMES_MAX * sizeof *state.frames);
		on_own_stack(emit, &e);
	}
	leave();
	if (e.printed && __sanitizer_report_error_summary)
		__sanitizer_report_error_summary(e.summary);
	if (e.printed && __tsan_on_report) {
		current = &e.told;
		__tsan_on_report(&e.told);
		current = NULL;
	}
	if (e.printed && flags.halt_on_error) {
		die();
		os_exit(flags.exitcode);
	}
	os_set_errno(error);
}

bool report_alone(void (*fn)(void *), void *arg)
{
	if (inside)
		return false;
	int error = os_errno();
	enter();
	on_own_stack(fn, arg);
	leave();
	os_set_errno(error);
	return true;
}

/* ---- the end ---- */

static bool lingered; /* atomic */

void report_linger(void)
{
	report_init();
	if (race_seed) /* the run's own clock: the scheduler has seen to it */
		return;
	int64_t until = os_now() + (int64_t)flags.atexit_sleep_ms * 1000000;
	if (fatal_in_progress() ||
	    swap_ar(&lingered, true)) /* fatal: those who live will not go on */
		return;
	while (os_now() < until && ctx_others_live())
		os_sleep(INT64_C(2000000));
}

void report_forked(void)
{
	state.races = state.heap = state.misuses = state.suppressed = 0;
	state.limit_said = state.ended = false;
	store_rlx(&race_stats.reports, (uint64_t)0); /* relaxed: one thread */
	output_forked();
	store_rlx(&lingered, true); /* relaxed: one thread; those it could wait for stayed behind */
}

/* On the report's own stack: what writes files (output.c) uses libc's calls, and those, made on the stack
 * of a goroutine, give its P away and may park. */
static void last_words(void *arg)
{
	const int code = *(const int *)arg;
	Buf b = {0};
	output_end(&(Totals){state.races, state.heap, state.misuses, .suppressed = state.suppressed,
		       .code = code},
	    false);
	if (flags.format == FORMAT_TEXT && fatal_in_progress())
		schedule_text(&b);
	if (flags.print_suppressions)
		supp_summary(&b);
	uint64_t lost = load_rlx(&race_stats.lost_memory);
	if (lost)
		buf_fmt(&b, "goro: %llu accesses went unchecked: no memory for their shadow\n",
		    (unsigned long long)lost);
	shed_text(&b);
	if (race_is_blind())
		buf_str(&b, "goro: out of memory: the detector stopped before the end, races after "
			    "that were missed\n");
	if (flags.stats)
		stats_text(&b);
	if (b.n)
		buf_write(&b, 2);
	buf_free(&b);
}

/* TSan's: the process ends, failed or not; the answer counts in its place. */
extern int __tsan_on_finalize(int failed) __attribute__((weak));

static bool has_failed(void)
{
	static bool asked, said; /* atomic: the callback may end the process itself */
	bool failed = load_rlx(&race_stats.reports) != 0; /* relaxed: ours are counted before */
	if (!__tsan_on_finalize || inside)
		return failed;
	if (swap_ar(&asked, true))
		return load_acq(&said); /* pairs with store_rel below */
	store_rel(&said, failed);
	store_rel(&said, __tsan_on_finalize(failed) != 0);
	return load_acq(&said);
}

int report_fini(int code)
{
	report_init();
	if (!inside)
		report_linger();
	bool failed = has_failed();
	bool mine = !inside; /* a failure within a report ends here too */
	if (mine)
		enter();
	/* Another's may have been under way: it is counted by now. */
	if (!__tsan_on_finalize && load_rlx(&race_stats.reports) != 0)
		failed = true;
	if (failed && flags.exitcode)
		code = flags.exitcode;
	if (!state.ended) {
		state.ended = true;
		if (mine)
			on_own_stack(last_words, &code);
		else
			last_words(&code); /* we are on it */
		if (race_seed)
			race_seed->end(true);
	}
	if (mine)
		leave();
	if (mine && failed && flags.exitcode)
		die();
	return code;
}
