/*
 * json.c: a finding as one line of JSON (JSON Lines), with all that is known: docs/report-schema.json.
 * Numbers that are addresses are strings ("0x55..."): JSON's numbers are doubles to many readers.
 */
#include "finding.h"
#include "jsonw.h"
#include "schedule.h"

/* ---- parts ---- */

static void add_frame(Buf *b, const SymFrame *f, const char *source)
{
	buf_str(b, "{");
	jsonw_pair(b, "function", f->func);
	if (f->file) {
		jsonw_pair(b, "file", report_path(f->file));
		jsonw_number(b, "line", (uint64_t)f->line);
		if (f->column)
			jsonw_number(b, "column", (uint64_t)f->column);
		jsonw_pair(b, "directory", f->dir);
		if (source && *source)
			jsonw_pair(b, "source", source);
	}
	if (f->func)
		jsonw_hex(b, "offset", f->func_off);
	if (f->inlined)
		jsonw_bool(b, "inlined", true);
	if (f->module) {
		jsonw_pair(b, "module", f->module);
		jsonw_hex(b, "module_offset", f->module_off);
	}
	buf_str(b, "}");
}

/* source: the line of frame `at`; NULL. */
static void add_stack(
    Buf *b, const char *key, const NamedStack *s, const SymFrame *at, const char *source)
{
	jsonw_key(b, key);
	buf_str(b, "[");
	for (int i = 0; i < s->n; i++) {
		buf_str(b, i ? "," : "");
		add_frame(b, &s->frames[i], &s->frames[i] == at ? source : NULL);
	}
	buf_str(b, "]");
}

static void add_access(Buf *b, const Finding *f, int i)
{
	static const char *const words[] = {"read", "write", "read", "write", "free", "lock",
	    "read-lock", "unlock", "read-unlock", "destroy", "create", "call", "handler", "check",
	    "wait"};
	const ReportAccess *a = &f->report->accesses[i];
	buf_str(b, i ? ",{" : "{");
	jsonw_pair(b, "kind", words[a->kind]);
	jsonw_bool(b, "atomic", a->kind == ACCESS_ATOMIC_READ || a->kind == ACCESS_ATOMIC_WRITE);
	jsonw_hex(b, "address", a->addr);
	jsonw_number(b, "size", a->size);
	if (f->who[i] >= 0)
		jsonw_number(b, "by", (uint64_t)f->who[i]);
	jsonw_pair(b, "mutex", *f->mutex[i] ? f->mutex[i] : NULL);
	jsonw_key(b, "locks");
	buf_str(b, "[");
	for (int k = 0; k < a->nlocks; k++) {
		buf_str(b, k ? ",{" : "{");
		jsonw_hex(b, "address", a->locks[k].addr);
		jsonw_pair(b, "mode", a->locks[k].mode == LOCK_READ ? "read" : "write");
		if (f->locks[i][k].known) {
			jsonw_key(b, "locked_at");
			add_frame(b, &f->locks[i][k].at, NULL);
		}
		buf_str(b, "}");
	}
	buf_str(b, "]");
	add_stack(b, "stack", &f->stacks[i], finding_place(f, i), f->source[i]);
	buf_str(b, "}");
}

static void add_location(Buf *b, const Finding *f)
{
	static const char *const words[] = {"unknown", "global", "heap", "stack", "tls"};
	const ReportLocation *l = &f->location;
	jsonw_key(b, "location");
	buf_str(b, "{");
	jsonw_pair(b, "kind", words[l->kind]);
	if ((l->kind == LOCATION_GLOBAL || l->kind == LOCATION_TLS) && f->has_data) {
		jsonw_pair(b, "name", f->data.name);
		jsonw_pair(b, "field", f->data.field);
		jsonw_hex(b, "address", f->data.start);
		jsonw_number(b, "size", f->data.size);
		if (f->data.file) {
			jsonw_pair(b, "file", report_path(f->data.file));
			jsonw_number(b, "line", (uint64_t)f->data.line);
		}
		jsonw_pair(b, "module", f->data.module);
		if (l->kind == LOCATION_GLOBAL)
			jsonw_hex(b, "module_offset", f->data.module_off);
	} else if (l->kind == LOCATION_STACK && f->has_frame) {
		jsonw_pair(b, "function", f->frame.func);
		if (f->has_data) {
			jsonw_pair(b, "name", f->data.name);
			jsonw_pair(b, "field", f->data.field);
			jsonw_hex(b, "address", f->data.start);
			jsonw_number(b, "size", f->data.size);
			if (f->data.file) {
				jsonw_pair(b, "file", report_path(f->data.file));
				jsonw_number(b, "line", (uint64_t)f->data.line);
			}
		}
	} else if (l->start) {
		jsonw_hex(b, "address", l->start);
		jsonw_number(b, "size", l->size);
		if (l->kind == LOCATION_HEAP)
			jsonw_number(b, "offset", finding_offset(f));
	} else if (l->kind == LOCATION_HEAP && l->size) {
		jsonw_number(b, "size", l->size);
	}
	if (f->location_who >= 0)
		jsonw_number(
		    b, l->kind == LOCATION_HEAP ? "allocated_by" : "of", (uint64_t)f->location_who);
	if (l->kind == LOCATION_HEAP)
		add_stack(b, "allocated_at", &f->allocated, NULL, NULL);
	buf_str(b, "}");
}

static void add_who(Buf *b, const Finding *f, const NamedWho *w)
{
	buf_str(b, "{");
	jsonw_pair(b, "kind", w->info->is_thread ? "thread" : "goroutine");
	jsonw_number(b, "id", w->info->id);
	jsonw_bool(b, "main", w->info->is_main);
	jsonw_bool(b, "finished", w->finished);
	if (w->name[0])
		jsonw_pair(b, "name", w->name);
	if (w->info->parent) {
		const GInfo *p = race_ginfo(w->info->parent);
		jsonw_pair(b, "parent_kind", p->is_thread ? "thread" : "goroutine");
		jsonw_number(b, "parent_id", p->id);
	}
	if (w->parent)
		jsonw_number(b, "parent", (uint64_t)(w->parent - f->people));
	add_stack(b, "created_at", &w->created, NULL, NULL);
	buf_str(b, "}");
}

void json_report(Buf *b, const Finding *f)
{
	char id[20];
	for (int i = 0; i < 16; i++)
		id[i] = "0123456789abcdef"[f->fingerprint >> (60 - 4 * i) & 15];
	id[16] = 0;
	buf_str(b, "{");
	jsonw_pair(b, "kind", report_kind_id(f->report->kind));
	jsonw_pair(b, "fingerprint", id);
	if (f->subject >= 0)
		jsonw_number(b, "subject", (uint64_t)f->subject);
	if (f->report->more)
		jsonw_number(b, "more", (uint64_t)f->report->more);
	if (f->report->signal)
		jsonw_number(b, "signal", (uint64_t)f->report->signal);
	jsonw_pair(b, "call", f->report->what);
	jsonw_key(b, "accesses");
	buf_str(b, "[");
	for (int i = 0; i < f->report->naccesses; i++)
		add_access(b, f, i);
	buf_str(b, "]");
	add_location(b, f);
	jsonw_key(b, "goroutines");
	buf_str(b, "[");
	for (int i = 0; i < f->npeople; i++) {
		buf_str(b, i ? "," : "");
		add_who(b, f, &f->people[i]);
	}
	buf_str(b, "]");
	schedule_json(b);
	buf_str(b, "}\n");
}

void json_summary(Buf *b, int races, int others, int suppressed, int code)
{
	buf_str(b, "{");
	jsonw_pair(b, "kind", "summary");
	jsonw_number(b, "data_races", (uint64_t)races);
	jsonw_number(b, "others", (uint64_t)others);
	jsonw_number(b, "suppressed", (uint64_t)suppressed);
	jsonw_number(b, "exit_code", (uint64_t)code);
	schedule_json(b);
	buf_str(b, "}\n");
}
