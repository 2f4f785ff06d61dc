/*
 * field_test.c: which part of a variable an address is, for variables of every shape, as gcc and clang
 * describe them. The library under test brings its own table of addresses and expected words.
 */
#include "../../runtime/symbol/symbol.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"

typedef struct Expect {
	const void *addr;
	size_t size;
	const char *field; /* NULL: the variable as a whole */
} Expect;

static const char source_c[] =
    "#include <stddef.h>\n"
    "#include <stdint.h>\n"
    "#define PART(x) {&x, sizeof x, #x}\n"
    "struct Counter { long hits; volatile int misses; const char *name; } counter, *pointer;\n"
    "typedef struct Node { struct Node *next; int key[3]; } Node;\n"
    "Node table[8];\n"
    "int plain, grid[4][5][6], one[1];\n"
    "static struct { int a; struct { int b; union { int c; float d; }; }; struct { char e[16]; } in; } deep;\n"
    "union { uint64_t whole; uint32_t half[2]; struct { uint16_t low, high; } pair; uint8_t bytes[8]; } word;\n"
    "struct { unsigned ready : 1, busy : 1; unsigned : 0; unsigned alone : 7; int after; } flags;\n"
    "struct { int n; int data[]; } tail = {3, {1, 2, 3}};\n"
    "_Atomic(int) atomics[3];\n"
    "const volatile struct Counter fixed[2] = {{1, 2, 0}};\n"
    "struct Long { int aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; };\n"
    "struct { struct { struct { struct Long bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb; }\n"
    "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc; } d; } longest;\n"
    "struct { const void *addr; size_t size; const char *field; } expect[] = {\n"
    "\tPART(counter.hits), PART(counter.misses), PART(counter.name), {&counter, sizeof counter, 0},\n"
    "\t{(char *)&counter.hits + 2, 1, \"counter.hits\"}, {&pointer, sizeof pointer, 0},\n"
    "\tPART(table[3].next), PART(table[7].key[2]), {&table[2], sizeof table[2], \"table[2]\"},\n"
    "\t{&table[1].key, sizeof table[1].key, \"table[1].key\"}, {&table[1], sizeof(Node) + 4, 0},\n"
    "\t{&plain, 4, 0}, PART(grid[3][4][5]), PART(grid[0][0][0]), {&grid[1], sizeof grid[1], \"grid[1]\"},\n"
    "\t{&grid[1][2], sizeof grid[1][2], \"grid[1][2]\"}, PART(one[0]),\n"
    "\tPART(deep.a), PART(deep.b), PART(deep.c), PART(deep.in.e[5]),\n"
    "\tPART(word.whole), PART(word.half[1]), {&word.half[0], 4, \"word.half[0]\"}, PART(word.pair.high),\n"
    "\tPART(word.bytes[7]), {&word.bytes[1], 2, \"word.whole\"},\n"
    "\t{&flags, 1, \"flags.{ready,busy}\"}, {(char *)&flags + 4, 1, \"flags.alone\"}, PART(flags.after),\n"
    "\tPART(tail.n), PART(tail.data[2]), PART(atomics[1]),\n"
    "\t{&fixed[1].misses, 4, \"fixed[1].misses\"}, {&longest, 4, \"longest.d."
    "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"},\n"
    "\t{0, 0, 0}};\n";

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/field_test.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void remove_dir(void)
{
	Run r;
	run_sh(&r, 10, "rm -rf %s", dir);
	run_free(&r);
}

TestSuite(field, .init = make_dir, .fini = remove_dir);

static void *load(const char *file, const char *source, const char *command)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", dir, file);
	FILE *f = fopen(path, "w");
	fputs(source, f);
	fclose(f);
	Run r;
	run_sh(&r, 60, "cd %s && %s -shared -fPIC %s -o made.so", dir, command, file);
	cr_assert_eq(r.code, 0, "%s: %s", command, r.err);
	run_free(&r);
	snprintf(path, sizeof path, "%s/made.so", dir);
	void *lib = dlopen(path, RTLD_NOW);
	cr_assert_not_null(lib, "%s", dlerror());
	return lib;
}

static void all_parts_by(const char *command)
{
	void *lib = load("made.c", source_c, command);
	int n = 0;
	for (const Expect *e = dlsym(lib, "expect"); e->addr; e++, n++) {
		SymData d;
		cr_assert(sym_data((uintptr_t)e->addr, e->size, &d), "%s: %s", command, e->field);
		if (e->field) {
			cr_assert_not_null(d.field, "%s: %s", command, e->field);
			cr_assert_str_eq(d.field, e->field, "%s: %s is taken for %s", command, e->field, d.field);
		} else {
			cr_assert_null(d.field, "%s: %s", command, d.field);
		}
	}
	cr_assert_gt(n, 30);
}

Test(field, gcc) { all_parts_by("gcc -g -O0"); }
Test(field, gcc_optimised) { all_parts_by("gcc -g -O2"); }
Test(field, gcc_dwarf4) { all_parts_by("gcc -gdwarf-4"); }
Test(field, gcc_dwarf3) { all_parts_by("gcc -gdwarf-3 -gstrict-dwarf"); }
Test(field, gcc_type_units) { all_parts_by("gcc -g -fdebug-types-section"); }
Test(field, gcc_split) { all_parts_by("gcc -g -gsplit-dwarf"); }
Test(field, clang) { all_parts_by("clang -g"); }
Test(field, clang_dwarf4) { all_parts_by("clang -gdwarf-4 -O2"); }

/* A path that does not fit into its buffer ends where it still did. */
Test(field, too_long_a_path_is_cut_at_a_part)
{
	char source[2048], name[200];
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = 0;
	snprintf(source, sizeof source, "struct { struct { int %s; } %s; } v; void *expect = &v;\n", name, name);
	void *lib = load("long.c", source, "gcc -g"), **addr = dlsym(lib, "expect");
	SymData d;
	cr_assert(sym_data((uintptr_t)*addr, 4, &d));
	cr_assert_eq(strlen(d.field), 2 + strlen(name));
}

static const char classes[] =
    "struct Empty {};\n"
    "struct Base { int id; static int shared; };\n"
    "int Base::shared;\n"
    "struct Derived : Empty, Base { int own[2]; };\n"
    "namespace space { Derived object; }\n"
    "enum class Color : char { red };\n"
    "struct { Color color; bool set; } pixel[2];\n"
    "struct Expect { const void *addr; unsigned long size; const char *field; };\n"
    "extern \"C\" { extern Expect expect[]; Expect expect[] = {\n"
    "\t{&space::object.id, 4, \"object.id\"}, {&space::object.own[1], 4, \"object.own[1]\"},\n"
    "\t{&pixel[1].set, 1, \"pixel[1].set\"}, {&pixel[0].color, 1, \"pixel[0].color\"}, {0, 0, 0}}; }\n";

static void classes_by(const char *command)
{
	void *lib = load("made.cc", classes, command);
	for (const Expect *e = dlsym(lib, "expect"); e->addr; e++) {
		SymData d;
		cr_assert(sym_data((uintptr_t)e->addr, e->size, &d));
		cr_assert_not_null(d.field, "%s: %s", command, e->field);
		cr_assert_str_eq(d.field, e->field, "%s: %s is taken for %s", command, e->field, d.field);
	}
}

Test(field, classes_of_gcc) { classes_by("g++ -g"); }
Test(field, classes_of_clang) { classes_by("clang++ -g"); }

/* Noise in .debug_info and .debug_abbrev: any answer will do, but there must be one, and soon. */
Test(field, damaged_types_are_survived, .timeout = 120)
{
	static unsigned char image[1 << 20], bad[1 << 20];
	char path[128];
	dlclose(load("made.c", source_c, "gcc -g"));
	snprintf(path, sizeof path, "%s/made.so", dir);
	FILE *in = fopen(path, "rb");
	size_t n = fread(image, 1, sizeof image, in);
	fclose(in);
	size_t from[2], to[2];
	static const char *const sections[] = {".debug_info", ".debug_abbrev"};
	for (int i = 0; i < 2; i++) {
		Run r;
		run_sh(&r, 10, "readelf -SW %s | sed -n 's/.*\\] \\%s *PROGBITS *[0-9a-f]* *\\([0-9a-f]* [0-9a-f]*\\) .*/\\1/p'", path,
		    sections[i]);
		char *end;
		from[i] = strtoul(r.out, &end, 16);
		to[i] = from[i] + strtoul(end, NULL, 16);
		run_free(&r);
		cr_assert(from[i] && from[i] < to[i] && to[i] < n);
	}
	const char *rounds = getenv("GORO_STRESS");
	unsigned seed = 7, wrong = 0;
	for (int round = 0; round < 100 * (rounds ? atoi(rounds) : 1); round++) {
		memcpy(bad, image, n);
		for (int k = 0; k <= round % 8; k++) {
			seed = seed * 1103515245 + 12345;
			int s = (seed >> 20) & 1;
			size_t at = from[s] + (seed >> 8) % (to[s] - from[s]);
			seed = seed * 1103515245 + 12345;
			bad[at] = (unsigned char)(seed >> 16);
		}
		snprintf(path, sizeof path, "%s/bad%d.so", dir, round);
		FILE *out = fopen(path, "wb");
		fwrite(bad, 1, n, out);
		fclose(out);
		void *lib = dlopen(path, RTLD_NOW);
		cr_assert_not_null(lib);
		for (const Expect *e = dlsym(lib, "expect"); e->addr; e++) {
			SymData d;
			if (sym_data((uintptr_t)e->addr, e->size, &d) && d.field)
				cr_assert_lt(strlen(d.field), SYM_PATH_MAX);
			wrong += e->field && (!d.field || strcmp(d.field, e->field) != 0);
		}
		dlclose(lib);
		unlink(path);
	}
	cr_assert_gt(wrong, 100, "the noise missed");
}

/* AddressSanitizer would keep the locals elsewhere, in a frame of its own. */
__attribute__((noinline, no_sanitize_address, no_sanitize_thread)) static void parts_of_locals(void)
{
	struct {
		int x, y[3];
	} volatile point = {1, {2, 3, 4}};
	SymData d;
	uintptr_t cfa = (uintptr_t)__builtin_frame_address(0) + 16, pc;
	__asm__ volatile("lea 0(%%rip), %0" : "=r"(pc));
	cr_assert(sym_local(pc, cfa, (uintptr_t)&point.y[2], 4, &d));
	cr_assert_str_eq(d.field, "point.y[2]");
	cr_assert(sym_local(pc, cfa, (uintptr_t)&point, sizeof point, &d));
	cr_assert_null(d.field);
}

Test(field, parts_of_locals) { parts_of_locals(); }
