/*
 * fileread.c: a goroutine blocked in a plain read(2) holds nobody up.
 *
 * The program runs on one processor. A goroutine reads from a pipe into which nobody has written yet; the
 * call blocks its thread. The scheduler moves the processor to another thread, and the other goroutines
 * compute meanwhile. Only when they are done does main write into the pipe, and the reader returns. Were
 * the processor to stay with the blocked thread, the program would hang here for ever.
 *
 * Expected. "computed 4 sums: 1999998000000", "read 12 bytes: hello, goro!" in this order; exit 0, in both
 * builds; no report.
 */
#include <goro.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COUNTERS = 4, NUMBERS = 1000000 };

/* Read what comes, hand over how many bytes that were. The buffer is written by read on our behalf. */
static void read_file(int fd, char *buf, size_t size, chan(ssize_t) done)
{
	chan_send(done, read(fd, buf, size));
}

static void add_up(chan(long long) sums)
{
	long long sum = 0;

	for (int i = 0; i < NUMBERS; i++)
		sum += i;
	chan_send(sums, sum);
}

int main(void)
{
	static char buf[64];
	static const char text[] = "hello, goro!";
	long long total = 0;
	int fd[2];

	if (pipe(fd) != 0)
		return 1;
	goro_gomaxprocs(1);

	chan(ssize_t) done = chan_make(ssize_t);
	go(read_file, fd[0], buf, sizeof buf - 1, done);
	goro_gosched(); /* the reader is in its system call now */

	chan(long long) sums = chan_make(long long, COUNTERS);
	for (int i = 0; i < COUNTERS; i++)
		go(add_up, sums);
	for (int i = 0; i < COUNTERS; i++)
		total += chan_recv(sums);
	printf("computed %d sums: %lld\n", COUNTERS, total);

	if (write(fd[1], text, strlen(text)) < 0)
		return 1;
	ssize_t n = chan_recv(done);
	printf("read %zd bytes: %s\n", n, buf);

	close(fd[0]);
	close(fd[1]);
	chan_free(done);
	chan_free(sums);
	return 0;
}
