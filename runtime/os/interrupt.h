/*
 * interrupt.h: stop another thread for a moment, to look at its registers. For a process that ends: the
 * interrupted system call may answer EINTR, and the signal used is not the program's any more.
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

#endif
