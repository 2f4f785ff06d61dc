/*
 * httpd_test.c: the web server of docs/examples, spoken to over a socket and by Python's http.client: plain and
 * with -race. What it does when time is up is tested with times of 300 ms in the place of its own.
 */
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/run.h"

#define WORK GORO_BUILD_DIR "/tests/httpd.d"

typedef struct Server {
	pid_t pid;
	FILE *out; /* stdout and stderr */
	int port;
} Server;

/* A test builds its own, as others run at the same time. files: how many descriptors it may have; 0: many. */
static void start(Server *s, const char *test, bool race, const char *flags, unsigned files)
{
	char name[256], line[256];
	Run r;
	int fd[2];
	snprintf(name, sizeof name, WORK "/%s%s", test, race ? "-race" : "");
	run_sh(&r, 120, "mkdir -p " WORK " && " GORO_BUILD_DIR "/bin/goro-cc %s %s -O1 -g -Wall -Wextra -Werror "
			GORO_SOURCE_DIR "/docs/examples/httpd.c -o %s", race ? "-race" : "", flags, name);
	cr_assert(r.code == 0 && !*r.err, "does not build:\n%s%s", r.out, r.err);
	run_free(&r);
	cr_assert_eq(pipe(fd), 0);
	s->pid = fork();
	if (s->pid == 0) {
		struct rlimit few = {files, files};
		dup2(fd[1], 1);
		dup2(fd[1], 2);
		close(fd[0]);
		close(fd[1]);
		if (files)
			setrlimit(RLIMIT_NOFILE, &few);
		alarm(60);
		execl(name, name, "127.0.0.1:0", WORK, NULL);
		_exit(127);
	}
	close(fd[1]);
	s->out = fdopen(fd[0], "r");
	cr_assert(fgets(line, sizeof line, s->out));
	cr_assert_eq(sscanf(line, "listening on 127.0.0.1:%d", &s->port), 1, "it said: %s", line);
}

static void ended_well(Server *s)
{
	int status;
	fclose(s->out);
	cr_assert_eq(waitpid(s->pid, &status, 0), s->pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}

/* It was told to stop: it says `last` before the number of requests it has answered, and ends well. */
static void stopped_saying(Server *s, const char *last, int requests)
{
	char all[8192], want[256];
	size_t n = fread(all, 1, sizeof all - 1, s->out);
	all[n] = '\0';
	snprintf(want, sizeof want, "%s%d requests, good bye\n", last, requests);
	cr_assert_str_eq(all, want);
	ended_well(s);
}

static void stopped(Server *s, int requests)
{
	stopped_saying(s, "", requests);
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
	start(&s, "conversation", race, "", 0);
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
	close(many[0]);
	kill(s.pid, SIGTERM);
	stopped(&s, 6 + 1 + N);
}

Test(httpd, conversation, .timeout = 120) { conversation(false); }
Test(httpd, conversation_race, .timeout = 120) { conversation(true); }

/* ---- the end, with a request under way ---- */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Asked on fd until the server has begun with `n` requests besides these questions: how many those were. */
static int until_begun(int fd, int n)
{
	for (int asked = 1;; asked++) {
		say(fd, "GET /count HTTP/1.1\r\n" HOST "\r\n");
		expect(fd, 200, NULL, false);
		if (atoi(body) - asked >= n)
			return asked;
	}
}

static void refused(const Server *s)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert(connect(fd, (struct sockaddr *)&in, sizeof in) == -1 && errno == ECONNREFUSED);
	close(fd);
}

/* sig: 0: by POST /stop, which cancels the context. */
static void ends(const char *test, bool race, int sig)
{
	Server s;
	start(&s, test, race, "", 0);
	int busy = dial(&s), idle = dial(&s);
	say(busy, "GET /sleep?700 HTTP/1.1\r\n" HOST "\r\n");
	int asked = until_begun(idle, 1);
	if (sig) {
		kill(s.pid, sig);
	} else {
		int fd = dial(&s);
		say(fd, "POST /stop HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
		bool closes;
		cr_assert_eq(hear(fd, body, sizeof body, &closes), 200);
		cr_assert_str_eq(body, "stopping\n");
		cr_assert_eq(recv(fd, body, 1, 0), 0);
		close(fd);
	}
	cr_assert_eq(recv(idle, body, 1, 0), 0); /* what is idle is closed, */
	refused(&s);                             /* nobody is let in, */
	bool closes;
	cr_assert_eq(hear(busy, body, sizeof body, &closes), 200); /* and what is under way is answered */
	cr_assert_str_eq(body, "slept\n");
	cr_assert_eq(recv(busy, body, 1, 0), 0);
	close(busy);
	close(idle);
	stopped(&s, 1 + asked + !sig);
}

Test(httpd, finishes_requests_on_sigterm, .timeout = 120) { ends("sigterm", false, SIGTERM); }
Test(httpd, finishes_requests_on_sigint_race, .timeout = 120) { ends("sigint", true, SIGINT); }
Test(httpd, finishes_requests_when_its_context_is_cancelled, .timeout = 120) { ends("context", false, 0); }
Test(httpd, finishes_requests_when_its_context_is_cancelled_race, .timeout = 120) { ends("context", true, 0); }

/* ---- when time is up ---- */

#define LIMIT 300 /* ms */
#define SHORT(t) " -D" t "_TIME='(300*GORO_MILLISECOND)'"
#define LONG(t) " -D" t "_TIME='(20*GORO_SECOND)'"

/* Descriptors the server has. */
static int files(const Server *s)
{
	char path[64];
	int n = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", (int)s->pid);
	DIR *d = opendir(path);
	cr_assert(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void slow_client(bool race)
{
	Server s;
	start(&s, "slow_client", race, SHORT("REQUEST") LONG("IDLE") LONG("ANSWER") LONG("GRACE"), 0);
	/* A byte now and then: it is the request that has a limit, not the pause. */
	static const char drip[] = "GET / HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	int fd = dial(&s);
	int64_t begun = now_ms();
	char c;
	for (const char *at = drip; *at && recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) != 1; at++) {
		cr_assert_eq(send(fd, at, 1, MSG_NOSIGNAL), 1);
		usleep(20000);
	}
	expect(fd, 408, NULL, true);
	cr_assert_geq(now_ms() - begun, LIMIT - 1);
	cr_assert_lt(now_ms() - begun, 15000); /* far from IDLE_TIME */
	cr_assert_leq(recv(fd, &c, 1, 0), 0);
	close(fd);
	/* A body that does not come. */
	fd = dial(&s);
	begun = now_ms();
	say(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
	cr_assert_eq(recv(fd, &c, 1, 0), 0);
	cr_assert_geq(now_ms() - begun, LIMIT - 1);
	close(fd);
	/* Others are served as ever, longer than that limit if they need it. */
	fd = dial(&s);
	say(fd, "GET /sleep?400 HTTP/1.1\r\n" HOST "\r\n");
	expect(fd, 200, "slept\n", false);
	close(fd);
	kill(s.pid, SIGTERM);
	stopped(&s, 1);
}
Test(httpd, a_slow_client_is_cut_off, .timeout = 120) { slow_client(false); }
Test(httpd, a_slow_client_is_cut_off_race, .timeout = 120) { slow_client(true); }

Test(httpd, an_idle_connection_is_closed, .timeout = 120)
{
	Server s;
	char c;
	start(&s, "idle", false, SHORT("IDLE") LONG("REQUEST") LONG("ANSWER") LONG("GRACE"), 0);
	int fd = dial(&s), silent = dial(&s);
	say(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
	expect(fd, 200, "hello from a goroutine\n", false);
	cr_assert_eq(recv(fd, &c, 1, 0), 0);
	cr_assert_eq(recv(silent, &c, 1, 0), 0);
	close(fd);
	close(silent);
	kill(s.pid, SIGTERM);
	stopped(&s, 1);
}

Test(httpd, a_client_that_does_not_read_is_cut_off, .timeout = 120)
{
	enum { SIZE = 32 << 20 };
	Server s;
	start(&s, "deaf", false, SHORT("ANSWER") LONG("REQUEST") LONG("IDLE") LONG("GRACE"), 0);
	FILE *f = fopen(WORK "/large", "w");
	cr_assert(f && ftruncate(fileno(f), SIZE) == 0);
	fclose(f);
	int other = dial(&s), begun = until_begun(other, 0), none = files(&s), fd = dial(&s);
	say(fd, "GET /file/large HTTP/1.1\r\n" HOST "\r\n");
	/* It has begun to answer. Where 300 ms went by before it came to that, it has cut us off without a byte. */
	for (; recv(fd, body, 1, MSG_PEEK) != 1; begun++) {
		close(fd);
		fd = dial(&s);
		say(fd, "GET /file/large HTTP/1.1\r\n" HOST "\r\n");
	}
	while (files(&s) > none) /* and has given up */
		usleep(5000);
	int64_t got = 0;
	for (ssize_t n; (n = recv(fd, body, sizeof body, 0)) > 0;)
		got += n;
	cr_assert(got > 0 && got < SIZE, "%lld", (long long)got);
	close(fd);
	close(other);
	kill(s.pid, SIGTERM);
	stopped(&s, 1 + begun);
}

Test(httpd, a_request_that_takes_too_long_does_not_hold_the_end_up, .timeout = 120)
{
	Server s;
	start(&s, "grace", false, SHORT("GRACE") LONG("REQUEST") LONG("IDLE") LONG("ANSWER"), 0);
	int busy = dial(&s), idle = dial(&s);
	say(busy, "GET /sleep?3000 HTTP/1.1\r\n" HOST "\r\n");
	int asked = until_begun(idle, 1);
	kill(s.pid, SIGTERM);
	char c;
	cr_assert_leq(recv(busy, &c, 1, 0), 0);
	close(busy);
	close(idle);
	stopped_saying(&s, "httpd: requests under way are cut off\n", 1 + asked);
}

/* ---- half-closed; without descriptors ---- */

static void half_closed(bool race)
{
	Server s;
	char c;
	start(&s, "half", race, "", 0);
	int fd = dial(&s);
	say(fd, "GET / HTTP/1.1\r\n" HOST "\r\nGET /sleep?20 HTTP/1.1\r\n" HOST "\r\n"
		"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
	shutdown(fd, SHUT_WR);
	expect(fd, 200, "hello from a goroutine\n", false);
	expect(fd, 200, "slept\n", false);
	expect(fd, 200, "abc", false);
	cr_assert_eq(recv(fd, &c, 1, 0), 0);
	close(fd);
	/* In the middle of a request: there is nothing to answer. */
	fd = dial(&s);
	say(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
	shutdown(fd, SHUT_WR);
	cr_assert_eq(recv(fd, &c, 1, 0), 0);
	close(fd);
	kill(s.pid, SIGTERM);
	stopped(&s, 3);
}
Test(httpd, answers_who_has_closed_his_half, .timeout = 120) { half_closed(false); }
Test(httpd, answers_who_has_closed_his_half_race, .timeout = 120) { half_closed(true); }

static void no_descriptors(bool race)
{
	enum { N = 64, FILES = 40 };
	Server s;
	int fd[N];
	char line[256];
	start(&s, "emfile", race, "", FILES);
	for (int i = 0; i < N; i++)
		fd[i] = dial(&s); /* those it cannot take wait in the kernel */
	cr_assert(fgets(line, sizeof line, s.out));
	cr_assert_str_eq(line, "accept: Too many open files\n");
	say(fd[0], "GET / HTTP/1.1\r\n" HOST "\r\n"); /* those it has are served */
	expect(fd[0], 200, "hello from a goroutine\n", false);
	for (int i = 0; i < N - 1; i++)
		close(fd[i]);
	say(fd[N - 1], "GET / HTTP/1.1\r\n" HOST "\r\n"); /* and the others, as soon as there is room */
	expect(fd[N - 1], 200, "hello from a goroutine\n", false);
	close(fd[N - 1]);
	kill(s.pid, SIGTERM);
	bool end = false;
	while (!end && fgets(line, sizeof line, s.out)) {
		end = strcmp(line, "2 requests, good bye\n") == 0;
		cr_assert(end || strcmp(line, "accept: Too many open files\n") == 0, "%s", line);
	}
	cr_assert(end);
	ended_well(&s);
}
Test(httpd, goes_on_without_descriptors, .timeout = 120) { no_descriptors(false); }
Test(httpd, goes_on_without_descriptors_race, .timeout = 120) { no_descriptors(true); }

/* ---- a client that others wrote ---- */

static const char client[] =
    "import http.client, sys\n"
    "c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=20)\n"
    "c.connect()\n"
    "port = c.sock.getsockname()[1]\n"
    "for i in range(20):\n"
    "    c.request('GET', '/')\n"
    "    r = c.getresponse()\n"
    "    assert r.status == 200 and r.read() == b'hello from a goroutine\\n', r.status\n"
    "    assert c.sock and c.sock.getsockname()[1] == port, 'another connection'\n"
    "c.request('HEAD', '/')\n"
    "r = c.getresponse()\n"
    "assert r.status == 200 and r.read() == b'' and r.getheader('Content-Length') == '23'\n"
    "c.request('POST', '/echo', body=b'x' * 300000)\n"
    "assert c.getresponse().read() == b'x' * 300000\n"
    "assert c.sock.getsockname()[1] == port, 'another connection'\n"
    "c.request('GET', '/count', headers={'Connection': 'close'})\n"
    "r = c.getresponse()\n"
    "assert r.read() == b'23\\n' and r.will_close\n"
    "c.request('GET', '/nothing')\n" /* connects anew */
    "assert c.getresponse().status == 404\n";

static void python(bool race)
{
	Server s;
	Run r;
	start(&s, "python", race, "", 0);
	run_sh(&r, 60, "cat >" WORK "/client%d.py <<'EOF'\n%s\nEOF\npython3 " WORK "/client%d.py %d", race, client, race,
	    s.port);
	cr_assert(r.code == 0, "%d: %s%s", r.code, r.out, r.err);
	run_free(&r);
	kill(s.pid, SIGTERM);
	stopped(&s, 24);
}
Test(httpd, keeps_pythons_connection_alive, .timeout = 120) { python(false); }
Test(httpd, keeps_pythons_connection_alive_race, .timeout = 120) { python(true); }
