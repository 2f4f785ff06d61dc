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
#include <glob.h>
#include <grp.h>
#include <iconv.h>
#include <ifaddrs.h>
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

wchar_t *goro_real___wmemcpy_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *goro_real___wmemmove_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *goro_real___wmemset_chk(wchar_t *, wchar_t, size_t, size_t);
wchar_t *goro_real___wcscpy_chk(wchar_t *, const wchar_t *, size_t);
wchar_t *goro_real___wcscat_chk(wchar_t *, const wchar_t *, size_t);

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

int goro_real_vscanf(const char *, va_list);
int goro_real_vfscanf(FILE *, const char *, va_list);
int goro_real_vsscanf(const char *, const char *, va_list);
int goro_real___isoc99_vscanf(const char *, va_list);
int goro_real___isoc99_vfscanf(FILE *, const char *, va_list);
int goro_real___isoc99_vsscanf(const char *, const char *, va_list);
int goro_real_vwscanf(const wchar_t *, va_list);
int goro_real_vfwscanf(FILE *, const wchar_t *, va_list);
int goro_real_vswscanf(const wchar_t *, const wchar_t *, va_list);
int goro_real___isoc99_vwscanf(const wchar_t *, va_list);
int goro_real___isoc99_vfwscanf(FILE *, const wchar_t *, va_list);
int goro_real___isoc99_vswscanf(const wchar_t *, const wchar_t *, va_list);

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
