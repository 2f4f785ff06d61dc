/*
 * run_test.c: goro-race run, and what is wrong with programs, files and folders.
 */
#include "tool.h"

TestSuite(run, .init = enter, .timeout = 120);

/* ---- what it answers ---- */

Test(run, a_race_is_told_and_ends_with_66)
{
	cr_assert(sh_is(66, "$R run -- $P race"));
	cr_assert(err_has("WARNING: DATA RACE\nWrite of size 4 at 0x"));
	cr_assert(err_has("Location is global 'shared' of size 4"));
	cr_assert(err_has("\ngoro-race: 1 run, 1 finding\n"));
}

Test(run, nothing_found_keeps_status_and_streams)
{
	cr_assert(sh_is(5, "$R run -- $P exit 5"));
	cr_assert_str_eq(last_run()->err, "goro-race: 1 run, 0 findings\n");
	cr_assert(sh_is(0, "echo passed through | $R run $P cat"));
	cr_assert_str_eq(last_run()->out, "passed through\n");
}

Test(run, the_users_GORACE_stays)
{
	cr_assert(sh_is(0, "GORACE='halt_on_error=1 format=text' $R run --gorace stats=0 -- $P gorace"));
	cr_assert(strncmp(last_run()->out, "leaks=1 halt_on_error=1 format=text stats=0 log_path=", 53) == 0);
}

Test(run, all_processes_are_heard)
{
	cr_assert(sh_is(66, "$R run -- $P fork"));
	cr_assert(err_has("global 'shared'"));
	cr_assert(err_has("global 'second'"));
	cr_assert(err_has("1 run, 2 findings"));
	cr_assert(sh_is(66, "printf '#!/bin/sh\\n\"$P\" exit; \"$P\" race\\n' > s && chmod +x s && $R run ./s"));
	cr_assert(err_has("1 run, 1 finding"));
}

Test(run, deadlock_panic_crash_and_kill_are_findings)
{
	cr_assert(sh_is(66, "$R run -- $P deadlock"));
	cr_assert(err_has("WARNING: DEADLOCK\nall goroutines are asleep - deadlock!\n\nMain goroutine [chan receive]:\n"));
	cr_assert(err_has(" [chan receive]:\n  waits(...)\n      subject.c:"));
	cr_assert(sh_is(66, "$R run -- $P panic"));
	cr_assert(err_has("WARNING: PANIC\nno 0 of <mine> & \"yours\"\n"));
	cr_assert(sh_is(66, "$R run -- $P crash"));
	cr_assert(err_has("WARNING: CRASH\n"));
	cr_assert(sh_is(66, "$R run -- $P killed"));
	cr_assert(err_has("WARNING: CRASH\nkilled by SIGKILL"));
}

Test(run, goroutines_that_wait_for_ever_are_findings)
{
	cr_assert(sh_is(66, "$R run -- $P leak"));
	cr_assert(err_has("WARNING: GOROUTINE LEAK\nWait at 0x"));
	cr_assert(err_has(":\n  waits()\n"));
	cr_assert(sh_is(0, "GORACE=leaks=0 $R run -- $P leak"));
	cr_assert(sh_is(66, "$R explore -q -n 2 --github - -- $P leak"));
	cr_assert(out_has("goroutine leak (chan receive): wait in waits (subject.c:"));
}

Test(run, a_hang_is_a_finding_with_all_goroutines)
{
	cr_assert(sh_is(66, "$R run --timeout 3s -- $P hang"));
	cr_assert(err_has("WARNING: HANG\nstill running after 3 s\n"));
	cr_assert(err_has(" [chan receive]:\n  waits(...)\n"));
}

Test(run, a_hang_that_hears_nothing_is_killed)
{
	cr_assert(sh_is(66, "$R run --timeout 200ms -- $P deaf"));
	cr_assert(err_has("WARNING: HANG\nstill running after 0.2 s\n"));
}

Test(run, what_a_program_leaves_behind_is_ended)
{
	cr_assert(sh_is(3, "$R run -- $P daemon"));
	cr_assert(sh_is(1, "pgrep -f \"^$P daemon\""));
}

/* ---- baseline ---- */

Test(baseline, known_findings_are_no_failure, .init = enter)
{
	cr_assert(sh_is(0, "$R run -b known --update-baseline -- $P race"));
	cr_assert(err_has("goro-race: 1 added to known"));
	cr_assert(sh_is(0, "$R run --baseline known -- $P race"));
	cr_assert(err_has("1 finding, 1 of them known"));
	cr_assert_null(strstr(last_run()->err, "WARNING"));
	cr_assert(sh_is(66, "$R run --baseline known -- $P deadlock"));
	cr_assert(sh_is(66, "$R run --baseline known -- $P fork"), "one of two is known");
	cr_assert(sh_is(2, "$R run --baseline nowhere -- $P race"));
	cr_assert(err_has("cannot read the baseline nowhere"));
}

Test(baseline, an_update_keeps_what_was_there, .init = enter)
{
	cr_assert(sh_is(0, "echo '# mine' > known; echo '0123456789abcdef data-race old' >> known; echo junk >> known; "
			   "$R run -b known --update-baseline -- $P race && cat known"));
	cr_assert(out_has("# mine\n0123456789abcdef data-race old\n"));
	cr_assert(out_has(" data-race data race on 'shared': write in "));
	cr_assert(err_has("known:3: 'junk' is no fingerprint, skipped"));
	cr_assert(sh_is(0, "cp known before; $R run -b known --update-baseline -- $P race; sort known | uniq -d; "
			   "grep -v junk before | cmp - known"));
}

Test(baseline, fingerprints_hold_from_run_to_run, .init = enter)
{
	for (const char *const *w = (const char *const[]){"race", "deadlock", "panic 1", "crash", "killed", NULL}; *w; w++) {
		cr_assert(sh_is(0, "rm -f k; $R run -q -b k --update-baseline -- $P %s; test $? -ne 66; "
				   "$R run -q --timeout 20s -b k -- $P %s; test $? -ne 66", *w, *w), "%s", *w);
		cr_assert(err_has("1 of them known"));
	}
	cr_assert(sh_is(0, "$R run -q -b k --update-baseline -- $P panic 1 2>&1; $R run -b k -- $P panic 22; test $? -ne 66"),
	    "numbers in a message do not count");
}

/* ---- bad input ---- */

Test(bad, commands_and_options, .init = enter)
{
	cr_assert(sh_is(2, "$R"));
	cr_assert(err_has("usage: goro-race COMMAND"));
	cr_assert(sh_is(2, "$R walk"));
	cr_assert(err_has("goro-race: there is no command 'walk'"));
	for (const char *const *c = (const char *const[]){"run", "explore", "report", "merge", "replay", "shrink", "check", NULL}; *c; c++) {
		cr_assert(sh_is(0, "$R %s --help", *c));
		cr_assert(out_has("Usage: goro-race "));
		cr_assert(sh_is(2, "$R %s --no-such-option x", *c));
		cr_assert(sh_is(2, "$R %s", *c));
	}
	cr_assert(sh_is(2, "$R run --timeout soon -- $P"));
	cr_assert(err_has("--timeout: 'soon' is no duration"));
	cr_assert(sh_is(2, "$R run --update-baseline -- $P"));
}

Test(bad, programs_that_are_no_race_builds_are_named, .init = enter)
{
	cr_assert(sh_is(2, "cp $PLAIN plain; $R run -- ./plain exit 0"));
	cr_assert(err_has("goro-race: ./plain is no race build; build it by\n    goro-cc -race -g plain.c -o plain\n"));
	cr_assert(sh_is(2, "$R explore -- ./plain exit 0"));
	cr_assert(err_has("goro-race: ./plain is no race build"));
	cr_assert(sh_is(2, "$R run -- true"));
	cr_assert(err_has("neither true nor anything it started is a race build"));
	cr_assert(sh_is(2, "$R explore -n 50 -- true"));
	cr_assert(err_has("neither true nor anything it started is a race build"));
}

Test(bad, programs_that_cannot_be_run, .init = enter)
{
	cr_assert(sh_is(2, "$R run -- ./nowhere"));
	cr_assert(err_has("cannot run ./nowhere: No such file or directory"));
	cr_assert(sh_is(2, "$R run -- no-such-program-here"));
	cr_assert(err_has("cannot run no-such-program-here: not found in PATH"));
	cr_assert(sh_is(2, "echo '#!/nowhere/sh' > s; chmod +x s; $R run -- ./s"));
	cr_assert(err_has("cannot run ./s: No such file or directory"));
	cr_assert(sh_is(2, "echo text > t; $R run -- ./t"));
	cr_assert(err_has("cannot run ./t: Permission denied"));
}

Test(bad, a_program_that_changes_directory, .init = enter)
{
	cr_assert(sh_is(66, "$R run --state st -- $P chdir"));
	cr_assert(sh_is(0, "$R report st | grep -q \"global 'shared'\" && ! ls st | grep -v -e json"));
}

Test(bad, a_program_that_writes_much_takes_no_memory, .init = enter)
{
	cr_assert(sh_is(2, "ulimit -v 200000; $R explore -n 1 -- sh -c 'head -c 400000000 /dev/zero; head -c 400000000 /dev/zero >&2'"));
	cr_assert(err_has("neither sh nor anything it started is a race build"), "and not: out of memory");
	cr_assert(sh_is(66, "$R explore -n 1 --state st -- $P flood 100"));
	cr_assert(out_has("WARNING: PANIC\nafter the flood\n"));
	cr_assert(sh_is(0, "test $(du -sk st | cut -f1) -lt 100"));
}

Test(bad, unwritable_folders_are_named, .init = enter)
{
	cr_assert(sh_is(0, "echo > file"));
	cr_assert(sh_is(2, "$R run --state file/st -- $P race"));
	cr_assert(err_has("cannot write file/st: Not a directory"));
	cr_assert(sh_is(2, "$R run --json file/x -- $P race"));
	cr_assert(err_has("cannot write file/x: Not a directory"));
	cr_assert(sh_is(2, "TMPDIR=/nowhere/at/all $R run -- $P race"));
	cr_assert(err_has("cannot write /nowhere/at/all: No such file or directory"));
	cr_assert(sh_is(2, "$R run --json /dev/full -- $P race"));
	cr_assert(err_has("cannot write /dev/full: No space left on device"));
}

Test(bad, nothing_is_left_in_the_folder_for_temporary_files, .init = enter)
{
	cr_assert(sh_is(0, "mkdir t; export TMPDIR=$PWD/t; $R run -- true; $R explore -- true; $R run --json nowhere/x -- $P exit 0; "
			   "$R explore -n 2 --json nowhere/x -- $P exit 0; $R shrink 3 -- $P exit 0; $R run -q -- $P race; "
			   "$R explore -n 2 --state st -q -- $P race; ls -A t; ls st | wc -l"));
	cr_assert(strstr(last_run()->out, "\n3\n") && !strstr(last_run()->out, "goro-race-"), "%s", last_run()->out);
}

Test(bad, damaged_reports_are_named_and_the_rest_counts, .init = enter)
{
	cr_assert(sh_is(66, "mkdir d; GORACE=\"format=json log_path=d/r\" $P race"));
	cr_assert(sh_is(0, "cat d/r.* > whole; head -c 100 whole > d/half; head -c 4000 /dev/urandom > d/noise; "
			   "(echo; echo '[1]'; echo '{\"kind\":1}'; cat whole; echo '{\"a\":') > d/mixed; : > d/empty; "
			   "$R report d"));
	cr_assert(out_has("Location is global 'shared'"));
	cr_assert(err_has("d/half:1: cut short, skipped"));
	cr_assert(err_has("d/mixed:2: no report, skipped\n"));
	cr_assert(err_has("d/mixed:3: no report, skipped\n"));
	cr_assert(err_has("d/mixed:6: damaged, skipped\n"));
	cr_assert(err_has("d/noise:1: "));
	cr_assert(sh_is(2, "$R report nowhere"));
	cr_assert(err_has("cannot read nowhere: No such file or directory"));
}

Test(bad, reports_of_wrong_shape_are_survived, .init = enter)
{
	scratch_write("odd", "{\"kind\":\"data-race\",\"fingerprint\":\"0000000000000001\",\"accesses\":3,\"location\":[],"
			     "\"goroutines\":{}}\n"
			     "{\"kind\":\"data-race\",\"fingerprint\":\"0000000000000002\",\"accesses\":[1,{\"by\":-5},{\"by\":9,"
			     "\"stack\":[{},{\"line\":\"x\"}]}],\"goroutines\":[null,{\"created_at\":4}]}\n"
			     "{\"kind\":\"\",\"fingerprint\":\"0000000000000003\"}\n"
			     "{\"kind\":\"quite-new\",\"fingerprint\":\"0000000000000004\",\"message\":\"said\"}\n");
	cr_assert(sh_is(0, "$R report --text t --json j --sarif s --junit x --github g odd && " JUNIT_HOLDS "x && cat t"));
	cr_assert(out_has("WARNING: QUITE NEW\nsaid\n"));
	cr_assert(out_has("3 findings"));
}

/* What would add lines to a baseline, or make two names one. */
Test(bad, names_that_are_none_are_no_findings, .init = enter)
{
	scratch_write("odd", "{\"kind\":\"panic\",\"fingerprint\":\"1\\n0000000000000005 panic\"}\n"
			     "{\"kind\":\"panic\",\"fingerprint\":\"00000000000000AA\"}\n"
			     "{\"kind\":\"panic\",\"fingerprint\":\"00000000000000011\"}\n"
			     "{\"kind\":\"panic\",\"fingerprint\":7}\n"
			     "{\"kind\":\"a\\nb\",\"fingerprint\":\"0000000000000001\"}\n"
			     "{\"kind\":\"panic\",\"fingerprint\":\"0000000000000001\"}\n");
	cr_assert(sh_is(0, "$R report --junit x --json j odd && " JUNIT_HOLDS "x && grep -c '<testcase' x"));
	cr_assert_str_eq(last_run()->out, "1\n");
	cr_assert(sh_is(0, "$R report odd 2>&1 | grep -c '^goro-race: odd:[1-5]: no report, skipped$'"));
	cr_assert_str_eq(last_run()->out, "5\n");
}
