/*
 * fingerprint.c: see finding.h. Each side becomes a hash of names; the sides are combined sorted, so
 * that it does not matter which came first. Innermost functions count inlined or not: what the source
 * says, whatever the optimiser did. FNV-1a, 64 bits: stable across machines.
 */
#include "finding.h"

#include <string.h>

static uint64_t mix(uint64_t h, const char *s, size_t n)
{
	for (; n; s++, n--)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (h ^ 0xff) * 1099511628211u; /* "ab","c" is not "a","bc" */
}

/* The length of a function's name without what the optimiser hangs on copies and parts of it, which shows
 * where there is no DWARF: inc.constprop.0, inc.isra.0, inc.part.0, inc.cold, inc.llvm.123. */
static size_t plain_length(const char *name)
{
	static const char *const suffixes[] = {
	    ".constprop", ".isra", ".part", ".cold", ".llvm.", ".lto_priv", ".localalias"};
	size_t n = strlen(name);
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		const char *at = strstr(name, suffixes[i]);
		if (at && at > name && (size_t)(at - name) < n)
			n = (size_t)(at - name);
	}
	return n;
}

/* The innermost frame: the function; without a name the place in the module, which stays through runs
 * of one binary: better than one name for all that a stripped binary does. */
static uint64_t mix_stack(uint64_t h, const NamedStack *s)
{
	const SymFrame *f = &s->frames[0];
	if (!s->n || (!f->func && !f->module))
		return mix(h, "?", 1);
	if (f->func)
		return mix(h, f->func, plain_length(f->func));
	const char *slash = strrchr(f->module, '/'), *module = slash ? slash + 1 : f->module;
	h = mix(h, module, strlen(module));
	return mix(h, (const char *)&f->module_off, sizeof f->module_off);
}

uint64_t fingerprint(const Finding *f)
{
	const uint64_t start = 14695981039346656037u;
	uint64_t side[REPORT_MAX_ACCESSES];
	int n = f->report->naccesses - f->report->between; /* any writer will do */
	for (int i = 0; i < n; i++) {
		uint64_t h = mix_stack(start, &f->stacks[i]);
		const NamedWho *w = f->who[i] >= 0 ? &f->people[f->who[i]] : NULL;
		h = !w                 ? mix(h, "?", 1)
		    : w->info->is_main ? mix(h, "main", 4)
				       : mix_stack(h, &w->created);
		int at = i;
		for (; at > 0 && side[at - 1] > h; at--)
			side[at] = side[at - 1];
		side[at] = h;
	}
	const char *kind = report_kind_text(f->report->kind);
	uint64_t h = mix(start, kind, strlen(kind));
	for (int i = 0; i < n; i++)
		for (int k = 0; k < 8; k++)
			h = (h ^ (side[i] >> (8 * k) & 0xff)) * 1099511628211u;
	return h;
}
