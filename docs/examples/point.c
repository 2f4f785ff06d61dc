/*
 * point.c: what is sent over a channel is a copy of the value. For a struct that is the whole struct; for
 * a pointer it is the pointer, and with it, by agreement, what it points to: after the send the sender
 * leaves it alone. The send is before the completion of its receive, so what the sender wrote through
 * the pointer is there for the receiver to read.
 *
 * Expected.
 *     by value: mine (1,2), yours (10,2)
 *     by pointer: moved to (13,4)
 * exit 0, in both builds; no report.
 */
#include <goro.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Point {
	int x, y;
} Point;

/* Take a copy, change it, send it back. */
static void stretch(chan(Point) in, chan(Point) out)
{
	Point p = chan_recv(in);
	p.x *= 10;
	chan_send(out, p);
}

/* Take the point itself, move it in place, hand it back. */
static void move(chan(Point *) in, chan(Point *) out, int dx, int dy)
{
	Point *p = chan_recv(in);
	p->x += dx;
	p->y += dy;
	chan_send(out, p);
}

int main(void)
{
	chan(Point) values_in = chan_make(Point);
	chan(Point) values_out = chan_make(Point);
	go(stretch, values_in, values_out);

	Point mine = {1, 2};
	chan_send(values_in, mine);
	Point yours = chan_recv(values_out);
	printf("by value: mine (%d,%d), yours (%d,%d)\n", mine.x, mine.y, yours.x, yours.y);

	chan(Point *) pointers_in = chan_make(Point *);
	chan(Point *) pointers_out = chan_make(Point *);
	go(move, pointers_in, pointers_out, 3, 2);

	Point *shared = malloc(sizeof *shared);
	if (!shared)
		return 1;
	*shared = yours;
	chan_send(pointers_in, shared);   /* from here it is move's, */
	shared = chan_recv(pointers_out); /* and from here ours again */
	printf("by pointer: moved to (%d,%d)\n", shared->x, shared->y);

	free(shared);
	chan_free(values_in);
	chan_free(values_out);
	chan_free(pointers_in);
	chan_free(pointers_out);
	return 0;
}
