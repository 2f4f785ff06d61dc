/*
 * workerpool.c: four workers, ten tasks, a buffered channel between.
 *
 * The buffer holds tasks that no worker has taken yet, so main need not wait for a worker at each send.
 * Closing the channel loses nothing: what is in the buffer can still be received, and a receive answers
 * false only when the channel is closed and empty. That is how the workers learn to go home.
 *
 * Expected. Each "Task : 1" ... "Task : 10" is started once and completed once, by the same worker; each
 * worker shuts down once; exit 0, in both builds; no report.
 */
#include <goro.h>
#include <stdio.h>

enum { WORKERS = 4, TASKS = 10 };

/* A task is a string. Sent by value, as a struct: the receiver has a copy of its own. */
typedef struct Task {
	char text[32];
} Task;

static goro_waitgroup wg;

static void worker(chan(Task) tasks, int id)
{
	for (;;) {
		/* Wait for work. */
		Task task;
		if (!chan_recv_ok(tasks, &task)) {
			/* The channel is empty and closed. */
			printf("Worker: %d : Shutting Down\n", id);
			break;
		}
		printf("Worker: %d : Started %s\n", id, task.text);

		/* Work for a while, longer for some than for others. */
		goro_sleep((1 + id) * GORO_MILLISECOND);

		printf("Worker: %d : Completed %s\n", id, task.text);
	}
	goro_waitgroup_done(&wg);
}

int main(void)
{
	chan(Task) tasks = chan_make(Task, TASKS);

	goro_waitgroup_add(&wg, WORKERS);
	for (int id = 1; id <= WORKERS; id++)
		go(worker, tasks, id);

	for (int post = 1; post <= TASKS; post++) {
		Task task;
		snprintf(task.text, sizeof task.text, "Task : %d", post);
		chan_send(tasks, task);
	}

	/* Close the channel, so that the workers quit when all is done. */
	chan_close(tasks);

	goro_waitgroup_wait(&wg);
	chan_free(tasks);
	return 0;
}
