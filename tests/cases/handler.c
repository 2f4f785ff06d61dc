/*
 * handler.c: what signal handlers do: calls that are not safe there, errno, and what is.
 */
#include "case.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

static pthread_t main_thread;

ACCESS(call_malloc, USE(malloc(10)))
static void *block;
ACCESS(call_free, free(block))
ACCESS(call_printf, printf("%d\n", 1))
static const char *volatile text = "text\n";
ACCESS(call_puts, fputs(text, stdout))
ACCESS(call_write, if (write(2, "", 0)) abort())

static volatile int caught;
static void mallocs(int sig) { caught = sig; call_malloc(); }
static void frees(int sig) { caught = sig; call_free(); }
static void prints(int sig) { caught = sig; call_printf(); }
static void puts_text(int sig) { caught = sig; call_puts(); }
static void writes_only(int sig) { caught = sig; call_write(); }
static void spoils(int sig) { caught = sig; errno = EBADF; }
static void keeps(int sig)
{
	int e = errno;
	caught = sig;
	errno = EBADF;
	errno = e;
}

/* From another thread, at some time. */
static void *send(void *arg)
{
	pthread_kill(main_thread, SIGUSR1);
	return arg;
}
static void receive(void (*handler)(int))
{
	pthread_t th;
	signal(SIGUSR1, handler);
	main_thread = pthread_self();
	pthread_create(&th, NULL, send, NULL);
	while (!caught)
		; /* errno is not looked at meanwhile */
	pthread_join(th, NULL);
}
static void race_handler_malloc(void)
{
	receive(mallocs);
}
static void race_handler_free(void)
{
	block = malloc(10);
	receive(frees);
}
static void race_handler_printf(void)
{
	receive(prints);
}
static void race_handler_fputs(void)
{
	receive(puts_text);
}
static void norace_handler_write(void)
{
	receive(writes_only);
}
static void race_handler_errno(void)
{
	receive(spoils);
}
static void norace_handler_keeps_errno(void)
{
	receive(keeps);
}
/* Who asks for it himself knows where he is. */
static void norace_handler_errno_of_raise(void)
{
	signal(SIGUSR1, spoils);
	raise(SIGUSR1);
}
static void race_handler_malloc_by_raise(void)
{
	signal(SIGUSR1, mallocs);
	raise(SIGUSR1);
}
/* Out of the handler is out of it. */
static sigjmp_buf back;
static void jumps(int sig)
{
	siglongjmp(back, sig);
}
static void norace_handler_left_by_longjmp(void)
{
	signal(SIGUSR1, jumps);
	if (!sigsetjmp(back, 1))
		raise(SIGUSR1);
	call_malloc();
	call_printf();
}
/* sanitizers#1440 */
static void exits(int sig)
{
	_exit(sig - sig);
}
static void norace_handler_exits(void)
{
	signal(SIGUSR1, exits);
	raise(SIGUSR1);
}
/* What is signalled to a channel is no handler's. */
static void norace_handler_after_it(void)
{
	receive(writes_only);
	call_malloc();
	call_printf();
	errno = 5;
}

CASES(
    RACE(race_handler_malloc, "call call_malloc<mallocs / - / - / says Call of malloc() in a handler of signal 10 by")
    RACE(race_handler_free, "call call_free<frees / - / - / says Call of free() in a handler of signal 10 by")
    RACE(race_handler_printf, "call call_printf<prints / - / - / says Call of printf() in a handler of signal 10 by")
    RACE(race_handler_fputs, "call call_puts<puts_text / - / - / says Call of fputs() in a handler of signal 10 by")
    NORACE(norace_handler_write)
    RACE(race_handler_errno, "handler spoils / - / - / says WARNING: SIGNAL HANDLER SPOILS ERRNO")
    NORACE(norace_handler_keeps_errno)
    NORACE(norace_handler_errno_of_raise)
    RACE(race_handler_malloc_by_raise, "call call_malloc<mallocs / - / - / says WARNING: SIGNAL-UNSAFE CALL IN A SIGNAL HANDLER")
    NORACE(norace_handler_left_by_longjmp)
    NORACE(norace_handler_exits)
    NORACE(norace_handler_after_it)
)
