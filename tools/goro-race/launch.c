/*
 * launch.c: see launch.h. One loop over poll: signals come by a signalfd, so that nothing runs in a handler.
 * Orphans of the programs become ours (PR_SET_CHILD_SUBREAPER): a group is gone when kill says so, and zombies
 * that nobody takes would keep it.
 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

enum {
	FATAL_MOST = 1 << 20, /* a dump of some thousand goroutines */
	TAIL_MOST = 4096,
	QUIT_MOST_MS = 30000, /* in all, while it prints */
	QUIT_MS = 5000,       /* without a word, from SIGQUIT to SIGKILL */
	LEAVE_MS = 2000,      /* what a program leaves behind has so long */
};

typedef enum Phase { RUNS, QUITS, KILLED } Phase;

typedef struct Child {
	Ended e;
	long quit;         /* when SIGQUIT was sent */
	long start, limit; /* limit: of this phase; 0: none */
	long timeout_ms;
	int out, err; /* -1: at its end */
	bool shown, gone;
	Phase phase;
	char line[24]; /* the beginning of the current line of stderr */
	size_t nline;
} Child;

struct Crew {
	Child **v;
	int n, cap;
	int signals;
	sigset_t before;
};

Crew *crew_start(void)
{
	Crew *c = need(calloc(1, sizeof(*c)));
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &c->before);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c->signals < 0)
		die("signalfd: %s", strerror(errno));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGTTOU, SIG_IGN); /* giving the terminal to a child and taking it back */
	return c;
}

int crew_busy(const Crew *c)
{
	return c->n;
}

/* ---- starting ---- */

/* In the child. Says errno by `tell` when it cannot become the program. */
static void become(const Crew *c, const Launch *l, int out, int err, int tell)
{
	setpgid(0, 0);
	if (l->shown && isatty(0))
		tcsetpgrp(0, getpid());
	signal(SIGTTOU, SIG_DFL);
	sigprocmask(SIG_SETMASK, &c->before, NULL);
	setenv("GORACE", l->gorace, 1);
	if (!l->shown) {
		int empty = open("/dev/null", O_RDONLY);
		struct rlimit none;

		dup2(empty, 0);
		dup2(out, 1);
		if (getrlimit(RLIMIT_CORE, &none) == 0) {
			none.rlim_cur = 0;
			setrlimit(RLIMIT_CORE, &none);
		}
	}
	dup2(err, 2);
	if (l->fixed) {
		int now = personality(0xffffffff);

		if (now != -1)
			(void)personality((unsigned long)now | ADDR_NO_RANDOMIZE);
	}
	execvp(l->argv[0], l->argv);
	(void)write_fully(tell, &errno, sizeof(errno));
	_exit(127);
}

void crew_launch(Crew *c, const Launch *l)
{
	int out[2] = {-1, -1}, err[2], tell[2], error = 0;
	Child *k = need(calloc(1, sizeof(*k)));
	pid_t pid;

	if ((!l->shown && pipe2(out, O_CLOEXEC) != 0) || pipe2(err, O_CLOEXEC) != 0 ||
	    pipe2(tell, O_CLOEXEC) != 0)
		die("pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0)
		become(c, l, out[1], err[1], tell[1]);
	setpgid(pid, pid);
	if (!l->shown)
		close(out[1]);
	close(err[1]);
	close(tell[1]);
	if (read(tell[0], &error, sizeof(error)) == sizeof(error)) {
		if (l->shown && isatty(0))
			tcsetpgrp(0, getpgrp());
		die("cannot run %s: %s", l->argv[0], strerror(error));
	}
	close(tell[0]);
	if (c->n == c->cap)
		c->v = need(realloc(c->v, (size_t)(c->cap = c->cap * 2 + 4) * sizeof(*c->v)));
	c->v[c->n++] = k;
	k->e = (Ended){.tag = l->tag, .pid = pid, .output = HASH_START};
	k->start = now_ms();
	k->timeout_ms = l->timeout_ms;
	k->limit = l->timeout_ms ? k->start + l->timeout_ms : 0;
	k->shown = l->shown;
	k->out = out[0];
	k->err = err[0];
	fcntl(k->err, F_SETFL, O_NONBLOCK);
	if (k->out >= 0)
		fcntl(k->out, F_SETFL, O_NONBLOCK);
}

/* ---- reading ---- */

static bool begins_fatal(const char *line, size_t n)
{
	static const char *const words[] = {"fatal error: ", "panic: ", "SIGQUIT: quit"};

	for (int i = 0; i < 3; i++)
		if (n >= strlen(words[i]) && memcmp(line, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

static void keep(char **to, size_t *n, size_t most, const char *s, size_t more)
{
	if (more > most - *n)
		more = most - *n;
	if (!more)
		return;
	*to = need(realloc(*to, *n + more));
	memcpy(*to + *n, s, more);
	*n += more;
}

static void take_error(Child *k, const char *s, size_t n)
{
	Ended *e = &k->e;

	if (k->shown)
		(void)write_fully(2, s, n);
	/* it is still printing its goroutines */
	if (k->phase == QUITS && !k->gone && now_ms() < k->quit + QUIT_MOST_MS)
		k->limit = now_ms() + QUIT_MS;
	/* the last lines */
	if (n >= TAIL_MOST) {
		e->ntail = 0;
		keep(&e->tail, &e->ntail, TAIL_MOST, s + n - TAIL_MOST, TAIL_MOST);
	} else {
		size_t over = e->ntail + n > TAIL_MOST ? e->ntail + n - TAIL_MOST : 0;

		if (over)
			memmove(e->tail, e->tail + over, e->ntail -= over);
		keep(&e->tail, &e->ntail, TAIL_MOST, s, n);
	}
	for (size_t i = 0; i < n && !e->nfatal; i++) {
		if (s[i] == '\n') {
			if (begins_fatal(k->line, k->nline)) {
				keep(&e->fatal, &e->nfatal, FATAL_MOST, k->line, k->nline);
				keep(&e->fatal, &e->nfatal, FATAL_MOST, s + i, n - i);
				return;
			}
			k->nline = 0;
		} else if (k->nline < sizeof(k->line)) {
			k->line[k->nline++] = s[i];
		} else if (begins_fatal(k->line, k->nline)) {
			keep(&e->fatal, &e->nfatal, FATAL_MOST, k->line, k->nline);
			keep(&e->fatal, &e->nfatal, FATAL_MOST, s + i, n - i);
			return;
		}
	}
	if (e->nfatal)
		keep(&e->fatal, &e->nfatal, FATAL_MOST, s, n);
}

static void take(Child *k, int *fd, bool error)
{
	static char buffer[1 << 16];
	ssize_t n = read(*fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
	} else if (error) {
		take_error(k, buffer, (size_t)n);
	} else {
		k->e.output = hash_bytes(k->e.output, buffer, (size_t)n);
		k->e.output_bytes += (uint64_t)n;
	}
}

/* ---- waiting ---- */

static void reap(Crew *c)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < c->n; i++) {
			Child *k = c->v[i];

			if (k->e.pid != pid)
				continue;
			k->gone = true;
			k->e.status = status;
			k->e.ms = now_ms() - k->start;
			k->limit = now_ms() + LEAVE_MS;
			if (k->shown && isatty(0))
				tcsetpgrp(0, getpgrp());
		}
}

/* The limit of this phase has come. */
static void next_phase(Child *k)
{
	long now = now_ms();

	if (!k->gone && k->phase == RUNS) {
		k->e.timed_out = true;
		k->phase = QUITS;
		k->quit = now;
		k->limit = now + QUIT_MS;
		kill(-k->e.pid, SIGCONT);
		kill(-k->e.pid, SIGQUIT);
	} else {
		k->phase = KILLED;
		k->limit = now + LEAVE_MS;
		kill(-k->e.pid, SIGKILL);
	}
}

/* Nothing of it is left, or nothing that could be waited for. */
static bool is_over(Child *k)
{
	if (!k->gone)
		return false;
	if (k->phase == KILLED && now_ms() >= k->limit)
		return true; /* its pipe is held by a process that left the group */
	if (k->out >= 0 || k->err >= 0)
		return false;
	return kill(-k->e.pid, 0) != 0;
}

static bool take_over(Crew *c, Ended *e)
{
	for (int i = 0; i < c->n; i++) {
		Child *k = c->v[i];

		if (!is_over(k))
			continue;
		if (k->out >= 0)
			close(k->out);
		if (k->err >= 0)
			close(k->err);
		*e = k->e;
		free(k);
		c->v[i] = c->v[--c->n];
		return true;
	}
	return false;
}

/* The next signal that asks us to end; 0: none. */
static int take_signals(Crew *c)
{
	struct signalfd_siginfo info;
	int asked = 0;

	while (read(c->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			asked = (int)info.ssi_signo;
	return asked;
}

bool crew_wait(Crew *c, long until, Ended *e, int *asked)
{
	struct pollfd *fds = need(calloc((size_t)c->n * 2 + 1, sizeof(*fds)));

	if (asked)
		*asked = 0;
	for (;;) {
		long now = now_ms(), wake = until ? until : now + 3600000;
		int n = 1, sig;

		fds[0] = (struct pollfd){c->signals, POLLIN, 0};
		for (int i = 0; i < c->n; i++) {
			Child *k = c->v[i];

			if (k->limit && now >= k->limit && !(k->gone && k->phase == KILLED))
				next_phase(k);
			if (k->limit && k->limit < wake)
				wake = k->limit;
			/* only its group is left: there is no descriptor to wait on */
			if (k->gone && k->out < 0 && k->err < 0 && wake > now + 10)
				wake = now + 10;
			if (k->out >= 0)
				fds[n++] = (struct pollfd){k->out, POLLIN, 0};
			if (k->err >= 0)
				fds[n++] = (struct pollfd){k->err, POLLIN, 0};
		}
		if (take_over(c, e)) {
			free(fds);
			return true;
		}
		if ((until && now >= until) || !c->n)
			break;
		(void)poll(fds, (nfds_t)n, wake > now ? (int)(wake - now) : 0);
		sig = take_signals(c);
		reap(c);
		for (int i = 0; i < c->n; i++) {
			if (c->v[i]->out >= 0)
				take(c->v[i], &c->v[i]->out, false);
			if (c->v[i]->err >= 0)
				take(c->v[i], &c->v[i]->err, true);
		}
		if (sig && asked) {
			*asked = sig;
			break;
		}
	}
	free(fds);
	return false;
}

void crew_signal(Crew *c, int sig)
{
	for (int i = 0; i < c->n; i++) {
		Child *k = c->v[i];

		if (sig == SIGKILL) {
			k->e.stopped = true;
			k->phase = KILLED;
			k->limit = now_ms() + LEAVE_MS;
		}
		kill(-k->e.pid, sig);
	}
}

void ended_free(Ended *e)
{
	free(e->fatal);
	free(e->tail);
	*e = (Ended){0};
}
