/*
 * path.c: files by name, beside those of file.c: the *at forms, file systems, attributes, directories,
 * and the names that -D_FORTIFY_SOURCE makes of some.
 *
 * A directory stream is one variable: readdir writes it and the entry it answers, so that two goroutines
 * in one stream race, as POSIX has it for entries that lie in the stream.
 */
#include "fill.h"

#define FILLED(name, type)                                                                         \
	CALL(int, name, (const char *restrict path, struct type *restrict out), (path, out),       \
	    TEXT(path), r == 0, OUT(out))
#define FILLED_BY_FD(name, type)                                                                   \
	CALL(int, name, (int fd, struct type *out), (fd, out), , r == 0, OUT(out))
FILLED(statfs, statfs)
FILLED(statfs64, statfs64)
FILLED(statvfs, statvfs)
FILLED(statvfs64, statvfs64)
FILLED_BY_FD(fstatfs, statfs)
FILLED_BY_FD(fstatfs64, statfs64)
FILLED_BY_FD(fstatvfs, statvfs)
FILLED_BY_FD(fstatvfs64, statvfs64)
CALL(int, fstatat, (int dir, const char *restrict path, struct stat *restrict out, int flags),
    (dir, path, out, flags), TEXT(path), r == 0, OUT(out))
CALL(int, fstatat64, (int dir, const char *restrict path, struct stat64 *restrict out, int flags),
    (dir, path, out, flags), TEXT(path), r == 0, OUT(out))
CALL(int, statx,
    (int dir, const char *restrict path, int flags, unsigned mask, struct statx *restrict out),
    (dir, path, flags, mask, out), TEXT(path), r == 0, OUT(out))
CALL(ssize_t, readlinkat, (int dir, const char *restrict path, char *restrict out, size_t n),
    (dir, path, out, n), TEXT(path), r > 0, OUT_N(out, (size_t)r))

/* ---- extended attributes; a size of 0 only asks ---- */

#define GET_ATTR(name, by, at, said)                                                               \
	CALL(ssize_t, name, (by at, const char *key, void *out, size_t n), (at, key, out, n),      \
	    said TEXT(key), r > 0 && n > 0, OUT_N(out, (size_t)r))
#define LIST_ATTR(name, by, at, said)                                                              \
	CALL(ssize_t, name, (by at, char *out, size_t n), (at, out, n), said, r > 0 && n > 0,      \
	    OUT_N(out, (size_t)r))
#define SET_ATTR(name, by, at, said)                                                               \
	CALL(int, name, (by at, const char *key, const void *in, size_t n, int flags),             \
	     (at, key, in, n, flags), said TEXT(key);                                              \
	     IN_N(in, n), false, )
GET_ATTR(getxattr, const char *, path, TEXT(path);)
GET_ATTR(lgetxattr, const char *, path, TEXT(path);)
GET_ATTR(fgetxattr, int, fd, )
LIST_ATTR(listxattr, const char *, path, TEXT(path))
LIST_ATTR(llistxattr, const char *, path, TEXT(path))
LIST_ATTR(flistxattr, int, fd, )
SET_ATTR(setxattr, const char *, path, TEXT(path);)
SET_ATTR(lsetxattr, const char *, path, TEXT(path);)
SET_ATTR(fsetxattr, int, fd, )

/* ---- directories ---- */

CALL_HEAP(DIR *, opendir, (const char *path), (path), TEXT(path), false, )
CALL(struct dirent *, readdir, (DIR * dir), (dir), OUT_N((char *)dir, 1), r, OUT_N(r, r->d_reclen))
CALL(struct dirent64 *, readdir64, (DIR * dir), (dir), OUT_N((char *)dir, 1), r,
    OUT_N(r, r->d_reclen))
CALL(int, readdir_r,
     (DIR *restrict dir, struct dirent *restrict out, struct dirent **restrict found),
     (dir, out, found), OUT_N((char *)dir, 1), r == 0, OUT(found);
     if (*found) OUT_N(out, out->d_reclen))
CALL(int, closedir, (DIR * dir), (dir), OUT_N((char *)dir, 1), false, )

#define SCAN(name, type)                                                                           \
	CALL_HEAP(int, name,                                                                       \
		  (const char *restrict path, struct type ***restrict out,                         \
		      int (*keep)(const struct type *),                                            \
		      int (*order)(const struct type **, const struct type **)),                   \
		  (path, out, keep, order), TEXT(path), r >= 0, OUT(out);                          \
		  OUT_N(*out, (size_t)r * sizeof **out);                                           \
		  for (int i = 0; i < r; i++) OUT_N((*out)[i], (*out)[i]->d_reclen))
SCAN(scandir, dirent)
SCAN(scandir64, dirent64)

#define GLOB(name, type)                                                                           \
	CALL_HEAP(int, name,                                                                       \
		  (const char *restrict pattern, int flags, int (*failed)(const char *, int),      \
		      type *restrict out),                                                         \
		  (pattern, flags, failed, out), TEXT(pattern), r == 0, OUT(out);                  \
		  OUT_N(out->gl_pathv,                                                             \
		      (out->gl_pathc + ((flags & GLOB_DOOFFS) ? out->gl_offs : 0) + 1) *           \
			  sizeof(char *));                                                         \
		  for (size_t i = 0; i < out->gl_pathc; i++)                                       \
		      OUT_TEXT(out->gl_pathv[i + ((flags & GLOB_DOOFFS) ? out->gl_offs : 0)]))
GLOB(glob, glob_t)
GLOB(glob64, glob64_t)
INTERCEPT void globfree(glob_t *g_)
{
	writes(self(), g_, sizeof *g_, CALLER);
	heap_caller = CALLER;
	goro_real_globfree(g_);
	heap_caller = NULL;
}

/* The callbacks' arguments lie on the libc's own stack. */
CALL(int, ftw, (const char *path, int (*fn)(const char *, const struct stat *, int), int most),
    (path, fn, most), TEXT(path), false, )
CALL(int, nftw,
    (const char *path, int (*fn)(const char *, const struct stat *, int, struct FTW *), int most,
	int flags),
    (path, fn, most, flags), TEXT(path), false, )

/* ---- names alone ---- */

#define TWO(name)                                                                                  \
	CALL(int, name, (const char *from, const char *to), (from, to), TEXT(from);                \
	     TEXT(to), false, )
TWO(link)
TWO(symlink)
CALL(int, truncate, (const char *path, off_t n), (path, n), TEXT(path), false, )
CALL(int, chown, (const char *path, uid_t u, gid_t gid), (path, u, gid), TEXT(path), false, )
CALL(int, lchown, (const char *path, uid_t u, gid_t gid), (path, u, gid), TEXT(path), false, )
CALL(int, mknod, (const char *path, mode_t mode, dev_t dev), (path, mode, dev), TEXT(path), false, )
CALL(int, mkfifo, (const char *path, mode_t mode), (path, mode), TEXT(path), false, )
CALL(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode), TEXT(path), false, )
CALL(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), TEXT(path), false, )
CALL(int, faccessat, (int dir, const char *path, int how, int flags), (dir, path, how, flags),
    TEXT(path), false, )
CALL(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), TEXT(from);
     TEXT(to), false, )
CALL(int, utimes, (const char *path, const struct timeval t[2]), (path, t), TEXT(path);
     IN_N(t, 2 * sizeof t[0]), false, )
CALL(int, utimensat, (int dir, const char *path, const struct timespec t[2], int flags),
     (dir, path, t, flags), TEXT(path);
     IN_N(t, 2 * sizeof t[0]), false, )

/* The last six characters are the answer; the rest is read. */
CALL(int, mkstemp, (char *name), (name), TEXT(name), r >= 0,
    OUT_N(name + goro_real_strlen(name) - 6, 6))
CALL(char *, mkdtemp, (char *name), (name), TEXT(name), r,
    OUT_N(name + goro_real_strlen(name) - 6, 6))

/* ---- _FORTIFY_SOURCE ---- */

char *__getcwd_chk(char *, size_t, size_t);
char *__realpath_chk(const char *, char *, size_t);
ssize_t __readlink_chk(const char *, char *, size_t, size_t);
int __gethostname_chk(char *, size_t, size_t);
CALL(char *, __getcwd_chk, (char *out, size_t n, size_t room), (out, n, room), , r &&out,
    OUT_TEXT(r))
CALL_HEAP(char *, __realpath_chk, (const char *path, char *out, size_t room), (path, out, room),
    TEXT(path), r, OUT_TEXT(r))
CALL(ssize_t, __readlink_chk, (const char *path, char *out, size_t n, size_t room),
    (path, out, n, room), TEXT(path), r > 0, OUT_N(out, (size_t)r))
CALL(int, __gethostname_chk, (char *out, size_t n, size_t room), (out, n, room), , r == 0,
    OUT_N(out, goro_real_strnlen(out, n)))
