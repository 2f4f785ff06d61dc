/*
 * history.c: see history.h. The rules, for a channel of `cap` places; "before" is by the clock: a.end < b.begin.
 *
 *   once       each value sent is received once, and not before its send began
 *   order      if send a is before send b, then receive b is not before receive a
 *   room       sends ended never exceed receives begun by more than cap
 *   full       a try to send that failed: at its end, sends begun are at least cap more than the receives ended
 *              before it
 *   empty      a try to receive that failed: sends ended before it are no more than receives begun by its end
 *   len        between the least and the most that these bounds allow, and within 0 and cap
 *   closed     an answer "closed" ends after the close began, and after all receives of values began
 *
 * The counts are looked up in sorted arrays: n log n in all.
 */
#include "history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[256];

#define BROKEN(...) (snprintf(text, sizeof text, __VA_ARGS__), text)

typedef struct Times {
	uint64_t *at;
	size_t n;
} Times;

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* How many lie before t. */
static long before(const Times *s, uint64_t t)
{
	size_t lo = 0, hi = s->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (s->at[mid] < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (long)lo;
}

static Times times(const Event *e, size_t n, EventKind kind, bool end)
{
	Times s = {malloc((n + 1) * sizeof(uint64_t)), 0};
	if (!s.at)
		abort();
	for (size_t i = 0; i < n; i++)
		if (e[i].kind == kind)
			s.at[s.n++] = end ? e[i].end : e[i].begin;
	qsort(s.at, s.n, sizeof *s.at, by_number);
	return s;
}

typedef struct Value {
	const Event *send, *recv;
} Value;

static int by_send_end(const void *a, const void *b)
{
	return by_number(&(*(const Value *const *)a)->send->end, &(*(const Value *const *)b)->send->end);
}

static int by_send_begin(const void *a, const void *b)
{
	return by_number(&(*(const Value *const *)a)->send->begin, &(*(const Value *const *)b)->send->begin);
}

static const char *check_once(const Event *e, size_t n, Value *v, uint32_t nvalues)
{
	for (size_t i = 0; i < n; i++) {
		if (e[i].kind != EVENT_SEND && e[i].kind != EVENT_RECV)
			continue;
		if (e[i].value >= nvalues)
			return BROKEN("value %u was never made", e[i].value);
		const Event **slot = e[i].kind == EVENT_SEND ? &v[e[i].value].send : &v[e[i].value].recv;
		if (*slot)
			return BROKEN("value %u was %s twice", e[i].value,
			    e[i].kind == EVENT_SEND ? "sent" : "received");
		*slot = &e[i];
	}
	for (uint32_t i = 0; i < nvalues; i++) {
		if (v[i].send && !v[i].recv)
			return BROKEN("value %u was sent and not received", i);
		if (v[i].recv && !v[i].send)
			return BROKEN("value %u was received and not sent", i);
		if (v[i].recv && v[i].recv->end < v[i].send->begin)
			return BROKEN("value %u was received before it was sent", i);
	}
	return NULL;
}

/* For each b: of the sends that ended before b's began, the one that is received last has begun to be by then. */
static const char *check_order(Value *v, uint32_t nvalues)
{
	Value **ended = malloc((nvalues + 1) * sizeof *ended), **begun = malloc((nvalues + 1) * sizeof *begun);
	uint32_t k = 0, at = 0;
	const Value *last = NULL;
	const char *broken = NULL;
	if (!ended || !begun)
		abort();
	for (uint32_t i = 0; i < nvalues; i++)
		if (v[i].send)
			ended[k] = begun[k] = &v[i], k++;
	qsort(ended, k, sizeof(Value *), by_send_end);
	qsort(begun, k, sizeof(Value *), by_send_begin);
	for (uint32_t i = 0; i < k && !broken; i++) {
		const Value *b = begun[i];
		for (; at < k && ended[at]->send->end < b->send->begin; at++)
			if (!last || ended[at]->recv->begin > last->recv->begin)
				last = ended[at];
		if (last && last->recv->begin > b->recv->end)
			broken = BROKEN("value %u overtook value %u", b->send->value, last->send->value);
	}
	free(ended);
	free(begun);
	return broken;
}

static const char *check_counts(const Event *e, size_t n, long cap)
{
	Times sb = times(e, n, EVENT_SEND, false), se = times(e, n, EVENT_SEND, true);
	Times rb = times(e, n, EVENT_RECV, false), re = times(e, n, EVENT_RECV, true);
	Times cb = times(e, n, EVENT_CLOSE, false);
	const char *broken = NULL;
	for (size_t i = 0; i < n && !broken; i++) {
		/* What must lie in the buffer at some moment of the event, and what may. */
		long least = before(&se, e[i].begin) - before(&rb, e[i].end);
		long most = before(&sb, e[i].end) - before(&re, e[i].begin);
		switch (e[i].kind) {
		case EVENT_SEND: {
			long over = before(&se, e[i].end) + 1 - before(&rb, e[i].end);
			if (over > cap)
				broken = BROKEN("value %u: %ld sends have ended that nobody receives, capacity %ld",
				    e[i].value, over, cap);
			break;
		}
		case EVENT_SEND_FULL:
			if (most < cap)
				broken = BROKEN("a try to send failed with at most %ld of %ld places taken", most, cap);
			break;
		case EVENT_RECV_EMPTY:
			if (least > 0)
				broken = BROKEN("a try to receive failed with at least %ld values there", least);
			break;
		case EVENT_LEN:
			if ((long)e[i].value > cap || (long)e[i].value > (most < 0 ? 0 : most) ||
			    (long)e[i].value < (least < cap ? least : cap))
				broken = BROKEN("len answered %u: at least %ld, at most %ld, capacity %ld",
				    e[i].value, least, most, cap);
			break;
		case EVENT_RECV_CLOSED:
			if (before(&cb, e[i].end) == 0)
				broken = BROKEN("a receive answered closed before the close");
			else if (before(&rb, e[i].end) != (long)rb.n)
				broken = BROKEN("a receive answered closed with values still there");
			break;
		case EVENT_CLOSE:
			if (cb.n > 1)
				broken = BROKEN("closed twice");
			break;
		case EVENT_RECV:
			break;
		}
	}
	free(sb.at), free(se.at), free(rb.at), free(re.at), free(cb.at);
	return broken;
}

const char *history_check(const Event *e, size_t n, size_t cap, uint32_t nvalues)
{
	Value *v = calloc(nvalues + 1, sizeof *v);
	if (!v)
		abort();
	const char *broken = check_once(e, n, v, nvalues);
	if (!broken)
		broken = check_order(v, nvalues);
	if (!broken)
		broken = check_counts(e, n, (long)cap);
	free(v);
	return broken;
}
