/*
 * cancel.h: what was done before pthread_cancel is before what the cancelled thread does because of it, its
 * cleanup handlers and destructors first of all (race build).
 *
 * A cancellation is acted upon inside a call that is a point for it. Such calls push a handler of ours, which is
 * the innermost of all and so the first to run. It is pushed by the libc's old call: the header's macro would
 * take a jmp_buf of stack and a setjmp for each, and be in the way of who unwinds.
 *
 * The identity is the thread's descriptor. Not seen: a thread that is cancelled asynchronously, in the midst of
 * its own code, and points that goro does not know.
 */
#ifndef GORO_BASE_CANCEL_H
#define GORO_BASE_CANCEL_H

#include <pthread.h>

/* Exported by every glibc; declared by none of its headers under this spelling. */
void _pthread_cleanup_push(struct _pthread_cleanup_buffer *, void (*)(void *), void *);
void _pthread_cleanup_pop(struct _pthread_cleanup_buffer *, int run);

static inline const void *cancel_identity(pthread_t th)
{
	return (const void *)th;
}

/* The cleanup handler: acquires the identity of the calling thread. Defined in net/cancel.c. */
void cancel_seen(void *unused);

/* Around a call that may be where this thread is cancelled. Not on a goroutine, whose thread is not the
 * program's to cancel. w: a struct _pthread_cleanup_buffer of the calling function. */
#define CANCEL_POINT_BEGIN(w) _pthread_cleanup_push(w, cancel_seen, NULL)
#define CANCEL_POINT_END(w)   _pthread_cleanup_pop(w, 0)

#endif
