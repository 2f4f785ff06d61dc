/*
 * check.c: goro-race check: which parts of a program, shared object or object file are instrumented.
 *
 * A function is instrumented when it calls a __tsan_ function: in a linked file by a call or jump to one (or to its
 * stub in the procedure linkage table), in an object file by a relocation. Its unit (source file) is read from
 * the debug information. A function that touches no memory needs no call, so the verdict is about units: one with
 * a call in it, or whose compiler noted -fsanitize=thread (gcc does), is instrumented. goro's own units, found by
 * where __tsan_init comes from, are left out: they are never instrumented.
 */
#include <argp.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binary.h"
#include "commands.h"
#include "util.h"

typedef struct Unit {
	char *name; /* NULL: functions without debug information */
	long functions, instrumented;
	bool noted;
	char *missing; /* names of functions without a call, for -v */
} Unit;

typedef struct Look {
	const char *path;
	Elf *elf;
	Dwarf *dwarf;
	bool relocatable;
	const char *goro_dir; /* compilation folder of goro's units; NULL: none in it */
	uint64_t *
	    targets; /* addresses of __tsan_ functions and their stubs, and of their slots in the GOT */
	Dwarf_Die *cus; /* all units */
	size_t ncus;
	size_t ntargets;
	Unit *units;
	size_t nunits;
	bool verbose;
} Look;

static bool is_tsan(const char *name)
{
	return name && strncmp(name, "__tsan_", 7) == 0;
}

static void add_target(Look *l, uint64_t address)
{
	if (!(l->ntargets & (l->ntargets + 1)))
		l->targets = need(realloc(l->targets, (l->ntargets * 2 + 1) * sizeof(*l->targets)));
	l->targets[l->ntargets++] = address;
}

static bool is_target(const Look *l, uint64_t address)
{
	for (size_t i = 0; i < l->ntargets; i++)
		if (l->targets[i] == address)
			return true;
	return false;
}

/* ---- sections ---- */

typedef void Each(Look *l, Elf_Scn *s, GElf_Shdr *h, Elf_Data *data);

static void each_section(Look *l, Each *each)
{
	Elf_Scn *s = NULL;

	while ((s = elf_nextscn(l->elf, s))) {
		GElf_Shdr h;
		Elf_Data *data;

		if (gelf_getshdr(s, &h) && h.sh_type != SHT_NOBITS &&
		    (data = elf_getdata(s, NULL)) && data->d_buf)
			each(l, s, &h, data);
	}
}

/* Symbols defined here. */
static void find_symbols(Look *l, Elf_Scn *s, GElf_Shdr *h, Elf_Data *data)
{
	(void)s;
	if ((h->sh_type != SHT_SYMTAB && h->sh_type != SHT_DYNSYM) || !h->sh_entsize)
		return;
	for (size_t i = 0; i < h->sh_size / h->sh_entsize; i++) {
		GElf_Sym sym;

		if (gelf_getsym(data, (int)i, &sym) && sym.st_shndx != SHN_UNDEF &&
		    is_tsan(elf_strptr(l->elf, h->sh_link, sym.st_name)) &&
		    !is_target(l, sym.st_value))
			add_target(l, sym.st_value);
	}
}

/* Slots of the GOT that hold one. */
static void find_slots(Look *l, Elf_Scn *s, GElf_Shdr *h, Elf_Data *data)
{
	Elf_Scn *symbols;
	Elf_Data *table;
	GElf_Shdr sh;

	(void)s;
	if (h->sh_type != SHT_RELA || !h->sh_entsize ||
	    !(symbols = elf_getscn(l->elf, h->sh_link)) || !gelf_getshdr(symbols, &sh) ||
	    !(table = elf_getdata(symbols, NULL)))
		return;
	for (size_t i = 0; i < h->sh_size / h->sh_entsize; i++) {
		GElf_Rela r;
		GElf_Sym sym;

		if (gelf_getrela(data, (int)i, &r) &&
		    gelf_getsym(table, (int)GELF_R_SYM(r.r_info), &sym) &&
		    is_tsan(elf_strptr(l->elf, sh.sh_link, sym.st_name)))
			add_target(l, r.r_offset);
	}
}

/* Stubs: jmp *slot(%rip), each within its 16 bytes. */
static void find_stubs(Look *l, Elf_Scn *s, GElf_Shdr *h, Elf_Data *data)
{
	size_t strings;
	const char *name;
	const unsigned char *code = data->d_buf;

	(void)s;
	if (elf_getshdrstrndx(l->elf, &strings) != 0 ||
	    !(name = elf_strptr(l->elf, strings, h->sh_name)) || strncmp(name, ".plt", 4) != 0)
		return;
	for (size_t i = 0; i + 6 <= data->d_size; i++) {
		int32_t to;

		if (code[i] != 0xff || code[i + 1] != 0x25)
			continue;
		memcpy(&to, code + i + 2, sizeof(to));
		if (is_target(l, h->sh_addr + i + 6 + (uint64_t)(int64_t)to))
			add_target(l, (h->sh_addr + i) & ~(uint64_t)15);
	}
}

/* ---- functions ---- */

static bool code_calls(const Look *l, const unsigned char *code, size_t n, uint64_t at)
{
	for (size_t i = 0; i + 5 <= n; i++) {
		int32_t to;

		if (code[i] == 0xe8 || code[i] == 0xe9) {
			memcpy(&to, code + i + 1, sizeof(to));
			if (is_target(l, at + i + 5 + (uint64_t)(int64_t)to))
				return true;
		} else if (code[i] == 0xff && (code[i + 1] == 0x15 || code[i + 1] == 0x25) &&
			   i + 6 <= n) {
			memcpy(&to, code + i + 2, sizeof(to));
			if (is_target(l, at + i + 6 + (uint64_t)(int64_t)to))
				return true;
		}
	}
	return false;
}

/* In an object file: does a relocation within [from, to) of that section name one? */
static bool relocated_calls(const Look *l, size_t section, uint64_t from, uint64_t to)
{
	Elf_Scn *s = NULL;

	while ((s = elf_nextscn(l->elf, s))) {
		GElf_Shdr h, sh;
		Elf_Data *data, *table;
		Elf_Scn *symbols;

		if (!gelf_getshdr(s, &h) || h.sh_type != SHT_RELA || h.sh_info != section ||
		    !h.sh_entsize || !(data = elf_getdata(s, NULL)) ||
		    !(symbols = elf_getscn(l->elf, h.sh_link)) || !gelf_getshdr(symbols, &sh) ||
		    !(table = elf_getdata(symbols, NULL)))
			continue;
		for (size_t i = 0; i < h.sh_size / h.sh_entsize; i++) {
			GElf_Rela r;
			GElf_Sym sym;

			if (gelf_getrela(data, (int)i, &r) && r.r_offset >= from &&
			    r.r_offset < to &&
			    gelf_getsym(table, (int)GELF_R_SYM(r.r_info), &sym) &&
			    is_tsan(elf_strptr(l->elf, sh.sh_link, sym.st_name)))
				return true;
		}
	}
	return false;
}

static bool calls(const Look *l, const GElf_Sym *sym)
{
	Elf_Scn *s = elf_getscn(l->elf, sym->st_shndx);
	GElf_Shdr h;
	Elf_Data *data;
	uint64_t off;

	if (!s || !gelf_getshdr(s, &h) || h.sh_type == SHT_NOBITS || !(data = elf_getdata(s, NULL)))
		return false;
	if (l->relocatable)
		return relocated_calls(
		    l, sym->st_shndx, sym->st_value, sym->st_value + sym->st_size);
	off = sym->st_value - h.sh_addr;
	if (sym->st_value < h.sh_addr || off > data->d_size || sym->st_size > data->d_size - off)
		return false;
	return code_calls(l, (const unsigned char *)data->d_buf + off, sym->st_size, sym->st_value);
}

/* ---- units ---- */

static const char *attribute(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute a;
	const char *s = dwarf_formstring(dwarf_attr(die, name, &a));

	return s ? s : "";
}

/* All units, once. Not by .debug_aranges, which clang leaves out. */
static void read_units(Look *l)
{
	Dwarf_Off at = 0, next;
	size_t head;

	while (l->dwarf && dwarf_nextcu(l->dwarf, at, &next, &head, NULL, NULL, NULL) == 0) {
		l->cus = need(realloc(l->cus, (l->ncus + 1) * sizeof(*l->cus)));
		if (dwarf_offdie(l->dwarf, at + head, &l->cus[l->ncus]))
			l->ncus++;
		at = next;
	}
}

/* The unit a function is in; false without debug information. */
static bool unit_at(const Look *l, uint64_t address, Dwarf_Die *cu)
{
	for (size_t i = 0; i < l->ncus; i++)
		if (dwarf_haspc(&l->cus[i], address) == 1) {
			*cu = l->cus[i];
			return true;
		}
	return false;
}

static Unit *unit_named(Look *l, const char *name)
{
	for (size_t i = 0; i < l->nunits; i++)
		if (name ? l->units[i].name && strcmp(l->units[i].name, name) == 0
			 : !l->units[i].name)
			return &l->units[i];
	l->units = need(realloc(l->units, (l->nunits + 1) * sizeof(*l->units)));
	l->units[l->nunits] =
	    (Unit){.name = name ? text_copy(name) : NULL, .missing = text_copy("")};
	return &l->units[l->nunits++];
}

/* What the linker, the C library's start files and the compilers put in. */
static bool is_made(const char *name)
{
	static const char *const made[] = {"_init", "_fini", "_start", "_dl_relocate_static_pie",
	    "deregister_tm_clones", "register_tm_clones", "__do_global_dtors_aux", "frame_dummy",
	    "tsan.module_ctor", "__libc_csu_init", "__libc_csu_fini", "call_weak_fn",
	    /* libc_nonshared.a */
	    "atexit", "at_quick_exit", "pthread_atfork", "__pthread_atfork",
	    "__stack_chk_fail_local"};

	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		if (strcmp(name, made[i]) == 0)
			return true;
	return strncmp(name, "_sub_", 5) == 0 || is_tsan(name);
}

static void find_functions(Look *l, Elf_Scn *s, GElf_Shdr *h, Elf_Data *data)
{
	const char *file = NULL; /* of an object file */

	(void)s;
	if (h->sh_type != SHT_SYMTAB || !h->sh_entsize)
		return;
	for (size_t i = 0; i < h->sh_size / h->sh_entsize; i++) {
		GElf_Sym sym;
		const char *name, *dir;
		Dwarf_Die cu;
		Unit *u;
		bool has;

		if (gelf_getsym(data, (int)i, &sym) && GELF_ST_TYPE(sym.st_info) == STT_FILE &&
		    l->relocatable)
			file = elf_strptr(l->elf, h->sh_link, sym.st_name);
		if (!gelf_getsym(data, (int)i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    !sym.st_size || sym.st_shndx == SHN_UNDEF ||
		    !(name = elf_strptr(l->elf, h->sh_link, sym.st_name)) || is_made(name))
			continue;
		has = unit_at(l, sym.st_value, &cu);
		dir = has ? attribute(&cu, DW_AT_comp_dir) : "";
		if (has && l->goro_dir && strcmp(dir, l->goro_dir) == 0 &&
		    (strncmp(attribute(&cu, DW_AT_name), "runtime/", 8) == 0 ||
			strncmp(attribute(&cu, DW_AT_name), "race/", 5) == 0))
			continue;
		u = unit_named(l, has ? attribute(&cu, DW_AT_name) : file);
		u->noted = u->noted ||
			   (has && strstr(attribute(&cu, DW_AT_producer), "-fsanitize=thread"));
		u->functions++;
		if (calls(l, &sym)) {
			u->instrumented++;
		} else {
			char *more = text_printf("%s    %s\n", u->missing, name);

			free(u->missing);
			u->missing = more;
		}
	}
}

static void find_goro(Look *l, Elf_Scn *s, GElf_Shdr *h, Elf_Data *data)
{
	(void)s;
	if (h->sh_type != SHT_SYMTAB || !h->sh_entsize || l->relocatable)
		return;
	for (size_t i = 0; i < h->sh_size / h->sh_entsize; i++) {
		GElf_Sym sym;
		const char *name;
		Dwarf_Die cu;

		if (gelf_getsym(data, (int)i, &sym) && sym.st_shndx != SHN_UNDEF &&
		    (name = elf_strptr(l->elf, h->sh_link, sym.st_name)) &&
		    (strcmp(name, "__tsan_init") == 0 || strcmp(name, "goro_run") == 0) &&
		    unit_at(l, sym.st_value, &cu))
			l->goro_dir = attribute(&cu, DW_AT_comp_dir);
	}
}

/* ---- the answer ---- */

static int by_name(const void *a, const void *b)
{
	const Unit *x = a, *y = b;

	return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

static int check(const char *path, bool verbose)
{
	Look l = {.path = path, .verbose = verbose};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool any = false, all = true;
	GElf_Ehdr head;

	if (fd < 0)
		die("cannot read %s: %s", path, strerror(errno));
	elf_version(EV_CURRENT);
	l.elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!l.elf || elf_kind(l.elf) != ELF_K_ELF || !gelf_getehdr(l.elf, &head))
		die("%s is no program, shared object or object file", path);
	if (head.e_machine != EM_X86_64)
		die("%s is for another processor", path);
	l.relocatable = head.e_type == ET_REL;
	/* An object file's debug information is not relocated yet; there the symbols name the file. */
	l.dwarf = l.relocatable ? NULL : dwarf_begin_elf(l.elf, DWARF_C_READ, NULL);
	read_units(&l);
	each_section(&l, find_symbols);
	each_section(&l, find_goro);
	if (!l.relocatable) {
		each_section(&l, find_slots);
		each_section(&l, find_stubs);
	}
	each_section(&l, find_functions);
	if (!l.relocatable) {
		BinaryKind kind = binary_kind(path);

		printf("%s: %s\n", path,
		    kind == BINARY_RACE ? "a race build"
		    : kind == BINARY_GORO
			? "a goro program without the detector: no race is looked for"
			: "no goro program: the one that loads or starts it must have the "
			  "detector");
	} else {
		printf("%s: an object file\n", path);
	}
	if (!l.nunits) {
		printf("  it has no symbols to tell its parts by\n");
		return binary_kind(path) == BINARY_RACE ? 0 : 2;
	}
	qsort(l.units, l.nunits, sizeof(*l.units), by_name);
	for (size_t i = 0; i < l.nunits; i++) {
		const Unit *u = &l.units[i];
		bool good = u->instrumented > 0 || u->noted;

		any = any || good;
		all = all && good;
		printf("  %-17s %s (%ld of %ld functions%s)\n",
		    good ? "instrumented" : "NOT instrumented",
		    u->name ? u->name : "without debug information", u->instrumented, u->functions,
		    u->instrumented < u->functions && good
			? "; the others access no memory, or are told not to"
			: "");
		if (verbose && u->instrumented < u->functions)
			fputs(u->missing, stdout);
	}
	if (!all)
		printf(
		    "What is not instrumented is not checked: compile it with goro-cc -race -g\n");
	return any && all ? 0 : 1;
}

typedef struct Options {
	char **files;
	bool verbose;
} Options;

static const struct argp_option options[] = {
    {"verbose", 'v', 0, 0, "Name the functions without instrumentation", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	Options *o = state->input;

	(void)arg;
	switch (key) {
	case 'v':
		o->verbose = true;
		break;
	case ARGP_KEY_ARGS:
		o->files = &state->argv[state->next];
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which file?");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {options, parse, "FILE...",
    "Tell which source files of programs, shared objects and object files are instrumented, and "
    "which are not.\v"
    "Exit status: 0 all are; 1 some are not, or it is no race build; 2 it cannot be told.",
    0, 0, 0};

int command_check(int argc, char **argv)
{
	Options o = {0};
	int worst = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	for (char **file = o.files; *file; file++) {
		int code = check(*file, o.verbose);

		worst = code > worst ? code : worst;
	}
	return worst;
}
