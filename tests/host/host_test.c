/*
 * host_test.c: the detector never fails its host, whatever is done to the process or to the files around
 * it, and bad input gets its word. subject.c is built by the first test that needs it.
 */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"

#define WORK GORO_BUILD_DIR "/tests/host.d"

static char subject[512];

static void build(void)
{
	Run r;

	snprintf(subject, sizeof subject, WORK "/subject");
	run_sh(&r, 120,
	    "mkdir -p " WORK " && cd " WORK " && for f in " GORO_SOURCE_DIR
	    "/tests/host/subject.c " GORO_BUILD_DIR "/lib/libgoro-race.a; do [ subject -nt $f ] || new=yes; done; "
	    "[ -z \"$new\" ] || { " GORO_BUILD_DIR
	    "/bin/goro-cc -race -D_GNU_SOURCE -g -O1 " GORO_SOURCE_DIR
	    "/tests/host/subject.c -o subject.$$ && mv subject.$$ subject; }");
	cr_assert_eq(r.code, 0, "%s", r.err);
	run_free(&r);
}

static long stress(void)
{
	const char *s = getenv("GORO_STRESS");

	return s && atol(s) > 0 ? atol(s) : 1;
}

static int count(const char *in, const char *what)
{
	int n = 0;

	for (const char *at = in; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static int lines(const char *s)
{
	return count(s, "\n");
}

/* A run without a race: silent, the program's own end. */
static void goes_well(const char *how)
{
	Run r;

	build();
	run_sh(&r, 100, "%s %s", subject, how);
	cr_expect_eq(r.code, 5, "%s: %d %s", how, r.code, r.err);
	cr_expect_str_eq(r.out, "end\n", "%s", how);
	cr_expect_str_eq(r.err, "", "%s: %s", how, r.err);
	run_free(&r);
}

Test(host, a_storm_of_signals, .timeout = 200)
{
	char how[40];

	snprintf(how, sizeof how, "storm %ld", 1000 * stress());
	goes_well(how);
}

Test(host, forks_while_threads_are_in_the_detector, .timeout = 200)
{
	char how[40];

	snprintf(how, sizeof how, "forks %ld", 100 * stress());
	goes_well(how);
}

Test(host, threads_end_while_others_collect, .timeout = 200)
{
	char how[40];

	snprintf(how, sizeof how, "endings %ld", 1000 * stress());
	goes_well(how);
}

/* Anywhere, most often within the detector: its locks are not left behind. */
Test(host, threads_are_cancelled_in_the_detector, .timeout = 200)
{
	char how[40];

	snprintf(how, sizeof how, "cancels %ld", 300 * stress());
	goes_well(how);
}

/* Without room for shadow memory: said in one line, and the program goes on. */
Test(host, no_memory, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60, "ulimit -v 400000; %s exhausted", subject);
	cr_expect_eq(r.code, 5, "%d %s", r.code, r.err);
	cr_expect_str_eq(r.out, "end\n");
	cr_expect(strstr(r.err, "cannot reserve") != NULL, "%s", r.err);
	cr_expect(lines(r.err) <= 2, "%s", r.err);
	run_free(&r);
}

static const char forgot[] = "goro: out of memory: history of ", blind[] = "goro: race: out of memory: the detector stops here",
		  was_blind[] = "goro: out of memory: the detector stopped before the end";

/* The system refuses memory for what could be forgotten: it is, and what is recent is found. */
Test(host, memory_for_history_is_refused, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 100, "%s history 2", subject);
	cr_expect_eq(r.code, 66, "%d %s", r.code, r.err);
	cr_expect_str_eq(r.out, "end\n");
	cr_expect_eq(count(r.err, "WARNING: DATA RACE"), 1, "%s", r.err);
	cr_expect(strstr(r.err, forgot) != NULL, "%s", r.err);
	cr_expect_eq(count(r.err, blind), 0, "%s", r.err);
	run_free(&r);
}

/* For what nobody may forget: the detector stops, says so, and the program goes on to its own end. */
Test(host, memory_for_clocks_is_refused, .timeout = 200)
{
	static const char *const ways[] = {"clocks", "clocks_of_goroutines 20"};
	Run r;

	build();
	for (int i = 0; i < 2; i++) {
		run_sh(&r, 100, "%s %s", subject, ways[i]);
		cr_expect_eq(r.code, 5, "%s: %d %s", ways[i], r.code, r.err);
		cr_expect_str_eq(r.out, "end\n", "%s", ways[i]);
		cr_expect_eq(count(r.err, "WARNING"), 0, "%s: %s", ways[i], r.err);
		cr_expect_eq(count(r.err, blind), 1, "%s: %s", ways[i], r.err);
		cr_expect(strstr(r.err, was_blind) != NULL, "%s: %s", ways[i], r.err); /* by each child, too */
		run_free(&r);
	}
}

Test(host, memory_is_refused_after_a_report, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 100, "%s race_then_clocks", subject);
	cr_expect_eq(r.code, 66, "%d %s", r.code, r.err);
	cr_expect_str_eq(r.out, "end\n");
	cr_expect_eq(count(r.err, "WARNING: DATA RACE"), 1, "%s", r.err);
	cr_expect_eq(count(r.err, blind), 1, "%s", r.err);
	run_free(&r);
}

/* ---- where reports go ---- */

Test(host, stderr_is_closed, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60, "%s race 2>&-", subject);
	cr_expect_eq(r.code, 66, "%d", r.code);
	cr_expect_str_eq(r.out, "end\n");
	run_free(&r);
}

Test(host, stderr_is_a_full_disk, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60, "%s race 2>/dev/full", subject);
	cr_expect_eq(r.code, 66, "%d", r.code);
	cr_expect_str_eq(r.out, "end\n");
	run_free(&r);
}

/* Nobody reads the pipe any more: a SIGPIPE of the report's would end the program. */
Test(host, stderr_is_a_pipe_that_nobody_reads, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60,
	    "rm -f " WORK "/gone; mkfifo " WORK "/gone; exec 8<>" WORK "/gone 9>" WORK
	    "/gone 8<&-; %s race 2>&9",
	    subject);
	cr_expect_eq(r.code, 66, "%d", r.code);
	cr_expect_str_eq(r.out, "end\n");
	run_free(&r);
}

Test(host, log_path_is_a_full_disk, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60,
	    "cd " WORK "; ln -sf /dev/full full.$$; trap 'rm -f full.*' EXIT; GORACE=log_path=full "
	    "exec %s race",
	    subject);
	cr_expect_eq(r.code, 66, "%d", r.code);
	cr_expect_str_eq(r.out, "end\n");
	cr_expect(strstr(r.err, "goro: cannot write to full.") == r.err, "%s", r.err);
	cr_expect_eq(count(r.err, "WARNING: DATA RACE"), 1, "%s", r.err);
	run_free(&r);
	run_sh(&r, 20, "rm -f " WORK "/full.*");
	run_free(&r);
}

/* In the other formats: lines go to stderr, and a document that is not whole is said to be so. */
Test(host, log_path_is_a_full_disk_in_each_format, .timeout = 200)
{
	static const char *const formats[][2] = {
	    {"json", "{\"kind\":\"data-race\","}, {"github", "::error "}, {"sarif", "the SARIF document is not whole"}};
	Run r;

	build();
	for (int i = 0; i < 3; i++) {
		run_sh(&r, 60,
		    "mkdir -p " WORK "/fulls; cd " WORK "/fulls; ln -sf /dev/full full.$$; GORACE='log_path=full format=%s' "
		    "exec %s race",
		    formats[i][0], subject);
		cr_expect_eq(r.code, 66, "%s: %d", formats[i][0], r.code);
		cr_expect_str_eq(r.out, "end\n", "%s", formats[i][0]);
		cr_expect(strstr(r.err, "goro: cannot write to full.") == r.err, "%s: %s", formats[i][0], r.err);
		cr_expect(strstr(r.err, formats[i][1]) != NULL, "%s: %s", formats[i][0], r.err);
		run_free(&r);
	}
	run_sh(&r, 20, "rm -rf " WORK "/fulls");
	run_free(&r);
}

/* SIGXFSZ would end the program. */
Test(host, log_path_beyond_the_limit_for_files, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60, "cd " WORK "; (ulimit -f 0; GORACE=log_path=limited %s race 2>&1 | cat); rm -f limited.*",
	    subject);
	cr_expect(strstr(r.out, "goro: cannot write to limited.") != NULL, "%s", r.out);
	cr_expect(strstr(r.out, "WARNING: DATA RACE") != NULL, "%s", r.out);
	cr_expect(strstr(r.out, "end\n") != NULL, "%s", r.out);
	run_free(&r);
}

Test(host, log_path_leads_nowhere, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60, "GORACE=log_path=/nowhere/at/all %s race", subject);
	cr_expect_eq(r.code, 66, "%d", r.code);
	cr_expect(strstr(r.err, "goro: cannot write /nowhere/at/all.") == r.err, "%s", r.err);
	cr_expect_eq(count(r.err, "WARNING: DATA RACE"), 1, "%s", r.err);
	run_free(&r);
}

/* 100 MB of them with GORO_STRESS=50. */
Test(host, as_many_reports_as_asked_for, .timeout = 600)
{
	long n = 3000 * stress();
	Run r;

	if (n > 150000)
		n = 150000;
	build();
	run_sh(&r, 500,
	    "GORACE='suppress_equal_stacks=0 suppress_equal_addresses=0' %s races %ld 2>&1 >/dev/null | "
	    "awk '/^WARNING: DATA RACE$/ {n++} {bytes += length($0) + 1; last = $0} END {print n, (bytes > 1500000), last}'",
	    subject, n);
	char want[80];
	snprintf(want, sizeof want, "%ld 1 Found %ld data race(s)\n", n, n);
	cr_expect_str_eq(r.out, want, "%s", r.out);
	run_free(&r);
}

/* ---- what reports are made of ---- */

/* A race is reported whole: two stacks of the functions given. */
static void told(const Run *r, const char *what, const char *first, const char *second)
{
	cr_expect_eq(r->code, 66, "%s: %d %s", what, r->code, r->err);
	cr_expect_str_eq(r->out, "end\n", "%s", what);
	cr_expect_eq(count(r->err, "WARNING: DATA RACE"), 1, "%s: %s", what, r->err);
	cr_expect(strstr(r->err, first) && strstr(r->err, second), "%s: %s", what, r->err);
	cr_expect(strstr(r->err, "Found 1 data race(s)\n") != NULL, "%s: %s", what, r->err);
	for (const char *p = r->err; *p; p++)
		if ((unsigned char)*p >= 0x7f || ((unsigned char)*p < ' ' && *p != '\n')) {
			cr_expect_fail("%s: no text: %s", what, r->err);
			break;
		}
}

/* A thread that was asked to go makes reports to their end. */
Test(host, a_cancelled_thread_reports, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60, "%s cancel_then_report", subject);
	told(&r, "cancel_then_report", "  put_asked_to_go()\n", "  put_first()\n");
	run_free(&r);
	run_sh(&r, 60, "GORACE='suppress_equal_stacks=0 suppress_equal_addresses=0' %s report_then_cancel 20000", subject);
	cr_expect_eq(r.code, 66, "%d %s", r.code, r.err);
	cr_expect_str_eq(r.out, "end\n");
	cr_expect_eq(count(r.err, "==================\n"), 2 * count(r.err, "WARNING: DATA RACE\n"), "%s", r.err);
	cr_expect(strstr(r.err, "data race(s)\n") != NULL, "%s", r.err);
	run_free(&r);
}

Test(host, recursion_100000_deep, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60, "%s recursion 100000", subject);
	told(&r, "recursion", "  put_first()\n", "  deep()\n");
	cr_expect(lines(r.err) < 1200, "%d", lines(r.err));
	run_free(&r);
}

Test(host, huge_frames, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60, "%s frames", subject);
	told(&r, "frames", "  put_first()\n", "  large_second()\n");
	run_free(&r);
}

Test(host, the_binary_is_moved_removed_replaced, .timeout = 200)
{
	static const char *const ways[] = {"moved", "removed", "replaced"};
	Run r;

	build();
	for (int i = 0; i < 3; i++) {
		run_sh(&r, 60, "cp %s " WORK "/%s && " WORK "/%s %s", subject, ways[i], ways[i], ways[i]);
		told(&r, ways[i], "  put_first()\n      ", "  put_second()\n      ");
		run_free(&r);
	}
}

Test(host, debug_information_is_missing, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60, "strip -g -o " WORK "/nodebug %s && " WORK "/nodebug race", subject);
	told(&r, "nodebug", "  put_first()\n      " WORK "/nodebug +0x", "  put_second()\n      " WORK "/nodebug +0x");
	run_free(&r);
	run_sh(&r, 60, "strip -s -o " WORK "/stripped %s && " WORK "/stripped race", subject);
	told(&r, "stripped", "  stripped+0x", "      " WORK "/stripped +0x");
	run_free(&r);
}

/* Each section in turn: noise, and ones. Names come from elsewhere, or are not there. */
Test(host, debug_information_is_corrupt, .timeout = 280)
{
	static const char *const sections[] = {
	    ".debug_info", ".debug_line", ".debug_abbrev", ".debug_str", ".symtab", ".strtab", ".debug_aranges"};
	Run r;

	build();
	for (size_t i = 0; i < 2 * sizeof sections / sizeof sections[0]; i++) {
		const char *section = sections[i / 2];

		run_sh(&r, 60,
		    "cd " WORK "; cp subject corrupt && set -- $(readelf -SW corrupt | sed 's/^ *\\[ *[0-9]*\\]//' | "
		    "awk '$1 == \"%s\" {print $4, $5}') && [ $# = 2 ] && "
		    "{ %s; } | head -c $((0x$2)) | dd of=corrupt bs=4096 seek=$((0x$1)) oflag=seek_bytes conv=notrunc "
		    "2>/dev/null && ./corrupt race",
		    section,
		    i % 2 ? "tr '\\000' '\\377' </dev/zero"
			  : "awk 'BEGIN {srand(7); for (;;) printf \"%c\", int(rand() * 256)}'");
		told(&r, section, "Write of size 4 at ", "Previous write of size 4 at ");
		run_free(&r);
	}
}

/* The bad lines are said, each with file, line and reason; the rest applies. */
Test(host, suppressions_with_bad_lines, .timeout = 200)
{
	Run r;

	build();
	run_sh(&r, 60,
	    "cd " WORK "; printf '# fine\\nrace\\nnonsense:x\\nrace:\\nrace:put_second\\n' >bad.supp; "
	    "GORACE=suppressions=bad.supp %s race",
	    subject);
	cr_expect_eq(r.code, 5, "%d %s", r.code, r.err);
	cr_expect_str_eq(r.out, "end\n");
	cr_expect_eq(count(r.err, "bad.supp:2: "), 1, "%s", r.err);
	cr_expect_eq(count(r.err, "bad.supp:3: "), 1, "%s", r.err);
	cr_expect_eq(count(r.err, "bad.supp:4: "), 1, "%s", r.err);
	cr_expect_eq(lines(r.err), 3, "%s", r.err);
	run_free(&r);
	run_sh(&r, 60, "GORACE=suppressions=/nowhere.supp %s race", subject);
	cr_expect_eq(r.code, 66, "%d %s", r.code, r.err);
	cr_expect_eq(count(r.err, "/nowhere.supp"), 1, "%s", r.err);
	cr_expect_eq(count(r.err, "WARNING: DATA RACE"), 1, "%s", r.err);
	run_free(&r);
}
