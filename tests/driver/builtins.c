/*
 * builtins.c: one function f_* for each way a libc call may dissolve into instructions. Under -race each
 * must end up as a call or as instrumented accesses; flags_test.c looks at the object. Never run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct big {
	char b[64];
};

void f_memset16(char *p) { memset(p, 0, 16); }
void f_memset64(char *p) { memset(p, 0, 64); }
void f_memset4k(char *p) { memset(p, 1, 4096); }
void f_memcpy3(char *p, char *q) { memcpy(p, q, 3); }
void f_memcpy8(char *p, char *q) { memcpy(p, q, 8); }
void f_memcpy40(char *p, char *q) { memcpy(p, q, 40); }
void f_memcpyn(char *p, char *q, size_t n) { memcpy(p, q, n); }
void f_mempcpy(char *p, char *q) { mempcpy(p, q, 16); }
void f_memmove24(char *p, char *q) { memmove(p, q, 24); }
int f_memcmp4(char *p, char *q) { return memcmp(p, q, 4) == 0; }
int f_memcmp16(char *p, char *q) { return memcmp(p, q, 16) == 0; }
int f_memcmp32(char *p, char *q) { return memcmp(p, q, 32) == 0; }
int f_bcmp(char *p, char *q) { return bcmp(p, q, 8); }
void f_bzero(char *p) { bzero(p, 32); }
void f_bcopy(char *p, char *q) { bcopy(p, q, 32); }
int f_memchr(char *p) { return memchr(p, 3, 4) != 0; }
size_t f_strlen(char *p) { return strlen(p); }
int f_strlen0(char *p) { return strlen(p) == 0; }
size_t f_strnlen(char *p) { return strnlen(p, 4); }
int f_strcmp(char *p) { return strcmp(p, "ab"); }
int f_strcmp2(char *p, char *q) { return strcmp(p, q); }
int f_strncmp(char *p) { return strncmp(p, "abc", 3); }
int f_strcasecmp(char *p) { return strcasecmp(p, "x"); }
char *f_strcpy(char *p) { return strcpy(p, "hello"); }
char *f_strcpy_long(char *p) { return strcpy(p, "hello world, this is longer than that"); }
char *f_stpcpy(char *p) { return stpcpy(p, "abc"); }
char *f_strncpy(char *p) { return strncpy(p, "hi", 8); }
char *f_strcat(char *p) { return strcat(p, "xyz"); }
char *f_strncat(char *p) { return strncat(p, "abcd", 2); }
char *f_strchr0(char *p) { return strchr(p, 0); }
char *f_strchr(char *p) { return strchr(p, 'a'); }
char *f_strrchr(char *p) { return strrchr(p, 'a'); }
char *f_strstr(char *p) { return strstr(p, "a"); }
char *f_strstr2(char *p) { return strstr(p, "ab"); }
char *f_strpbrk(char *p) { return strpbrk(p, "a"); }
size_t f_strspn(char *p) { return strspn(p, "a"); }
size_t f_strcspn(char *p) { return strcspn(p, ""); }
char *f_strdup(char *p) { return strdup(p); }
int f_sprintf(char *p) { return sprintf(p, "abc"); }
int f_sprintf_s(char *p, char *q) { return sprintf(p, "%s", q); }
int f_snprintf(char *p) { return snprintf(p, 10, "abcd"); }
void f_puts(char *p) { printf("%s\n", p); }
void *f_calloc(void) { return calloc(1, 8); }
void f_struct_copy(struct big *a, struct big *b) { *a = *b; }
void f_struct_zero(struct big *a) { *a = (struct big){0}; }
