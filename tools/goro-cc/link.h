/*
 * link.h: what the driver adds to a command, and what it refuses.
 */
#ifndef GORO_CC_LINK_H
#define GORO_CC_LINK_H

#include "args.h"
#include "host.h"

/* Does the host run the linker for a program or shared object (not -c, -r, a question, ...)? */
bool links(const Args *a);
/* The host's whole command line. */
void command_build(Words *w, const Args *a, const Host *h, const char *dir);
/* Die when the flags contradict each other. */
void check_flags(const Args *a);
/* Die when what is to be linked would make a program other than asked for: -race without instrumented
 * code or with code that is not, instrumented code without -race, or a runtime that is not there. */
void check_link(const Args *a, const char *dir);

#endif
