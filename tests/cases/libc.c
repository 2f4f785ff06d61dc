/*
 * libc.c: system calls and stdio touch the caller's buffers; what is written into a pipe or socket is
 * before what is read out of it. Printing orders nothing.
 */
#include "case.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int fd[2];
char buffer[64];

ACCESS(call_read, if (read(fd[0], buffer, 10) < 0) abort())
ACCESS(call_write, if (write(fd[1], buffer, 10) < 0) abort())
ACCESS(call_readv, struct iovec v = {buffer, 10}; if (readv(fd[0], &v, 1) < 0) abort())
ACCESS(call_writev, struct iovec v = {buffer, 10}; if (writev(fd[1], &v, 1) < 0) abort())
ACCESS(call_recv, if (recv(fd[0], buffer, 10, 0) < 0) abort())
ACCESS(call_send, if (send(fd[1], buffer, 10, 0) < 0) abort())
ACCESS(read_byte, USE(buffer[9]))
ACCESS(write_byte, buffer[9] = 1)
ACCESS(write_beyond, buffer[10] = 1)
ACCESS(call_clock, clock_gettime(CLOCK_REALTIME, (struct timespec *)buffer))
ACCESS(call_time, time((time_t *)buffer))
ACCESS(write_low, buffer[3] = 1)
ACCESS(call_puts, fputs(buffer, stdout))
ACCESS(call_getcwd, if (!getcwd(buffer, sizeof buffer)) buffer[0] = 1)
ACCESS(read_low, USE(buffer[0]))

static void first(void (*f)(void))
{
	f();
	step(1);
}
static void second(void (*f)(void))
{
	after(1);
	f();
	step(2);
}
static void prepare(void)
{
	if (pipe(fd) != 0 || write(fd[1], "0123456789", 10) != 10)
		abort();
	strcpy(buffer, "some text\n");
}
static void prepare_socket(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0 || write(fd[1], "0123456789", 10) != 10)
		abort();
}
#define PAIR_WITH(case_, before, a, b)                                                             \
	static void case_(void)                                                                    \
	{                                                                                          \
		before();                                                                          \
		go(first, a);                                                                      \
		go(second, b);                                                                     \
		after(2);                                                                          \
	}
#define PAIR(case_, a, b) PAIR_WITH(case_, prepare, a, b)

PAIR(race_libc_read, call_read, read_byte)
PAIR(norace_libc_read_beyond, call_read, write_beyond)
PAIR(race_libc_write, write_byte, call_write)
PAIR(norace_libc_write_beyond, write_beyond, call_write)
PAIR(race_libc_readv, call_readv, read_byte)
PAIR(race_libc_writev, write_byte, call_writev)
PAIR_WITH(race_libc_recv, prepare_socket, call_recv, read_byte)
PAIR_WITH(race_libc_send, prepare_socket, write_byte, call_send)
PAIR(race_libc_clock_gettime, write_low, call_clock)
PAIR(race_libc_time, write_low, call_time)
PAIR(race_libc_fputs, write_low, call_puts)
PAIR(race_libc_getcwd, read_low, call_getcwd)

/* ---- descriptors order ---- */

static void write_x_to_pipe(void)
{
	write_x();
	if (write(fd[1], "x", 1) != 1)
		abort();
}
static void read_from_pipe_read_x(void)
{
	char c;
	if (read(fd[0], &c, 1) != 1)
		abort();
	read_x();
	arrive();
}
static void norace_libc_pipe(void)
{
	if (pipe(fd) != 0)
		abort();
	go(read_from_pipe_read_x);
	go(write_x_to_pipe);
	arrived(1);
}
static void norace_libc_socket(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		abort();
	go(read_from_pipe_read_x);
	go(write_x_to_pipe);
	arrived(1);
}
static void write_x_close_pipe(void)
{
	write_x();
	close(fd[1]);
}
static void read_end_read_x(void)
{
	char c;
	if (read(fd[0], &c, 1) != 0)
		abort();
	read_x();
	arrive();
}
static void norace_libc_pipe_closed(void)
{
	if (pipe(fd) != 0)
		abort();
	go(read_end_read_x);
	go(write_x_close_pipe);
	arrived(1);
}
static void write_pipe_write_x(void)
{
	if (write(fd[1], "x", 1) != 1)
		abort();
	write_x();
	step(1);
}
static void read_pipe_read_x_late(void)
{
	char c;
	if (read(fd[0], &c, 1) != 1)
		abort();
	after(1);
	read_x();
	step(2);
}
static void race_libc_write_after_pipe(void)
{
	if (pipe(fd) != 0)
		abort();
	go(write_pipe_write_x);
	go(read_pipe_read_x_late);
	after(2);
}

/* ---- golang/go#27756: prints that hide a race ---- */

static void print_write(void)
{
	printf("writing\n");
	write_x();
	printf("written\n");
	step(1);
}
static void print_read(void)
{
	after(1);
	printf("reading\n");
	read_x();
	step(2);
}
static void race_libc_printing_orders_nothing(void)
{
	go(print_write);
	go(print_read);
	after(2);
}
static void print_a_lot(int id)
{
	for (int i = 0; i < 100; i++)
		printf("goroutine %d line %d of %s\n", id, i, "text");
	arrive();
}
static void norace_libc_printing(void)
{
	for (int i = 0; i < 8; i++)
		go(print_a_lot, i);
	arrived(8);
}
static void own_file(int id)
{
	char line[64] = "";
	FILE *f = tmpfile();
	if (!f)
		abort();
	fprintf(f, "%d %s\n", id, "own");
	rewind(f);
	if (!fgets(line, sizeof line, f) || atoi(line) != id)
		abort();
	fclose(f);
	arrive();
}
static void norace_libc_files(void)
{
	for (int i = 0; i < 8; i++)
		go(own_file, i);
	arrived(8);
}

/* Callbacks out of libc are user code. */
static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}
static void sort_own(int seed)
{
	int a[100];
	for (int i = 0; i < 100; i++)
		a[i] = (i * 37 + seed) % 101;
	qsort(a, 100, sizeof a[0], compare);
	USE(a[50]);
	arrive();
}
static void norace_libc_qsort(void)
{
	for (int i = 0; i < 4; i++)
		go(sort_own, i);
	arrived(4);
}

#define S(current, previous) current "<second / " previous "<first / global buffer"
CASES(
    RACE(race_libc_read, S("read read_byte", "write call_read"))
    NORACE(norace_libc_read_beyond)
    RACE(race_libc_write, S("read call_write", "write write_byte"))
    NORACE(norace_libc_write_beyond)
    RACE(race_libc_readv, S("read read_byte", "write call_readv"))
    RACE(race_libc_writev, S("read call_writev", "write write_byte"))
    RACE(race_libc_recv, S("read read_byte", "write call_recv"))
    RACE(race_libc_send, S("read call_send", "write write_byte"))
    RACE(race_libc_clock_gettime, S("write call_clock", "write write_low"))
    RACE(race_libc_time, S("write call_time", "write write_low"))
    RACE(race_libc_fputs, S("read call_puts", "write write_low"))
    RACE(race_libc_getcwd, S("write call_getcwd", "read read_low"))
    NORACE(norace_libc_pipe)
    NORACE(norace_libc_socket)
    NORACE(norace_libc_pipe_closed)
    RACE(race_libc_write_after_pipe,
	"read read_x<read_pipe_read_x_late / write write_x<write_pipe_write_x / global x")
    RACE(race_libc_printing_orders_nothing, "read read_x<print_read / write write_x<print_write / global x")
    NORACE(norace_libc_printing)
    NORACE(norace_libc_files)
    NORACE(norace_libc_qsort)
)
