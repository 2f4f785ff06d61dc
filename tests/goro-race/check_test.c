/*
 * check_test.c: goro-race check: which source files of a binary are instrumented.
 */
#include "tool.h"

static void files(void)
{
	enter();
	scratch_write("main.c", "#include <goro.h>\nint part(int *), other(int *);\nint main(void)\n{\n\tint n = 1;\n"
				"\treturn part(&n) + other(&n) - 5;\n}\n");
	scratch_write("part.c", "int twice(int n) { return 2 * n; }\nint part(int *p) { return ++*p; }\n");
	scratch_write("other.c", "int other(int *p) { return ++*p; }\n");
}

TestSuite(check, .init = files, .timeout = 120);

static void with(const char *cc, const char *more)
{
	setenv("GORO_CC", cc, 1);
	cr_assert(sh_is(0, "rm -f *.o; for f in main part other; do $CC -race -g -O1 %s -c $f.c -o $f.o; done && $CC -race *.o -o good && "
			   "$CC -g -O1 -c other.c -o other.o && $CC -race --goro-allow-mixed *.o -o mixed && $CC -g *.c -o plain", more));
	cr_assert(sh_is(0, "$R check good"));
	cr_assert(out_has("good: a race build\n"));
	cr_assert(out_has("  instrumented      main.c (1 of 1 functions)\n"));
	cr_assert(out_has("  instrumented      other.c (1 of 1 functions)\n"));
	cr_assert(out_has("  instrumented      part.c (1 of 2 functions"));
	cr_assert_null(strstr(last_run()->out, "runtime/"), "goro's own is left out");
	cr_assert(sh_is(1, "$R check mixed"));
	cr_assert(out_has("  NOT instrumented  other.c (0 of 1 functions)\n"));
	cr_assert(sh_is(1, "$R check plain"));
	cr_assert(out_has("plain: a goro program without the detector"));
	cr_assert(out_has("  NOT instrumented  main.c"));
}

Test(check, programs_by_gcc)
{
	with("gcc", "");
}

Test(check, programs_by_clang)
{
	with("clang", "");
}

Test(check, functions_are_named_on_request)
{
	cr_assert(sh_is(0, "$CC -race -g -O1 *.c -o good && $R check -v good | sed -n '/part.c/,$p'"));
	cr_assert(out_has("    twice\n"));
	cr_assert_null(strstr(last_run()->out, "    part\n"));
}

Test(check, objects_and_shared_objects)
{
	cr_assert(sh_is(0, "$CC -race -g -O1 -c part.c && $R check part.o"));
	cr_assert(out_has("part.o: an object file\n  instrumented      part.c (1 of 2 functions"));
	cr_assert(sh_is(1, "gcc -g -O1 -c part.c && $R check part.o"));
	for (const char *const *how = (const char *const[]){"", "-fno-plt", "-Wl,-z,now", NULL}; *how; how++) {
		cr_assert(sh_is(0, "$CC -race -g -O1 -fPIC %s -shared part.c other.c -o l.so && $R check l.so", *how), "%s", *how);
		cr_assert(out_has("  instrumented      other.c (1 of 1 functions)\n"));
	}
}

Test(check, what_it_cannot_tell)
{
	cr_assert(sh_is(2, "$R check main.c"));
	cr_assert(err_has("main.c is no program, shared object or object file"));
	cr_assert(sh_is(2, "$R check nowhere"));
	cr_assert(sh_is(0, "$CC -race -g *.c -o good && strip good && $R check good"));
	cr_assert(out_has("good: a race build\n  it has no symbols to tell its parts by\n"));
	cr_assert(sh_is(2, "head -c 40 good > cut; $R check cut"));
}
