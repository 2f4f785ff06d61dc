/*
 * text.c: findings as text, in the look of the detector's own reports (docs/race.md), so that tools and people
 * that read those read these; below each what only many runs tell: how often, and the line that shows it again.
 */
#include "formats.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static void write_stack(FILE *out, const json_t *stack, const char *call)
{
	size_t i;
	json_t *frame;

	if (!json_array_size(stack))
		fputs("  [failed to restore the stack]\n", out);
	json_array_foreach((json_t *)(uintptr_t)stack, i, frame)
	{
		char *place = place_text(frame);
		const char *function = get_text(frame, "function");

		fprintf(out, "  %s%s\n      %s", *function ? function : "?", call, place);
		if (*get_text(frame, "offset"))
			fprintf(out, " +%s", get_text(frame, "offset"));
		fputc('\n', out);
		free(place);
	}
}

static void write_access(FILE *out, const Finding *f, const json_t *a, size_t i)
{
	char *word = access_word(a), *who = who_text(access_by(f, a)), *what = access_what(a);
	const json_t *locks = json_object_get(a, "locks");
	size_t k;
	json_t *lock;

	if (i == 0 || !access_memory(a))
		word[0] = (char)toupper((unsigned char)word[0]);
	fprintf(out, "%s%s %s by %s", i && access_memory(a) ? "Previous " : "", word, what, who);
	json_array_foreach((json_t *)(uintptr_t)locks, k, lock)
	{
		const json_t *at = json_object_get(lock, "locked_at");
		char *place = at ? place_text(at) : NULL;

		fprintf(out, "%s%smutex %s%s%s", k ? ", " : " (holding ",
		    strcmp(get_text(lock, "mode"), "read") == 0 ? "read-locked " : "",
		    get_text(lock, "address"), place ? " locked at " : "", place ? place : "");
		free(place);
	}
	fprintf(out, "%s:\n", json_array_size(locks) ? ")" : "");
	write_stack(out, json_object_get(a, "stack"), "()");
	fputc('\n', out);
	free(word);
	free(who);
	free(what);
}

static void write_location(FILE *out, const Finding *f)
{
	const json_t *l = json_object_get(f->data, "location");
	const json_t *people = json_object_get(f->data, "goroutines");
	const char *kind = get_text(l, "kind"), *name = get_text(l, "name");
	const json_t *index = json_object_get(l, strcmp(kind, "heap") == 0 ? "allocated_by" : "of");
	char *who = who_text(json_is_integer(index)
				 ? json_array_get(people, (size_t)json_integer_value(index))
				 : NULL);

	if (strcmp(kind, "global") == 0)
		fprintf(out, "Location is global '%s' of size %lld at %s", name,
		    (long long)get_int(l, "size"), get_text(l, "address"));
	else if (strcmp(kind, "heap") == 0)
		fprintf(out, "Location is heap block of size %lld at %s allocated by %s:\n",
		    (long long)get_int(l, "size"), get_text(l, "address"), who);
	else if (strcmp(kind, "stack") == 0)
		fprintf(out, "Location is stack of %s%s%s%s", who, *name ? ", variable '" : "",
		    name, *name ? "'" : "");
	free(who);
	if (!*kind || strcmp(kind, "unknown") == 0)
		return;
	if (strcmp(kind, "heap") == 0) {
		write_stack(out, json_object_get(l, "allocated_at"), "()");
	} else if (*get_text(l, "file")) {
		char *place = place_text(l);

		fprintf(out, " defined at %s", place);
		free(place);
	}
	fputs(strcmp(kind, "heap") == 0 ? "\n" : "\n\n", out);
}

static void write_people(FILE *out, const Finding *f)
{
	const json_t *people = json_object_get(f->data, "goroutines");
	bool dump = !json_object_get(f->data, "accesses");
	size_t i;
	json_t *who;

	json_array_foreach((json_t *)(uintptr_t)people, i, who)
	{
		const json_t *made = json_object_get(who, "created_at");
		char *name = who_text(who);

		name[0] = (char)toupper((unsigned char)name[0]);
		if (dump) {
			fprintf(out, "%s [%s]:\n", name, get_text(who, "state"));
			write_stack(out, json_object_get(who, "stack"), "(...)");
		}
		if (json_array_size(made)) {
			if (dump)
				fputs("created at:\n", out);
			else
				fprintf(out, "%s (%s) created at:\n", name,
				    get_true(who, "finished") ? "finished" : "running");
			write_stack(out, made, "()");
		}
		if (dump || json_array_size(made))
			fputc('\n', out);
		free(name);
	}
}

void write_one(FILE *out, const Findings *all, const Finding *f)
{
	const json_t *accesses = json_object_get(f->data, "accesses");
	char *replay = finding_replay(all, f);
	size_t i;
	json_t *a;

	fprintf(out, "==================\nWARNING: %s\n", kind_words(f->kind));
	if (*get_text(f->data, "message"))
		fprintf(out, "%s\n\n", get_text(f->data, "message"));
	json_array_foreach((json_t *)(uintptr_t)accesses, i, a) write_access(out, f, a, i);
	write_location(out, f);
	if (json_array_size(json_object_get(f->data, "stack"))) {
		write_stack(out, json_object_get(f->data, "stack"), "()");
		fputc('\n', out);
	}
	write_people(out, f);
	if (*get_text(f->data, "output"))
		fprintf(out, "The last it wrote to stderr:\n%s\n\n", get_text(f->data, "output"));
	fprintf(out, "Fingerprint: %s%s\n", f->fingerprint, f->known ? " (known)" : "");
	if (replay)
		fprintf(out, "Seen in %ld of %ld runs; seed %llu is the smallest.\nReplay: %s\n",
		    f->count, all->runs, (unsigned long long)f->seed, replay);
	else if (all->runs > 1)
		fprintf(out, "Seen in %ld of %ld runs.\n", f->count, all->runs);
	fputs("==================\n", out);
	free(replay);
}

static const char *plural(long n)
{
	return n == 1 ? "" : "s";
}

void write_totals(FILE *out, const Findings *f)
{
	size_t fresh = findings_new(f), n = json_array_size(f->outcomes), i;
	json_t *o;

	if (f->seeded && n) {
		fprintf(out, "%zu distinct outcome%s:\n", n, plural((long)n));
		json_array_foreach(f->outcomes, i, o)
		{
			if (i == 10) {
				fprintf(out, "  and %zu more\n", n - i);
				break;
			}
			fprintf(out, "  %6lld run%s", (long long)get_int(o, "count"),
			    get_int(o, "count") == 1 ? ": " : "s:");
			if (get_true(o, "timeout"))
				fputs(" hung", out);
			else if (*get_text(o, "signal"))
				fprintf(out, " %s", get_text(o, "signal"));
			else
				fprintf(out, " exit status %lld", (long long)get_int(o, "code"));
			fprintf(out, ", output %s", get_text(o, "output"));
			if (json_object_get(o, "seed"))
				fprintf(out, ", seed %lld", (long long)get_int(o, "seed"));
			fputc('\n', out);
		}
	}
	fprintf(out, "goro-race: %ld run%s, %zu finding%s", f->runs, plural(f->runs), f->n,
	    plural((long)f->n));
	if (f->n > fresh)
		fprintf(out, ", %zu of them known", f->n - fresh);
	if (f->left_out)
		fprintf(out, ", %ld more left out", f->left_out);
	if (f->damaged)
		fprintf(
		    out, "; %ld damaged line%s or files skipped", f->damaged, plural(f->damaged));
	fputc('\n', out);
}

void write_text(FILE *out, const Findings *f, const char *root)
{
	(void)root;
	for (size_t i = 0; i < f->n; i++)
		write_one(out, f, &f->v[i]);
	write_totals(out, f);
}
