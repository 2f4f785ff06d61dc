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

/* An offset in thread-local storage: pushed, and an operator for "of the thread". */
static bool thread_local_offset(Dwarf_Die *var, Dwarf_Addr *offset)
{
	Dwarf_Attribute attr, got;
	Dwarf_Op *ops;
	size_t n;
	if (!dwarf_attr(var, DW_AT_location, &attr) || dwarf_getlocation(&attr, &ops, &n) ||
	    n != 2 ||
	    (ops[1].atom != DW_OP_GNU_push_tls_address && ops[1].atom != DW_OP_form_tls_address))
		return false;
	switch (ops[0].atom) {
	case DW_OP_const1u:
	case DW_OP_const2u:
	case DW_OP_const4u:
	case DW_OP_const8u:
	case DW_OP_constu:
		*offset = ops[0].number;
		return true;
	case DW_OP_constx:
	case DW_OP_GNU_const_index:
		return dwarf_getlocation_attr(&attr, &ops[0], &got) == 0 &&
		       dwarf_formaddr(&got, offset) == 0;
	}
	return false;
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

/* lists: those with an address, and thread-local ones. */
static void add_var(Dwarf_Die *cu, Dwarf_Die *die, VarList lists[2])
{
	Dwarf_Addr addr = 0;
	VarList *list = &lists[0];
	if (!static_address(die, &addr) && thread_local_offset(die, &addr))
		list = &lists[1];
	else if (!addr)
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

static void walk(Dwarf_Die *cu, Dwarf_Die *parent, VarList lists[2], int depth)
{
	Dwarf_Die die;
	if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_variable:
			add_var(cu, &die, lists);
			break;
		case DW_TAG_subprogram:
		case DW_TAG_lexical_block:
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
		case DW_TAG_inlined_subroutine:
			walk(cu, &die, lists, depth + 1);
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

static void make_vars(SymModule *m)
{
	VarList lists[2] = {{0}, {0}};
	if (m->vars_made)
		return;
	if (m->dwarf)
		module_each_cu(m, add_unit, lists);
	for (int i = 0; i < 2; i++)
		if (lists[i].n)
			qsort(lists[i].at, lists[i].n, sizeof *lists[i].at, var_by_lo);
	m->vars = lists[0].at;
	m->nvars = lists[0].n;
	m->tls = lists[1].at;
	m->ntls = lists[1].n;
	m->vars_made = true;
}

/* The one that covers addr; one of unknown size covers its first byte. */
static const SymVar *find_in(const SymVar *vars, size_t n, Dwarf_Addr addr)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (vars[mid].lo <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return NULL;
	const SymVar *v = &vars[lo - 1];
	return addr - v->lo < (v->size ? v->size : 1) ? v : NULL;
}

/* The variable of the DWARF that covers addr. */
static const SymVar *find_var(SymModule *m, Dwarf_Addr addr)
{
	make_vars(m);
	return find_in(m->vars, m->nvars, addr);
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

/* ---- thread-locals ---- */

/* By the table of symbols: where DWARF is missing. */
static bool tls_by_symtab(SymModule *m, size_t offset, SymData *out)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(m->mod, &bias);
	for (Elf_Scn *s = NULL; elf && (s = elf_nextscn(elf, s)) != NULL;) {
		GElf_Shdr head;
		Elf_Data *data = NULL;
		if (!gelf_getshdr(s, &head) ||
		    (head.sh_type != SHT_SYMTAB && head.sh_type != SHT_DYNSYM) ||
		    !head.sh_entsize || !(data = elf_getdata(s, NULL)))
			continue;
		for (size_t i = 0; i < head.sh_size / head.sh_entsize; i++) {
			GElf_Sym sym;
			if (!gelf_getsym(data, (int)i, &sym) ||
			    GELF_ST_TYPE(sym.st_info) != STT_TLS || sym.st_shndx == SHN_UNDEF ||
			    offset - sym.st_value >= sym.st_size)
				continue;
			const char *name = elf_strptr(elf, head.sh_link, sym.st_name);
			if (!name || !*name)
				continue;
			*out = (SymData){
			    .name = sym_demangle(name), .start = sym.st_value, .size = sym.st_size};
			return true;
		}
	}
	return false;
}

bool sym_thread_local(uintptr_t module, size_t offset, size_t size, SymData *out)
{
	if (!sym_enter())
		return false;
	memset(out, 0, sizeof *out);
	bool found = false;
	SymModule *m = module_find(module);
	if (m) {
		make_vars(m);
		const SymVar *v = find_in(m->tls, m->ntls, offset);
		found = v || tls_by_symtab(m, offset, out);
		if (v) {
			*out = (SymData){.name = v->name,
			    .start = v->lo,
			    .size = v->size,
			    .file = v->file,
			    .dir = v->dir,
			    .line = v->line};
			Dwarf_Die die = v->die;
			out->field = sym_field(&die, v->name, offset - v->lo, size);
		}
		out->module = found ? m->path : NULL;
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
