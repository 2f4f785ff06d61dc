/*
 * formats_test.c: reports for programs. Each document is held against its published schema by an
 * independent validator; the rest looks at what schemas cannot say.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/scratch.h"

#define VALIDATE "/usr/bin/python3 $S/tests/support/validate.py "
#define SARIF    VALIDATE "$S/tests/support/sarif/sarif-2.1.0-rtm.5.json "

/* A folder of this test's own with the subject in it, built from the source's own folder. */
static void enter(void)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	cr_assert(sh_is(0, "gcc -O2 -c $S/tests/support/invisible.c && ar rcs libinvisible.a invisible.o && D=$PWD && "
			   "cd $S/tests/report && $CC -race -g -O1 -fno-inline -I../support subject.c $D/libinvisible.a -o $D/p"));
}

static void enter_misuse(void)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	cr_assert(sh_is(0, "D=$PWD && cd $S/tests/report && $CC -race -g -O1 misuse.c -o $D/p -pthread"));
}

TestSuite(sarif, .init = enter);
TestSuite(github, .init = enter);
TestSuite(lines, .init = enter);

/* ---- SARIF ---- */

Test(sarif, documents_are_valid_however_a_process_ends)
{
	static const char *const names[] = {"one", "two", "heap", "stack", "locked", "after_free", "chain", "global_field",
	    "stack_field", "exits_3", "panics", "returns_7", "late_race", "many_locks"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		cr_assert(sh_is(0, "GORACE='format=sarif log_path=%s exitcode=66' ./p %s; true", names[i], names[i]));
	cr_assert(sh_is(66, "GORACE='format=sarif log_path=halt halt_on_error=1' ./p two"));
	cr_assert(sh_is(66, "GORACE='format=sarif' ./p two 2>err.1"));
	cr_assert(sh_is(66, "GORACE='format=sarif log_path=stdout' ./p two >out.1"));
	cr_assert(sh_is(66, "GORACE='format=sarif log_path=stripped symbolize=0' ./p two"));
	cr_assert(sh_is(0, SARIF "*.[0-9]*"));
	cr_assert(out_has("18 documents, 0 errors"));
}

/* Fields of the only document: a line of Python over `run`, `result` and `doc`. */
static bool says(const char *file, const char *expression, const char *text)
{
	return sh_is(0,
		   "/usr/bin/python3 -c 'import json,sys,glob; doc = json.load(open(glob.glob(sys.argv[1])[0]));\n"
		   "run = doc[\"runs\"][0]; results = run[\"results\"]; result = results[0] if results else None;\n"
		   "print(eval(sys.argv[2]))' '%s' '%s'",
		   file, expression) &&
	       out_has(text);
}

Test(sarif, tells_both_accesses_and_what_belongs_to_them)
{
	cr_assert(sh_is(66, "GOMAXPROCS=1 GORACE='format=sarif log_path=s' ./p global_field"));
	cr_assert(says("s.*", "doc[\"version\"], len(results), result[\"ruleId\"], result[\"level\"]", "('2.1.0', 1, 'goro/data-race', 'error')"));
	cr_assert(says("s.*", "run[\"tool\"][\"driver\"][\"rules\"][result[\"ruleIndex\"]][\"id\"]", "goro/data-race"));
	cr_assert(says("s.*", "result[\"message\"][\"text\"]", "Data race on table[3].count.misses: write of size 4 by main goroutine in writes() at subject.c:"));
	cr_assert(says("s.*", "result[\"message\"][\"text\"]", "; [previous write of size 4 by goroutine 2 in writes() at subject.c:"));
	cr_assert(says("s.*", "result[\"locations\"][0][\"physicalLocation\"][\"artifactLocation\"]", "{'uri': 'subject.c', 'uriBaseId': '%SRCROOT%'}"));
	cr_assert(says("s.*", "result[\"locations\"][0][\"physicalLocation\"][\"region\"][\"snippet\"]", "{'text': '*p = 1;'}"));
	cr_assert(says("s.*", "[[s[\"location\"][\"logicalLocations\"][0][\"fullyQualifiedName\"] for s in t[\"locations\"]] for t in result[\"codeFlows\"][0][\"threadFlows\"]]",
	    "[['main', 'global_field', 'race_on', 'writes'], ['first', 'writes']]"));
	cr_assert(says("s.*", "[r[\"message\"][\"text\"] for r in result[\"relatedLocations\"][1:]]", "[\"'table' is defined here\", 'goroutine 2 was created here']"));
	cr_assert(says("s.*", "len(result[\"partialFingerprints\"][\"goroFinding/v1\"])", "16"));
	cr_assert(says("s.*", "run[\"invocations\"]", "[{'executionSuccessful': True, 'exitCode': 66}]"));
}

Test(sarif, nothing_found_is_a_document_without_results)
{
	cr_assert(sh_is(7, "GORACE='format=sarif log_path=s' ./p returns_7"));
	cr_assert(says("s.*", "results, run[\"invocations\"][0][\"exitCode\"]", "([], 7)"));
}

Test(sarif, a_seeded_run_says_how_to_have_it_again)
{
	cr_assert(sh_is(66, "GORACE='format=sarif log_path=s seed=5' ./p two"));
	cr_assert(sh_is(0, SARIF "s.*"));
	cr_assert(says("s.*", "[r[\"properties\"][\"schedule\"][\"seed\"] for r in results]", "[5, 5]"));
}

/* The file is whole after each finding: nobody can tell when the kill comes. */
Test(sarif, a_killed_process_leaves_a_valid_document)
{
	cr_assert(sh_is(137, "GORACE='format=sarif log_path=s' ./p killed"));
	cr_assert(sh_is(0, SARIF "s.*"));
	cr_assert(says("s.*", "len(results), run[\"invocations\"]", "(2, [{'executionSuccessful': False}])"));
}

Test(sarif, a_child_has_a_document_of_its_own)
{
	cr_assert(sh_is(66, "GORACE='format=sarif log_path=s' ./p forks"));
	cr_assert(sh_is(0, SARIF "s.*"));
	cr_assert(out_has("2 documents, 0 errors"));
	cr_assert(sh_is(0, "grep -l '\"ruleId\"' s.* | wc -l"));
	cr_assert(out_has("2"));
}

Test(sarif, a_full_disk_is_said)
{
	cr_assert(sh_is(66, "trap '' XFSZ; ulimit -f 0; GORACE='format=sarif log_path=s' ./p two 2>&1 | cat; exit 66"));
	cr_assert(out_has("goro: cannot write to s."));
	cr_assert(sh_is(0, "(trap '' XFSZ; ulimit -f 0; GORACE='log_path=s' ./p two 2>&1) | cat"));
	cr_assert(out_has("goro: cannot write to s."));
	cr_assert(out_has("WARNING: DATA RACE"));
	cr_assert(out_has("Found 2 data race(s)"));
}

/* Names as they come: blanks, percent signs, umlauts, quotes, absolute and relative, from another folder. */
Test(sarif, paths_are_uris_relative_to_the_source)
{
	cr_assert(sh_is(0, "mkdir -p 'a b%%ü/src' build; cp $S/tests/report/subject.c 'a b%%ü/src/x\"y.c'"));
	cr_assert(sh_is(0, "cd build && $CC -race -g -O1 -fno-inline -I$S/tests/support '../a b%%ü/src/x\"y.c' ../libinvisible.a -o q"));
	cr_assert(sh_is(66, "cd build && GORACE='format=sarif log_path=s' ./q one"));
	cr_assert(sh_is(66, "R=$PWD; cd build && GORACE=\"format=sarif log_path=t strip_path_prefix='$R'\" ./q one"));
	cr_assert(sh_is(0, SARIF "build/s.* build/t.*"));
	cr_assert(says("build/s.*", "result[\"locations\"][0][\"physicalLocation\"][\"artifactLocation\"]", "{'uri': 'file:///tmp/goro-test-"));
	cr_assert(says("build/s.*", "result[\"locations\"][0][\"physicalLocation\"][\"artifactLocation\"][\"uri\"]", "/a%20b%25%C3%BC/src/x%22y.c"));
	cr_assert(says("build/t.*", "result[\"locations\"][0][\"physicalLocation\"][\"artifactLocation\"]",
	    "{'uri': 'a%20b%25%C3%BC/src/x%22y.c', 'uriBaseId': '%SRCROOT%'}"));
	cr_assert(says("build/t.*", "run[\"originalUriBaseIds\"][\"%SRCROOT%\"][\"uri\"]", "file:///tmp/goro-test-"));
}

/* ---- JSON Lines ---- */

Test(lines, every_line_is_as_the_schema_says)
{
	static const char *const names[] = {"one", "two", "heap", "stack", "locked", "after_free", "chain", "global_field",
	    "stack_field", "panics", "returns_7", "many_locks"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		cr_assert(sh_is(0, "GORACE='format=json log_path=j' ./p %s; true", names[i]));
	cr_assert(sh_is(66, "GORACE='format=json log_path=j symbolize=0' ./p two"));
	cr_assert(sh_is(0, VALIDATE "--lines $S/docs/report-schema.json j.*"));
	cr_assert(out_has(" 0 errors"));
}

/* Built by another compiler, at another level, in another folder, loaded elsewhere: the same findings. */
Test(lines, fingerprints_stay_from_build_to_build)
{
	static const char *const builds[] = {"gcc -O0", "gcc -O2", "clang -O2 -no-pie"};
	static const char *const names[] = {"two", "chain", "locked"};
	for (size_t i = 0; i < sizeof builds / sizeof *builds; i++) {
		const char *flags = strchr(builds[i], ' ');
		cr_assert(sh_is(0, "mkdir -p b%zu/src && cp $S/tests/report/subject.c b%zu/src && cd b%zu && "
				   "$CC --goro-cc=%.*s -race -g %s -I$S/tests/support src/subject.c ../libinvisible.a -o p",
		    i, i, i, (int)(flags - builds[i]), builds[i], flags));
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			cr_assert(sh_is(0, "cd b%zu && GORACE='format=json exitcode=0' ./p %s 2>&1 | "
					   "sed -n 's/.*\"fingerprint\":\"\\([^\"]*\\)\".*/%s \\1/p' >>prints",
			    i, names[k], names[k]));
		cr_assert(sh_is(0, "wc -l <b%zu/prints; diff b0/prints b%zu/prints", i, i), "%s", builds[i]);
		cr_assert(out_has("4\n"));
	}
	cr_assert(sh_is(0, "cut -d' ' -f2 b0/prints | sort -u | wc -l"));
	cr_assert(out_has("4\n"));
}

/* ---- what is no race ---- */

TestSuite(misuse, .init = enter_misuse);

Test(misuse, has_the_formats_of_races)
{
	cr_assert(sh_is(66, "GORACE='format=sarif log_path=s' ./p"));
	cr_assert(sh_is(0, SARIF "s.*"));
	cr_assert(says("s.*", "[r[\"ruleId\"] for r in results]", "['goro/lock-order-inversion', 'goro/unlock-by-wrong-thread']"));
	cr_assert(says("s.*", "[len(r[\"codeFlows\"][0][\"threadFlows\"]) for r in results]", "[4, 2]"));
	cr_assert(says("s.*", "[run[\"tool\"][\"driver\"][\"rules\"][r[\"ruleIndex\"]][\"id\"] == r[\"ruleId\"] for r in results]", "[True, True]"));
	cr_assert(sh_is(66, "GORACE='format=json log_path=j' ./p"));
	cr_assert(sh_is(0, VALIDATE "--lines $S/docs/report-schema.json j.*"));
	cr_assert(out_has("3 documents, 0 errors"));
	cr_assert(sh_is(66, "GORACE='format=github' ./p"));
	cr_assert(err_has(",title=Lock order inversion on a::lock of mutex 'a' by thread 3 in ba() at misuse.c:"));
}

/* Each type of rule silences its own kinds alone. */
Test(misuse, suppressions_are_of_a_type)
{
	cr_assert(sh_is(0, "printf 'deadlock:^ba$\\nmutex:^foreign$\\nrace:ba\\nrace:foreign\\nthread:ba\\nsignal:ba\\n' >rules"));
	cr_assert(sh_is(0, "GORACE='suppressions=rules print_suppressions=1' ./p"));
	cr_assert(err_has("goro: Matched 2 suppressions (pid="));
	cr_assert(err_has("\n1 deadlock:^ba$\n1 mutex:^foreign$\n"));
	cr_assert(err_has("goro: Suppressions that matched nothing:\nrace:ba (rules:3)\nrace:foreign (rules:4)\nthread:ba (rules:5)\nsignal:ba (rules:6)\n"));
	cr_assert_not(strstr(last_run()->err, "WARNING"));
}

/* ---- GitHub ---- */

Test(github, an_annotation_below_each_report)
{
	cr_assert(sh_is(66, "GOMAXPROCS=1 GORACE='format=github' ./p two 2>&1"));
	cr_assert(out_has("\n==================\n::error file=subject.c,line="));
	cr_assert(out_has(",title=Data race on global_two::write of size 4 by main goroutine in writes_two() at subject.c:"));
	cr_assert(out_has("%0Aprevious write of size 4 by goroutine 3 in writes_two() at subject.c:"));
	cr_assert(out_has("\nFound 2 data race(s)\n"));
	cr_assert(sh_is(0, "GORACE='format=github' ./p two 2>&1 | grep -c '^::error '"));
	cr_assert(out_has("2"));
}
