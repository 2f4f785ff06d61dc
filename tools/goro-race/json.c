/*
 * json.c: all findings as one JSON document: docs/findings-schema.json.
 */
#include "formats.h"

#include <stdlib.h>

#include "util.h"

void write_json(FILE *out, const Findings *f, const char *root)
{
	json_t *doc = json_object(), *list = json_array();

	json_object_set_new(doc, "format", json_integer(1));
	json_object_set_new(doc, "root", json_string(root));
	json_object_set_new(doc, "runs", json_integer(f->runs));
	if (f->command && *f->command)
		json_object_set_new(doc, "command", json_string(f->command));
	if (f->outcomes)
		json_object_set(doc, "outcomes", f->outcomes);
	for (size_t i = 0; i < f->n; i++) {
		char *title = finding_title(&f->v[i]), *replay = finding_replay(f, &f->v[i]);
		json_t *o =
		    json_pack("{s:s, s:s, s:s, s:I, s:b, s:O}", "fingerprint", f->v[i].fingerprint,
			"kind", f->v[i].kind, "title", title, "count", (json_int_t)f->v[i].count,
			"known", (int)f->v[i].known, "finding", f->v[i].data);

		if (replay) {
			json_object_set_new(o, "seed", json_integer((json_int_t)f->v[i].seed));
			json_object_set_new(o, "replay", json_string(replay));
		}
		json_array_append_new(list, o);
		free(title);
		free(replay);
	}
	json_object_set_new(doc, "findings", list);
	if (json_dumpf(doc, out, JSON_INDENT(1)) != 0)
		warn("the JSON document could not be written");
	fputc('\n', out);
	json_decref(doc);
}
