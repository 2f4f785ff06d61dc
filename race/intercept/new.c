/*
 * new.c: C++ operator new and delete, so that a block's stack names the line with `new`, not the
 * library's operator. Written in C under their mangled names. A program that has its own operators
 * keeps them (ours are weak aliases), and where it replaces a plain form, the array, sized and nothrow
 * forms that it left alone end there, as C++ wants.
 *
 * Success is ours alone. Out of memory is the C++ library's: its operator, found by dlsym, runs the
 * new-handler and throws. A library linked as an archive is not found so; then its parts that do the
 * same are reached by weak names. (A C program has no such library, and never comes here.)
 */
#include "core.h"

#include <dlfcn.h>

#include "../../runtime/base/fatal.h"

#define WEAK __attribute__((weak, visibility("default")))

typedef void (*Handler)(void);
WEAK Handler _ZSt15get_new_handlerv(void); /* std::get_new_handler */
WEAK void _ZSt17__throw_bad_allocv(void);  /* std::__throw_bad_alloc */

static void *last_resort(size_t size, size_t align, bool nothrow, const void *pc)
{
	for (;;) {
		Handler handler = _ZSt15get_new_handlerv ? _ZSt15get_new_handlerv() : NULL;
		void *p;

		if (!handler) {
			if (nothrow)
				return NULL;
			if (_ZSt17__throw_bad_allocv)
				_ZSt17__throw_bad_allocv();
			throw("operator new: out of memory, and nobody to throw");
		}
		handler();
		p = heap_new(size, align, pc);
		if (p)
			return p;
	}
}

/* Define operator new `sym`. ours: the base operator is not replaced; otherwise `base` calls it, unless
 * there is a library that knows better how (nothrow must catch). */
#define NEW(sym, params, args, ours, base, align, nothrow)                                         \
	void *sym params;                                                                          \
	INTERCEPT void *sym params                                                                 \
	{                                                                                          \
		void *(*library)params;                                                            \
		if (likely(ours)) {                                                                \
			void *p = heap_new(size ? size : 1, align, CALLER);                        \
			if (likely(p != NULL))                                                     \
				return p;                                                          \
		} else if (!(nothrow)) {                                                           \
			return base;                                                               \
		}                                                                                  \
		library = (void *(*)params)dlsym(RTLD_NEXT, #sym);                                 \
		if (library)                                                                       \
			return library args;                                                       \
		return ours ? last_resort(size ? size : 1, align, nothrow, CALLER) : base;         \
	}
#define DELETE(sym, params, ours, base)                                                            \
	void sym params;                                                                           \
	INTERCEPT void sym params                                                                  \
	{                                                                                          \
		if (likely(ours))                                                                  \
			heap_delete(p, CALLER);                                                    \
		else                                                                               \
			base;                                                                      \
	}

/* The four bases: static under a name of their own, so that "is it still ours" can be asked. */
static void *plain_new(size_t size)
{
	void *p = heap_new(size ? size : 1, 0, CALLER);
	void *(*library)(size_t);

	if (likely(p != NULL))
		return p;
	library = (void *(*)(size_t))dlsym(RTLD_NEXT, "_Znwm");
	return library ? library(size) : last_resort(size, 0, false, CALLER);
}

static void *aligned_new(size_t size, size_t align)
{
	void *p = heap_new(size ? size : 1, align, CALLER);
	void *(*library)(size_t, size_t);

	if (likely(p != NULL))
		return p;
	library = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "_ZnwmSt11align_val_t");
	return library ? library(size, align) : last_resort(size, align, false, CALLER);
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

#define PLAIN     NEW_OURS, _Znwm(size), 0
#define ALIGNED   ANEW_OURS, _ZnwmSt11align_val_t(size, align), align
#define NEW_(...) NEW(__VA_ARGS__)

NEW_(_Znam, (size_t size), (size), PLAIN, false)
NEW_(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), PLAIN, true)
NEW_(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), PLAIN, true)
NEW_(_ZnamSt11align_val_t, (size_t size, size_t align), (size, align), ALIGNED, false)
NEW_(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag),
    (size, align, tag), ALIGNED, true)
NEW_(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag),
    (size, align, tag), ALIGNED, true)

#define UNUSED(what) ((void)(what))
DELETE(_ZdaPv, (void *p), DELETE_OURS, _ZdlPv(p))
DELETE(_ZdlPvm, (void *p, size_t size), (UNUSED(size), DELETE_OURS), _ZdlPv(p))
DELETE(_ZdaPvm, (void *p, size_t size), (UNUSED(size), DELETE_OURS), _ZdlPv(p))
DELETE(_ZdlPvRKSt9nothrow_t, (void *p, const void *tag), (UNUSED(tag), DELETE_OURS), _ZdlPv(p))
DELETE(_ZdaPvRKSt9nothrow_t, (void *p, const void *tag), (UNUSED(tag), DELETE_OURS), _ZdlPv(p))
DELETE(
    _ZdaPvSt11align_val_t, (void *p, size_t align), ADELETE_OURS, _ZdlPvSt11align_val_t(p, align))
DELETE(_ZdlPvmSt11align_val_t, (void *p, size_t size, size_t align), (UNUSED(size), ADELETE_OURS),
    _ZdlPvSt11align_val_t(p, align))
DELETE(_ZdaPvmSt11align_val_t, (void *p, size_t size, size_t align), (UNUSED(size), ADELETE_OURS),
    _ZdlPvSt11align_val_t(p, align))
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t align, const void *tag),
    (UNUSED(tag), ADELETE_OURS), _ZdlPvSt11align_val_t(p, align))
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t align, const void *tag),
    (UNUSED(tag), ADELETE_OURS), _ZdlPvSt11align_val_t(p, align))
