/*
 * init.c: open the interceptors: called by race_init, before the program's first instrumented access.
 */
#include "init.h"

#include "core.h"

bool intercept_ready;

void intercept_init(void)
{
	real_resolve_all();
	thread_init();
	exit_init();
	intercept_ready = true;
}
