/*
 * gdb_test.c: tools/gdb/goro-gdb.py under a real gdb: what it lists and the backtraces it gives, of a live
 * process and of the core file that the same program leaves.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/scratch.h"

/* Waits on a channel, waits for a mutex two frames down, and aborts while main runs. */
static const char program[] = "#include <goro.h>\n"
			      "#include <stdlib.h>\n"
			      "static goro_mutex mutex;\n"
			      "static chan(int) in;\n"
			      "static goro_waitgroup started;\n"
			      "static void reader(void)\n"
			      "{\n"
			      "	goro_set_name(\"reader\");\n"
			      "	goro_waitgroup_done(&started);\n"
			      "	(void)chan_recv(in);\n"
			      "}\n"
			      "static __attribute__((noinline)) void inner(int depth)\n"
			      "{\n"
			      "	goro_waitgroup_done(&started);\n"
			      "	goro_mutex_lock(&mutex);\n"
			      "	goro_mutex_unlock(&mutex);\n"
			      "	(void)depth;\n"
			      "}\n"
			      "static void outer(int depth)\n"
			      "{\n"
			      "	inner(depth + 1);\n"
			      "	goro_mutex_lock(&mutex);\n"
			      "}\n"
			      "int main(void)\n"
			      "{\n"
			      "	in = chan_make(int);\n"
			      "	goro_mutex_lock(&mutex);\n"
			      "	goro_waitgroup_add(&started, 2);\n"
			      "	go(reader);\n"
			      "	go(outer, 41);\n"
			      "	goro_waitgroup_wait(&started);\n"
			      "	for (int i = 0; i < 100; i++)\n"
			      "		goro_gosched();\n"
			      "	abort();\n"
			      "}\n";

static void build(void)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	scratch_write("prog.c", program);
	cr_assert(sh_is(0, "$CC -g -O1 prog.c -o prog"));
}

/* One processor: while main yields, the others come to their waits. */
#define COMMANDS                                                                                   \
	"-ex 'info goroutines' -ex 'goroutine 2 bt' -ex 'goroutine 3 bt' -ex 'goroutine 1 bt' -ex 'goroutine 77 bt'"

static void check_output(void)
{
	cr_expect(out_has("  2 \"reader\" [chan receive] "));
	cr_expect(out_has("  3 [sync.Mutex.Lock] "));
	cr_expect(out_has("* 1 [running] "));
	cr_expect(out_has(" in reader () at "));
	cr_expect(out_has("prog.c:10"));
	cr_expect(out_has("inner (depth="));
	cr_expect(out_has("prog.c:15"));
	cr_expect(out_has("outer (depth="));
	cr_expect(out_has("prog.c:21"));
	cr_expect(out_has(" in main () at "));
	cr_expect(err_has("goro: no goroutine 77"));
	/* Every backtrace ends at the goroutine's entry, none runs on. */
	cr_expect(strstr(last_run()->out, "Backtrace stopped") == NULL, "%s", last_run()->out);
	cr_expect(strstr(last_run()->out, "corrupt stack") == NULL, "%s", last_run()->out);
}

Test(gdb, goroutines_of_a_live_process, .timeout = 120)
{
	build();
	cr_assert(sh_is(0, "GOMAXPROCS=1 gdb -nx -batch -ex \"source $S/tools/gdb/goro-gdb.py\" -ex run " COMMANDS " ./prog || true"));
	check_output();
}

Test(gdb, goroutines_of_a_core_file, .timeout = 120)
{
	char pattern[256] = "";
	FILE *f = fopen("/proc/sys/kernel/core_pattern", "r");
	if (f) {
		if (!fgets(pattern, sizeof pattern, f))
			pattern[0] = 0;
		fclose(f);
	}
	if (pattern[0] == '|' || strchr(pattern, '/'))
		cr_skip_test("core files go elsewhere: kernel.core_pattern is %s", pattern);
	build();
	cr_assert(sh_is(134, "ulimit -c unlimited && GOMAXPROCS=1 ./prog 2>/dev/null"));
	cr_assert(sh_is(0, "gdb -nx -batch -ex \"source $S/tools/gdb/goro-gdb.py\" " COMMANDS " ./prog core* || true"));
	check_output();
}

Test(gdb, a_program_without_goro_gets_a_clear_word, .timeout = 60)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	scratch_write("plain.c", "int main(void)\n{\n\treturn 0;\n}\n");
	cr_assert(sh_is(0, "gcc -g plain.c -o plain"));
	cr_assert(sh_is(0, "gdb -nx -batch -ex \"source $S/tools/gdb/goro-gdb.py\" -ex 'info goroutines' ./plain || true"));
	cr_expect(err_has("not a goro program"));
	cr_assert(sh_is(0, "gdb -nx -batch -ex \"source $S/tools/gdb/goro-gdb.py\" -ex 'goroutine x' ./plain || true"));
	cr_expect(err_has("usage: goroutine N bt"));
}
