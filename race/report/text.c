/*
 * text.c: a finding in the look of Go's race reports, which tools and people read already.
 *
 * Rules a reader of it may rely on: a report stands between two rules of 18 '='; a block is a head line
 * that ends with ':' (Location may have no frames, then there is none) and frames of two lines: two
 * spaces and `function()`, six spaces and `file:line +0xoffset`; blank lines part the blocks.
 */
#include "finding.h"
#include "schedule.h"

#include <string.h>

#include "../options/flags.h"

static const char rule[] = "==================\n";

static void add_frame(Buf *b, const SymFrame *f)
{
	if (f->func) {
		/* C++ names bring their own parentheses. */
		buf_fmt(b, strchr(f->func, '(') ? "  %s\n" : "  %s()\n", f->func);
	} else if (f->module) {
		const char *slash = strrchr(f->module, '/');
		buf_fmt(b, "  %s+0x%zx()\n", slash ? slash + 1 : f->module, (size_t)f->module_off);
	} else {
		buf_str(b, "  ?()\n");
	}
	if (f->file)
		buf_fmt(
		    b, "      %s:%d +0x%zx\n", report_path(f->file), f->line, (size_t)f->func_off);
	else if (f->module)
		buf_fmt(b, "      %s +0x%zx\n", report_path(f->module), (size_t)f->module_off);
	else
		buf_str(b, "      ?\n");
}

static void add_stack(Buf *b, const NamedStack *s)
{
	if (!s->n)
		buf_str(b, "  [failed to restore the stack]\n");
	for (int i = 0; i < s->n; i++)
		add_frame(b, &s->frames[i]);
	if (s->cut)
		buf_fmt(b, "  [%d outer frames left out]\n", s->cut);
}

static void add_who(Buf *b, const NamedWho *w, bool name)
{
	if (!w)
		buf_str(b, "goroutine 0 (unknown)");
	else if (w->info->is_main)
		buf_fmt(b, "main %s", w->info->is_thread ? "thread" : "goroutine");
	else
		buf_fmt(b, "%s %llu", w->info->is_thread ? "thread" : "goroutine",
		    (unsigned long long)w->info->id);
	if (w && name && w->name[0] && !w->info->is_main)
		buf_fmt(b, " \"%s\"", w->name);
}

static const NamedWho *who(const Finding *f, int i)
{
	return i >= 0 ? &f->people[i] : NULL;
}

static void add_locks(Buf *b, const Finding *f, int i)
{
	const ReportAccess *a = &f->report->accesses[i];
	if (!a->nlocks)
		return;
	buf_str(b, " (holding");
	for (int k = 0; k < a->nlocks; k++) {
		const NamedLock *l = &f->locks[i][k];
		buf_fmt(b, "%s mutex 0x%012zx", k ? "," : "", (size_t)a->locks[k].addr);
		buf_str(b, a->locks[k].mode == LOCK_READ ? " read-locked" : " locked");
		if (l->known && l->at.file)
			buf_fmt(b, " at %s:%d", report_path(l->at.file), l->at.line);
		else if (l->known && l->at.func)
			buf_fmt(b, " in %s", l->at.func);
	}
	buf_str(b, ")");
}

static const char *const access_words[] = {"read", "write", "atomic read", "atomic write", "free",
    "lock", "read lock", "unlock", "read unlock", "destruction", "creation", "call", "handler",
    "check", "wait"};

const char *report_access_word(AccessKind k)
{
	return access_words[k];
}

/* Of locks, threads, signals. */
static void add_event(Buf *b, const Finding *f, int i)
{
	size_t at = b->n;
	describe_event(b, f, i, true);
	if (i == 0 && b->n > at)
		b->p[at] = (char)(b->p[at] - 'a' + 'A');
	buf_str(b, " by ");
}

static void add_access(Buf *b, const Finding *f, int i)
{
	static const char *const first[] = {"Read", "Write", "Atomic read", "Atomic write", "Free"};
	const ReportAccess *a = &f->report->accesses[i];
	if (i)
		buf_str(b, "\nPrevious ");
	if (a->kind <= ACCESS_FREE)
		buf_fmt(b, "%s of size %u at 0x%012zx by ", (i ? access_words : first)[a->kind],
		    (unsigned)a->size, (size_t)a->addr);
	else
		add_event(b, f, i);
	add_who(b, who(f, f->who[i]), true);
	add_locks(b, f, i);
	buf_str(b, ":\n");
	add_stack(b, &f->stacks[i]);
}

static void add_location(Buf *b, const Finding *f)
{
	const ReportLocation *l = &f->location;
	switch (l->kind) {
	case LOCATION_GLOBAL:
		if (!f->has_data)
			return;
		buf_fmt(b, "\nLocation is global '%s' of size %zu at 0x%012zx", f->data.name,
		    f->data.size, (size_t)f->data.start);
		if (f->data.field)
			buf_fmt(b, ", in '%s',", f->data.field);
		if (f->data.file)
			buf_fmt(b, " defined at %s:%d", report_path(f->data.file), f->data.line);
		if (f->data.module) {
			const char *slash = strrchr(f->data.module, '/');
			buf_fmt(b, " (%s+0x%zx)", slash ? slash + 1 : f->data.module,
			    (size_t)f->data.module_off);
		}
		buf_str(b, "\n");
		return;
	case LOCATION_HEAP:
		buf_str(b, "\nLocation is heap block");
		if (l->start)
			buf_fmt(b, " of size %zu at 0x%012zx", l->size, (size_t)l->start);
		else if (l->size)
			buf_fmt(b, " of size %zu", l->size);
		if (finding_offset(f))
			buf_fmt(b, ", at offset %zu,", finding_offset(f));
		buf_str(b, " allocated ");
		if (f->location_who >= 0) {
			buf_str(b, "by ");
			add_who(b, who(f, f->location_who), true);
			buf_str(b, ":\n");
		} else {
			buf_str(b, "at:\n");
		}
		add_stack(b, &f->allocated);
		return;
	case LOCATION_STACK:
		buf_str(b, "\nLocation is stack of ");
		add_who(b, who(f, f->location_who), true);
		if (f->has_data)
			buf_fmt(b, ", variable '%s' of size %zu", f->data.name, f->data.size);
		if (f->has_data && f->data.field)
			buf_fmt(b, ", in '%s',", f->data.field);
		if (!f->has_data && f->has_frame)
			buf_str(b, ", frame");
		if (f->has_frame)
			buf_fmt(
			    b, strchr(f->frame.func, '(') ? " of %s" : " of %s()", f->frame.func);
		if (f->has_data && f->data.file)
			buf_fmt(b, " at %s:%d", report_path(f->data.file), f->data.line);
		buf_str(b, "\n");
		return;
	case LOCATION_TLS:
		buf_str(b, "\nLocation is thread-local ");
		if (f->has_data)
			buf_fmt(b, "'%s' of size %zu at 0x%012zx", f->data.name, f->data.size,
			    (size_t)f->data.start);
		else
			buf_str(b, "storage");
		if (f->has_data && f->data.field)
			buf_fmt(b, ", in '%s',", f->data.field);
		buf_str(b, " of ");
		if (f->location_who >= 0 && !who(f, f->location_who)->info->is_thread)
			buf_str(b, "the thread that runs ");
		if (f->location_who >= 0)
			add_who(b, who(f, f->location_who), true);
		else
			buf_str(b, "a thread");
		if (f->has_data && f->data.file)
			buf_fmt(b, " defined at %s:%d", report_path(f->data.file), f->data.line);
		buf_str(b, "\n");
		return;
	case LOCATION_UNKNOWN:
		return;
	}
}

/* In the shape of frames, so that readers of those pass over it. */
static void add_source(Buf *b, const Finding *f)
{
	bool head = false;
	for (int i = 0; i < f->report->naccesses; i++) {
		const SymFrame *at = finding_place(f, i);
		bool again = false;
		for (int k = 0; k < i; k++) {
			const SymFrame *was = finding_place(f, k);
			again |= at && was && was->line == at->line && !strcmp(was->file, at->file);
		}
		if (!f->source[i][0] || again)
			continue;
		buf_str(b, head ? "" : "\nSource:\n");
		buf_fmt(b, "  %s\n      %s:%d\n", f->source[i], report_path(at->file), at->line);
		head = true;
	}
}

static void add_lock(Buf *b, const Finding *f, int i)
{
	if (*f->mutex[i])
		buf_fmt(b, "'%s' ", f->mutex[i]);
	buf_fmt(b, "0x%012zx", (size_t)f->report->accesses[i].addr);
}

/* Each waits for the next: the locks of the odd accesses (report.h), and the first again. */
static void add_cycle(Buf *b, const Finding *f)
{
	const Report *r = f->report;
	buf_str(b, "Cycle of locks: ");
	for (int i = 1; i < r->naccesses - r->between; i += 2) {
		add_lock(b, f, i);
		buf_str(b, " => ");
	}
	if (r->more)
		buf_fmt(b, "(%d more) => ", r->more);
	add_lock(b, f, 1);
	buf_str(b, "\n\n");
}

void text_report(Buf *b, const Finding *f)
{
	buf_str(b, rule);
	buf_fmt(b, "WARNING: %s\n", report_kind_text(f->report->kind));
	if (f->report->kind == REPORT_LOCK_ORDER)
		add_cycle(b, f);
	for (int i = 0; i < f->report->naccesses; i++)
		add_access(b, f, i);
	add_location(b, f);
	add_source(b, f);
	for (int i = 0; i < f->npeople; i++) {
		const NamedWho *w = &f->people[i];
		if (w->info->is_main || !w->created.n || i == f->subject)
			continue; /* the subject's is shown above */
		buf_fmt(b, "\n%s %llu (%s) created at:\n",
		    w->info->is_thread ? "Thread" : "Goroutine", (unsigned long long)w->info->id,
		    w->finished ? "finished" : "running");
		add_stack(b, &w->created);
		if (w->parent && !w->parent->info->is_main) {
			buf_str(b, "  [in ");
			add_who(b, w->parent, true);
			buf_str(b, "]\n");
		}
	}
	if (f->report->kind == REPORT_GOROUTINE_LEAK && f->report->more)
		buf_fmt(b, "\nAnd %d more that wait there.\n", f->report->more);
	if (f->report->kind == REPORT_THREAD_LEAK && f->report->more)
		buf_fmt(b, "\nAnd %d more that were created there.\n", f->report->more);
	shed_text(b);
	schedule_text(b);
	buf_str(b, rule);
}

void text_summary(Buf *b, int races, int heap, int misuses)
{
	if (!races && !heap && !misuses)
		return;
	buf_fmt(b, "Found %d data race(s)", races);
	if (heap)
		buf_fmt(b, ", %d heap error(s)", heap);
	if (misuses)
		buf_fmt(b, ", %d misuse(s)", misuses);
	buf_str(b, "\n");
}

const char *report_path(const char *file)
{
	size_t n = flags.strip_path_prefix ? strlen(flags.strip_path_prefix) : 0;
	return n && !strncmp(file, flags.strip_path_prefix, n) ? file + n : file;
}
