/*
 * heap.c: heap memory. Fresh memory has no past; free counts as a write; the report knows the block.
 */
#include "case.h"

#include <malloc.h>

char *p; /* external, or the compiler makes globals of the blocks */
int *ip;
ACCESS(write_p, p[5] = 1)
ACCESS(read_p, USE(p[5]))
ACCESS(write_ip, ip[3] = 1)
ACCESS(read_ip, USE(ip[3]))
ACCESS(free_p, free(p))

static void writer(void)
{
	write_p();
	step(1);
}
static void reader(void)
{
	after(1);
	read_p();
	step(2);
}
static void race_heap_malloc(void)
{
	p = malloc(40);
	go(writer);
	go(reader);
	after(2);
}
static void race_heap_realloc(void)
{
	p = realloc(malloc(40), 4000);
	go(writer);
	go(reader);
	after(2);
}
static void race_heap_aligned(void)
{
	p = aligned_alloc(64, 128);
	go(writer);
	go(reader);
	after(2);
}
static void race_heap_big(void)
{
	p = malloc(10 << 20);
	go(writer);
	go(reader);
	after(2);
}
static void int_writer(void)
{
	write_ip();
	step(1);
}
static void int_reader(void)
{
	after(1);
	read_ip();
	step(2);
}
static void race_heap_calloc(void)
{
	ip = calloc(10, sizeof *ip);
	go(int_writer);
	go(int_reader);
	after(2);
}

/* calloc's zeroing is the allocator's, and before the block is given out. */
static void reads_zeros(int *block)
{
	USE(block[9]);
	arrive();
}
static void norace_heap_calloc_zeroes(void)
{
	int *block = calloc(10, sizeof *block);
	go(reads_zeros, block);
	go(reads_zeros, block);
	arrived(2);
}

/* Two goroutines allocate in turn and get the same block. */
static void use_block(int n)
{
	after(n);
	int *block = malloc(100);
	memset(block, n, 100);
	block[5]++;
	free(block);
	step(n + 1);
}
static void norace_heap_recycled(void)
{
	for (int i = 0; i < 50; i++)
		go(use_block, i);
	after(50);
}
static void use_many_blocks(void)
{
	void *block[16];
	for (int i = 0; i < 200; i++) {
		for (int k = 0; k < 16; k++) {
			size_t size = (size_t)(i * 7 + k * 13) % 300 + 1;
			block[k] = malloc(size);
			memset(block[k], k, size);
		}
		for (int k = 0; k < 16; k++)
			free(block[k]);
		goro_gosched();
	}
	arrive();
}
static void norace_heap_churn(void)
{
	for (int i = 0; i < 6; i++)
		go(use_many_blocks);
	arrived(6);
}
/* That malloc and free pass through one allocator orders nothing. */
static void write_x_malloc(void)
{
	write_x();
	free(malloc(100));
	step(1);
}
static void malloc_read_x(void)
{
	after(1);
	free(malloc(100));
	read_x();
	step(2);
}
static void race_heap_allocator_orders_nothing(void)
{
	go(write_x_malloc);
	go(malloc_read_x);
	after(2);
}

/* ---- free ---- */

static void freer_late(void)
{
	after(1);
	free_p();
	step(2);
}
static void race_heap_write_then_free(void)
{
	p = malloc(40);
	go(writer);
	go(freer_late);
	after(2);
}
static void read_first(void)
{
	read_p();
	step(1);
}
static void race_heap_read_then_free(void)
{
	p = malloc(40);
	memset(p, 0, 40);
	go(read_first);
	go(freer_late);
	after(2);
}
static void freer(void)
{
	free_p();
	step(1);
}
static void race_heap_free_then_read(void)
{
	p = malloc(40);
	go(freer);
	go(reader);
	after(2);
}
static goro_mutex m;
static void locked_use(void)
{
	goro_mutex_lock(&m);
	write_p();
	goro_mutex_unlock(&m);
	step(1);
}
static void locked_free(void)
{
	after(1);
	goro_mutex_lock(&m);
	free_p();
	goro_mutex_unlock(&m);
	step(2);
}
static void norace_heap_free_under_mutex(void)
{
	p = malloc(40);
	go(locked_use);
	go(locked_free);
	after(2);
}
/* Ordered, and still wrong: the block is gone. */
static void locked_read_freed(void)
{
	after(2);
	goro_mutex_lock(&m);
	read_p();
	goro_mutex_unlock(&m);
	step(3);
}
static void race_heap_use_after_free(void)
{
	p = malloc(40);
	go(locked_use);
	go(locked_free);
	go(locked_read_freed);
	after(3);
}
/* realloc gives the old block back. */
ACCESS(grow_p, USE(realloc(p, 100000)))
static void race_heap_write_then_realloc(void)
{
	p = malloc(40);
	go(writer);
	after(1);
	grow_p();
}

/* Ownership passes with the pointer. */
static chan(char *) blocks;
static void produce(void)
{
	for (int i = 0; i < 100; i++) {
		char *block = malloc(64);
		memset(block, i, 64);
		chan_send(blocks, block);
	}
	chan_close(blocks);
}
static void norace_heap_passed_on(void)
{
	blocks = chan_make(char *, 4);
	go(produce);
	chan_range(block, blocks) {
		block[3]++;
		free(block);
	}
}
static void send_then_write(void)
{
	char *block = malloc(64);
	p = block;
	chan_send(blocks, block);
	write_p();
	step(1);
}
static void race_heap_written_after_passing_on(void)
{
	blocks = chan_make(char *);
	go(send_then_write);
	char *block = chan_recv(blocks);
	after(1);
	USE(block[5]);
}

#define LARGE_USE(use) use " / free free_large<frees_large / heap block of size 3145728"
/* Freed blocks above 256 KiB are marked by chunks of 64 KiB, and by cells at their ends: a use anywhere in them is found. */
enum { LARGE = 3 << 20, KIB = 1024 };
static char *large;
static void *behind_room;
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 30); /* what is freed stays mapped */
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_ARENA_MAX, 1); /* and may be anybody's */
	/* What others ask for meanwhile, a thread that starts for its variables, is found here, and not in the block. */
	void *room = malloc(64 * KIB);
	behind_room = malloc(1);
	free(room);
}
ACCESS(free_large, free(large))
static void frees_large(void)
{
	free_large();
	step(1);
}
ACCESS(read_large_first, USE(large[0]))
ACCESS(write_large_early, large[64 * KIB] = 1)
ACCESS(read_large_middle, USE(large[LARGE / 2 + 5]))
ACCESS(write_large_chunk_end, *(int *)(large + LARGE - 128 * KIB - 4) = 1)
ACCESS(read_large_last, USE(large[LARGE - 1]))
static void race_heap_use_after_free_of_a_large_block(void)
{
	keep_memory();
	large = malloc(LARGE);
	go(frees_large);
	after(1);
	read_large_first();
	write_large_early();
	read_large_middle();
	write_large_chunk_end();
	read_large_last();
}
/* What was written there before does not matter, nor who frees it: the block is gone. */
static void race_heap_use_after_free_of_a_large_block_written_before(void)
{
	keep_memory();
	large = malloc(LARGE);
	memset(large, 1, LARGE);
	free_large();
	for (int i = 0; i < 10; i++)
		write_large_early();
	read_large_middle();
}
ACCESS(fill_large, memset(large + 200 * KIB, 1, LARGE / 2))
static void race_heap_fill_after_free_of_a_large_block(void)
{
	keep_memory();
	large = malloc(LARGE);
	free_large();
	fill_large();
}
static void race_heap_large_block_freed_beside_its_use(void)
{
	keep_memory();
	large = malloc(LARGE);
	go(frees_large);
	after(1);
	read_large_middle();
}
/* Its memory goes to others, whole or in parts: fresh, whoever had it. */
static void reuses_large(void)
{
	char *volatile whole, *parts[40]; /* volatile: clang knows that fresh memory is nobody's */
	after(1);
	whole = malloc(LARGE);
	if (whole != large)
		abort();
	memset(whole, 2, LARGE);
	free(whole);
	for (int i = 0; i < 40; i++) {
		parts[i] = malloc(i % 2 ? 70 * KIB : 1000);
		memset(parts[i], 3, i % 2 ? 70 * KIB : 1000);
	}
	for (int i = 0; i < 40; i++)
		free(parts[i]);
	step(2);
}
static void norace_heap_large_block_reused(void)
{
	keep_memory();
	large = malloc(LARGE);
	memset(large, 1, LARGE);
	go(reuses_large);
	free_large();
	step(1);
	after(2);
}
/* calloc and realloc as well. */
static void norace_heap_large_block_reused_by_others(void)
{
	keep_memory();
	large = malloc(LARGE);
	free_large();
	char *q = calloc(LARGE / 8, 4);
	USE(q[LARGE / 4]);
	q = realloc(q, LARGE);
	q[LARGE - 1] = 1;
	q = realloc(q, 100);
	q[99] = 1;
	free(q);
}

CASES(
    RACE(race_heap_malloc, "read read_p<reader / write write_p<writer / heap block of size 40")
    RACE(race_heap_realloc, "read read_p<reader / write write_p<writer / heap block of size 4000")
    RACE(race_heap_aligned, "read read_p<reader / write write_p<writer / heap block of size 128")
    RACE(race_heap_big, "read read_p<reader / write write_p<writer / heap block of size 10485760")
    RACE(race_heap_calloc, "read read_ip<int_reader / write write_ip<int_writer / heap block of size 40")
    NORACE(norace_heap_calloc_zeroes)
    NORACE(norace_heap_recycled)
    NORACE(norace_heap_churn)
    RACE(race_heap_allocator_orders_nothing,
	"read read_x<malloc_read_x / write write_x<write_x_malloc / global x")
    RACE(race_heap_write_then_free, "free free_p<freer_late / write write_p<writer / heap")
    RACE(race_heap_read_then_free, "free free_p<freer_late / read read_p<read_first / heap")
    RACE(race_heap_free_then_read, "read read_p<reader / free free_p<freer / heap")
    NORACE(norace_heap_free_under_mutex)
    RACE(race_heap_use_after_free, "read read_p<locked_read_freed / free free_p<locked_free / heap")
    RACE(race_heap_write_then_realloc,
	"free grow_p<race_heap_write_then_realloc / write write_p<writer / heap block of size 4")
    NORACE(norace_heap_passed_on)
    RACE(race_heap_written_after_passing_on,
	"read race_heap_written_after_passing_on / write write_p<send_then_write / heap block of size 64")
    RACE(race_heap_use_after_free_of_a_large_block, LARGE_USE("read read_large_first") " ; " LARGE_USE("write write_large_early") " ; "
	LARGE_USE("read read_large_middle") " ; " LARGE_USE("write write_large_chunk_end") " ; " LARGE_USE("read read_large_last"))
    RACE(race_heap_use_after_free_of_a_large_block_written_before,
	"write write_large_early / free free_large / heap block of size 3145728 ; read read_large_middle / free free_large / heap block of size 3145728")
    RACE(race_heap_fill_after_free_of_a_large_block, "write fill_large / free free_large / heap block of size 3145728")
    RACE(race_heap_large_block_freed_beside_its_use, LARGE_USE("read read_large_middle"))
    NORACE(norace_heap_large_block_reused)
    NORACE(norace_heap_large_block_reused_by_others)
)
