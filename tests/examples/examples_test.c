/*
 * examples_test.c: every program of docs/examples says what its head promises: built plain and with -race,
 * by gcc and by clang; output, exit code, and the report or its absence.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/report.h"
#include "support/run.h"

#define EXAMPLES GORO_SOURCE_DIR "/docs/examples"
#define WORK     GORO_BUILD_DIR "/tests/examples.d"

enum { MAX_REPORTS = 8 };

typedef struct Example {
	const char *name, *args;
	/* Whether the output is what the head of the file promises. */
	bool (*prints)(const char *out);
	/* Under -race: the variable and the function of each access ("" where either may come first). */
	const char *variable, *current, *previous;
} Example;

/* How often `word` occurs in text. */
static int count(const char *text, const char *word)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

/* The lines of want, one after the other, with anything between. */
static bool in_order(const char *out, const char *const *want)
{
	for (; *want; want++) {
		out = strstr(out, *want);
		if (!out)
			return false;
		out += strlen(*want);
	}
	return true;
}
#define IN_ORDER(out, ...) in_order(out, (const char *const[]){__VA_ARGS__, NULL})

static bool counter(const char *out)
{
	int n = 0;

	return sscanf(out, "Final Counter: %d", &n) == 1 && n >= 2 && n <= 4;
}
static bool counter_4(const char *out)
{
	return strcmp(out, "Final Counter: 4\n") == 0;
}
/* Every letter three times, as a word of its own: on two processors they may come before the wait. */
static bool alphabet(const char *out)
{
	int seen[256] = {0};

	for (const char *p = out; *p; p++)
		if (p[1] == ' ' && (p == out || p[-1] == ' ' || p[-1] == '\n'))
			seen[(unsigned char)*p]++;
	for (int i = 0; i < 26; i++)
		if (seen['a' + i] != 3 || seen['A' + i] != 3)
			return false;
	return strncmp(out, "Start Goroutines\n", 17) == 0 &&
	    IN_ORDER(out, "Waiting To Finish\n", "\nTerminating Program\n");
}
static bool shutdown_both(const char *out)
{
	return count(out, "Doing A Work\n") >= 1 && count(out, "Doing B Work\n") >= 1 &&
	    count(out, "Shutdown Now\n") == 1 && count(out, "Shutting A Down\n") == 1 &&
	    count(out, "Shutting B Down\n") == 1;
}
static bool tennis(const char *out)
{
	int hits = count(out, " Hit ");
	char line[32];

	for (int i = 1; i <= hits; i++) {
		snprintf(line, sizeof line, " Hit %d\n", i);
		if (count(out, line) != 1)
			return false;
	}
	return count(out, " Missed\n") == 1 && count(out, " Won\n") == 1 &&
	    count(out, "Nadal Won") + count(out, "Nadal Missed") == 1;
}
static bool relay(const char *out)
{
	return IN_ORDER(out, "Runner 1 Running", "Runner 2 To The Line", "Runner 1 Exchange With Runner 2",
	    "Runner 2 Running", "Runner 3 To The Line", "Runner 2 Exchange With Runner 3",
	    "Runner 3 Running", "Runner 4 To The Line", "Runner 3 Exchange With Runner 4",
	    "Runner 4 Running", "Runner 4 Finished, Race Over\n");
}
static bool workerpool(const char *out)
{
	char line[64];

	for (int task = 1; task <= 10; task++) {
		int by = 0;
		for (int id = 1; id <= 4; id++) {
			snprintf(line, sizeof line, "Worker: %d : Started Task : %d\n", id, task);
			int started = count(out, line);
			snprintf(line, sizeof line, "Worker: %d : Completed Task : %d\n", id, task);
			if (started != count(out, line))
				return false;
			by += started;
		}
		if (by != 1)
			return false;
	}
	return count(out, "Shutting Down\n") == 4;
}
static bool sieve_10(const char *out)
{
	return strcmp(out, "2\n3\n5\n7\n11\n13\n17\n19\n23\n29\n") == 0;
}
static bool sieve_100(const char *out)
{
	return count(out, "\n") == 100 && strstr(out, "\n541\n");
}
static bool point(const char *out)
{
	return strcmp(out, "by value: mine (1,2), yours (10,2)\nby pointer: moved to (13,4)\n") == 0;
}
static bool fileread(const char *out)
{
	return strcmp(out, "computed 4 sums: 1999998000000\nread 12 bytes: hello, goro!\n") == 0;
}

static const Example examples[] = {
    {"counter", "", counter, "counter", "inc_counter", "inc_counter"},
    {"counter_atomic", "", counter_4, NULL, NULL, NULL},
    {"counter_mutex", "", counter_4, NULL, NULL, NULL},
    {"counter_chan", "", counter_4, NULL, NULL, NULL},
    {"alphabet", "", alphabet, NULL, NULL, NULL},
    {"alphabet", "2", alphabet, NULL, NULL, NULL},
    {"shutdown", "", shutdown_both, NULL, NULL, NULL},
    {"shutdown_plain", "", shutdown_both, "shutdown_flag", "", ""},
    {"tennis", "", tennis, NULL, NULL, NULL},
    {"tennis", "7", tennis, NULL, NULL, NULL},
    {"relay", "", relay, NULL, NULL, NULL},
    {"workerpool", "", workerpool, NULL, NULL, NULL},
    {"sieve", "", sieve_10, NULL, NULL, NULL},
    {"sieve", "100", sieve_100, NULL, NULL, NULL},
    {"point", "", point, NULL, NULL, NULL},
    {"fileread", "", fileread, NULL, NULL, NULL},
};

/* The text of a source line, so that a report's line can be looked at. */
static const char *source_line(const char *name, int line, char *text, int size)
{
	char path[512];

	snprintf(path, sizeof path, EXAMPLES "/%s.c", name);
	FILE *f = fopen(path, "r");
	text[0] = '\0';
	while (f && line-- > 0)
		if (!fgets(text, size, f))
			text[0] = '\0';
	if (f)
		fclose(f);
	return text;
}

static void check_reports(const Example *e, const char *what, const Run *r)
{
	static ParsedReport reports[MAX_REPORTS];
	char error[256] = "", text[256], location[64];
	int found;

	int n = parse_reports(r->err, reports, MAX_REPORTS, &found, error);
	cr_assert(n >= 1 && found == n, "%s: %d reports, %d by the last line; %s\n%s", what, n, found, error,
	    r->err);
	snprintf(location, sizeof location, "global '%s'", e->variable);
	for (int i = 0; i < n; i++) {
		const ParsedReport *p = &reports[i];
		cr_assert_str_eq(p->kind, "DATA RACE");
		cr_assert(strncmp(p->location, location, strlen(location)) == 0, "%s: %s", what, p->location);
		cr_assert(p->ncreated >= 1, "%s: no creation", what);
		for (int k = 0; k < 2; k++) {
			const ParsedStack *a = &p->accesses[k];
			const char *function = k ? e->previous : e->current;
			cr_assert(a->nframes >= 1, "%s: %s: no frames", what, a->head);
			cr_assert(!*function || strcmp(a->frames[0].function, function) == 0, "%s: %s, not %s",
			    what, a->frames[0].function, function);
			source_line(e->name, a->frames[0].line, text, sizeof text);
			cr_assert(strstr(text, e->variable), "%s: line %d, \"%s\", does not name %s", what,
			    a->frames[0].line, text, e->variable);
		}
	}
}

static void try_example(const Example *e, const char *host, bool race)
{
	char what[128], path[512];
	Run r;

	snprintf(what, sizeof what, "%s-%s%s", e->name, host, race ? "-race" : "");
	run_sh(&r, 120, "mkdir -p " WORK " && GORO_CC=%s " GORO_BUILD_DIR "/bin/goro-cc %s -O1 -g -Wall -Wextra "
			"-Werror " EXAMPLES "/%s.c -o " WORK "/%s", host, race ? "-race" : "", e->name, what);
	cr_assert(r.code == 0 && !*r.err, "%s does not build, or not silently:\n%s%s", what, r.out, r.err);
	run_free(&r);
	snprintf(path, sizeof path, WORK "/%s", what);
	run(&r, 60, (char *[]){path, *e->args ? (char *)e->args : NULL, NULL}, NULL);
	cr_expect(e->prints(r.out), "%s %s printed:\n%s", what, e->args, r.out);
	if (race && e->variable) {
		cr_expect_eq(r.code, 66, "%s %s: exit code %d", what, e->args, r.code);
		check_reports(e, what, &r);
	} else {
		cr_expect_eq(r.code, 0, "%s %s: exit code %d", what, e->args, r.code);
		cr_expect_str_empty(r.err, "%s %s is not silent:\n%s", what, e->args, r.err);
	}
	run_free(&r);
}

static void try_all(const char *host, bool race)
{
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
		try_example(&examples[i], host, race);
}

Test(examples, as_promised_gcc) { try_all("gcc", false); }
Test(examples, as_promised_gcc_race) { try_all("gcc", true); }
Test(examples, as_promised_clang) { try_all("clang", false); }
Test(examples, as_promised_clang_race) { try_all("clang", true); }
