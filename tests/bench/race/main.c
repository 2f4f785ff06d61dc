/* main.c: run one kind of work by its name and print its checksum. Usage: work NAME. */
#include "work.h"

static const struct {
	const char *name;
	uint64_t (*run)(void);
} kinds[] = {{"matmul", work_matmul}, {"stencil", work_stencil}, {"shmap", work_shmap}, {"msort", work_msort},
    {"pcq", work_pcq}, {"wc", work_wc}, {"bintree", work_bintree}, {"readsh", work_readsh}, {"bytes", work_bytes},
    {"graph", work_graph}, {"lockfree", work_lockfree}};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(argv[1], kinds[i].name) == 0) {
			printf("%s %llu\n", kinds[i].name, (unsigned long long)kinds[i].run());
			return 0;
		}
	}
	fprintf(stderr, "usage: work NAME\n");
	return 1;
}
