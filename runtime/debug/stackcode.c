/*
 * stackcode.c: is goro's own code among the functions that an interrupted stack is in the middle of?
 *
 * Sound, in two steps. A return address lies on the stack as a word: with no word on it that points into goro's
 * section, goro is not there. Words left over from former calls point there as well, in parts of frames that
 * nothing was written to; so where there are such words the frames are walked by their unwind information, and
 * a walk that meets a function without any, or does not come to the goroutine's first frame, says "goro".
 *
 * Runs in a signal handler: the scan reads only, libunwind is made for it (it blocks signals around its own locks,
 * and checks addresses before it reads). It asks the dynamic linker, which may be at work in this very thread: not
 * with a pc there.
 */
#include "../base/frame.h"
#include "../symbol/symbol.h"

#include "debug.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <ucontext.h>

#define SCAN_MAX   ((size_t)1 << 20) /* bytes; 100 us. Deeper ones are taken for goro's */
#define FRAMES_MAX 256
#define ALT_LEAST                                                                                  \
	((size_t)32 << 10) /* for libunwind; the program's own alternate stack may be smaller */

/* The linker's, where there are such sections: not in the objects of unit tests. */
#define EDGE(name) extern const char name[] __attribute__((weak, visibility("hidden")))
EDGE(__start_goro_text);
EDGE(__stop_goro_text);
EDGE(__start_goro_outer);
EDGE(__stop_goro_outer);

int _dl_find_object(void *pc, struct dl_find_object *out) __attribute__((weak)); /* glibc 2.35 */

/* link_maps; constant after stack_code_init. libc: NULL when it is linked statically. */
static const void *libc, *linker, *unwinder;

static inline bool in_text(uintptr_t pc)
{
	return pc - (uintptr_t)__start_goro_text <
	       (uintptr_t)(__stop_goro_text - __start_goro_text);
}

static inline bool in_outer(uintptr_t pc)
{
	return pc - (uintptr_t)__start_goro_outer <
	       (uintptr_t)(__stop_goro_outer - __start_goro_outer);
}

static const void *module(uintptr_t pc)
{
	struct dl_find_object o;
	return _dl_find_object((void *)pc, &o) == 0 ? o.dlfo_link_map : NULL;
}

bool stack_code_init(void)
{
	if (!_dl_find_object)
		return false;
	const void *own = module((uintptr_t)stack_code_init);
	libc = module((uintptr_t)gnu_get_libc_version);
	linker = module((uintptr_t)&_r_debug);
	unwinder = module((uintptr_t)unw_step);
	if (libc == own)
		libc = NULL;
	if (linker == own)
		linker = NULL;
	if (unwinder == own)
		unwinder = NULL;
	return own && __start_goro_text && __start_goro_outer;
}

/* No word of [sp, hi) points into goro_text. */
__attribute__((no_sanitize_address)) static bool scan(uintptr_t sp, uintptr_t hi)
{
	uintptr_t lo = (uintptr_t)__start_goro_text;
	size_t n = (size_t)(__stop_goro_text - __start_goro_text);
	for (const uintptr_t *at = (const uintptr_t *)((sp + 7) & ~(uintptr_t)7);
	     at < (const uintptr_t *)hi; at++)
		if (*at - lo <= n)
			return false;
	return true;
}

static inline bool room_to_walk(const ucontext_t *uc)
{
	return uc->uc_stack.ss_size >= ALT_LEAST;
}

static bool walk_frames(void *uc)
{
	unw_cursor_t at;
	unw_proc_info_t info;
	unw_word_t pc = 0;
	if (!room_to_walk(uc) || unw_init_local2(&at, uc, UNW_INIT_SIGNAL_FRAME))
		return false;
	for (int i = 0; i < FRAMES_MAX; i++) {
		if (unw_get_reg(&at, UNW_REG_IP, &pc) || in_text(pc - (i > 0)) ||
		    unw_get_proc_info(&at, &info))
			return false;
		int more = unw_step(&at);
		if (more <= 0)
			return more == 0 && in_outer(pc); /* goro_start */
	}
	return false;
}

static bool walk(void *uc)
{
	sym_busy++; /* libunwind's locks are not the goroutine's: they would order one that is stopped before the next */
	bool none = walk_frames(uc);
	sym_busy--;
	return none;
}

StackCode stack_code(const void *uc, uintptr_t lo, uintptr_t hi)
{
	uintptr_t pc = trace_pc(uc), sp = trace_sp(uc);
	if (in_text(pc) || in_outer(pc) || sp < lo || sp >= hi || hi - sp > SCAN_MAX)
		return STACK_GORO;
	const void *m = module(pc);
	if (m && (m == linker || m == unwinder))
		return STACK_GORO;
	if (!scan(sp, hi) && !walk((void *)uc))
		return STACK_GORO;
	return m && m == libc ? STACK_LIBC : STACK_PROGRAM;
}

bool stack_walkable(const void *uc, uintptr_t lo, uintptr_t hi)
{
	uintptr_t sp = trace_sp(uc);
	if (!_dl_find_object || sp < lo || sp >= hi || !room_to_walk(uc))
		return false;
	const void *m = module(trace_pc(uc));
	return !m || (m != linker && m != unwinder);
}
