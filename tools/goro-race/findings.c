/*
 * findings.c: see findings.h. Lookups are linear: a program with a thousand distinct findings has other worries,
 * and the runs that bring them take longer by far.
 */
#include "findings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

Finding *findings_get(const Findings *f, const char *fingerprint)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].fingerprint, fingerprint) == 0)
			return &f->v[i];
	return NULL;
}

static void set_data(Finding *f, json_t *data)
{
	json_incref(data);
	json_decref(f->data);
	f->data = data;
	f->fingerprint = json_string_value(json_object_get(data, "fingerprint"));
	f->kind = json_string_value(json_object_get(data, "kind"));
}

bool is_finding(const json_t *data)
{
	const char *id = get_text(data, "fingerprint"), *kind = get_text(data, "kind");

	return strspn(id, "0123456789abcdef") == 16 && !id[16] && *kind &&
	       !kind[strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789-")];
}

Finding *findings_add(Findings *f, json_t *data, uint64_t seed, long count, bool *fresh)
{
	const char *fingerprint = get_text(data, "fingerprint");
	Finding *at;

	if (fresh)
		*fresh = false;
	if (!is_finding(data))
		return NULL;
	at = findings_get(f, fingerprint);
	if (at) {
		at->count += count;
		finding_seed(at, seed);
		/* with its steps it is stored a second time */
		if (seed < at->seed || (seed == at->seed && json_object_get(data, "steps"))) {
			at->seed = seed;
			set_data(at, data);
		}
		return at;
	}
	if (f->n == FINDINGS_MOST) {
		f->left_out++;
		return NULL;
	}
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 16;
		f->v = need(realloc(f->v, f->cap * sizeof(*f->v)));
	}
	at = &f->v[f->n++];
	*at = (Finding){.count = count, .seed = seed};
	set_data(at, data);
	finding_seed(at, seed);
	if (fresh)
		*fresh = true;
	return at;
}

void finding_seed(Finding *f, uint64_t seed)
{
	int i = f->nseeds;

	if (seed == NO_SEED)
		return;
	for (int k = 0; k < f->nseeds; k++)
		if (f->seeds[k] == seed)
			return;
	for (; i > 0 && f->seeds[i - 1] > seed; i--)
		if (i < SEEDS_KEPT)
			f->seeds[i] = f->seeds[i - 1];
	if (i < SEEDS_KEPT) {
		f->seeds[i] = seed;
		f->nseeds += f->nseeds < SEEDS_KEPT;
	}
}

static int rank(const char *kind)
{
	static const char *const order[] = {"data-race", "use-after-free", "double-free"};

	for (int i = 0; i < 3; i++)
		if (strcmp(kind, order[i]) == 0)
			return i;
	return 3;
}

static int before(const void *a, const void *b)
{
	const Finding *x = a, *y = b;
	int by = rank(x->kind) - rank(y->kind);

	if (!by)
		by = strcmp(x->kind, y->kind);
	if (!by)
		by = (x->seed > y->seed) - (x->seed < y->seed);
	return by ? by : strcmp(x->fingerprint, y->fingerprint);
}

void findings_sort(Findings *f)
{
	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), before);
}

long reports_read(const char *path, TakeReport *take, void *arg, long *damaged)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	long at = 0, good = 0;

	if (!f)
		return -1;
	while ((n = getline(&line, &cap, f)) > 0) {
		bool whole = line[n - 1] == '\n';
		json_error_t error;
		json_t *o;

		at++;
		if (n == (whole ? 1 : 0))
			continue;
		o = json_loadb(line, (size_t)n, JSON_REJECT_DUPLICATES, &error);
		if (!json_is_object(o) || !*get_text(o, "kind") ||
		    (json_object_get(o, "fingerprint") && !is_finding(o))) {
			warn("%s:%ld: %s, skipped", path, at,
			    o       ? "no report"
			    : whole ? "damaged"
				    : "cut short");
			(*damaged)++;
		} else {
			good++;
			take(arg, o);
		}
		json_decref(o);
	}
	free(line);
	fclose(f);
	return good;
}

/* ---- baseline ---- */

/* Calls each line's fingerprint; the lines as they are go to `keep` where that is not NULL. */
static void baseline_lines(const char *path, bool may_miss, Findings *mark, FILE *keep)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	long at = 0;

	if (!f) {
		if (errno == ENOENT && may_miss)
			return;
		die("cannot read the baseline %s: %s", path, strerror(errno));
	}
	while (getline(&line, &cap, f) > 0) {
		char id[65];
		Finding *known;

		at++;
		if (sscanf(line, " %64s", id) != 1 || id[0] == '#') {
			if (keep && id[0] == '#')
				fputs(line, keep);
			continue;
		}
		if (strspn(id, "0123456789abcdef") != 16 || id[16]) {
			warn("%s:%ld: '%s' is no fingerprint, skipped", path, at, id);
			continue;
		}
		known = mark ? findings_get(mark, id) : NULL;
		if (known)
			known->known = true;
		if (keep && !known)
			fputs(line, keep);
	}
	free(line);
	fclose(f);
}

void baseline_read(Findings *f, const char *path, bool may_miss)
{
	baseline_lines(path, may_miss, f, NULL);
}

void baseline_write(const Findings *f, const char *path)
{
	static const char head[] =
	    "# Known findings of goro-race: fingerprint, kind, what it was when it was added.\n"
	    "# A line taken out makes its finding new again.\n";
	Findings copy = *f;
	char *text = NULL, *kept = NULL;
	size_t n = 0, nkept = 0;
	FILE *out = need(open_memstream(&text, &n)), *keep = need(open_memstream(&kept, &nkept));

	baseline_lines(path, true, &copy, keep);
	fclose(keep);
	fputs(strncmp(kept, "#", 1) == 0 ? "" : head, out);
	fputs(kept, out);
	for (size_t i = 0; i < f->n; i++) {
		char *title = finding_title(&f->v[i]);

		for (char *s = title; (s = strchr(s, '\n'));)
			*s = ' ';
		fprintf(out, "%s %s %s\n", f->v[i].fingerprint, f->v[i].kind, title);
		free(title);
	}
	fclose(out);
	if (!replace_file(path, text, n))
		die("cannot write the baseline %s: %s", path, strerror(errno));
	free(text);
	free(kept);
}

size_t findings_new(const Findings *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += !f->v[i].known;
	return n;
}
