/*
 * httpd_test.c: the web server of docs/examples, spoken to over a socket: plain and with -race.
 */
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/run.h"

#define WORK GORO_BUILD_DIR "/tests/httpd.d"

typedef struct Server {
	pid_t pid;
	FILE *out; /* stdout and stderr */
	int port;
} Server;

static void start(Server *s, bool race)
{
	const char *name = race ? WORK "/httpd-race" : WORK "/httpd";
	Run r;
	int fd[2];
	char line[256];
	run_sh(&r, 120, "mkdir -p " WORK " && " GORO_BUILD_DIR "/bin/goro-cc %s -O1 -g -Wall -Wextra -Werror "
			GORO_SOURCE_DIR "/docs/examples/httpd.c -o %s", race ? "-race" : "", name);
	cr_assert(r.code == 0 && !*r.err, "does not build:\n%s%s", r.out, r.err);
	run_free(&r);
	cr_assert_eq(pipe(fd), 0);
	s->pid = fork();
	if (s->pid == 0) {
		dup2(fd[1], 1);
		dup2(fd[1], 2);
		close(fd[0]);
		close(fd[1]);
		alarm(60);
		execl(name, name, "127.0.0.1:0", WORK, NULL);
		_exit(127);
	}
	close(fd[1]);
	s->out = fdopen(fd[0], "r");
	cr_assert(fgets(line, sizeof line, s->out));
	cr_assert_eq(sscanf(line, "listening on 127.0.0.1:%d", &s->port), 1, "it said: %s", line);
}

/* It was told to stop: it has answered `requests`, and ends well. */
static void stopped(Server *s, int requests)
{
	char all[8192], want[64];
	int status;
	size_t n = fread(all, 1, sizeof all - 1, s->out);
	all[n] = '\0';
	fclose(s->out);
	cr_assert_eq(waitpid(s->pid, &status, 0), s->pid);
	snprintf(want, sizeof want, "%d requests, good bye\n", requests);
	cr_assert_str_eq(all, want);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}

static int dial(const Server *s)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct timeval limit = {10, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&in, sizeof in) == 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	return fd;
}

static void say(int fd, const char *text)
{
	cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* The next answer of fd: its status, its body in *body; *closes: the server said that it will. -1: none. */
static int hear(int fd, char *body, size_t size, bool *closes)
{
	char head[4096];
	size_t n = 0, length;
	int status;
	while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0) {
		cr_assert(n < sizeof head - 1);
		if (recv(fd, head + n, 1, 0) != 1)
			return -1;
		n++;
	}
	head[n] = '\0';
	const char *at = strstr(head, "Content-Length: ");
	cr_assert(at && sscanf(head, "HTTP/1.1 %d ", &status) == 1, "%s", head);
	length = (size_t)atol(at + 16);
	*closes = strstr(head, "Connection: close\r\n") != NULL;
	cr_assert_lt(length, size);
	for (n = 0; n < length;) {
		ssize_t k = recv(fd, body + n, length - n, 0);
		cr_assert_gt(k, 0);
		n += (size_t)k;
	}
	body[n] = '\0';
	return status;
}

static char body[1 << 17];

static void expect(int fd, int status, const char *text, bool close_)
{
	bool closes;
	int got = hear(fd, body, sizeof body, &closes);
	cr_assert_eq(got, status, "%d, not %d: %s", got, status, body);
	if (text)
		cr_assert_str_eq(body, text);
	cr_assert_eq(closes, close_);
}

#define HOST "Host: test\r\n"

static void conversation(bool race)
{
	Server s;
	start(&s, race);
	/* Keep-alive, pipelined, in pieces. */
	int fd = dial(&s);
	say(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
	expect(fd, 200, "hello from a goroutine\n", false);
	say(fd, "GET /count HTTP/1.1\r\n" HOST "\r\nPOST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhelloGET /co");
	expect(fd, 200, "2\n", false);
	expect(fd, 200, "hello", false);
	usleep(20000);
	say(fd, "unt HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	expect(fd, 200, "4\n", true);
	cr_assert_eq(recv(fd, body, 1, 0), 0);
	close(fd);
	/* A body larger than any buffer. */
	fd = dial(&s);
	say(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n");
	char *large = malloc(100001);
	memset(large, 'x', 100000);
	large[100000] = '\0';
	say(fd, large);
	expect(fd, 200, large, false);
	free(large);
	close(fd);
	/* What is wrong. */
	static const struct {
		const char *request;
		int status;
	} wrong[] = {
	    {"nonsense\r\n\r\n", 400},
	    {"GET / HTTP/2.0\r\n\r\n", 505},
	    {"GET / HTTP/1.1\r\n\r\n", 400}, /* no Host */
	    {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
	    {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\n", 400},
	    {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n", 413},
	    {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 501},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		fd = dial(&s);
		say(fd, wrong[i].request);
		shutdown(fd, SHUT_WR);
		expect(fd, wrong[i].status, NULL, true);
		close(fd);
	}
	fd = dial(&s);
	say(fd, "GET /file/../etc/passwd HTTP/1.1\r\n" HOST "\r\n");
	expect(fd, 404, NULL, false);
	say(fd, "DELETE / HTTP/1.1\r\n" HOST "\r\n");
	expect(fd, 405, NULL, false);
	close(fd);
	/* Many at once. */
	enum { N = 100 };
	int many[N];
	for (int i = 0; i < N; i++)
		many[i] = dial(&s);
	for (int i = 0; i < N; i++)
		say(many[i], "GET /sleep?20 HTTP/1.1\r\n" HOST "\r\n");
	for (int i = 0; i < N; i++)
		expect(many[i], 200, "slept\n", false);
	for (int i = 1; i < N; i++)
		close(many[i]);
	/* The end: what is under way is answered, what is idle is closed. */
	fd = dial(&s);
	say(fd, "GET /sleep?500 HTTP/1.1\r\n" HOST "\r\n");
	usleep(200000);
	kill(s.pid, SIGTERM);
	bool closes;
	cr_assert_eq(hear(fd, body, sizeof body, &closes), 200);
	cr_assert_str_eq(body, "slept\n");
	cr_assert_eq(recv(many[0], body, 1, 0), 0);
	close(many[0]);
	close(fd);
	stopped(&s, 8 + N);
}

Test(httpd, conversation, .timeout = 120) { conversation(false); }
Test(httpd, conversation_race, .timeout = 120) { conversation(true); }
