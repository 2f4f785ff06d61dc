/* sync.c: what threads do to each other: a queue under mutex and conditions, a shared table, lock-free structures. */
#include "work.h"
#include <stdatomic.h>

/* ---- pcq: a bounded queue under a mutex and two conditions ---- */
enum { CAPACITY = 64, MESSAGES = 3000000 };
struct message {
	uint64_t id, payload[3];
};
static struct message ring[CAPACITY];
static size_t ring_head, ring_count;
static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static uint64_t pcq_sum;
static void *pcq_thread(void *arg)
{
	if (arg == NULL) {
		for (uint64_t i = 0; i < MESSAGES; i++) {
			struct message m = {i, {i, i * 2, i * 3}};
			pthread_mutex_lock(&ring_lock);
			while (ring_count == CAPACITY)
				pthread_cond_wait(&not_full, &ring_lock);
			ring[(ring_head + ring_count++) % CAPACITY] = m;
			if (ring_count == 1)
				pthread_cond_signal(&not_empty);
			pthread_mutex_unlock(&ring_lock);
		}
	} else {
		uint64_t sum = 0;
		for (int i = 0; i < MESSAGES; i++) {
			pthread_mutex_lock(&ring_lock);
			while (ring_count == 0)
				pthread_cond_wait(&not_empty, &ring_lock);
			struct message m = ring[ring_head];
			ring_head = (ring_head + 1) % CAPACITY;
			if (ring_count-- == CAPACITY)
				pthread_cond_signal(&not_full);
			pthread_mutex_unlock(&ring_lock);
			sum += m.id + m.payload[2];
		}
		pcq_sum = sum;
	}
	return NULL;
}
uint64_t work_pcq(void)
{
	on_threads(pcq_thread);
	return pcq_sum;
}

/* ---- readsh: many look-ups in a table that nobody writes ---- */
enum { ROWS = 1 << 15, LOOKUPS = 26000000 };
static uint64_t table[ROWS];
static uint64_t readsh_sum[THREADS];
static void *readsh_thread(void *arg)
{
	uint64_t at = 1 + (uint64_t)(intptr_t)arg, sum = 0;
	for (int i = 0; i < LOOKUPS; i++) {
		at = table[at % ROWS] + (uint64_t)i;
		sum += at;
	}
	readsh_sum[(intptr_t)arg] = sum;
	return NULL;
}
uint64_t work_readsh(void)
{
	uint64_t seed = 11;
	for (int i = 0; i < ROWS; i++)
		table[i] = next_random(&seed) >> 20;
	on_threads(readsh_thread);
	return readsh_sum[0] ^ readsh_sum[1];
}

/* ---- lockfree: counters, a Treiber stack with tags, a single-producer ring ---- */
enum { LF_OPS = 5000000, LF_NODES = 1024, LF_RING = 1024 };
static atomic_ullong counters[8];
static struct {
	atomic_uint next;
	uint64_t value;
} nodes[LF_NODES];
static _Atomic uint64_t top; /* tag << 32 | index + 1 */
static uint64_t lf_ring[LF_RING];
static atomic_size_t lf_head, lf_tail;
static void lf_push(uint32_t n)
{
	uint64_t old = atomic_load_explicit(&top, memory_order_relaxed);
	do {
		atomic_store_explicit(&nodes[n].next, (uint32_t)old, memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(&top, &old, ((old >> 32) + 1) << 32 | (n + 1),
	    memory_order_release, memory_order_relaxed));
}
static int lf_pop(void)
{
	uint64_t old = atomic_load_explicit(&top, memory_order_acquire);
	while ((uint32_t)old != 0) {
		uint32_t next = atomic_load_explicit(&nodes[(uint32_t)old - 1].next, memory_order_relaxed);
		if (atomic_compare_exchange_weak_explicit(&top, &old, ((old >> 32) + 1) << 32 | next,
			memory_order_acquire, memory_order_acquire))
			return (int)(uint32_t)old - 1;
	}
	return -1;
}
static void *lockfree_thread(void *arg)
{
	for (int i = 0; i < LF_OPS; i++) {
		atomic_fetch_add_explicit(&counters[i & 7], 1, memory_order_relaxed);
		int n = lf_pop();
		if (n >= 0) {
			nodes[n].value++;
			lf_push((uint32_t)n);
		}
		if (arg == NULL) {
			size_t t = atomic_load_explicit(&lf_tail, memory_order_relaxed);
			if (t - atomic_load_explicit(&lf_head, memory_order_acquire) < LF_RING) {
				lf_ring[t % LF_RING] = (uint64_t)i;
				atomic_store_explicit(&lf_tail, t + 1, memory_order_release);
			}
		} else {
			size_t h = atomic_load_explicit(&lf_head, memory_order_relaxed);
			if (h != atomic_load_explicit(&lf_tail, memory_order_acquire)) {
				(void)*(volatile uint64_t *)&lf_ring[h % LF_RING];
				atomic_store_explicit(&lf_head, h + 1, memory_order_release);
			}
		}
	}
	return NULL;
}
uint64_t work_lockfree(void)
{
	for (uint32_t i = 0; i < LF_NODES; i++)
		lf_push(i);
	on_threads(lockfree_thread);
	uint64_t sum = 0;
	for (int i = 0; i < 8; i++)
		sum += atomic_load(&counters[i]);
	return sum;
}
