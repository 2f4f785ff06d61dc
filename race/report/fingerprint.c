/*
 * fingerprint.c: see finding.h. Each side becomes a hash of names; the sides are combined sorted, so
 * that it does not matter which came first. Innermost functions count inlined or not: what the source
 * says, whatever the optimiser did. FNV-1a, 64 bits: stable across machines.
 */
#include "finding.h"

#include <string.h>

static uint64_t mix(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (h ^ 0xff) * 1099511628211u; /* "ab","c" is not "a","bc" */
}

static const char *name_of(const NamedStack *s)
{
	if (!s->n)
		return "?";
	const SymFrame *f = &s->frames[0];
	if (f->func)
		return f->func;
	if (!f->module)
		return "?";
	const char *slash = strrchr(f->module, '/');
	return slash ? slash + 1 : f->module;
}

uint64_t fingerprint(const Finding *f)
{
	const uint64_t start = 14695981039346656037u;
	uint64_t side[REPORT_MAX_ACCESSES];
	int n = f->report->naccesses;
	for (int i = 0; i < n; i++) {
		uint64_t h = mix(start, name_of(&f->stacks[i]));
		const NamedWho *w = f->who[i] >= 0 ? &f->people[f->who[i]] : NULL;
		h = mix(h, !w ? "?" : w->info->is_main ? "main" : name_of(&w->created));
		int at = i;
		for (; at > 0 && side[at - 1] > h; at--)
			side[at] = side[at - 1];
		side[at] = h;
	}
	uint64_t h = mix(start, report_kind_text(f->report->kind));
	for (int i = 0; i < n; i++)
		for (int k = 0; k < 8; k++)
			h = (h ^ (side[i] >> (8 * k) & 0xff)) * 1099511628211u;
	return h;
}
