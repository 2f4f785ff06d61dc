/*
 * names.c: names for people out of DWARF: functions demangled, paths as the compiler was given them,
 * and which code is goro's own. Strings are interned in memory that is never given back.
 */
#include "module.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../os/os.h"

#define KEEP_CHUNK ((size_t)256 << 10)

static char *keep_at, *keep_end; /* the rest of the current chunk; symbol lock */

void *sym_keep(size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if ((size_t)(keep_end - keep_at) < size) {
		size_t chunk = size > KEEP_CHUNK ? size : KEEP_CHUNK;
		char *p = os_map(chunk);
		if (!p)
			return NULL;
		keep_at = p;
		keep_end = p + chunk;
	}
	void *p = keep_at;
	keep_at += size;
	return p;
}

typedef struct Interned {
	struct Interned *next;
	uint64_t hash;
	char text[];
} Interned;

#define INTERN_BUCKETS 4096
#define NAME_MAX_BYTES (1 << 16)           /* longer than any C++ name that was met */
static Interned *interned[INTERN_BUCKETS]; /* symbol lock */

/* Names come out of files that may be damaged, and go into reports: text, in UTF-8, and not without end.
 * What is none counts as missing. */
static bool is_text(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	while (*p) {
		unsigned more = *p < 0x80                 ? 0
				: *p >= 0xc2 && *p < 0xe0 ? 1
				: *p >= 0xe0 && *p < 0xf0 ? 2
				: *p >= 0xf0 && *p < 0xf5 ? 3
							  : 4;
		if (more == 4 || *p < ' ' || *p == 0x7f ||
		    p - (const unsigned char *)s > NAME_MAX_BYTES)
			return false;
		for (p++; more > 0; more--, p++)
			if ((*p & 0xc0) != 0x80)
				return false;
	}
	return true;
}

const char *sym_intern(const char *s)
{
	if (!s || !is_text(s))
		return NULL;
	uint64_t h = 14695981039346656037u;
	size_t n = 0;
	for (; s[n]; n++)
		h = (h ^ (unsigned char)s[n]) * 1099511628211u;
	Interned **bucket = &interned[h % INTERN_BUCKETS];
	for (Interned *i = *bucket; i; i = i->next)
		if (i->hash == h && !strcmp(i->text, s))
			return i->text;
	Interned *i = sym_keep(sizeof *i + n + 1);
	if (!i)
		return NULL;
	i->hash = h;
	memcpy(i->text, s, n + 1);
	i->next = *bucket;
	*bucket = i;
	return i->text;
}

/* There in C++ programs only. */
extern char *__cxa_demangle(const char *name, char *buf, size_t *n, int *status)
    __attribute__((weak));

const char *sym_demangle(const char *linkage)
{
	if (linkage && linkage[0] == '_' && linkage[1] == 'Z' && __cxa_demangle) {
		int status = -1;
		char *text = __cxa_demangle(linkage, NULL, NULL, &status);
		const char *kept = status == 0 ? sym_intern(text) : NULL;
		free(text);
		if (kept)
			return kept;
	}
	const char *version = linkage ? strchr(linkage, '@') : NULL; /* stdout@GLIBC_2.2.5 */
	char plain[256];
	if (version && version != linkage && (size_t)(version - linkage) < sizeof plain) {
		memcpy(plain, linkage, (size_t)(version - linkage));
		plain[version - linkage] = 0;
		return sym_intern(plain);
	}
	return sym_intern(linkage);
}

const char *sym_die_name(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr)) {
		const char *linkage = dwarf_formstring(&attr);
		/* Without a demangler the plain name reads better than the mangled one. */
		if (linkage && linkage[0] == '_' && linkage[1] == 'Z' && __cxa_demangle)
			return sym_demangle(linkage);
	}
	if (dwarf_attr_integrate(die, DW_AT_name, &attr))
		return sym_intern(dwarf_formstring(&attr));
	return NULL;
}

/* A skeleton has the directory, its split unit the name. */
static const char *cu_string(Dwarf_Die *cu, unsigned at)
{
	Dwarf_Attribute attr;
	if (dwarf_attr(cu, at, &attr))
		return dwarf_formstring(&attr);
	Dwarf_Die split = *cu;
	module_unskeleton(&split);
	return dwarf_attr(&split, at, &attr) ? dwarf_formstring(&attr) : NULL;
}

/* libdw puts the compilation directory before every relative path. Where the source itself was named
 * relatively, we take it off again. */
const char *sym_path(Dwarf_Die *cu, const char *path)
{
	if (!path)
		return NULL;
	const char *dir = cu_string(cu, DW_AT_comp_dir), *name = cu_string(cu, DW_AT_name);
	if (dir && name && name[0] != '/') {
		size_t n = strlen(dir);
		while (n > 0 && dir[n - 1] == '/')
			n--;
		if (n && !strncmp(path, dir, n) && path[n] == '/') {
			path += n;
			while (*path == '/')
				path++;
		}
	}
	while (path[0] == '.' && path[1] == '/' && path[2])
		path += 2;
	return sym_intern(path);
}

const char *sym_dir(Dwarf_Die *cu, const char *path)
{
	return path && path[0] != '/' ? sym_intern(cu_string(cu, DW_AT_comp_dir)) : NULL;
}

/* By the attribute: dwarf_decl_file of libdw 0.188 aborts in split units whose lines nobody has read. */
const char *sym_decl_path(Dwarf_Die *cu, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	Dwarf_Word index;
	if (!dwarf_attr_integrate(die, DW_AT_decl_file, &attr) || dwarf_formudata(&attr, &index))
		return NULL;
	const char *path = dwarf_getsrcfiles(cu, &files, NULL) == 0
			       ? dwarf_filesrc(files, index, NULL, NULL)
			       : NULL;
	/* DWARF 5 counts files from 0, the unit's own source; before, 0 meant "none" and libdw says so. */
	if (index == 0 && (!path || !strcmp(path, "???")))
		path = cu_string(cu, DW_AT_name);
	return sym_path(cu, path);
}

/* ---- goro's own code ----
 *
 * Names cannot tell: a program may well have a function `park`. The place of the source can: what was
 * compiled from runtime/ or race/ of the same tree as this very folder is ours. */

#define OWN_ANCHOR "runtime/symbol/symbol.c"
static char own_root[1024]; /* path up to runtime/, slash included; "" while unknown */

static bool cu_full_path(Dwarf_Die *cu, char *out, size_t size)
{
	const char *dir = cu_string(cu, DW_AT_comp_dir), *name = cu_string(cu, DW_AT_name);
	if (!name)
		return false;
	if (name[0] == '.' && name[1] == '/')
		name += 2;
	size_t nd = name[0] == '/' || !dir ? 0 : strlen(dir), nn = strlen(name);
	if (nd + nn + 2 > size)
		return false;
	if (nd) {
		memcpy(out, dir, nd);
		out[nd++] = '/';
	}
	memcpy(out + nd, name, nn + 1);
	return true;
}

void sym_set_own(Dwarf_Die *cu)
{
	char path[sizeof own_root];
	size_t anchor = strlen(OWN_ANCHOR);
	if (!cu_full_path(cu, path, sizeof path))
		return;
	size_t n = strlen(path);
	if (n < anchor || strcmp(path + n - anchor, OWN_ANCHOR) != 0)
		return;
	memcpy(own_root, path, n - anchor);
	own_root[n - anchor] = 0;
}

bool sym_cu_own(Dwarf_Die *cu)
{
	char path[sizeof own_root];
	size_t n = strlen(own_root);
	if (!n || !cu_full_path(cu, path, sizeof path) || strncmp(path, own_root, n) != 0)
		return false;
	return !strncmp(path + n, "runtime/", 8) || !strncmp(path + n, "race/", 5);
}
