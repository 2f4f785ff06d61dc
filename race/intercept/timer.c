/*
 * timer.c: kernel timers and message queues. Arming a timer is before the signal it sends (signal.c); a
 * message sent is before the one received, by the queue's file.
 */
#include "fill.h"

#include "../../runtime/os/os.h"

/* SIGEV_THREAD: the libc runs the function on a thread that it makes where nobody sees it. Ours goes first,
 * and takes the order of the arming. What it is told lives on: a call may be on its way when the timer
 * is deleted. */
typedef struct Notify {
	void (*fn)(union sigval);
	union sigval value;
} Notify;

static void on_timer(union sigval which)
{
	Notify *n = which.sival_ptr;

	signal_fires(self());
	n->fn(n->value);
}

INTERCEPT int timer_create(clockid_t clock, struct sigevent *restrict how, timer_t *restrict out)
{
	const void *pc = CALLER;
	RaceCtx *g = self();
	struct sigevent ours;
	Notify *n = NULL;
	int r;

	IN(how);
	if (how && how->sigev_notify == SIGEV_THREAD && how->sigev_notify_function)
		n = goro_real_malloc(sizeof *n);
	if (n) {
		*n = (Notify){how->sigev_notify_function, how->sigev_value};
		ours = *how;
		ours.sigev_notify_function = on_timer;
		ours.sigev_value.sival_ptr = n;
		signal_armed(g);
	}
	r = goro_real_timer_create(clock, n ? &ours : how, out);
	if (r == 0)
		OUT(out);
	else
		goro_real_free(n);
	return r;
}

CALL(int, timer_delete, (timer_t t), (t), , false, )
CALL(int, timer_settime,
     (timer_t t, int flags, const struct itimerspec *restrict in, struct itimerspec *restrict out),
     (t, flags, in, out), IN(in);
     signal_armed(g), r == 0, OUT(out))
CALL(int, timer_gettime, (timer_t t, struct itimerspec *out), (t, out), , r == 0, OUT(out))
CALL(int, timerfd_settime,
    (int fd, int flags, const struct itimerspec *restrict in, struct itimerspec *restrict out),
    (fd, flags, in, out), IN(in), r == 0, OUT(out))
CALL(int, timerfd_gettime, (int fd, struct itimerspec *out), (fd, out), , r == 0, OUT(out))
CALL(int, getitimer, (__itimer_which_t which, struct itimerval *out), (which, out), , r == 0,
    OUT(out))
CALL(int, setitimer,
     (__itimer_which_t which, const struct itimerval *restrict in, struct itimerval *restrict out),
     (which, in, out), IN(in);
     signal_armed(g), r == 0, OUT(out))
CALL(unsigned, alarm, (unsigned s), (s), signal_armed(g), false, )

/* ---- message queues ---- */

static void queue_out(RaceCtx *g, mqd_t q)
{
	const void *order = g && fd_order ? fd_order(q).in[0] : NULL;

	if (order)
		hook_release_merge(g, order);
}

static void queue_in(RaceCtx *g, mqd_t q)
{
	int saved = os_errno();
	const void *order = g && fd_order ? fd_order(q).in[0] : NULL;

	if (order)
		hook_acquire(g, order);
	os_set_errno(saved);
}

CALL(int, mq_send, (mqd_t q, const char *in, size_t n, unsigned priority), (q, in, n, priority),
     IN_N(in, n);
     queue_out(g, q), false, )
CALL(int, mq_timedsend,
     (mqd_t q, const char *in, size_t n, unsigned priority, const struct timespec *until),
     (q, in, n, priority, until), IN_N(in, n);
     IN(until); queue_out(g, q), false, )
CALL(ssize_t, mq_receive, (mqd_t q, char *out, size_t n, unsigned *priority), (q, out, n, priority),
     , r >= 0, queue_in(g, q);
     OUT_N(out, (size_t)r); OUT(priority))
CALL(ssize_t, mq_timedreceive,
     (mqd_t q, char *restrict out, size_t n, unsigned *restrict priority,
	 const struct timespec *restrict until),
     (q, out, n, priority, until), IN(until), r >= 0, queue_in(g, q);
     OUT_N(out, (size_t)r); OUT(priority))
CALL(int, mq_getattr, (mqd_t q, struct mq_attr *out), (q, out), , r == 0, OUT(out))
CALL(int, mq_setattr, (mqd_t q, const struct mq_attr *restrict in, struct mq_attr *restrict out),
    (q, in, out), IN(in), r == 0, OUT(out))
