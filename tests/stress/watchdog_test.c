/*
 * watchdog_test.c: what the stress tests rely on: a wake-up that is lost makes them fail, and the goroutine that it
 * was for is named.
 */
#include "stress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static goro_chan *nobody_sends;

static void waits(void *unused)
{
	(void)unused;
	goro_set_name("forgotten");
	goro_chan_recv(nobody_sends, NULL);
}

/* Others have something to do, so that it is no deadlock. */
static int forgets(void *unused)
{
	(void)unused;
	nobody_sends = goro_chan_make(0, 0);
	goro_go(waits, NULL);
	while (nobody_sends)
		goro_sleep(GORO_MILLISECOND);
	return 0;
}

Test(watchdog, a_goroutine_that_is_not_woken_is_named, .timeout = 60)
{
	static char text[1 << 14];
	size_t n = 0;
	int fd[2], status;
	cr_assert_eq(pipe(fd), 0);
	setenv("GORO_STRESS_HANG", "1", 1);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], 2);
		close(fd[0]);
		close(fd[1]);
		stress_run("1", forgets);
	}
	close(fd[1]);
	for (ssize_t k; n < sizeof text - 1 && (k = read(fd[0], text + n, sizeof text - 1 - n)) > 0;)
		n += (size_t)k;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3, "%x: %s", status, text);
	cr_assert(strstr(text, "stress: no progress for 1 s\n"), "%s", text);
	cr_assert(strstr(text, " [chan receive] \"forgotten\":\n"), "%s", text);
}
