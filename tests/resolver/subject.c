/*
 * subject.c: the name server does not answer (hang.c), until letting_go. GOMAXPROCS=1. Ends with 0 and says "well".
 */
#include <errno.h>
#include <goro.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                 \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static int hang[2]; /* each byte lets one look-up go on */
static char address[64];

static void dials(chan(int) answer)
{
	chan_send(answer, goro_dial("tcp", address));
}

static void looks_up(chan(int) answer)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
	int e = getaddrinfo("hung", "80", &hints, &found);
	if (e == 0)
		freeaddrinfo(found);
	chan_send(answer, e);
}

static void computes(chan(int) answer)
{
	volatile int sum = 0;
	for (int i = 0; i < 1000000; i++)
		sum += i;
	chan_send(answer, 1);
}

static void cancels(goro_context *ctx)
{
	goro_sleep(50 * GORO_MILLISECOND);
	goro_cancel(ctx);
}

static void letting_go(int n)
{
	while (n--)
		CHECK(write(hang[1], "x", 1) == 1);
}

int main(void)
{
	char fd[16];
	CHECK(goro_gomaxprocs(0) == 1);
	CHECK(pipe(hang) == 0);
	snprintf(fd, sizeof fd, "%d", hang[0]);
	setenv("HANG_FD", fd, 1);
	int listener = goro_listen("tcp", "127.0.0.1:0");
	CHECK(listener >= 0);
	CHECK(goro_socket_address(listener, false, address, sizeof address) == 0);
	char port[16];
	snprintf(port, sizeof port, "%s", strrchr(address, ':'));
	snprintf(address, sizeof address, "hung%s", port);

	/* Others go on beside two that hang. */
	chan(int) dialled = chan_make(int), looked_up = chan_make(int), done = chan_make(int);
	go(dials, dialled);
	go(looks_up, looked_up);
	goro_ticker *ticker = goro_ticker_new(5 * GORO_MILLISECOND);
	for (int i = 0; i < 5; i++) {
		int64_t when;
		go(computes, done);
		CHECK(chan_recv(done) == 1);
		goro_chan_recv((goro_chan *)ticker->c, &when);
	}
	goro_ticker_free(ticker);
	int unused;
	CHECK(!chan_try_recv(dialled, &unused) && !chan_try_recv(looked_up, &unused));

	/* A deadline, a context's deadline and a cancelled context end a dial. */
	int64_t begin = goro_now();
	CHECK(goro_dial_deadline("tcp", address, begin + 50 * GORO_MILLISECOND) == -ETIMEDOUT);
	CHECK(goro_now() - begin >= 50 * GORO_MILLISECOND);
	CHECK(goro_dial_deadline("tcp", address, begin) == -ETIMEDOUT);
	goro_context *late = goro_with_timeout(goro_background(), 50 * GORO_MILLISECOND);
	CHECK(goro_dial_context(late, "tcp", address) == -ETIMEDOUT);
	CHECK(goro_dial_context(late, "tcp", address) == -ETIMEDOUT);
	goro_context *ctx = goro_with_cancel(goro_background());
	go(cancels, ctx);
	CHECK(goro_dial_context(ctx, "tcp", address) == -ECANCELED);

	/* It answers at last: those that have no limit get it, those that have gone leave nothing behind. */
	letting_go(5);
	int client = chan_recv(dialled);
	CHECK(client >= 0);
	CHECK(chan_recv(looked_up) == 0);
	letting_go(1);
	goro_context *root = goro_with_timeout(goro_background(), 20 * GORO_SECOND);
	int second = goro_dial_context(root, "tcp", address);
	CHECK(second >= 0);
	while (goro_num_goroutine() > 1)
		goro_sleep(GORO_MILLISECOND);
	CHECK(goro_close(client) == 0 && goro_close(second) == 0 && goro_close(listener) == 0);
	goro_context_free(late);
	goro_context_free(ctx);
	goro_context_free(root);
	puts("well");
}
