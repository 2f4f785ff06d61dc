/*
 * unwind_test.c: a goroutine's stack ends where it begins, for whoever unwinds it: libunwind, libgcc (C++ exceptions,
 * backtrace), and by frame pointers, as `perf record --call-graph fp` does. (gdb: gdb/gdb_test.)
 */
#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "help.h"

#include <execinfo.h>
#include <stdint.h>
#include <string.h>
#include <unwind.h>

#ifndef CRITERION_TSAN_H /* whose tests have no symbols to be asked for */

#define DEPTH 5
#define MOST  16 /* goro's own frames come below: the call of the function, and the entry */

typedef struct Seen {
	int depth;    /* frames of dives */
	int all;      /* frames */
	int end;      /* what the unwinder said at last */
	bool too_far; /* it went on */
} Seen;

static void (*look)(Seen *);
static Seen seen;

__attribute__((noinline)) static int dives(int n)
{
	int r = n ? dives(n - 1) + 1 : (look(&seen), 0);
	__asm__ volatile("" ::: "memory");
	return r;
}

static void in_goroutine(void *done)
{
	dives(DEPTH - 1);
	goro_chan_close(done);
}

static void by_libunwind(Seen *s)
{
	unw_context_t regs;
	unw_cursor_t at;
	unw_getcontext(&regs);
	cr_assert_eq(unw_init_local(&at, &regs), 0);
	for (;;) {
		unw_word_t pc = 0;
		unw_proc_info_t info;
		cr_assert_eq(unw_get_reg(&at, UNW_REG_IP, &pc), 0);
		cr_assert_eq(unw_get_proc_info(&at, &info), 0);
		s->depth += info.start_ip == (unw_word_t)(uintptr_t)dives;
		s->all++;
		s->end = unw_step(&at);
		if (s->end <= 0 || (s->too_far = s->all > MOST + DEPTH))
			return;
	}
}

static _Unwind_Reason_Code frame(struct _Unwind_Context *at, void *p)
{
	Seen *s = p;
	s->depth += _Unwind_GetRegionStart(at) == (uintptr_t)dives;
	return ++s->all > MOST + DEPTH ? _URC_NORMAL_STOP : _URC_NO_REASON;
}

static void by_libgcc(Seen *s)
{
	s->end = (int)_Unwind_Backtrace(frame, s);
	s->too_far = s->all > MOST + DEPTH;
}

static void by_backtrace(Seen *s)
{
	void *pc[100];
	s->all = backtrace(pc, 100);
	s->depth = DEPTH;
	s->too_far = s->all > MOST + DEPTH;
}

/* Each frame's pointer leads to the next one's, upwards on this stack; the last one's is 0. */
static void by_frame_pointers(Seen *s)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0), *fp = (uintptr_t *)here, first = 0;
	for (; !s->too_far; fp = (uintptr_t *)fp[0]) {
		if (s->all > 1 && fp[1] == first)
			s->depth++;
		if (s->all == 1)
			first = fp[1]; /* dives, called by itself */
		s->all++;
		if (!fp[0])
			break;
		cr_assert(fp[0] > (uintptr_t)fp && fp[0] < here + 65536, "frame %d is followed by %p", s->all, (void *)fp[0]);
		s->too_far = s->all > MOST + DEPTH;
	}
	s->depth += 2; /* the first, and the one whose caller is another */
}

static int ends(void (*how)(Seen *), int end)
{
	look = how;
	for (int i = 0; i < 3; i++) { /* on new stacks and on used ones */
		goro_chan *done = goro_chan_make(0, 0);
		seen = (Seen){0};
		goro_go(in_goroutine, done);
		goro_chan_recv(done, NULL);
		goro_chan_free(done);
		cr_assert(!seen.too_far);
		cr_assert_eq(seen.depth, DEPTH, "%d frames of %d", seen.depth, DEPTH);
		cr_assert_eq(seen.end, end, "ended by %d", seen.end);
	}
	return 0;
}

GoTest(unwind, libunwind_comes_to_the_end) { return ends(by_libunwind, 0); }
GoTest(unwind, libgcc_comes_to_the_end) { return ends(by_libgcc, _URC_END_OF_STACK); }
GoTest(unwind, backtrace_comes_to_the_end) { return ends(by_backtrace, 0); }
GoTest(unwind, frame_pointers_come_to_the_end) { return ends(by_frame_pointers, 0); }

#endif
