/*
 * launch.h: run programs, several at a time, under a limit of time, and keep what tells how they ended.
 *
 * Each program leads a process group of its own. When it has ended, what it left behind in its group has a
 * moment to end too (its report may be under way); then it is killed. At its limit a program gets SIGQUIT, upon
 * which goro's runtime prints every goroutine's stack, and a moment later SIGKILL.
 *
 * Output is read as it comes and never kept whole: of stdout a hash, of stderr the part from the first line that
 * looks like a fatal error on, and the last lines. So a program may write gigabytes.
 */
#ifndef GORO_RACE_LAUNCH_H
#define GORO_RACE_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Launch {
	char *const *argv;
	const char *gorace; /* the whole value of GORACE */
	long timeout_ms;    /* 0: none */
	bool
	    shown; /* stdin, stdout and stderr are ours; else stdin is empty and the rest is read */
	bool fixed;   /* addresses are not randomised, where the kernel lets us */
	uint64_t tag; /* the caller's */
} Launch;

typedef struct Ended {
	uint64_t tag;
	pid_t pid;
	int status; /* as waitpid has it */
	bool timed_out;
	bool stopped; /* by crew_stop: nothing is to be concluded from how it ended */
	uint64_t output, output_bytes; /* hash of stdout; not when shown */
	char *fatal, *tail;            /* parts of stderr, as said above */
	size_t nfatal, ntail;
	long ms;
} Ended;

typedef struct Crew Crew;

/* Takes over SIGCHLD, SIGINT, SIGTERM and SIGHUP. One crew in a process. */
Crew *crew_start(void);
/* Dies when the program cannot be started, saying why. */
void crew_launch(Crew *c, const Launch *l);
int crew_busy(const Crew *c);
/* Wait until a program has ended: true. False at `until` (now_ms, 0: never), or once when a signal asks us to end:
 * *asked (if not NULL) is that signal, else 0. Free what e points to by ended_free. */
bool crew_wait(Crew *c, long until, Ended *e, int *asked);
/* Pass the signal on to all of them; SIGKILL also counts them as stopped. */
void crew_signal(Crew *c, int sig);
void ended_free(Ended *e);

#endif
