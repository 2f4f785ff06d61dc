/*
 * misuse.c: findings that are no accesses, for formats_test.c: locks in two orders, and an unlock by a thread
 * that does not hold the lock.
 */
#include <pthread.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void *ab(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	return arg;
}

static void *ba(void *arg)
{
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

static void *foreign(void *arg)
{
	pthread_mutex_unlock(&a);
	return arg;
}

static void run(void *(*f)(void *))
{
	pthread_t t;
	pthread_create(&t, NULL, f, NULL);
	pthread_join(t, NULL);
}

int main(void)
{
	run(ab);
	run(ba);
	pthread_mutex_lock(&a);
	run(foreign);
	return 0;
}
