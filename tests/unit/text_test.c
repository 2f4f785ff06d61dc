/*
 * text_test.c: findings as text, byte by byte, and as JSON; their fingerprints.
 */
#include "../../race/report/finding.h"
#include "../../race/options/flags.h"
#include "../../race/report/sarif.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static SymFrame inc[] = {
    {.func = "inc_counter", .file = "counter.c", .line = 21, .column = 9, .func_off = 0x4c, .module = "/bin/counter"},
    {.func = "spin", .file = "counter.c", .line = 30, .func_off = 0x4c, .inlined = true, .module = "/bin/counter"}};
static SymFrame get[] = {
    {.func = "get_counter", .file = "counter.c", .line = 27, .func_off = 0x64, .module = "/bin/counter"}};
static SymFrame bare[] = {{.module = "/usr/lib/libx.so", .module_off = 0x1234}};
static SymFrame main7[] = {{.func = "main", .file = "counter.c", .line = 35, .func_off = 0x30}};
static SymFrame main6[] = {{.func = "main", .file = "counter.c", .line = 34, .func_off = 0x30}};
static GInfo g7 = {.id = 7}, g6 = {.id = 6, .finished = true}, g1 = {.id = 1, .is_main = true};
static GInfo t3 = {.id = 3, .is_thread = true};
static Report report;
static Finding f;

static void counter(void)
{
	flags_defaults();
	report = (Report){.kind = REPORT_RACE, .naccesses = 2};
	report.accesses[0] = (ReportAccess){.kind = ACCESS_READ, .addr = 0x55812340, .size = 4, .ginfo = 2, .nlocks = 1};
	report.accesses[0].locks[0] = (ReportLock){.addr = 0x55812380, .mode = LOCK_WRITE};
	report.accesses[1] = (ReportAccess){.kind = ACCESS_WRITE, .addr = 0x55812340, .size = 4, .ginfo = 3};
	f = (Finding){.report = &report, .location_who = -1, .subject = -1};
	f.stacks[0] = (NamedStack){inc, 2, 0};
	f.stacks[1] = (NamedStack){get, 1, 0};
	f.locks[0][0] = (NamedLock){.known = true, .at = {.file = "counter.c", .line = 18}};
	f.who[0] = 0;
	f.who[1] = 1;
	f.npeople = 2;
	f.people[0] = (NamedWho){.info = &g7, .ginfo = 2, .name = "inc", .created = {main7, 1, 0}};
	f.people[1] = (NamedWho){.info = &g6, .ginfo = 3, .finished = true, .created = {main6, 1, 0}};
	f.location = (ReportLocation){.kind = LOCATION_GLOBAL};
	f.has_data = true;
	f.data = (SymData){.name = "counter", .start = 0x55812340, .size = 4, .file = "counter.c", .line = 9,
	    .module = "/bin/counter", .module_off = 0x4010};
}

static const char *text(void)
{
	static char out[8192];
	Buf b = {0};
	text_report(&b, &f);
	snprintf(out, sizeof out, "%s", buf_text(&b));
	buf_free(&b);
	return out;
}

TestSuite(text, .init = counter);

Test(text, the_counter)
{
	cr_assert_str_eq(text(),
	    "==================\n"
	    "WARNING: DATA RACE\n"
	    "Read of size 4 at 0x000055812340 by goroutine 7 \"inc\" (holding mutex 0x000055812380 locked at "
	    "counter.c:18):\n"
	    "  inc_counter()\n"
	    "      counter.c:21 +0x4c\n"
	    "  spin()\n"
	    "      counter.c:30 +0x4c\n"
	    "\n"
	    "Previous write of size 4 at 0x000055812340 by goroutine 6:\n"
	    "  get_counter()\n"
	    "      counter.c:27 +0x64\n"
	    "\n"
	    "Location is global 'counter' of size 4 at 0x000055812340 defined at counter.c:9 (counter+0x4010)\n"
	    "\n"
	    "Goroutine 7 (running) created at:\n"
	    "  main()\n"
	    "      counter.c:35 +0x30\n"
	    "\n"
	    "Goroutine 6 (finished) created at:\n"
	    "  main()\n"
	    "      counter.c:34 +0x30\n"
	    "==================\n");
}

Test(text, main_is_named_and_has_no_creation)
{
	f.people[1] = (NamedWho){.info = &g1, .ginfo = 3};
	cr_assert(strstr(text(), "Previous write of size 4 at 0x000055812340 by main goroutine:\n"));
	cr_assert(strstr(text(), "Goroutine 7 (running) created at:\n"));
	cr_assert_not(strstr(text(), "Goroutine 1 "));
}

Test(text, threads_are_threads)
{
	f.people[0].info = &t3;
	f.people[0].name[0] = 0;
	g1.is_thread = true;
	f.people[1] = (NamedWho){.info = &g1, .ginfo = 3};
	cr_assert(strstr(text(), "by thread 3 (holding"));
	cr_assert(strstr(text(), "by main thread:\n"));
	cr_assert(strstr(text(), "Thread 3 (running) created at:\n"));
}

Test(text, atomics_and_frees_have_their_words)
{
	report.accesses[0].kind = ACCESS_ATOMIC_WRITE;
	report.accesses[1].kind = ACCESS_ATOMIC_READ;
	cr_assert(strstr(text(), "\nAtomic write of size 4 at "));
	cr_assert(strstr(text(), "\nPrevious atomic read of size 4 at "));
	report.accesses[0].kind = ACCESS_FREE;
	cr_assert(strstr(text(), "\nFree of size 4 at "));
}

Test(text, locks_of_both_modes)
{
	report.accesses[0].nlocks = 2;
	report.accesses[0].locks[1] = (ReportLock){.addr = 0x10, .mode = LOCK_READ};
	cr_assert(strstr(text(), "(holding mutex 0x000055812380 locked at counter.c:18, mutex 0x000000000010 read-locked):\n"));
}

Test(text, lost_stack_and_nameless_frames)
{
	f.stacks[0].n = 0;
	f.stacks[1] = (NamedStack){bare, 1, 3};
	cr_assert(strstr(text(), ":\n  [failed to restore the stack]\n\nPrevious"));
	cr_assert(strstr(text(), "  libx.so+0x1234()\n      /usr/lib/libx.so +0x1234\n  [3 outer frames left out]\n"));
}

Test(text, cxx_names_keep_their_parentheses)
{
	SymFrame cxx = {.func = "ns::Counter::inc(int)", .file = "c.cc", .line = 1};
	f.stacks[0] = (NamedStack){&cxx, 1, 0};
	cr_assert(strstr(text(), "  ns::Counter::inc(int)\n      c.cc:1 +0x0\n"));
}

Test(text, heap_location_names_the_allocation)
{
	f.location = (ReportLocation){.kind = LOCATION_HEAP, .start = 0x1000, .size = 64};
	f.location_who = 0;
	f.allocated = (NamedStack){get, 1, 0};
	cr_assert(strstr(text(), "\nLocation is heap block of size 64 at 0x000000001000 allocated by goroutine 7 \"inc\":\n"
				 "  get_counter()\n"));
}

Test(text, stack_location_names_the_goroutine)
{
	f.location = (ReportLocation){.kind = LOCATION_STACK};
	f.location_who = 1;
	f.has_data = false;
	cr_assert(strstr(text(), "\nLocation is stack of goroutine 6\n"));
	f.has_frame = true;
	f.frame = main6[0];
	cr_assert(strstr(text(), "\nLocation is stack of goroutine 6, frame of main()\n"));
	f.has_data = true;
	cr_assert(strstr(text(), "\nLocation is stack of goroutine 6, variable 'counter' of size 4 of main() at counter.c:9\n"));
}

Test(text, use_after_free)
{
	report.kind = REPORT_USE_AFTER_FREE;
	report.accesses[1].kind = ACCESS_FREE;
	report.accesses[1].size = 64;
	cr_assert(strstr(text(), "WARNING: HEAP USE AFTER FREE\nRead of size 4 at"));
	cr_assert(strstr(text(), "\nPrevious free of size 64 at 0x000055812340 by goroutine 6:\n"));
}

Test(text, prefix_is_stripped_from_files)
{
	flags_parse("strip_path_prefix=coun", "test");
	cr_assert(strstr(text(), "      ter.c:21 +0x4c\n"));
	cr_assert(strstr(text(), "locked at ter.c:18"));
	cr_assert(strstr(text(), "defined at ter.c:9"));
}

Test(text, summary)
{
	Buf b = {0};
	text_summary(&b, 0, 0, 0);
	cr_assert_str_eq(buf_text(&b), "");
	text_summary(&b, 2, 0, 0);
	cr_assert_str_eq(buf_text(&b), "Found 2 data race(s)\n");
	buf_free(&b);
	text_summary(&b, 1, 2, 0);
	cr_assert_str_eq(buf_text(&b), "Found 1 data race(s), 2 heap error(s)\n");
	buf_free(&b);
	text_summary(&b, 0, 0, 3);
	cr_assert_str_eq(buf_text(&b), "Found 0 data race(s), 3 misuse(s)\n");
	buf_free(&b);
}

Test(text, parts_of_variables)
{
	f.data.field = "counter.hits";
	cr_assert(strstr(text(), "of size 4 at 0x000055812340, in 'counter.hits', defined at counter.c:9 (counter"), "%s", text());
}

Test(text, source_once_each)
{
	strcpy(f.source[0], "return counter;");
	strcpy(f.source[1], "counter++;");
	cr_assert(strstr(text(), "\nSource:\n  return counter;\n      counter.c:21\n  counter++;\n      counter.c:27\n\nGoroutine 7"),
	    "%s", text());
	f.stacks[1] = f.stacks[0];
	strcpy(f.source[1], f.source[0]);
	cr_assert(strstr(text(), "\nSource:\n  return counter;\n      counter.c:21\n\nGoroutine 7"), "%s", text());
}

Test(text, creators)
{
	f.people[0].parent = &f.people[1];
	cr_assert(strstr(text(), "Goroutine 7 (running) created at:\n  main()\n      counter.c:35 +0x30\n  [in goroutine 6]\n\n"));
}

TestSuite(json, .init = counter);

static const char *json(void)
{
	static char out[16384];
	Buf b = {0};
	json_report(&b, &f);
	snprintf(out, sizeof out, "%s", buf_text(&b));
	buf_free(&b);
	return out;
}

Test(json, is_one_line)
{
	const char *s = json();
	cr_assert_eq(strchr(s, '\n'), s + strlen(s) - 1);
	cr_assert_eq(s[0], '{');
	cr_assert_eq(s[strlen(s) - 2], '}');
}

Test(json, tells_accesses_location_and_goroutines)
{
	const char *s = json();
	cr_assert(strstr(s, "{\"kind\":\"data-race\",\"fingerprint\":\""), "%s", s);
	cr_assert(strstr(s, "\"accesses\":[{\"kind\":\"read\",\"atomic\":false,\"address\":\"0x55812340\",\"size\":4,\"by\":0,"
			    "\"locks\":[{\"address\":\"0x55812380\",\"mode\":\"write\",\"locked_at\":{\"file\":\"counter.c\","
			    "\"line\":18}}]"), "%s", s);
	cr_assert(strstr(s, "{\"function\":\"inc_counter\",\"file\":\"counter.c\",\"line\":21,\"column\":9,\"offset\":\"0x4c\","), "%s", s);
	cr_assert(strstr(s, "\"location\":{\"kind\":\"global\",\"name\":\"counter\""), "%s", s);
	cr_assert(strstr(s, "{\"kind\":\"goroutine\",\"id\":7,\"main\":false,\"finished\":false,\"name\":\"inc\""), "%s", s);
}

Test(json, escapes_what_json_must_not_hold)
{
	SymFrame odd = {.func = "a\"b\\c\n\x01\xff\xc3\xa9"};
	f.stacks[0] = (NamedStack){&odd, 1, 0};
	cr_assert(strstr(json(), "\"function\":\"a\\\"b\\\\c\\u000a\\u0001\\ufffd\xc3\xa9\""), "%s", json());
}

TestSuite(sarif, .init = counter);

static const char *artifact(const char *prefix, const char *file, const char *dir)
{
	static char out[8192];
	Buf b = {0};
	flags.strip_path_prefix = prefix;
	sarif_artifact(&b, file, dir);
	snprintf(out, sizeof out, "%s", buf_text(&b));
	buf_free(&b);
	return out;
}

Test(sarif, files_below_the_root_are_relative_to_it)
{
#define BELOW(path) "{\"uri\":\"" path "\",\"uriBaseId\":\"%SRCROOT%\"}"
	cr_assert_str_eq(artifact("", "src/a.c", "/home/me/prog"), BELOW("src/a.c"));
	cr_assert_str_eq(artifact("", "./src//x/../a.c", NULL), BELOW("src/a.c"));
	cr_assert_str_eq(artifact("/home/me/prog", "/home/me/prog/a.c", NULL), BELOW("a.c"));
	cr_assert_str_eq(artifact("/home/me/prog/", "../src/a b.c", "/home/me/prog/build"), BELOW("src/a%20b.c"));
	cr_assert_str_eq(artifact("", "c:d%#?.c", NULL), BELOW("c%3Ad%25%23%3F.c"));
}

Test(sarif, files_elsewhere_are_named_whole)
{
	cr_assert_str_eq(artifact("", "/usr/include/x.h", NULL), "{\"uri\":\"file:///usr/include/x.h\"}");
	cr_assert_str_eq(artifact("/home/me", "/home/you/a.c", NULL), "{\"uri\":\"file:///home/you/a.c\"}");
	cr_assert_str_eq(artifact("", "../lib/a.c", "/home/me/prog"), "{\"uri\":\"file:///home/me/lib/a.c\"}");
	cr_assert_str_eq(artifact("", "../../../../a.c", "/home/me"), "{\"uri\":\"file:///a.c\"}");
	cr_assert_str_eq(artifact("", "../../a.c", NULL), "{\"uri\":\"../../a.c\"}");
}

Test(sarif, braces_of_messages_are_doubled_and_brackets_of_links_escaped)
{
	SymFrame odd = {.func = "f{1}::operator[](int)", .file = "a.cc", .line = 1, .module = "/bin/p"};
	f.stacks[1] = (NamedStack){&odd, 1, 0};
	Buf b = {0};
	sarif_result(&b, &f);
	cr_assert(strstr(buf_text(&b), "; [previous write of size 4 by goroutine 6 in f{{1}}::operator\\\\[\\\\](int) at a.cc:1](1).\""),
	    "%s", buf_text(&b));
	buf_free(&b);
}

TestSuite(github, .init = counter);

Test(github, escapes_what_would_end_a_property_or_the_line)
{
	SymFrame odd = {.func = "a,b:c%\r\nd", .file = "x,y:100%\n.c", .line = 3, .module = "/bin/p"};
	f.stacks[0] = (NamedStack){&odd, 1, 0};
	f.data.name = "t[1,2]:%";
	Buf b = {0};
	github_report(&b, &f);
	cr_assert(strstr(buf_text(&b), "::error file=x%2Cy%3A100%25%0A.c,line=3,title=Data race on t[1%2C2]%3A%25::read of size 4 by "
				       "goroutine 7 \"inc\" in a,b:c%25%0D%0Ad() at x,y:100%25%0A.c:3, holding 1 lock%0Aprevious"),
	    "%s", buf_text(&b));
	cr_assert_eq(strchr(buf_text(&b), '\n'), buf_text(&b) + b.n - 1);
	buf_free(&b);
}

Test(github, titles_and_messages_have_an_end)
{
	char name[10000];
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = 0;
	memcpy(name + 180, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 10);
	f.data.name = name;
	SymFrame odd = {.func = name, .module = "/bin/p"};
	f.stacks[0] = (NamedStack){&odd, 1, 0};
	Buf b = {0};
	github_report(&b, &f);
	cr_assert_lt(b.n, 4500);
	cr_assert(strstr(buf_text(&b), "\xc3\xa4::"), "cut within a character: %s", buf_text(&b));
	buf_free(&b);
}

TestSuite(fingerprint, .init = counter);

Test(fingerprint, does_not_depend_on_order_lines_or_addresses)
{
	uint64_t was = fingerprint(&f);
	NamedStack s = f.stacks[0];
	f.stacks[0] = f.stacks[1];
	f.stacks[1] = s;
	f.who[0] = 1;
	f.who[1] = 0;
	cr_assert_eq(fingerprint(&f), was);
	SymFrame moved = inc[0];
	moved.line += 100;
	moved.func_off += 8;
	f.stacks[1] = (NamedStack){&moved, 1, 0};
	report.accesses[0].addr += 0x1000;
	cr_assert_eq(fingerprint(&f), was);
}

Test(fingerprint, depends_on_functions_creators_and_kind)
{
	uint64_t was = fingerprint(&f);
	SymFrame other = {.func = "dec_counter"};
	f.stacks[0] = (NamedStack){&other, 1, 0};
	cr_assert_neq(fingerprint(&f), was);
	counter();
	f.people[0].created = (NamedStack){&other, 1, 0};
	cr_assert_neq(fingerprint(&f), was);
	counter();
	report.kind = REPORT_USE_AFTER_FREE;
	cr_assert_neq(fingerprint(&f), was);
}

Test(fingerprint, does_not_depend_on_how_a_function_was_optimised)
{
	uint64_t was = fingerprint(&f);
	static const char *const copies[] = {"inc_counter.constprop.0", "inc_counter.isra.0.cold", "inc_counter.part.1",
	    "inc_counter.llvm.123456", "inc_counter.cold"};
	for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
		SymFrame copy = {.func = copies[i]};
		f.stacks[0] = (NamedStack){&copy, 1, 0};
		cr_assert_eq(fingerprint(&f), was, "%s", copies[i]);
	}
	SymFrame other = {.func = "inc_counter_2"};
	f.stacks[0] = (NamedStack){&other, 1, 0};
	cr_assert_neq(fingerprint(&f), was);
}

Test(fingerprint, tells_places_of_a_stripped_binary_apart)
{
	SymFrame here = bare[0], there = bare[0], moved = bare[0];
	there.module_off++;
	moved.module = "/elsewhere/libx.so";
	f.stacks[0] = (NamedStack){&here, 1, 0};
	uint64_t was = fingerprint(&f);
	f.stacks[0] = (NamedStack){&moved, 1, 0};
	cr_assert_eq(fingerprint(&f), was);
	f.stacks[0] = (NamedStack){&there, 1, 0};
	cr_assert_neq(fingerprint(&f), was);
}

/* It stands in people's files of known findings: it must never change. */
Test(fingerprint, is_the_same_for_ever)
{
	cr_assert_eq(fingerprint(&f), UINT64_C(0x17f90601fb847154), "%llx", (unsigned long long)fingerprint(&f));
}
