/*
 * process.c: what a process asks about itself, its machine and its users, random numbers with a state of
 * the caller's, and new programs. Answers in a variable of the libc's (getpwnam, ...) are written by
 * whoever asks, as in time.c.
 */
#include "fill.h"

CALL(int, getrusage, (__rusage_who_t who, struct rusage *out), (who, out), , r == 0, OUT(out))
CALL(
    int, getrlimit, (__rlimit_resource_t what, struct rlimit *out), (what, out), , r == 0, OUT(out))
CALL(int, getrlimit64, (__rlimit_resource_t what, struct rlimit64 *out), (what, out), , r == 0,
    OUT(out))
CALL(int, setrlimit, (__rlimit_resource_t what, const struct rlimit *in), (what, in), IN(in),
    false, )
CALL(int, setrlimit64, (__rlimit_resource_t what, const struct rlimit64 *in), (what, in), IN(in),
    false, )
CALL(int, prlimit,
    (pid_t pid, enum __rlimit_resource what, const struct rlimit *in, struct rlimit *out),
    (pid, what, in, out), IN(in), r == 0, OUT(out))
CALL(int, prlimit64,
    (pid_t pid, enum __rlimit_resource what, const struct rlimit64 *in, struct rlimit64 *out),
    (pid, what, in, out), IN(in), r == 0, OUT(out))
CALL(int, sysinfo, (struct sysinfo * out), (out), , r == 0, OUT(out))
CALL(clock_t, times, (struct tms * out), (out), , r != (clock_t)-1, OUT(out))
CALL(int, getgroups, (int n, gid_t *out), (n, out), , r > 0 && n > 0,
    OUT_N(out, (size_t)r * sizeof *out))
CALL(int, getresuid, (uid_t * a, uid_t *b, uid_t *c), (a, b, c), , r == 0, OUT(a); OUT(b); OUT(c))
CALL(int, getresgid, (gid_t * a, gid_t *b, gid_t *c), (a, b, c), , r == 0, OUT(a); OUT(b); OUT(c))
CALL(int, getloadavg, (double *out, int n), (out, n), , r > 0, OUT_N(out, (size_t)r * sizeof *out))
CALL(int, getdomainname, (char *out, size_t n), (out, n), , r == 0,
    OUT_N(out, goro_real_strnlen(out, n)))
CALL(size_t, confstr, (int what, char *out, size_t n), (what, out, n), , r > 0 && n > 0,
    OUT_N(out, r < n ? r : n))
CALL(ssize_t, getrandom, (void *out, size_t n, unsigned flags), (out, n, flags), , r > 0,
    OUT_N(out, (size_t)r))
CALL(int, getentropy, (void *out, size_t n), (out, n), , r == 0, OUT_N(out, n))
CALL(int, ttyname_r, (int fd, char *out, size_t n), (fd, out, n), , r == 0, OUT_TEXT(out))
CALL(int, ptsname_r, (int fd, char *out, size_t n), (fd, out, n), , r == 0, OUT_TEXT(out))
CALL(int, getlogin_r, (char *out, size_t n), (out, n), , r == 0, OUT_TEXT(out))

/* The kernel fills no more than its own mask, the libc clears the rest. */
CALL(int, sched_getaffinity, (pid_t pid, size_t n, cpu_set_t *out), (pid, n, out), , r == 0,
    OUT_N(out, n))
CALL(int, sched_setaffinity, (pid_t pid, size_t n, const cpu_set_t *in), (pid, n, in), IN_N(in, n),
    false, )
CALL(int, sched_getparam, (pid_t pid, struct sched_param *out), (pid, out), , r == 0, OUT(out))
CALL(int, pthread_getaffinity_np, (pthread_t th, size_t n, cpu_set_t *out), (th, n, out), , r == 0,
    OUT_N(out, n))
CALL(int, pthread_getname_np, (pthread_t th, char *out, size_t n), (th, out, n), , r == 0,
    OUT_TEXT(out))
CALL(int, pthread_getschedparam, (pthread_t th, int *policy, struct sched_param *out),
     (th, policy, out), , r == 0, OUT(policy);
     OUT(out))
CALL(int, pthread_getattr_np, (pthread_t th, pthread_attr_t *out), (th, out), , r == 0, OUT(out))

/* ---- random numbers: the state is read and written ---- */

CALL(int, rand_r, (unsigned *seed), (seed), OUT(seed), false, )
CALL(int, random_r, (struct random_data *restrict s, int32_t *restrict out), (s, out), OUT(s),
    r == 0, OUT(out))
CALL(int, srandom_r, (unsigned seed, struct random_data *s), (seed, s), OUT(s), false, )
CALL(int, drand48_r, (struct drand48_data *restrict s, double *restrict out), (s, out), OUT(s),
    r == 0, OUT(out))
CALL(int, lrand48_r, (struct drand48_data *restrict s, long *restrict out), (s, out), OUT(s),
    r == 0, OUT(out))
CALL(int, mrand48_r, (struct drand48_data *restrict s, long *restrict out), (s, out), OUT(s),
    r == 0, OUT(out))
CALL(int, srand48_r, (long seed, struct drand48_data *s), (seed, s), OUT(s), false, )

/* ---- error texts: GNU's may answer a constant, and writes the buffer only where it answers that ---- */

CALL(char *, strerror_r, (int e, char *buf, size_t n), (e, buf, n), , r == buf && n > 0,
    OUT_TEXT(buf))
int __xpg_strerror_r(int, char *, size_t);
CALL(int, __xpg_strerror_r, (int e, char *buf, size_t n), (e, buf, n), , r == 0, OUT_TEXT(buf))

/* ---- users and groups: the strings lie in the caller's buffer, as far as they were filled ---- */

#define USERS(name, key_type, key, said, type, told)                                               \
	CALL(                                                                                      \
	    int, name,                                                                             \
	    (key_type key, struct type *restrict out, char *restrict buf, size_t n,                \
		struct type **restrict found),                                                     \
	    (key, out, buf, n, found), said, r == 0, OUT(found);                                   \
	    if (*found) {                                                                          \
		    OUT(out);                                                                      \
		    told;                                                                          \
	    })
#define PASSWD                                                                                     \
	OUT_TEXT(out->pw_name);                                                                    \
	OUT_TEXT(out->pw_passwd);                                                                  \
	OUT_TEXT(out->pw_gecos);                                                                   \
	OUT_TEXT(out->pw_dir);                                                                     \
	OUT_TEXT(out->pw_shell)
#define GROUP                                                                                      \
	OUT_TEXT(out->gr_name);                                                                    \
	OUT_TEXT(out->gr_passwd);                                                                  \
	for (char **m = out->gr_mem; m && *m; m++) {                                               \
		OUT(m);                                                                            \
		OUT_TEXT(*m);                                                                      \
	}
USERS(getpwnam_r, const char *restrict, name, TEXT(name), passwd, PASSWD)
USERS(getpwuid_r, uid_t, uid, , passwd, PASSWD)
USERS(getgrnam_r, const char *restrict, name, TEXT(name), group, GROUP)
USERS(getgrgid_r, gid_t, gid, , group, GROUP)

CALL(struct passwd *, getpwnam, (const char *name), (name), TEXT(name), r, OUT(r))
CALL(struct passwd *, getpwuid, (uid_t uid), (uid), , r, OUT(r))
CALL(struct group *, getgrnam, (const char *name), (name), TEXT(name), r, OUT(r))
CALL(struct group *, getgrgid, (gid_t gid), (gid), , r, OUT(r))

/* ---- the memory of another process; what lies there is not looked at ---- */

static void vectors(RaceCtx *g, const struct iovec *v, unsigned long n, size_t bytes,
    void (*say)(RaceCtx *, const void *, size_t, const void *), const void *pc)
{
	for (unsigned long i = 0; i < n && bytes; i++) {
		size_t here = v[i].iov_len < bytes ? v[i].iov_len : bytes;

		say(g, v[i].iov_base, here, pc);
		bytes -= here;
	}
}
CALL(ssize_t, process_vm_readv,
    (pid_t pid, const struct iovec *v, unsigned long n, const struct iovec *from, unsigned long m,
	unsigned long flags),
    (pid, v, n, from, m, flags), , r > 0 && g, vectors(g, v, n, (size_t)r, writes_some, pc))
CALL(ssize_t, process_vm_writev,
    (pid_t pid, const struct iovec *v, unsigned long n, const struct iovec *to, unsigned long m,
	unsigned long flags),
    (pid, v, n, to, m, flags), , r > 0 && g, vectors(g, v, n, (size_t)r, reads_some, pc))

/* ---- new programs ---- */

static void reads_list(RaceCtx *g, char *const *list, const void *pc)
{
	if (!g || !list)
		return;
	for (; *list; list++) {
		IN(list);
		TEXT(*list);
	}
	IN(list);
}
#define LIST(l) reads_list(g, l, pc)

CALL(int, execv, (const char *path, char *const *argv), (path, argv), TEXT(path);
     LIST(argv), false, )
CALL(int, execvp, (const char *path, char *const *argv), (path, argv), TEXT(path);
     LIST(argv), false, )
CALL(int, execve, (const char *path, char *const *argv, char *const *env), (path, argv, env),
     TEXT(path);
     LIST(argv); LIST(env), false, )
CALL(int, execvpe, (const char *path, char *const *argv, char *const *env), (path, argv, env),
     TEXT(path);
     LIST(argv); LIST(env), false, )

#define SPAWN(name)                                                                                \
	CALL(int, name,                                                                            \
	     (pid_t *restrict pid, const char *restrict path,                                      \
		 const posix_spawn_file_actions_t *restrict actions,                               \
		 const posix_spawnattr_t *restrict attr, char *const *restrict argv,               \
		 char *const *restrict env),                                                       \
	     (pid, path, actions, attr, argv, env), TEXT(path);                                    \
	     LIST(argv); LIST(env), r == 0, OUT(pid))
SPAWN(posix_spawn)
SPAWN(posix_spawnp)
