/*
 * objects.c: look into ELF files, archives and LLVM bitcode. Whole files, mapped; every offset that
 * comes from a file is checked against its size.
 *
 * How an object tells. gcc and clang give each unit compiled with -fsanitize=thread a constructor that
 * calls __tsan_init, even where there is no code; that is the mark, as it stays in `ld -r`, in LTO
 * bitcode and at any -O. gcc's LTO objects have no symbols yet; there goro-cc has the switches recorded.
 * What a compiler made has a .comment; what the assembler made has none.
 * Only 64-bit little-endian ELF is read; the rest is left to the linker.
 */
#include "objects.h"
#include "words.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Bytes {
	const unsigned char *p;
	size_t n;
} Bytes;

static bool map_file(const char *path, Bytes *b)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return false;
	*b = (Bytes){p, (size_t)st.st_size};
	return true;
}

static bool within(Bytes b, uint64_t offset, uint64_t size)
{
	return offset <= b.n && size <= b.n - offset;
}

/* A NUL-terminated string inside a part of the file; "" when it is not one. */
static const char *string_at(Bytes b, uint64_t table, uint64_t size, uint64_t offset)
{
	if (!within(b, table, size) || offset >= size ||
	    !memchr(b.p + table + offset, 0, size - offset))
		return "";
	return (const char *)b.p + table + offset;
}

static const Elf64_Ehdr *elf_header(Bytes b)
{
	const Elf64_Ehdr *h = (const void *)b.p;

	if (b.n < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 ||
	    h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return NULL;
	return h;
}

typedef struct Elf {
	Bytes b;
	const Elf64_Ehdr *head;
	const unsigned char *sections; /* may be unaligned inside an archive: read by elf_section */
	uint64_t nsections;
	Elf64_Shdr names;
} Elf;

static Elf64_Shdr elf_section(const Elf *e, uint64_t i)
{
	Elf64_Shdr s;

	memcpy(&s, e->sections + i * sizeof(s), sizeof(s));
	return s;
}

static bool elf_open(Elf *e, Bytes b)
{
	Elf64_Ehdr h;
	uint64_t name_index;

	memset(e, 0, sizeof(*e));
	if (!elf_header(b))
		return false;
	e->b = b;
	e->head = elf_header(b);
	memcpy(&h, b.p, sizeof(h));
	if (!h.e_shoff || h.e_shentsize != sizeof(Elf64_Shdr) ||
	    !within(b, h.e_shoff, sizeof(Elf64_Shdr)))
		return true; /* no section headers: an ELF file all the same */
	e->sections = b.p + h.e_shoff;
	e->nsections = h.e_shnum ? h.e_shnum : elf_section(e, 0).sh_size;
	if (e->nsections > (b.n - h.e_shoff) / sizeof(Elf64_Shdr)) {
		e->nsections = 0;
		return true;
	}
	name_index = h.e_shstrndx == SHN_XINDEX ? elf_section(e, 0).sh_link : h.e_shstrndx;
	if (name_index < e->nsections)
		e->names = elf_section(e, name_index);
	return true;
}

static const char *section_name(const Elf *e, const Elf64_Shdr *s)
{
	return string_at(e->b, e->names.sh_offset, e->names.sh_size, s->sh_name);
}

/* A symbol of that name in a table of that type; defined or not as asked. */
static bool has_symbol(const Elf *e, uint32_t type, const char *name, bool defined)
{
	for (uint64_t i = 0; i < e->nsections; i++) {
		Elf64_Shdr s = elf_section(e, i), strings;

		if (s.sh_type != type || s.sh_link >= e->nsections ||
		    !within(e->b, s.sh_offset, s.sh_size))
			continue;
		strings = elf_section(e, s.sh_link);
		for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= s.sh_size;
		     at += sizeof(Elf64_Sym)) {
			Elf64_Sym sym;

			memcpy(&sym, e->b.p + s.sh_offset + at, sizeof(sym));
			if ((sym.st_shndx != SHN_UNDEF) == defined &&
			    strcmp(string_at(e->b, strings.sh_offset, strings.sh_size, sym.st_name),
				name) == 0)
				return true;
		}
	}
	return false;
}

/* The text occurs in the section. */
static bool mentions(const Elf *e, const Elf64_Shdr *s, const char *text)
{
	return within(e->b, s->sh_offset, s->sh_size) && s->sh_type != SHT_NOBITS &&
	       memmem(e->b.p + s->sh_offset, s->sh_size, text, strlen(text)) != NULL;
}

static ObjectKind elf_kind(const Elf *e)
{
	bool code = false, lto = false, c = false, switched = false;

	if (e->head->e_type == ET_DYN || e->head->e_type == ET_EXEC)
		return OBJECT_SHARED;
	if (e->head->e_type != ET_REL)
		return OBJECT_NONE;
	if (has_symbol(e, SHT_SYMTAB, "__tsan_init", false))
		return OBJECT_INSTRUMENTED;
	for (uint64_t i = 0; i < e->nsections; i++) {
		Elf64_Shdr s = elf_section(e, i);
		const char *name = section_name(e, &s);

		if (starts_with(name, ".gnu.lto_"))
			lto = true;
		else if ((s.sh_flags & SHF_EXECINSTR) && s.sh_size > 0)
			code = true;
		else if (strcmp(name, ".comment") == 0)
			c = mentions(e, &s, "GCC:") || mentions(e, &s, "clang");
		else if (strcmp(name, ".GCC.command.line") == 0)
			switched = mentions(e, &s, "-fsanitize=thread");
	}
	if (lto && switched)
		return OBJECT_INSTRUMENTED;
	if (code && c)
		return OBJECT_UNCHECKED;
	return lto ? OBJECT_LTO : OBJECT_NEUTRAL;
}

static bool is_bitcode(Bytes b)
{
	return b.n >= 4 &&
	       (memcmp(b.p, "BC\xc0\xde", 4) == 0 || memcmp(b.p, "\xde\xc0\x17\x0b", 4) == 0);
}

static ObjectKind bytes_kind(Bytes b);

/* The members of an ar file: one instrumented is enough. */
static ObjectKind archive_kind(Bytes b)
{
	enum { HEAD = 60, SIZE_AT = 48, SIZE_LEN = 10 };
	size_t at = 8;

	while (within(b, at, HEAD)) {
		char digits[SIZE_LEN + 1] = {0};
		const char *head = (const char *)b.p + at;
		uint64_t size;

		memcpy(digits, head + SIZE_AT, SIZE_LEN);
		size = strtoull(digits, NULL, 10);
		at += HEAD;
		if (!within(b, at, size))
			break;
		if (head[0] != '/' || (head[1] >= '0' && head[1] <= '9')) { /* not an index */
			ObjectKind k = bytes_kind((Bytes){b.p + at, size});

			if (k == OBJECT_INSTRUMENTED || k == OBJECT_LTO)
				return OBJECT_INSTRUMENTED;
		}
		at += size + (size & 1);
	}
	return OBJECT_NEUTRAL;
}

static ObjectKind bytes_kind(Bytes b)
{
	Elf e;

	if (is_bitcode(b))
		return memmem(b.p, b.n, "__tsan_init", 11) ? OBJECT_INSTRUMENTED : OBJECT_UNCHECKED;
	if (b.n >= 8 && memcmp(b.p, "!<arch>\n", 8) == 0)
		return archive_kind(b);
	return elf_open(&e, b) ? elf_kind(&e) : OBJECT_NONE;
}

ObjectKind object_kind(const char *path)
{
	Bytes b;
	ObjectKind k;

	if (!map_file(path, &b))
		return OBJECT_NONE;
	k = bytes_kind(b);
	munmap((void *)(uintptr_t)b.p, b.n);
	return k;
}

/* The note of race/note.c: name "goro", type 1. Found by the program headers, as a stripped file or one
 * without section headers has those. */
static bool has_note(const Elf *e)
{
	Elf64_Ehdr h;

	memcpy(&h, e->b.p, sizeof(h));
	for (uint64_t i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr p;
		uint64_t at = h.e_phoff + i * sizeof(p);

		if (h.e_phentsize != sizeof(p) || !within(e->b, at, sizeof(p)))
			break;
		memcpy(&p, e->b.p + at, sizeof(p));
		if (p.p_type != PT_NOTE || !within(e->b, p.p_offset, p.p_filesz))
			continue;
		for (uint64_t n = 0; n + sizeof(Elf64_Nhdr) <= p.p_filesz;) {
			Elf64_Nhdr note;
			const unsigned char *name = e->b.p + p.p_offset + n + sizeof(note);
			uint64_t align = p.p_align > 4 ? p.p_align : 4, len;

			memcpy(&note, e->b.p + p.p_offset + n, sizeof(note));
			len = sizeof(note) + note.n_namesz;
			len = (len + align - 1) & ~(align - 1);
			len = (len + note.n_descsz + align - 1) & ~(align - 1);
			if (note.n_type == 1 && note.n_namesz == 5 &&
			    n + sizeof(note) + 5 <= p.p_filesz && memcmp(name, "goro", 5) == 0)
				return true;
			n += len;
		}
	}
	return false;
}

BuildKind build_kind(const char *path)
{
	Bytes b;
	Elf e;

	if (!map_file(path, &b) || !elf_open(&e, b))
		return BUILD_UNREADABLE;
	if (has_note(&e))
		return BUILD_RACE;
	for (int dynamic = 0; dynamic < 2; dynamic++)
		for (int i = 0; i < 2; i++)
			if (has_symbol(&e, dynamic ? SHT_DYNSYM : SHT_SYMTAB,
				i ? "goro_run" : "__wrap_main", true))
				return BUILD_PLAIN;
	return BUILD_FOREIGN;
}
