/*
 * probe.h: what a call did, told by the reports of the one who touches the same bytes afterwards: the call's thread, which ends
 * later, and main's count of reports, out of the detector's sight.
 */
#include <pthread.h>
#include <unistd.h>

/* Not seen by the detector, with either compiler: plain code, no atomics. */
#define UNSEEN __attribute__((no_sanitize("thread"), noinline))

static int reports, done, leave;

UNSEEN static int get(int *p)
{
	return *(volatile int *)p;
}

UNSEEN static void set(int *p, int v)
{
	*(volatile int *)p = v;
}

void __tsan_on_report(void *report);
UNSEEN void __tsan_on_report(void *report)
{
	(void)report;
	reports++;
}

static void *thread(void *op)
{
	((void (*)(void))op)();
	set(&done, 1);
	while (!get(&leave))
		usleep(20);
	return NULL;
}
