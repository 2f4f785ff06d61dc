/*
 * seed_test.c: seeded runs (docs/schedules.md): they repeat, they find what other runs miss, their schedules
 * can be followed and made shorter.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"

#define WORK GORO_BUILD_DIR "/tests/seed.d"
#define HERE GORO_SOURCE_DIR "/tests/seed"

static Run r;

/* The program, under this GORACE, for at most 20 s. */
static void go_run(const char *gorace, const char *name)
{
	static const char build[] =
	    "set -e; mkdir -p " WORK "; cd " WORK "; "
	    "if [ ! -x subject ] || [ subject -ot " GORO_BUILD_DIR "/lib/libgoro-race.a ] || [ subject -ot " HERE
	    "/subject.c ]; then " GORO_BUILD_DIR "/bin/goro-cc -race -g -O1 -fno-inline " HERE
	    "/subject.c -o subject.$$; mv subject.$$ subject; fi >&2; "
	    "GORACE=\"%s\" exec ./subject %s";
	run_free(&r);
	run_sh(&r, 60, build, gorace, name);
	cr_assert_neq(r.code, RUN_TIMEOUT, "%s hangs under GORACE=\"%s\"", name, gorace);
	for (char *s = r.err; (s = strstr(s, "0x")) != NULL; s += 2) /* addresses are not part of it */
		for (char *d = s + 2; isxdigit((unsigned char)*d); d++)
			*d = 'X';
}

static void seeded(int seed, const char *more, const char *name)
{
	char gorace[256];
	snprintf(gorace, sizeof gorace, "seed=%d %s", seed, more);
	go_run(gorace, name);
}

static char *contents(const char *path)
{
	static char text[1 << 18];
	FILE *f = fopen(path, "r");
	cr_assert(f, "%s", path);
	text[fread(text, 1, sizeof text - 1, f)] = 0;
	fclose(f);
	return text;
}

static int lines_with(const char *text, const char *word)
{
	int n = 0;
	for (; (text = strstr(text, word)) != NULL; text++)
		n++;
	return n;
}

/* ---- the same again ---- */

static void repeats(const char *strategy)
{
	char gorace[64];
	snprintf(gorace, sizeof gorace, "strategy=%s", strategy);
	for (int seed = 1; seed <= 2; seed++) {
		char *out = NULL, *err = NULL;
		int code = 0;
		for (int i = 0; i < 10; i++) {
			seeded(seed, gorace, "busy");
			if (!i) {
				out = strdup(r.out);
				err = strdup(r.err);
				code = r.code;
				cr_assert_eq(code, 66, "seed %d finds nothing:\n%s", seed, err);
				continue;
			}
			cr_assert_str_eq(r.out, out, "run %d", i);
			cr_assert_str_eq(r.err, err, "run %d", i);
			cr_assert_eq(r.code, code);
		}
		free(out);
		free(err);
	}
}

Test(repeats, random)
{
	repeats("random");
}

Test(repeats, pct)
{
	repeats("pct");
}

Test(repeats, pos)
{
	repeats("pos");
}

Test(repeats, another_seed_is_another_run)
{
	char first[64];
	int others = 0;
	seeded(1, "", "busy");
	snprintf(first, sizeof first, "%s", r.out);
	for (int seed = 2; seed <= 6; seed++) {
		seeded(seed, "", "busy");
		others += strcmp(first, r.out) != 0;
	}
	cr_assert_geq(others, 4);
}

/* ---- what is found ---- */

/* How many of `seeds` end in `code`; the smallest in *first. */
static int found(int seeds, const char *more, const char *name, int code, int *first)
{
	int n = 0;
	for (int seed = seeds; seed >= 1; seed--) {
		seeded(seed, more, name);
		if (r.code == code) {
			n++;
			*first = seed;
		}
	}
	return n;
}

Test(finds, a_race_that_plain_runs_miss)
{
	static const char *const strategies[] = {"strategy=random", "strategy=pct steps=30", "strategy=pos"};
	for (int i = 0; i < 20; i++) {
		go_run("", "rare");
		cr_assert_eq(r.code, 0, "not rare enough to be a test:\n%s", r.err);
	}
	for (int i = 0; i < 3; i++) {
		int first = 0;
		cr_assert_gt(found(60, strategies[i], "rare", 66, &first), 0, "%s", strategies[i]);
		seeded(first, strategies[i], "rare");
		cr_assert(strstr(r.err, "writes_at()"), "%s", r.err);
	}
}

Test(finds, a_deadlock_and_says_how_to_have_it_again)
{
	int first = 0;
	char line[128];
	cr_assert_gt(found(20, "detect_deadlocks=0", "two_orders", 2, &first), 0);
	seeded(first, "detect_deadlocks=0", "two_orders");
	cr_assert_eq(r.code, 2);
	cr_assert(strstr(r.err, "all goroutines are asleep - deadlock!"), "%s", r.err);
	snprintf(line, sizeof line, "\nReplay: GORACE=\"seed=%d\" ./subject two_orders\n", first);
	cr_assert(strstr(r.err, line), "%s wants %s", r.err, line);
}

/* 1 / (n k^(d-1)) of the runs at least, with 3 goroutines and the length that a run says it has. */
Test(finds, as_often_as_pct_promises)
{
	int first = 0, runs = 200, k = 25;
	char more[64];
	seeded(1, "strategy=pct depth=2 format=json", "depth_2");
	const char *step = strrchr(r.err, '{');
	cr_assert(step && (step = strstr(step, "\"step\":")), "%s", r.err);
	cr_assert_leq(atoi(step + 7), k, "%s", r.err);
	snprintf(more, sizeof more, "strategy=pct depth=2 steps=%d", k);
	int n = found(runs, more, "depth_2", 2, &first);
	cr_assert_geq(n * 3 * k, runs, "%d of %d runs", n, runs);
	cr_assert_eq(found(runs / 4, "strategy=pct depth=1", "depth_2", 2, &first), 0, "no change of priority, no bug");
}

/* ---- time ---- */

Test(time, hours_pass_at_once_on_every_clock)
{
	seeded(1, "", "hours");
	cr_assert_eq(r.code, 0, "%s", r.err);
	cr_assert_str_eq(r.out, "111610 111610 111610 111610 946684800\n");
}

Test(time, goroutines_left_behind_have_their_second)
{
	seeded(1, "", "leaves");
	cr_assert_eq(r.code, 66, "the late one's race");
	seeded(1, "atexit_sleep_ms=100", "leaves");
	cr_assert_eq(r.code, 5);
}

/* ---- other decisions ---- */

Test(decides, select_takes_each_case_under_some_seed)
{
	int seen[4] = {0};
	for (int seed = 1; seed <= 30; seed++) {
		seeded(seed, "", "choice");
		cr_assert_eq(strlen(r.out), 4);
		seen[r.out[0] - '0']++;
	}
	for (int i = 0; i < 4; i++)
		cr_assert_gt(seen[i], 0, "case %d", i);
}

Test(decides, one_that_waits_for_a_variable_does_not_hang_the_others)
{
	static const char *const strategies[] = {"strategy=random", "strategy=pct", "strategy=pos"};
	for (int i = 0; i < 3; i++)
		for (int seed = 1; seed <= 3; seed++) {
			seeded(seed, strategies[i], "spin");
			cr_assert_eq(r.code, 0, "%s", r.err);
		}
}

Test(decides, gomaxprocs_is_remembered)
{
	seeded(1, "", "procs");
	cr_assert_str_eq(r.out, "1 4 4\n");
}

/* ---- what the seed does not decide ---- */

Test(uncontrolled, threads_are_named)
{
	seeded(1, "", "thread");
	cr_assert_eq(r.code, 66, "%s", r.err);
	cr_assert(strstr(r.err, "\nNot controlled by the seed: threads\nReplay: "), "%s", r.err);
}

Test(uncontrolled, a_pipe_within_the_process_is_not)
{
	seeded(1, "", "in_a_pipe");
	cr_assert(strstr(r.err, "\nReplay: ") && !strstr(r.err, "Not controlled"), "%s", r.err);
}

Test(uncontrolled, nobody_goes_on_inside_a_signal_handler)
{
	for (int seed = 1; seed <= 5; seed++) {
		seeded(seed, "preempt=100", "in_a_handler");
		cr_assert_eq(r.code, 2, "%s", r.err);
		cr_assert(strstr(r.err, "panic: 5000\n"), "%s", r.err);
		cr_assert(strstr(r.err, "\nNot controlled by the seed: signals\n"), "%s", r.err);
	}
}

Test(uncontrolled, a_forked_child_writes_no_files)
{
	seeded(1, "record=forks.schedule", "forks");
	cr_assert_str_eq(r.out, "7\n", "%s", r.err);
	cr_assert_eq(lines_with(contents(WORK "/forks.schedule"), "\nend "), 1);
}

/* ---- schedules ---- */

/* A run of `rare` that finds its race, recorded in `file`. */
static void record_rare(const char *file)
{
	char more[128];
	int first = 0;
	cr_assert_gt(found(60, "", "rare", 66, &first), 0);
	snprintf(more, sizeof more, "record=%s interleaving=%s.list", file, file);
	seeded(first, more, "rare");
	cr_assert_eq(r.code, 66);
}

Test(schedule, followed_it_is_the_same_run)
{
	record_rare("same.schedule");
	char *report = strdup(r.err), *text = strdup(contents(WORK "/same.schedule"));
	char *list = strdup(contents(WORK "/same.schedule.list"));
	cr_assert_eq(strncmp(text, "goro-schedule 1\nprogram ./subject rare\ngorace seed=", 51), 0, "%s", text);
	go_run("schedule=same.schedule record=again.schedule interleaving=again.list", "rare");
	cr_assert_eq(r.code, 66, "%s", r.err);
	*strstr(report, "\nReplay") = *strstr(r.err, "\nReplay") = 0;
	cr_assert_str_eq(r.err, report);
	cr_assert_str_eq(strstr(contents(WORK "/again.schedule"), "\nswitch "), strstr(text, "\nswitch "));
	cr_assert_eq(lines_with(contents(WORK "/again.list"), "\n"), lines_with(list, "\n"), "%s", list);
	cr_assert(strstr(list, " --- ") && strstr(list, "writes_at() subject.c:"), "%s", list);
	cr_assert_geq(lines_with(list, "  write 0x"), 2, "the accesses of the report:\n%s", list);
	free(report);
	free(text);
	free(list);
}

/* Without each line in turn: what is left shows the race all the same, and needs every one of its lines. */
Test(schedule, lines_can_be_taken_away)
{
	char *line[200], *text;
	int n = 0;
	record_rare("long.schedule");
	text = strdup(contents(WORK "/long.schedule"));
	for (char *s = strtok(text, "\n"); s && n < 200; s = strtok(NULL, "\n"))
		if (!strncmp(s, "switch", 6) || !strncmp(s, "choose", 6))
			line[n++] = s;
	int before = n;
	for (int out = 0; out < n;) {
		FILE *f = fopen(WORK "/short.schedule", "w");
		fputs("goro-schedule 1\n# made shorter\n\n", f);
		for (int i = 0; i < n; i++)
			if (i != out)
				fprintf(f, "%s\n", line[i]);
		fclose(f);
		go_run("schedule=short.schedule", "rare");
		if (r.code == 66) {
			memmove(line + out, line + out + 1, (size_t)(--n - out) * sizeof *line);
			out = 0;
		} else {
			out++;
		}
	}
	cr_assert_lt(n, before);
	cr_assert_geq(n, 2); /* away from passes_through, and to the second before the first is done */
	free(text);
}

static void refused(const char *text, const char *why)
{
	char want[256];
	FILE *f = fopen(WORK "/bad.schedule", "w");
	fputs(text, f);
	fclose(f);
	go_run("schedule=bad.schedule", "rare");
	cr_assert_eq(r.code, 2, "%s", text);
	snprintf(want, sizeof want, "goro: GORACE: schedule bad.schedule: %s\n", why);
	cr_assert_str_eq(r.err, want);
}

Test(schedule, malformed_is_refused_by_line)
{
	go_run("", "procs"); /* builds */
	refused("", "empty");
	refused("seven\n", "line 1: not a schedule: goro-schedule is wanted");
	refused("goro-schedule 2\n", "line 1: not format 1");
	refused("goro-schedule 1\nswitch 1 2\n", "line 2: three numbers are wanted");
	refused("goro-schedule 1\nswitch 1 2 3 4\n", "line 2: three numbers are wanted");
	refused("goro-schedule 1\nswitch 1 2 -3\n", "line 2: three numbers are wanted");
	refused("goro-schedule 1\nswitch 1 2 99999999999999999999999\n", "line 2: three numbers are wanted");
	refused("goro-schedule 1\n\nleap 1 2 3\n", "line 3: none of switch, choose, program, gorace, end");
	refused("goro-schedule 1\nswitch 1 2 3\nswitch 1 2 4\n", "line 3: the same goroutine and point as a line before");
	refused("goro-schedule 1\nswitch 1 2 0\n", "line 2: there is no goroutine 0");
	go_run("schedule=nowhere.schedule", "rare");
	cr_assert_eq(r.code, 2);
	cr_assert_str_eq(r.err, "goro: GORACE: schedule nowhere.schedule: No such file or directory\n");
}

Test(schedule, lines_without_use_are_counted)
{
	go_run("", "procs"); /* builds */
	FILE *f = fopen(WORK "/odd.schedule", "w");
	fputs("goro-schedule 1\nswitch 77 1 1\nswitch 1 1 55\nend 1 1\n", f);
	fclose(f);
	go_run("schedule=odd.schedule format=json", "rare");
	cr_assert_eq(r.code, 0, "%s", r.err);
	cr_assert(strstr(r.err, "\"diverged\":2,\"replay\":\"GORACE=\\\"schedule=odd.schedule\\\" ./subject rare\""), "%s", r.err);
}

/* ---- keys ---- */

Test(keys, bad_values_get_one_line_each)
{
	go_run("seed=0 seed=-1 seed=x seed=2147483648 strategy=luck depth=0 depth=101 preempt=101 steps=-1", "procs");
	cr_assert_eq(r.code, 0);
	cr_assert_eq(lines_with(r.err, "\n"), 8, "%s", r.err);
	cr_assert(strstr(r.err, "goro: GORACE: bad value 'luck' for strategy, using random\n"), "%s", r.err);
}

Test(keys, a_file_that_cannot_be_written_is_said)
{
	seeded(1, "record=/nowhere/x interleaving=/nowhere/y", "procs");
	cr_assert_eq(r.code, 0);
	cr_assert_str_eq(r.err, "goro: GORACE: cannot write /nowhere/x: the run is not recorded\n"
				"goro: GORACE: cannot write /nowhere/y: there will be no list of steps\n");
}

Test(keys, json_has_the_schedule)
{
	seeded(7, "strategy=pct depth=5 format=json", "busy");
	cr_assert(strstr(r.err, "\"schedule\":{\"seed\":7,\"strategy\":\"pct\",\"depth\":5,\"steps\":0,\"preempt\":10,\"step\":"),
	    "%s", r.err);
	cr_assert(strstr(r.err, "\"replay\":\"GORACE=\\\"seed=7 strategy=pct depth=5\\\" ./subject busy\"}"), "%s", r.err);
}
