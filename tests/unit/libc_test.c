/*
 * Blocking libc calls on a goroutine: libc's results and errno, and a P that others use meanwhile.
 */
#include "../../runtime/os/sanitizer.h"
#include "../../runtime/sched/runtime.h" /* before <fcntl.h>, whose LOCK_READ is another */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/delay.h"
#include "support/run.h"

static int64_t done; /* atomic */
static void (*body)(void);

static int as_main(void *arg)
{
	(void)arg;
	body();
	return 0;
}

static void run_with(const char *procs, void (*f)(void))
{
	setenv("GOMAXPROCS", procs, 1);
	body = f;
	cr_assert_eq(goro_run(as_main, NULL), 0);
}

static void wait_done(int64_t n)
{
	while (load_acq(&done) < n)
		goro_gosched();
}

static int pipes[2];

static void reader(void *arg)
{
	char c = 0;
	(void)arg;
	cr_assert_eq(read(pipes[0], &c, 1), 1);
	cr_assert_eq(c, 'x');
	(void)add_ar(&done, 1);
}

static void read_then_write(void)
{
	cr_assert_eq(pipe(pipes), 0);
	goro_go(reader, NULL);
	for (int i = 0; i < 100; i++)
		goro_gosched(); /* the reader blocks; we come back although there is one P */
	cr_assert_eq(load_acq(&done), 0);
	cr_assert_eq(write(pipes[1], "x", 1), 1);
	wait_done(1);
}

Test(libc, a_blocking_read_gives_its_p_away, .timeout = 10) { run_with("1", read_then_write); }

static void sleepers(void *arg)
{
	(void)arg;
	cr_assert_eq(usleep(20000), 0);
	(void)add_ar(&done, 1);
}

static void many_sleep(void)
{
	int64_t t = os_now(), delay = run_delay(0);
	for (int i = 0; i < 20; i++)
		goro_go(sleepers, NULL);
	wait_done(20);
	t = os_now() - t;
	delay = run_delay(0) - delay; /* the machine's, not ours */
	cr_assert_lt(t - delay, 300 * GORO_MILLISECOND, "%lld us, %lld of them waited", (long long)t / 1000,
	    (long long)delay / 1000);
}

#ifdef CRITERION_TSAN_H
#define TAKEN true /* usleep is ThreadSanitizer's there: the thread sleeps, and another P stands in later */
#else
#define TAKEN false
#endif
Test(libc, sleeps_overlap_on_one_p, .timeout = 10, .disabled = TAKEN) { run_with("1", many_sleep); }

/* errno behind a call that no compiler sees through: the goroutine may be on another thread after it. */
static void failing(void *arg)
{
	char c;
	(void)arg;
	for (int i = 0; i < 300; i++) {
		os_set_errno(0);
		cr_assert_eq(read(-1, &c, 1), -1);
		cr_assert_eq(os_errno(), EBADF);
		cr_assert_eq(open("/no/such/file", O_RDONLY), -1);
		cr_assert_eq(os_errno(), ENOENT);
		if (i % 10 == 0)
			usleep(50); /* long enough for the P to be taken */
	}
	(void)add_ar(&done, 1);
}

static void errnos(void)
{
	for (int i = 0; i < 20; i++)
		goro_go(failing, NULL);
	wait_done(20);
}

Test(libc, errno_is_the_calls_own, .timeout = 20) { run_with("2", errnos); }

static void sockets(void)
{
	int s[2];
	char a[4] = "", b[4] = "";
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	cr_assert_eq(send(s[0], "abcdef", 6, 0), 6);
	struct iovec v[2] = {{a, 2}, {b, 3}};
	cr_assert_eq(readv(s[1], v, 2), 5);
	cr_assert_str_eq(a, "ab");
	cr_assert_eq(b[2], 'e');
	struct pollfd p = {.fd = s[1], .events = POLLIN};
	cr_assert_eq(poll(&p, 1, 1000), 1);
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 1};
	cr_assert_eq(recvmsg(s[1], &m, 0), 1);
	cr_assert_eq(a[0], 'f');
	cr_assert_eq(poll(&p, 1, 1), 0);
}

Test(libc, sockets_and_vectors, .timeout = 10) { run_with("2", sockets); }

static void children(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(7);
	int status;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	cr_assert_eq(waitpid(-1, &status, WNOHANG), -1);
	cr_assert_eq(os_errno(), ECHILD);
}

Test(libc, waitpid_of_a_child, .timeout = 10) { run_with("2", children); }

static void open_modes(void)
{
	char path[] = "/tmp/goro-libc-test-XXXXXX";
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	close(fd);
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, "hello", 5, 3), 5);
	cr_assert_eq(fsync(fd), 0);
	close(fd);
	cr_assert_eq(access(path, R_OK | W_OK), 0);
	fd = openat(AT_FDCWD, path, O_RDONLY);
	char b[8];
	cr_assert_eq(pread(fd, b, 5, 3), 5);
	cr_assert_arr_eq(b, "hello", 5);
	close(fd);
	unlink(path);
}

Test(libc, files_with_and_without_mode, .timeout = 10) { run_with("1", open_modes); }

static int64_t nap(void *arg)
{
	(void)arg;
	usleep(1000); /* inside goro_blocking already: no second time */
	return 42;
}

static void blocking(void)
{
	cr_assert_eq(goro_blocking(nap, NULL), 42);
}

Test(libc, calls_inside_goro_blocking, .timeout = 10) { run_with("1", blocking); }

/* ---- what a call costs that does not block ---- */

#if defined(__x86_64__) && !defined(SAN_ADDRESS) && !defined(SAN_THREAD)
/* In the archive that programs link: both functions together, their slow ways (the P is gone) included. */
Test(libc, two_atomic_operations_at_most)
{
	Run r;
	int found, locked;
	run_sh(&r, 60, "objdump -d --no-show-raw-insn " GORO_BUILD_DIR "/lib/libgoro.a | awk '"
	    "/^[0-9a-f]+ <.*>:$/ { in_it = $2 ~ /^<syscall_(enter|exit)>:$/; found += in_it } "
	    "in_it && (/\\tlock / || /\\txchg .*\\(/) { locked++ } "
	    "END { print found + 0, locked + 0 }'");
	cr_assert_eq(sscanf(r.out, "%d %d", &found, &locked), 2, "%s%s", r.out, r.err);
	cr_assert_eq(found, 2, "%s", r.out);
	cr_assert(locked >= 1 && locked <= 2, "%d", locked);
	run_free(&r);
}
#endif
