/*
 * httpd.c: a web server: HTTP/1.1, a goroutine for each connection, keep-alive and pipelining, time limits
 * for a request, for an idle connection and for an answer, and a graceful end: on SIGINT, SIGTERM or
 * POST /stop it takes no more connections, closes idle ones, lets requests under way finish, and is gone 5 s later at
 * the latest.
 *
 *   httpd [ADDRESS [DIRECTORY]]      default 127.0.0.1:8080 and the working directory
 *   curl http://127.0.0.1:8080/            a greeting
 *   curl http://127.0.0.1:8080/count       how many requests there have been
 *   curl http://127.0.0.1:8080/sleep?300   answers after that many milliseconds, at most 3000
 *   curl -d text http://127.0.0.1:8080/echo    what was sent
 *   curl http://127.0.0.1:8080/file/NAME   a file in DIRECTORY
 *   curl -X POST http://127.0.0.1:8080/stop    ends the server; asked from this machine only
 *
 * What to look at. serve() reads and writes as if it were alone: goro_read parks. The context `stop` says to
 * all when to end; what a goroutine waits for when that happens is a read, which the deadline that
 * end_connections sets wakes. The table of connections is guarded by a mutex, the counter is atomic.
 *
 * Expected. "listening on ADDRESS" (a port of 0 is filled in), and after a signal "N requests, good bye";
 * exit 0, in both builds; no report.
 */
#include <errno.h>
#include <fcntl.h>
#include <goro.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef IDLE_TIME /* another patience: -D, all four */
#define IDLE_TIME    (15 * GORO_SECOND) /* between two requests */
#define REQUEST_TIME (5 * GORO_SECOND)  /* from its first byte to its last */
#define ANSWER_TIME  (10 * GORO_SECOND)
#define GRACE_TIME   (5 * GORO_SECOND)
#endif
#define HEAD_MAX     8192
#define BODY_MAX     (1 << 20)
#define CONNS_MAX    1000

typedef struct Conn {
	int fd;
	bool busy; /* conns.lock: a request is under way */
	int slot;
	size_t have; /* bytes in buf not yet used */
	char buf[HEAD_MAX + 1];
} Conn;

typedef struct Request {
	char method[16], path[1024];
	bool keep_alive, http10;
	bool expects; /* "100-continue" */
	long length;  /* of the body */
	char *body;
} Request;

static struct {
	goro_mutex lock;
	Conn *open[CONNS_MAX];
	int n;
	bool ending;
} conns;
static goro_waitgroup serving;
static int64_t requests;
static goro_context *stop;
static const char *directory = ".";

/* ---- the table of connections ---- */

static bool enter(Conn *c)
{
	goro_mutex_lock(&conns.lock);
	bool room = conns.n < CONNS_MAX && !conns.ending;
	if (room) {
		c->slot = conns.n;
		conns.open[conns.n++] = c;
	}
	goro_mutex_unlock(&conns.lock);
	return room;
}

static void leave(Conn *c)
{
	goro_mutex_lock(&conns.lock);
	conns.open[c->slot] = conns.open[--conns.n];
	conns.open[c->slot]->slot = c->slot;
	goro_mutex_unlock(&conns.lock);
}

/* A request begins (or has ended). False: we are closing. An idle one gets until `idle` for the next. */
static bool set_busy(Conn *c, bool busy)
{
	goro_mutex_lock(&conns.lock);
	bool go_on = busy || !conns.ending;
	c->busy = busy;
	if (go_on) /* under the lock: end_connections' deadline must not be overwritten */
		goro_set_read_deadline(c->fd, goro_now() + (busy ? REQUEST_TIME : IDLE_TIME));
	goro_mutex_unlock(&conns.lock);
	return go_on;
}

static void end_connections(void)
{
	goro_mutex_lock(&conns.lock);
	conns.ending = true;
	for (int i = 0; i < conns.n; i++)
		if (!conns.open[i]->busy)
			goro_set_read_deadline(conns.open[i]->fd, 1); /* long past */
	goro_mutex_unlock(&conns.lock);
}

/* ---- requests ---- */

/* Read until buf holds an empty line; the length of the head with it, 0 at the end, or negative errno. */
static int read_head(Conn *c)
{
	bool begun = false;
	for (;;) {
		if (c->have && !begun) {
			begun = true;
			if (!set_busy(c, true))
				return 0;
		}
		c->buf[c->have] = '\0';
		char *end = strstr(c->buf, "\r\n\r\n");
		if (end)
			return (int)(end + 4 - c->buf);
		if (c->have == HEAD_MAX)
			return -E2BIG;
		intptr_t n = goro_read(c->fd, c->buf + c->have, HEAD_MAX - c->have);
		if (n <= 0)
			return begun && n == -ETIMEDOUT ? -ETIMEDOUT : 0;
		c->have += (size_t)n;
	}
}

/* The line after `line`, which is cut off; NULL: that was the last. */
static char *next_line(char *line)
{
	char *end = strstr(line, "\r\n");
	if (!end)
		return NULL;
	*end = '\0';
	return end[2] == '\0' ? NULL : end + 2;
}

/* 0, or the status to answer with. Cuts the head into lines. */
static int parse(char *head, Request *r)
{
	char version[16];
	char *line = head, *next = next_line(line);
	if (sscanf(line, "%15s %1023s %15s", r->method, r->path, version) != 3 || r->path[0] != '/')
		return 400;
	if (strncmp(version, "HTTP/1.", 7) != 0)
		return 505;
	r->http10 = strcmp(version, "HTTP/1.0") == 0;
	r->keep_alive = !r->http10;
	bool host = false;
	for (line = next; line; line = next) {
		next = next_line(line);
		if (!*line)
			break;
		char *value = strchr(line, ':');
		if (!value || value == line || value[-1] == ' ')
			return 400;
		*value++ = '\0';
		value += strspn(value, " \t");
		if (strcasecmp(line, "Connection") == 0) {
			if (strcasecmp(value, "close") == 0)
				r->keep_alive = false;
			else if (strcasecmp(value, "keep-alive") == 0)
				r->keep_alive = true;
		} else if (strcasecmp(line, "Content-Length") == 0) {
			char *end;
			long n = strtol(value, &end, 10);
			if (*value < '0' || *value > '9' || *end || (r->length && r->length != n))
				return 400;
			if (n > BODY_MAX)
				return 413;
			r->length = n;
		} else if (strcasecmp(line, "Transfer-Encoding") == 0) {
			return 501; /* so that nobody takes a body for a request */
		} else if (strcasecmp(line, "Expect") == 0) {
			r->expects = strcasecmp(value, "100-continue") == 0;
		} else if (strcasecmp(line, "Host") == 0) {
			host = true;
		}
	}
	return host || r->http10 ? 0 : 400;
}

/* ---- answers ---- */

static const char *reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 413: return "Content Too Large";
	case 431: return "Request Header Fields Too Large";
	case 501: return "Not Implemented";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: return "Internal Server Error";
	}
}

/* Head and body in one write where they are small. False: the connection is of no more use. */
static bool answer(Conn *c, const Request *r, int status, const char *type, const char *body, size_t n)
{
	char out[4096];
	int head = snprintf(out, sizeof out,
	    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n", status,
	    reason(status), type, n, r->keep_alive ? "keep-alive" : "close");
	size_t len = (size_t)head;
	if (strcmp(r->method, "HEAD") == 0)
		n = 0;
	goro_set_write_deadline(c->fd, goro_now() + ANSWER_TIME);
	if (n <= sizeof out - len) {
		memcpy(out + len, body, n);
		return goro_write(c->fd, out, len + n) == (intptr_t)(len + n);
	}
	return goro_write(c->fd, out, len) == (intptr_t)len && goro_write(c->fd, body, n) == (intptr_t)n;
}

static bool answer_text(Conn *c, const Request *r, int status, const char *text)
{
	return answer(c, r, status, "text/plain; charset=utf-8", text, strlen(text));
}

static bool answer_file(Conn *c, const Request *r, const char *name)
{
	char path[2048];
	struct stat st;
	if (!*name || *name == '/' || strstr(name, ".."))
		return answer_text(c, r, 404, "no such file\n");
	snprintf(path, sizeof path, "%s/%s", directory, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > 64 << 20) {
		if (fd >= 0)
			close(fd);
		return answer_text(c, r, 404, "no such file\n");
	}
	char *text = malloc((size_t)st.st_size + 1);
	size_t n = 0;
	for (intptr_t k; text && n < (size_t)st.st_size; n += (size_t)k)
		if ((k = goro_read(fd, text + n, (size_t)st.st_size - n)) <= 0)
			break;
	goro_close(fd);
	bool ok = text ? answer(c, r, 200, "application/octet-stream", text, n)
		       : answer_text(c, r, 503, "no memory\n");
	free(text);
	return ok;
}

/* The end by the context itself: this request is answered, and those under way. */
static bool answer_stop(Conn *c, const Request *r)
{
	char peer[64];
	if (goro_socket_address(c->fd, true, peer, sizeof peer) < 0 || strncmp(peer, "127.", 4) != 0)
		return answer_text(c, r, 403, "not from here\n");
	goro_cancel(stop);
	return answer_text(c, r, 200, "stopping\n") && false;
}

static bool handle(Conn *c, const Request *r)
{
	char text[128];
	int64_t count = goro_atomic_add_int64(&requests, 1);
	if (strcmp(r->path, "/echo") == 0)
		return answer(c, r, 200, "application/octet-stream", r->body, (size_t)r->length);
	if (strcmp(r->path, "/stop") == 0 && strcmp(r->method, "POST") == 0)
		return answer_stop(c, r);
	if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
		return answer_text(c, r, 405, "GET it\n");
	if (strcmp(r->path, "/") == 0)
		return answer_text(c, r, 200, "hello from a goroutine\n");
	if (strcmp(r->path, "/count") == 0) {
		snprintf(text, sizeof text, "%lld\n", (long long)count);
		return answer_text(c, r, 200, text);
	}
	if (strncmp(r->path, "/sleep?", 7) == 0) {
		int ms = atoi(r->path + 7);
		goro_sleep((ms < 0 ? 0 : ms > 3000 ? 3000 : ms) * GORO_MILLISECOND);
		return answer_text(c, r, 200, "slept\n");
	}
	if (strncmp(r->path, "/file/", 6) == 0)
		return answer_file(c, r, r->path + 6);
	return answer_text(c, r, 404, "nothing here\n");
}

/* The body: what is in buf behind the head, and the rest from the socket. */
static bool read_body(Conn *c, Request *r, int head)
{
	size_t there = c->have - (size_t)head, want = (size_t)r->length;
	size_t take = there < want ? there : want;
	r->body = malloc(want + 1);
	if (!r->body)
		return false;
	memcpy(r->body, c->buf + head, take);
	if (take < want && r->expects && goro_write(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) != 25)
		return false;
	for (intptr_t n; take < want; take += (size_t)n)
		if ((n = goro_read(c->fd, r->body + take, want - take)) <= 0)
			return false;
	/* What is behind it is the next request. */
	size_t used = (size_t)head + (there < want ? there : want);
	memmove(c->buf, c->buf + used, c->have - used);
	c->have -= used;
	return true;
}

/* The answer to what was not understood. What the client still sends is read for a moment: closing before
 * would reset the connection, and the answer be lost. */
static bool refuse(Conn *c, const Request *r, int status)
{
	answer_text(c, r, status, "not understood\n");
	shutdown(c->fd, SHUT_WR);
	goro_set_read_deadline(c->fd, goro_now() + GORO_SECOND);
	for (int i = 0; i < 256 && goro_read(c->fd, c->buf, HEAD_MAX) > 0; i++)
		;
	return false;
}

/* One request and its answer. False: close. */
static bool serve_one(Conn *c)
{
	Request r = {.keep_alive = false};
	int head = read_head(c);
	if (head == 0)
		return false;
	if (head < 0)
		return refuse(c, &r, head == -E2BIG ? 431 : 408);
	char saved = c->buf[head];
	c->buf[head] = '\0';
	int status = parse(c->buf, &r);
	c->buf[head] = saved;
	if (status) {
		r.keep_alive = false;
		return refuse(c, &r, status);
	}
	bool ok = read_body(c, &r, head);
	if (goro_context_err(stop))
		r.keep_alive = false;
	ok = ok && handle(c, &r) && r.keep_alive;
	free(r.body);
	return ok;
}

static void serve(Conn *c)
{
	do {
		if (!set_busy(c, false))
			break;
	} while (serve_one(c));
	leave(c);
	goro_close(c->fd);
	free(c);
	goro_waitgroup_done(&serving);
}

/* Take connections until the listener is closed. */
static void listen_on(int fd)
{
	for (;;) {
		int client = goro_accept(fd, NULL, NULL);
		if (client == -ECANCELED || client == -EBADF)
			break;
		if (client < 0) { /* out of descriptors or memory: some will come back */
			fprintf(stderr, "accept: %s\n", strerror(-client));
			goro_sleep(50 * GORO_MILLISECOND);
			continue;
		}
		Conn *c = calloc(1, sizeof *c);
		if (!c) {
			goro_close(client);
			continue;
		}
		c->fd = client;
		if (!enter(c)) {
			static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
						   "Connection: close\r\n\r\n";
			goro_send(client, busy, sizeof busy - 1, 0);
			goro_close(client);
			free(c);
			continue;
		}
		goro_waitgroup_add(&serving, 1);
		go(serve, c);
	}
	goro_waitgroup_done(&serving);
}

static void wait_for_all(chan(int) gone)
{
	goro_waitgroup_wait(&serving);
	chan_close(gone);
}

int main(int argc, char **argv)
{
	const char *address = argc > 1 ? argv[1] : "127.0.0.1:8080";
	char real[128];
	if (argc > 2)
		directory = argv[2];
	stop = goro_signal_context(goro_background(), SIGINT, SIGTERM, 0);
	int fd = goro_listen("tcp", address);
	if (fd < 0) {
		fprintf(stderr, "httpd: %s: %s\n", address, strerror(-fd));
		return 1;
	}
	goro_socket_address(fd, false, real, sizeof real);
	printf("listening on %s\n", real);
	fflush(stdout);
	goro_waitgroup_add(&serving, 1);
	go(listen_on, fd);

	(void)chan_recv(goro_context_done(stop));
	goro_close(fd);
	end_connections();
	chan(int) gone = chan_make(int);
	go(wait_for_all, gone);
	goro_timer *patience = goro_timer_new(GRACE_TIME);
	int64_t now;
	if (chan_select(on_recv(gone, NULL), on_recv(patience->c, &now)) == 0)
		goro_context_free(stop);
	else
		fprintf(stderr, "httpd: requests under way are cut off\n");
	goro_timer_free(patience);
	printf("%lld requests, good bye\n", (long long)goro_atomic_load_int64(&requests));
	return 0;
}
