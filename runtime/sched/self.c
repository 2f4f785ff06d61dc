/*
 * self.c: who runs on this thread. A file of its own: the address of a thread-local must not be kept
 * across a park, so nothing here may be inlined where a goroutine can move to another thread.
 */
#include "internal.h"

__attribute__((visibility("hidden"))) __thread G *tls_g __attribute__((tls_model("initial-exec")));
static __thread M *tls_m __attribute__((tls_model("initial-exec")));

__attribute__((noinline)) G *g_self_slow(void)
{
	return tls_g;
}

__attribute__((noinline)) void g_set_slow(G *g)
{
	tls_g = g;
}

__attribute__((noinline)) M *m_self(void)
{
	return tls_m;
}

__attribute__((noinline)) void m_set(M *m)
{
	tls_m = m;
}
