/*
 * run.c: see run.h. Output goes through pipes that are drained by poll, so that neither side can block
 * the other; the child leads its own process group, so that the limit ends all of it.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct Buffer {
	char *text;
	size_t len, cap;
} Buffer;

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000L;
}

/* False at the end of the file. */
static int drain(int fd, Buffer *b)
{
	if (b->cap - b->len < 4096) {
		b->cap = b->cap * 2 + 8192;
		b->text = realloc(b->text, b->cap);
		if (!b->text)
			abort();
	}
	ssize_t n = read(fd, b->text + b->len, b->cap - b->len - 1);
	if (n > 0)
		b->len += (size_t)n;
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static void finish(Buffer *b, char **text, size_t *len)
{
	if (!b->text)
		b->text = calloc(1, 1);
	if (!b->text)
		abort();
	b->text[b->len] = '\0';
	*text = b->text;
	*len = b->len;
}

/* The environment with these in it, of which the caller frees the array. */
static char **environment(char *const more[])
{
	size_t n = 0, m = 0, k = 0;

	while (environ[n])
		n++;
	while (more && more[m])
		m++;
	char **env = malloc((n + m + 1) * sizeof *env);
	if (!env)
		abort();
	for (size_t i = 0; i < n; i++) {
		size_t j = 0, len = (size_t)(strchrnul(environ[i], '=') - environ[i]) + 1;
		while (j < m && strncmp(more[j], environ[i], len) != 0)
			j++;
		if (j == m)
			env[k++] = environ[i];
	}
	for (size_t j = 0; j < m; j++)
		env[k++] = more[j];
	env[k] = NULL;
	return env;
}

/* By posix_spawn: a fork copies the page tables of who runs thousands of small programs. */
static pid_t start(char *const argv[], char *const more[], const int out[2], const int err[2])
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	pid_t pid = -1;
	char **env = environment(more);

	if (posix_spawn_file_actions_init(&files) != 0 || posix_spawnattr_init(&attr) != 0 ||
	    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_adddup2(&files, out[1], 1) != 0 ||
	    posix_spawn_file_actions_adddup2(&files, err[1], 2) != 0 ||
	    posix_spawnattr_setpgroup(&attr, 0) != 0 ||
	    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP) != 0)
		abort();
	int error = posix_spawnp(&pid, argv[0], &files, &attr, argv, env);
	if (error) {
		dprintf(err[1], "%s: %s\n", argv[0], strerror(error));
		pid = -1;
	}
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	free(env);
	return pid;
}

void run(Run *r, int seconds, char *const argv[], char *const env[])
{
	int out[2], err[2], status = 0, timeout = 0;
	Buffer bo = {0}, be = {0};

	memset(r, 0, sizeof *r);
	r->code = RUN_FAILED;
	if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
		abort();
	pid_t pid = start(argv, env, out, err);
	close(out[1]);
	close(err[1]);
	if (pid > 0) {
		struct pollfd fds[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
		long end = now_ms() + seconds * 1000L;

		while (fds[0].fd >= 0 || fds[1].fd >= 0) {
			long left = end - now_ms();
			if (left <= 0) {
				timeout = 1;
				break;
			}
			if (poll(fds, 2, (int)left) <= 0)
				continue;
			if (fds[0].revents && !drain(out[0], &bo))
				fds[0].fd = -1;
			if (fds[1].revents && !drain(err[0], &be))
				fds[1].fd = -1;
		}
		if (timeout)
			kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		r->code = timeout ? RUN_TIMEOUT
			: WIFEXITED(status) ? WEXITSTATUS(status)
					    : 128 + WTERMSIG(status);
	}
	close(out[0]);
	close(err[0]);
	finish(&bo, &r->out, &r->outlen);
	finish(&be, &r->err, &r->errlen);
}

void run_sh(Run *r, int seconds, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		abort();
	va_end(ap);
	run(r, seconds, (char *[]){(char *)"sh", (char *)"-c", line, NULL}, NULL);
	free(line);
}

void run_free(Run *r)
{
	free(r->out);
	free(r->err);
	memset(r, 0, sizeof *r);
}
