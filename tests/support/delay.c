/*
 * delay.c: see delay.h. The kernel adds a wait when it is over: one that still lasts is seen later.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dirent64; programs are compiled without it */
#endif
#include "delay.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The file's beginning, in s; false when there is none. */
static int read_file(const char *path, char *s, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, s, size - 1);
	close(fd);
	s[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* The k-th number, from 1 on, after the first blank. */
static long long field(const char *s, int k)
{
	while (k-- > 0 && s) {
		s = strchr(s, ' ');
		while (s && *s == ' ')
			s++;
	}
	return s ? strtoll(s, NULL, 10) : 0;
}

/* In "cpu  USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL", in ticks. */
static int64_t stolen(void)
{
	char s[256];
	return read_file("/proc/stat", s, sizeof s) ? field(s, 8) * (INT64_C(1000000000) / sysconf(_SC_CLK_TCK)) : 0;
}

int64_t run_delay(int but)
{
	_Alignas(8) char list[4096];
	char path[64], s[128];
	int64_t sum = stolen();
	int dir = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n;
	while (dir >= 0 && (n = syscall(SYS_getdents64, dir, list, sizeof list)) > 0)
		for (long at = 0; at < n;) {
			const struct dirent64 *e = (const struct dirent64 *)(list + at);
			int tid = atoi(e->d_name);
			at += e->d_reclen;
			snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", tid);
			if (tid > 0 && tid != but && read_file(path, s, sizeof s))
				sum += field(s, 1); /* "RAN WAITED TIMES" */
		}
	if (dir >= 0)
		close(dir);
	return sum;
}
