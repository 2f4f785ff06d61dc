/*
 * hooktest.h: run the body as main goroutine on one P, where goro_gosched lets every other
 * goroutine run until it parks or ends: so a test knows who is parked when it records.
 */
#ifndef TESTS_HOOKS_HOOKTEST_H
#define TESTS_HOOKS_HOOKTEST_H

#include <criterion/criterion.h>
#include <goro.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder.h"
#include "support/invisible.h"

#define HookTest(suite, name)                                                                      \
	static int suite##_##name##_body(void *);                                                  \
	Test(suite, name)                                                                          \
	{                                                                                          \
		setenv("GOMAXPROCS", "1", 1);                                                      \
		alarm(20);                                                                         \
		cr_assert_eq(goro_run(suite##_##name##_body, NULL), 0);                            \
	}                                                                                          \
	static int suite##_##name##_body(void *unused __attribute__((unused)))

/* What the statements between record() and this said is exactly the text. */
#define expect(text) cr_assert_str_eq(rec_stop(), text)
#define record()     rec_start(REC_ORDER)

/* Let the others run until none can. */
static inline void let_run(void)
{
	settle(3);
}

#endif
