/*
 * lifetime.c: written for ThreadSanitizer: the hooks that a program may define. argv[1]: what
 * __tsan_on_finalize answers.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

int shared;
static int answer;

void __tsan_on_initialize(void);
void __tsan_on_initialize(void)
{
	(void)!write(1, "initialize\n", 11);
}
int __tsan_on_finalize(int failed);
int __tsan_on_finalize(int failed)
{
	(void)!write(1, failed ? "finalize 1\n" : "finalize 0\n", 11);
	return answer;
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "exitcode=50";
}
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:suppressed_function\n";
}

static void *writes(void *arg)
{
	shared = 1;
	return arg;
}

__attribute__((noinline)) static void suppressed_function(void)
{
	shared = 2;
}

int main(int argc, char **argv)
{
	pthread_t t;
	answer = argc > 1 ? atoi(argv[1]) : 0;
	pthread_create(&t, NULL, writes, NULL);
	if (argc > 2)
		suppressed_function();
	else
		shared = 2;
	pthread_join(t, NULL);
	return 7;
}
