/*
 * recall.c: small programs, each with one mistake or with none, to see which detectors find it. One binary
 * on pthreads (for goro and ThreadSanitizer), one on goroutines; recall.go is the same in Go. "recall NAME RUN"
 * runs one; RUN (1 to 5) picks which reader or byte is the wrong one. run.sh says what is expected of each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "twin.h"

static int run_number;
static int x;
static Lock m;

ACCESS(write_x, x = 1)
ACCESS(read_x, USE(x))

/* ---- distance: x is written, much happens, x is read ---- */

static char many[65536];
static APART void touch(int n)
{
	for (int i = 0; i < n; i++) {
		many[i % sizeof many]++;
		__asm__ volatile("" ::: "memory");
	}
}
static int calls;
static APART void call_nothing(void)
{
	USE(calls);
}
static void write_and_touch(int n)
{
	write_x();
	touch(n);
	step(1);
}
static void write_and_call(int n)
{
	write_x();
	for (int i = 0; i < n; i++)
		call_nothing();
	step(1);
}
static void write_and_lock(int n)
{
	static Lock own;
	write_x();
	for (int i = 0; i < n; i++) {
		lock(&own);
		unlock(&own);
	}
	step(1);
}
static void only_write(int i)
{
	write_x();
	step(1 + i);
}
static void then_read(void (*f)(int), int n)
{
	start_apart(f, n);
	after(1);
	read_x();
}
static void near(void) { then_read(write_and_touch, 0); }
static void accesses_1e5(void) { then_read(write_and_touch, 100000); }
static void accesses_1e7(void) { then_read(write_and_touch, 10000000); }
static void calls_1e7(void) { then_read(write_and_call, 10000000); }
static void locks_4e6(void) { then_read(write_and_lock, 4000000); }

static int counter;
static void brief(int i)
{
	lock(&m);
	counter += i;
	unlock(&m);
}
static void come_and_go(int n)
{
	start_apart(only_write, 0);
	after(1);
	for (int i = 0; i < n; i++) {
		start(brief, i);
		join();
	}
	read_x();
}
static void come_and_gone_300(void) { come_and_go(300); }
static void come_and_gone_1000(void) { come_and_go(1000); }

static Lock gate;
static void brief_then_wait(int i)
{
	brief(i);
	step(2 + i);
	lock(&gate);
	unlock(&gate);
}
static void alive_1000(void)
{
	lock(&gate);
	start_apart(only_write, 0);
	after(1);
	for (int i = 0; i < 1000; i++) {
		start(brief_then_wait, i);
		after(2 + i);
	}
	read_x();
	unlock(&gate);
	join();
}

/* ---- many readers, bytes, words ---- */

static void reader(int i)
{
	read_x();
	step(1 + i);
}
static void readers(int n, int outsider)
{
	for (int i = 0; i < n; i++) {
		(i == outsider ? start_apart : start)(reader, i);
		after(1 + i);
	}
	join();
	write_x();
}
static void readers_16(void) { readers(16, run_number * 16 / 6); }
static void readers_500(void) { readers(500, run_number * 500 / 6); }
static void readers_500_ordered(void) { readers(500, -1); }

_Alignas(8) char bytes[8]; /* not static: nobody reads it, and the writes would be left out */
static APART void write_byte(int i)
{
	bytes[i] = 1;
}
static void byte_writer(int i)
{
	write_byte(i);
	step(1 + i);
}
static void eight_bytes(void)
{
	for (int i = 0; i < 8; i++) {
		start_apart(byte_writer, i);
		after(1 + i);
	}
	write_byte(run_number);
}
static void eight_bytes_apart(void)
{
	for (int i = 0; i < 7; i++) {
		start_apart(byte_writer, i);
		after(1 + i);
	}
	write_byte(7);
}

static struct {
	_Alignas(8) short a, b;
} word;
ACCESS(write_a, word.a = 1)
ACCESS(write_b, word.b = 1)
ACCESS(read_a, USE(word.a))
ACCESS(read_b, USE(word.b))
static void word_writer(int i)
{
	write_a();
	write_b();
	step(1 + i);
}
static void two_in_a_word(void)
{
	start_apart(word_writer, 0);
	after(1);
	read_a();
	read_b();
}

/* ---- atomics ---- */

static int flag;
static void sets_relaxed(int i)
{
	write_x();
	__atomic_store_n(&flag, 1, __ATOMIC_RELAXED);
	step(1 + i);
}
static void sets_release(int i)
{
	write_x();
	__atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
	step(1 + i);
}
static void sets_after_fence(int i)
{
	write_x();
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&flag, 1, __ATOMIC_RELAXED);
	step(1 + i);
}
static void adds_relaxed(int i)
{
	__atomic_fetch_add(&flag, 1, __ATOMIC_RELAXED);
	step(1 + i);
}
static void stores_relaxed(int i)
{
	__atomic_store_n(&flag, 2, __ATOMIC_RELAXED);
	step(1 + i);
}
/* f, then perhaps g, then the flag is read with an order, then x. */
static void through_flag(void (*f)(int), void (*g)(int), int order)
{
	start_apart(f, 0);
	after(1);
	if (g != NULL) {
		start_apart(g, 1);
		after(2);
	}
	if (order == __ATOMIC_ACQUIRE)
		USE(__atomic_load_n(&flag, __ATOMIC_ACQUIRE));
	else
		USE(__atomic_load_n(&flag, __ATOMIC_RELAXED));
}
static void relaxed(void)
{
	through_flag(sets_relaxed, NULL, __ATOMIC_RELAXED);
	read_x();
}
static void release_acquire(void)
{
	through_flag(sets_release, NULL, __ATOMIC_ACQUIRE);
	read_x();
}
static void fences(void)
{
	through_flag(sets_after_fence, NULL, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	read_x();
}
static void release_sequence(void)
{
	through_flag(sets_release, adds_relaxed, __ATOMIC_ACQUIRE);
	read_x();
}
static void release_sequence_broken(void)
{
	through_flag(sets_release, stores_relaxed, __ATOMIC_ACQUIRE);
	read_x();
}
static void failed_exchange(void)
{
	int expected = 0;
	start_apart(sets_release, 0);
	after(1);
	__atomic_compare_exchange_n(&flag, &expected, 2, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
	read_x();
}
static void stores_x(int i)
{
	__atomic_store_n(&x, 1, __ATOMIC_RELEASE);
	step(1 + i);
}
static void atomic_and_plain(void)
{
	start_apart(stores_x, 0);
	after(1);
	read_x();
}

/* ---- locks ---- */

static void locked_writer(int i)
{
	lock(&m);
	write_x();
	unlock(&m);
	step(1 + i);
}
static void one_lock(void)
{
	start_apart(locked_writer, 0);
	after(1);
	lock(&m);
	read_x();
	unlock(&m);
}

/* ---- datagrams: `to` sends to the first of two sockets; one lies in the second already ---- */

static int from[2], to[2];
static void make_sockets(void)
{
	for (int i = 0; i < 2; i++) {
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t n = sizeof a;
		from[i] = socket(AF_INET, SOCK_DGRAM, 0);
		to[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (bind(from[i], (struct sockaddr *)&a, n) != 0 || getsockname(from[i], (struct sockaddr *)&a, &n) != 0 ||
		    connect(to[i], (struct sockaddr *)&a, n) != 0)
			abort();
	}
	if (write(to[1], "x", 1) != 1)
		abort();
}
static void writes_and_sends_to_first(int i)
{
	write_x();
	if (write(to[i], "x", 1) != 1)
		abort();
	step(1);
}
static void read_after_datagram(int i)
{
	char c;
	make_sockets();
	start_apart(writes_and_sends_to_first, 0);
	after(1);
	if (read(from[i], &c, 1) != 1)
		abort();
	read_x();
}
static void datagram(void) { read_after_datagram(0); }
static void datagram_of_another(void) { read_after_datagram(1); }

static Lock ring[3];
static void locks_two(int i)
{
	lock(&ring[i]);
	lock(&ring[(i + 1) % 3]);
	unlock(&ring[(i + 1) % 3]);
	unlock(&ring[i]);
}
static void order_of_3(void)
{
	for (int i = 0; i < 3; i++) {
		start(locks_two, i);
		join();
	}
}

/* Of a lock that lets no new readers in while a writer waits. */
#ifdef GOROUTINES
static goro_rwmutex fair;
#define read_lock(l)    goro_rwmutex_rlock(l)
#define read_unlock(l)  goro_rwmutex_runlock(l)
#define write_lock(l)   goro_rwmutex_lock(l)
#define write_unlock(l) goro_rwmutex_unlock(l)
#else
static pthread_rwlock_t fair = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
#define read_lock(l)    pthread_rwlock_rdlock(l)
#define read_unlock(l)  pthread_rwlock_unlock(l)
#define write_lock(l)   pthread_rwlock_wrlock(l)
#define write_unlock(l) pthread_rwlock_unlock(l)
#endif
static void writes_alone(int i)
{
	write_lock(&fair);
	USE(i);
	write_unlock(&fair);
}
static void read_lock_again(void)
{
	start(writes_alone, 0);
	join();
	read_lock(&fair);
	read_lock(&fair);
	read_unlock(&fair);
	read_unlock(&fair);
}

#ifdef GOROUTINES
static chan(int) c;
static void sends(int i)
{
	chan_send(c, i);
	step(1 + i);
}
static void close_and_send(void)
{
	c = chan_make(int, 1);
	start_apart(sends, 0);
	after(1);
	chan_close(c);
}
static void writes_and_sends(int i)
{
	write_x();
	chan_send(c, i);
}
static void message(void)
{
	c = chan_make(int, 1);
	start_apart(writes_and_sends, 0);
	chan_recv(c);
	read_x();
}
#else

/* ---- pthreads alone: misuse ---- */

static void double_lock(void)
{
	alarm(1); /* the second one never returns */
	pthread_mutex_lock(&m);
	pthread_mutex_lock(&m);
}
static void unlock_of_unlocked(void)
{
	pthread_mutex_unlock(&m);
}
static void destroy_locked(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_destroy(&m);
}
static void joined_late(int i)
{
	USE(i);
}
static void thread_leak(void)
{
	create(joined_late, 0);
	usleep(1000);
}

static int *volatile block;
static APART void make_block(void)
{
	block = malloc(sizeof *block);
}
static APART void free_block(void)
{
	free(block);
}
static void reads_block(int i)
{
	USE(*block + i);
}
/* The read is ordered after the free: no race, and yet wrong. */
static void use_after_free(void)
{
	make_block();
	free_block();
	start(reads_block, 0);
	join();
}

/* The same in the middle of 3 MiB. */
static void large_use_after_free(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	block = malloc(3 << 20);
	int *middle = block + (3 << 20) / sizeof *block / 2;
	free_block();
	block = middle;
	start(reads_block, 0);
	join();
}

static volatile sig_atomic_t caught;
static void allocates(int sig)
{
	caught = sig;
	USE(malloc(10));
}
static void spoils_errno(int sig)
{
	caught = sig;
	errno = EBADF;
}
static pthread_t main_thread;
static void kills(int i)
{
	pthread_kill(main_thread, SIGUSR1);
	USE(i);
}
static void handle(void (*handler)(int))
{
	signal(SIGUSR1, handler);
	main_thread = pthread_self();
	start(kills, 0);
	while (!caught)
		usleep(100);
	join();
}
static void malloc_in_handler(void) { handle(allocates); }
static void errno_in_handler(void) { handle(spoils_errno); }
#endif

#define P(name) {#name, name}
static const struct {
	const char *name;
	void (*run)(void);
} programs[] = {
    P(near), P(accesses_1e5), P(accesses_1e7), P(calls_1e7), P(locks_4e6), P(come_and_gone_300),
    P(come_and_gone_1000), P(alive_1000), P(readers_16), P(readers_500), P(readers_500_ordered), P(eight_bytes), P(eight_bytes_apart),
    P(two_in_a_word), P(relaxed), P(release_acquire), P(fences), P(release_sequence), P(release_sequence_broken),
    P(failed_exchange), P(atomic_and_plain), P(one_lock), P(datagram), P(datagram_of_another), P(order_of_3),
    P(read_lock_again),
#ifdef GOROUTINES
    P(close_and_send), P(message),
#else
    P(double_lock), P(unlock_of_unlocked), P(destroy_locked), P(thread_leak), P(use_after_free),
    P(large_use_after_free),
    P(malloc_in_handler), P(errno_in_handler),
#endif
};

int main(int argc, char **argv)
{
	run_number = argc > 2 ? atoi(argv[2]) : 1;
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		if (argc > 1 && strcmp(argv[1], programs[i].name) == 0) {
			programs[i].run();
			return 0;
		}
		if (argc > 1 && strcmp(argv[1], "--list") == 0)
			puts(programs[i].name);
	}
	return argc > 1 && strcmp(argv[1], "--list") == 0 ? 0 : 3;
}
