/*
 * schedtrace.c: GODEBUG=schedtrace=MS: a line about the scheduler on stderr, every MS milliseconds, in Go's
 * form; with scheddetail=1 besides each P, M and G.
 *
 * Driven by sysmon, hence at its ticks. What is guarded by sched.lock is read under it, the rest relaxed: a
 * picture of a moment, as in Go. gcwaiting and stopwait are always 0; scripts look for them.
 */
#include "debug.h"

#include <stdlib.h>
#include <string.h>

static struct {
	int64_t period; /* ns; 0: not asked for; sysmon alone, as the rest */
	bool detail, known;
	int64_t start, next;
} trace;

/* Where the value of name stands in GODEBUG, up to a comma or the end; NULL: nowhere. */
static const char *find(const char *name)
{
	const char *s = getenv("GODEBUG"), *value = NULL;
	size_t n = strlen(name);
	while (s && *s) {
		if (!strncmp(s, name, n) && s[n] == '=')
			value = s + n + 1; /* the last one stands */
		s = strchr(s, ',');
		if (s)
			s++;
	}
	return value;
}

long godebug(const char *name)
{
	const char *value = find(name);
	return value ? strtol(value, NULL, 10) : 0;
}

bool godebug_text(const char *name, char *to, size_t size)
{
	const char *value = find(name);
	if (!value)
		return false;
	size_t n = strcspn(value, ",");
	if (n >= size)
		n = size - 1;
	memcpy(to, value, n);
	to[n] = 0;
	return true;
}

/* Runnable on p, as it looks: the ends of a queue are not read at one moment. */
static int waiting(P *p)
{
	int n = (int)(load_rlx(&p->runq.tail) - load_rlx(&p->runq.head)) +
		(int)(load_rlx(&p->fresh.tail) - load_rlx(&p->fresh.head)) +
		(int)(load_rlx(&p->lifo_high) - load_rlx(&p->lifo_low)) +
		(load_rlx(&p->runnext) != NULL);
	return n < 0 ? 0 : n;
}

static void add_p(Buf *b, P *p)
{
	static const int status[] = {
	    [P_IDLE] = 0, [P_RUNNING] = 1, [P_SYSCALL] = 2, [P_DEAD] = 4}; /* Go's */
	M *m = load_rlx(&p->m);
	buf_fmt(b,
	    "  P%d: status=%d schedtick=%u syscalltick=%u m=%d runqsize=%d gfreecnt=%u "
	    "timerslen=%u\n",
	    p->id, status[load_rlx(&p->status)], load_rlx(&p->schedtick), load_rlx(&p->syscalltick),
	    m ? m->id : -1, waiting(p), load_rlx(&p->ngfree), load_rlx(&p->ntimers));
}

static void add_m(Buf *b, M *m)
{
	P *p = load_rlx(&m->p);
	G *g = load_rlx(&m->g), *wired = load_rlx(&m->locked_g);
	buf_fmt(b, "  M%d: p=%d curg=%lld spinning=%s blocked=%s lockedg=%lld\n", m->id,
	    p ? p->id : -1, g ? (long long)g->id : -1, load_rlx(&m->spinning) ? "true" : "false",
	    load_rlx(&m->idle) ? "true" : "false", wired ? (long long)wired->id : -1);
}

static void add_g(G *g, void *buf)
{
	static const int status[] = {[G_DEAD] = 6,
	    [G_RUNNABLE] = 1,
	    [G_RUNNING] = 2,
	    [G_WAITING] = 4,
	    [G_SYSCALL] = 3}; /* Go's */
	uint32_t state = load_rlx(&g->state);
	M *m = load_rlx(&g->m), *wired = load_rlx(&g->locked_m);
	bool on = state == G_RUNNING || state == G_SYSCALL;
	buf_fmt(buf, "  G%llu: status=%d(%s) m=%d lockedm=%d\n", (unsigned long long)g->id,
	    status[state <= G_SYSCALL ? state : G_DEAD],
	    state == G_WAITING ? wait_reason_text((WaitReason)load_rlx(&g->wait_reason)) : "",
	    on && m ? m->id : -1, wired ? wired->id : -1);
}

static void print(int64_t now)
{
	Buf b = {0};
	uint32_t wired = 0;
	lock(&sched.lock);
	uint32_t procs = sched.procs < sched.nall_p ? sched.procs : sched.nall_p;
	buf_fmt(&b,
	    "SCHED %lldms: gomaxprocs=%u idleprocs=%u threads=%d spinningthreads=%u idlethreads=%u "
	    "runqueue=%u",
	    (long long)((now - trace.start) / 1000000), sched.procs, sched.nidle_p,
	    os_thread_own() + (int)sched.nhosts, load_rlx(&sched.nspinning), sched.nidle_m,
	    sched.runq_size);
	if (trace.detail) {
		for (M *m = sched.all_m; m; m = m->all_next)
			wired += m->idle && m->locked_g;
		buf_fmt(&b, " gcwaiting=0 nmidlelocked=%u stopwait=0 sysmonwait=%d\n", wired,
		    sched.sysmon_state >= 2);
		for (uint32_t i = 0; i < procs; i++)
			add_p(&b, sched.all_p[i]);
		for (M *m = sched.all_m; m; m = m->all_next)
			add_m(&b, m);
	} else {
		for (uint32_t i = 0; i < procs; i++)
			buf_fmt(&b, "%s%d", i ? " " : " [", waiting(sched.all_p[i]));
		buf_str(&b, "]\n");
	}
	unlock(&sched.lock);
	if (trace.detail)
		stack_each_g(add_g, &b);
	buf_write(&b, 2);
	buf_free(&b);
}

int64_t schedtrace(int64_t now)
{
	if (!trace.known) {
		trace.known = true;
		long ms = godebug("schedtrace");
		trace.period = ms > 0 ? (int64_t)ms * 1000000 : 0;
		trace.detail = godebug("scheddetail") > 0;
		trace.start = trace.next = now;
	}
	if (!trace.period)
		return -1;
	if (now >= trace.next) {
		trace.next = now + trace.period;
		if (!fatal_in_progress())
			print(now);
	}
	return trace.next - now;
}
