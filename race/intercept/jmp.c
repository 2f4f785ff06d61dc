/*
 * jmp.c: longjmp leaves functions without their func_exit: the shadow call stack goes back to its depth
 * at the setjmp. The depth is kept by the jmp_buf's address, outside of it: some buffers are smaller
 * than their type says (pthread_cleanup_push), and the libc claims the spare room for itself.
 *
 * A buffer on a goroutine's stack may move to another goroutine with that stack; there, too, setjmp
 * comes before longjmp. Entries are never removed: as many as there were addresses of buffers.
 */
#include "core.h"

#include "../thread.h"

typedef struct Saved {
	struct Saved *next;
	const void *env;
	size_t depth; /* the bucket's lock */
	int signal;   /* signal_running; the bucket's lock */
} Saved;

typedef struct Bucket {
	Lock lock;
	Saved *first;
} Bucket;

#define BITS 8
static Bucket buckets[1 << BITS];

static Bucket *bucket_of(const void *env)
{
	return &buckets[(uintptr_t)env * 0x9e3779b97f4a7c15u >> (64 - BITS)];
}

/* Lock held. */
static Saved *find(Bucket *b, const void *env)
{
	Saved *s = b->first;

	while (s && s->env != env)
		s = s->next;
	return s;
}

void jmp_saved(const void *env)
{
	Bucket *b = bucket_of(env);
	Saved *s;

	if (!self())
		return;
	lock(&b->lock);
	s = find(b, env);
	if (!s && race_is_blind()) {
		unlock(&b->lock);
		return;
	}
	if (!s) {
		s = race_alloc(sizeof *s);
		s->env = env;
		s->next = b->first;
		b->first = s;
	}
	s->depth = race_stack_depth();
	s->signal = signal_running;
	unlock(&b->lock);
}

static void going_back(const void *env)
{
	Bucket *b = bucket_of(env);
	size_t depth = SIZE_MAX;
	Saved *s;

	if (!self())
		return;
	lock(&b->lock);
	s = find(b, env);
	if (s) {
		depth = s->depth;
		signal_running = s->signal; /* out of a handler, perhaps */
	}
	unlock(&b->lock);
	race_stack_restore(depth); /* never grows it */
}

INTERCEPT void longjmp(jmp_buf env, int value)
{
	going_back(env);
	goro_real_longjmp(env, value);
	__builtin_unreachable();
}

INTERCEPT void _longjmp(jmp_buf env, int value)
{
	going_back(env);
	goro_real__longjmp(env, value);
	__builtin_unreachable();
}

INTERCEPT void siglongjmp(sigjmp_buf env, int value)
{
	going_back(env);
	goro_real_siglongjmp(env, value);
	__builtin_unreachable();
}

_Noreturn void __longjmp_chk(jmp_buf env, int value);
INTERCEPT void __longjmp_chk(jmp_buf env, int value)
{
	going_back(env);
	goro_real___longjmp_chk(env, value);
}
