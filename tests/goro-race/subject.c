/*
 * subject.c: what goro-race is shown: one program, a way to end for each word. Where a word says "seed", the
 * behaviour is read off the seed in GORACE, so that the tests know what each schedule must bring.
 */
#include <fcntl.h>
#include <goro.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "invisible.h"

static int shared, second;

/* Fingerprints are made of functions: each race has its own. */
static void writes(int *p)
{
	*p = 1;
	step(1);
}

static void race_on(int *p)
{
	goro_go((void (*)(void *))writes, p);
	after(1);
	*p = 2;
}

static void writes_too(int *p)
{
	*p = 1;
	step(1);
}

static void race_too(int *p)
{
	goro_go((void (*)(void *))writes_too, p);
	after(1);
	*p = 2;
}

static void waits(chan(int) c)
{
	chan_recv(c);
}

static void deadlock(void)
{
	chan(int) c = chan_make(int);

	go(waits, c);
	chan_recv(c);
}

/* Nobody keeps the channel. */
static void leak(void)
{
	go(waits, chan_make(int));
	goro_gosched();
}

/* Words of leak's frame are gone after it. */
static void wipe(void)
{
	volatile char room[4096];

	for (size_t i = 0; i < sizeof room; i++)
		room[i] = 0;
	for (int i = 0; i < 10; i++)
		goro_gosched();
}

static unsigned long seed(void)
{
	const char *keys = getenv("GORACE"), *found = NULL;

	while (keys && (keys = strstr(keys, "seed=")))
		found = keys += 5;
	return found ? strtoul(found, NULL, 10) : 0;
}

static int by_seed(unsigned long n)
{
	if (n % 10 == 7)
		race_on(&shared);
	if (n % 10 == 8)
		race_too(&second);
	if (n == 14)
		deadlock();
	if (n == 15)
		goro_panic("at step %d of %p", (int)n * 1000, (void *)&shared);
	if (n == 16)
		raise(SIGKILL);
	return 0;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	int arg = argc > 2 ? atoi(argv[2]) : 0;

	if (strcmp(word, "race") == 0) {
		race_on(&shared);
	} else if (strcmp(word, "deadlock") == 0) {
		deadlock();
	} else if (strcmp(word, "leak") == 0) {
		leak();
		wipe();
	} else if (strcmp(word, "panic") == 0) {
		goro_panic("no %d of <mine> & \"yours\"", arg);
	} else if (strcmp(word, "crash") == 0) {
		*(volatile int *)8 = 1;
	} else if (strcmp(word, "killed") == 0) {
		raise(SIGKILL);
	} else if (strcmp(word, "hang") == 0) {
		chan(int) c = chan_make(int);

		go(waits, c);
		for (;;)
			goro_sleep(GORO_MILLISECOND);
	} else if (strcmp(word, "deaf") == 0) { /* to SIGQUIT as well */
		signal(SIGQUIT, SIG_IGN);
		for (;;)
			pause();
	} else if (strcmp(word, "exit") == 0) {
		return arg;
	} else if (strcmp(word, "chdir") == 0) {
		if (chdir("/") != 0)
			return 1;
		race_on(&shared);
	} else if (strcmp(word, "fork") == 0) { /* each of the two races on its own */
		pid_t pid = fork();

		if (pid == 0) {
			execl("/proc/self/exe", argv[0], "race", (char *)NULL);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
		race_too(&second);
	} else if (strcmp(word, "daemon") == 0) { /* leaves a process behind that would stay for ever */
		if (fork() == 0)
			for (;;)
				pause();
		return 3;
	} else if (strcmp(word, "flood") == 0) { /* arg MiB on both streams */
		static char line[1 << 16];

		memset(line, 'x', sizeof line);
		line[sizeof line - 1] = '\n';
		for (int i = 0; i < arg * 16; i++)
			if (write(1, line, sizeof line) < 0 || write(2, line, sizeof line) < 0)
				return 1;
		goro_panic("after the flood");
	} else if (strcmp(word, "cat") == 0) {
		char line[64];

		if (fgets(line, sizeof line, stdin))
			fputs(line, stdout);
	} else if (strcmp(word, "gorace") == 0) {
		puts(getenv("GORACE"));
	} else if (strcmp(word, "seed") == 0) {
		return by_seed(seed());
	} else if (strcmp(word, "seed_codes") == 0) {
		return seed() % 5 == 0 ? 4 : 0;
	} else if (strcmp(word, "seed_output") == 0) {
		printf("%lu\n", seed() % 3);
	} else if (strcmp(word, "seed_slow") == 0) {
		usleep(20000);
		return by_seed(seed());
	}
	return 0;
}
