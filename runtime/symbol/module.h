/*
 * module.h: the executable and its shared objects as libdw sees them; shared by the files of this
 * folder alone. Everything here is called with the symbol lock held, but for sym_intern's readers.
 */
#ifndef GORO_SYMBOL_MODULE_H
#define GORO_SYMBOL_MODULE_H

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include "symbol.h"

/* A stretch of code of one compilation unit. */
typedef struct CuRange {
	Dwarf_Addr lo, hi; /* as in the file */
	Dwarf_Off cu;      /* of its DIE */
} CuRange;

typedef struct SymVar {
	Dwarf_Addr lo;
	uint64_t size;
	const char *name, *file, *dir;
	int line;
	Dwarf_Die die;
} SymVar;

typedef struct SymModule {
	Dwfl_Module *mod;
	Dwarf *dwarf;    /* NULL: none, or unreadable */
	Dwarf_Addr bias; /* address in memory minus address in the DWARF */
	Dwarf_Addr load; /* address in memory minus address in the file, by the loader */
	const char *path;
	CuRange *ranges; /* sorted by lo */
	size_t nranges;
	SymVar *vars; /* sorted by lo; made by the first question about data */
	size_t nvars;
	SymVar *tls; /* the same of thread-local ones: lo is the offset in the module's storage */
	size_t ntls;
	bool vars_made;
} SymModule;

/* symbol.c. Take and release the symbol lock; false when this thread has it already. */
bool sym_enter(void);
void sym_leave(void);

/* The module that holds addr; NULL for none. Notices what dlopen and dlclose did since. */
SymModule *module_find(uintptr_t addr);
/* Counts the changes of the set of modules: results cached under another number are stale. */
uint64_t module_generation(void);
/* The compilation unit of the code at `addr` (as in the DWARF); the split one where there is one. */
bool module_cu(SymModule *m, Dwarf_Addr addr, Dwarf_Die *cu);
/* Call fn for each compilation unit of m. */
void module_each_cu(SymModule *m, void (*fn)(SymModule *, Dwarf_Die *cu, void *), void *arg);
/* Make `cu` the split unit, where it is a skeleton and its .dwo is there. */
void module_unskeleton(Dwarf_Die *cu);

/* names.c. Copies that live as long as the process; equal strings share one. NULL stays NULL. */
const char *sym_intern(const char *s);
void *sym_keep(size_t size); /* zeroed memory for as long as the process */
/* The name of a function or variable for people: demangled, interned; NULL when it has none. */
const char *sym_die_name(Dwarf_Die *die);
const char *sym_demangle(const char *linkage);
/* The path of a file of `cu` as the compiler was given it: interned; NULL stays NULL. */
const char *sym_path(Dwarf_Die *cu, const char *path);
/* The folder that cu was compiled in, where `path` is relative; else NULL. */
const char *sym_dir(Dwarf_Die *cu, const char *path);
const char *sym_decl_path(Dwarf_Die *cu, Dwarf_Die *die); /* of the file that declares die */
/* field.c. The part of the variable `var`, called `name`, that bytes [off, off + size) of it lie in, as
 * the source would say it: "table[3].next", interned; NULL when it is no smaller than the variable. */
const char *sym_field(Dwarf_Die *var, const char *name, uint64_t off, uint64_t size);
/* The unit belongs to goro itself. */
bool sym_cu_own(Dwarf_Die *cu);
/* Make that question answerable: `cu` is the unit of symbol.c. */
void sym_set_own(Dwarf_Die *cu);

#endif
