/*
 * new.c: C++ operator new and delete, so that a block's stack names the line with `new`, not the
 * library's operator. Written in C under their mangled names. A program that has its own operators
 * keeps them (ours are weak aliases), and where it replaces a plain form, the array, sized and nothrow
 * forms that it left alone must end there, as C++ wants: then we step aside for the C++ library's,
 * which call the replacement.
 *
 * Success is ours alone. Out of memory is the library's: its operator runs the new-handler and throws;
 * found by dlsym, since a C program has no such library.
 */
#include "core.h"

#include <dlfcn.h>

#include "../../runtime/base/fatal.h"


/* The library's operator of that name; there is one wherever a program calls it. */
static void *library(const char *name)
{
	void *fn = dlsym(RTLD_NEXT, name);

	if (!fn)
		throw("%s: no C++ library", name);
	return fn;
}

/* Define the operator `sym` with its parameters and the arguments that hand them on. `ours` says that
 * the base operator has not been replaced. */
#define NEW(sym, params, args, ours, align)                                                        \
	void *sym params;                                                                          \
	INTERCEPT void *sym params                                                                 \
	{                                                                                          \
		void *p = NULL;                                                                    \
		if (likely(ours))                                                                  \
			p = heap_new(size ? size : 1, align, CALLER);                              \
		return likely(p != NULL) ? p : ((void *(*)params)library(#sym))args;               \
	}
#define DELETE(sym, params, args, ours)                                                            \
	void sym params;                                                                           \
	INTERCEPT void sym params                                                                  \
	{                                                                                          \
		if (likely(ours))                                                                  \
			heap_delete(p, CALLER);                                                    \
		else                                                                               \
			((void (*)params)library(#sym))args;                                       \
	}

/* The four bases: static under a name of their own, so that "is it still ours" can be asked. */
static void *plain_new(size_t size)
{
	void *p = heap_new(size ? size : 1, 0, CALLER);

	return likely(p != NULL) ? p : ((void *(*)(size_t))library("_Znwm"))(size);
}

static void *aligned_new(size_t size, size_t align)
{
	void *p = heap_new(size ? size : 1, align, CALLER);

	return likely(p != NULL)
	           ? p
	           : ((void *(*)(size_t, size_t))library("_ZnwmSt11align_val_t"))(size, align);
}

static void plain_delete(void *p)
{
	heap_delete(p, CALLER);
}

static void aligned_delete(void *p, size_t align)
{
	(void)align;
	heap_delete(p, CALLER);
}

#define BASE(of) __attribute__((weak, alias(of), visibility("default")))
BASE("plain_new") void *_Znwm(size_t size);
BASE("aligned_new") void *_ZnwmSt11align_val_t(size_t size, size_t align);
BASE("plain_delete") void _ZdlPv(void *p);
BASE("aligned_delete") void _ZdlPvSt11align_val_t(void *p, size_t align);

#define NEW_OURS     (_Znwm == plain_new)
#define DELETE_OURS  (_ZdlPv == plain_delete)
#define ANEW_OURS    (_ZnwmSt11align_val_t == aligned_new)
#define ADELETE_OURS (_ZdlPvSt11align_val_t == aligned_delete)

NEW(_Znam, (size_t size), (size), NEW_OURS, 0)
NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), NEW_OURS, 0)
NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), NEW_OURS, 0)
NEW(_ZnamSt11align_val_t, (size_t size, size_t align), (size, align), ANEW_OURS, align)
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag), (size, align, tag),
    ANEW_OURS, align)
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag), (size, align, tag),
    ANEW_OURS, align)

DELETE(_ZdaPv, (void *p), (p), DELETE_OURS)
DELETE(_ZdlPvm, (void *p, size_t size), (p, size), DELETE_OURS)
DELETE(_ZdaPvm, (void *p, size_t size), (p, size), DELETE_OURS)
DELETE(_ZdlPvRKSt9nothrow_t, (void *p, const void *tag), (p, tag), DELETE_OURS)
DELETE(_ZdaPvRKSt9nothrow_t, (void *p, const void *tag), (p, tag), DELETE_OURS)
DELETE(_ZdaPvSt11align_val_t, (void *p, size_t align), (p, align), ADELETE_OURS)
DELETE(_ZdlPvmSt11align_val_t, (void *p, size_t size, size_t align), (p, size, align), ADELETE_OURS)
DELETE(_ZdaPvmSt11align_val_t, (void *p, size_t size, size_t align), (p, size, align), ADELETE_OURS)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t align, const void *tag), (p, align, tag),
       ADELETE_OURS)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t align, const void *tag), (p, align, tag),
       ADELETE_OURS)
