/*
 * dlopen_test.c: a library that comes by dlopen uses goro and blocks in libc calls like the program itself; and dlerror's text is
 * there when it is printed. And so does a library that knows nothing of goro, linked or opened.
 */
#include <criterion/criterion.h>

#include "support/scratch.h"

static const char lib[] =
    "#include <goro.h>\n#include <unistd.h>\n"
    "static int fd[2];\n"
    "static void reads(chan(int) c) { char b = 0; chan_send(c, read(fd[0], &b, 1) == 1 ? b : -1); }\n"
    "int plugin(void)\n{\n"
    "	chan(int) c = chan_make(int);\n"
    "	if (pipe(fd)) return 1;\n"
    "	go(reads, c);\n"
    "	for (int i = 0; i < 50; i++) goro_gosched();\n" /* one P: its read gives it away */
    "	if (write(fd[1], \"x\", 1) != 1) return 2;\n"
    "	return chan_recv(c) != 'x';\n}\n";

static const char host[] =
    "#include <goro.h>\n#include <dlfcn.h>\n#include <stdio.h>\n"
    "int main(int argc, char **argv)\n{\n"
    "	void *h = dlopen(argv[1], RTLD_NOW);\n"
    "	if (!h) { puts(dlerror()); return 9; }\n"
    "	int (*f)(void) = (int (*)(void))dlsym(h, \"plugin\");\n"
    "	return argc == 2 && f ? f() : 8;\n}\n";

static void try_it(const char *cc)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	scratch_write("lib.c", lib);
	scratch_write("host.c", host);
	for (int race = 0; race < 2; race++) {
		const char *r = race ? "-race" : "";
		cr_assert(sh_is(0, "$CC --goro-cc=%s %s -g -fPIC -shared lib.c -o lib.so && $CC --goro-cc=%s %s -g host.c -o host", cc, r, cc, r));
		cr_assert(sh_is(0, "GOMAXPROCS=1 timeout 20 ./host ./lib.so"));
		cr_assert(sh_is(9, "./host ./nothing.so"));
		cr_assert(out_has("./nothing.so: cannot open shared object file"));
	}
}

Test(dlopen, a_library_uses_goro_gcc, .timeout = 120) { try_it("gcc"); }
Test(dlopen, a_library_uses_goro_clang, .timeout = 120) { try_it("clang"); }

/* ---- a library that others built ---- */

static const char plain[] =
    "#include <stdio.h>\n#include <unistd.h>\n"
    "int reads(int fd) { char c = 0; return read(fd, &c, 1) == 1 ? c : -1; }\n"
    "int gets_line(int fd) { char s[8]; FILE *f = fdopen(dup(fd), \"r\"); int c = fgets(s, sizeof s, f) ? s[0] : -1; "
    "fclose(f); return c; }\n";

/* A goroutine in a call that goro knows is "[syscall]"; in one that it does not know it would be "[running]". */
static const char caller[] =
    "#include <goro.h>\n#include <dlfcn.h>\n#include <stdio.h>\n#include <string.h>\n#include <unistd.h>\n"
    "int reads(int fd), gets_line(int fd);\n"
    "static int fd[2], text[2];\n"
    "static char dump[1 << 16];\n"
    "static void calls(int (*f)(int), chan(int) c) { chan_send(c, f(fd[0])); }\n"
    "static int check(int (*f)(int))\n{\n"
    "	if (pipe(fd) || pipe(text)) return 1;\n"
    "	chan(int) c = chan_make(int, 1);\n"
    "	go(calls, f, c);\n"
    "	do {\n" /* one P: we come back from here only if it is given away */
    "		goro_gosched();\n"
    "		goro_traceback(text[1], true);\n"
    "		dump[read(text[0], dump, sizeof dump - 1)] = 0;\n"
    "	} while (!strstr(dump, \"[syscall]\"));\n"
    "	if (chan_len(c)) return 2;\n"
    "	if (write(fd[1], \"x\\n\", 2) != 2) return 3;\n"
    "	return chan_recv(c) == 'x' ? 0 : 4;\n}\n"
    "int main(int argc, char **argv)\n{\n"
    "#ifdef LINKED\n"
    "	return check(reads) || (!goro_race_enabled() && check(gets_line));\n"
    "#else\n"
    "	void *h = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);\n"
    "	return !h || check((int (*)(int))dlsym(h, \"reads\")) ||\n"
    "	       (!goro_race_enabled() && check((int (*)(int))dlsym(h, \"gets_line\")));\n"
    "#endif\n}\n";

/* Streams under -race: docs/runtime.md. */
static void beside_a_library(bool linked)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	scratch_write("plain.c", plain);
	scratch_write("caller.c", caller);
	cr_assert(sh_is(0, "gcc -O2 -fPIC -shared plain.c -o libplain.so"));
	for (int race = 0; race < 2; race++) {
		const char *r = race ? "-race" : "";
		if (linked)
			cr_assert(sh_is(0, "$CC %s -g -DLINKED caller.c -L. -lplain -Wl,-rpath,. -o caller", r));
		else
			cr_assert(sh_is(0, "$CC %s -g caller.c -o caller", r));
		cr_assert(sh_is(0, "GOMAXPROCS=1 timeout 20 ./caller ./libplain.so"));
	}
}

Test(dlopen, a_linked_library_of_others_blocks_nobody, .timeout = 120) { beside_a_library(true); }
Test(dlopen, an_opened_library_of_others_blocks_nobody, .timeout = 120) { beside_a_library(false); }
