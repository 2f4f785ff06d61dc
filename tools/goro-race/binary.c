/*
 * binary.c: see binary.h. The mark of a race build is the note "goro" of race/note.c, which stripping leaves.
 */
#include "binary.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

char *binary_find(const char *name)
{
	const char *path = getenv("PATH");
	char *found, *full;

	if (strchr(name, '/')) {
		full = realpath(name, NULL);
		if (!full || access(full, X_OK) != 0)
			die("cannot run %s: %s", name, strerror(errno));
		return full;
	}
	for (path = path ? path : "/usr/bin:/bin"; *path; path += strspn(path, ":")) {
		size_t n = strcspn(path, ":");

		found = text_printf("%.*s/%s", (int)n, path, name);
		full = access(found, X_OK) == 0 ? realpath(found, NULL) : NULL;
		free(found);
		if (full)
			return full;
		path += n;
	}
	die("cannot run %s: not found in PATH", name);
}

static bool has_note(Elf *e)
{
	size_t n = 0;

	elf_getphdrnum(e, &n);
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr p;
		GElf_Nhdr note;
		Elf_Data *data;
		size_t at = 0, name, desc;

		if (!gelf_getphdr(e, (int)i, &p) || p.p_type != PT_NOTE)
			continue;
		data = elf_getdata_rawchunk(
		    e, (int64_t)p.p_offset, p.p_filesz, p.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		while (data && (at = gelf_getnote(data, at, &note, &name, &desc)) > 0)
			if (note.n_type == 1 && note.n_namesz == 5 &&
			    memcmp((char *)data->d_buf + name, "goro", 5) == 0)
				return true;
	}
	return false;
}

static bool has_runtime(Elf *e)
{
	Elf_Scn *s = NULL;

	while ((s = elf_nextscn(e, s))) {
		GElf_Shdr h;
		Elf_Data *data;

		if (!gelf_getshdr(s, &h) || (h.sh_type != SHT_SYMTAB && h.sh_type != SHT_DYNSYM) ||
		    !h.sh_entsize || !(data = elf_getdata(s, NULL)))
			continue;
		for (size_t i = 0; i < h.sh_size / h.sh_entsize; i++) {
			GElf_Sym sym;
			const char *name;

			if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF)
				continue;
			name = elf_strptr(e, h.sh_link, sym.st_name);
			if (name &&
			    (strcmp(name, "goro_run") == 0 || strcmp(name, "__wrap_main") == 0))
				return true;
		}
	}
	return false;
}

BinaryKind binary_kind(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	BinaryKind kind = BINARY_SCRIPT;
	Elf *e;

	if (fd < 0)
		return kind;
	elf_version(EV_CURRENT);
	e = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (e && elf_kind(e) == ELF_K_ELF)
		kind = has_note(e) ? BINARY_RACE : has_runtime(e) ? BINARY_GORO : BINARY_OTHER;
	elf_end(e);
	close(fd);
	return kind;
}

char *binary_id(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	static char buffer[1 << 16];
	uint64_t h = HASH_START;
	ssize_t n;

	if (fd < 0)
		die("cannot read %s: %s", path, strerror(errno));
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		h = hash_bytes(h, buffer, (size_t)n);
	close(fd);
	return text_printf("%016llx", (unsigned long long)h);
}

char *binary_for_races(const char *name, BinaryKind *kind)
{
	const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	char *path = binary_find(name);
	BinaryKind its = binary_kind(path);

	if (its == BINARY_GORO)
		die("%s is no race build; build it by\n"
		    "    goro-cc -race -g %s.c -o %s\n"
		    "or with CC=goro-cc CFLAGS='-race -g' LDFLAGS=-race in its build system",
		    name, base, base);
	if (kind)
		*kind = its;
	return path;
}

void binary_none_raced(const char *name)
{
	die("neither %s nor anything it started is a race build, so nothing was looked for.\n"
	    "Build the programs by goro-cc -race -g, or with CC=goro-cc CFLAGS='-race -g' "
	    "LDFLAGS=-race",
	    name);
}
