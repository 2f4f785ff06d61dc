/*
 * header.c: goro_race.h, in C and in C++, with -race and without. Each case's name says what to expect of a
 * race build.
 */
#include <goro_race.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static long shared;
static int key, evaluated;
static int turn;

static void step(void)
{
	__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);
}
static void after(int n)
{
	while (__atomic_load_n(&turn, __ATOMIC_RELAXED) < n)
		sched_yield();
}

static void both(void *(*first)(void *), void *(*second)(void *))
{
	pthread_t a, b;
	pthread_create(&a, NULL, first, NULL);
	pthread_create(&b, NULL, second, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

#define PAIR(name, FIRST, SECOND)                                                                                      \
	static void *name##_first(void *arg)                                                                           \
	{                                                                                                              \
		FIRST;                                                                                                 \
		step();                                                                                                \
		return arg;                                                                                            \
	}                                                                                                              \
	static void *name##_second(void *arg)                                                                          \
	{                                                                                                              \
		after(1);                                                                                              \
		SECOND;                                                                                                \
		return arg;                                                                                            \
	}                                                                                                              \
	static void name(void)                                                                                         \
	{                                                                                                              \
		both(name##_first, name##_second);                                                                     \
	}

GORO_NO_RACE static void unchecked(void)
{
	shared = 3;
}

PAIR(race_plain, shared = 1, shared = 2)
PAIR(norace_release_acquire, shared = 1; goro_race_release(&key), goro_race_acquire(&key); shared = 2)
PAIR(norace_lock, goro_race_locked(&key); shared = 1; goro_race_unlocking(&key), goro_race_locked(&key); shared = 2;
     goro_race_unlocking(&key))
PAIR(race_readers, goro_race_read_locked(&key); shared = 1; goro_race_read_unlocking(&key),
     goro_race_read_locked(&key); shared = 2; goro_race_read_unlocking(&key))
PAIR(race_lock_destroyed, goro_race_locked(&key); shared = 1; goro_race_unlocking(&key); goro_race_lock_destroyed(&key),
     goro_race_locked(&key); shared = 2; goro_race_unlocking(&key))
PAIR(norace_benign, goro_race_benign(&shared, sizeof shared, "meant"); shared = 1, shared = 2)
PAIR(norace_ignored, goro_race_ignore_begin(); shared = 1; goro_race_ignore_end(), shared = 2)
PAIR(race_ignored_sync, shared = 1; goro_race_ignore_sync_begin(); goro_race_release(&key); goro_race_ignore_sync_end(),
     goro_race_acquire(&key); shared = 2)
PAIR(norace_new_memory, shared = 1, goro_race_new_memory(&shared, sizeof shared); shared = 2)
PAIR(race_told_read, goro_race_write(&shared, 4), goro_race_read(&shared, 4))
PAIR(norace_told_elsewhere, goro_race_write(&shared, 4), goro_race_read((char *)&shared + 4, 4))
PAIR(norace_unchecked, shared = 1, unchecked())
PAIR(race_named, goro_race_thread_name("first one"); shared = 1, shared = 2)
PAIR(norace_annotate, shared = 1; ANNOTATE_HAPPENS_BEFORE(&key), ANNOTATE_HAPPENS_AFTER(&key); shared = 2)
PAIR(norace_annotate_benign, ANNOTATE_BENIGN_RACE(&shared, "meant"); shared = 1, shared = 2)
PAIR(norace_annotate_rwlock, ANNOTATE_RWLOCK_ACQUIRED(&key, 1); shared = 1; ANNOTATE_RWLOCK_RELEASED(&key, 1),
     ANNOTATE_RWLOCK_ACQUIRED(&key, 0); shared = 2; ANNOTATE_RWLOCK_RELEASED(&key, 0))

static void norace_plain_build_evaluates_nothing(void)
{
	goro_race_release((evaluated++, &key));
	goro_race_benign((evaluated++, &key), 4, "meant");
#ifdef __GORO_RACE__
	if (evaluated != 2)
		puts("evaluated twice");
#else
	if (evaluated != 0 || goro_race_errors() != 0)
		puts("evaluated");
#endif
}

static void race_counted(void)
{
	race_plain();
#ifdef __GORO_RACE__
	if (goro_race_errors() != 1)
		puts("not counted");
#endif
}

#define CASE(f) {#f, f}
static const struct {
	const char *name;
	void (*f)(void);
} cases[] = {CASE(race_plain), CASE(norace_release_acquire), CASE(norace_lock), CASE(race_readers), CASE(race_lock_destroyed),
    CASE(norace_benign), CASE(norace_ignored), CASE(race_ignored_sync), CASE(norace_new_memory), CASE(race_told_read),
    CASE(norace_told_elsewhere), CASE(norace_unchecked), CASE(race_named), CASE(norace_annotate),
    CASE(norace_annotate_benign), CASE(norace_annotate_rwlock), CASE(norace_plain_build_evaluates_nothing),
    CASE(race_counted)};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (argc < 2)
			puts(cases[i].name);
		else if (!strcmp(argv[1], cases[i].name))
			return cases[i].f(), 0;
	return argc < 2 ? 0 : 99;
}
