/*
 * golden_test.c: what is reported of each kind of misuse, word for word: golden/NAME.txt, for NAME of
 * golden/kinds.c and vptr.cc, by each compiler. Only addresses are the run's own. One processor and no preemption, so
 * that goroutines are numbered, and end, in order.
 *
 * GORO_GOLDEN=write writes the files anew, by gcc; read what git says of them.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/scratch.h"

#define FROM "$S/tests/report/golden"
#define SAME "sed 's/0x[0-9a-f]\\{8,\\}/ADDR/g; s/+0x[0-9a-f]*/+OFF/g'"

static void build(const char *host, const char *driver, const char *file)
{
	cr_assert(sh_is(0, "P=$PWD; cd " FROM " && %s --goro-cc=%s -race -g -O0 %s -o $P/p -pthread", driver, host, file));
}

static void is_as_written(const char *host, const char *name, int code)
{
	const char *mode = getenv("GORO_GOLDEN");

	cr_assert(sh_is(code, "GOMAXPROCS=1 GODEBUG=asyncpreemptoff=1 GORACE=atexit_sleep_ms=0 ./p %s >out 2>err; c=$?; cat out; " SAME " <err >have; exit $c", name));
	cr_expect_str_eq(last_run()->out, "", "%s", name);
	if (mode && !strcmp(mode, "write") && (!strcmp(host, "gcc") || !strcmp(host, "g++")))
		cr_assert(sh_is(0, "cp have " FROM "/%s.new && mv " FROM "/%s.new " FROM "/%s.txt", name, name, name));
	cr_expect(sh_is(0, "diff -u " FROM "/%s.txt have", name), "%s %s", host, name);
}

static void c_kinds(const char *host)
{
	static const char *const names[] = {"double_lock", "read_lock_of_write_locked", "foreign_unlock",
	    "unlock_of_unlocked", "destroy_locked", "use_of_destroyed", "read_unlock_of_write_locked",
	    "write_unlock_of_read_locked", "recursive_read_lock", "use_after_free", "use_after_free_of_a_large_block",
	    "double_free", "thread_leak", "signal_unsafe_call", "signal_errno"};

	build(host, "$CC", "kinds.c");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		is_as_written(host, names[i], 66);
}

static void enter(void)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
}

TestSuite(golden, .init = enter, .timeout = 240);

Test(golden, kinds_by_gcc)
{
	c_kinds("gcc");
}

Test(golden, kinds_by_clang)
{
	c_kinds("clang");
}

Test(golden, virtual_tables_by_gcc)
{
	build("g++", "$CXX", "vptr.cc");
	is_as_written("g++", "vptr", 66);
}

Test(golden, virtual_tables_by_clang)
{
	build("clang++", "$CXX -std=c++17", "vptr.cc");
	is_as_written("clang++", "vptr", 66);
}
