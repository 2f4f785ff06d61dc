/*
 * init.h: the one door from the core to the interceptors.
 */
#ifndef GORO_RACE_INTERCEPT_INIT_H
#define GORO_RACE_INTERCEPT_INIT_H

/* Resolve all names and open the interceptors: once, by race_init. Before it they do their work and
 * say nothing. */
void intercept_init(void);

#endif
