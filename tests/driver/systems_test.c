/*
 * systems_test.c: goro-cc under CMake, Meson and autoconf, without it by pkg-config, installed and moved.
 *
 * Each build system makes one small project (a program, a static and a shared library, C and C++) plain and
 * with -race, told in no other way than a user would. Installing takes what is built (-o all): a test must not
 * rebuild what the others are using.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../support/scratch.h"

/* The program answers 7 and uses goroutines, a static library and, from C++, a shared one. */
static void project(void)
{
	scratch_write("src/main.c", "#include <goro.h>\n#include \"part.h\"\n"
				    "static void answer(chan(int) c) { chan_send(c, part(3)); }\n"
				    "int main(void)\n{\n"
				    "\tchan(int) c = chan_make(int);\n"
				    "\tgo(answer, c);\n"
				    "\tint n = chan_recv(c);\n"
				    "\tchan_free(c);\n"
				    "\treturn n + shared();\n}\n");
	scratch_write("src/part.h", "int part(int);\nint shared(void);\n");
	scratch_write("src/part.c", "#include \"part.h\"\nint part(int n) { return n + 1; }\n");
	scratch_write("src/shared.c", "#include \"part.h\"\nstatic int three = 3;\nint shared(void) { return three; }\n");
	scratch_write("src/cxx.cc", "#include <goro.h>\n#include <thread>\n#include <vector>\n"
				    "int main()\n{\n\tstd::vector<int> v;\n\tstd::thread t([&] { v.push_back(7); });\n"
				    "\tt.join();\n\treturn v[0];\n}\n");
}

static void enter(void)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	project();
}

TestSuite(systems, .init = enter, .timeout = 240);

static void both_ways(const char *configure, const char *build, const char *dir)
{
	for (int race = 0; race < 2; race++) {
		setenv("FLAG", race ? "-race" : "", 1);
		setenv("D", race ? "race" : "plain", 1);
		cr_assert(sh_is(0, "%s", configure));
		cr_assert(sh_is(0, "%s", build));
		cr_assert(sh_is(7, "cd $D/%s && timeout 20 ./prog", dir));
		cr_assert(sh_is(7, "cd $D/%s && timeout 20 ./cxxprog", dir));
		cr_assert(sh_is(race ? 0 : 1, "cd $D/%s && $CC --check prog", dir));
		cr_assert(sh_is(race ? 0 : 1, "cd $D/%s && $CC --check cxxprog", dir));
	}
}

static const char *const cmake_lists = "cmake_minimum_required(VERSION 3.13)\n"
				       "project(demo C CXX)\n"
				       "set(CMAKE_CXX_STANDARD 17)\n"
				       "include(CheckFunctionExists)\n"
				       "include(CheckCSourceCompiles)\n"
				       "check_function_exists(malloc HAVE_MALLOC)\n"
				       "check_function_exists(no_such_function HAVE_NONE)\n"
				       "if(NOT HAVE_MALLOC OR HAVE_NONE)\n"
				       "  message(FATAL_ERROR \"probes lie\")\n"
				       "endif()\n"
				       "find_package(Threads REQUIRED)\n"
				       "add_library(part STATIC src/part.c)\n"
				       "add_library(sh SHARED src/shared.c)\n"
				       "add_executable(prog src/main.c)\n"
				       "target_link_libraries(prog part sh Threads::Threads)\n"
				       "add_executable(cxxprog src/cxx.cc)\n"
				       "target_link_libraries(cxxprog Threads::Threads)\n";

Test(systems, cmake_make)
{
	scratch_write("CMakeLists.txt", cmake_lists);
	both_ways("cmake -S . -B $D -DCMAKE_C_COMPILER=$CC -DCMAKE_CXX_COMPILER=$CXX -DCMAKE_C_FLAGS=\"$FLAG\" "
		  "-DCMAKE_CXX_FLAGS=\"$FLAG\"",
	    "cmake --build $D", ".");
	cr_assert(sh_is(0, "grep -rq 'CMAKE_C_COMPILER_ID \"GNU\"' plain/CMakeFiles/*/CMakeCCompiler.cmake"));
}

Test(systems, cmake_ninja_environment_and_response_files)
{
	scratch_write("CMakeLists.txt", cmake_lists);
	both_ways("CFLAGS=$FLAG CXXFLAGS=$FLAG LDFLAGS=$FLAG GORO_CC=clang cmake -G Ninja -S . -B $D "
		  "-DCMAKE_NINJA_FORCE_RESPONSE_FILE=1 -DCMAKE_BUILD_TYPE=RelWithDebInfo",
	    "GORO_CC=clang cmake --build $D", ".");
	cr_assert(sh_is(0, "grep -rq 'CMAKE_C_COMPILER_ID \"Clang\"' plain/CMakeFiles/*/CMakeCCompiler.cmake"));
}

static const char *const meson_build = "project('demo', 'c', 'cpp', default_options : ['cpp_std=c++17'])\n"
				       "cc = meson.get_compiler('c')\n"
				       "assert(cc.has_function('malloc'))\n"
				       "assert(not cc.has_function('no_such_function'))\n"
				       "assert(cc.sizeof('void *') == 8)\n"
				       "part = static_library('part', 'src/part.c')\n"
				       "sh = shared_library('sh', 'src/shared.c')\n"
				       "executable('prog', 'src/main.c', link_with : [part, sh])\n"
				       "executable('cxxprog', 'src/cxx.cc', dependencies : dependency('threads'))\n";

Test(systems, meson)
{
	scratch_write("meson.build", meson_build);
	both_ways("CFLAGS=$FLAG CXXFLAGS=$FLAG LDFLAGS=$FLAG meson setup $D", "ninja -C $D", ".");
}

Test(systems, meson_clang_arguments)
{
	scratch_write("meson.build", meson_build);
	both_ways("GORO_CC=clang meson setup $D -Dbuildtype=release ${FLAG:+-Dc_args=$FLAG -Dcpp_args=$FLAG "
		  "-Dc_link_args=$FLAG -Dcpp_link_args=$FLAG}",
	    "GORO_CC=clang ninja -C $D", ".");
}

Test(systems, autoconf_automake)
{
	scratch_write("configure.ac", "AC_INIT([demo], [1])\n"
				      "AM_INIT_AUTOMAKE([foreign subdir-objects])\n"
				      "AM_PROG_AR\n"
				      "AC_PROG_CC\nAC_PROG_CXX\nAC_PROG_RANLIB\n"
				      "AC_CHECK_FUNCS([malloc no_such_function])\n"
				      "AC_CHECK_HEADERS([pthread.h goro.h])\n"
				      "AC_CHECK_SIZEOF([long])\n"
				      "AC_SEARCH_LIBS([cos], [m])\n"
				      "AC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n");
	scratch_write("Makefile.am", "noinst_LIBRARIES = libpart.a\n"
				     "libpart_a_SOURCES = src/part.c src/shared.c\n"
				     "bin_PROGRAMS = prog cxxprog\n"
				     "prog_SOURCES = src/main.c\nprog_LDADD = libpart.a\n"
				     "cxxprog_SOURCES = src/cxx.cc\n");
	cr_assert(sh_is(0, "autoreconf -i"));
	both_ways("mkdir -p $D && cd $D && ../configure CC=$CC CXX=$CXX CFLAGS=\"-g $FLAG\" CXXFLAGS=\"-g $FLAG\" "
		  "LDFLAGS=$FLAG && grep -q 'HAVE_GORO_H 1\\|HAVE_GORO_H=1' config.log && ! grep -q "
		  "'HAVE_NO_SUCH_FUNCTION 1' config.log",
	    "make -C $D", ".");
}

Test(systems, plain_make)
{
	scratch_write("Makefile", "prog: src/main.o src/part.o src/shared.o\n"
				  "\t$(CC) $(LDFLAGS) $^ -o $@\n"
				  "src/cxx.o: src/cxx.cc\n\t$(CXX) $(CXXFLAGS) -c $< -o $@\n"
				  "cxxprog: src/cxx.o\n\t$(CXX) $(LDFLAGS) $^ -o $@\n");
	both_ways("mkdir -p $D && cp -r src Makefile $D",
	    "make -C $D CC=$CC CXX=$CXX CFLAGS=$FLAG CXXFLAGS=$FLAG LDFLAGS=$FLAG prog cxxprog", ".");
}

Test(systems, compile_commands_name_the_driver)
{
	if (!have("bear"))
		cr_skip_test("bear is not installed");
	cr_assert(sh_is(0, "cd src && $CC -race -c part.c -o x.o && cd .. && bear -- $CC -race -c src/part.c && "
			   "grep -q part.c compile_commands.json"));
}

/* ---- without the driver ---- */

static void by_pkg_config(const char *cc, const char *one_step_extra)
{
	setenv("PKG_CONFIG_PATH", GORO_BUILD_DIR "/lib/pkgconfig", 1);
	setenv("HOST", cc, 1);
	cr_assert(sh_is(7, "$HOST $(pkg-config --cflags goro) src/main.c src/part.c src/shared.c -o p "
			   "$(pkg-config --libs goro) && timeout 20 ./p"));
	cr_assert(sh_is(1, "$CC --check p"));
	cr_assert(sh_is(7, "$HOST $(pkg-config --cflags goro-race) -c src/main.c src/part.c src/shared.c && "
			   "$HOST main.o part.o shared.o -o p $(pkg-config --libs goro-race) && timeout 20 ./p"));
	cr_assert(sh_is(0, "$CC --check p"));
	cr_assert(sh_is(7, "$HOST $(pkg-config --cflags goro-race) %s src/main.c src/part.c src/shared.c -o p "
			   "$(pkg-config --libs goro-race) && timeout 20 ./p",
	    one_step_extra));
	cr_assert(sh_is(0, "$CC --check p && ! ldd p | grep -q tsan"));
}

Test(systems, pkg_config_gcc)
{
	by_pkg_config("gcc", "");
}

Test(systems, pkg_config_clang)
{
	by_pkg_config("clang", "-fno-sanitize-link-runtime");
}

/* A program with a main of its own in plain threads, which embeds goro without --wrap=main. */
Test(systems, embedding_needs_no_wrapped_main)
{
	scratch_write("embed.c", "#include <goro.h>\n"
				 "static int inside(void *p) { (void)p; return goro_id() ? 7 : 1; }\n"
				 "int main(void) { return goro_id() ? 2 : goro_run(inside, 0); }\n");
	cr_assert(sh_is(7, "gcc -I$B/include embed.c $B/lib/libgoro.a -lunwind -ldw -lelf -o p && timeout 20 ./p"));
}

Test(systems, main_in_an_archive)
{
	cr_assert(sh_is(7, "$CC -c src/*.c && ar rc libmain.a main.o part.o shared.o && "
			   "$CC libmain.a -o p && timeout 20 ./p"));
}

/* ---- installed ---- */

Test(systems, installed_and_moved)
{
	cr_assert(sh_is(0, "make -C $S -o all BUILD=$B install DESTDIR=$PWD/stage PREFIX=/opt/goro"));
	cr_assert(sh_is(0, "mv stage/opt/goro moved && rm -r stage"));
	cr_assert(sh_is(0, "moved/bin/goro-cc --goro-show -race src/main.c -o p"));
	cr_assert_null(strstr(last_run()->out, GORO_BUILD_DIR));
	cr_assert(sh_is(7, "moved/bin/goro-cc src/main.c src/part.c src/shared.c -o p && timeout 20 ./p"));
	cr_assert(sh_is(7, "moved/bin/goro-cc -race src/main.c src/part.c src/shared.c -o p && timeout 20 ./p"));
	cr_assert(sh_is(7, "moved/bin/goro-c++ -race src/cxx.cc -o p && timeout 20 ./p"));
	setenv("PKG_CONFIG_PATH", "moved/lib/pkgconfig", 1);
	cr_assert(sh_is(7, "gcc $(pkg-config --cflags goro-race) src/main.c src/part.c src/shared.c -o p "
			   "$(pkg-config --libs goro-race) && timeout 20 ./p"));
	cr_assert(sh_is(0, "test -f moved/share/man/man1/goro-cc.1"));
	/* through a link elsewhere in PATH */
	cr_assert(sh_is(7, "mkdir bin && ln -s $PWD/moved/bin/goro-cc bin/goro-cc && "
			   "PATH=$PWD/bin:$PATH goro-cc src/main.c src/part.c src/shared.c -o p && timeout 20 ./p"));
}

Test(systems, uninstall_leaves_nothing)
{
	cr_assert(sh_is(0, "make -C $S -o all BUILD=$B install DESTDIR=$PWD/stage && "
			   "make -C $S BUILD=$B uninstall DESTDIR=$PWD/stage"));
	cr_assert(sh_is(0, "find stage ! -type d"));
	cr_assert_str_empty(last_run()->out);
}
