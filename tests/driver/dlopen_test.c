/*
 * dlopen_test.c: a library that comes by dlopen uses goro and blocks in libc calls like the program itself; and dlerror's text is
 * there when it is printed.
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
