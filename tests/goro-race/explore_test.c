/*
 * explore_test.c: goro-race explore, merge, and state folders. The subject reads its behaviour off the seed.
 */
#include "tool.h"

TestSuite(explore, .init = enter, .timeout = 120);

Test(explore, findings_are_folded_with_count_and_smallest_seed)
{
	cr_assert(sh_is(66, "$R explore -n 20 -j 3 -- $P seed"));
	cr_assert(out_has("Location is global 'shared'"));
	cr_assert(out_has("Seen in 2 of 20 runs; seed 7 is the smallest.\nReplay: GORACE=\"seed=7\" "));
	cr_assert(out_has("Seen in 2 of 20 runs; seed 8 is the smallest."));
	cr_assert(out_has("WARNING: DEADLOCK\n"));
	cr_assert(out_has("Seen in 1 of 20 runs; seed 14 is the smallest."));
	cr_assert(out_has("WARNING: PANIC\nat step 15000 of 0x"));
	cr_assert(out_has("WARNING: CRASH\nkilled by SIGKILL"));
	cr_assert(out_has("goro-race: 20 runs, 6 findings\n"), "one is that exit statuses differ");
}

Test(explore, different_exit_statuses_are_a_finding)
{
	cr_assert(sh_is(66, "$R explore -n 10 -- $P seed_codes"));
	cr_assert(out_has("WARNING: DIFFERENT OUTCOMES\nexit status 0 in 8 runs (seed 1), exit status 4 in 2 runs (seed 5)\n"));
	cr_assert(out_has("seed 5 is the smallest"));
}

Test(explore, different_outputs_are_listed_and_no_failure)
{
	cr_assert(sh_is(0, "$R explore -n 9 -- $P seed_output"));
	cr_assert(out_has("3 distinct outcomes:\n       3 runs: exit status 0, output "));
	cr_assert(out_has("goro-race: 9 runs, 0 findings\n"));
}

Test(explore, until_first_stops_there)
{
	cr_assert(sh_is(66, "$R explore -n 100000 -j 1 --until first --state st -- $P seed"));
	cr_assert(out_has("seed 7 is the smallest"));
	cr_assert(sh_is(0, "test $(wc -l < st/runs.jsonl) = 7"));
}

Test(explore, until_first_passes_known_findings)
{
	cr_assert(sh_is(0, "$R explore -n 7 -j 1 -b known --update-baseline -- $P seed"));
	cr_assert(sh_is(66, "$R explore -n 100 -j 1 -b known --until first --state st -- $P seed"));
	cr_assert(sh_is(0, "test $(wc -l < st/runs.jsonl) = 8"));
}

Test(explore, time_ends_it)
{
	cr_assert(sh_is(0, "$R explore -n 100000 -j 1 --time 500ms --from 19 --state st -- $P seed_output && "
			   "test $(wc -l < st/runs.jsonl) -lt 1000 && test $(wc -l < st/runs.jsonl) -ge 1"));
}

Test(explore, keys_reach_the_program_and_the_replay_line)
{
	cr_assert(sh_is(66, "GORACE=history_size=2 $R explore -n 1 --from 7 --strategy pct --depth 4 --preempt 20 "
			    "--gorace max_reports=3 -- $P seed 'a b' \"c'd\""));
	cr_assert(out_has("Replay: GORACE=\"seed=7 history_size=2 max_reports=3 strategy=pct depth=4 preempt=20\" "));
	cr_assert(out_has("subject-race seed 'a b' 'c'\\''d'\n"));
}

Test(explore, a_terminal_gets_a_bar_and_a_log_gets_lines)
{
	cr_assert(sh_is(66, "/usr/bin/python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "
			    "$R explore -q -n 9 -j 1 -- $P seed"));
	cr_assert(out_has("\r\033[K"));
	cr_assert(out_has("goro-race: seed 7: data race on 'shared'"));
	cr_assert(out_has("9/9 seeds, 2 findings"));
	cr_assert(sh_is(66, "$R explore -q -n 9 -j 1 -- $P seed"));
	cr_assert_null(strchr(last_run()->err, '\033'));
	cr_assert(err_has("goro-race: seed 7: data race on 'shared'"));
}

/* ---- state ---- */

Test(explore, a_state_is_gone_on_with)
{
	cr_assert(sh_is(0, "$R explore -n 6 --state st -- $P seed"));
	cr_assert(sh_is(66, "$R explore -n 20 --state st -- $P seed"));
	cr_assert(err_has("6 runs are in st already"));
	cr_assert(sh_is(0, "test $(wc -l < st/runs.jsonl) = 20 && ls st | wc -l"));
	cr_assert_str_eq(last_run()->out, "3\n", "and nothing else is left in it");
}

Test(explore, interrupted_it_loses_nothing)
{
	cr_assert(sh_is(0, "(trap - INT; exec setsid $R explore -n 1000 -j 2 --state st -- $P seed_slow) > out 2> err & "
			   "while ! grep -q seed.:8 st/runs.jsonl 2>/dev/null; do sleep 0.01; done; kill -INT $!; wait $!; "
			   "test $? = 66 && grep -q 'interrupted after .* of 1000 seeds; the same command goes on' out"));
	/* what was ended with us is not in it: only 16 ends so by itself; 7 may have been under way still */
	cr_assert(sh_is(0, "grep -c . st/runs.jsonl > n; $R report st --json j && test $(cat n) -ge 7 && "
			   "! grep SIGKILL st/runs.jsonl | grep -v '\"seed\":16,'"));
	cr_assert(sh_is(66, "$R explore -n 30 -j 2 --state st -- $P seed_slow"));
	cr_assert(sh_is(0, "test $(sed 's/.*seed.:\\([0-9]*\\),.*/\\1/' st/runs.jsonl | sort -n | uniq -d | wc -l) = 0"));
}

Test(explore, a_line_cut_short_is_named_and_its_seed_run_again)
{
	cr_assert(sh_is(66, "$R explore -n 10 -j 1 --state st -- $P seed"));
	cr_assert(sh_is(66, "head -c -20 st/runs.jsonl > r && mv r st/runs.jsonl; $R explore -n 10 --state st -- $P seed"));
	cr_assert(err_has("st/runs.jsonl:10: cut short, skipped"));
	cr_assert(out_has("Seen in 1 of 10 runs; seed 7 is the smallest."));
	cr_assert(sh_is(66, "$R explore -n 11 --state st -- $P seed"));
	cr_assert(err_has("st/runs.jsonl:10: damaged, skipped"));
	cr_assert(out_has("of 11 runs"));
}

Test(explore, a_state_of_another_binary_is_refused)
{
	cr_assert(sh_is(0, "$R explore -n 3 --state st -- $P seed"));
	cr_assert(sh_is(2, "cp $P other && objcopy --remove-section .comment other && $R explore -n 3 --state st -- ./other seed"));
	cr_assert(err_has("st is of another binary: "));
	cr_assert(err_has("/other ("));
	cr_assert(sh_is(2, "$R explore -n 3 --state st -- $P exit 0"));
	cr_assert(err_has("st is of other runs: GORACE=\"\" "));
	cr_assert(sh_is(2, "$R explore -n 3 --strategy pos --state st -- $P seed"));
	cr_assert(err_has("st is of other runs: "));
	cr_assert(sh_is(2, "echo '{' > st/state.json; $R explore -n 3 --state st -- $P seed"));
	cr_assert(err_has("st/state.json: damaged"));
}

Test(explore, a_state_in_use_is_refused)
{
	cr_assert(sh_is(0, "$R explore -n 1000 -j 1 --state st -- $P seed_slow >out 2>&1 & "
			   "while ! grep -q seed st/runs.jsonl 2>/dev/null; do sleep 0.01; done; "
			   "$R explore -n 3 --state st -- $P seed_slow 2>err; r=$?; kill $!; wait $!; test $r = 2 && "
			   "grep 'st is in use by another goro-race' err"));
}

Test(explore, seeds_out_of_range)
{
	static const char *const bad[] = {"-n 0", "-n x", "--from 0", "--from 2147483648", "--from 2147483647 -n 2", "-n -5",
	    "-n 99999999999999999999", "--shard 0/3", "--shard 4/3", "--shard 2", "--strategy dice", "--until never", "--depth 0",
	    "--preempt 101", "-j 0"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert(sh_is(2, "$R explore %s -- $P seed", bad[i]), "%s", bad[i]);
	cr_assert(sh_is(0, "$R explore --from 2147483640 -n 1 -- $P seed"));
}

/* ---- shards ---- */

Test(shards, join_to_the_whole, .init = enter)
{
	cr_assert(sh_is(66, "$R explore -n 20 --state whole -- $P seed"));
	cr_assert(sh_is(0, "for i in 1 2 3; do $R explore -n 20 --shard $i/3 --state s$i -- $P seed; done >/dev/null 2>&1; "
			   "$R merge -o joined s1 s2 s3"));
	cr_assert(out_has("goro-race: 20 runs, 5 findings in joined"));
	cr_assert(sh_is(0, "cut() { grep -v -e at.0x -e ' of 0x' \"$1\"; }; $R report whole --text w; $R report joined --text j; "
			   "$R report s1 s2 s3 --text k; cut w > w1; cut j | cmp - w1 && cut k | cmp - w1"));
}

Test(shards, the_same_seeds_count_once, .init = enter)
{
	cr_assert(sh_is(66, "$R explore -n 10 --state a -- $P seed; cp -r a b; $R explore -n 12 --state b -- $P seed"));
	cr_assert(sh_is(0, "$R merge --output ab a b"));
	cr_assert(out_has("goro-race: 12 runs, 2 findings in ab"));
	cr_assert(sh_is(2, "$R merge -o ab a"));
	cr_assert(err_has("ab holds runs already"));
	cr_assert(sh_is(2, "$R merge a b"));
	cr_assert(err_has("-o DIR is missing"));
	cr_assert(sh_is(2, "mkdir none; $R merge -o x none"));
	cr_assert(err_has("none is no state folder of goro-race"));
	cr_assert(sh_is(2, "$R explore -n 2 --state c -- $P exit 0; $R merge -o y a c"));
	cr_assert(err_has("c is of other runs"));
}
