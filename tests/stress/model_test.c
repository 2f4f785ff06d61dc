/*
 * model_test.c: one channel against its sequential model: a queue, those that wait to send, those
 * that wait to receive, open or closed. On one P and letting everybody run after each step, every
 * outcome is determined: who is served, in which order, with what.
 */
#include "stress.h"

#include <string.h>

enum { MOST = 256 };

typedef enum Answer { PENDING, DONE, CLOSED } Answer;

/* A goroutine that sends or receives, alone or as one of two cases of a select. */
typedef struct Actor {
	bool send, select;
	bool started; /* and, as main runs again, parked or done */
	int value;    /* to send, or received */
	Answer answer;
} Actor;

static goro_chan *c, *never;

static void act(void *p)
{
	Actor *a = p;
	int v = a->send ? a->value : -1, other;
	bool ok;
	a->started = true;
	if (a->select) {
		goro_case cs[] = {
		    {never, false, &other, false, NULL}, {c, a->send, &v, false, NULL}};
		stress_check(goro_select(cs, 2, true) == 1);
		ok = a->send || cs[1].ok;
	} else if (a->send) {
		goro_chan_send(c, &v);
		ok = true;
	} else {
		ok = goro_chan_recv(c, &v);
	}
	if (!a->send)
		a->value = v;
	a->answer = ok ? DONE : CLOSED;
}

/* ---- the model ---- */

typedef struct Queue {
	int at[MOST];
	int n;
} Queue;

static void put(Queue *q, int v)
{
	stress_check(q->n < MOST);
	q->at[q->n++] = v;
}

static int get(Queue *q)
{
	int v = q->at[0];
	memmove(q->at, q->at + 1, (size_t)--q->n * sizeof(int));
	return v;
}

typedef struct Model {
	int cap;
	bool closed;
	Queue buffer, senders, receivers; /* of values; of indices of actors */
	Actor want[MOST];
	int nactors;
} Model;

/* Move what can move: receivers take from the buffer or a sender, senders fill the buffer. */
static void settle_model(Model *m)
{
	for (bool moved = true; moved;) {
		moved = false;
		while (m->senders.n && m->buffer.n < m->cap) {
			int s = get(&m->senders);
			put(&m->buffer, m->want[s].value);
			m->want[s].answer = DONE;
			moved = true;
		}
		if (m->receivers.n && (m->buffer.n || m->senders.n)) {
			int r = get(&m->receivers), s = -1;
			if (!m->buffer.n)
				s = get(&m->senders);
			m->want[r].value = s < 0 ? get(&m->buffer) : m->want[s].value;
			m->want[r].answer = DONE;
			if (s >= 0)
				m->want[s].answer = DONE;
			moved = true;
		}
		if (m->closed && m->receivers.n && !m->buffer.n) {
			int r = get(&m->receivers);
			m->want[r].value = 0;
			m->want[r].answer = CLOSED;
			moved = true;
		}
	}
}

static Actor actor[MOST];

static bool as_model(const Model *m)
{
	if (goro_chan_len(c) != m->buffer.n)
		return false;
	for (int k = 0; k < m->nactors; k++)
		if (!actor[k].started || actor[k].answer != m->want[k].answer ||
		    actor[k].value != m->want[k].value)
			return false;
	return true;
}

static void one_run(uint64_t *rnd)
{
	Model m = {.cap = (int)(stress_random(rnd, 2) * stress_random(rnd, 5))};
	int steps = 20 + (int)stress_random(rnd, 100), value = 100;
	c = goro_chan_make(sizeof(int), (size_t)m.cap);
	for (int i = 0; i < steps; i++) {
		uint32_t op = stress_random(rnd, 20);
		int v;
		if (op < 12 && m.nactors < MOST - 4) {
			bool send = stress_random(rnd, 2) && !m.closed;
			Actor a = {.send = send,
			    .select = stress_random(rnd, 3) == 0,
			    .value = send ? value++ : -1};
			put(send ? &m.senders : &m.receivers, m.nactors);
			m.want[m.nactors] = actor[m.nactors] = a;
			goro_go(act, &actor[m.nactors++]);
		} else if (op < 15 && !m.closed) {
			bool can = m.receivers.n || m.buffer.n < m.cap;
			v = value++;
			stress_check(goro_chan_try_send(c, &v) == can);
			if (can && m.receivers.n) {
				int r = get(&m.receivers);
				m.want[r].value = v;
				m.want[r].answer = DONE;
			} else if (can) {
				put(&m.buffer, v);
			}
		} else if (op < 18) {
			bool can = m.buffer.n || m.senders.n;
			v = -7;
			stress_check(goro_chan_try_recv(c, &v) == can);
			if (can && m.buffer.n) {
				stress_check(v == get(&m.buffer));
			} else if (can) {
				int s = get(&m.senders);
				stress_check(v == m.want[s].value);
				m.want[s].answer = DONE;
			} else {
				stress_check(v == (m.closed ? 0 : -7));
			}
		} else if (op == 19 && i > steps / 2 && !m.closed && !m.senders.n) {
			goro_chan_close(c);
			m.closed = true;
		}
		settle_model(&m);
		for (int k = 0; !as_model(&m); k++) { /* the others run, and park or end */
			stress_check(k < 1000);
			goro_gosched();
		}
	}
	while (m.senders.n) { /* let all go, then close for the receivers */
		goro_chan_recv(c, NULL);
		if (m.buffer.n)
			get(&m.buffer);
		else
			m.want[get(&m.senders)].answer = DONE;
		settle_model(&m);
	}
	if (!m.closed)
		goro_chan_close(c);
	while (goro_num_goroutine() > 1)
		goro_gosched();
	goro_chan_free(c);
	stress_progress();
}

static int body(void *unused)
{
	(void)unused;
	uint64_t rnd = 42;
	never = goro_chan_make(sizeof(int), 0);
	goro_gomaxprocs(1);
	while (!stress_over())
		one_run(&rnd);
	return 0;
}

Test(model, channel_does_as_its_model)
{
	stress(body);
}
