/*
 * sample.c: see sample.h.
 *
 * What is skipped, between windows, is to look at a plain or atomic access and to remember it. All that orders is done
 * as ever, and so is what tells old memory from new (allocation, free, stacks): so nothing false is reported, since
 * whatever a granule remembers was done, and clocks are complete. A race is seen when both its accesses fall into
 * windows: with probability about P where they are closer than a window is long, which is why a window is the same
 * for all threads (each thread by itself would see P * P of them), and P * P where they are far apart; then as often
 * again as it happens. Lock orders are not looked for: which lock an address is, is told by the writes to it
 * (lock/order.c), and a missed one would join two locks to one.
 *
 * The cost: one byte looked at in each access, so that what is left is the calls that the compiler made.
 *
 * Windows by time and not by counts: a count would be a store in each access. Not less than WINDOW, in which a
 * program makes some 10^5 accesses, and not longer, or else P would be of hours. The time between two varies by half of
 * itself, so that they do not keep step with a program's own period; over all, what was too long (threads wake late)
 * is given back: the share stays P. The head of the run is a window.
 *
 * Rejected: bursts for code that is new (LiteRace): the fast path would have to count per call site; patching the entry
 * points into returns: unsafe while others run them.
 */
#include "sample.h"

#include "../runtime/os/os.h"
#include "options/flags.h"
#include "report/schedule.h"

#define WINDOW 1000000 /* ns */
#define STACK  ((size_t)64 << 10)

bool race_off;

static struct {
	bool begun; /* by one thread, before others are */
	int64_t start,
	    on; /* ns: since when, and how long it was on; atomic, relaxed: for a line of stats */
} sample;

static void wait_ns(int64_t ns)
{
	static uint32_t never;
	int64_t until = os_now() + ns;
	for (int64_t now; (now = os_now()) < until;)
		os_futex_wait(&never, 0, until - now); /* may wake early */
}

static void windows(void *arg)
{
	uint64_t random = (uint64_t)os_now() | 1;
	(void)arg;
	for (;;) {
		int64_t t0 = os_now();
		store_rlx(&race_off, false);
		wait_ns(WINDOW);
		store_rlx(&race_off, true);
		int64_t now = os_now(), on = load_rlx(&sample.on) + now - t0;
		store_rlx(&sample.on, on);
		int64_t rest = (int64_t)((double)on * 1e6 / flags.sample) - (now - sample.start);
		random = random * 6364136223846793005u + 1442695040888963407u;
		double vary = 0.5 + (double)(random >> 33) / (double)(UINT64_C(1) << 31);
		if (rest > 0)
			wait_ns((int64_t)((double)rest * vary));
	}
}

static void begin(void)
{
	store_rlx(&race_off, false);
	sample.start = os_now();
	store_rlx(&sample.on, (int64_t)0);
	(void)os_thread_start(
	    windows, NULL, STACK, "goro-sample", true); /* without it: all is checked */
}

void sample_init(void)
{
	if (sample.begun || flags.sample == 1000000 || schedule_options())
		return;
	sample.begun = true;
	flags.detect_deadlocks = false;
	begin();
}

void sample_forked(void)
{
	if (sample.begun)
		begin();
}

void sample_text(Buf *b)
{
	if (sample.begun)
		buf_fmt(b, "goro: stats: sample: share=%d.%06d on_ms=%lld of_ms=%lld\n",
		    flags.sample / 1000000, flags.sample % 1000000,
		    (long long)(load_rlx(&sample.on) / 1000000),
		    (long long)((os_now() - sample.start) / 1000000));
}
