/*
 * html.c: the findings as one HTML page that loads nothing: style and script stand in it (page.css, page.js), and a
 * content security policy keeps the browser from fetching anything else. Without the script all is there to read.
 */
#include "formats.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "quote.h"
#include "timeline.h"
#include "util.h"
#include "xml.h"

/* page.css and page.js, put in by ld -b binary. */
extern const char _binary_page_css_start[], _binary_page_css_end[];
extern const char _binary_page_js_start[], _binary_page_js_end[];

static void stack(FILE *out, const json_t *frames, const char *root)
{
	size_t i;
	json_t *frame;

	if (!json_array_size(frames)) {
		fputs("<p class=\"soft\">The stack is not known.</p>\n", out);
		return;
	}
	fputs("<ol class=\"stack\">\n", out);
	json_array_foreach((json_t *)(uintptr_t)frames, i, frame)
	{
		char *place = place_text(frame);

		fputs("<li>", out);
		xml_text(out, *get_text(frame, "function") ? get_text(frame, "function") : "?");
		fputs(" <span class=\"at\">", out);
		xml_text(out, below(root, place));
		fprintf(out, "%s</span></li>\n", get_true(frame, "inlined") ? " (inlined)" : "");
		free(place);
	}
	fputs("</ol>\n", out);
}

static void quoted(FILE *out, const json_t *frame, const char *root)
{
	if (frame && *get_text(frame, "file") && !quote_write(out, frame, root)) {
		fputs("<p class=\"soft\">The source of ", out);
		xml_text(out, get_text(frame, "file"));
		fputs(" is not here.</p>\n", out);
	}
}

static void access_side(FILE *out, const Finding *f, const json_t *a, size_t i, const char *root)
{
	char *word = access_word(a), *who = who_text(access_by(f, a)), *what = access_what(a);
	size_t k;
	json_t *lock;

	fputs("<section><h3>", out);
	if (access_memory(a))
		xml_printf(out, "%s%s of %lld byte%s by %s", i ? "Previous " : "This ", word,
		    (long long)get_int(a, "size"), get_int(a, "size") == 1 ? "" : "s", who);
	else
		xml_printf(out, "%s %s by %s", word, what, who);
	fputs("</h3>\n", out);
	if (!json_array_size(json_object_get(a, "locks")))
		fputs("<p class=\"soft\">It held no lock.</p>\n", out);
	json_array_foreach(json_object_get(a, "locks"), k, lock)
	{
		const json_t *at = json_object_get(lock, "locked_at");
		char *place = at ? place_text(at) : text_copy("an unknown place");

		fputs("<p class=\"soft locks\">It held the mutex ", out);
		xml_printf(out, "%s%s, locked at %s", get_text(lock, "address"),
		    strcmp(get_text(lock, "mode"), "read") == 0 ? " for reading" : "",
		    below(root, place));
		fputs("</p>\n", out);
		free(place);
	}
	quoted(out, frame_shown(json_object_get(a, "stack")), root);
	stack(out, json_object_get(a, "stack"), root);
	fputs("</section>\n", out);
	free(what);
	free(word);
	free(who);
}

static void memory(FILE *out, const Finding *f, const char *root)
{
	const json_t *l = json_object_get(f->data, "location"),
		     *people = json_object_get(f->data, "goroutines");
	const char *kind = get_text(l, "kind"), *name = get_text(l, "field");
	const json_t *by = json_object_get(l, "allocated_by");

	if (!*kind || strcmp(kind, "unknown") == 0)
		return;
	if (!*name)
		name = get_text(l, "name");
	fputs("<h3>Memory</h3>\n<p>", out);
	xml_printf(out, "%s%s%s%s of %lld bytes at %s",
	    strcmp(kind, "heap") == 0    ? "Heap block"
	    : strcmp(kind, "stack") == 0 ? "Local variable"
					 : "Global",
	    *name ? " '" : "", name, *name ? "'" : "", (long long)get_int(l, "size"),
	    get_text(l, "address"));
	if (*get_text(l, "file")) {
		char *place = place_text(l);

		xml_printf(out, ", defined at %s", below(root, place));
		free(place);
	}
	fputs("</p>\n", out);
	if (json_object_get(l, "allocated_at")) {
		char *who = who_text(json_is_integer(by)
					 ? json_array_get(people, (size_t)json_integer_value(by))
					 : NULL);

		fputs("<h3>", out);
		xml_printf(out, "Allocated by %s", who);
		fputs("</h3>\n", out);
		quoted(out, frame_shown(json_object_get(l, "allocated_at")), root);
		stack(out, json_object_get(l, "allocated_at"), root);
		free(who);
	}
}

static void creations(FILE *out, const Finding *f, const char *root)
{
	bool dump = !json_array_size(json_object_get(f->data, "accesses")), first = true;
	size_t i;
	json_t *who;

	json_array_foreach(json_object_get(f->data, "goroutines"), i, who)
	{
		const json_t *made = json_object_get(who, "created_at");
		char *name = who_text(who);

		if (dump) {
			fputs("<h3>", out);
			xml_printf(out, "%s: %s", name, get_text(who, "state"));
			fputs("</h3>\n", out);
			quoted(out, frame_shown(json_object_get(who, "stack")), root);
			stack(out, json_object_get(who, "stack"), root);
		}
		if (json_array_size(made)) {
			if (first && !dump)
				fputs("<h3>Where the goroutines come from</h3>\n", out);
			first = false;
			fputs("<p>", out);
			xml_printf(out, "%s%s, created by %s %lld", name,
			    dump                        ? ""
			    : get_true(who, "finished") ? " (finished)"
							: " (running)",
			    *get_text(who, "parent_kind") ? get_text(who, "parent_kind")
							  : "goroutine",
			    (long long)get_int(who, "parent_id"));
			fputs("</p>\n", out);
			stack(out, made, root);
		}
		free(name);
	}
}

static void article(FILE *out, const Findings *all, const Finding *f, const char *root, bool open)
{
	char *title = finding_title(f), *replay = finding_replay(all, f);
	const char *words = strchr(title, ' ');
	size_t i;
	json_t *a;

	fprintf(out, "<article id=\"f-%s\"%s data-kind=\"", f->fingerprint,
	    f->known ? " class=\"known\"" : "");
	xml_text(out, f->kind);
	fprintf(out, "\"><details%s><summary><span class=\"kind\">", open ? " open" : "");
	xml_text(out, kind_words(f->kind));
	fputs("</span><h2>", out);
	xml_text(out, words ? title : f->kind);
	fputs("</h2> <span class=\"soft\">", out);
	fprintf(out, "in %ld of %ld run%s%s", f->count, all->runs, all->runs == 1 ? "" : "s",
	    f->known ? ", known" : "");
	fputs("</span></summary><div class=\"body\">\n", out);
	if (*get_text(f->data, "message")) {
		fputs("<p>", out);
		xml_text(out, get_text(f->data, "message"));
		fputs("</p>\n", out);
	}
	timeline_write(out, f, f->fingerprint);
	fputs("<div class=\"sides\">\n", out);
	json_array_foreach(json_object_get(f->data, "accesses"), i, a)
	    access_side(out, f, a, i, root);
	fputs("</div>\n", out);
	if (json_array_size(json_object_get(f->data, "stack"))) {
		quoted(out, frame_shown(json_object_get(f->data, "stack")), root);
		stack(out, json_object_get(f->data, "stack"), root);
	}
	memory(out, f, root);
	creations(out, f, root);
	if (*get_text(f->data, "output")) {
		fputs("<h3>The last it wrote to stderr</h3>\n<pre tabindex=\"0\"><span>", out);
		xml_text(out, get_text(f->data, "output"));
		fputs("</span></pre>\n", out);
	}
	fputs("<h3>Again</h3>\n", out);
	if (replay) {
		fputs("<p>Seeds that show it:", out);
		for (int k = 0; k < f->nseeds; k++)
			fprintf(out, "%s %llu", k ? "," : "", (unsigned long long)f->seeds[k]);
		fprintf(out, "%s</p>\n<p><code>", f->count > f->nseeds ? ", and more" : "");
		xml_text(out, replay);
		fputs("</code></p>\n", out);
	}
	fputs("<p class=\"soft\">Fingerprint <code>", out);
	xml_text(out, f->fingerprint);
	fputs("</code></p>\n</div></details></article>\n", out);
	free(title);
	free(replay);
}

static void filters(FILE *out, const Findings *f)
{
	fputs("<form role=\"search\"><input type=\"search\" id=\"search\" placeholder=\"Search: "
	      "function, file, variable, "
	      "seed  ( / )\" aria-label=\"Search the findings\" autocomplete=\"off\">\n",
	    out);
	for (size_t i = 0; i < f->n; i++) {
		bool before = false;

		for (size_t k = 0; k < i; k++)
			before = before || strcmp(f->v[k].kind, f->v[i].kind) == 0;
		if (before)
			continue;
		fputs("<label><input type=\"checkbox\" checked data-kind=\"", out);
		xml_text(out, f->v[i].kind);
		fputs("\"> ", out);
		xml_text(out, f->v[i].kind);
		fputs("</label>\n", out);
	}
	if (findings_new(f) < f->n)
		fputs("<label><input type=\"checkbox\" id=\"known\" checked> known</label>\n", out);
	fputs("<output id=\"count\" class=\"soft\" aria-live=\"polite\"></output></form>\n", out);
}

void write_html(FILE *out, const Findings *f, const char *root)
{
	time_t now = time(NULL);
	char when[64];
	struct tm tm;
	size_t i;
	json_t *o;

	strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &tm));
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; "
	      "script-src 'unsafe-inline'\">\n<title>goro-race: ",
	    out);
	fprintf(out, "%zu finding%s", f->n, f->n == 1 ? "" : "s");
	fputs("</title>\n<style>\n", out);
	fwrite(_binary_page_css_start, 1, (size_t)(_binary_page_css_end - _binary_page_css_start),
	    out);
	fputs("</style></head>\n<body><header><h1>", out);
	fprintf(out, "%zu finding%s", f->n, f->n == 1 ? "" : "s");
	fputs("</h1>\n<p class=\"soft\">", out);
	if (f->command && *f->command) {
		fputs("<code>", out);
		xml_text(out, f->command);
		fputs("</code>, ", out);
	}
	fprintf(out, "%ld run%s, %s</p>\n", f->runs, f->runs == 1 ? "" : "s", when);
	filters(out, f);
	fputs("</header><main>\n", out);
	if (!f->n)
		fputs("<p>Nothing was found.</p>\n", out);
	for (i = 0; i < f->n; i++)
		article(out, f, &f->v[i], root, i == 0);
	if (f->seeded && json_array_size(f->outcomes)) {
		fputs("<h3>Outcomes</h3>\n<table><thead><tr><th>runs</th><th>ended</th><th>output</"
		      "th><th>smallest "
		      "seed</th></tr></thead><tbody>\n",
		    out);
		json_array_foreach(f->outcomes, i, o)
		{
			if (i == 50)
				break;
			fprintf(out, "<tr><td>%lld</td><td>", (long long)get_int(o, "count"));
			if (get_true(o, "timeout"))
				fputs("hung", out);
			else if (*get_text(o, "signal"))
				xml_text(out, get_text(o, "signal"));
			else
				fprintf(out, "exit status %lld", (long long)get_int(o, "code"));
			fputs("</td><td><code>", out);
			xml_text(out, get_text(o, "output"));
			fprintf(
			    out, "</code></td><td>%lld</td></tr>\n", (long long)get_int(o, "seed"));
		}
		fputs("</tbody></table>\n", out);
	}
	fputs("</main><footer>Keys: / search, j and k to the next and previous finding, Enter "
	      "opens it. Source lines are as "
	      "they were when this page was made.</footer>\n<script>\n",
	    out);
	fwrite(
	    _binary_page_js_start, 1, (size_t)(_binary_page_js_end - _binary_page_js_start), out);
	fputs("</script></body></html>\n", out);
}
