/*
 * data.c: addresses of variables to their names and places. The symbol table says what covers an
 * address and how long it is; DWARF says where it was written down, and knows what was stripped from
 * the table. Variables of a module are collected from its DWARF once, at the first question.
 */
#include "module.h"

#include <stdlib.h>
#include <string.h>

/* ---- globals and statics ---- */

typedef struct VarList {
	SymVar *at;
	size_t n, cap;
} VarList;

/* A fixed address: DW_OP_addr, or its indexed form. */
static bool static_address(Dwarf_Die *var, Dwarf_Addr *addr)
{
	Dwarf_Attribute attr, got;
	Dwarf_Op *ops;
	size_t n;
	if (!dwarf_attr(var, DW_AT_location, &attr) || dwarf_getlocation(&attr, &ops, &n) || n != 1)
		return false;
	if (ops[0].atom == DW_OP_addr) {
		*addr = ops[0].number;
		return true;
	}
	if (ops[0].atom != DW_OP_addrx && ops[0].atom != DW_OP_GNU_addr_index)
		return false;
	return dwarf_getlocation_attr(&attr, &ops[0], &got) == 0 && dwarf_formaddr(&got, addr) == 0;
}

static uint64_t type_size(Dwarf_Die *var)
{
	Dwarf_Attribute attr;
	Dwarf_Die type;
	Dwarf_Word size;
	if (!dwarf_attr_integrate(var, DW_AT_type, &attr) || !dwarf_formref_die(&attr, &type) ||
	    dwarf_aggregate_size(&type, &size))
		return 0;
	return size;
}

static void add_var(Dwarf_Die *cu, Dwarf_Die *die, VarList *list)
{
	Dwarf_Addr addr;
	if (!static_address(die, &addr) || !addr)
		return;
	if (list->n == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 64;
		SymVar *at = realloc(list->at, cap * sizeof *at);
		if (!at)
			return;
		list->at = at;
		list->cap = cap;
	}
	SymVar v = {.lo = addr, .size = type_size(die), .name = sym_die_name(die), .die = *die};
	v.file = sym_decl_path(cu, die);
	v.dir = sym_dir(cu, v.file);
	dwarf_decl_line(die, &v.line);
	if (v.name)
		list->at[list->n++] = v;
}

#define DEPTH_MAX 64 /* of scopes in each other; damaged DWARF may nest without end */

static void walk(Dwarf_Die *cu, Dwarf_Die *parent, VarList *list, int depth)
{
	Dwarf_Die die;
	if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_variable:
			add_var(cu, &die, list);
			break;
		case DW_TAG_subprogram:
		case DW_TAG_lexical_block:
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
		case DW_TAG_inlined_subroutine:
			walk(cu, &die, list, depth + 1);
			break;
		}
	} while (dwarf_siblingof(&die, &die) == 0);
}

static void add_unit(SymModule *m, Dwarf_Die *cu, void *arg)
{
	(void)m;
	Dwarf_Die unit = *cu;
	int tag = dwarf_tag(cu);
	if (tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit)
		return;
	module_unskeleton(&unit);
	walk(&unit, &unit, arg, 0);
}

static int var_by_lo(const void *a, const void *b)
{
	const SymVar *x = a, *y = b;
	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* The variable of the DWARF that covers addr; one of unknown size covers its first byte. */
static const SymVar *find_var(SymModule *m, Dwarf_Addr addr)
{
	if (!m->vars_made) {
		VarList list = {0};
		if (m->dwarf)
			module_each_cu(m, add_unit, &list);
		if (list.n)
			qsort(list.at, list.n, sizeof *list.at, var_by_lo);
		m->vars = list.at;
		m->nvars = list.n;
		m->vars_made = true;
	}
	size_t lo = 0, hi = m->nvars;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (m->vars[mid].lo <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return NULL;
	const SymVar *v = &m->vars[lo - 1];
	return addr - v->lo < (v->size ? v->size : 1) ? v : NULL;
}

bool sym_data(uintptr_t addr, size_t size, SymData *out)
{
	if (!sym_enter())
		return false;
	memset(out, 0, sizeof *out);
	bool found = false;
	SymModule *m = module_find(addr);
	if (m) {
		const SymVar *v = find_var(m, addr - m->bias);
		GElf_Off off = 0;
		GElf_Sym sym;
		const char *name = dwfl_module_addrinfo(m->mod, addr, &off, &sym, NULL, NULL, NULL);
		bool table = name && GELF_ST_TYPE(sym.st_info) == STT_OBJECT && off < sym.st_size;
		if (!v && table) /* beyond its type: `int data[]` that was given elements */
			v = find_var(m, addr - off - m->bias);
		found = v || table;
		if (v) {
			*out = (SymData){.name = v->name,
			    .start = v->lo + m->bias,
			    .size = v->size,
			    .file = v->file,
			    .dir = v->dir,
			    .line = v->line};
			if (table && addr - off == out->start && out->size < sym.st_size)
				out->size = sym.st_size;
			Dwarf_Die die = v->die;
			out->field = sym_field(&die, v->name, addr - out->start, size);
		} else if (table) {
			*out = (SymData){
			    .name = sym_demangle(name), .start = addr - off, .size = sym.st_size};
		}
		if (found) {
			out->module = m->path;
			out->module_off = out->start - m->load;
		}
	}
	sym_leave();
	return found;
}

/* ---- locals ---- */

/* The address of fbreg 0 in this function, given the frame's CFA: gcc makes it the CFA itself, clang at
 * -O0 the frame pointer, which lies 16 below it on x86-64 and arm64 alike. */
static bool frame_base(Dwarf_Die *func, uintptr_t cfa, uintptr_t *base)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;
	if (!dwarf_attr_integrate(func, DW_AT_frame_base, &attr) ||
	    dwarf_getlocation(&attr, &ops, &n) || n != 1)
		return false;
#if defined(__x86_64__)
	const uint8_t frame_pointer = DW_OP_reg6;
#else
	const uint8_t frame_pointer = DW_OP_reg29;
#endif
	if (ops[0].atom == DW_OP_call_frame_cfa)
		*base = cfa;
	else if (ops[0].atom == frame_pointer)
		*base = cfa - 16;
	else
		return false;
	return true;
}

static bool local_in(Dwarf_Die *cu, Dwarf_Die *scope, uintptr_t base, uintptr_t addr, size_t access,
    SymData *out, int depth)
{
	Dwarf_Die die;
	if (depth > DEPTH_MAX || dwarf_child(scope, &die) != 0)
		return false;
	do {
		int tag = dwarf_tag(&die);
		if ((tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine) &&
		    local_in(cu, &die, base, addr, access, out, depth + 1))
			return true;
		if (tag != DW_TAG_variable && tag != DW_TAG_formal_parameter)
			continue;
		Dwarf_Attribute attr;
		Dwarf_Op *ops;
		size_t n;
		if (!dwarf_attr(&die, DW_AT_location, &attr) ||
		    dwarf_getlocation(&attr, &ops, &n) || n != 1 || ops[0].atom != DW_OP_fbreg)
			continue;
		uintptr_t at = base + (uintptr_t)(int64_t)ops[0].number;
		uint64_t size = type_size(&die);
		if (addr - at >= (size ? size : 1))
			continue;
		*out = (SymData){.name = sym_die_name(&die),
		    .start = at,
		    .size = size,
		    .file = sym_decl_path(cu, &die)};
		out->dir = sym_dir(cu, out->file);
		dwarf_decl_line(&die, &out->line);
		out->field = sym_field(&die, out->name, addr - at, access);
		return out->name != NULL;
	} while (dwarf_siblingof(&die, &die) == 0);
	return false;
}

bool sym_local(uintptr_t pc, uintptr_t cfa, uintptr_t addr, size_t size, SymData *out)
{
	if (!sym_enter())
		return false;
	bool found = false;
	SymModule *m = module_find(pc);
	Dwarf_Die cu, *scopes = NULL;
	memset(out, 0, sizeof *out);
	if (m && m->dwarf && module_cu(m, pc - m->bias, &cu)) {
		module_unskeleton(&cu);
		int n = dwarf_getscopes(&cu, pc - m->bias, &scopes);
		Dwarf_Die *chain = NULL;
		int nchain = n > 0 ? dwarf_getscopes_die(&scopes[0], &chain) : 0;
		for (int i = 0; i < nchain; i++) {
			uintptr_t base;
			if (dwarf_tag(&chain[i]) != DW_TAG_subprogram)
				continue;
			found = frame_base(&chain[i], cfa, &base) &&
				local_in(&cu, &chain[i], base, addr, size, out, 0);
			break;
		}
		free(chain);
		free(scopes);
	}
	sym_leave();
	return found;
}
