/*
 * describe.c: a finding in a line, for formats that have a title and a message: SARIF, annotations.
 */
#include "finding.h"

#include <string.h>

/* "data-race": "Data race" */
static void add_kind(Buf *b, const Finding *f)
{
	for (const char *s = report_kind_id(f->report->kind); *s; s++) {
		bool first = !b->n && *s >= 'a' && *s <= 'z';
		char c = *s == '-' ? ' ' : first ? (char)(*s - 'a' + 'A') : *s;
		buf_add(b, &c, 1);
	}
}

static void add_function(Buf *b, const char *func)
{
	buf_fmt(b, strchr(func, '(') ? "%s" : "%s()", func);
}

void describe_title(Buf *b, const Finding *f)
{
	add_kind(b, f);
	if (f->has_data) {
		buf_fmt(b, " on %s", f->data.field ? f->data.field : f->data.name);
	} else if (f->location.kind == LOCATION_HEAP && f->location.start) {
		buf_fmt(b, " in a heap block of %zu bytes", f->location.size);
	} else if (f->stacks[0].n && f->stacks[0].frames[0].func) {
		buf_str(b, " in ");
		add_function(b, f->stacks[0].frames[0].func);
	}
}

void describe_who(Buf *b, const NamedWho *w)
{
	const char *what = w && w->info->is_thread ? "thread" : "goroutine";
	if (!w)
		buf_str(b, "an unknown goroutine");
	else if (w->info->is_main)
		buf_fmt(b, "main %s", what);
	else
		buf_fmt(b, "%s %llu", what, (unsigned long long)w->info->id);
	if (w && w->name[0] && !w->info->is_main)
		buf_fmt(b, " \"%s\"", w->name);
}

void describe_event(Buf *b, const Finding *f, int i, bool address)
{
	const Report *r = f->report;
	const ReportAccess *a = &r->accesses[i];
	buf_str(b, report_access_word(a->kind));
	if (access_is_lock(a->kind)) {
		buf_str(b, " of mutex");
		if (*f->mutex[i])
			buf_fmt(b, " '%s'", f->mutex[i]);
		if (address)
			buf_fmt(b, " at 0x%012zx", (size_t)a->addr);
	} else if (a->kind == ACCESS_CREATE) {
		const NamedWho *w = &f->people[f->subject];
		buf_str(b, " of ");
		describe_who(b, w);
		buf_str(b, w->finished ? " (finished)" : " (running)");
	} else if (a->kind == ACCESS_CHECK) {
		buf_str(b, " that no mutex is held");
	} else if (a->kind == ACCESS_WAIT) {
		buf_fmt(b, " for ever (%s", r->what);
		if (address && a->addr)
			buf_fmt(b, " on 0x%012zx", (size_t)a->addr);
		buf_str(b, ")");
	} else if (a->kind == ACCESS_CALL) {
		buf_fmt(b, " of %s() in a handler of signal %d", r->what, r->signal);
	} else {
		buf_fmt(b, " of signal %d", r->signal);
	}
}

void describe_access(Buf *b, const Finding *f, int i)
{
	const ReportAccess *a = &f->report->accesses[i];
	const SymFrame *at = finding_place(f, i);
	const NamedStack *s = &f->stacks[i];
	if (i)
		buf_str(b, "previous ");
	if (a->kind <= ACCESS_FREE)
		buf_fmt(b, "%s of size %u by ", report_access_word(a->kind), (unsigned)a->size);
	else {
		describe_event(b, f, i, false);
		buf_str(b, " by ");
	}
	describe_who(b, f->who[i] >= 0 ? &f->people[f->who[i]] : NULL);
	if (s->n && s->frames[0].func) {
		buf_str(b, " in ");
		add_function(b, s->frames[0].func);
	}
	if (at)
		buf_fmt(b, " at %s:%d", report_path(at->file), at->line);
	if (a->nlocks)
		buf_fmt(b, ", holding %d lock%s", a->nlocks, a->nlocks > 1 ? "s" : "");
}
