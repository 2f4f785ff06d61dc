/*
 * report_test.c: what a program under -race prints and how it ends, for each key of GORACE.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/report.h"
#include "support/run.h"

#define WORK   GORO_BUILD_DIR "/tests/report.d"
#define HERE   GORO_SOURCE_DIR "/tests/report"
#define MAX    8

typedef struct Ran {
	Run run;
	ParsedReport reports[MAX];
	int n;     /* reports on stderr */
	int found; /* N of "Found N data race(s)"; -1: no such line */
} Ran;

/* Run `program` (subject, or own: with OWN_DEFAULTS) with this case under this GORACE. */
static void go_run(Ran *r, const char *program, const char *gorace, const char *name)
{
	static const char build[] =
	    "set -e; mkdir -p " WORK "; cd " WORK "; p=%s; "
	    "if [ ! -x $p ] || [ $p -ot " GORO_BUILD_DIR "/lib/libgoro-race.a ] || [ $p -ot " HERE "/subject.c ]; then "
	    "d=; [ $p = own ] && d=-DOWN_DEFAULTS; "
	    "gcc -O2 -c " GORO_SOURCE_DIR "/tests/support/invisible.c -o invisible.$$.o; "
	    "ar rcs libinvisible.$$.a invisible.$$.o; "
	    "(cd " HERE "; " GORO_BUILD_DIR "/bin/goro-cc -race -g -O1 -fno-inline $d -I../support subject.c " WORK
	    "/libinvisible.$$.a -o " WORK "/$p.$$); "
	    "rm invisible.$$.o libinvisible.$$.a; mv $p.$$ $p; fi >&2; "
	    /* one processor: ids are each processor's own, taken sixteen at a time */
	    "GOMAXPROCS=1 GORACE=\"%s\" exec ./$p %s";
	char error[256] = "";
	run_sh(&r->run, 60, build, program, gorace, name);
	r->n = parse_reports(r->run.err, r->reports, MAX, &r->found, error);
	cr_assert_geq(r->n, 0, "%s in:\n%s", error, r->run.err);
}

#define RUN(program, gorace, name)                                                                 \
	static Ran r;                                                                              \
	go_run(&r, program, gorace, name)

/* ---- what is said ---- */

Test(report, global)
{
	RUN("subject", "", "one");
	cr_assert_eq(r.n, 1, "%s", r.run.err);
	cr_assert_eq(r.found, 1);
	cr_assert_eq(r.run.code, 66);
	ParsedReport *p = &r.reports[0];
	cr_assert_str_eq(p->kind, "DATA RACE");
	cr_assert_eq(p->naccesses, 2);
	cr_assert_str_eq(p->accesses[0].word, "write");
	cr_assert(p->accesses[0].main);
	cr_assert_eq(p->accesses[1].goroutine, 2);
	cr_assert_eq(p->accesses[0].size, 4);
	cr_assert_str_eq(p->accesses[0].frames[0].function, "writes");
	cr_assert_str_eq(p->accesses[0].frames[1].function, "race_on");
	cr_assert_str_eq(p->accesses[1].frames[1].function, "first");
	cr_assert_str_eq(p->accesses[0].frames[0].file, "subject.c");
	cr_assert(strstr(p->location, "global 'global_one' of size 4 at 0x") && strstr(p->location, " defined at subject.c:"),
	    "%s", p->location);
	cr_assert_eq(p->ncreated, 1);
	cr_assert(strstr(p->created[0].head, "Goroutine 2 ("));
	cr_assert_str_eq(p->created[0].frames[0].function, "race_on");
}

Test(report, heap)
{
	RUN("subject", "", "heap");
	cr_assert_eq(r.n, 1);
	cr_assert(strstr(r.reports[0].location, "heap block of size 40 at 0x"), "%s", r.reports[0].location);
	cr_assert(strstr(r.run.err, "allocated by main goroutine:\n  heap()\n      subject.c:"), "%s", r.run.err);
}

Test(report, stack)
{
	RUN("subject", "", "stack");
	cr_assert_eq(r.n, 1);
	cr_assert(strstr(r.reports[0].location, "stack of main goroutine, variable 'local' of size 4 of stack() at subject.c:"),
	    "%s", r.reports[0].location);
}

Test(report, locks_and_names)
{
	RUN("subject", "", "locked");
	cr_assert_eq(r.n, 1);
	const char *head = r.reports[0].accesses[1].head;
	cr_assert(strstr(head, " by goroutine 2 \"writer\" (holding mutex 0x") && strstr(head, " locked at subject.c:"), "%s", head);
	cr_assert(strstr(r.reports[0].location, "global 'in_file'"));
}

Test(report, use_after_free)
{
	RUN("subject", "", "after_free");
	cr_assert_eq(r.n, 1, "%s", r.run.err);
	cr_assert_str_eq(r.reports[0].kind, "HEAP USE AFTER FREE");
	cr_assert_str_eq(r.reports[0].accesses[0].frames[0].function, "reads");
	cr_assert_str_eq(r.reports[0].accesses[1].word, "free");
	cr_assert_str_eq(r.reports[0].accesses[1].frames[0].function, "after_free");
	cr_assert(strstr(r.reports[0].location, "heap block"), "%s", r.reports[0].location);
	cr_assert(strstr(r.run.err, "Found 0 data race(s), 1 heap error(s)\n"));
	cr_assert_eq(r.run.code, 66);
}

Test(report, inlined_frames)
{
	static const char *const by[] = {"inlined", "first_inlined"};
	RUN("subject", "", "inlined");
	cr_assert_eq(r.n, 1, "%s", r.run.err);
	for (int i = 0; i < 2; i++) {
		const ParsedStack *s = &r.reports[0].accesses[i];
		cr_assert_str_eq(s->frames[0].function, "innermost", "%s", r.run.err);
		cr_assert_str_eq(s->frames[1].function, "between");
		cr_assert_str_eq(s->frames[2].function, by[i]);
		cr_assert(s->frames[0].line > 0 && s->frames[0].line < s->frames[1].line &&
		    s->frames[1].line < s->frames[2].line);
	}
}

Test(report, part_of_a_global)
{
	RUN("subject", "", "global_field");
	cr_assert_eq(r.n, 1);
	cr_assert(strstr(r.reports[0].location, "global 'table' of size 64 at 0x") &&
		      strstr(r.reports[0].location, ", in 'table[3].count.misses', defined at subject.c:"),
	    "%s", r.reports[0].location);
}

Test(report, part_of_a_local)
{
	RUN("subject", "", "stack_field");
	cr_assert_eq(r.n, 1);
	cr_assert(strstr(r.reports[0].location,
		      "variable 'local' of size 32, in 'local[1].count.hits', of stack_field() at subject.c:"),
	    "%s", r.reports[0].location);
}

Test(report, offset_in_a_block)
{
	RUN("subject", "", "heap");
	cr_assert(strstr(r.reports[0].location, ", at offset 12, allocated by main goroutine:"), "%s",
	    r.reports[0].location);
}

Test(report, creators_up_to_main)
{
	RUN("subject", "", "chain");
	cr_assert_eq(r.n, 1);
	ParsedReport *p = &r.reports[0];
	cr_assert_eq(p->ncreated, 3, "%s", r.run.err);
	cr_assert(strstr(p->created[0].head, "Goroutine 4 ("));
	cr_assert_str_eq(p->created[0].frames[0].function, "child");
	cr_assert(strstr(p->created[1].head, "Goroutine 3 ("));
	cr_assert_str_eq(p->created[1].frames[0].function, "parent");
	cr_assert(strstr(p->created[2].head, "Goroutine 2 ("));
	cr_assert_str_eq(p->created[2].frames[0].function, "chain");
	cr_assert(strstr(r.run.err, "\n  [in goroutine 3 \"middle\"]\n"));
	cr_assert(strstr(r.run.err, "\n  [in goroutine 2]\n"));
	cr_assert_not(strstr(r.run.err, "[in main"));
}

Test(report, quotes_the_lines)
{
	RUN("subject", "", "two");
	cr_assert(strstr(r.run.err, "\n\nSource:\n  *p = 1;\n      subject.c:"), "%s", r.run.err);
	cr_assert(strstr(r.run.err, "\n\nSource:\n  *p = 2;\n      subject.c:"), "%s", r.run.err);
	go_run(&r, "subject", "source=0", "two");
	cr_assert_eq(r.n, 2);
	cr_assert_not(strstr(r.run.err, "Source:"), "%s", r.run.err);
}

/* A line of another text would be worse than none. */
Test(report, quotes_nothing_of_a_file_that_changed_since_or_is_gone)
{
	static const char build[] = "rm -rf " WORK "/moved; mkdir -p " WORK "/moved; cd " WORK "/moved; cp " HERE
				    "/subject.c . && gcc -O2 -c " GORO_SOURCE_DIR "/tests/support/invisible.c && " GORO_BUILD_DIR
				    "/bin/goro-cc -race -g -fno-inline -I" GORO_SOURCE_DIR
				    "/tests/support subject.c invisible.o --goro-allow-mixed -o p; %s; GORACE=exitcode=0 ./p one";
	Run r;
	static const char *const change[] = {"true", "touch -d '+1 hour' subject.c", "rm subject.c",
	    "rm subject.c; mkfifo subject.c", "rm subject.c; : > subject.c; touch -d '-1 hour' subject.c"};
	for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
		run_sh(&r, 60, build, change[i]);
		cr_assert_eq(r.code, 0, "%s: %s", change[i], r.err);
		cr_assert(strstr(r.err, "subject.c:"));
		cr_assert_eq(strstr(r.err, "Source:") != NULL, i == 0, "%s: %s", change[i], r.err);
		run_free(&r);
	}
}

/* ---- how it ends ---- */

Test(ends, exit_does_not_hide_a_race)
{
	RUN("subject", "", "exits_3");
	cr_assert_eq(r.found, 1);
	cr_assert_eq(r.run.code, 66);
}

Test(ends, panic_does_not_hide_a_race)
{
	RUN("subject", "", "panics");
	cr_assert_eq(r.found, 1, "%s", r.run.err);
	cr_assert(strstr(r.run.err, "panic: on top\n\ngoroutine 1 [running]:\npanics(...)\n"), "%s", r.run.err);
	cr_assert_eq(r.run.code, 66);
}

Test(ends, no_race_keeps_the_code)
{
	RUN("subject", "", "returns_7");
	cr_assert_eq(r.run.code, 7);
	cr_assert_str_eq(r.run.err, "");
}

Test(ends, exitcode_0_keeps_the_code)
{
	RUN("subject", "exitcode=0", "exits_3");
	cr_assert_eq(r.found, 1);
	cr_assert_eq(r.run.code, 3);
}

Test(ends, exitcode_is_used)
{
	RUN("subject", "exitcode=5", "one");
	cr_assert_eq(r.run.code, 5);
}

Test(ends, halt_on_error_stops_at_the_first)
{
	RUN("subject", "halt_on_error=1", "two");
	cr_assert_eq(r.n, 1);
	cr_assert_eq(r.found, -1);
	cr_assert_eq(r.run.code, 66);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

Test(ends, waits_for_others_only_while_there_are_any)
{
	RUN("subject", "", "one"); /* builds */
	double start = seconds();
	go_run(&r, "subject", "atexit_sleep_ms=3000", "returns_7");
	cr_assert_lt(seconds() - start, 2.0);
	start = seconds();
	go_run(&r, "subject", "atexit_sleep_ms=400", "leaves_one_behind");
	cr_assert_geq(seconds() - start, 0.4);
	cr_assert_eq(r.run.code, 0);
}

Test(ends, waiting_finds_a_late_race)
{
	RUN("subject", "atexit_sleep_ms=5000", "late_race");
	cr_assert_eq(r.n, 1, "%s", r.run.err);
	cr_assert_eq(r.run.code, 66);
}

/* ---- once each ---- */

Test(folds, same_stacks_once)
{
	RUN("subject", "", "same_stacks");
	cr_assert_eq(r.n, 1, "%s", r.run.err);
	go_run(&r, "subject", "suppress_equal_addresses=0", "same_address");
	cr_assert_gt(r.n, 1, "%s", r.run.err);
	go_run(&r, "subject", "suppress_equal_addresses=0 suppress_equal_stacks=0", "same_stacks");
	cr_assert_eq(r.n, 3, "%s", r.run.err);
}

Test(folds, same_address_once)
{
	RUN("subject", "", "same_address");
	cr_assert_eq(r.n, 1, "%s", r.run.err);
}

Test(folds, different_ones_are_all_told)
{
	RUN("subject", "", "two");
	cr_assert_eq(r.n, 2, "%s", r.run.err);
	cr_assert_eq(r.found, 2);
}

Test(folds, max_reports)
{
	RUN("subject", "max_reports=1", "two");
	cr_assert_eq(r.n, 1);
	cr_assert(strstr(r.run.err, "goro: max_reports=1 is reached: further reports are left out\n"));
	cr_assert_eq(r.run.code, 66);
}

/* ---- where it goes ---- */

Test(log, stdout)
{
	RUN("subject", "log_path=stdout", "one");
	cr_assert_eq(r.n, 0);
	cr_assert(strstr(r.run.out, "WARNING: DATA RACE\n") && strstr(r.run.out, "Found 1 data race(s)\n"));
}

Test(log, file_with_the_process_id)
{
	RUN("subject", "", "one");
	run_free(&r.run);
	run_sh(&r.run, 60, "cd " WORK " && rm -f log.*; GORACE=log_path=" WORK "/log ./subject one; cat log.* && ls log.* | wc -l && rm log.*");
	cr_assert(strstr(r.run.out, "Found 1 data race(s)\n1\n"), "%s", r.run.out);
	cr_assert_str_eq(r.run.err, "");
}

Test(log, unwritable_goes_to_stderr_with_a_word)
{
	RUN("subject", "log_path=/nonexistent/log", "one");
	cr_assert(strstr(r.run.err, "goro: cannot write /nonexistent/log."));
	cr_assert_eq(r.n, 1);
}

Test(log, prefix_is_stripped)
{
	RUN("subject", "strip_path_prefix=subj", "one");
	cr_assert_str_eq(r.reports[0].accesses[0].frames[0].file, "ect.c");
}

Test(log, report_bugs_0_is_silent)
{
	RUN("subject", "report_bugs=0", "one");
	cr_assert_str_eq(r.run.err, "");
	cr_assert_eq(r.run.code, 0);
}

Test(log, wrong_keys_are_said_once)
{
	RUN("subject", "foo=1 exitcode=x", "returns_7");
	cr_assert_str_eq(r.run.err, "goro: GORACE: unknown key 'foo'\ngoro: GORACE: bad value 'x' for exitcode, using 66\n");
	cr_assert_eq(r.run.code, 7);
}

Test(log, stats)
{
	RUN("subject", "stats=1", "one");
	cr_assert(strstr(r.run.err, "\ngoro: stats: findings: reports=1 suppressed=0\n"), "%s", r.run.err);
	cr_assert(strstr(r.run.err, "\ngoro: stats: goroutines: slots="), "%s", r.run.err);
	cr_assert(strstr(r.run.err, "\ngoro: stats: accesses: records="), "%s", r.run.err);
	cr_assert(strstr(r.run.err, "\ngoro: stats: clocks: syncvars="), "%s", r.run.err);
	cr_assert(strstr(r.run.err, "\ngoro: stats: lost: lost_memory=0 "), "%s", r.run.err);
	cr_assert(strstr(r.run.err, " escalations="), "%s", r.run.err);
	static const char *const kinds[] = {"shadow", "heap_bits", "records", "sets", "contexts", "mutex_sets", "clocks",
	    "slots", "sync_objects", "ginfos", "goroutines"};
	unsigned long long total = 0, sum = 0;
	const char *memory = strstr(r.run.err, "\ngoro: stats: memory: "), *live = strstr(r.run.err, "\ngoro: stats: live: ");
	cr_assert(memory && live && memory < live, "%s", r.run.err);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char word[32];
		snprintf(word, sizeof word, " %s=", kinds[i]);
		const char *bytes = strstr(memory, word), *n = strstr(live, word);
		cr_assert(bytes && bytes < live && n, "%s: %s", kinds[i], r.run.err);
		sum += strtoull(bytes + strlen(word), NULL, 10);
	}
	cr_assert_eq(sscanf(strstr(memory, " total="), " total=%llu", &total), 1);
	cr_assert_eq(sum, total, "%s", r.run.err);
	cr_assert_gt(strtoull(strstr(live, " records=") + 9, NULL, 10), 0u, "%s", r.run.err);
	cr_assert_not(strstr(r.run.err, "stats: other:"), "a counter without a line in stats.c: %s", r.run.err);
}

Test(log, a_wrong_memory_limit_is_said_once)
{
	RUN("subject", "memory_limit_mb=-1", "returns_7");
	cr_assert_str_eq(r.run.err, "goro: GORACE: bad value '-1' for memory_limit_mb, using 0\n");
	cr_assert_eq(r.run.code, 7);
}

Test(log, a_memory_limit_that_is_no_number_is_said_once)
{
	RUN("subject", "memory_limit_mb=32M", "returns_7");
	cr_assert_str_eq(r.run.err, "goro: GORACE: bad value '32M' for memory_limit_mb, using 0\n");
	cr_assert_eq(r.run.code, 7);
}

/* ---- suppressions ---- */

static void rules(const char *text)
{
	Run r;
	run_sh(&r, 10, "mkdir -p " WORK "; printf '%s' > " WORK "/rules.$PPID", text);
	run_free(&r);
}

Test(suppressions, silence_all)
{
	static Ran r;
	rules("race:^writes$\\n");
	char gorace[512];
	snprintf(gorace, sizeof gorace, "suppressions=" WORK "/rules.%d print_suppressions=1", (int)getpid());
	go_run(&r, "subject", gorace, "same_stacks");
	cr_assert_eq(r.n, 0);
	cr_assert_eq(r.run.code, 0);
	cr_assert(strstr(r.run.err, "goro: Matched "), "%s", r.run.err);
	cr_assert(strstr(r.run.err, " race:^writes$\n"), "%s", r.run.err);
	cr_assert_not(strstr(r.run.err, "matched nothing"));
}

Test(suppressions, silence_by_global_only_that_global)
{
	static Ran r;
	rules("race:^global_one$\\nrace:nobody\\nwrong\\n");
	char gorace[512];
	snprintf(gorace, sizeof gorace, "suppressions=" WORK "/rules.%d print_suppressions=1", (int)getpid());
	go_run(&r, "subject", gorace, "two");
	cr_assert_eq(r.n, 1, "%s", r.run.err);
	cr_assert(strstr(r.reports[0].location, "global_two"));
	cr_assert(strstr(r.run.err, ":3: a suppression is type:pattern: wrong\n"), "%s", r.run.err);
	cr_assert(strstr(r.run.err, "goro: Suppressions that matched nothing:\nrace:nobody ("), "%s", r.run.err);
	cr_assert_eq(r.run.code, 66);
}

Test(suppressions, missing_file_is_said)
{
	RUN("subject", "suppressions=/nonexistent/rules", "one");
	cr_assert(strstr(r.run.err, "goro: cannot read the suppressions '/nonexistent/rules'\n"));
	cr_assert_eq(r.n, 1);
}

Test(own, defaults_suppressions_and_callback)
{
	RUN("own", "", "two");
	cr_assert_eq(r.n, 1, "%s", r.run.err);
	cr_assert(strstr(r.reports[0].location, "global_one"));
	cr_assert(strstr(r.run.err, "goro: __tsan_default_options: unknown key 'nonsense'\n"));
	cr_assert_eq(r.run.code, 9);
	cr_assert_str_eq(r.run.out, "told\n");
	go_run(&r, "own", "exitcode=8", "two");
	cr_assert_eq(r.run.code, 8, "GORACE goes over the program's defaults");
}

/* ---- JSON ---- */

/* One JSON value, by the book; where it ends, or NULL. */
static const char *json_value(const char *s)
{
	if (*s == '{' || *s == '[') {
		char close = *s == '{' ? '}' : ']';
		bool object = *s++ == '{';
		if (*s == close)
			return s + 1;
		for (;;) {
			if (object) {
				if (*s != '"' || !(s = json_value(s)) || *s++ != ':')
					return NULL;
			}
			if (!(s = json_value(s)))
				return NULL;
			if (*s == close)
				return s + 1;
			if (*s++ != ',')
				return NULL;
		}
	}
	if (*s == '"') {
		for (s++; *s && *s != '"'; s++) {
			if ((unsigned char)*s < 0x20)
				return NULL;
			if (*s == '\\' && !strchr("\"\\/bfnrtu", *++s))
				return NULL;
		}
		return *s ? s + 1 : NULL;
	}
	if (!strncmp(s, "true", 4))
		return s + 4;
	if (!strncmp(s, "false", 5))
		return s + 5;
	const char *digits = s;
	while (isdigit((unsigned char)*s))
		s++;
	return s > digits ? s : NULL;
}

Test(json, every_line_is_an_object)
{
	static const char *const names[] = {"one", "two", "heap", "stack", "locked", "after_free", "returns_7"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		RUN("subject", "format=json", names[i]);
		cr_assert_eq(r.n, 0);
		int lines = 0;
		for (const char *s = r.run.err; *s; lines++) {
			cr_assert_eq(*s, '{', "%s", s);
			s = json_value(s);
			cr_assert(s && *s == '\n', "%s", r.run.err);
			s++;
		}
		cr_assert_geq(lines, 1);
		cr_assert(strstr(r.run.err, "{\"kind\":\"summary\",\"data_races\":"));
	}
}

/* The id of a finding is the same in every run and for every address. */
Test(json, fingerprints_are_stable)
{
	char id[2][17] = {"", ""};
	for (int i = 0; i < 2; i++) {
		RUN("subject", "format=json", "one");
		const char *s = strstr(r.run.err, "\"fingerprint\":\"");
		cr_assert_not_null(s);
		memcpy(id[i], s + 15, 16);
	}
	cr_assert_str_eq(id[0], id[1]);
}
