/*
 * ends.c: the ways a process ends, with a race behind it or not. Run with a case's name.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int v; /* not static, or its writes, which nobody reads, are dropped */

static void *put(void *arg)
{
	(void)arg;
	v = 1;
	return NULL;
}

static void race(void)
{
	pthread_t th;

	pthread_create(&th, NULL, put, NULL);
	v = 2;
	pthread_join(th, NULL);
}

__attribute__((destructor)) static void at_last(void)
{
	if (getenv("LATE"))
		race();
	printf("destructor\n");
}

static void handler(void)
{
	printf("handler\n");
}

/* What the child ended with. */
static void child_was(pid_t child)
{
	int status = 0;

	waitpid(child, &status, 0);
	printf("child %d\n", WEXITSTATUS(status));
}

static int ends(const char *how)
{
	pid_t child;

	if (strcmp(how, "return") == 0)
		return 5;
	if (strcmp(how, "exit") == 0)
		exit(7);
	if (strcmp(how, "fork-race") == 0) {
		child = fork();
		if (child == 0) {
			race();
			exit(1);
		}
		child_was(child);
		return 0;
	}
	race();
	if (strcmp(how, "race-return") == 0)
		return 0;
	if (strcmp(how, "race-exit") == 0)
		exit(3);
	if (strcmp(how, "race-_exit") == 0)
		_exit(3);
	if (strcmp(how, "race-_Exit") == 0)
		_Exit(3);
	if (strcmp(how, "race-quick_exit") == 0)
		quick_exit(3);
	if (strcmp(how, "race-abort") == 0)
		abort();
	if (strcmp(how, "race-vfork") == 0) {
		child = vfork();
		if (child == 0)
			_exit(4);
		child_was(child);
		return 0;
	}
	return 99;
}

int main(int argc, char **argv)
{
	printf("start\n");
	atexit(handler);
	return ends(argc > 1 ? argv[1] : "");
}
