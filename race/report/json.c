/*
 * json.c: a finding as one line of JSON (JSON Lines), with all that is known: docs/report-schema.json.
 * Numbers that are addresses are strings ("0x55..."): JSON's numbers are doubles to many readers.
 */
#include "finding.h"

#include <string.h>

#include "../../runtime/os/os.h"

/* ---- writing ---- */

/* Bytes of one valid UTF-8 sequence at s; 0 when it is none. */
static int utf8(const unsigned char *s)
{
	int n = s[0] < 0x80       ? 1
		: s[0] >> 5 == 6  ? 2
		: s[0] >> 4 == 14 ? 3
		: s[0] >> 3 == 30 ? 4
				  : 0;
	for (int i = 1; i < n; i++)
		if (s[i] >> 6 != 2)
			return 0;
	if ((n == 2 && s[0] < 0xc2) || (n == 3 && s[0] == 0xe0 && s[1] < 0xa0) ||
	    (n == 3 && s[0] == 0xed && s[1] > 0x9f) || (n == 4 && s[0] == 0xf0 && s[1] < 0x90) ||
	    (n == 4 && (s[0] > 0xf4 || (s[0] == 0xf4 && s[1] > 0x8f))))
		return 0;
	return n;
}

static void add_text(Buf *b, const char *s)
{
	buf_str(b, "\"");
	while (*s) {
		int n = utf8((const unsigned char *)s);
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			buf_fmt(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_fmt(b, "\\u%04x", c);
		else if (!n)
			buf_str(b, "\\ufffd"); /* a file name in another encoding */
		else
			buf_add(b, s, (size_t)n);
		s += n ? n : 1;
	}
	buf_str(b, "\"");
}

/* ,"key": */
static void add_key(Buf *b, const char *key)
{
	if (b->n && b->p[b->n - 1] != '{')
		buf_str(b, ",");
	buf_fmt(b, "\"%s\":", key);
}

static void add_pair(Buf *b, const char *key, const char *value)
{
	if (!value)
		return;
	add_key(b, key);
	add_text(b, value);
}

static void add_number(Buf *b, const char *key, uint64_t v)
{
	add_key(b, key);
	buf_fmt(b, "%llu", (unsigned long long)v);
}

static void add_hex(Buf *b, const char *key, uintptr_t v)
{
	add_key(b, key);
	buf_fmt(b, "\"0x%zx\"", (size_t)v);
}

static void add_bool(Buf *b, const char *key, bool v)
{
	add_key(b, key);
	buf_str(b, v ? "true" : "false");
}

/* ---- parts ---- */

static void add_frame(Buf *b, const SymFrame *f)
{
	buf_str(b, "{");
	add_pair(b, "function", f->func);
	if (f->file) {
		add_pair(b, "file", report_path(f->file));
		add_number(b, "line", (uint64_t)f->line);
		if (f->column)
			add_number(b, "column", (uint64_t)f->column);
	}
	if (f->func)
		add_hex(b, "offset", f->func_off);
	if (f->inlined)
		add_bool(b, "inlined", true);
	if (f->module) {
		add_pair(b, "module", f->module);
		add_hex(b, "module_offset", f->module_off);
	}
	buf_str(b, "}");
}

static void add_stack(Buf *b, const char *key, const NamedStack *s)
{
	add_key(b, key);
	buf_str(b, "[");
	for (int i = 0; i < s->n; i++) {
		buf_str(b, i ? "," : "");
		add_frame(b, &s->frames[i]);
	}
	buf_str(b, "]");
}

static void add_access(Buf *b, const Finding *f, int i)
{
	static const char *const words[] = {"read", "write", "read", "write", "free"};
	const ReportAccess *a = &f->report->accesses[i];
	buf_str(b, i ? ",{" : "{");
	add_pair(b, "kind", words[a->kind]);
	add_bool(b, "atomic", a->kind == ACCESS_ATOMIC_READ || a->kind == ACCESS_ATOMIC_WRITE);
	add_hex(b, "address", a->addr);
	add_number(b, "size", a->size);
	if (f->who[i] >= 0)
		add_number(b, "by", (uint64_t)f->who[i]);
	add_key(b, "locks");
	buf_str(b, "[");
	for (int k = 0; k < a->nlocks; k++) {
		buf_str(b, k ? ",{" : "{");
		add_hex(b, "address", a->locks[k].addr);
		add_pair(b, "mode", a->locks[k].mode == LOCK_READ ? "read" : "write");
		if (f->locks[i][k].known) {
			add_key(b, "locked_at");
			add_frame(b, &f->locks[i][k].at);
		}
		buf_str(b, "}");
	}
	buf_str(b, "]");
	add_stack(b, "stack", &f->stacks[i]);
	buf_str(b, "}");
}

static void add_location(Buf *b, const Finding *f)
{
	static const char *const words[] = {"unknown", "global", "heap", "stack"};
	const ReportLocation *l = &f->location;
	add_key(b, "location");
	buf_str(b, "{");
	add_pair(b, "kind", words[l->kind]);
	if (l->kind == LOCATION_GLOBAL && f->has_data) {
		add_pair(b, "name", f->data.name);
		add_hex(b, "address", f->data.start);
		add_number(b, "size", f->data.size);
		if (f->data.file) {
			add_pair(b, "file", report_path(f->data.file));
			add_number(b, "line", (uint64_t)f->data.line);
		}
		add_pair(b, "module", f->data.module);
		add_hex(b, "module_offset", f->data.module_off);
	} else if (l->kind == LOCATION_STACK && f->has_frame) {
		add_pair(b, "function", f->frame.func);
		if (f->has_data) {
			add_pair(b, "name", f->data.name);
			add_hex(b, "address", f->data.start);
			add_number(b, "size", f->data.size);
			if (f->data.file) {
				add_pair(b, "file", report_path(f->data.file));
				add_number(b, "line", (uint64_t)f->data.line);
			}
		}
	} else if (l->start) {
		add_hex(b, "address", l->start);
		add_number(b, "size", l->size);
	}
	if (f->location_who >= 0)
		add_number(
		    b, l->kind == LOCATION_HEAP ? "allocated_by" : "of", (uint64_t)f->location_who);
	if (l->kind == LOCATION_HEAP)
		add_stack(b, "allocated_at", &f->allocated);
	buf_str(b, "}");
}

static void add_who(Buf *b, const NamedWho *w)
{
	buf_str(b, "{");
	add_pair(b, "kind", w->info->is_thread ? "thread" : "goroutine");
	add_number(b, "id", w->info->id);
	add_bool(b, "main", w->info->is_main);
	add_bool(b, "finished", w->finished);
	if (w->name[0])
		add_pair(b, "name", w->name);
	if (w->info->parent) {
		const GInfo *p = race_ginfo(w->info->parent);
		add_pair(b, "parent_kind", p->is_thread ? "thread" : "goroutine");
		add_number(b, "parent_id", p->id);
	}
	add_stack(b, "created_at", &w->created);
	buf_str(b, "}");
}

void json_report(Buf *b, const Finding *f)
{
	static const char *const kinds[] = {"data-race", "use-after-free", "double-free"};
	char id[20];
	for (int i = 0; i < 16; i++)
		id[i] = "0123456789abcdef"[f->fingerprint >> (60 - 4 * i) & 15];
	id[16] = 0;
	buf_str(b, "{");
	add_pair(b, "kind", kinds[f->report->kind]);
	add_pair(b, "fingerprint", id);
	add_key(b, "accesses");
	buf_str(b, "[");
	for (int i = 0; i < f->report->naccesses; i++)
		add_access(b, f, i);
	buf_str(b, "]");
	add_location(b, f);
	add_key(b, "goroutines");
	buf_str(b, "[");
	for (int i = 0; i < f->npeople; i++) {
		buf_str(b, i ? "," : "");
		add_who(b, &f->people[i]);
	}
	buf_str(b, "]}\n");
}

void json_summary(Buf *b, int races, int others, int suppressed, int code)
{
	buf_str(b, "{");
	add_pair(b, "kind", "summary");
	add_number(b, "data_races", (uint64_t)races);
	add_number(b, "others", (uint64_t)others);
	add_number(b, "suppressed", (uint64_t)suppressed);
	add_number(b, "exit_code", (uint64_t)code);
	buf_str(b, "}\n");
}
