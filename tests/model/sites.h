/*
 * sites.h: the accesses of an interpreted program: the only instrumented code in it.
 */
#ifndef TESTS_MODEL_SITES_H
#define TESTS_MODEL_SITES_H

#include <stdbool.h>
#include <stdint.h>

/* size 1, 2, 4, 8 or 16, at any alignment. */
void site_read(void *p, int size);
void site_write(void *p, int size);
/* Any size, through libc. */
void site_read_range(void *p, int size);
void site_write_range(void *p, int size);
void site_copy(void *to, const void *from, int size);
/* size 4 or 8; order: __ATOMIC_*. */
void site_load(void *p, int size, int order);
void site_store(void *p, int size, int order, uint64_t value);
void site_add(void *p, int size, int order);
void site_exchange(void *p, int size, int order, uint64_t value);
bool site_cas(void *p, int size, int order, int order2, uint64_t expect, uint64_t value);
void site_fence(int order);
void *site_alloc(int size);
void site_free(void *p);

/* interp.c */
int interpret(int argc, char **argv);

#endif
