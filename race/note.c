/*
 * note.c: the mark of a race build: an ELF note, name "goro", type 1, which strip and --gc-sections leave.
 * `goro-cc --check` looks for it.
 */
#include <stdint.h>

static const struct {
	uint32_t namesz, descsz, type;
	char name[8]; /* padded to 4 */
	char desc[8];
} note __attribute__((section(".note.goro"), used, aligned(4))) = {5, 5, 1, "goro", "race"};
