/*
 * symbol.c: code addresses to functions and lines.
 *
 * One lock around everything: libdw is not thread-safe. Answers are cached by pc until the set of
 * modules changes; a report's frames repeat. A thread that gets here while it is already inside (a
 * fault in libdw, whose traceback we are asked for) is answered without names instead of waiting for
 * itself.
 */
#include "module.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/lock.h"

__thread uint32_t sym_busy;

static Lock sym_lock = LOCK_INIT(PRINT);
static __thread bool inside; /* this thread holds sym_lock */

int sym_shield(void)
{
	int was = PTHREAD_CANCEL_ENABLE;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &was);
	return was;
}

void sym_unshield(int was)
{
	pthread_setcancelstate(was, NULL);
}

static int shield; /* sym_lock */

bool sym_enter(void)
{
	if (inside)
		return false;
	int was = sym_shield();
	lock(&sym_lock);
	shield = was;
	inside = true;
	sym_busy++;
	return true;
}

void sym_leave(void)
{
	sym_busy--;
	inside = false;
	int was = shield;
	unlock(&sym_lock);
	sym_unshield(was);
}

/* ---- the cache ---- */

#define CACHE_SIZE 8192 /* entries, direct mapped: 64 bytes of frames a slot and more by need */
typedef struct Cached {
	uintptr_t key; /* pc * 2 + is_return, which no two questions share; 0: empty */
	uint64_t generation;
	const SymFrame *frames;
	int n;
} Cached;
static Cached cache[CACHE_SIZE]; /* sym_lock */

#define FRAMES_MAX 64 /* inlined into each other at one pc */

/* ---- frames by DWARF ---- */

/* The row of the line table for addr; where clang says line 0 ("of no line"), the one before that has
 * one, as long as it is the same function. */
static Dwarf_Line *find_line(Dwarf_Die *cu, Dwarf_Addr addr, Dwarf_Addr entry)
{
	Dwarf_Lines *lines;
	size_t n;
	Dwarf_Line *line = dwarf_getsrc_die(cu, addr);
	int no = 0;
	if (!line || dwarf_lineno(line, &no) || no)
		return line;
	if (dwarf_getsrclines(cu, &lines, &n))
		return line;
	Dwarf_Line *best = line;
	Dwarf_Addr best_at = 0;
	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *l = dwarf_onesrcline(lines, i);
		Dwarf_Addr at;
		if (l && !dwarf_lineaddr(l, &at) && at <= addr && at >= entry && at >= best_at &&
		    !dwarf_lineno(l, &no) && no) {
			best = l;
			best_at = at;
		}
	}
	return best;
}

static int die_number(Dwarf_Die *die, unsigned at)
{
	Dwarf_Attribute attr;
	Dwarf_Word v;
	if (!dwarf_attr(die, at, &attr) || dwarf_formudata(&attr, &v) || v > 1u << 30)
		return 0;
	return (int)v;
}

static bool is_function(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);
	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram ||
	       tag == DW_TAG_entry_point;
}

/* Frames at addr out of the DIE tree; 0 when it says nothing. */
static int frames_by_die(SymModule *m, Dwarf_Die *cu, Dwarf_Addr addr, SymFrame *out, int max)
{
	Dwarf_Die *scopes = NULL, *chain = NULL;
	int nscopes = dwarf_getscopes(cu, addr, &scopes);
	if (nscopes <= 0)
		return 0;
	int nchain = dwarf_getscopes_die(&scopes[0], &chain);
	free(scopes);
	if (nchain <= 0)
		return 0;

	Dwarf_Files *files = NULL;
	if (dwarf_getsrcfiles(cu, &files, NULL))
		files = NULL;
	int n = 0;
	for (int i = 0; i < nchain && n < max; i++) {
		if (!is_function(&chain[i]))
			continue;
		SymFrame *f = &out[n++];
		f->func = sym_die_name(&chain[i]);
		if (dwarf_tag(&chain[i]) == DW_TAG_inlined_subroutine) {
			f->inlined = true;
			/* Where it was called is the next one's line. */
			if (n < max) {
				int file = die_number(&chain[i], DW_AT_call_file);
				const char *path =
				    files ? dwarf_filesrc(files, (size_t)file, NULL, NULL) : NULL;
				out[n].file = sym_path(cu, path);
				out[n].line = die_number(&chain[i], DW_AT_call_line);
				out[n].column = die_number(&chain[i], DW_AT_call_column);
			}
			continue;
		}
		Dwarf_Addr entry;
		if (dwarf_entrypc(&chain[i], &entry) == 0 && entry <= addr)
			for (int k = 0; k < n; k++)
				out[k].func_off = addr - entry;
		break; /* a nested function's parent is no caller */
	}
	free(chain);
	(void)m;
	return n;
}

/* The name of the nearest symbol of the symbol table; off: addr minus its start. */
static const char *name_by_symtab(SymModule *m, Dwarf_Addr addr, uintptr_t *off)
{
	GElf_Off o = 0;
	GElf_Sym sym;
	const char *name = dwfl_module_addrinfo(m->mod, addr, &o, &sym, NULL, NULL, NULL);
	if (!name || !*name)
		return NULL;
	*off = o;
	return sym_demangle(name);
}

static int frames_now(uintptr_t pc, bool is_return, SymFrame *out, int max)
{
	uintptr_t at = is_return ? pc - 1 : pc;
	memset(out, 0, (size_t)max * sizeof *out);
	SymModule *m = module_find(at);
	if (!m)
		return 1;

	int n = 0;
	bool own = false;
	Dwarf_Die cu;
	if (m->dwarf && module_cu(m, at - m->bias, &cu)) {
		Dwarf_Die tree = cu;
		module_unskeleton(&tree);
		n = frames_by_die(m, &tree, at - m->bias, out, max);
		Dwarf_Line *line = find_line(&cu, at - m->bias, at - m->bias - out[0].func_off);
		if (line) {
			out[0].file = sym_path(&cu, dwarf_linesrc(line, NULL, NULL));
			dwarf_lineno(line, &out[0].line);
			dwarf_linecol(line, &out[0].column);
		}
		for (int i = 0; i < n || i == 0; i++)
			out[i].dir = sym_dir(&cu, out[i].file);
		own = sym_cu_own(&cu);
	}
	n = n ? n : 1;
	SymFrame *whole = &out[n - 1]; /* the function that is there as a symbol, too */
	uintptr_t off = 0;
	const char *name = name_by_symtab(m, at, &off);
	if (!whole->func) {
		whole->func = name;
		own |= name && !strncmp(name, "goro_", 5);
	} else if (name && strchr(name, '(') && !strchr(whole->func, '(')) {
		whole->func =
		    name; /* gcc leaves the linkage name out of functions local to a unit */
	}
	if (!whole->func_off && name)
		for (int i = 0; i < n; i++)
			out[i].func_off = off;
	for (int i = 0; i < n; i++) {
		if (out[i].func_off || is_return)
			out[i].func_off += out[i].func ? pc - at : 0;
		out[i].module = m->path;
		out[i].module_off = pc - m->load;
		out[i].own = own;
	}
	return n;
}

/* Learn once what goro's own code is. */
static void find_own(void)
{
	static bool done; /* sym_lock */
	if (done)
		return;
	done = true;
	uintptr_t here = (uintptr_t)&sym_frames;
	SymModule *m = module_find(here);
	Dwarf_Die cu;
	if (m && m->dwarf && module_cu(m, here - m->bias, &cu))
		sym_set_own(&cu);
}

int sym_frames(uintptr_t pc, bool is_return, SymFrame *out, int max)
{
	if (max < 1)
		return 0;
	uintptr_t key = pc * 2 + is_return;
	if (!key || !sym_enter()) {
		out[0] = (SymFrame){0};
		return 1;
	}
	find_own();
	Cached *c = &cache[(key * 0x9e3779b97f4a7c15u >> 40) % CACHE_SIZE];
	uint64_t generation = module_generation();
	if (c->key != key || c->generation != generation) {
		SymFrame all[FRAMES_MAX];
		int n = frames_now(pc, is_return, all, FRAMES_MAX);
		SymFrame *kept = sym_keep((size_t)n * sizeof *kept);
		if (!kept) {
			n = n < max ? n : max;
			memcpy(out, all, (size_t)n * sizeof *out);
			sym_leave();
			return n;
		}
		memcpy(kept, all, (size_t)n * sizeof *kept);
		*c = (Cached){key, generation, kept, n};
	}
	int n = c->n < max ? c->n : max;
	memcpy(out, c->frames, (size_t)n * sizeof *out);
	sym_leave();
	return n;
}
