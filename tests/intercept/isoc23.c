/*
 * isoc23.c: a shared library with names that glibc has since 2.38, for an older one, by the names that both have.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

long __isoc23_strtol(const char *, char **, int);
long __isoc23_strtol(const char *s, char **end, int base)
{
	return strtol(s, end, base);
}

unsigned long long __isoc23_wcstoull(const wchar_t *, wchar_t **, int);
unsigned long long __isoc23_wcstoull(const wchar_t *s, wchar_t **end, int base)
{
	return wcstoull(s, end, base);
}

int __isoc23_vsscanf(const char *, const char *, va_list);
int __isoc23_vsscanf(const char *s, const char *fmt, va_list ap)
{
	return vsscanf(s, fmt, ap);
}

int __isoc23_vfscanf(FILE *, const char *, va_list);
int __isoc23_vfscanf(FILE *f, const char *fmt, va_list ap)
{
	return vfscanf(f, fmt, ap);
}

int __isoc23_vswscanf(const wchar_t *, const wchar_t *, va_list);
int __isoc23_vswscanf(const wchar_t *s, const wchar_t *fmt, va_list ap)
{
	return vswscanf(s, fmt, ap);
}
