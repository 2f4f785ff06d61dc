/*
 * seeds_test.c: explore, replay and shrink on the seeded scheduler itself: a race that needs a rare schedule.
 */
#include "tool.h"

/* B looks once at how far A is, and writes without a lock only when A has made just four of its twenty steps: on one
 * processor a plain run lets A make all of them or none before. */
static const char rare[] = "#include <goro.h>\n"
			   "#include <stdio.h>\n"
			   "static goro_mutex m;\nstatic goro_waitgroup wg;\nstatic int stage, prize;\n"
			   "static void a(void)\n{\n"
			   "\tfor (int i = 1; i <= 20; i++) {\n"
			   "\t\tgoro_mutex_lock(&m);\n\t\tstage = i;\n\t\tgoro_mutex_unlock(&m);\n\t}\n"
			   "\tprize = 1;\n"
			   "\tgoro_waitgroup_done(&wg);\n}\n"
			   "static void b(void)\n{\n"
			   "\tgoro_mutex_lock(&m);\n\tint seen = stage;\n\tgoro_mutex_unlock(&m);\n"
			   "\tif (seen == 4)\n\t\tprize = 2;\n"
			   "\tgoro_waitgroup_done(&wg);\n}\n"
			   "int main(void)\n{\n"
			   "\tgoro_waitgroup_add(&wg, 2);\n\tgo(a);\n\tgo(b);\n\tgoro_waitgroup_wait(&wg);\n\treturn prize > 2;\n}\n";

static void enter_rare(void)
{
	enter();
	scratch_write("rare.c", rare);
	cr_assert(sh_is(0, "$CC -race -g -O1 rare.c -o rare"));
}

TestSuite(seeds, .init = enter_rare, .timeout = 120);

#define EXPLORE "$R explore -n 400 --until first --state st -- ./rare"
#define SEED    "seed=$(sed -n 's/.*\"seed\":\\([0-9]*\\).*/\\1/p' st/findings.jsonl | head -1); "

Test(seeds, explore_finds_what_plain_runs_miss)
{
	cr_assert(sh_is(0, "for i in $(seq 50); do GOMAXPROCS=1 ./rare || exit 1; done"));
	cr_assert(sh_is(66, EXPLORE));
	cr_assert(out_has("Location is global 'prize'"));
	cr_assert(out_has("Replay: GORACE=\"seed="));
}

Test(seeds, a_replay_is_the_same_report_each_time)
{
	cr_assert(sh_is(66, EXPLORE));
	cr_assert(sh_is(0, SEED "for i in $(seq 10); do $R replay $seed -- ./rare 2>out$i; [ $? = 66 ] || exit 1; cmp out1 out$i || exit 1; "
			   "done; grep \"^Location is global 'prize'\" out1"));
}

Test(seeds, the_replay_line_is_a_command)
{
	cr_assert(sh_is(66, EXPLORE));
	cr_assert(sh_is(66, "$R report st | sed -n 's/^Replay: //p' > line && sh line"));
	cr_assert(err_has("WARNING: DATA RACE"));
}

Test(seeds, shrink_leaves_the_one_change_of_goroutine_that_matters)
{
	cr_assert(sh_is(66, EXPLORE));
	cr_assert(sh_is(0, SEED "$R shrink $seed -o s -- ./rare && grep -c ^switch s && ! grep ^choose s"));
	cr_assert(err_has("data race on 'prize'"));
	cr_assert(out_has("  unlock 0x"));
	cr_assert(strstr(last_run()->out, "--- 2 -> 3") && strstr(last_run()->out, "a() rare.c:"));
	cr_assert(sh_is(0, "test $(grep -c ^switch s) -le 2"));
	cr_assert(sh_is(66, "GORACE=schedule=s ./rare"));
	cr_assert(err_has("global 'prize'"));
}

Test(seeds, shrink_says_when_there_is_nothing)
{
	cr_assert(sh_is(2, "$R shrink 5 -- $P exit 0"));
	cr_assert(err_has("seed 5 does not show any finding"));
	cr_assert(sh_is(2, "$R shrink 5 --finding 0123456789abcdef -- $P race"));
	cr_assert(err_has("seed 5 does not show the finding 0123456789abcdef"));
	cr_assert(sh_is(2, "$R shrink 0 -- ./rare"));
	cr_assert(sh_is(2, "$R shrink 1"));
	cr_assert(err_has("which program?"));
}

Test(seeds, gdb_stops_at_the_access_that_races)
{
	cr_assert(sh_is(66, EXPLORE));
	cr_assert(sh_is(0, SEED "printf 'p stage\\nbt 1\\nkill\\nquit\\n' | timeout 60 $R replay $seed --gdb -- ./rare"));
	cr_assert(strstr(last_run()->out, "prize = 1;") || strstr(last_run()->out, "prize = 2;"), "%s", last_run()->out);
	cr_assert(out_has("$1 = "));
}

/* The picture's data: what the two goroutines did up to the accesses, and which of it ordered them. */
Test(seeds, the_steps_up_to_a_race_are_kept_with_their_edges)
{
	scratch_write("late.c", "#include <goro.h>\nstatic int hits;\nstatic chan(int) c;\n"
				"static void sends(void)\n{\n\tchan_send(c, 1);\n\thits = 1;\n}\n"
				"int main(void)\n{\n\tc = chan_make(int);\n\tgo(sends);\n\tchan_recv(c);\n\tgoro_gosched();\n"
				"\treturn hits > 1;\n}\n");
	cr_assert(sh_is(0, "$CC -race -g -O1 late.c -o late; $R explore -q -n 10 --json j --html h --state st -- ./late; "
			   "/usr/bin/python3 -c 'import json\n"
			   "steps = json.load(open(\"j\"))[\"findings\"][0][\"finding\"][\"steps\"]\n"
			   "rows, edges = steps[\"rows\"], steps[\"edges\"]\n"
			   "names = [r[\"operation\"] for r in rows]\n"
			   "assert names.count(\"go\") == 1 and names.count(\"send\") == 1 and names.count(\"receive\") == 1, names\n"
			   "assert [rows[e[0]][\"operation\"] + \" \" + rows[e[1]][\"operation\"] for e in edges] == [\"send receive\"], edges\n"
			   "marks = [r.get(\"mark\") for r in rows]\n"
			   "assert marks.index(\"previous\") < marks.index(\"current\") == len(rows) - 1, marks\n'"));
	/* the same from the folder; go and send are arrows, and one is missing */
	cr_assert(sh_is(0, "$R report st --html k; for f in h k; do grep -c 'class=\"edge\"' $f; grep -c 'class=\"gap\"' $f; done"));
	cr_assert_str_eq(last_run()->out, "2\n1\n2\n1\n");
}

Test(seeds, a_deadlock_of_some_schedules_is_found)
{
	scratch_write("dl.c", "#include <goro.h>\nstatic goro_mutex x, y;\nstatic goro_waitgroup wg;\n"
			      "static void f(goro_mutex *p, goro_mutex *q)\n{\n"
			      "\tgoro_mutex_lock(p);\n\tgoro_mutex_lock(q);\n\tgoro_mutex_unlock(q);\n\tgoro_mutex_unlock(p);\n"
			      "\tgoro_waitgroup_done(&wg);\n}\n"
			      "int main(void)\n{\n\tgoro_waitgroup_add(&wg, 2);\n\tgo(f, &x, &y);\n\tgo(f, &y, &x);\n"
			      "\tgoro_waitgroup_wait(&wg);\n}\n");
	cr_assert(sh_is(66, "$CC -race -g dl.c -o dl && $R explore -n 60 -- ./dl"));
	cr_assert(out_has("WARNING: DEADLOCK\nall goroutines are asleep - deadlock!"));
	cr_assert(out_has("[sync.Mutex.Lock]:\n  f(...)\n      dl.c:7"));
}
