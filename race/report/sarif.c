/*
 * sarif.c: see sarif.h.
 *
 * A result is one finding. Its place is the current access; a code flow with a thread flow for each
 * access says how both got there, outermost frame first; related locations are the previous access (which
 * the message links to), creations, the allocation, the variable's definition, and where held locks were
 * taken. partialFingerprints holds goro's own, which stays through runs and edits.
 *
 * Limits of GitHub's code scanning (others take more): 100 related locations are shown, 1000 steps of a
 * thread flow are kept; what is innermost counts. Results: see output.c.
 *
 * Files. A relative name, or one below strip_path_prefix, becomes a relative URI with the base
 * %SRCROOT%; the rest are file:// URIs. Frames without a place in the source are left out of the flows, which
 * viewers could not show; a flow of none has one step, at the module.
 */
#include "sarif.h"
#include "jsonw.h"
#include "schedule.h"

#include <string.h>

#include "../options/flags.h"

#define RELATED_MAX 100
#define STEPS_MAX   1000
#define PATH_BYTES  4096

static const char root[] = "%SRCROOT%";

/* ---- files ---- */

static void add_uri(Buf *b, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr("-._~/", c);
		if (plain)
			buf_add(b, path, 1);
		else
			buf_fmt(b, "%%%02X", c);
	}
}

/* dir/file without "." and what ".." undoes; false when it does not fit. */
static bool normal_path(char out[PATH_BYTES], const char *dir, const char *file)
{
	const char *part[2] = {file[0] == '/' ? "" : dir ? dir : "", file};
	bool absolute = file[0] == '/' || (dir && dir[0] == '/');
	size_t n = 0, up = 0; /* up: bytes of leading "../" */
	for (int i = 0; i < 2; i++)
		for (const char *s = part[i]; *s;) {
			size_t len = strcspn(s, "/");
			const char *next = s + len + (s[len] == '/');
			if (len == 2 && !strncmp(s, "..", 2) && n > up) {
				while (n > up && out[n - 1] != '/')
					n--;
				n -= n > up;
			} else if (len == 2 && !strncmp(s, "..", 2) && absolute) {
				; /* above the root is the root */
			} else if (len && !(len == 1 && *s == '.')) {
				if (n + len + 2 > PATH_BYTES)
					return false;
				if (n || absolute)
					out[n++] = '/';
				memcpy(out + n, s, len);
				n += len;
				if (len == 2 && !strncmp(s, "..", 2))
					up = n;
			}
			s = next;
		}
	out[n] = 0;
	return n > 0;
}

static bool below_prefix(const char *path, const char **rest)
{
	size_t n = flags.strip_path_prefix ? strlen(flags.strip_path_prefix) : 0;
	if (!n || strncmp(path, flags.strip_path_prefix, n) != 0)
		return false;
	for (path += n; *path == '/'; path++)
		;
	*rest = path;
	return *path != 0;
}

void sarif_artifact(Buf *b, const char *file, const char *dir)
{
	char whole[PATH_BYTES], own[PATH_BYTES];
	const char *rest = NULL;
	bool have = normal_path(whole, dir, file);
	if (!below_prefix(file, &rest) && !(have && below_prefix(whole, &rest)) && file[0] != '/' &&
	    normal_path(own, NULL, file) && strncmp(own, "../", 3) != 0)
		rest = own;
	buf_str(b, "{\"uri\":\"");
	if (rest) {
		add_uri(b, rest);
		buf_fmt(b, "\",\"uriBaseId\":\"%s\"}", root);
		return;
	}
	const char *path = have ? whole : file;
	buf_str(b, path[0] == '/' ? "file://" : "");
	add_uri(b, path);
	buf_str(b, "\"}");
}

/* ---- messages ---- */

/* {"text":...}; braces would be placeholders. */
static void add_message(Buf *b, const char *key, Buf *text)
{
	jsonw_key(b, key);
	buf_str(b, "{\"text\":");
	jsonw_open(b);
	const char *s = buf_text(text), *end = s + text->n;
	while (s < end) {
		size_t n = strcspn(s, "{}");
		jsonw_piece(b, s, n);
		s += n;
		if (s < end) {
			jsonw_piece(b, s, 1);
			jsonw_piece(b, s++, 1);
		}
	}
	jsonw_close(b);
	buf_str(b, "}");
	text->n = 0;
}

static void add_physical(Buf *b, const SymFrame *at, const char *source)
{
	jsonw_key(b, "physicalLocation");
	buf_str(b, "{");
	jsonw_key(b, "artifactLocation");
	sarif_artifact(b, at->file ? at->file : at->module, at->dir);
	if (at->file && at->line > 0) {
		jsonw_key(b, "region");
		buf_str(b, "{");
		jsonw_number(b, "startLine", (uint64_t)at->line);
		if (at->column > 0)
			jsonw_number(b, "startColumn", (uint64_t)at->column);
		if (source && *source) {
			jsonw_key(b, "snippet");
			buf_str(b, "{");
			jsonw_pair(b, "text", source);
			buf_str(b, "}");
		}
		buf_str(b, "}");
	}
	buf_str(b, "}");
}

/* A location; text is its message and is used up. */
static void add_location(Buf *b, const SymFrame *at, const char *source, int id, Buf *text)
{
	buf_str(b, "{");
	if (id >= 0)
		jsonw_number(b, "id", (uint64_t)id);
	if (at && (at->file || at->module))
		add_physical(b, at, source);
	if (at && at->func) {
		jsonw_key(b, "logicalLocations");
		buf_str(b, "[{");
		jsonw_pair(b, "fullyQualifiedName", at->func);
		jsonw_pair(b, "kind", "function");
		buf_str(b, "}]");
	}
	if (text->n)
		add_message(b, "message", text);
	buf_str(b, "}");
}

/* ---- the flows ---- */

static void add_step(
    Buf *b, const SymFrame *at, const char *source, int level, bool last, Buf *text)
{
	buf_str(b, "{");
	jsonw_key(b, "location");
	add_location(b, at, source, -1, text);
	jsonw_number(b, "nestingLevel", (uint64_t)level);
	jsonw_pair(b, "importance", last ? "essential" : "important");
	buf_str(b, "}");
}

static void add_flow(Buf *b, const Finding *f, int i, Buf *text)
{
	const NamedStack *s = &f->stacks[i];
	const SymFrame *place = finding_place(f, i);
	buf_str(b, "{");
	describe_who(text, f->who[i] >= 0 ? &f->people[f->who[i]] : NULL);
	jsonw_key(b, "id");
	jsonw_open(b);
	jsonw_piece(b, buf_text(text), text->n);
	jsonw_close(b);
	text->n = 0;
	describe_access(text, f, i);
	add_message(b, "message", text);
	jsonw_key(b, "locations");
	buf_str(b, "[");
	int have = 0, level = 0;
	for (int k = 0; k < s->n; k++)
		have += s->frames[k].file != NULL;
	for (int k = s->n - 1; k >= 0; k--) {
		const SymFrame *at = &s->frames[k];
		if (!at->file || have-- > STEPS_MAX)
			continue;
		buf_str(b, level ? "," : "");
		if (at == place)
			describe_access(text, f, i);
		else if (at->func)
			buf_fmt(text, "in %s", at->func);
		add_step(b, at, at == place ? f->source[i] : NULL, level, at == place, text);
		level++;
	}
	if (!level) {
		describe_access(text, f, i);
		add_step(b, s->n ? &s->frames[0] : NULL, NULL, 0, true, text);
	}
	buf_str(b, "]}");
}

/* ---- related locations ---- */

static const SymFrame *first_place(const NamedStack *s)
{
	for (int i = 0; i < s->n; i++)
		if (s->frames[i].file)
			return &s->frames[i];
	return NULL;
}

static void add_related(Buf *b, int *n, const SymFrame *at, const char *source, Buf *text)
{
	if (!at || *n == RELATED_MAX) {
		text->n = 0;
		return;
	}
	buf_str(b, *n ? "," : "");
	add_location(b, at, source, ++*n, text);
}

static void add_all_related(Buf *b, const Finding *f, Buf *text)
{
	int n = 0;
	jsonw_key(b, "relatedLocations");
	buf_str(b, "[");
	for (int i = 1; i < f->report->naccesses; i++) {
		describe_access(text, f, i);
		add_related(b, &n, finding_place(f, i), f->source[i], text);
	}
	if (f->has_data && f->data.file) {
		SymFrame at = {.file = f->data.file, .dir = f->data.dir, .line = f->data.line};
		buf_fmt(text, "'%s' is defined here", f->data.name);
		add_related(b, &n, &at, NULL, text);
	}
	if (f->allocated.n) {
		buf_fmt(text, "the block of %zu bytes was allocated here", f->location.size);
		add_related(b, &n, first_place(&f->allocated), NULL, text);
	}
	for (int i = 0; i < f->npeople; i++) {
		describe_who(text, &f->people[i]);
		buf_str(text, " was created here");
		add_related(b, &n, first_place(&f->people[i].created), NULL, text);
	}
	for (int i = 0; i < f->report->naccesses; i++)
		for (int k = 0; k < f->report->accesses[i].nlocks; k++) {
			buf_str(text, "a lock held by ");
			describe_who(text, f->who[i] >= 0 ? &f->people[f->who[i]] : NULL);
			buf_str(text, " was taken here");
			add_related(
			    b, &n, f->locks[i][k].at.file ? &f->locks[i][k].at : NULL, NULL, text);
		}
	buf_str(b, "]");
}

/* ---- a result ---- */

/* "Data race on counter: write ... at f.c:3; [previous read ... at f.c:9](1)." The link leads to the related
 * location of that id; brackets within would end it. */
static void describe(Buf *text, const Finding *f)
{
	Buf one = {0};
	int related = 0;
	describe_title(text, f);
	for (int i = 0; i < f->report->naccesses; i++) {
		bool link = i && finding_place(f, i);
		buf_str(text, i ? "; " : ": ");
		buf_str(text, link ? "[" : "");
		describe_access(&one, f, i);
		for (const char *s = buf_text(&one); *s; s++) {
			if (link && strchr("[]\\", *s))
				buf_str(text, "\\");
			buf_add(text, s, 1);
		}
		if (link)
			buf_fmt(text, "](%d)", ++related);
		one.n = 0;
	}
	buf_str(text, ".");
	buf_free(&one);
}

void sarif_result(Buf *b, const Finding *f)
{
	Buf text = {0};
	buf_str(b, "{");
	jsonw_key(b, "ruleId");
	buf_fmt(b, "\"goro/%s\"", report_kind_id(f->report->kind));
	jsonw_number(b, "ruleIndex", (uint64_t)f->report->kind);
	jsonw_pair(b, "level", "error");
	describe(&text, f);
	add_message(b, "message", &text);
	jsonw_key(b, "locations");
	buf_str(b, "[");
	const SymFrame *at = finding_place(f, 0);
	if (!at && f->stacks[0].n)
		at = &f->stacks[0].frames[0];
	if (at)
		add_location(b, at, f->source[0], -1, &text);
	buf_str(b, "]");
	jsonw_key(b, "partialFingerprints");
	buf_fmt(b, "{\"goroFinding/v1\":\"%016llx\"}", (unsigned long long)f->fingerprint);
	jsonw_key(b, "codeFlows");
	buf_str(b, "[{\"threadFlows\":[");
	for (int i = 0; i < f->report->naccesses; i++) {
		buf_str(b, i ? "," : "");
		add_flow(b, f, i, &text);
	}
	buf_str(b, "]}]");
	add_all_related(b, f, &text);
	if (race_seed) {
		jsonw_key(b, "properties");
		buf_str(b, "{");
		schedule_json(b);
		buf_str(b, "}");
	}
	buf_str(b, "}");
	buf_free(&text);
}

/* ---- the document ---- */

static void add_rule(Buf *b, ReportKind k)
{
	buf_str(b, k ? ",{" : "{");
	jsonw_key(b, "id");
	buf_fmt(b, "\"goro/%s\"", report_kind_id(k));
	jsonw_key(b, "shortDescription");
	buf_str(b, "{");
	jsonw_pair(b, "text", report_kind_summary(k));
	buf_str(b, "}");
	jsonw_key(b, "defaultConfiguration");
	buf_str(b, "{\"level\":\"error\"}");
	jsonw_key(b, "properties");
	buf_str(b, "{\"tags\":[\"concurrency\",\"correctness\"],\"precision\":\"very-high\"}");
	buf_str(b, "}");
}

void sarif_head(Buf *b)
{
	buf_str(b,
	    "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\","
	    "\"runs\":[{\"tool\":{\"driver\":{\"name\":\"goro\",\"semanticVersion\":\"" GORO_VERSION
	    "\",\"rules\":[");
	for (int k = 0; k < REPORT_KINDS; k++)
		add_rule(b, (ReportKind)k);
	buf_str(b, "]}},");
	if (flags.strip_path_prefix && flags.strip_path_prefix[0] == '/') {
		size_t n = strlen(flags.strip_path_prefix);
		buf_fmt(b, "\"originalUriBaseIds\":{\"%s\":{\"uri\":\"file://", root);
		add_uri(b, flags.strip_path_prefix);
		buf_str(b, flags.strip_path_prefix[n - 1] == '/' ? "\"}}," : "/\"}},");
	}
	buf_str(b, "\"results\":[");
}

void sarif_tail(Buf *b, const SarifEnd *end)
{
	buf_str(b, "\n],\"invocations\":[{");
	jsonw_bool(b, "executionSuccessful", end->ended);
	if (end->ended)
		jsonw_number(b, "exitCode", (uint64_t)end->code);
	if (end->left_out) {
		jsonw_key(b, "toolExecutionNotifications");
		buf_fmt(b,
		    "[{\"level\":\"warning\",\"message\":{\"text\":\"%d further findings are left "
		    "out.\"}}]",
		    end->left_out);
	}
	buf_str(b, "}]}]}\n");
}
