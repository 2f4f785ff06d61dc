/*
 * objects_test.c: what goro-cc refuses to link, and what --check tells.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../support/scratch.h"

static void enter(void)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	scratch_write("main.c", "int part(int); int main(int c, char **v) { (void)v; return part(c); }\n");
	scratch_write("part.c", "int total; int part(int n) { total += n; return total + 4; }\n");
	scratch_write("data.c", "const char text[] = \"only data\";\n");
	scratch_write("asm.S", ".globl nothing\nnothing: ret\n.section .note.GNU-stack\n");
}

TestSuite(objects, .init = enter);

static void separate(const char *host)
{
	setenv("GORO_CC", host, 1);
	cr_assert(sh_is(5, "$CC -c main.c && $CC -c part.c && $CC main.o part.o -o plain && ./plain"));
	cr_assert(sh_is(5, "$CC -race -c main.c && $CC -race -c part.c && $CC -race main.o part.o -o race && ./race"));
	cr_assert(sh_is(0, "$CC --check race"));
	cr_assert(out_has("race: race build"));
	cr_assert(sh_is(1, "$CC --check plain"));
	cr_assert(out_has("plain: plain build"));
}

Test(objects, separate_compilation_gcc)
{
	separate("gcc");
}

Test(objects, separate_compilation_clang)
{
	separate("clang");
}

Test(objects, objects_of_gcc_and_clang_together)
{
	cr_assert(sh_is(5, "$CC --goro-cc=clang -race -c main.c && $CC -race -c part.c && $CC -race main.o part.o -o p && ./p"));
	cr_assert(sh_is(5, "$CC --goro-cc=clang -race main.o part.o -o p && ./p"));
}

Test(objects, instrumented_object_without_race_is_named)
{
	cr_assert(sh_is(1, "$CC -c main.c && $CC -race -c part.c && $CC main.o part.o -o p"));
	cr_assert(err_has("goro-cc: error: part.o was compiled with -race"));
	cr_assert(sh_is(1, "$CC --goro-cc=clang -c main.c && $CC --goro-cc=clang -race -c part.c && $CC main.o part.o -o p"));
	cr_assert(err_has("part.o was compiled with -race"));
}

Test(objects, unchecked_object_under_race_is_named)
{
	cr_assert(sh_is(1, "$CC -race -c main.c && $CC -c part.c && $CC -race main.o part.o -o p"));
	cr_assert(err_has("goro-cc: error: part.o was compiled without -race"));
	cr_assert(sh_is(5, "$CC -race --goro-allow-mixed main.o part.o -o p && ./p"));
	/* ... also beside a source */
	cr_assert(sh_is(1, "$CC -race main.c part.o -o p"));
	cr_assert(err_has("part.o was compiled without -race"));
}

Test(objects, nothing_instrumented_under_race)
{
	cr_assert(sh_is(1, "$CC -c main.c part.c && $CC -race main.o part.o -o p"));
	cr_assert(err_has("nothing here was compiled with -race"));
	cr_assert(sh_is(1, "$CC -race --goro-allow-mixed main.o part.o -o p"));
	cr_assert(sh_is(1, "ar rc libpart.a part.o && $CC -race main.o libpart.a -o p"));
}

Test(objects, assembler_data_and_archives_are_not_meant)
{
	cr_assert(sh_is(0, "$CC -c asm.S data.c part.c && ar rc libpart.a part.o"));
	cr_assert(sh_is(5, "$CC -race main.c asm.o data.o libpart.a -o p && ./p"));
	cr_assert(sh_is(5, "$CC -race -c main.c && ar rc libmain.a main.o && $CC -race libmain.a libpart.a -o p && ./p"));
}

Test(objects, partial_links_keep_the_mark)
{
	cr_assert(sh_is(0, "$CC -race -c main.c part.c && $CC -race -r main.o part.o -o both.o && $CC --check both.o"));
	cr_assert(sh_is(5, "$CC -race both.o -o p && ./p"));
	cr_assert(sh_is(1, "$CC both.o -o p"));
	cr_assert(err_has("both.o was compiled with -race"));
}

Test(objects, shared_objects_have_no_runtime_and_work_in_a_program_that_has)
{
	cr_assert(sh_is(0, "$CC -race -shared -fPIC part.c -o libpart.so && ! nm -D --defined-only libpart.so | grep -q goro_"));
	cr_assert(sh_is(0, "nm -D libpart.so | grep -q 'U __tsan_init'"));
	cr_assert(sh_is(5, "$CC -race main.c -L. -lpart -Wl,-rpath,$PWD -o p && ./p"));
	/* Meson's habit, which plain linkers would refuse */
	cr_assert(sh_is(0, "$CC -race -shared -fPIC part.c -Wl,--no-undefined -o libstrict.so"));
	cr_assert(sh_is(0, "$CC --goro-cc=clang -race -shared -fPIC part.c -Wl,-z,defs -o libstrict2.so"));
	cr_assert(sh_is(5, "$CC -shared -fPIC part.c -o libplain.so && $CC main.c ./libplain.so -o q && ./q"));
}

/* Its constructors run before the libc registers the program's destructors, where the detector says its last words. */
Test(objects, race_in_a_linked_library_counts_at_exit)
{
	scratch_write("shared.c", "#include <pthread.h>\nint hits;\nstatic void *hit(void *a) { hits++; return a; }\n"
				  "int part(int n)\n{\n\tpthread_t a, b;\n"
				  "\tpthread_create(&a, NULL, hit, NULL);\n\tpthread_create(&b, NULL, hit, NULL);\n"
				  "\tpthread_join(a, NULL);\n\tpthread_join(b, NULL);\n\treturn n;\n}\n");
	for (int clang = 0; clang < 2; clang++) {
		setenv("GORO_CC", clang ? "clang" : "gcc", 1);
		cr_assert(sh_is(0, "$CC -race -g -shared -fPIC shared.c -o libshared.so && $CC -race main.c ./libshared.so -o p"));
		cr_assert(sh_is(66, "./p"));
		cr_assert(err_has("WARNING: DATA RACE"));
		cr_assert(err_has("Found 1 data race(s)"));
		cr_assert(sh_is(1, "GORACE=exitcode=0 ./p"));
		cr_assert(err_has("Found 1 data race(s)"));
	}
}

Test(objects, loaded_objects_find_the_detector)
{
	scratch_write("load.c", "#include <dlfcn.h>\n"
				"int main(void)\n{\n"
				"\tvoid *h = dlopen(\"./plugin.so\", RTLD_NOW);\n"
				"\tint (*f)(int) = h ? (int (*)(int))dlsym(h, \"part\") : 0;\n"
				"\treturn f ? f(2) : 99;\n}\n");
	cr_assert(sh_is(0, "$CC -race -shared -fPIC part.c -o plugin.so"));
	cr_assert(sh_is(6, "$CC -race load.c -o p && ./p"));
	cr_assert(sh_is(6, "$CC --goro-cc=clang -race load.c -o p && ./p"));
}

Test(objects, no_libtsan_in_a_race_build)
{
	cr_assert(sh_is(0, "$CC -race main.c part.c -o p && ! ldd p | grep -q tsan"));
	cr_assert(sh_is(0, "$CC -race -flto -O2 main.c part.c -o p && ! ldd p | grep -q tsan"));
	cr_assert(sh_is(0, "$CC --goro-cc=clang -race main.c part.c -o p && ! nm p | grep -q __sanitizer_internal_memcpy"));
}

Test(objects, plain_build_has_nothing_of_the_detector)
{
	cr_assert(sh_is(0, "$CC main.c part.c -o p && ! nm p | grep -qE '__tsan|hook_|race_ginfo'"));
}

Test(objects, lto)
{
	cr_assert(sh_is(5, "$CC -race -flto -O2 -c main.c part.c && $CC -race -flto -O2 main.o part.o -o p && ./p"));
	cr_assert(sh_is(0, "objdump -d p | grep -q 'call.*__tsan_'"));
	cr_assert(sh_is(5, "$CC -race main.o part.o -o p && ./p"));
	cr_assert(sh_is(0, "objdump -d p | grep -q 'call.*__tsan_'"));
	/* forgetting -race at the link must not pass */
	cr_assert(sh_is(1, "$CC -flto -O2 main.o part.o -o p"));
	cr_assert(err_has("was compiled with -race"));
	cr_assert(sh_is(5, "$CC --goro-cc=clang -race -flto -O2 -c main.c part.c && "
			   "$CC --goro-cc=clang -race -flto -fuse-ld=lld main.o part.o -o p && ./p"));
	cr_assert(sh_is(1, "$CC --goro-cc=clang -flto -fuse-ld=lld main.o part.o -o p"));
	cr_assert(err_has("was compiled with -race"));
}

Test(objects, sanitizers_exclude_race)
{
	static const char *const names[] = {"address", "memory", "leak", "thread", "hwaddress",
	    "undefined,address"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		cr_expect(sh_is(1, "$CC -race -fsanitize=%s -c main.c", names[i]));
		cr_expect(err_has("goro-cc: error: -race and -fsanitize="));
		cr_expect_null(strchr(strchr(last_run()->err, '\n') + 1, '\n'), "one line");
	}
	cr_assert(sh_is(0, "$CC -race -fsanitize=address -fno-sanitize=address -c main.c"));
	cr_assert(sh_is(0, "$CC -race -fsanitize=undefined -c main.c"));
	cr_assert(sh_is(0, "$CC -norace -fsanitize=address -c main.c"));
}

Test(objects, static_race_is_refused_in_one_line)
{
	cr_assert(sh_is(1, "$CC -race -static main.c part.c -o p"));
	cr_assert(err_has("leave out -static"));
}

Test(objects, missing_runtime_is_said)
{
	cr_assert(sh_is(1, "$CC --goro-dir=$PWD main.c part.c -o p"));
	cr_assert(err_has("libgoro.a"));
	cr_assert(sh_is(1, "GORO_DIR=$PWD $CC -race main.c part.c -o p"));
	cr_assert(err_has("libgoro-race.a"));
	cr_assert(sh_is(0, "$CC --goro-dir=$PWD -c main.c"));
}

Test(objects, check_tells_stripped_and_foreign_files)
{
	cr_assert(sh_is(0, "$CC -race main.c part.c -o p && strip p && $CC --check p"));
	cr_assert(sh_is(0, "$CC -race -Wl,--gc-sections main.c part.c -o p && $CC --check p"));
	cr_assert(sh_is(1, "$CC --check /bin/sh"));
	cr_assert(sh_is(2, "$CC --check main.c"));
	cr_assert(err_has("main.c: not an ELF file"));
	cr_assert(sh_is(2, "$CC --check nothing.o"));
	cr_assert(err_has("No such file"));
	cr_assert(sh_is(1, "$CC --check"));
	/* cut short anywhere, it is told without a crash */
	cr_assert(sh_is(0, "$CC -race -c part.c; n=$(stat -c %%s part.o); for i in $(seq 1 97 $n); do "
			   "head -c $i part.o >cut.o; $CC --check cut.o >/dev/null 2>&1; test $? -le 2 || exit 9; "
			   "$CC -c cut.o 2>/dev/null; done; true"));
}

Test(objects, own_functions_of_any_name_stay_the_programs)
{
	scratch_write("names.c", "#include <goro.h>\n"
				 "int park(void) { return 1; } int ready(void) { return 2; } int fatal(void) { return 3; }\n"
				 "int panic(void) { return 4; } int lock_slow(void) { return 5; } int throw(void) { return 6; }\n"
				 "int print_fd(void) { return 7; } int g_current(void) { return 8; }\n"
				 "static void f(int *p) { *p = 36; }\n"
				 "int main(void) { int n = 0; goro_waitgroup wg = {0}; (void)wg; f(&n);\n"
				 "\treturn n - park() - ready() - fatal() - panic() - lock_slow() - throw() - print_fd() - "
				 "g_current(); }\n");
	cr_assert(sh_is(0, "$CC names.c -o p && ./p"));
	cr_assert(sh_is(0, "$CC -race names.c -o p && ./p"));
}
