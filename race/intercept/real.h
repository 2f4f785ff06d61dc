/*
 * real.h: the libc behind goro's interposed names. goro_real_X is the function X that the program
 * would have met without goro: a thunk that jumps through a slot, which the first call (or
 * real_resolve_all) fills by dlsym(RTLD_NEXT). It leaves all argument registers as they are, so that
 * one shape serves every signature, variadic ones and setjmp included. Callable at any time, from
 * any thread; before real_resolve_all a first call needs the stack that dlsym takes (some KiB).
 *
 * Outside this folder nobody writes goro_real_X: the objects are renamed with tools/real.syms.
 */
#ifndef GORO_RACE_INTERCEPT_REAL_H
#define GORO_RACE_INTERCEPT_REAL_H

/* No inline bodies in the libc's headers for names that are defined here. */
#ifndef __NO_INLINE__
#define __NO_INLINE__ 1
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <iconv.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <malloc.h>
#include <mqueue.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <pwd.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* <fcntl.h>, which comes along, has these for leases; hooks.h for the ways to hold a lock. */
#undef LOCK_READ
#undef LOCK_WRITE

#pragma GCC visibility push(hidden)

#define R(n) extern __typeof__(n) goro_real_##n;
#define X(n)
#define D(n, t) extern __typeof__(n) goro_real_##n;
#include "real.def"
#undef R
#undef X
#undef D

void *goro_real___memcpy_chk(void *, const void *, size_t, size_t);
void *goro_real___memmove_chk(void *, const void *, size_t, size_t);
void *goro_real___mempcpy_chk(void *, const void *, size_t, size_t);
void *goro_real___memset_chk(void *, int, size_t, size_t);
void goro_real___explicit_bzero_chk(void *, size_t, size_t);
void *goro_real___mempcpy(void *, const void *, size_t);
void *goro_real___rawmemchr(const void *, int);

char *goro_real___strdup(const char *);
char *goro_real___strndup(const char *, size_t);
char *goro_real___stpcpy(char *, const char *);
char *goro_real___stpncpy(char *, const char *, size_t);
char *goro_real___strtok_r(char *, const char *, char **);
char *goro_real___strcpy_chk(char *, const char *, size_t);
char *goro_real___strncpy_chk(char *, const char *, size_t, size_t);
char *goro_real___stpcpy_chk(char *, const char *, size_t);
char *goro_real___stpncpy_chk(char *, const char *, size_t, size_t);
char *goro_real___strcat_chk(char *, const char *, size_t);
char *goro_real___strncat_chk(char *, const char *, size_t, size_t);

/* Functions of the same shape. */
#define BLOCK(name) wchar_t *goro_real_##name(wchar_t *, const wchar_t *, size_t, size_t);
BLOCK(__wmemcpy_chk)
BLOCK(__wmemmove_chk)
BLOCK(__wmempcpy_chk)
BLOCK(__wcsncpy_chk)
BLOCK(__wcpncpy_chk)
BLOCK(__wcsncat_chk)
#undef BLOCK
wchar_t *goro_real___wmemset_chk(wchar_t *, wchar_t, size_t, size_t);
wchar_t *goro_real___wcscpy_chk(wchar_t *, const wchar_t *, size_t);
wchar_t *goro_real___wcpcpy_chk(wchar_t *, const wchar_t *, size_t);
wchar_t *goro_real___wcscat_chk(wchar_t *, const wchar_t *, size_t);

#define INTEGERS(s, Char)                                                                          \
	long goro_real___isoc23_##s##tol(const Char *, Char **, int);                              \
	unsigned long goro_real___isoc23_##s##toul(const Char *, Char **, int);                    \
	long long goro_real___isoc23_##s##toll(const Char *, Char **, int);                        \
	unsigned long long goro_real___isoc23_##s##toull(const Char *, Char **, int);              \
	intmax_t goro_real___isoc23_##s##toimax(const Char *, Char **, int);                       \
	uintmax_t goro_real___isoc23_##s##toumax(const Char *, Char **, int);
INTEGERS(str, char)
INTEGERS(wcs, wchar_t)
#undef INTEGERS

ssize_t goro_real___getdelim(char **, size_t *, int, FILE *);
size_t goro_real___fread_chk(void *, size_t, size_t, size_t, FILE *);
char *goro_real___fgets_chk(char *, size_t, int, FILE *);

wchar_t *goro_real___fgetws_chk(wchar_t *, size_t, int, FILE *);
int goro_real___vswprintf_chk(wchar_t *, size_t, int, size_t, const wchar_t *, va_list);
int goro_real___vfwprintf_chk(FILE *, int, const wchar_t *, va_list);

int goro_real___vprintf_chk(int, const char *, va_list);
int goro_real___vfprintf_chk(FILE *, int, const char *, va_list);
int goro_real___vdprintf_chk(int, int, const char *, va_list);
int goro_real___vsprintf_chk(char *, int, size_t, const char *, va_list);
int goro_real___vsnprintf_chk(char *, size_t, int, size_t, const char *, va_list);
int goro_real___vasprintf_chk(char **, int, const char *, va_list);

#define SCANF(pre, w, Char)                                                                        \
	int goro_real_##pre##v##w##scanf(const Char *, va_list);                                   \
	int goro_real_##pre##vf##w##scanf(FILE *, const Char *, va_list);                          \
	int goro_real_##pre##vs##w##scanf(const Char *, const Char *, va_list);
SCANF(, , char)
SCANF(, w, wchar_t)
SCANF(__isoc99_, , char)
SCANF(__isoc99_, w, wchar_t)
SCANF(__isoc23_, , char)
SCANF(__isoc23_, w, wchar_t)
#undef SCANF

int goro_real_readdir_r(DIR *, struct dirent *, struct dirent **);
sighandler_t goro_real___sysv_signal(int, sighandler_t);
int goro_real___xpg_strerror_r(int, char *, size_t);
char *goro_real___getcwd_chk(char *, size_t, size_t);
char *goro_real___realpath_chk(const char *, char *, size_t);
ssize_t goro_real___readlink_chk(const char *, char *, size_t, size_t);
int goro_real___gethostname_chk(char *, size_t, size_t);

int goro_real___cxa_atexit(void (*)(void *), void *, void *);
_Noreturn void goro_real___longjmp_chk(jmp_buf, int);

/* Fill every slot whose name the libc (or a library loaded by now) has. Idempotent. */
void real_resolve_all(void);
/* The function `slot` stands for, resolved now; called by the thunks. Ends the process with one line
 * when nobody defines it. */
void *real_resolve(void **slot);

#pragma GCC visibility pop
#endif
