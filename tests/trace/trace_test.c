/*
 * trace_test.c: execution traces: GODEBUG=trace=FILE, goro_trace_snapshot, goro-race trace.
 *
 * Programs of subject.c are run, each trace is held against the Trace Event Format and against what states must be
 * by check.py, which also says whether an expression of what it counted is true.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/scratch.h"

#define ALL_WAITS                                                                                                      \
	"{'chan receive', 'IO wait', 'select', 'sleep', 'sync.Mutex.Lock', 'syscall', 'running', 'runnable'} <= set(states)"

static void enter(void)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	setenv("R", GORO_BUILD_DIR "/bin/goro-race", 1);
	setenv("CHECK", "python3 " GORO_SOURCE_DIR "/tests/trace/check.py", 1);
	for (int race = 0; race < 2; race++) {
		const char *kind = race ? "race" : "plain";
		setenv(race ? "RACED" : "P", race ? GORO_BUILD_DIR "/tests/trace.d/race" : GORO_BUILD_DIR "/tests/trace.d/plain", 1);
		cr_assert(sh_is(0, "set -e; D=$B/tests/trace.d; mkdir -p $D; L=$B/lib/libgoro%s.a; S1=$S/tests/trace/subject.c; "
				   "if [ ! -x $D/%s ] || [ $D/%s -ot $L ] || [ $D/%s -ot $S1 ]; then "
				   "$CC %s -g -O1 $S1 -o $D/%s.$$; mv $D/%s.$$ $D/%s; fi",
		    race ? "-race" : "", kind, kind, kind, race ? "-race" : "", kind, kind, kind));
	}
	unsetenv("GODEBUG");
}

TestSuite(trace, .init = enter, .timeout = 120);

/* ---- what is in it ---- */

static void all_by(const char *program, const char *environment)
{
	cr_assert(sh_is(0, "%s GODEBUG=trace=t.json $%s all", environment, program));
	cr_assert(out_has("traced\n"));
	cr_assert(sh_is(0, "$CHECK t.json \"" ALL_WAITS "\" 'lost == 0'"));
	cr_assert(sh_is(0, "$CHECK t.json \"names == ['caller', 'count' + chr(34) + 'ed' + chr(92) + chr(10) + chr(0xfffd), 'locker', "
			   "'main', 'reader', 'receiver', 'selector']\""));
	/* who waited for what, and how long at least: main holds them up for 6 ms */
	cr_assert(sh_is(0, "$CHECK t.json \"ns(of['locker']['sync.Mutex.Lock']) > 5e6\" \"ns(of['receiver']['chan receive']) > 5e6\" "
			   "\"ns(of['selector']['select']) > 5e6\" \"ns(of['reader']['IO wait']) > 5e6\" "
			   "\"ns(of['caller']['syscall']) >= 2e6\" \"ns(of['main']['sleep']) >= 6e6\""));
	/* the program's own */
	cr_assert(sh_is(0, "$CHECK t.json \"len(regions['receiving']) == 1 and len(regions['starting']) == 1\" "
			   "\"len(regions['main\\'s \\\"work\\\"']) == 1\" \"ns(regions['receiving']) > 5e6\" "
			   "\"logs == [('progress', 'half of it is done: 50 \\\"%%\\\"\\t\\u00e9')]\""));
	cr_assert(sh_is(0, "$CHECK t.json 'flows >= 9' 'len(starts) >= 1' \"counters == {'memory', 'goroutines'}\" "
			   "\"all(m['rss'] > 1e6 for m in memory) and memory[-1]['stacks'] > 1e5\""));
}

Test(trace, on_one_processor)
{
	all_by("P", "GOMAXPROCS=1");
	cr_assert(sh_is(0, "$CHECK t.json \"head['gomaxprocs'] == 1\""));
}

Test(trace, on_two_processors)
{
	all_by("P", "GOMAXPROCS=2");
}

Test(trace, on_eight_processors)
{
	all_by("P", "GOMAXPROCS=8");
}

Test(trace, of_a_race_build)
{
	all_by("RACED", "GOMAXPROCS=2");
}

Test(trace, without_it_nothing_is_written)
{
	cr_assert(sh_is(0, "$P all; GODEBUG=schedslice=5000 $P all; GODEBUG=trace= $P all; ls"));
	cr_assert(out_has("not traced\nnot traced\nnot traced\n"));
	cr_assert_null(strstr(last_run()->out, "json"));
}

Test(trace, a_changing_gomaxprocs_moves_goroutines)
{
	/* a slice of a minute: that four meet takes four processors */
	cr_assert(sh_is(0, "GODEBUG=trace=t.json,tracebuf=256k,schedslice=60000000 $P procs && "
			   "$CHECK t.json 'procs == [0, 1, 2, 3]' \"'syscall' in states\""));
}

Test(trace, goroutines_that_are_stopped_were_preempted)
{
	cr_assert(sh_is(0, "GOMAXPROCS=1 GODEBUG=trace=t.json,schedslice=2000 $P spin && "
			   "$CHECK t.json \"why('preempted') >= 3\" \"ns(of['main']['sleep']) >= 60e6\" \"len(states['runnable']) > 3\""));
}

/* ---- rings ---- */

Test(trace, a_full_ring_keeps_the_newest)
{
	cr_assert(sh_is(0, "GODEBUG=trace=t.json,tracebuf=16k $P overflow && "
			   "$CHECK t.json 'lost > 10000' \"head['from_ns'] > 0\" \"'last' in regions and 'first' not in regions\" "
			   "\"regions['outer'][0].start == head['from_ns'] and regions['outer'][0].args\" \"'patient' in names\" "
			   "\"ns(of['patient']['chan receive']) == head['to_ns'] - head['from_ns']\""));
}

Test(trace, a_ring_that_is_large_enough_keeps_all)
{
	cr_assert(sh_is(0, "GODEBUG=trace=t.json,tracebuf=2M $P overflow && "
			   "$CHECK t.json 'lost == 0' \"len(states['chan send']) + len(states['chan receive']) >= 5000\" \"'first' in regions\""));
}

Test(trace, a_wrong_size_is_told_and_the_default_taken)
{
	for (const char *const *size = (const char *const[]){"2", "x", "-4k", "4kk", "99999m", "", NULL}; *size; size++) {
		cr_assert(sh_is(0, "GODEBUG=trace=t.json,tracebuf=%s $P all && $CHECK t.json", *size));
		cr_assert(err_has("goro: warning: GODEBUG: tracebuf="));
		cr_assert(err_has("is not between 4k and 1024m"));
	}
}

/* ---- snapshots ---- */

Test(trace, snapshots_are_taken_while_all_run)
{
	cr_assert(sh_is(0, "GODEBUG=tracebuf=128k $P snapshots && ls"));
	cr_assert(out_has("0 0 0 0; -2 -22 -9 -9\n"));
	cr_assert_null(strstr(last_run()->out, "~"), "nothing is left beside them");
	cr_assert(sh_is(0, "for f in one two three four; do $CHECK $f.json \"len(names) >= 5 and len(states['running']) >= 1\" || exit; done"));
	cr_assert(sh_is(0, "GODEBUG=tracebuf=32k $RACED snapshots && for f in one two three four; do $CHECK $f.json 'len(names) >= 5' || exit; done"));
}

Test(trace, snapshots_need_a_trace)
{
	cr_assert(sh_is(0, "$P snapshots && ls"));
	cr_assert(out_has("-95 -95 -95 -95;"));
	cr_assert_null(strstr(last_run()->out, "one.json"));
}

/* ---- ends ---- */

Test(trace, every_end_writes_it)
{
	static const struct {
		const char *how;
		int code;
	} ends[] = {{"return", 3}, {"exit", 3}, {"_exit", 3}, {"quick_exit", 3}, {"panic", 2}, {"deadlock", 2}, {"quit", 2},
	    {"overflow", 2}, {"fault", 128 + 11}, {"abort", 128 + 6}};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		for (int race = 0; race < 2; race++)
			cr_assert(sh_is(0, "rm -f t.json; GODEBUG=trace=t.json $%s end %s 2>err; c=$?; [ $c = %d ] || { echo $c; cat err; exit 1; }; "
					   "$CHECK t.json \"'ponger' in names\" 'flows >= 10'",
			    race ? "RACED" : "P", ends[i].how, ends[i].code));
}

Test(trace, deadlock_shows_who_waits)
{
	cr_assert(sh_is(2, "GODEBUG=trace=t.json $P end deadlock"));
	cr_assert(err_has("all goroutines are asleep - deadlock!"));
	cr_assert(sh_is(0, "$CHECK t.json \"of['main']['chan receive'][-1].end == head['to_ns']\""));
}

/* ---- files ---- */

Test(trace, a_file_that_cannot_be_written_is_named_and_the_program_goes_on)
{
	cr_assert(sh_is(0, "GODEBUG=trace=/nowhere/t.json $P all"));
	cr_assert(err_has("goro: GODEBUG: cannot write the trace /nowhere/t.json: No such file or directory\n"));
	cr_assert(out_has("not traced\n"));
	cr_assert(sh_is(0, "GODEBUG=trace=/dev/full $P all"));
	cr_assert(err_has("goro: GODEBUG: cannot write the trace /dev/full: No space left on device\n"));
	cr_assert(sh_is(0, "mkdir d; GODEBUG=trace=d $P all"));
	cr_assert(err_has("cannot write the trace d: Is a directory\n"));
}

Test(trace, pipes_and_names_with_the_process_work)
{
	cr_assert(sh_is(0, "mkfifo f && { cat f >t.json & GODEBUG=trace=f $P all; wait; } && $CHECK t.json && [ -p f ]"));
	/* through a link, which stays; never on top of one, or of a file in a folder of the system's */
	cr_assert(sh_is(0, "rm t.json; : >far.json; ln -s far.json l; GODEBUG=trace=l $P all && $CHECK far.json && [ -L l ]"));
	cr_assert(sh_is(0, "GODEBUG=trace=t-%%p.json $P all && $CHECK t-[0-9]*.json \"head['pid'] > 1\""));
	cr_assert(sh_is(0, "mkdir sub && GODEBUG=trace=sub/t.json sh -c 'cd /; exec $P all'; [ ! -e sub/t.json ]"));
}

Test(trace, of_parent_and_child_neither_is_mixed)
{
	cr_assert(sh_is(0, "GODEBUG=trace=t.json $P fork && $CHECK t.json \"'the parent\\'s' in regions\""));
	cr_assert(sh_is(0, "rm t.json; GODEBUG=trace=t.json $P exec && $CHECK t.json \"'the parent\\'s' in regions\""));
	cr_assert(sh_is(0, "rm t.json; GODEBUG=trace=t%%p.json $P exec && set -- t*.json && [ $# = 2 ] && $CHECK $1 && $CHECK $2"));
	cr_assert(sh_is(0, "rm t*.json; GODEBUG=trace=t.json $RACED exec && $CHECK t.json \"'the parent\\'s' in regions\""));
}

/* ---- seeded runs ---- */

Test(trace, a_seed_gives_the_same_trace_on_its_own_clock)
{
	cr_assert(sh_is(0, "for i in 1 2; do GORACE=seed=7 GODEBUG=trace=t.json $RACED hour && $CHECK t.json \"ns(of['main']['sleep']) == 3600 * 10**9\" "
			   "&& sed -e 's/\"pid\":[0-9]*,\"clock/\"clock/' -e 's/\"on\":\"[^\"]*\"//' -e 's/\"thread\":[0-9]*//' t.json >$i || exit; done; "
			   "cmp 1 2"));
	cr_assert(sh_is(1, "GORACE=seed=8 GODEBUG=trace=t.json $RACED hour && sed -e 's/\"pid\":[0-9]*,\"clock/\"clock/' "
			   "-e 's/\"on\":\"[^\"]*\"//' -e 's/\"thread\":[0-9]*//' t.json >2; cmp -s 1 2"));
}

/* ---- goro-race trace ---- */

Test(trace, summary_says_where_time_went)
{
	cr_assert(sh_is(0, "GODEBUG=trace=t.json $P all && $R trace t.json"));
	for (const char *const *text = (const char *const[]){"t.json: plain (pid ", "7 goroutines", ", complete\n", "\n  running ",
		 "\n  sync.Mutex.Lock ", "\n  IO wait ", "\nprocessors\n  P0 ", "\nG1 main ", "most blocked by\n",
		 "\nscheduling latency: ", ", woken by G1 main\n", "\nregion ", "\nmain's \"work\" "};
	     *text; text++)
		cr_assert(out_has(*text));
	cr_assert(sh_is(0, "$R trace -n 2 t.json"));
	cr_assert(out_has("... and 5 more (-n)\n"));
	cr_assert(sh_is(0, "$R trace --help"));
	cr_assert(sh_is(0, "$R --help | grep '^  trace '"));
}

Test(trace, summary_adds_up)
{
	static const char script[] = "import json, sys\n"
				     "s = json.load(sys.stdin)\n"
				     "d = json.load(open('t.json'))\n"
				     "life = {}\n"
				     "for e in d['traceEvents']:\n"
				     "    if e['ph'] == 'X' and e['pid'] == 2:\n"
				     "        a, b = round(e['ts'] * 1000), round(e['ts'] * 1000) + round(e['dur'] * 1000)\n"
				     "        lo, hi = life.get(e['tid'], (a, b))\n"
				     "        life[e['tid']] = min(lo, a), max(hi, b)\n"
				     "assert len(life) == len(s['goroutines']) == 7\n"
				     "for g in s['goroutines'] + [s['totals']]:\n"
				     "    parts = g['running_ns'] + g['runnable_ns'] + g['syscall_ns'] + g['blocked_ns']\n"
				     "    assert parts == g['life_ns'], g\n"
				     "    assert g['blocked_ns'] == sum(b['ns'] for b in g['blocked_by']), g\n"
				     "    if 'id' in g:\n"
				     "        assert g['life_ns'] == life[g['id']][1] - life[g['id']][0], g\n"
				     "assert s['totals']['life_ns'] == sum(g['life_ns'] for g in s['goroutines'])\n"
				     "assert s['lost'] == 0 and s['program'] == 'plain' and s['pid'] == d['otherData']['pid']\n"
				     "w = s['latency']['longest']\n"
				     "assert [x['ns'] for x in w] == sorted((x['ns'] for x in w), reverse=True) and s['latency']['count'] >= len(w) > 0\n"
				     "assert {r['name']: r['count'] for r in s['regions']} == {'receiving': 1, 'starting': 1, 'main\\'s \"work\"': 1}\n";
	scratch_write("sums.py", script);
	cr_assert(sh_is(0, "GODEBUG=trace=t.json $P all && $R trace --json t.json | python3 sums.py"));
	/* laid out anew by another tool: the same sums */
	cr_assert(sh_is(0, "$R trace t.json >1; python3 -m json.tool t.json u && mv u t.json && $R trace t.json >2; cmp 1 2"));
	cr_assert(sh_is(0, "GODEBUG=trace=t.json $P spin && $R trace --group t.json"));
	cr_assert(out_has("\n3 spinner "));
}

Test(trace, summary_of_the_end_of_a_long_run_says_so)
{
	cr_assert(sh_is(0, "GODEBUG=trace=t.json,tracebuf=16k $P overflow && $R trace t.json"));
	cr_assert(out_has(" events before were overwritten)\n"));
}

Test(trace, files_that_are_no_traces_are_named)
{
	cr_assert(sh_is(0, "GODEBUG=trace=t.json $P all"));
	cr_assert(sh_is(2, "head -c 3000 t.json >half.json; $R trace half.json"));
	cr_assert(err_has("half.json: line "));
	cr_assert(err_has("half-written: the file ends here"));
	cr_assert(sh_is(2, "head -n 20 t.json >half.json; $R trace half.json"));
	cr_assert(err_has("half-written: the file ends here"));
	cr_assert(sh_is(2, "sed '9s/\"ts\"/\"tz\"/' t.json >bad.json; $R trace bad.json"));
	cr_assert(err_has("bad.json: line 9: an event has no number as 'ts'"));
	cr_assert(sh_is(2, "sed '9s/{/[/' t.json >bad.json; $R trace bad.json"));
	cr_assert(err_has("bad.json: line 9: no JSON: "));
	cr_assert(sh_is(2, ": >empty.json; $R trace empty.json"));
	cr_assert(err_has("empty.json is empty: its program still runs, or ended without writing its trace"));
	cr_assert(sh_is(2, "echo '{\"traceEvents\": []}' >other.json; $R trace other.json"));
	cr_assert(err_has("other.json: not an execution trace of goro's"));
	cr_assert(sh_is(2, "$R trace nowhere.json"));
	cr_assert(err_has("cannot read nowhere.json: No such file or directory"));
	cr_assert(sh_is(2, "$R trace . ; $R trace t.json t.json"));
	cr_assert(sh_is(2, "$R trace"));
	cr_assert(err_has("which file?"));
}
