/*
 * host.h: the compiler that does the work.
 */
#ifndef GORO_CC_HOST_H
#define GORO_CC_HOST_H

#include "args.h"

typedef struct Host {
	Words words; /* what to run: its path first, then wrappers' further words ("ccache gcc") */
	bool clang;  /* else gcc; known only after host_probe */
} Host;

/* The host compiler: --goro-cc=, else the environment's GORO_CC (for C++ first GORO_CXX), else gcc, cc or
 * clang, whichever is there. For C++ the C++ driver beside a C compiler's name is taken (gcc-12: g++-12).
 * Dies when it is not there; never finds the driver itself. */
void host_find(Host *h, const Args *a);
/* Find out h->clang: by name, or by asking it. */
void host_probe(Host *h);
/* The folder that goro is installed in (or built in): --goro-dir=, GORO_DIR, else where the driver
 * itself lies, one above its bin/. */
const char *host_goro_dir(const Args *a);

#endif
