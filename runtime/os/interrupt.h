/*
 * interrupt.h: SIGURG, ignored by default and which hardly any program listens to, to reach another thread: to
 * stop it for a moment and look at its registers, or to have it run something.
 *
 * The former is for a process that ends: the interrupted system call may answer EINTR, and the signal is not
 * the program's any more.
 */
#ifndef GORO_OS_INTERRUPT_H
#define GORO_OS_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* Thread tid runs ask() in a signal handler; where that answers true it stands still until look(ucontext,
 * arg) has run here, on the caller. False when it did not come within 2 s, or ask() said no. One
 * caller at a time. */
bool os_interrupt(
    uint32_t tid, bool (*ask)(void), void (*look)(void *ucontext, void *arg), void *arg);

/* ---- a signal to a thread that goes on ---- */

/* Once. SIGURG will make a thread run fn(ucontext), on its alternate stack, with all signals blocked and errno
 * kept; a system call that it interrupts is begun again, but for those that never are (poll, nanosleep, ...:
 * EINTR). False: the program listens to SIGURG already, or there is no os_barrier. */
bool os_poke_init(void (*fn)(void *ucontext));
/* Have thread tid run it soon. False: the program listens to SIGURG by now, or the thread is gone. */
bool os_poke(uint32_t tid);

#endif
