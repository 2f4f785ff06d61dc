/*
 * ask.c: what the program asks of the symbolizer and of the output, apart from any report: TSan's calls
 * (abi/query.c, abi/sanitizer.c). Each runs alone, like a report (report_alone).
 */
#include "ask.h"

#include <string.h>

#include "../options/flags.h"
#include "finding.h"
#include "output.h"

#define FRAMES 64 /* inlined into each other; of a stack's pcs */

/* ---- an address ---- */

typedef struct Question {
	uintptr_t addr;
	ReportLocation *out;
	SymData *data;
} Question;

static void locate(void *arg)
{
	Question *q = arg;
	location_find(q->addr, q->out);
	if (q->out->kind == LOCATION_UNKNOWN && q->data && sym_data(q->addr, 1, q->data))
		*q->out = (ReportLocation){
		    .kind = LOCATION_GLOBAL, .start = q->data->start, .size = q->data->size};
}

void report_locate(uintptr_t addr, ReportLocation *out, SymData *data)
{
	*out = (ReportLocation){.kind = LOCATION_UNKNOWN};
	report_alone(locate, &(Question){addr, out, data});
}

/* ---- code and data by a format ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void add_module(Buf *b, const char *module, uintptr_t off)
{
	buf_fmt(b, "(%s+0x%zx)", module ? base_name(module) : "??", (size_t)off);
}

static void add_place(Buf *b, const char *file, int line, int column)
{
	buf_str(b, report_path(file));
	if (line)
		buf_fmt(b, ":%d", line);
	if (line && column)
		buf_fmt(b, ":%d", column);
}

/* TSan's stack_trace_format. */
static void add_formatted(Buf *b, const char *fmt, uintptr_t pc, int number, const SymFrame *f)
{
	for (const char *p = fmt; *p; p++) {
		if (*p != '%' || !p[1]) {
			buf_add(b, p, 1);
			continue;
		}
		switch (*++p) {
		case 'n':
			buf_fmt(b, "%d", number);
			break;
		case 'p':
			buf_fmt(b, "0x%zx", (size_t)pc);
			break;
		case 'm':
			buf_str(b, f->module ? f->module : "");
			break;
		case 'o':
			buf_fmt(b, "0x%zx", (size_t)f->module_off);
			break;
		case 'f':
			buf_str(b, f->func ? f->func : "");
			break;
		case 'q':
			buf_fmt(b, "0x%zx", (size_t)f->func_off);
			break;
		case 's':
			buf_str(b, f->file ? report_path(f->file) : "");
			break;
		case 'l':
			buf_fmt(b, "%d", f->line);
			break;
		case 'c':
			buf_fmt(b, "%d", f->column);
			break;
		case 'F':
			if (f->func)
				buf_fmt(b, "in %s", f->func);
			if (f->func && !f->file)
				buf_fmt(b, "+0x%zx", (size_t)f->func_off);
			break;
		case 'S':
			if (f->file)
				add_place(b, f->file, f->line, f->column);
			break;
		case 'L':
			if (f->file)
				add_place(b, f->file, f->line, f->column);
			else
				add_module(b, f->module, f->module_off);
			break;
		case 'M':
			add_module(b, f->module, f->module_off);
			break;
		default:
			buf_add(b, p, 1); /* %% */
		}
	}
}

typedef struct Symbolize {
	uintptr_t addr;
	const char *fmt;
	char *out;
	size_t size;
} Symbolize;

/* As much as there is room for, after which the string ends, and then the list of strings. */
static void answer(const Symbolize *s, const Buf *b)
{
	size_t n = b->n < s->size - 2 ? b->n : s->size - 2;
	memcpy(s->out, b->p, n);
	s->out[n] = s->out[n + 1] = 0;
}

static void symbolize_pc(void *arg)
{
	const Symbolize *s = arg;
	static SymFrame frames[FRAMES]; /* alone */
	Buf b = {0};
	int n = sym_frames(s->addr, true, frames, FRAMES);
	for (int i = 0; i < n; i++) {
		if (i)
			buf_add(&b, "", 1);
		add_formatted(&b, s->fmt, s->addr, i, &frames[i]);
	}
	answer(s, &b);
	buf_free(&b);
}

static void symbolize_data(void *arg)
{
	const Symbolize *s = arg;
	SymData d = {.name = NULL};
	Buf b = {0};
	sym_data(s->addr, 1, &d);
	for (const char *p = s->fmt; *p; p++) {
		if (*p != '%' || !p[1]) {
			buf_add(&b, p, 1);
			continue;
		}
		switch (*++p) {
		case 'm':
			buf_str(&b, d.module ? d.module : "");
			break;
		case 'g':
			buf_str(&b, d.name ? d.name : "");
			break;
		case 's':
			buf_str(&b, d.file ? report_path(d.file) : "");
			break;
		case 'l':
			buf_fmt(&b, "%d", d.line);
			break;
		default:
			buf_add(&b, p, 1);
		}
	}
	answer(s, &b);
	buf_free(&b);
}

void ask_symbolize(uintptr_t addr, bool is_code, const char *fmt, char *out, size_t size)
{
	if (size)
		out[0] = 0;
	if (size > 1)
		report_alone(
		    is_code ? symbolize_pc : symbolize_data, &(Symbolize){addr, fmt, out, size});
}

typedef struct Module {
	uintptr_t pc;
	const char *path;
	uintptr_t off;
} Module;

static void find_module(void *arg)
{
	Module *m = arg;
	SymFrame f;
	sym_frames(m->pc, false, &f, 1);
	m->path = f.module;
	m->off = f.module_off;
}

const char *ask_module(uintptr_t pc, uintptr_t *off)
{
	Module m = {.pc = pc};
	report_alone(find_module, &m);
	*off = m.off;
	return m.path;
}

/* ---- a stack ---- */

static void print_stack(void *arg)
{
	static uintptr_t pcs[FRAMES]; /* alone */
	static SymFrame frames[FRAMES];
	Buf b = {0};
	int n = context_pcs(*(StackId *)arg, pcs, FRAMES), number = 0;
	for (int i = 0; i < n; i++) {
		int inlined = sym_frames(pcs[i], true, frames, FRAMES);
		for (int k = 0; k < inlined; k++) {
			add_formatted(&b, "    #%n %p %F %L\n", pcs[i], number, &frames[k]);
			number++;
		}
	}
	buf_str(&b, "\n");
	buf_write(&b, 2);
	buf_free(&b);
}

void ask_print_stack(StackId id)
{
	report_alone(print_stack, &id);
}

/* ---- where reports go ---- */

static void set_path(void *arg)
{
	const char *path = arg;
	size_t n = strlen(path) + 1;
	char *copy = race_alloc(n); /* for ever: it may be looked at without a lock */
	flags.log_path = memcpy(copy, path, n);
	output_moved(-1);
}

static void set_fd(void *arg)
{
	output_moved(*(int *)arg);
}

void ask_log_to(const char *path, int fd)
{
	report_init();
	if (path)
		report_alone(set_path, (void *)(uintptr_t)path);
	else
		report_alone(set_fd, &fd);
}

typedef struct Path {
	char *out;
	size_t size;
} Path;

static void get_path(void *arg)
{
	const Path *p = arg;
	output_path(p->out, p->size);
}

void ask_log_path(char *out, size_t size)
{
	report_init();
	*out = 0;
	report_alone(get_path, &(Path){out, size});
}
