/*
 * errno.c: errno by calls that no compiler can see through. gcc and clang compute the address of errno
 * once in a function and keep it across calls; a goroutine may be on another thread by then. A file of
 * its own, so that even link-time optimisation within os/ leaves the address here (style rule 7).
 */
#include <errno.h>

#include "os.h"

__attribute__((noinline)) int os_errno(void)
{
	return errno;
}

__attribute__((noinline)) void os_set_errno(int e)
{
	errno = e;
}

__attribute__((noinline)) int *os_errno_at(void)
{
	return &errno;
}
