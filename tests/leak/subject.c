/*
 * subject.c: goroutines left behind, by name: leak_* wait for what nobody has any more, held_* for what
 * somebody could still use.
 */
#include <goro.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR (INT64_C(3600) * 1000000000)

typedef struct Node {
	struct Node *next;
	chan(int) c;
} Node;

chan(int) global; /* not static: a compiler would see that nobody reads them */
Node *list;
static goro_mutex mutex;
static goro_pool pool;

static void waits(chan(int) c)
{
	chan_recv(c);
}

static void sends(chan(int) c)
{
	chan_send(c, 1);
}

static void selects(chan(int) a, chan(int) b)
{
	int v;
	chan_select(on_recv(a, &v), on_send(b, 1));
}

static void sends_in_an_hour(chan(int) c)
{
	goro_sleep(1000 * HOUR);
	chan_send(c, 1);
}

static void sends_when_read(chan(int) c)
{
	char b;
	if (read(0, &b, 1) >= 0)
		chan_send(c, 1);
}

static void sends_when_received(chan(int) from, chan(int) to)
{
	chan_send(to, chan_recv(from));
}

static void waits_for_none(int unused)
{
	(void)unused;
	chan(int) none = NULL;
	chan_recv(none);
}

static void waits_for_done(goro_context *ctx)
{
	chan_recv(goro_context_done(ctx));
}

static void locks(goro_mutex *m)
{
	goro_mutex_lock(m);
}

static void fires(void *c)
{
	goro_chan_send(c, &(int){1});
}

/* ---- leaks ---- */

static void leak_recv(chan(int) c)
{
	for (int i = 0; i < 4; i++)
		go(waits, c);
}

static void leak_send(chan(int) c)
{
	go(sends, c);
}

static void leak_select(chan(int) c)
{
	go(selects, c, chan_make(int));
}

static void leak_nil(chan(int) c)
{
	(void)c;
	go(waits_for_none, 0);
}

/* each waits for the next */
static void leak_ring(chan(int) c)
{
	chan(int) d = chan_make(int);
	go(sends_when_received, c, d);
	go(sends_when_received, d, c);
}

static void leak_context(chan(int) c)
{
	(void)c;
	go(waits_for_done, goro_with_cancel(goro_background()));
}

/* ---- none ---- */

static void held_global(chan(int) c)
{
	global = c;
	go(waits, c);
}

static void held_list(chan(int) c)
{
	list = calloc(1, sizeof *list);
	list->next = calloc(1, sizeof *list);
	list->next->c = c;
	go(waits, c);
}

static void held_by_sleeper(chan(int) c)
{
	go(waits, c);
	go(sends_in_an_hour, c);
}

static void held_in_a_chain(chan(int) c)
{
	chan(int) d = chan_make(int);
	go(waits, d);
	go(sends_when_received, c, d);
	go(sends_in_an_hour, c);
}

static void held_by_system_call(chan(int) c)
{
	go(waits, c);
	go(sends_when_read, c);
}

static void held_by_timer(chan(int) c)
{
	go(waits, c);
	goro_after_func(HOUR, fires, (void *)(uintptr_t)c);
}

static void held_by_deadline(chan(int) c)
{
	(void)c;
	go(waits_for_done, goro_with_timeout(goro_background(), HOUR));
}

static void held_mutex(chan(int) c)
{
	(void)c;
	goro_mutex_lock(&mutex);
	go(locks, &mutex);
}

static void held_in_a_pool(chan(int) c)
{
	Node *n = calloc(1, sizeof *n);
	n->c = c;
	goro_pool_put(&pool, n);
	go(waits, c);
}

static void held_by_main(chan(int) c)
{
	go(waits, c);
	goro_sleep(1000000);
	chan(int) volatile mine = c;
	exit(mine ? 5 : 6);
}

static const struct {
	const char *name;
	void (*fn)(chan(int));
} all[] = {
#define E(name) {#name, name}
    E(leak_recv), E(leak_send), E(leak_select), E(leak_nil), E(leak_ring), E(leak_context), E(held_global),
    E(held_list), E(held_by_sleeper), E(held_in_a_chain), E(held_by_system_call), E(held_by_timer),
    E(held_by_deadline), E(held_mutex), E(held_in_a_pool), E(held_by_main)};

static __attribute__((noinline)) void play(const char *name)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!strcmp(name, all[i].name))
			all[i].fn(chan_make(int));
	goro_sleep(2000000);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		play(argv[1]);
	if (global && argc > 2) /* or nobody would need it */
		chan_close(global);
	return argc > 1 ? 0 : 99;
}
