/*
 * cases_test.c: build every subject file of this folder with goro-cc -race, list its cases, run each in a
 * process of its own, and hold its report against the table (case.h says how a row reads).
 *
 * Hosts and optimisation levels: the variants below; GORO_CASES="gcc -O2,clang-19 -O0" gives others.
 * GORO_SUBJECTS="distance,heap" leaves the other files out. GORO_FAR=1 (make stress): distances in full.
 * A program that does not build is a failing case by itself. To see one by hand:
 *	build/tests/cases.d/gcc-O0/chan race_chan_two_senders
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/report.h"
#include "support/run.h"

#define CASES_DIR GORO_SOURCE_DIR "/tests/cases"
#define WORK_DIR  GORO_BUILD_DIR "/tests/cases.d"

enum { MAX_REPORTS = 16, MAX_PARTS = 12 };
#define CASE_SECONDS (getenv("GORO_FAR") ? 3000 : 60)

typedef struct Param {
	char variant[32];
	char subject[32];
	char name[96];    /* "" : the program did not build */
	char expect[600]; /* "" : silence */
} Param;

static const char *variants(void)
{
	const char *given = getenv("GORO_CASES");

	return given && *given ? given : "gcc -O0,gcc -O2,clang -O0,clang -O2";
}

/* Is this subject asked for? */
static bool wanted(const char *subject)
{
	const char *list = getenv("GORO_SUBJECTS"), *at = list;
	size_t n = strlen(subject);

	if (!list || !*list)
		return true;
	while ((at = strstr(at, subject)) != NULL) {
		if ((at == list || at[-1] == ',') && (at[n] == ',' || !at[n]))
			return true;
		at += n;
	}
	return false;
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), m = strlen(with);

	return n > m && strcmp(s + n - m, with) == 0;
}

/* "gcc -O2" -> "gcc-O2" */
static void folder_of(const char *variant, char *folder)
{
	while (*variant) {
		if (*variant != ' ' && *variant != '/')
			*folder++ = *variant;
		variant++;
	}
	*folder = '\0';
}

/* ---- building ---- */

/* Everything that is older than its sources, as many at a time as there are processors. */
static void build_all(void)
{
	static const char script[] =
	    "cd '" CASES_DIR "' && mkdir -p '" WORK_DIR "' && cd '" WORK_DIR "' || exit 1\n"
	    "S='" CASES_DIR "' B='" GORO_BUILD_DIR "'\n"
	    "gcc -O2 -c $S/../support/invisible.c -o invisible.o && rm -f libinvisible.a &&\n"
	    "ar rcs libinvisible.a invisible.o || exit 1\n"
	    "IFS=,; for v in $1; do d=$(echo \"$v\" | tr -d ' /'); mkdir -p $d\n"
	    "host=${v%% *} opt=${v#* }\n"
	    "for f in $S/*.c $S/*.cc; do n=${f##*/}; n=${n%.*}; [ $n = cases_test ] && continue\n"
	    "o=$d/$n; new=yes; if [ -x $o ]; then new=; for s in $f $S/case.h $S/../support/invisible.h \\\n"
	    "$B/lib/libgoro-race.a $B/bin/goro-cc $B/include/goro.h; do [ $s -nt $o ] && new=yes; done; fi\n"
	    "[ $new ] || continue; rm -f $o; drv=goro-cc std=; [ ${f##*.} = cc ] && drv=goro-c++ std=-std=gnu++17\n"
	    "case $drv,$host in goro-c++,gcc*) h=g++${host#gcc};; goro-c++,clang*) h=clang++${host#clang};; *) h=$host;; esac\n"
	    "echo \"GORO_CC=$h $B/bin/$drv -race $opt $std -g -w $f libinvisible.a -o $o.new >$o.log 2>&1 && mv $o.new $o\"\n"
	    "done; done | xargs -d '\\n' -P \"$(nproc)\" -n 1 sh -c\nexit 0\n";
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, (char *)"sh", (char *)variants(), NULL};
	Run r;

	run(&r, 280, argv, NULL);
	if (r.code != 0)
		fprintf(stderr, "cases: building: %s%s\n", r.out, r.err);
	run_free(&r);
}

static Param *add(Param **all, size_t *n)
{
	if (*n % 256 == 0) {
		*all = realloc(*all, (*n + 256) * sizeof **all);
		if (!*all)
			abort();
	}
	Param *p = &(*all)[(*n)++];
	memset(p, 0, sizeof *p);
	return p;
}

/* The cases of one program, as it lists them. */
static void list(Param **all, size_t *n, const char *variant, const char *subject)
{
	char folder[32];
	Run r;

	folder_of(variant, folder);
	run_sh(&r, CASE_SECONDS, WORK_DIR "/%s/%s --list", folder, subject);
	char *save = NULL;
	int listed = 0;
	for (char *line = r.code == 0 ? strtok_r(r.out, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(line, '\t');
		if (!tab)
			continue;
		*tab = '\0';
		Param *p = add(all, n);
		snprintf(p->variant, sizeof p->variant, "%s", folder);
		snprintf(p->subject, sizeof p->subject, "%s", subject);
		snprintf(p->name, sizeof p->name, "%s", line);
		snprintf(p->expect, sizeof p->expect, "%s", tab + 1);
		listed++;
	}
	if (!listed) {
		Param *p = add(all, n);
		snprintf(p->variant, sizeof p->variant, "%s", folder);
		snprintf(p->subject, sizeof p->subject, "%s", subject);
	}
	run_free(&r);
}

ParameterizedTestParameters(cases, as_the_memory_model_says)
{
	Param *all = NULL;
	size_t n = 0;

	build_all();
	char *each = strdup(variants()), *save = NULL;
	for (char *v = strtok_r(each, ",", &save); v; v = strtok_r(NULL, ",", &save)) {
		struct dirent **names;
		int count = scandir(CASES_DIR, &names, NULL, alphasort);
		for (int i = 0; i < count; i++) {
			char *name = names[i]->d_name;
			if ((ends(name, ".c") || ends(name, ".cc")) && strcmp(name, "cases_test.c") != 0) {
				*strrchr(name, '.') = '\0';
				if (wanted(name))
					list(&all, &n, v, name);
			}
			free(names[i]);
		}
		free(names);
	}
	free(each);
	/* What the tests see must come from Criterion's own memory. */
	Param *params = cr_malloc(n * sizeof *params);
	if (!params)
		abort();
	memcpy(params, all, n * sizeof *params);
	free(all);
	return cr_make_param_array(Param, params, n);
}

/* ---- matching ---- */

static bool no(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool no(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, 512, fmt, ap);
	va_end(ap);
	return false;
}

/* Whether `line` of a source file lies in the body of function. */
static bool in_function(const char *file, int line, const char *function)
{
	const char *base = strrchr(file, '/');
	char path[512], text[1024], name[160], first[160];
	bool inside = false, result = false;

	snprintf(path, sizeof path, CASES_DIR "/%s", base ? base + 1 : file);
	snprintf(name, sizeof name, "%s(", function);
	snprintf(first, sizeof first, "(%s,", function); /* ACCESS(name, ... and its like */
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	for (int n = 1; !result && fgets(text, sizeof text, f); n++) {
		size_t len = strcspn(text, "\n");
		text[len] = '\0';
		if (isalpha((unsigned char)text[0]) && len > 0 && text[len - 1] != ';')
			inside = strstr(text, name) || strstr(text, first);
		else if (text[0] == '}')
			inside = inside && n == line;
		result = inside && n == line;
	}
	fclose(f);
	return result;
}

/* "write write_x<writer" against an access. */
static bool match_access(const char *want, const ParsedStack *a, char *why)
{
	char word[32], chain[256];
	const char *space = strrchr(want, ' ');

	snprintf(word, sizeof word, "%.*s", (int)(space - want), want);
	snprintf(chain, sizeof chain, "%s", space + 1);
	if (strcmp(word, "?") != 0 && strcmp(word, a->word) != 0)
		return no(why, "\"%s\" where \"%s\" was expected: %s", a->word, word, a->head);
	if (strcmp(chain, "*") == 0)
		return a->nframes > 0 || no(why, "no frames: %s", a->head);
	char *save = NULL;
	int i = 0;
	for (char *f = strtok_r(chain, "<", &save); f; f = strtok_r(NULL, "<", &save), i++) {
		if (i >= a->nframes)
			return no(why, "frame %d, %s, is missing: %s", i, f, a->head);
		const ParsedFrame *frame = &a->frames[i];
		if (strcmp(frame->function, f) != 0)
			return no(why, "frame %d is %s, not %s: %s", i, frame->function, f, a->head);
		if (!in_function(frame->file, frame->line, f))
			return no(why, "%s:%d is no line of %s: %s", frame->file, frame->line, f, a->head);
	}
	return true;
}

static bool match_location(const char *want, const char *have, char *why)
{
	char quoted[160];

	if (strcmp(want, "-") == 0)
		return true;
	snprintf(quoted, sizeof quoted, "%s", want);
	if (strncmp(want, "global ", 7) == 0)
		snprintf(quoted, sizeof quoted, "global '%s'", want + 7);
	return strncmp(have, quoted, strlen(quoted)) == 0 ||
	    no(why, "location \"%s\" where \"%s\" was expected", have, quoted);
}

/* Who is not main was created somewhere, and the report says where. */
static bool creation_shown(const ParsedReport *r, const ParsedStack *a, char *why)
{
	char number[40];

	if (a->main)
		return true;
	snprintf(number, sizeof number, " %llu ", (unsigned long long)a->goroutine);
	for (int i = 0; i < r->ncreated; i++)
		if (strstr(r->created[i].head, number) && r->created[i].nframes > 0)
			return true;
	return no(why, "no word on where goroutine%sof this access was created: %s", number, a->head);
}

static int split(char *s, const char *by, char **parts, int max)
{
	int n = 0;

	for (char *end; n < max; s = end + strlen(by)) {
		parts[n++] = s;
		end = strstr(s, by);
		if (!end)
			break;
		*end = '\0';
	}
	return n;
}

static bool match_report(const char *want, const ParsedReport *r, const char *output, char *why)
{
	char spec[600], *part[MAX_PARTS];

	snprintf(spec, sizeof spec, "%s", want);
	int n = split(spec, " / ", part, MAX_PARTS);
	if (n < 3)
		return no(why, "the case's own expectation is not well formed: %s", want);
	int accesses = strcmp(part[1], "-") == 0 ? 1 : 2;
	if (accesses == 1 ? r->naccesses != 1 : r->naccesses < 2)
		return no(why, "%d access in a report", r->naccesses);
	for (int i = 0; i < accesses; i++)
		if (!match_access(part[i], &r->accesses[i], why) ||
		    !creation_shown(r, &r->accesses[i], why))
			return false;
	if (!match_location(part[2], r->location, why))
		return false;
	for (int i = 3; i < n; i++) {
		if (strncmp(part[i], "says ", 5) == 0) {
			if (!strstr(output, part[i] + 5))
				return no(why, "the report does not say: %s", part[i] + 5);
			continue;
		}
		if (r->naccesses < i)
			return no(why, "no access %d: %s", i, part[i]);
		if (!match_access(part[i], &r->accesses[i - 1], why))
			return false;
	}
	return true;
}

/* Each expected report is there, in whatever order, and none besides. */
static bool match_all(const Param *p, const Run *r, char *why)
{
	static ParsedReport reports[MAX_REPORTS];
	bool used[MAX_REPORTS] = {false};
	char specs[600], *spec[MAX_REPORTS], last[512] = "";
	int found, wanted = 0;

	int n = parse_reports(r->err, reports, MAX_REPORTS, &found, why);
	if (n < 0)
		return false;
	snprintf(specs, sizeof specs, "%s", p->expect);
	int times = 1, skip = 0;
	if (sscanf(specs, "%d times %n", &times, &skip) == 1) { /* the same, so often */
		for (; wanted < times && wanted < MAX_REPORTS; wanted++)
			spec[wanted] = specs + skip;
	} else if (*p->expect) {
		wanted = split(specs, " ; ", spec, MAX_PARTS);
	}
	if (r->code != (wanted ? 66 : 0))
		return no(why, "exit code %d", r->code);
	for (int i = 0; i < wanted && n > 0; i++) {
		int k = 0;
		while (k < n && (used[k] || !match_report(spec[i], &reports[k], r->err, last)))
			k++;
		if (k == n)
			return no(why, "%s", last);
		used[k] = true;
	}
	if (n != wanted)
		return no(why, "%d reports where %d was expected", n, wanted);
	int races = 0;
	for (int i = 0; i < n; i++)
		races += strncmp(reports[i].kind, "DATA RACE", 9) == 0;
	if (wanted && found != races)
		return no(why, "last line counts %d races, not %d", found, races);
	if (!wanted && *r->err)
		return no(why, "not silent");
	return true;
}

ParameterizedTest(Param *p, cases, as_the_memory_model_says)
{
	char why[512] = "", path[512];
	Run r;

	if (!*p->name) {
		run_sh(&r, CASE_SECONDS, "cat " WORK_DIR "/%s/%s.log", p->variant, p->subject);
		cr_assert_fail("%s/%s does not build, or lists nothing:\n%s%s", p->variant, p->subject, r.out,
		    r.err);
	}
	snprintf(path, sizeof path, WORK_DIR "/%s/%s", p->variant, p->subject);
	run(&r, CASE_SECONDS, (char *[]){path, p->name, NULL},
	    (char *[]){(char *)"GORACE=atexit_sleep_ms=0", NULL});
	bool ok = match_all(p, &r, why);
	cr_assert(ok, "%s/%s %s: %s%s\nexpected: %s\n%s", p->variant, p->subject, p->name,
	    r.code == RUN_TIMEOUT ? "timeout; " : "", why, *p->expect ? p->expect : "silence", r.err);
	run_free(&r);
}
