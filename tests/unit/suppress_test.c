/*
 * suppress_test.c: patterns against text, rules read from good and bad files, rules against findings.
 */
#include "../../race/report/suppress.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What reading these rules says on stderr. */
static const char *said(const char *rules, size_t n)
{
	static char out[4096];
	FILE *tmp = tmpfile();
	int saved = dup(2);
	dup2(fileno(tmp), 2);
	supp_read(rules, n, "rules");
	dup2(saved, 2);
	close(saved);
	rewind(tmp);
	out[fread(out, 1, sizeof out - 1, tmp)] = 0;
	fclose(tmp);
	return out;
}

Test(suppress, pattern_is_found_anywhere)
{
	cr_assert(supp_pattern("oo", "foobar"));
	cr_assert(supp_pattern("foobar", "foobar"));
	cr_assert_not(supp_pattern("foox", "foobar"));
	cr_assert_not(supp_pattern("foo", ""));
	cr_assert_not(supp_pattern("foo", NULL));
}

Test(suppress, star_is_any_text)
{
	cr_assert(supp_pattern("f*r", "foobar"));
	cr_assert(supp_pattern("f*o*a", "foobar"));
	cr_assert(supp_pattern("*", "x"));
	cr_assert(supp_pattern("a*a*a*b", "aaaaaaaaaaaab"));
	cr_assert_not(supp_pattern("a*a*a*b", "aaaaaaaaaaaac"));
	cr_assert_not(supp_pattern("b*f", "foobar"));
}

Test(suppress, anchors_hold_the_ends)
{
	cr_assert(supp_pattern("^foo", "foobar"));
	cr_assert_not(supp_pattern("^bar", "foobar"));
	cr_assert(supp_pattern("bar$", "foobar"));
	cr_assert_not(supp_pattern("foo$", "foobar"));
	cr_assert(supp_pattern("^foobar$", "foobar"));
	cr_assert(supp_pattern("^f*r$", "foobar"));
	cr_assert_not(supp_pattern("^foo$", "foobar"));
	cr_assert(supp_pattern("ar$", "barbar"));
}

Test(suppress, good_files_are_silent)
{
	static const char rules[] = "# comment\n\nrace:foo\r\n  race_top:bar  \nmutex:a\nthread:b\nsignal:c\n"
				    "deadlock:d\ncalled_from_lib:libz.so\nrace:x:y";
	cr_assert_str_eq(said(rules, sizeof rules - 1), "");
}

Test(suppress, bad_lines_are_named_and_the_rest_applies)
{
	static const char rules[] = "race:good\nracy:foo\nfoo\nrace:\nrace:^\n";
	cr_assert_str_eq(said(rules, sizeof rules - 1),
	    "goro: rules:2: unknown type of suppression: racy:foo\n"
	    "goro: rules:3: a suppression is type:pattern: foo\n"
	    "goro: rules:4: the pattern is empty: race:\n"
	    "goro: rules:5: the pattern is empty: race:^\n");
	Buf b = {0};
	supp_summary(&b);
	cr_assert(strstr(buf_text(&b), "race:good (rules:1)"), "%s", buf_text(&b));
	buf_free(&b);
}

Test(suppress, nul_and_endless_lines_are_refused)
{
	static char rules[3000] = "race:";
	memset(rules + 5, 'x', sizeof rules - 5);
	cr_assert(strstr(said(rules, sizeof rules), "too long"));
	cr_assert(strstr(said("race:a\0b", 8), "NUL"));
}

static SymFrame top[] = {{.func = "inc", .file = "src/counter.c", .module = "/bin/prog"},
    {.func = "worker", .file = "src/counter.c", .module = "/bin/prog"}};
static SymFrame other[] = {{.func = "get", .file = "src/get.c", .module = "/lib/libget.so"},
    {.func = "reader", .file = "src/get.c", .module = "/bin/prog"}};
static SymFrame maker[] = {{.func = "make_block", .file = "src/make.c", .module = "/bin/prog"}};
static GInfo info = {.id = 7};
static Report report = {.kind = REPORT_RACE, .naccesses = 2};

static Finding finding(void)
{
	Finding f = {.report = &report, .location_who = -1};
	f.stacks[0] = (NamedStack){top, 2, 0};
	f.stacks[1] = (NamedStack){other, 2, 0};
	f.allocated = (NamedStack){maker, 1, 0};
	f.who[0] = 0;
	f.who[1] = -1;
	f.npeople = 1;
	f.people[0] = (NamedWho){.info = &info, .name = "incrementer"};
	f.has_data = true;
	f.data = (SymData){.name = "counter", .file = "src/globals.c"};
	return f;
}

static int match(const char *rule, bool *by_stack)
{
	Finding f = finding();
	cr_assert_str_eq(said(rule, strlen(rule)), "");
	return supp_match(&f, by_stack);
}

Test(suppress, race_matches_any_frame_of_both_sides)
{
	bool by_stack;
	cr_assert(match("race:^reader$", &by_stack));
	cr_assert(by_stack);
}
Test(suppress, race_matches_files)
{
	bool by_stack;
	cr_assert(match("race:src/get.c", &by_stack));
	cr_assert(by_stack);
}
Test(suppress, race_matches_modules)
{
	bool by_stack;
	cr_assert(match("race:libget.so", &by_stack));
}
Test(suppress, race_matches_the_global_but_not_by_stack)
{
	bool by_stack;
	cr_assert(match("race:^counter$", &by_stack));
	cr_assert_not(by_stack);
}
Test(suppress, race_matches_the_allocation)
{
	bool by_stack;
	cr_assert(match("race:make_block", &by_stack));
	cr_assert_not(by_stack);
}
Test(suppress, race_matches_goroutine_names)
{
	bool by_stack;
	cr_assert(match("race:incrementer", &by_stack));
	cr_assert_not(by_stack);
}
Test(suppress, race_top_matches_innermost_frames_only)
{
	bool by_stack;
	cr_assert_not(match("race_top:^worker$", &by_stack));
	cr_assert_eq(match("race_top:^get$", &by_stack), 2);
}
Test(suppress, called_from_lib_matches_the_innermost_module)
{
	bool by_stack;
	cr_assert_not(match("called_from_lib:prog.so", &by_stack));
	cr_assert(match("called_from_lib:libget.so", &by_stack));
}
Test(suppress, other_types_match_no_race)
{
	bool by_stack;
	cr_assert_not(match("deadlock:inc", &by_stack));
	cr_assert_not(match("mutex:inc", &by_stack));
}
Test(suppress, summary_counts_hits_and_lists_the_unused)
{
	bool by_stack;
	match("race:^inc$", &by_stack);
	supp_hit(1);
	supp_read("race:nobody", 11, "more");
	Buf b = {0};
	supp_summary(&b);
	char want[256];
	snprintf(want, sizeof want,
	    "goro: Matched 2 suppressions (pid=%d):\n2 race:^inc$\n"
	    "goro: Suppressions that matched nothing:\nrace:nobody (more:1)\n",
	    (int)getpid());
	cr_assert_str_eq(buf_text(&b), want);
	buf_free(&b);
}
