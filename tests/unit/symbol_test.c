/*
 * symbol_test.c: this program's own code and data by name, then shared objects made on the spot: every
 * DWARF that gcc and clang write, split, separate, stripped, absent, and damaged.
 */
#include "../../runtime/symbol/symbol.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/run.h"

static int here_static;
int here_array[10];
enum { ARRAY_LINE = __LINE__ - 1 };

__attribute__((noinline)) static uintptr_t return_address(void)
{
	return (uintptr_t)__builtin_return_address(0);
}

static inline __attribute__((always_inline)) uintptr_t inlined_inner(void)
{
	uintptr_t pc = return_address();
	__asm__ volatile("");
	return pc;
}
enum { INNER_LINE = __LINE__ - 4 };

__attribute__((noinline)) static uintptr_t outer(void)
{
	uintptr_t pc = inlined_inner();
	__asm__ volatile("");
	return pc;
}
enum { OUTER_LINE = __LINE__ - 4 };

Test(symbol, inlined_frames_come_first)
{
	SymFrame f[8];
	int n = sym_frames(outer(), true, f, 8);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(f[0].func, "inlined_inner");
	cr_assert(f[0].inlined);
	cr_assert_str_eq(f[1].func, "outer");
	cr_assert_not(f[1].inlined);
	cr_assert(strstr(f[0].file, "symbol_test.c"));
	cr_assert_eq(f[0].line, INNER_LINE);
	cr_assert_eq(f[1].line, OUTER_LINE);
	cr_assert_gt(f[0].column, 0);
	cr_assert_eq(f[1].func_off, outer() - (uintptr_t)outer);
	cr_assert_not(f[1].own);
}

Test(symbol, max_is_kept)
{
	SymFrame f[2] = {{0}};
	f[1].line = -1;
	cr_assert_eq(sym_frames(outer(), true, f, 1), 1);
	cr_assert_str_eq(f[0].func, "inlined_inner");
	cr_assert_eq(f[1].line, -1);
	cr_assert_eq(sym_frames(outer(), true, f, 0), 0);
}

Test(symbol, goro_s_own_code_is_known)
{
	SymFrame f[8];
	int n = sym_frames((uintptr_t)sym_frames, false, f, 8);
	cr_assert_str_eq(f[n - 1].func, "sym_frames");
	cr_assert(f[n - 1].own);
}

Test(symbol, nowhere_has_no_name)
{
	SymFrame f[2];
	cr_assert_eq(sym_frames(1, false, f, 2), 1);
	cr_assert_null(f[0].func);
	cr_assert_null(f[0].module);
	cr_assert_eq(sym_frames(0, false, f, 2), 1);
	cr_assert_eq(sym_frames(UINTPTR_MAX, true, f, 2), 1);
}

Test(symbol, data_by_name_size_and_place)
{
	SymData d;
	static int in_function = 1;
	here_static = 1;
	cr_assert(sym_data((uintptr_t)&here_array[9], 1, &d));
	cr_assert_str_eq(d.name, "here_array");
	cr_assert_eq(d.start, (uintptr_t)here_array);
	cr_assert_eq(d.size, sizeof here_array);
	cr_assert_eq(d.line, ARRAY_LINE);
	cr_assert(strstr(d.file, "symbol_test.c"));
	cr_assert(sym_data((uintptr_t)&here_static, 1, &d));
	cr_assert_str_eq(d.name, "here_static");
	cr_assert(sym_data((uintptr_t)&in_function, 1, &d));
	cr_assert_str_eq(d.name, "in_function");
}

/* AddressSanitizer would keep the locals elsewhere, in a frame of its own. */
__attribute__((noinline, no_sanitize_address, no_sanitize_thread)) static void locals_by_the_frame_s_address(void)
{
	SymData d;
	volatile int first = 1, many[4] = {2};
	many[3] = first;
#if defined(__x86_64__)
	uintptr_t cfa = (uintptr_t)__builtin_frame_address(0) + 16;
#endif
	uintptr_t pc = return_address();
	cr_assert(sym_local(pc, cfa, (uintptr_t)&many[3] + 1, 1, &d));
	cr_assert_str_eq(d.name, "many");
	cr_assert_eq(d.start, (uintptr_t)many);
	cr_assert_eq(d.size, sizeof many);
	cr_assert_gt(d.line, OUTER_LINE);
	cr_assert(sym_local(pc, cfa, (uintptr_t)&first, 1, &d));
	cr_assert_str_eq(d.name, "first");
	cr_assert_not(sym_local(pc, cfa, cfa + 64, 1, &d));
}

Test(symbol, locals_by_the_frame_s_address) { locals_by_the_frame_s_address(); }

Test(symbol, stack_and_heap_are_no_data)
{
	SymData d;
	int local;
	void *block = malloc(1);
	cr_assert_not(sym_data((uintptr_t)&local, 1, &d));
	cr_assert_not(sym_data((uintptr_t)block, 1, &d));
	free(block);
}

Test(symbol, descriptors_are_kept_high)
{
	SymFrame f[2];
	sym_frames((uintptr_t)outer, false, f, 2);
	int fd = dup(0);
	cr_assert_lt(fd, 100);
	close(fd);
	for (int i = 3; i < 100; i++) {
		char link[64], to[256];
		snprintf(link, sizeof link, "/proc/self/fd/%d", i);
		ssize_t n = readlink(link, to, sizeof to - 1);
		to[n > 0 ? n : 0] = 0;
		cr_assert_not(strstr(to, "symbol_test") || strstr(to, ".so"), "%d is %s", i, to);
	}
}

/* ---- made on the spot ---- */

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/symbol_test.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void remove_dir(void)
{
	Run r;
	run_sh(&r, 10, "rm -rf %s", dir);
	run_free(&r);
}

TestSuite(made, .init = make_dir, .fini = remove_dir);

#define SOURCE                                                                                     \
	"int made_global = 7;\n"                                                                   \
	"static int hidden;\n"                                                                     \
	"static inline __attribute__((always_inline)) void *step(void)\n"                          \
	"{\n"                                                                                      \
	"\tvoid *pc;\n"                                                                            \
	"\t__asm__ volatile(\"lea 0(%%rip), %0\" : \"=r\"(pc));\n"                                 \
	"\treturn pc;\n"                                                                           \
	"}\n"                                                                                      \
	"void *made_function(void)\n"                                                              \
	"{\n"                                                                                      \
	"\thidden++;\n"                                                                            \
	"\treturn step();\n"                                                                       \
	"}\n"                                                                                      \
	"int *made_hidden(void) { return &hidden; }\n"

/* Build libmade.so with `command`, which sees $D. Load it; NULL where it cannot be loaded. */
static void *build(const char *command)
{
	char path[128];
	snprintf(path, sizeof path, "%s/made.c", dir);
	FILE *f = fopen(path, "w");
	fputs(SOURCE, f);
	fclose(f);
	Run r;
	run_sh(&r, 60, "cd %s && %s", dir, command);
	cr_assert_eq(r.code, 0, "%s: %s", command, r.err);
	run_free(&r);
	snprintf(path, sizeof path, "%s/libmade.so", dir);
	return dlopen(path, RTLD_NOW);
}

static uintptr_t made_pc(void *lib)
{
	void *(*f)(void);
	*(void **)&f = dlsym(lib, "made_function");
	return (uintptr_t)f();
}

static void has_all(const char *command)
{
	void *lib = build(command);
	cr_assert_not_null(lib);
	SymFrame f[8];
	int n = sym_frames(made_pc(lib), true, f, 8);
	cr_assert_eq(n, 2, "%s: %d frames", command, n);
	cr_assert_str_eq(f[0].func, "step");
	cr_assert_str_eq(f[0].file, "made.c", "%s", f[0].file);
	cr_assert_eq(f[0].line, 6);
	cr_assert_str_eq(f[1].func, "made_function");
	cr_assert_eq(f[1].line, 12);
	cr_assert(strstr(f[1].module, "libmade.so"));
	SymData d;
	cr_assert(sym_data((uintptr_t)dlsym(lib, "made_global") + 3, 1, &d));
	cr_assert_str_eq(d.name, "made_global");
	cr_assert_eq(d.size, 4);
	cr_assert_eq(d.line, 1);
	cr_assert_str_eq(d.file, "made.c", "%s", d.file);
	int *(*h)(void);
	*(void **)&h = dlsym(lib, "made_hidden");
	cr_assert(sym_data((uintptr_t)h(), 1, &d));
	cr_assert_str_eq(d.name, "hidden");
}

Test(made, gcc_dwarf5)
{
	has_all("gcc -g -O2 -shared -fPIC made.c -o libmade.so");
}
Test(made, gcc_dwarf4)
{
	has_all("gcc -gdwarf-4 -O2 -shared -fPIC made.c -o libmade.so");
}
Test(made, clang_dwarf5)
{
	has_all("clang -gdwarf-5 -O2 -shared -fPIC made.c -o libmade.so");
}
Test(made, clang_dwarf4)
{
	has_all("clang -gdwarf-4 -O0 -shared -fPIC made.c -o libmade.so");
}
Test(made, compressed_sections)
{
	has_all("gcc -g -gz -O2 -shared -fPIC made.c -o libmade.so");
}
Test(made, split_dwarf)
{
	has_all("gcc -g -gsplit-dwarf -O2 -shared -fPIC made.c -o libmade.so");
}
Test(made, separate_debug_file_by_link)
{
	has_all("gcc -g -O2 -shared -fPIC -Wl,--build-id=none made.c -o libmade.so && "
		"objcopy --only-keep-debug libmade.so libmade.debug && strip -g libmade.so && "
		"objcopy --add-gnu-debuglink=libmade.debug libmade.so");
}

Test(made, without_debug_information_symbols_stay)
{
	void *lib = build("gcc -O2 -shared -fPIC made.c -o libmade.so");
	SymFrame f[8];
	cr_assert_eq(sym_frames(made_pc(lib), true, f, 8), 1);
	cr_assert_str_eq(f[0].func, "made_function");
	cr_assert_null(f[0].file);
	cr_assert(strstr(f[0].module, "libmade.so"));
	SymData d;
	cr_assert(sym_data((uintptr_t)dlsym(lib, "made_global"), 1, &d));
	cr_assert_str_eq(d.name, "made_global");
	cr_assert_null(d.file);
}

Test(made, stripped_leaves_exported_names_and_offsets)
{
	void *lib = build("gcc -O2 -shared -fPIC made.c -o libmade.so && strip libmade.so");
	SymFrame f[8];
	cr_assert_eq(sym_frames(made_pc(lib), true, f, 8), 1);
	cr_assert_str_eq(f[0].func, "made_function");
	Dl_info info;
	cr_assert(dladdr((void *)made_pc(lib), &info));
	cr_assert_eq(f[0].module_off, made_pc(lib) - (uintptr_t)info.dli_fbase);
	SymData d;
	int *(*h)(void);
	*(void **)&h = dlsym(lib, "made_hidden");
	cr_assert_not(sym_data((uintptr_t)h(), 1, &d));
}

Test(made, unloaded_and_loaded_anew)
{
	SymFrame f[8];
	void *lib = build("gcc -g -O2 -shared -fPIC made.c -o libmade.so");
	uintptr_t pc = made_pc(lib);
	cr_assert_eq(sym_frames(pc, true, f, 8), 2);
	const char *name = f[0].func;
	dlclose(lib);
	cr_assert_eq(sym_frames(pc, true, f, 8), 1);
	cr_assert_null(f[0].func);
	cr_assert_str_eq(name, "step", "strings live as long as the process");
	lib = build("gcc -g -O2 -shared -fPIC made.c -o libmade.so");
	cr_assert_eq(sym_frames(made_pc(lib), true, f, 8), 2);
}

Test(made, cxx_names_are_demangled)
{
	Run r;
	run_sh(&r, 60,
	    "cd %s && echo 'namespace ns { struct C { static void *at(int) { void *pc; "
	    "__asm__ volatile(\"lea 0(%%%%rip), %%0\" : \"=r\"(pc)); return pc; } }; }"
	    "extern \"C\" void *made_function() { return ns::C::at(1); }' > made.cc && "
	    "g++ -g -O0 -shared -fPIC made.cc -o libmade.so",
	    dir);
	cr_assert_eq(r.code, 0, "%s", r.err);
	run_free(&r);
	char path[128];
	snprintf(path, sizeof path, "%s/libmade.so", dir);
	void *lib = dlopen(path, RTLD_NOW);
	cr_assert_not_null(lib);
	SymFrame f[8];
	cr_assert_eq(sym_frames(made_pc(lib), true, f, 8), 1);
	/* This test is C: a demangler is there only where something brought libstdc++. */
	bool demangler = dlsym(RTLD_DEFAULT, "__cxa_demangle") != NULL;
	cr_assert_str_eq(f[0].func, demangler ? "ns::C::at(int)" : "at", "%s", f[0].func);
}

/* Debug sections overwritten with noise: any answer will do, but there must be one. */
Test(made, damaged_dwarf_is_survived, .timeout = 120)
{
	char path[128], copy[160];
	build("gcc -g -O1 -shared -fPIC made.c -o libmade.so && "
	      "gcc -g -O1 -shared -fPIC made.c -o whole.so && "
	      "objcopy -O binary -j .debug_info --set-section-flags .debug_info=alloc whole.so info.bin");
	snprintf(path, sizeof path, "%s/whole.so", dir);
	FILE *in = fopen(path, "rb");
	static unsigned char image[1 << 20];
	size_t n = fread(image, 1, sizeof image, in);
	fclose(in);
	/* Debug sections follow the loaded ones in the file: those before are left alone. */
	Run r;
	run_sh(&r, 10, "readelf -SW %s | sed -n 's/.*\\] \\.debug_aranges *PROGBITS *[0-9a-f]* *\\([0-9a-f]*\\) .*/\\1/p'", path);
	size_t from = strtoul(r.out, NULL, 16);
	run_free(&r);
	run_sh(&r, 10, "readelf -SW %s | sed -n 's/.*\\] \\.symtab *SYMTAB *[0-9a-f]* *\\([0-9a-f]*\\) .*/\\1/p'", path);
	size_t to = strtoul(r.out, NULL, 16);
	run_free(&r);
	cr_assert(from && from < to && to < n);
	unsigned seed = 1;
	for (int round = 0; round < 150; round++) {
		static unsigned char bad[1 << 20];
		memcpy(bad, image, n);
		for (int k = 0; k <= round % 40; k++) {
			seed = seed * 1103515245 + 12345;
			size_t at = from + (seed >> 8) % (to - from);
			seed = seed * 1103515245 + 12345;
			bad[at] = (unsigned char)(seed >> 16);
		}
		snprintf(copy, sizeof copy, "%s/bad%d.so", dir, round);
		FILE *out = fopen(copy, "wb");
		fwrite(bad, 1, n, out);
		fclose(out);
		void *lib = dlopen(copy, RTLD_NOW);
		cr_assert_not_null(lib);
		SymFrame f[8];
		SymData d;
		cr_assert_geq(sym_frames(made_pc(lib), true, f, 8), 1);
		sym_data((uintptr_t)dlsym(lib, "made_global"), 1, &d);
		sym_local(made_pc(lib), (uintptr_t)f, (uintptr_t)f, 1, &d);
		dlclose(lib);
		unlink(copy);
	}
}
