/*
 * work.h: the eleven kinds of work that the detector's cost is measured on. Plain C11 and pthreads, two threads
 * each; every function does its work, checks its own result and returns a checksum. Sizes are chosen so that
 * a native run lasts 0.2 s or more; work.go has the same ones.
 */
#ifndef WORK_H
#define WORK_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 2

uint64_t work_matmul(void);
uint64_t work_stencil(void);
uint64_t work_bytes(void);
uint64_t work_shmap(void);
uint64_t work_msort(void);
uint64_t work_wc(void);
uint64_t work_bintree(void);
uint64_t work_graph(void);
uint64_t work_pcq(void);
uint64_t work_readsh(void);
uint64_t work_lockfree(void);

/* Run f(i) on THREADS threads, i from 0, and join them. */
static inline void on_threads(void *(*f)(void *))
{
	pthread_t t[THREADS];
	for (intptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, f, (void *)i) != 0)
			abort();
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

/* xorshift64*: the same numbers everywhere. */
static inline uint64_t next_random(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * UINT64_C(2685821657736338717);
}

#endif
