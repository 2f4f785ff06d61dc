/*
 * leak.c: goroutines that wait for ever, as the runtime finds them at the end (runtime/debug/leak.c), become
 * reports: one for all that wait at one place.
 */
#include <string.h>

#include "../runtime/hooks.h"
#include "ctx.h"
#include "history/context.h"
#include "options/flags.h"
#include "report/report.h"
#include "shadow/heap.h"

#define PLACES 256 /* more are counted with the last */

typedef struct Place {
	StackId stack;
	uint32_t ginfo;
	uintptr_t on;
	const char *why;
	int more;
} Place;

static Place places[PLACES]; /* by the one goroutine that ends the process, as the next */
static int nplaces;

bool hook_leaks(void)
{
	report_init();
	return flags.leaks && flags.report_bugs && !race_is_blind();
}

bool hook_block(uintptr_t addr, uintptr_t *start, size_t *size)
{
	return race_heap_live(addr, start, size);
}

static void emit_all(void)
{
	static Report r;
	for (int i = 0; i < nplaces; i++) {
		const Place *p = &places[i];
		memset(&r, 0, sizeof r);
		r.kind = REPORT_GOROUTINE_LEAK;
		r.naccesses = 1;
		r.more = p->more;
		r.what = p->why;
		r.accesses[0] = (ReportAccess){
		    .kind = ACCESS_WAIT, .addr = p->on, .ginfo = p->ginfo, .stack = p->stack};
		report_emit(&r);
	}
	nplaces = 0;
}

void hook_leak(RaceCtx *g, const char *why, const void *on, const uintptr_t *pcs, int npcs)
{
	if (!g) {
		emit_all();
		return;
	}
	Place p = {.ginfo = g->ginfo, .on = (uintptr_t)on, .why = why};
	for (int i = npcs; i-- > 0;)
		p.stack = context_push(p.stack, pcs[i]);
	for (int i = 0; i < nplaces; i++)
		if (places[i].stack == p.stack || i == PLACES - 1) {
			places[i].more++;
			return;
		}
	places[nplaces++] = p;
}
