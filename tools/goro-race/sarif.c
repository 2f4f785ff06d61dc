/*
 * sarif.c: findings as SARIF 2.1.0, for code scanning.
 *
 * A rule for each kind (goro/data-race, ...), a result for each finding: its place is the current access; a code
 * flow has a thread flow for each access, from main's side to the access; related locations are where goroutines
 * were created, memory allocated, locks taken. Relative names are below %SRCROOT%.
 *
 * GitHub takes 10 MB packed, keeps 5000 results of a run, 1000 locations of a result (shows 100), 1000 steps of its
 * thread flows: beyond these we leave out, and say so in the run's properties.
 */
#include "formats.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

enum {
	RESULTS_MOST = 5000,
	RELATED_MOST = 100,
	STEPS_MOST = 250,
	MESSAGE_MOST = 1000,
	RULES_MOST = 64
};

/* A file name as a URI reference: relative, or file:///... */
static json_t *uri(const char *path, bool *relative)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = need(open_memstream(&text, &n));
	json_t *s;

	*relative = path[0] != '/';
	if (!*relative)
		fputs("file://", f);
	for (const char *p = path; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~/+", c))
			fputc(c, f);
		else
			fprintf(f, "%%%02X", c);
	}
	fclose(f);
	s = json_string(text);
	free(text);
	return s;
}

static json_t *message(const char *fmt, const char *text)
{
	char *all = text_printf(fmt, text), *clean;
	size_t n = strlen(all);
	json_t *o;

	if (n > MESSAGE_MOST)
		n = MESSAGE_MOST;
	clean = text_clean(all, &n);
	o = json_pack("{s:s}", "text", clean);
	free(all);
	free(clean);
	return o;
}

/* A location object for a frame; without a file its logical part alone. text may be NULL. */
static json_t *location(const json_t *frame, const char *root, const char *text)
{
	const char *file = get_text(frame, "file"), *function = get_text(frame, "function");
	json_t *o = json_object();

	if (*file) {
		bool relative;
		char *path = shown_path(root, frame);
		json_t *at = uri(path, &relative);
		json_t *artifact = json_pack("{s:o}", "uri", at), *physical;

		free(path);
		if (relative)
			json_object_set_new(artifact, "uriBaseId", json_string("SRCROOT"));
		physical = json_pack("{s:o}", "artifactLocation", artifact);
		if (get_int(frame, "line") > 0) {
			json_t *region = json_pack("{s:I}", "startLine", get_int(frame, "line"));

			if (get_int(frame, "column") > 0)
				json_object_set_new(
				    region, "startColumn", json_integer(get_int(frame, "column")));
			json_object_set_new(physical, "region", region);
		}
		json_object_set_new(o, "physicalLocation", physical);
	}
	if (*function)
		json_object_set_new(o, "logicalLocations",
		    json_pack("[{s:s, s:s}]", "fullyQualifiedName", function, "kind", "function"));
	if (text)
		json_object_set_new(o, "message", message("%s", text));
	return o;
}

/* Innermost frames first in `stack`; a flow goes the other way. */
static void add_steps(json_t *steps, const json_t *stack, const char *root, const char *last)
{
	size_t n = json_array_size(stack);

	for (size_t i = n; i-- > 0;) {
		json_t *frame = json_array_get(stack, i);
		const char *function = get_text(frame, "function");
		json_t *step;

		if (json_array_size(steps) >= STEPS_MOST - 1 && i > 0)
			continue;
		step = json_pack("{s:o, s:s}", "location",
		    location(frame, root, i ? *function ? function : "?" : last), "importance",
		    i ? "important" : "essential");
		json_array_append_new(steps, step);
	}
}

static json_t *code_flows(const Finding *f, const char *root)
{
	const json_t *accesses = json_object_get(f->data, "accesses");
	const json_t *people = json_object_get(f->data, "goroutines");
	bool dump = !json_array_size(accesses);
	json_t *flows = json_array(), *one;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)(dump ? people : accesses), i, one)
	{
		const json_t *by = dump ? one : access_by(f, one);
		json_t *steps = json_array();
		char *who = who_text(by),
		     *word = dump ? text_copy(get_text(one, "state")) : access_word(one);
		char *text = text_printf("%s%s by %s", i && !dump ? "previous " : "", word, who);
		char *id = text_printf("%s#%zu", who, i + 1);

		add_steps(steps, json_object_get(by, "created_at"), root, "creates the goroutine");
		add_steps(steps, json_object_get(one, "stack"), root, text);
		if (json_array_size(steps) && json_array_size(flows) < 4)
			json_array_append_new(
			    flows, json_pack("{s:s, s:o, s:o}", "id", id, "message",
				       message("%s", text), "locations", steps));
		else
			json_decref(steps);
		free(who);
		free(word);
		free(text);
		free(id);
	}
	if (json_array_size(flows))
		return json_pack("[{s:o}]", "threadFlows", flows);
	json_decref(flows);
	return NULL;
}

static void relate(json_t *list, const json_t *frame, const char *root, const char *text)
{
	json_t *o;

	if (!frame || !*get_text(frame, "file") || json_array_size(list) >= RELATED_MOST)
		return;
	o = location(frame, root, text);
	json_object_set_new(o, "id", json_integer((json_int_t)json_array_size(list) + 1));
	json_array_append_new(list, o);
}

static json_t *related(const Finding *f, const char *root)
{
	const json_t *place = json_object_get(f->data, "location");
	json_t *list = json_array(), *o, *lock;
	size_t i, k;

	json_array_foreach(json_object_get(f->data, "accesses"), i, o)
	{
		char *word = access_word(o), *who = who_text(access_by(f, o));
		char *text = text_printf("%s%s by %s", i ? "previous " : "", word, who);

		relate(list, frame_shown(json_object_get(o, "stack")), root, text);
		json_array_foreach(json_object_get(o, "locks"), k, lock)
		{
			char *held = text_printf("lock held by %s taken here", who);

			relate(list, json_object_get(lock, "locked_at"), root, held);
			free(held);
		}
		free(word);
		free(who);
		free(text);
	}
	json_array_foreach(json_object_get(f->data, "goroutines"), i, o)
	{
		char *who = who_text(o), *text = text_printf("%s created here", who);

		relate(list, frame_shown(json_object_get(o, "created_at")), root, text);
		free(who);
		free(text);
	}
	relate(list, frame_shown(json_object_get(place, "allocated_at")), root,
	    "memory allocated here");
	relate(list, place, root, "variable defined here");
	return list;
}

static json_t *result(const Findings *all, const Finding *f, const char *root, size_t rule)
{
	char *title = finding_title(f), *replay = finding_replay(all, f);
	char *id = text_printf("goro/%s", f->kind);
	json_t *o = json_pack("{s:s, s:I, s:s, s:o, s:{s:s}}", "ruleId", id, "ruleIndex",
	    (json_int_t)rule, "level", "error", "message", message("%s", title),
	    "partialFingerprints", "goroFingerprint/v1", f->fingerprint);
	const json_t *frame = finding_frame(f);
	json_t *flows = code_flows(f, root), *more = related(f, root), *properties = json_object();

	json_object_set_new(
	    o, "locations", frame ? json_pack("[o]", location(frame, root, NULL)) : json_array());
	if (flows)
		json_object_set_new(o, "codeFlows", flows);
	json_object_set_new(o, "relatedLocations", more);
	if (f->known)
		json_object_set_new(o, "baselineState", json_string("unchanged"));
	json_object_set_new(properties, "runs", json_integer(f->count));
	if (replay)
		json_object_set_new(properties, "replay", json_string(replay));
	json_object_set_new(o, "properties", properties);
	json_object_set_new(o, "occurrenceCount", json_integer(f->count > 0 ? f->count : 1));
	free(title);
	free(replay);
	free(id);
	return o;
}

/* The index of the kind's rule, which is made when it is not there. */
static size_t rule_of(json_t *rules, const char *kind)
{
	char *id = text_printf("goro/%s", kind), *name = text_copy(kind);
	size_t i;
	json_t *rule;

	json_array_foreach(rules, i, rule) if (strcmp(get_text(rule, "id"), id) == 0) goto out;
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = ' ';
	rule = json_pack("{s:s, s:s, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:[s,s], s:s, s:s}}", "id", id,
	    "name", kind, "shortDescription", "text", kind_words(kind), "fullDescription", "text",
	    name, "defaultConfiguration", "level", "error", "properties", "tags", "concurrency",
	    "goro", "precision", "very-high", "problem.severity", "error");
	json_array_append_new(rules, rule);
out:
	free(id);
	free(name);
	return i;
}

void write_sarif(FILE *out, const Findings *f, const char *root)
{
	json_t *rules = json_array(), *results = json_array(), *doc, *base;
	bool relative;
	char *folder = text_printf("%s/", root);

	for (size_t i = 0; i < f->n && i < RESULTS_MOST; i++)
		json_array_append_new(
		    results, result(f, &f->v[i], root, rule_of(rules, f->v[i].kind)));
	base = uri(strcmp(root, "/") == 0 ? root : folder, &relative);
	doc = json_pack(
	    "{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:s, s:{s:{s:o}}, s:o, s:{s:I, s:I}}]}",
	    "$schema", "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs",
	    "tool", "driver", "name", "goro-race", "version", GORO_VERSION, "rules", rules,
	    "columnKind", "utf16CodeUnits", "originalUriBaseIds", "SRCROOT", "uri", base, "results",
	    results, "properties", "programRuns", (json_int_t)f->runs, "leftOut",
	    (json_int_t)(f->left_out + (f->n > RESULTS_MOST ? (long)f->n - RESULTS_MOST : 0)));
	if (!doc || json_dumpf(doc, out, JSON_INDENT(1)) != 0)
		warn("the SARIF document could not be written");
	fputc('\n', out);
	json_decref(doc);
	free(folder);
}
