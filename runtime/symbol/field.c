/*
 * field.c: which part of a variable an access touches, in the words of its source: "table[3].next".
 *
 * Walks the variable's type by DWARF from the outside in, as long as one element or member holds the
 * whole access; what spans several is named by what encloses them. Two cases have no single answer:
 *
 *   unions      the member whose innermost part is as large as the access, else the first that holds it
 *   bit-fields  the compiler accesses all that share the storage: one is named, several stand in braces
 *
 * The path has to fit into its buffer whole: a part that does not is left out with all below it.
 */
#include "module.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX   32   /* of types in each other; damaged DWARF may nest without end */
#define MEMBERS_MAX 4096 /* looked at in one type */
#define BITS_NAMED  6    /* bit-fields in braces */

typedef struct Path {
	char text[SYM_PATH_MAX];
	size_t n;
} Path;

static bool add(Path *p, const char *s)
{
	size_t n = strlen(s);
	if (p->n + n >= sizeof p->text)
		return false;
	memcpy(p->text + p->n, s, n + 1);
	p->n += n;
	return true;
}

static void cut(Path *p, size_t n)
{
	p->n = n;
	p->text[n] = 0;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attr;
	return dwarf_attr_integrate(die, DW_AT_type, &attr) && dwarf_formref_die(&attr, type);
}

/* Through typedefs and qualifiers, and from the stub of a type to its own unit. */
static bool peel(Dwarf_Die *type)
{
	Dwarf_Attribute attr;
	for (int i = 0; i < DEPTH_MAX; i++)
		switch (dwarf_tag(type)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			if (!type_of(type, type))
				return false;
			break;
		default:
			if (!dwarf_attr(type, DW_AT_signature, &attr))
				return true;
			if (!dwarf_formref_die(&attr, type))
				return false;
			break;
		}
	return false;
}

static bool size_of(Dwarf_Die type, Dwarf_Word *bytes)
{
	return peel(&type) && dwarf_aggregate_size(&type, bytes) == 0;
}

/* A constant attribute. */
static bool number(Dwarf_Die *die, unsigned at, uint64_t *out)
{
	Dwarf_Attribute attr;
	Dwarf_Word v;
	if (!dwarf_attr_integrate(die, at, &attr) || dwarf_formudata(&attr, &v))
		return false;
	*out = v;
	return true;
}

static bool walk(Path *p, Dwarf_Die type, uint64_t off, uint64_t size, int depth);

/* ---- arrays ---- */

#define DIMS_MAX 8

/* int a[2][3] is one type with two subranges, outermost first. True: the access is one element whole. */
static bool walk_array(Path *p, Dwarf_Die *type, uint64_t off, uint64_t size, int depth)
{
	Dwarf_Die elem, dim;
	Dwarf_Word elem_size;
	uint64_t count[DIMS_MAX], stride[DIMS_MAX];
	int n = 0;
	if (!type_of(type, &elem) || !size_of(elem, &elem_size) || !elem_size ||
	    dwarf_child(type, &dim) != 0)
		return false;
	do {
		if (dwarf_tag(&dim) != DW_TAG_subrange_type)
			continue;
		if (n == DIMS_MAX)
			return false;
		uint64_t upper;
		if (!number(&dim, DW_AT_count, &count[n]))
			/* none: as in `int data[]`; -1: of no elements */
			count[n] = number(&dim, DW_AT_upper_bound, &upper) ? upper + 1 : UINT64_MAX;
		n++;
	} while (dwarf_siblingof(&dim, &dim) == 0);
	uint64_t s = elem_size;
	for (int i = n; i-- > 0;) {
		stride[i] = s;
		if (i && (!count[i] || count[i] > UINT64_MAX / s))
			return false;
		s *= i ? count[i] : 1;
	}
	for (int i = 0; i < n; i++) {
		char index[32];
		uint64_t k = off / stride[i];
		if (k >= count[i] || off % stride[i] + size > stride[i])
			return false;
		snprintf(index, sizeof index, "[%llu]", (unsigned long long)k);
		if (!add(p, index))
			return false;
		off %= stride[i];
	}
	return n && walk(p, elem, off, size, depth);
}

/* ---- structures and unions ---- */

typedef struct Member {
	uint64_t lo, size; /* in bits */
	bool bits;
	bool open; /* `int data[]`: all that comes after lo */
} Member;

static bool member_place(Dwarf_Die *die, Member *m)
{
	Dwarf_Die type;
	Dwarf_Word bytes = 0;
	uint64_t at = 0, v;
	if (!type_of(die, &type))
		return false;
	if (!size_of(type, &bytes))
		bytes = 0; /* `int data[]` */
	m->bits = number(die, DW_AT_bit_size, &m->size);
	if (!m->bits)
		m->size = bytes * 8;
	m->open = !m->size && peel(&type) && dwarf_tag(&type) == DW_TAG_array_type;
	if (number(die, DW_AT_data_bit_offset, &v)) {
		m->lo = v;
		return true;
	}
	if (dwarf_hasattr(die, DW_AT_data_member_location) &&
	    !number(die, DW_AT_data_member_location, &at))
		return false; /* computed: a virtual base */
	m->lo = at * 8;
	if (m->bits && number(die, DW_AT_bit_offset, &v)) { /* DWARF 3: from the unit's high end */
		uint64_t unit = bytes;
		number(die, DW_AT_byte_size, &unit);
		m->lo += unit * 8 - v - m->size;
	}
	return true;
}

/* Go into the member `die`. */
static bool enter(Path *p, Dwarf_Die *die, const Member *m, uint64_t off, uint64_t size, int depth)
{
	Dwarf_Die type;
	const char *name = dwarf_tag(die) == DW_TAG_member ? sym_intern(dwarf_diename(die)) : NULL;
	if (!type_of(die, &type))
		return false;
	const size_t start = p->n;
	if (name && !(add(p, ".") && add(p, name))) {
		cut(p, start);
		return false;
	}
	return walk(p, type, off - m->lo / 8, size, depth);
}

static bool walk_struct(Path *p, Dwarf_Die *type, uint64_t off, uint64_t size, int depth)
{
	Dwarf_Die die, bits[BITS_NAMED];
	const uint64_t lo = off * 8, hi = (off + size) * 8;
	const size_t start = p->n;
	bool is_union = dwarf_tag(type) == DW_TAG_union_type;
	Path first = {.n = 0}; /* a union's first member that holds the access */
	int nbits = 0, others = 0, looked = 0;
	if (dwarf_child(type, &die) != 0)
		return false;
	do {
		Member m;
		int tag = dwarf_tag(&die);
		if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
		    dwarf_hasattr(&die, DW_AT_declaration) || dwarf_hasattr(&die, DW_AT_external) ||
		    !member_place(&die, &m))
			continue;
		if (m.lo >= hi || (!m.open && m.lo + m.size <= lo))
			continue;
		if (m.bits) {
			if (nbits < BITS_NAMED)
				bits[nbits] = die;
			nbits++;
			continue;
		}
		others++;
		if (lo < m.lo || (!m.open && hi > m.lo + m.size))
			continue;
		if (enter(p, &die, &m, off, size, depth))
			return true;
		if (p->n == start)
			continue; /* several parts of something without a name, or an empty base */
		if (!is_union)
			return false;
		if (!first.n)
			first = *p;
		cut(p, start);
	} while (++looked < MEMBERS_MAX && dwarf_siblingof(&die, &die) == 0);
	if (first.n) {
		*p = first;
		return false;
	}
	if (!nbits || others || nbits > BITS_NAMED)
		return false;
	bool fits = add(p, nbits > 1 ? ".{" : ".");
	for (int i = 0; i < nbits; i++) {
		const char *name = sym_intern(dwarf_diename(&bits[i]));
		fits = fits && (i == 0 || add(p, ",")) && add(p, name ? name : "");
	}
	if (!(fits && (nbits == 1 || add(p, "}"))))
		cut(p, start);
	return false;
}

/* True: the access is one scalar as a whole. */
static bool walk(Path *p, Dwarf_Die type, uint64_t off, uint64_t size, int depth)
{
	Dwarf_Word bytes;
	if (depth > DEPTH_MAX || !peel(&type))
		return false;
	switch (dwarf_tag(&type)) {
	case DW_TAG_array_type:
		return walk_array(p, &type, off, size, depth + 1);
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return walk_struct(p, &type, off, size, depth + 1);
	default:
		return off == 0 && size_of(type, &bytes) && bytes == size;
	}
}

const char *sym_field(Dwarf_Die *var, const char *name, uint64_t off, uint64_t size)
{
	Path p = {.n = 0};
	Dwarf_Die type;
	if (!name || !add(&p, name) || !type_of(var, &type))
		return NULL;
	size_t whole = p.n;
	walk(&p, type, off, size ? size : 1, 0);
	return p.n > whole ? sym_intern(p.text) : NULL;
}
