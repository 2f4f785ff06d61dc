/*
 * flags_test.c: goro-cc as a drop-in cc: what it passes on, what it adds, what it answers itself.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/scratch.h"

static const char *const hello = "#include <stdio.h>\n"
				 "int counter;\n"
				 "int main(int argc, char **argv)\n"
				 "{\n"
				 "\t(void)argv;\n"
				 "\tcounter += argc;\n"
				 "\tprintf(\"hello %d\\n\", counter);\n"
				 "\treturn 3;\n"
				 "}\n";

static void enter(void)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	scratch_write("hello.c", hello);
	scratch_write("one.c", "int one(void) { return 1; }\n");
	scratch_write("two.c", "int one(void);\nint main(void) { return one() + 1; }\n");
}

TestSuite(flags, .init = enter);

/* ---- passing on ---- */

Test(flags, unknown_flags_go_through_in_order)
{
	cr_assert(sh_is(0, "$CC --goro-show -DA=1 -UA -Iinc -Wextra -O1 hello.c -Lx -lm -Wl,-O1 "
			   "-Xlinker -O2 -o p"));
	cr_assert(out_has("-DA=1 -UA -Iinc -Wextra -O1 hello.c -Lx -lm -Wl,-O1 -Xlinker -O2 -o p"));
}

Test(flags, own_flags_do_not_reach_the_host)
{
	cr_assert(sh_is(0, "$CC --goro-show -race --goro-cc=gcc --goro-dir=$B --goro-allow-mixed -norace "
			   "-c hello.c"));
	cr_assert_null(strstr(last_run()->out, "--goro"));
	cr_assert_null(strstr(last_run()->out, "race "));
	cr_assert_null(strstr(last_run()->out, "sanitize"));
}

Test(flags, last_of_race_and_norace_counts)
{
	cr_assert(sh_is(0, "$CC --goro-show -norace -race -c hello.c"));
	cr_assert(out_has("-fsanitize=thread"));
	cr_assert(sh_is(0, "$CC --goro-show -race -norace -c hello.c"));
	cr_assert_null(strstr(last_run()->out, "-fsanitize=thread"));
}

Test(flags, show_quotes_for_the_shell)
{
	scratch_write("with space.c", hello);
	cr_assert(sh_is(0, "$CC --goro-show -DS='\"a b\"' -DQ=\"it's\" 'with space.c' -o 'out file'"));
	cr_assert(sh_is(0, "sh -c \"$($CC --goro-show -DS='\"a b\"' -DQ=\"it's\" 'with space.c' "
			   "-o 'out file')\" && test -x 'out file'"));
}

Test(flags, exit_status_and_messages_are_the_hosts)
{
	scratch_write("bad.c", "int main(void) { return x; }\n");
	cr_assert(sh_is(0, "gcc -c bad.c 2>host; $CC --goro-cc=gcc -c bad.c 2>ours; "
			   "test $? = 1 && diff host ours"));
	cr_assert(sh_is(1, "$CC missing.c -o p"));
	cr_assert(err_has("missing.c: No such file or directory"));
	cr_assert(sh_is(1, "$CC -c missing.o -race -o p missing2.c"));
	cr_assert(sh_is(1, "$CC"));
	cr_assert(err_has("no input files"));
}

Test(flags, response_files)
{
	scratch_write("args", "-DX='a b' \"-DY=1\"\n-c hello.c\n -o re\\sp.o");
	cr_assert(sh_is(0, "$CC @args && test -f resp.o"));
	/* Goro's own flags inside one work as well. */
	scratch_write("race.args", "-race -c 'hello.c' @more");
	scratch_write("more", "-o raced.o --goro-cc=gcc");
	cr_assert(sh_is(0, "$CC @race.args && $CC --check raced.o"));
	cr_assert(out_has("instrumented (compiled with -race)"));
	cr_assert(sh_is(0, "$CC --check resp.o || test $? = 1"));
	/* A name that is no readable file stays as it is. */
	cr_assert(sh_is(0, "$CC --goro-show @nothing -c hello.c"));
	cr_assert(out_has("@nothing"));
}

Test(flags, response_file_that_names_itself_ends)
{
	scratch_write("loop", "@loop -c hello.c");
	cr_assert(sh_is(0, "$CC --goro-show -c hello.c @loop"));
}

Test(flags, values_are_not_inputs)
{
	/* None of these names is a file to link: no runtime is added. */
	cr_assert(sh_is(0, "$CC --goro-show -o out.o -I dir.c -D X -MF deps.d -include pre.h "
			   "-Xlinker a.o -T script.ld --param a=1 -u sym -z now -isystem s.c --sysroot r"));
	cr_assert_null(strstr(last_run()->out, "libgoro"));
}

/* ---- forms of compilation ---- */

Test(flags, compile_only_forms_get_no_runtime)
{
	static const char *const forms[] = {"-c hello.c", "-S hello.c", "-E hello.c", "-M hello.c",
	    "-MM hello.c", "-fsyntax-only hello.c", "-r one.c -o r.o", "-nostdlib -no-pie -Wl,-r one.c -o r.o", "-c -x c hello.c",
	    "-E -dM -xc /dev/null", "-shared -fPIC one.c -o libone.so"};

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		cr_assert(sh_is(0, "$CC --goro-show %s", forms[i]));
		cr_assert_null(strstr(last_run()->out, "libgoro"), "%s", forms[i]);
		cr_assert(sh_is(0, "$CC %s >/dev/null", forms[i]), "%s", forms[i]);
		cr_assert(sh_is(0, "$CC -race %s >/dev/null", forms[i]), "-race %s", forms[i]);
	}
}

Test(flags, links_get_the_runtime_last)
{
	cr_assert(sh_is(0, "$CC --goro-show hello.c -lm -o p"));
	cr_assert(out_has("hello.c -lm -o p"));
	cr_assert(out_has("-Wl,--wrap=main"));
	cr_assert(out_has("/lib/libgoro.a"));
	cr_assert(sh_is(0, "$CC --goro-show -race hello.c -o p"));
	cr_assert(out_has("/lib/libgoro-race.a"));
	cr_assert(sh_is(0, "$CC --goro-show -nostdlib hello.o -o p"));
	cr_assert_null(strstr(last_run()->out, "libgoro"));
}

Test(flags, a_language_in_effect_does_not_swallow_the_runtime)
{
	cr_assert(sh_is(3, "$CC -o p -x c - <hello.c && ./p"));
	cr_assert(out_has("hello 1"));
	cr_assert(sh_is(3, "cp hello.c hello.txt; $CC -xc hello.txt -o p && ./p"));
	cr_assert(sh_is(3, "cp hello.c hello.txt; $CC -race --goro-cc=clang -x c hello.txt -o p && ./p"));
}

Test(flags, stdin_and_many_inputs)
{
	cr_assert(sh_is(2, "$CC one.c two.c -o p && ./p"));
	cr_assert(sh_is(2, "$CC -race one.c two.c -o p && ./p"));
	cr_assert(sh_is(2, "$CC -c one.c two.c && $CC one.o two.o -o p && ./p"));
	cr_assert(sh_is(2, "$CC -c one.c && $CC two.c one.o -o p && ./p"));
	cr_assert(sh_is(0, "echo 'int x;' | $CC -c -xc - -o in.o && test -f in.o"));
}

Test(flags, pie_and_no_pie_and_optimisations)
{
	static const char *const forms[] = {"-pie -fPIE", "-no-pie", "-O0", "-O3 -march=native", "-Os -g3",
	    "-fPIC -std=c99 -pedantic", "-std=gnu2x", "-flto -O2", "-ffunction-sections -Wl,--gc-sections",
	    "-fuse-ld=gold", "-fuse-ld=lld", "-Wl,--as-needed", "-fsanitize=undefined", "-pthread -g -ggdb",
	    "-D_FORTIFY_SOURCE=2 -O2", "-fvisibility=hidden", "-Wall -Wextra -Werror"};

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		cr_expect(sh_is(3, "$CC %s hello.c -o p && ./p", forms[i]), "%s", forms[i]);
		cr_expect(sh_is(3, "$CC -race %s hello.c -o p && ./p", forms[i]), "-race %s", forms[i]);
	}
}

Test(flags, dependency_files_and_temporaries_are_named_as_ever)
{
	cr_assert(sh_is(0, "$CC -race -MD hello.c -o p; ls >ours; mkdir h; cd h; cp ../hello.c .; "
			   "gcc -MD hello.c -o p; ls | grep d$ | while read f; do test -f ../$f || exit 1; done"));
	cr_assert(sh_is(0, "$CC -race -MMD -MF x.dep -MT y -c hello.c && grep -q ^y: x.dep"));
	cr_assert(sh_is(0, "$CC -race -save-temps -c hello.c && test -f hello.i && test -f hello.s"));
	cr_assert(sh_is(0, "$CC -race -gsplit-dwarf -c hello.c && test -f hello.dwo"));
}

Test(flags, assembler_sources)
{
	scratch_write("f.S", "#ifdef __GORO_RACE__\n#define V 1\n#else\n#define V 2\n#endif\n.globl f\nf: mov "
			     "$V, %eax\n ret\n.section .note.GNU-stack\n");
	scratch_write("g.s", ".globl g\ng: ret\n.section .note.GNU-stack\n");
	scratch_write("m.c", "int f(void), g(void); int main(void) { g(); return f(); }\n");
	cr_assert(sh_is(2, "$CC -Werror m.c f.S g.s -o p && ./p"));
	cr_assert(sh_is(1, "$CC -race m.c f.S g.s -o p && ./p"));
	cr_assert(sh_is(1, "$CC -race -c f.S && $CC -race -c g.s && $CC -race m.c f.o g.o -o p && ./p"));
	cr_assert(sh_is(1, "$CC --goro-cc=clang -Werror -race -c f.S && $CC --goro-cc=clang -Werror -race -c g.s "
			   "&& $CC -race m.c f.o g.o -o p && ./p"));
}

Test(flags, precompiled_headers)
{
	scratch_write("pre.h", "#define ANSWER 42\n");
	scratch_write("use.c", "#include \"pre.h\"\nint main(void) { return ANSWER; }\n");
	cr_assert(sh_is(0, "$CC pre.h && test -f pre.h.gch"));
	cr_assert(sh_is(42, "$CC use.c -o p && ./p"));
	cr_assert(sh_is(42, "$CC -race pre.h && $CC -race use.c -o p && ./p"));
}

Test(flags, clang_as_host_warns_of_nothing)
{
	static const char *const lines[] = {"-c hello.c", "hello.c -o p", "-E hello.c -o x.i", "-MM hello.c",
	    "hello.o -o p", "-S hello.c -o x.s"};

	cr_assert(sh_is(0, "$CC --goro-cc=clang -race -c hello.c"));
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		cr_expect(sh_is(0, "$CC --goro-cc=clang -Werror -Wall -race %s", lines[i]), "%s", lines[i]);
		cr_expect_str_empty(last_run()->err, "%s", lines[i]);
	}
	cr_assert(sh_is(0, "$CC --goro-cc=clang -c hello.c"));
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		cr_expect(sh_is(0, "$CC --goro-cc=clang -Werror -Wall %s", lines[i]), "%s", lines[i]);
		cr_expect_str_empty(last_run()->err, "%s", lines[i]);
	}
}

/* ---- questions ---- */

Test(flags, answers_are_the_hosts)
{
	static const char *const asks[] = {"--version", "-dumpversion", "-dumpmachine", "-dumpfullversion",
	    "-print-search-dirs", "-print-prog-name=ld", "-print-file-name=libc.so", "-print-libgcc-file-name",
	    "-print-multi-os-directory", "-E -dM -x c /dev/null", "-Wl,--version", "-dumpspecs", "--help"};

	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
		cr_expect(sh_is(0, "gcc %s >host 2>/dev/null; $CC --goro-cc=gcc %s >ours 2>/dev/null; cmp host ours",
			      asks[i], asks[i]),
		    "%s", asks[i]);
	cr_assert(sh_is(0, "clang --version >host; $CC --goro-cc=clang --version >ours; cmp host ours"));
	/* autoconf asks in vain, quietly for us */
	cr_assert(sh_is(1, "$CC -V"));
	cr_assert(sh_is(1, "$CC -qversion"));
	cr_assert(sh_is(0, "$CC -v 2>&1 | grep -q 'gcc version'"));
	cr_assert(sh_is(0, "$CC -### hello.c -o never 2>&1 | grep -q libgoro.a && test ! -e never"));
	cr_assert(sh_is(0, "$CC -race -v hello.c -o p 2>&1 | grep -q libgoro-race.a"));
}

Test(flags, own_questions)
{
	cr_assert(sh_is(0, "$CC --goro-version"));
	cr_assert(out_has("goro "));
	cr_assert(sh_is(0, "$CC --goro-help"));
	cr_assert(out_has("--goro-allow-mixed"));
	cr_assert(sh_is(1, "$CC --goro-nonsense hello.c"));
	cr_assert(err_has("goro-cc: error: unknown flag --goro-nonsense"));
}

Test(flags, macro_is_defined_under_race)
{
	cr_assert(sh_is(0, "$CC -race -E -dM -x c /dev/null | grep -q '__GORO_RACE__ 1'"));
	cr_assert(sh_is(0, "! $CC -E -dM -x c /dev/null | grep -q __GORO_RACE__"));
	cr_assert(sh_is(0, "$CC --goro-cc=clang -race -E -dM -x c /dev/null | grep -q '__GORO_RACE__ 1'"));
	cr_assert(sh_is(0, "$CXX -race -E -dM -x c++ /dev/null | grep -q '__GORO_RACE__ 1'"));
	cr_assert(sh_is(0, "$CC -race -E -dM -x c /dev/null | grep -q '__SANITIZE_THREAD__ 1'"));
}

Test(flags, header_is_found_and_the_programs_own_comes_first)
{
	scratch_write("use.c", "#include <goro.h>\nconst char *v = GORO_VERSION;\n");
	cr_assert(sh_is(0, "$CC -Wall -Wextra -Werror -pedantic -c use.c"));
	cr_assert(sh_is(0, "$CC --goro-cc=clang -Wall -Wextra -Werror -c use.c"));
	scratch_write("own/goro.h", "#define GORO_VERSION \"mine\"\n");
	cr_assert(sh_is(0, "$CC -Iown -E use.c | grep -q '\"mine\"'"));
}

/* ---- the host ---- */

Test(flags, host_by_flag_environment_and_default)
{
	cr_assert(sh_is(0, "$CC --goro-cc=clang-14 --goro-show -c hello.c || $CC --goro-cc=clang --goro-show -c hello.c"));
	cr_assert(out_has("clang"));
	cr_assert(sh_is(0, "GORO_CC=clang $CC --goro-show -c hello.c"));
	cr_assert(out_has("/clang "));
	cr_assert(sh_is(0, "GORO_CC=clang $CC --goro-cc=gcc --goro-show -c hello.c"));
	cr_assert(out_has("/gcc "));
	cr_assert(sh_is(0, "$CC --goro-show -c hello.c"));
	cr_assert(out_has("/gcc "));
}

Test(flags, host_for_cxx_follows_the_host_for_c)
{
	cr_assert(sh_is(0, "$CXX --goro-show -c x.cc"));
	cr_assert(out_has("/g++ "));
	cr_assert(sh_is(0, "GORO_CC=clang $CXX --goro-show -c x.cc"));
	cr_assert(out_has("/clang++ "));
	cr_assert(sh_is(0, "GORO_CC=gcc GORO_CXX=clang++ $CXX --goro-show -c x.cc"));
	cr_assert(out_has("/clang++ "));
	cr_assert(sh_is(0, "$CXX --goro-cc=gcc-12 --goro-show -c x.cc || $CXX --goro-cc=gcc --goro-show -c x.cc"));
	cr_assert(out_has("/g++"));
}

Test(flags, host_that_is_missing_is_named)
{
	cr_assert(sh_is(1, "$CC --goro-cc=no-such-cc -c hello.c"));
	cr_assert(err_has("goro-cc: error: host compiler 'no-such-cc' (--goro-cc) not found"));
	cr_assert(sh_is(1, "GORO_CC=/nowhere/gcc $CC -c hello.c"));
	cr_assert(err_has("'/nowhere/gcc' (GORO_CC)"));
	cr_assert(sh_is(1, "PATH=/nowhere $CC -c hello.c"));
	cr_assert(err_has("no host compiler"));
}

Test(flags, host_may_be_a_wrapper_with_words)
{
	scratch_write("wrap", "#!/bin/sh\necho wrapped >>log\nexec \"$@\"\n");
	cr_assert(sh_is(3, "chmod +x wrap; GORO_CC='./wrap gcc' $CC hello.c -o p && ./p"));
	cr_assert(sh_is(0, "grep -q wrapped log"));
	cr_assert(sh_is(3, "GORO_CC='./wrap clang' $CC -race hello.c -o p && ./p"));
}

Test(flags, a_cc_that_is_goro_cc_itself_is_passed_over)
{
	cr_assert(sh_is(0, "mkdir bin; ln -s $CC bin/gcc; ln -s $CC bin/cc; PATH=$PWD/bin:$PATH $CC -dumpmachine"));
	cr_assert(sh_is(3, "PATH=$PWD/bin:$PATH cc hello.c -o p && ./p"));
}

Test(flags, unnamed_host_is_asked_what_it_is)
{
	cr_assert(sh_is(0, "ln -s $(command -v clang) compiler; $CC --goro-cc=./compiler --goro-show -race -c hello.c"));
	cr_assert_null(strstr(last_run()->out, "-fno-builtin-memcpy"));
	cr_assert(sh_is(0, "ln -s $(command -v gcc) other; $CC --goro-cc=./other --goro-show -race -c hello.c"));
	cr_assert(out_has("-fno-builtin-memcpy"));
}

/* ---- what instrumentation must not lose ---- */

Test(flags, no_libc_call_dissolves_unseen)
{
	static const char *const hosts[] = {"gcc", "clang"};
	static const char *const levels[] = {"-O0", "-O1", "-O2", "-O3", "-Os", "-O2 -D_FORTIFY_SOURCE=2"};

	/* For each f_*, one relocation that is neither its own prologue nor epilogue. */
	scratch_write("seen.awk",
	    "/^[0-9a-f]+ <f_/ { if (name && !seen) print name; name = $2; seen = 0 }\n"
	    "/R_X86_64_(PLT32|PC32|GOTPCRELX|REX_GOTPCRELX)/ && !/__tsan_func_e|\\.rodata|\\.LC/ { seen = 1 }\n"
	    "/jmp .*<f_/ { seen = 1 }\n"
	    "END { if (name && !seen) print name }\n");
	for (size_t h = 0; h < 2; h++) {
		for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
			cr_assert(sh_is(0, "$CC --goro-cc=%s -w -D_GNU_SOURCE -race %s -c $S/tests/driver/builtins.c "
					   "-o b.o && objdump -dr b.o | awk -f seen.awk",
			    hosts[h], levels[i]));
			cr_expect_str_empty(last_run()->out, "%s %s: %s", hosts[h], levels[i], last_run()->out);
		}
	}
}
