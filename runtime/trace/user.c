/*
 * user.c: the program's own events: regions, log lines, and names of goroutines. Nothing here parks, so the P found
 * at the start is this thread's to the end.
 */
#include "trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static P *p_of(const G *g)
{
	return g->m->p; /* NULL: in a system call */
}

bool goro_trace_enabled(void)
{
	return TRACED;
}

static void region(TraceType type, const char *name)
{
	G *g = g_self();
	if (g)
		trace_put(p_of(g), type, 0, g->id, name_number(name ? name : ""), 0);
}

void goro_trace_region_begin(const char *name)
{
	if (TRACED)
		region(TRACE_REGION_BEGIN, name);
}

void goro_trace_region_end(const char *name)
{
	if (TRACED)
		region(TRACE_REGION_END, name);
}

__attribute__((noinline)) static void log_put(const char *category, const char *fmt, va_list ap)
{
	char text[TRACE_LOG_MAX + 16] = "";
	G *g = g_self();
	if (!g)
		return;
	int len = vsnprintf(text, TRACE_LOG_MAX + 1, fmt ? fmt : "", ap);
	if (len < 0)
		len = 0;
	else if (len > TRACE_LOG_MAX)
		len = TRACE_LOG_MAX;
	uint64_t number = name_number(category ? category : ""), at;
	P *p = p_of(g);
	TraceRing *r = ring_begin(p);
	at = trace_clock();
	ring_put(r, at, trace_head(TRACE_LOG, 0, g->id), number, (uint64_t)len);
	for (int i = 0; i < len; i += 16) {
		uint64_t w[2];
		memcpy(w, text + i, sizeof w);
		ring_put(r, at, trace_head(TRACE_TEXT, 0, g->id), w[0], w[1]);
	}
	ring_end(p);
}

void goro_trace_log(const char *category, const char *fmt, ...)
{
	if (!TRACED)
		return;
	va_list ap;
	va_start(ap, fmt);
	log_put(category, fmt, ap);
	va_end(ap);
}

void trace_named(const G *g)
{
	const G *self = g_self();
	if (g->id)
		trace_put(self ? p_of(self) : NULL, TRACE_NAME, 0, g->id, name_number(g->name), 0);
}
